package care

import (
	"cmp"
	"slices"
	"time"

	"tocsin/internal/traces"
)

const (
	day = int64(24 * time.Hour / time.Microsecond)
	// passes is how long a visit lasts of which nobody says the end: a
	// consultation or a passage through the emergency department.
	passes = 7 * day
)

// step is a movement as it is kept.
type step struct {
	id               string
	kind             traces.MoveKind
	class            traces.StayClass
	at, said         int64
	services, people []string
}

// span is one relation that follows from movements.
type span struct {
	kind         traces.RelationKind
	service, who string
	from, to     int64
}

// spans tells who cares during a stay: from each movement to the next, and to
// none while it lasts. A movement that names no service keeps those before it.
func spans(steps []step) []span {
	steps = slices.Clone(steps)
	slices.SortFunc(steps, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(order(a.kind), order(b.kind)), cmp.Compare(a.said, b.said), cmp.Compare(a.id, b.id))
	})
	b := builder{open: map[string]int{}}
	for _, s := range steps {
		switch s.kind {
		case traces.MovePlan:
			b.plan(s)
		case traces.MoveIn:
			b.enter(s)
		case traces.MoveOut:
			b.leave(s.at)
		}
	}
	b.end()
	return b.out
}

// order sets a departure after an arrival of the same minute.
func order(k traces.MoveKind) int {
	switch k {
	case traces.MovePlan:
		return 0
	case traces.MoveIn:
		return 1
	}
	return 2
}

type builder struct {
	out []span
	// open are the places in out of the relations that last, by service and person.
	open             map[string]int
	last             step
	services, people []string
	inside           bool
}

// plan explains that a service prepares what it will receive.
func (b *builder) plan(s step) {
	for _, service := range s.services {
		b.out = append(b.out, span{kind: traces.RelationAppointment, service: service, from: min(s.said, s.at), to: s.at + day})
	}
	for _, who := range s.people {
		b.out = append(b.out, span{kind: traces.RelationAppointment, who: who, from: min(s.said, s.at), to: s.at + day})
	}
}

func (b *builder) enter(s step) {
	if len(s.services) == 0 {
		s.services = b.services
	}
	if len(s.people) == 0 {
		s.people = b.people
	}
	b.services, b.people, b.last, b.inside = s.services, s.people, s, true
	now := map[string]bool{}
	for _, service := range s.services {
		now["s"+service] = true
		b.start("s"+service, span{kind: traces.RelationStay, service: service, from: s.at})
	}
	for _, who := range s.people {
		now["p"+who] = true
		b.start("p"+who, span{kind: traces.RelationStay, who: who, from: s.at})
	}
	for key, i := range b.open {
		if !now[key] {
			b.out[i].to = s.at
			delete(b.open, key)
		}
	}
}

// start opens a relation, unless it lasts already.
func (b *builder) start(key string, s span) {
	if _, lasts := b.open[key]; !lasts {
		b.open[key] = len(b.out)
		b.out = append(b.out, s)
	}
}

func (b *builder) leave(at int64) {
	for key, i := range b.open {
		b.out[i].to = max(at, b.out[i].from)
		delete(b.open, key)
	}
	b.services, b.people, b.inside = nil, nil, false
}

// end closes what nobody will: visits without a departure.
func (b *builder) end() {
	if !b.inside || b.last.class != traces.Outpatient && b.last.class != traces.Emergency {
		return
	}
	b.leave(b.last.at + passes)
}
