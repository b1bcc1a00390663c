package alerting

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
)

// cast is the people of a rehearsal, without names, and how their kinds behave.
type cast struct {
	plan   *plan
	people []actor
	// silent would be called if the directory had an address for them.
	silent []actor
	kinds  []kind
	reach  map[channels.Medium]span
	answer map[channels.Medium]span
	// call is how long a call to somebody who presses a key holds its line, ring
	// one to somebody who does not.
	road, late, call, ring span
	stage                  Stage
}

// actor is somebody whom the rehearsal calls.
type actor struct {
	Wave   int
	Rungs  []rung
	Skills string
	Site   uuid.UUID
	Kind   int
}

// kind is how people of one métier behave at the hour of the rehearsal.
type kind struct {
	media  map[channels.Medium]manner
	coming rate // among those who answer
	shows  rate // among those who come
}

// manner is what a message does.
type manner struct{ lost, heard, answered rate }

// Where nothing was learnt, the program starts from these. 60 % of people are
// silent to an SMS, and a call takes 35 s: the figures of a French tool that
// mobilises staff; the others are guesses, and the page says which were used.
func firstManner(m channels.Medium) (lost, heard, answered float64) {
	switch m {
	case channels.Voice:
		return 0.02, 0.45, 0.45
	case channels.Email:
		return 0.03, 0.40, 0.12
	}
	return 0.02, 0.95, 0.40
}

// The first guesses about people, whatever the medium.
const (
	guessComing = 0.65
	guessShows  = 0.92
)

// Stage is the network of a rehearsal: what the gateways of the establishment
// are set to.
type Stage struct {
	// SMS and Email are messages a second, Lines the calls at once; 0 is no limit.
	SMS   float64 `json:"sms"`
	Email float64 `json:"email"`
	Lines int     `json:"lines"`
	// Trunk is the largest trunk of telephone, in lines: what one more would give.
	Trunk int `json:"trunk"`
	// Assumed are the media that have no gateway: the figures are first guesses.
	Assumed []channels.Medium `json:"assumed,omitempty"`
	// Segments is how many parts an SMS takes.
	Segments int `json:"segments"`
}

// The network that is assumed of a medium without a gateway.
const (
	assumedSMS   = 10
	assumedEmail = 5
	assumedLines = 30
)

// stageOf reads the network the media of a plan go through: the gateways that
// are used first.
func stageOf(gateways []dispatch.Gateway, media []channels.Medium, segments int) Stage {
	st := Stage{Segments: max(1, segments)}
	for _, m := range media {
		first := firstGateways(gateways, m)
		if len(first) == 0 {
			st.Assumed = append(st.Assumed, m)
		}
		rate, lines := 0.0, 0
		free := false
		for _, g := range first {
			free = free || perSecond(g) == 0
			rate += perSecond(g)
			// A trunk keeps channels for those who call in.
			n := max(1, g.Settings.Int("channels")-g.Settings.Int("reserve"))
			lines, st.Trunk = lines+n, max(st.Trunk, n)
		}
		if free {
			rate = 0
		}
		switch m {
		case channels.SMS:
			st.SMS = rate
			if len(first) == 0 {
				st.SMS = assumedSMS
			}
		case channels.Email:
			st.Email = rate
			if len(first) == 0 {
				st.Email = assumedEmail
			}
		case channels.Voice:
			st.Lines = lines
			if len(first) == 0 {
				st.Lines, st.Trunk = assumedLines, assumedLines
			}
		}
	}
	if !slices.Contains(media, channels.Voice) {
		st.Trunk = 0
	}
	return st
}

func firstGateways(gateways []dispatch.Gateway, m channels.Medium) []dispatch.Gateway {
	best := math.MaxInt
	var out []dispatch.Gateway
	for _, g := range gateways {
		switch {
		case g.Medium != m || !g.Enabled || g.Priority > best:
		case g.Priority < best:
			best, out = g.Priority, []dispatch.Gateway{g}
		default:
			out = append(out, g)
		}
	}
	return out
}

