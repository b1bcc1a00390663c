package sigma

import (
	"math"
	"slices"
	"time"
)

// How much one group remembers. More of the same tells nothing new, or is
// told by sums.
const (
	keptPerRule = 4     // of a temporal correlation: the latest events of each rule
	keptSeries  = 256   // of an ordered one
	keptNumbers = 4_096 // of a percentile: a sample spread over the window
	keptAtMost  = 2*maxGroupCount + 64
)

// group is what is remembered of one group of one correlation.
type group struct {
	key     string
	plan    *plan
	values  map[string]string
	entries []entryAt // by time
	// Of windows judged at their end:
	closes time.Time
	inHeap int // position among them, -1 when none
	count  int
	sum    float64
	seen   map[string]bool
	stride int // one number in so many is kept
	lost   int // entries that had to go
}

// entryAt is an event remembered.
type entryAt struct {
	at     time.Time
	turn   uint64 // the event it is of: one event is no series by itself
	rule   int
	value  string
	number float64
}

// collect takes an event into a window that is judged at its end.
func (g *group) collect(e entryAt) {
	g.count++
	g.sum += e.number
	switch g.plan.Type {
	case ValueCount:
		switch {
		case g.seen[e.value]:
		case len(g.seen) < keptAtMost:
			if g.seen == nil {
				g.seen = map[string]bool{}
			}
			g.seen[e.value] = true
		default:
			g.lost++
		}
	case ValuePercentile:
		g.stride = max(g.stride, 1)
		if g.count%g.stride != 0 {
			return
		}
		g.entries = append(g.entries, e)
		if len(g.entries) > keptNumbers {
			kept := g.entries[:0]
			for i := 0; i < len(g.entries); i += 2 {
				kept = append(kept, g.entries[i])
			}
			g.entries = kept
			g.stride *= 2
		}
	default:
	}
}

// weight is how many things the group remembers.
func (g *group) weight() int { return len(g.entries) + len(g.seen) }

// figure is what a window judged at its end comes to.
func (g *group) figure() float64 {
	switch g.plan.Type {
	case ValueCount:
		return float64(len(g.seen))
	case ValueSum:
		return g.sum
	case ValueAvg:
		return g.sum / float64(max(g.count, 1))
	case ValuePercentile:
		return percentile(g.entries, g.plan.Percentile)
	default:
		return float64(g.count)
	}
}

// percentile is the nearest rank: the smallest value that at least p % of the
// values do not exceed.
func percentile(es []entryAt, p float64) float64 {
	numbers := make([]float64, len(es))
	for i, e := range es {
		numbers[i] = e.number
	}
	slices.Sort(numbers)
	rank := int(math.Ceil(p/100*float64(len(numbers)))) - 1
	return numbers[min(max(rank, 0), len(numbers)-1)]
}

// add remembers an event at its place in time, and forgets what no window can
// hold any more.
func (g *group) add(e entryAt, late time.Duration) {
	if g.plan.Type == ValueCount {
		// Each value once: its latest time counts.
		i := slices.IndexFunc(g.entries, func(o entryAt) bool { return o.value == e.value })
		if i >= 0 && !e.at.After(g.entries[i].at) {
			return
		}
		if i >= 0 {
			g.entries = slices.Delete(g.entries, i, i+1)
		}
	}
	i := len(g.entries)
	for i > 0 && g.entries[i-1].at.After(e.at) {
		i--
	}
	g.entries = slices.Insert(g.entries, i, e)
	oldest := g.entries[len(g.entries)-1].at.Add(-g.plan.Timespan - late)
	n := 0
	for n < len(g.entries) && g.entries[n].at.Before(oldest) {
		n++
	}
	g.entries = slices.Delete(g.entries, 0, n)
	g.thin(e.rule)
}

// thin drops events that others of the same group make useless.
func (g *group) thin(rule int) {
	limit := keptAtMost
	switch g.plan.Type {
	case Temporal:
		n := 0
		for i := len(g.entries) - 1; i >= 0; i-- {
			if g.entries[i].rule != rule {
				continue
			}
			if n++; n > keptPerRule {
				g.entries = slices.Delete(g.entries, i, i+1)
			}
		}
		return
	case TemporalOrdered:
		// Of a run of the same rule, the last two say all: the last may be of
		// the event of the next rule.
		for i := len(g.entries) - 3; i >= 0; i-- {
			if r := g.entries[i].rule; r == g.entries[i+1].rule && r == g.entries[i+2].rule {
				g.entries = slices.Delete(g.entries, i, i+1)
			}
		}
		limit = keptSeries
	default:
	}
	if over := len(g.entries) - limit; over > 0 {
		g.lost += over
		g.entries = slices.Delete(g.entries, 0, over)
	}
}

// holds tells whether a window with the event just added meets the condition,
// and with which figure. Only conditions that more events cannot undo are
// asked here.
func (g *group) holds(e entryAt) (float64, bool) {
	switch g.plan.Type {
	case Temporal:
		return g.together(e)
	case TemporalOrdered:
		return g.inOrder()
	default:
	}
	from, figure := 0, 0.0
	weigh := func(o entryAt) float64 {
		if g.plan.Type == ValueSum {
			return o.number
		}
		return 1
	}
	for to, last := range g.entries {
		figure += weigh(last)
		for last.at.Sub(g.entries[from].at) > g.plan.Timespan {
			figure -= weigh(g.entries[from])
			from++
		}
		// Windows that end before the event were judged before it came.
		instant := to+1 == len(g.entries) || g.entries[to+1].at.After(last.at)
		if instant && !last.at.Before(e.at) && !g.entries[from].at.After(e.at) && g.plan.met(figure) {
			return figure, true
		}
	}
	return 0, false
}

// together counts the rules seen within one window that holds the event.
func (g *group) together(e entryAt) (float64, bool) {
	best := 0
	for i, first := range g.entries {
		if first.at.After(e.at) {
			break
		}
		if e.at.Sub(first.at) > g.plan.Timespan {
			continue
		}
		var seen uint64
		n := 0
		for _, o := range g.entries[i:] {
			if o.at.Sub(first.at) > g.plan.Timespan {
				break
			}
			if bit := uint64(1) << o.rule; seen&bit == 0 {
				seen |= bit
				n++
			}
		}
		best = max(best, n)
	}
	return float64(best), g.plan.met(float64(best))
}

// inOrder tells whether the rules were seen one after another within a window.
// Events of the same instant follow each other as they came; one event is not
// two steps.
func (g *group) inOrder() (float64, bool) {
	steps := make([]reached, len(g.plan.Refs))
	for _, e := range g.entries {
		start := e.at
		if e.rule > 0 {
			before := steps[e.rule-1].before(e.turn)
			if before.turn == 0 || e.at.Sub(before.start) > g.plan.Timespan {
				continue
			}
			start = before.start
		}
		if e.rule == len(steps)-1 {
			return float64(len(steps)), true
		}
		steps[e.rule].reach(arrival{start, e.turn})
	}
	return 0, false
}

// arrival is a series that reached a rule: when it started, and the event that
// reached it; 0 for none.
type arrival struct {
	start time.Time
	turn  uint64
}

// reached are the series that reached a rule with the latest start: the last
// event's, and the one before it.
type reached struct {
	last, earlier arrival
}

func (r *reached) before(turn uint64) arrival {
	if r.last.turn == turn {
		return r.earlier
	}
	return r.last
}

func (r *reached) reach(a arrival) {
	if r.last.turn == 0 || !a.start.Before(r.last.start) {
		r.earlier, r.last = r.last, a
	}
}
