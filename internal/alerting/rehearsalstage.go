package alerting

import (
	"time"

	"tocsin/internal/channels"
)

// This file plays one alert on a simulated clock and a simulated network. Who is
// called, when, by what, and when it stops is decided by the rules of rules.go and
// quota.go, the same functions that the worker asks; the stage only answers for the
// network and for people.

// part is how somebody plays in one draw.
type part struct {
	facts
	called bool
	coming bool
	there  bool
	// reached is by a message, or by the telephone.
	reached bool
	due     time.Duration
	// note is the number of the last message, back that of the last one taken back.
	note, back int
	eta        time.Duration
	lines      []int
	overdue    bool
}

// outlet is a medium of the stage.
type outlet struct {
	medium channels.Medium
	// gap is the time between two messages; lines the calls at once, 0 for no limit.
	gap   time.Duration
	lines int
	busy  int
	next  time.Duration
	queue []letter
	head  int
	awake bool
	// waited is the longest that a message waited to leave.
	waited time.Duration
}

// letter is one message that waits; those not needed any more are passed by.
type letter struct {
	who, note int
	asked     time.Duration
}

// play is one draw.
type play struct {
	*cast
	dice    dice
	horizon time.Duration
	now     time.Duration
	seq     int32
	cues    cues
	parts   []part
	outlets []outlet
	waves   []waveFacts
	lines   []QuotaLine
	met     turns
	metAt   time.Duration // of the first turn, the first time; -1 before
	// turns are those of the waves.
	turns   turns
	looking time.Duration // when the next look is due; -1 for none
	mood    []mood
	out     *drawing
}

// mood is how the kinds behave that night.
type mood struct {
	media         map[channels.Medium]moodOf
	coming, shows float64
}

type moodOf struct{ lost, heard, answered float64 }

// drawing is what one draw shows.
type drawing struct {
	reached, coming, arrived []int // changes by minute
	called                   int
	// reachedAt are the instants at which people were reached.
	reachedAt []time.Duration
	metAt     time.Duration
	waited    map[channels.Medium]time.Duration
	sent      map[channels.Medium]int
	missing   int
}

// perform plays the draw of that number up to the horizon.
func (c *cast) perform(seed uint64, number int, horizon time.Duration) *drawing {
	minutes := int(horizon/time.Minute) + 1
	p := &play{
		cast: c, dice: newDice(seed, number), horizon: horizon, metAt: -1, looking: -1, parts: make([]part, len(c.people)),
		cues: make(cues, 0, 2*len(c.people)+64),
		out: &drawing{
			reachedAt: make([]time.Duration, 0, len(c.people)),
			reached:   make([]int, minutes), coming: make([]int, minutes), arrived: make([]int, minutes),
			waited: map[channels.Medium]time.Duration{}, sent: map[channels.Medium]int{},
		},
	}
	p.open()
	for len(p.cues) > 0 && p.cues[0].at <= horizon {
		next := p.cues.pop()
		p.now = next.at
		p.happen(next)
	}
	p.out.metAt = p.metAt
	for _, q := range p.lines {
		p.out.missing += q.Missing()
	}
	for i := range p.outlets {
		p.out.waited[p.outlets[i].medium] = p.outlets[i].waited
	}
	return p.out
}

