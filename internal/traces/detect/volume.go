package detect

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// What is counted in an hour of an account: different patients.
const (
	allRecords  = iota // whatever is opened
	application        // … with one application, as one source tells it
	strangers          // … that the care does not explain
	taken              // … printed or taken out
	kinds
)

// breadthOf gives for a kind its rule, the sentence, the odds before, and the
// least count that is worth a word. An hour in 300,000 of whatever is opened is
// wrong, in 25,000 of what nothing explains.
func breadthOf(kind int) (rule, sentence string, before float64, least int) {
	switch kind {
	case strangers:
		return RuleStrangers, "traces.detect.evidence.strangers", -10, 5
	case taken:
		return RuleTaken, "traces.detect.evidence.taken", -10.5, 5
	case application:
		return RuleBreadth, "traces.detect.evidence.breadth_application", -12.5, 10
	}
	return RuleBreadth, "traces.detect.evidence.breadth", -12.5, 10
}

// breadths are what an account opens in the hour that runs.
type breadths struct {
	slot                                  slot
	first, last                           int64
	person, function, service, ward, role string
	list                                  []breadth
	// told is the score the hour was told with, rule the name.
	told int
	rule string
}

// breadth is one count.
type breadth struct {
	kind     int
	app      uint64
	name     string // of the application
	source   uuid.UUID
	patients idset
	expected float64
	spread   float64
	sure     bool // enough is known of the peers
	limit    int  // the count that is told
	usual    int  // the count beyond which nothing is learnt
	at       int  // the next count that is weighed
}

const breadthsMost = 12

// breadth counts a record opened, and tells at once when it is too many.
func (d *Detector) breadth(h *house, a *actor, p *facts, e *traces.Event, s slot, alone bool) {
	n := &a.now
	if s.no > n.slot.no || len(n.list) == 0 {
		d.end(h, a)
		d.beginHour(a, e, s)
	}
	n.first, n.last = min(n.first, e.At), max(n.last, e.At)
	d.opened(h, a, allRecords, 0, p, e)
	d.opened(h, a, application, digest(e.Application)^uint64(e.Source[15])<<8^uint64(e.Source[14]), p, e)
	if alone {
		d.opened(h, a, strangers, 0, p, e)
	}
	if e.Action == traces.Print || e.Action == traces.Export {
		d.opened(h, a, taken, 0, p, e)
	}
}

func (d *Detector) beginHour(a *actor, e *traces.Event, s slot) {
	n := &a.now
	n.slot, n.first, n.last, n.told, n.rule = s, e.At, e.At, 0, ""
	n.role, n.ward = d.function(a, e), d.ward(a, e)
	if n.person = a.member.Name; n.person == "" {
		n.person = clone(e.Person)
	}
	n.function, n.service = clone(e.Function), clone(e.Service)
	if n.function == "" {
		n.function = a.member.Function
	}
}

// opened adds a patient to one count.
func (d *Detector) opened(h *house, a *actor, kind int, app uint64, p *facts, e *traces.Event) {
	n := &a.now
	var b *breadth
	for i := range n.list {
		if n.list[i].kind == kind && n.list[i].app == app {
			b = &n.list[i]
			break
		}
	}
	if b == nil {
		if len(n.list) >= breadthsMost {
			return
		}
		if len(n.list) < cap(n.list) { // the sets of the hour before serve again
			n.list = n.list[:len(n.list)+1]
		} else {
			n.list = append(n.list, breadth{})
		}
		b = &n.list[len(n.list)-1]
		b.patients.clear()
		*b = breadth{kind: kind, app: app, source: e.Source, patients: b.patients}
		if kind == application {
			b.name = clone(e.Application)
		}
		d.expect(h, a, b)
	}
	if b.patients.add(p.id) && b.sure && b.patients.n >= b.at {
		b.at += max(1, b.at/8)
		d.wide(h, a, b)
	}
}

// expect says what peers open in such an hour, and from which count on it stands out.
func (d *Detector) expect(h *house, a *actor, b *breadth) {
	_, _, _, floor := breadthOf(b.kind)
	n := &a.now
	mean, spread, sure := h.volume.expect(b.kind, b.app, n.role, n.ward, n.slot)
	b.sure = sure && !a.profile.tireless()
	b.expected = mean * clip(a.profile.Width[b.kind].at(30), 0.2, 5) * h.volume.season[b.kind].season()
	b.spread = spread
	b.usual = beyond(b.expected, spread, 1e-3)
	b.limit = max(floor, beyond(b.expected, spread, d.rarity(b.kind)))
	b.at = b.limit
}

// wrongBreadth is how often a wrong hour has just such a count.
const wrongBreadth = 0.02

