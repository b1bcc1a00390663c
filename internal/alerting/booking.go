package alerting

import (
	"math"
	"time"
)

// This file decides how many people must say they come so that enough do. Some do
// not: the bus is late, the child wakes. The share is learnt of kinds of people, as
// learnt.go tells, or set by hand.

// Show is the share of those who say they come who then do, for one line of the quota.
type Show struct {
	// Rate is above 0, 1 at most.
	Rate float64 `json:"rate"`
	// From is the kind of people it was learnt of; OfNobody when nothing was, and
	// everyone is then trusted to come.
	From Breadth `json:"from"`
	// Of is of how many people.
	Of int `json:"of"`
	// ByHand tells a share that the scenario sets.
	ByHand bool `json:"by_hand,omitempty"`
}

// The bounds of a share. Below half, more are announced by mistake than people do
// not come: calling three for one would be a guess.
const (
	ShowLeast = 50 // per cent
	showFloor = float64(ShowLeast) / 100
	// sureness is how often the quota must be filled by those announced.
	sureness = 0.8
	// exactUpTo is the largest quota of which the law is summed term by term.
	exactUpTo = 300
)

// shows gives the share of each line of a quota at an hour, by what was learnt.
func (d Definition) shows(m *memory, at time.Time) []Show {
	out := make([]Show, len(d.Quotas))
	for i, q := range d.Quotas {
		if q.Show > 0 {
			out[i] = Show{Rate: float64(q.Show) / 100, ByHand: true}
			continue
		}
		l, breadth := m.like(q.Skill, "", at, func(l Learnt) bool { return l.Awaited >= SampleLeast })
		out[i] = Show{Rate: 1, From: breadth, Of: l.Awaited}
		if breadth != OfNobody {
			out[i].Rate = min(max(float64(l.Arrived)/float64(l.Awaited), showFloor), 1)
		}
	}
	return out
}

// booked is the fewest people announced of whom, eight times in ten, at least
// needed come: the binomial law, each coming on his own.
func booked(needed int, rate float64) int {
	switch {
	case needed <= 0:
		return 0
	case rate >= 1 || rate <= 0:
		return needed
	case needed > exactUpTo:
		// The normal law; 0.8416 is its eighth tenth.
		spread := 0.8416 * math.Sqrt((1-rate)/(rate*rate)*float64(needed))
		return int(math.Ceil(float64(needed)/rate + spread))
	}
	// The chance that the last one needed is the n-th announced is that of needed
	// successes with n-needed failures before: the sum of these is the chance that n are enough.
	term := math.Pow(rate, float64(needed))
	sum, n := term, needed
	for sum < sureness && n < 4*needed+20 {
		n++
		term *= (1 - rate) * float64(n-1) / float64(n-needed)
		sum += term
	}
	return n
}
