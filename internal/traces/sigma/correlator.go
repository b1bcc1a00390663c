package sigma

import (
	"container/heap"
	"container/list"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds are what a Correlator may keep.
type Bounds struct {
	// Groups and Entries are the most groups and remembered events over all
	// correlations; the groups least recently touched are forgotten first.
	Groups, Entries int
	// Late is how long after a later event an event may still come.
	Late time.Duration
}

// DefaultBounds keep some 60 MB at most.
func DefaultBounds() Bounds {
	return Bounds{Groups: 100_000, Entries: 500_000, Late: 5 * time.Minute}
}

// Correlated is a correlation that holds.
type Correlated struct {
	Correlation *Correlation
	At          time.Time         // of the event that completed it, or end of its window
	Group       map[string]string // values of GroupBy
	Count       float64           // the figure that met the condition
}

// Dropped counts what a Correlator could not keep.
type Dropped struct {
	Groups  int // forgotten for want of room before their window was over
	Entries int // events forgotten for want of room inside a group
	Late    int // events that came too late
	NoGroup int // hits without the fields they are grouped by, or counted by
}

// Correlator counts hits over time. Its clock is the time of the events. It
// serves one goroutine.
type Correlator struct {
	set     *Set
	bounds  Bounds
	plans   []*plan   // correlations, those counted by others before them
	byRule  [][]input // for each rule, which plans count it
	silent  []bool    // rules that hit only through correlations
	groups  map[string]*list.Element
	recent  *list.List // of *group, the most recent first
	closing closings
	entries int
	latest  time.Time
	dropped Dropped
	found   []Correlated
	scratch []Value
	turn    uint64
}

// plan is a correlation and who counts it in turn.
type plan struct {
	*Correlation
	number int
	atEnd  bool
	outer  []input
}

// input says that a plan counts a rule, as the n-th of its rules.
type input struct {
	plan *plan
	n    int
}

// NewCorrelator joins correlations to the rules of a set, which they name by
// id or name. The error is a fault that names the correlation.
func NewCorrelator(set *Set, correlations []*Correlation, bounds Bounds) (*Correlator, error) {
	c := &Correlator{set: set, bounds: bounds, groups: map[string]*list.Element{}, recent: list.New(), byRule: make([][]input, len(set.rules)), silent: make([]bool, len(set.rules))}
	l := &linker{c: c, rules: map[string][]int{}, plans: map[string][]*plan{}}
	for i, r := range set.rules {
		for _, ref := range refsOf(&r.Meta) {
			l.rules[ref] = append(l.rules[ref], i)
		}
	}
	for i, k := range correlations {
		p := &plan{Correlation: k, number: i, atEnd: k.judgedAtEnd()}
		c.plans = append(c.plans, p)
		for _, ref := range refsOf(&k.Meta) {
			l.plans[ref] = append(l.plans[ref], p)
		}
	}
	for _, p := range c.plans {
		if err := l.link(p); err != nil {
			return nil, err
		}
	}
	return c, l.circles()
}

func refsOf(m *Meta) []string {
	out := []string{}
	for _, ref := range []string{m.ID, m.Name} {
		if ref != "" && !slices.Contains(out, ref) {
			out = append(out, ref)
		}
	}
	return out
}

// Alone tells whether hits of a rule count by themselves, and not only through
// a correlation that does not ask for more (« generate »).
func (c *Correlator) Alone(rule int32) bool { return !c.silent[rule] }

// Dropped is what could not be kept so far.
func (c *Correlator) Dropped() Dropped { return c.dropped }

// Size is how many groups and events are remembered.
func (c *Correlator) Size() (groups, entries int) { return len(c.groups), c.entries }

// Observe is told the rules an event hit, and when it happened; it returns the
// correlations that hold now, until the next call. An event dated in the future
// would make all others late: the caller gives the hour of reception instead.
func (c *Correlator) Observe(at time.Time, hits []int32, ev Event) []Correlated {
	c.Advance(at)
	c.turn++
	if at.Before(c.latest.Add(-c.bounds.Late)) {
		if len(hits) > 0 {
			c.dropped.Late++
		}
		return c.found
	}
	for _, h := range hits {
		for _, in := range c.byRule[h] {
			c.feed(in, at, ev)
		}
	}
	return c.found
}

// Advance moves the time without an event: windows that end are judged once
// events that may be late have come. It returns the correlations that hold.
func (c *Correlator) Advance(now time.Time) []Correlated {
	c.found = c.found[:0]
	if now.After(c.latest) {
		c.latest = now
	}
	limit := c.latest.Add(-c.bounds.Late)
	for len(c.closing) > 0 && c.closing[0].closes.Before(limit) {
		g := c.closing[0]
		c.forget(g)
		if n := g.figure(); g.plan.met(n) {
			c.tell(g, g.closes, n, nil)
		}
	}
	return c.found
}

// feed gives an event to a plan.
func (c *Correlator) feed(in input, at time.Time, ev Event) {
	g, ok := c.group(in, at, ev)
	if !ok {
		c.dropped.NoGroup++
		return
	}
	e := entryAt{at: at, turn: c.turn, rule: in.n}
	if len(in.plan.Fields) > 0 && !c.measure(in.plan, ev, &e) {
		c.dropped.NoGroup++
		return
	}
	before, lost := g.weight(), g.lost
	if in.plan.atEnd {
		g.collect(e)
	} else {
		g.add(e, c.bounds.Late)
	}
	c.entries += g.weight() - before
	c.dropped.Entries += g.lost - lost
	c.room(g)
	if in.plan.atEnd {
		return
	}
	if n, held := g.holds(e); held {
		c.forget(g)
		c.tell(g, at, n, ev)
	}
}

// measure reads the fields that are counted or computed of.
func (c *Correlator) measure(p *plan, ev Event, e *entryAt) bool {
	var parts []string
	for _, f := range p.Fields {
		v, ok := c.first(ev, f)
		if !ok {
			return false
		}
		if p.Type != ValueCount {
			e.number, ok = v.float()
			return ok
		}
		parts = append(parts, foldText(v.text))
	}
	e.value = strings.Join(parts, "\x00")
	return true
}

// first is the first value of a field that is not null.
func (c *Correlator) first(ev Event, field string) (Value, bool) {
	c.scratch, _ = ev.Values(field, c.scratch[:0])
	for _, v := range c.scratch {
		if !v.IsNull() {
			return v, true
		}
	}
	return Value{}, false
}

// group finds or makes the group of an event.
func (c *Correlator) group(in input, at time.Time, ev Event) (*group, bool) {
	var key strings.Builder
	key.WriteString(strconv.Itoa(in.plan.number))
	values := make(map[string]string, len(in.plan.GroupBy))
	for _, name := range in.plan.GroupBy {
		field := name
		if to, ok := in.plan.Aliases[name][in.plan.Refs[in.n]]; ok {
			field = to
		}
		v, ok := c.first(ev, field)
		if !ok {
			return nil, false
		}
		key.WriteByte(0)
		key.WriteString(foldText(v.text))
		values[name] = v.text
	}
	var closes time.Time
	if in.plan.atEnd {
		// Windows that are judged at their end follow each other.
		closes = at.Truncate(in.plan.Timespan).Add(in.plan.Timespan)
		key.WriteByte(0)
		key.WriteString(strconv.FormatInt(closes.Unix(), 10))
	}
	k := key.String()
	if place, ok := c.groups[k]; ok {
		c.recent.MoveToFront(place)
		return place.Value.(*group), true //nolint:forcetypeassert // the list holds groups only
	}
	g := &group{key: k, plan: in.plan, values: values, closes: closes, inHeap: -1}
	c.groups[k] = c.recent.PushFront(g)
	if in.plan.atEnd {
		heap.Push(&c.closing, g)
	}
	return g, true
}

// room forgets the least recent groups until the bounds hold; keep is the one
// in hand.
func (c *Correlator) room(keep *group) {
	for len(c.groups) > c.bounds.Groups || c.entries > c.bounds.Entries {
		g := c.recent.Back().Value.(*group) //nolint:forcetypeassert // the list holds groups only
		if g == keep {
			return // one group alone is bounded by itself
		}
		// A group whose window is over was of no more use.
		if n := len(g.entries); g.plan.atEnd || n > 0 && !g.entries[n-1].at.Add(g.plan.Timespan+c.bounds.Late).Before(c.latest) {
			c.dropped.Groups++
		}
		c.forget(g)
	}
}

func (c *Correlator) forget(g *group) {
	c.recent.Remove(c.groups[g.key])
	delete(c.groups, g.key)
	c.entries -= g.weight()
	if g.inHeap >= 0 {
		heap.Remove(&c.closing, g.inHeap)
	}
}

// tell notes a correlation that holds and gives it to those that count it.
func (c *Correlator) tell(g *group, at time.Time, n float64, ev Event) {
	c.found = append(c.found, Correlated{Correlation: g.plan.Correlation, At: at, Group: g.values, Count: n})
	for _, in := range g.plan.outer {
		c.feed(in, at, grouped{values: g.values, event: ev})
	}
}

// grouped is the event of a correlation that holds: its group, then the fields
// of the event that completed it.
type grouped struct {
	values map[string]string
	event  Event
}

func (e grouped) Values(field string, dst []Value) ([]Value, bool) {
	if v, ok := e.values[field]; ok {
		return append(dst, Text(v)), true
	}
	if e.event == nil {
		return dst, false
	}
	return e.event.Values(field, dst)
}

func (e grouped) Each(yield func(Value) bool) {
	if e.event != nil {
		e.event.Each(yield)
	}
}

// closings is a heap of groups by the end of their window.
type closings []*group

func (h closings) Len() int           { return len(h) }
func (h closings) Less(i, j int) bool { return h[i].closes.Before(h[j].closes) }
func (h closings) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].inHeap, h[j].inHeap = i, j
}

func (h *closings) Push(x any) {
	g := x.(*group) //nolint:forcetypeassert // heap.Push is called with groups only
	g.inHeap = len(*h)
	*h = append(*h, g)
}

func (h *closings) Pop() any {
	old := *h
	g := old[len(old)-1]
	g.inHeap = -1
	*h = old[:len(old)-1]
	return g
}