// rarity is the chance below which a count reaches the threshold.
func (d *Detector) rarity(kind int) float64 {
	_, _, before, _ := breadthOf(kind)
	need := (float64(d.opt.Threshold) - 50) / scorePerNat
	return math.Exp(before + math.Log(wrongBreadth) - need)
}

// wide weighs a count and tells it.
func (d *Detector) wide(h *house, a *actor, b *breadth) {
	n := &a.now
	rule, sentence, before, floor := breadthOf(b.kind)
	if b.patients.n < floor {
		return
	}
	l := min(before+math.Log(wrongBreadth)-math.Log(max(tail(b.expected, b.spread, b.patients.n), 1e-13)), 9)
	if a.member.Shared {
		l += weightShared
	}
	s := score(l)
	if s < d.opt.Threshold || n.told > 0 && s < n.told+again {
		return
	}
	if n.told == 0 {
		n.rule = rule
		h.cost.Hits++
	}
	n.told = s
	args := map[string]string{
		"who": who(n.person, a.account, n.function, n.service), "count": strconv.Itoa(b.patients.n), "usual": strconv.Itoa(int(math.Round(b.expected))),
		"from": h.wall(n.first), "to": h.wall(n.last), "application": b.name,
	}
	evidence := []traces.Evidence{{Key: sentence, Args: args}}
	if i := n.find(strangers); i >= 0 && b.kind != strangers && n.list[i].patients.n > 0 {
		evidence = append(evidence, traces.Evidence{Key: "traces.detect.evidence.of_strangers", Args: map[string]string{"count": strconv.Itoa(n.list[i].patients.n)}})
	}
	if a.member.Shared {
		evidence = append(evidence, traces.Evidence{Key: "traces.detect.evidence.shared", Args: args})
	}
	d.hits = append(d.hits, traces.Hit{
		Organisation: h.id, Rule: n.rule, Score: s, Account: a.account, Person: n.person, Function: n.function, Service: n.service,
		Application: b.name, Source: b.source, First: n.first, Last: n.last, Events: int64(b.patients.n), Evidence: evidence,
	})
}

func (n *breadths) find(kind int) int {
	for i := range n.list {
		if n.list[i].kind == kind {
			return i
		}
	}
	return -1
}

// wall is a time as the clock of the establishment shows it.
func (h *house) wall(at int64) string { return time.UnixMicro(at).In(h.zone).Format("15:04") }

// end learns from the hour of an account that is over, but what stands out.
func (d *Detector) end(h *house, a *actor) {
	n := &a.now
	for i := range n.list {
		b := &n.list[i]
		if b.patients.n == 0 {
			continue
		}
		if b.sure && b.patients.n >= b.limit {
			d.wide(h, a, b)
		}
		x := float64(b.patients.n)
		if b.sure {
			x = min(x, float64(b.usual))
		}
		h.volume.learn(b.kind, b.app, n.role, n.ward, n.slot, x)
		if b.sure {
			a.profile.Width[b.kind].add(x, b.expected/max(a.profile.Width[b.kind].at(30), 0.2), 0.99)
			h.volume.season[b.kind].add(x, b.expected, 0.9995)
		}
	}
	n.list = n.list[:0]
}

// sweep ends the hours of those who opened nothing since.
func (d *Detector) sweep(h *house) {
	now := d.clock / hour
	if now == h.volume.swept {
		return
	}
	h.volume.swept = now
	var over []*actor
	for _, a := range h.actors {
		if len(a.now.list) > 0 && a.seen < d.clock-hour {
			over = append(over, a)
		}
	}
	// In an order, so that the same events always teach the same.
	slices.SortFunc(over, func(a, b *actor) int { return strings.Compare(a.account, b.account) })
	for _, a := range over {
		d.end(h, a)
	}
}

// idset is a small set of digests. It stops counting at idsMost: whoever opens
// as many records in an hour has stood out long before.
type idset struct {
	slots []uint64
	n     int
}

const idsMost = 4096

func (s *idset) clear() {
	if len(s.slots) > 256 {
		s.slots = nil
	}
	clear(s.slots)
	s.n = 0
}

// add tells whether it was not there.
func (s *idset) add(id uint64) bool {
	if s.n >= idsMost {
		return false
	}
	if 4*(s.n+1) > 3*len(s.slots) {
		old := s.slots
		s.slots = make([]uint64, max(16, 2*len(old)))
		for _, x := range old {
			if x != 0 {
				s.slots[s.place(x)] = x
			}
		}
	}
	i := s.place(id | 1)
	if s.slots[i] != 0 {
		return false
	}
	s.slots[i] = id | 1 // zero is an empty place
	s.n++
	return true
}

func (s *idset) place(id uint64) int {
	mask := uint64(len(s.slots) - 1)
	i := id >> 7 & mask
	for s.slots[i] != 0 && s.slots[i] != id {
		i = (i + 1) & mask
	}
	return int(i)
}