// assemble resolves the audience of a plan at the instant of the rehearsal.
func (s *Service) assemble(ctx context.Context, scope access.Scope, p *plan, mem *memory, at time.Time) (*cast, map[LeftOut]int, error) {
	c := newCast(p, mem)
	left := map[LeftOut]int{}
	kinds := map[string]int{}
	local := at.In(p.zone)
	p.shows = p.Definition.shows(mem, local)
	p.keeps = p.Definition.keeps(mem, p.shows, local)
	err := s.audience(ctx, scope, p, narrowing{}, at, func(m member) error {
		a := actor{Wave: max(0, m.Wave), Rungs: m.Ladder, Skills: skills(m.Target.Metier, m.Target.Qualifications), Site: m.Target.Site}
		skill := m.Target.Metier
		if _, known := kinds[skill]; !known {
			kinds[skill] = len(c.kinds)
			c.kinds = append(c.kinds, mem.kindOf(skill, p.Definition.media(), local))
		}
		a.Kind = kinds[skill]
		switch m.Why {
		case "":
			c.people = append(c.people, a)
		case LeftNoAddress:
			a.Rungs = []rung{{Medium: p.wave(a.Wave).Media[0]}}
			c.silent = append(c.silent, a)
			left[m.Why]++
		case LeftNoWave:
		default:
			left[m.Why]++
		}
		return nil
	})
	return c, left, err
}

func newCast(p *plan, mem *memory) *cast {
	c := &cast{
		plan: p, reach: map[channels.Medium]span{}, answer: map[channels.Medium]span{},
		road: spanOf(mem.delays[delayRoad], 30*time.Minute, 0.5), late: spanOf(mem.delays[delayLate], 5*time.Minute, 0.8),
		call: span{median: 35 * time.Second, sigma: 0.2}, ring: span{median: 25 * time.Second, sigma: 0.2},
	}
	for _, m := range p.Definition.media() {
		reach, answer := 4*time.Second, 90*time.Second
		if m == channels.Email {
			reach, answer = 10*time.Second, 12*time.Minute
		}
		c.reach[m] = spanOf(mem.delays[delayReach+string(m)], reach, 0.6)
		c.answer[m] = spanOf(mem.delays[delayAnswer+string(m)], answer, 0.8)
	}
	return c
}

// kindOf is how a skill behaves at an hour, from what was learnt of it or of a wider kind.
func (m *memory) kindOf(skill string, media []channels.Medium, at time.Time) kind {
	k := kind{media: map[channels.Medium]manner{}}
	for _, medium := range media {
		l, _ := m.like(skill, medium, at, func(l Learnt) bool { return l.Tried >= SampleLeast })
		lost, heard, answered := firstManner(medium)
		k.media[medium] = manner{share(l.Lost, l.Tried, lost), share(l.Reached, l.Tried, heard), share(l.Answered, l.Tried, answered)}
	}
	l, _ := m.like(skill, "", at, func(l Learnt) bool { return l.Answered >= SampleLeast })
	k.coming = share(l.Coming, l.Answered, guessComing)
	l, _ = m.like(skill, "", at, func(l Learnt) bool { return l.Awaited >= SampleLeast })
	k.shows = share(l.Arrived, l.Awaited, guessShows)
	return k
}

// breadth is the widest kind that the behaviour of the cast had to be taken from.
func (m *memory) breadth(skills []string, medium channels.Medium, at time.Time) Breadth {
	order := []Breadth{OfSkillThen, OfSkill, OfAllThen, OfAll, OfNobody}
	widest := 0
	for _, skill := range skills {
		_, b := m.like(skill, medium, at, func(l Learnt) bool { return l.Tried >= SampleLeast })
		widest = max(widest, slices.Index(order, b))
	}
	return order[widest]
}

// metiers are those of a cast, each once.
func (c *cast) metiers() []string {
	seen := map[string]bool{}
	for _, a := range c.people {
		if first, _, _ := strings.Cut(strings.TrimSpace(a.Skills), " "); first != "" {
			seen[first] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