// open sets the stage and calls the first wave.
func (p *play) open() {
	for _, k := range p.kinds {
		m := mood{media: map[channels.Medium]moodOf{}, coming: k.coming.draw(p.dice), shows: k.shows.draw(p.dice)}
		for _, medium := range Media() {
			if by, ok := k.media[medium]; ok {
				m.media[medium] = moodOf{by.lost.draw(p.dice), by.heard.draw(p.dice), by.answered.draw(p.dice)}
			}
		}
		p.mood = append(p.mood, m)
	}
	for _, m := range p.plan.Definition.media() {
		o := outlet{medium: m}
		switch m {
		case channels.SMS:
			o.gap = gapOf(p.stage.SMS / float64(max(1, p.stage.Segments)))
		case channels.Email:
			o.gap = gapOf(p.stage.Email)
		case channels.Voice:
			o.lines = p.stage.Lines
		}
		p.outlets = append(p.outlets, o)
	}
	for i, q := range p.plan.Definition.Quotas {
		p.lines = append(p.lines, QuotaLine{Line: i, Skill: q.Skill, Site: q.Site, From: q.From.Std(), To: q.To.Std(), Needed: q.Needed, Show: p.plan.show(i), Relief: p.plan.Definition.turnOf(q)})
	}
	for i, w := range p.plan.Definition.Waves {
		state := WavePending
		if i == 0 {
			state = WaveOpen
		}
		p.turns = append(p.turns, w.turn())
		p.waves = append(p.waves, waveFacts{Number: i, State: state, DueAt: p.plan.LaunchedAt.Add(w.After.Std())})
		if i > 0 {
			p.cue(w.After.Std(), cueLook, 0, 0)
		}
	}
	for i := range p.people {
		p.parts[i].facts = facts{Rungs: p.people[i].Rungs, Wave: p.people[i].Wave}
		p.parts[i].note, p.parts[i].back = -1, -1
		if p.people[i].Wave == 0 {
			p.send(i, 0)
		}
	}
}

func gapOf(perSecond float64) time.Duration {
	if perSecond <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / perSecond)
}

func (p *play) cue(at time.Duration, kind cueKind, who, note int) {
	p.seq++
	p.cues.push(cue{at: at, seq: p.seq, kind: kind, who: int32(who), note: int32(note)})
}

func (p *play) at() time.Time { return p.plan.LaunchedAt.Add(p.now) }

// happen plays one cue. What is about an older message than the person's own is
// heard as the engine hears it: it may reach him, and moves nothing else.
func (p *play) happen(c cue) {
	who, note := int(c.who), int(c.note)
	switch c.kind {
	case cueLook:
		p.look(c.at)
	case cueDue:
		if p.parts[who].due == c.at {
			p.step(who, false)
		}
	case cuePump:
		p.pump(note)
	case cueArrived:
		p.delivered(who, note)
	case cueLost:
		p.lost(who, note)
	case cueAnswer:
		p.answers(who)
	case cueDoor:
		p.enters(who)
	case cueLate:
		p.overdue(who)
	case cueFree:
		p.free(note)
	}
}

// send queues a message, as batch.send does.
func (p *play) send(who, rung int) {
	a := &p.parts[who]
	if !a.called {
		a.called = true
		p.out.called++
	}
	a.Rung, a.Tried, a.Sent = rung, a.Tried|1<<rung, a.Sent+1
	a.CalledAt, a.SubmittedAt, a.DeliveredAt = p.at(), time.Time{}, time.Time{}
	a.Failed, a.Withdrawn = false, false
	a.note++
	a.Pending++
	a.due = -1
	if w := p.plan.wave(a.Wave); w.Escalate > 0 && p.plan.Definition.Profile != Diffusion {
		p.remind(who, p.now+w.Escalate.Std())
	}
	for i := range p.outlets {
		if p.outlets[i].medium == a.Rungs[rung].Medium {
			p.outlets[i].queue = append(p.outlets[i].queue, letter{who, a.note, p.now})
			p.wake(i)
		}
	}
}

func (p *play) remind(who int, at time.Duration) {
	p.parts[who].due = at
	p.cue(at, cueDue, who, 0)
}

// step asks the rules about one person.
func (p *play) step(who int, reopened bool) {
	a := &p.parts[who]
	if p.met.has(p.turns[a.Wave]) {
		return // the worker moves nobody while the quotas of his turn are reached
	}
	a.Reopened = reopened
	for _, st := range Decide(p.plan, a.facts, p.aggregate(), p.at()) {
		switch st.Kind {
		case StepWait:
			p.remind(who, st.Until.Sub(p.plan.LaunchedAt))
		case StepSend:
			p.send(who, st.Rung)
		case StepRest, StepDoubt, StepExhaust:
			a.due = -1
		}
	}
	a.Reopened = false
}

func (p *play) aggregate() aggregate { return aggregate{State: Running, Met: p.met} }
