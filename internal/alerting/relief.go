package alerting

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// This file knows the turns of an alert: those who are called now, and the teams
// that relieve them hours later. A turn has its own lines of the quota and its own
// waves; what one turn has or misses never stops nor prolongs the calls of another.

// The bounds of a relief, counted from the launch to the beginning of its slot.
// Before four hours it is one more wave.
const (
	ReliefLeast = 4 * time.Hour
	ReliefMost  = 72 * time.Hour
)

// reliefEarly is how long before its slot somebody of a relief may be there and count in it.
const reliefEarly = 2 * time.Hour

// The rest, in hours, between the work of the first turn and a relief. Eleven is the
// shortest daily rest (directive 2003/88/CE, article 3; code du travail, article
// L3131-1), nine what an agreement may bring it down to (article D3131-6); the public
// hospitals owe twelve (décret n° 2002-9, article 7).
const (
	RestDefault = 11
	RestLeast   = 9
	RestMost    = 24
)

// turns are some turns of an alert, each known by the beginning of its slot; that
// of those called now is 0.
type turns []time.Duration

func (t turns) has(turn time.Duration) bool { return slices.Contains(t, turn) }

// turn is that of a wave.
func (w Wave) turn() time.Duration { return w.Relief.Std() }

// turnOf is that of a line: a relief's when a wave is called for its slot.
func (d Definition) turnOf(q Quota) time.Duration {
	if q.From > 0 && slices.ContainsFunc(d.Waves, func(w Wave) bool { return w.Relief == q.From }) {
		return q.From.Std()
	}
	return 0
}

// turns are those of a scenario, in order.
func (d Definition) turns() turns {
	out := turns{0}
	for _, w := range d.Waves {
		if !out.has(w.turn()) {
			out = append(out, w.turn())
		}
	}
	slices.Sort(out)
	return out
}

// relieves tells a scenario that keeps people back.
func (d Definition) relieves() bool {
	return slices.ContainsFunc(d.Waves, func(w Wave) bool { return w.Relief > 0 })
}

// wavesOf are those of a turn, by number.
func (d Definition) wavesOf(turn time.Duration) []int {
	var out []int
	for i, w := range d.Waves {
		if w.turn() == turn {
			out = append(out, i)
		}
	}
	return out
}

// lastCall is the last wave of those who are called now.
func (d Definition) lastCall() int {
	list := d.wavesOf(0)
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1]
}

// reached are the turns whose every line has enough people announced or there. A
// turn without lines never has enough.
func (d Definition) reached(lines []QuotaLine) turns {
	var out turns
	for _, turn := range d.turns() {
		mine, missing := 0, 0
		for _, q := range lines {
			if q.Relief == turn {
				mine++
				missing += q.Missing()
			}
		}
		if mine > 0 && missing == 0 {
			out = append(out, turn)
		}
	}
	return out
}

// countsAt is when somebody of a wave counts who comes at an instant: a relief is
// there for its slot, not before.
func (p *plan) countsAt(wave int, at time.Time, announced bool) time.Time {
	turn := p.wave(wave).turn()
	start := p.LaunchedAt.Add(turn)
	if turn > 0 && at.Before(start) && (announced || !at.Before(start.Add(-reliefEarly))) {
		return start
	}
	return at
}

// presence is when somebody is, or says he will be, there.
type presence struct {
	// At is when he comes; Since when he is taken to be at work, which may be earlier
	// than the door noted.
	At, Since time.Time
	// Left is when he left, and Again when he comes back after; zero when he did not.
	Left, Again time.Time
	// Back tells that the door saw him come back.
	Back bool
}

// at gives when somebody may fill a line. Who worked in an earlier turn fills that
// of a relief only after the rest.
func (p *plan) at(q Quota, pr presence) (at time.Time, ok bool) {
	turn := p.Definition.turnOf(q)
	if turn == 0 || !pr.Since.Before(p.LaunchedAt.Add(turn)) {
		return pr.At, true
	}
	return pr.Again, !pr.Again.IsZero() && !pr.Again.Before(pr.Left.Add(p.rest))
}

// attendance is the presence of a recipient, from his answer and his stays.
func (p *plan) attendance(who *person, stays []Stay) presence {
	pr := presence{At: p.countsAt(who.Wave, who.ETA, who.Meaning == Coming)}
	if !who.Arrived.IsZero() {
		pr.At = p.countsAt(who.Wave, who.Arrived, false)
	}
	pr.Since = pr.At
	if !who.ETA.IsZero() && who.Arrived.After(who.ETA) {
		pr.Since = p.countsAt(who.Wave, who.ETA, who.Meaning == Coming)
	}
	for i, s := range stays {
		if i > 0 {
			pr.Left, pr.Again, pr.Back = stays[i-1].LeftAt, s.ArrivedAt, true
		}
		if i == len(stays)-1 && !s.LeftAt.IsZero() && who.ETA.After(s.LeftAt) {
			pr.Left, pr.Again, pr.Back = s.LeftAt, who.ETA, false
		}
	}
	return pr
}

// addResting counts, for the lines of the reliefs, those who came now for the same
// skill and site: they are not counted there before their rest.
func addResting(lines []QuotaLine) {
	for i := range lines {
		if lines[i].Relief == 0 {
			continue
		}
		for _, q := range lines {
			if q.Relief == 0 && q.Skill == lines[i].Skill && (lines[i].Site == uuid.Nil || q.Site == lines[i].Site) {
				lines[i].Resting += q.Arrived + q.Coming
			}
		}
	}
}

// ofRelief tells the texts that name the hour of a relief.
func ofRelief(use Use) bool { return use == UseKeptBack || use == UseRelief }

// turnsOf are the turns a text is written for.
func (d Definition) turnsOf(use Use) turns {
	if !ofRelief(use) {
		return turns{0}
	}
	return slices.DeleteFunc(d.turns(), func(t time.Duration) bool { return t == 0 })
}

// first is the earliest, 0 when there is none.
func (t turns) first() time.Duration {
	if len(t) == 0 {
		return 0
	}
	return t[0]
}

// reliefHour says when a relief begins: the hour, and the day when it is far.
func reliefHour(launched time.Time, turn time.Duration, zone *time.Location) string {
	at := launched.Add(turn)
	if zone != nil {
		at = at.In(zone)
	}
	if turn >= 24*time.Hour {
		return at.Format("02/01 15:04")
	}
	return at.Format("15:04")
}

// reliefTexts are those of reliefs.
func (d Definition) reliefTexts() []Use {
	var out []Use
	if d.relieves() {
		out = append(out, UseRelief)
	}
	if slices.ContainsFunc(d.Waves, func(w Wave) bool { return w.Relief > 0 && w.Notice }) {
		out = append(out, UseKeptBack)
	}
	return out
}

// relief checks a wave that relieves the others.
func (c *checker) relief(at string, i int, w Wave) {
	relief := w.Relief.Std()
	switch {
	case relief == 0 && !w.Notice:
	case relief == 0:
		c.add(at+".notice", "alerting.check.relief_notice", "wave", i+1)
	case i == 0 || c.def.Profile != Rappel:
		c.add(at+".relief", "alerting.check.relief_first", "wave", i+1)
	case relief < ReliefLeast || relief > ReliefMost:
		c.add(at+".relief", "alerting.check.relief_slot", "wave", i+1, "least", int(ReliefLeast.Hours()), "most", int(ReliefMost.Hours()))
	case w.After.Std() >= relief:
		c.add(at+".after", "alerting.check.relief_after", "wave", i+1)
	case !slices.ContainsFunc(c.def.Quotas, func(q Quota) bool { return q.From == w.Relief }):
		c.add(at+".relief", "alerting.check.relief_line", "wave", i+1)
	}
}
