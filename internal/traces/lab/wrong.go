package lab

import "slices"

// Kind is a kind of misbehaviour.
type Kind string

// The seven kinds.
const (
	Family    Kind = "family"     // a relative, mostly of the same name
	Neighbour Kind = "neighbour"  // somebody of the same house or street
	Colleague Kind = "colleague"  // somebody who works here
	WellKnown Kind = "well_known" // somebody of whom the papers speak
	Leaver    Kind = "leaver"     // the account of somebody who left
	Breadth   Kind = "breadth"    // curious: dozens of records within an hour or two
	Taking    Kind = "taking"     // records taken out before leaving
)

// Kinds lists them.
func Kinds() []Kind {
	return []Kind{Family, Neighbour, Colleague, WellKnown, Leaver, Breadth, Taking}
}

// Planted is one misbehaviour.
type Planted struct {
	Kind    Kind
	Account string
	// Patients are the IPP of the records; From and To bound it.
	Patients []string
	From, To int64
}

// Planted gives what was planted in the events that were made so far.
func (h *Hospital) Planted() []Planted { return h.planted }

// plant does as much wrong as is due, each kind as often as the others.
func (h *Hospital) plant(c clockwork) {
	for h.debt >= 1 {
		if len(h.deck) == 0 {
			h.deck = Kinds()
			h.rng.Shuffle(len(h.deck), func(i, j int) { h.deck[i], h.deck[j] = h.deck[j], h.deck[i] })
		}
		at := slices.IndexFunc(h.deck, func(k Kind) bool { return h.wrong(k, c) })
		if at < 0 {
			return // nobody at work can: later
		}
		h.deck = slices.Delete(h.deck, at, at+1)
		h.debt--
	}
}

// wrong plants one, and tells whether it could.
func (h *Hospital) wrong(kind Kind, c clockwork) bool {
	switch kind {
	case Family:
		return h.looksUp(kind, func(p *person) int { return h.one(p.relatives) })
	case Neighbour:
		return h.looksUp(kind, func(p *person) int {
			// Somebody of the house when there is one: one knows their name.
			for _, k := range p.near {
				if h.patients[k].home == p.home && h.rng.IntN(2) == 0 {
					return k
				}
			}
			return h.one(p.near)
		})
	case Colleague:
		return h.looksUp(kind, func(p *person) int {
			i := h.rng.IntN(len(h.people))
			if h.rng.IntN(2) == 0 {
				i = h.one(h.services[p.service].people)
			}
			if &h.people[i] == p {
				return -1
			}
			return h.people[i].record
		})
	case WellKnown:
		return h.looksUp(kind, func(*person) int { return h.one(h.famous) })
	case Leaver:
		return h.comesBack()
	case Breadth:
		return h.wanders()
	}
	return h.takes(c)
}

// somebody is at work, and no program.
func (h *Hospital) somebody() int {
	if len(h.duty) == 0 {
		return -1
	}
	return h.duty[h.rng.IntN(len(h.duty))]
}

// looksUp has somebody at work open one record, once or twice.
func (h *Hospital) looksUp(kind Kind, whom func(*person) int) bool {
	for range 20 {
		i := h.somebody()
		if i < 0 {
			return false
		}
		p := &h.people[i]
		k := whom(p)
		if k < 0 {
			continue
		}
		l := h.begin(kind, i)
		at := h.hourAt.UnixMicro() + h.rng.Int64N(hour)
		for range 1 + h.rng.IntN(2) {
			h.snoop(i, k, at, session{events: 1 + h.rng.IntN(5), print: 60, odd: h.rng.IntN(4) == 0, label: l})
			at += 5*minute + h.rng.Int64N(20*minute)
		}
		return true
	}
	return false
}

func (h *Hospital) begin(kind Kind, i int) Label {
	h.planted = append(h.planted, Planted{Kind: kind, Account: h.people[i].account})
	return Label{kind, len(h.planted) - 1}
}

// snoop opens a record under the label of an incident.
func (h *Hospital) snoop(i, k int, at int64, s session) {
	h.open(i, h.people[i].service, k, at, s)
	in := &h.planted[s.label.Incident]
	in.Patients = append(in.Patients, h.patients[k].ipp)
	if in.From == 0 {
		in.From = at
	}
	in.From, in.To = min(in.From, at), max(in.To, h.ready[len(h.ready)-1].At)
}

// comesBack has the account of somebody who left open patients of the ward.
func (h *Hospital) comesBack() bool {
	var back []int
	for _, i := range h.leavers {
		if h.people[i].left+2*day < h.hourAt.UnixMicro() {
			back = append(back, i)
		}
	}
	i := h.one(back)
	if i < 0 {
		return false
	}
	s := &h.services[h.people[i].service]
	list := s.inside
	if len(list) == 0 {
		list = s.orders
	}
	if len(list) == 0 {
		list = h.former
	}
	l := h.begin(Leaver, i)
	at := h.hourAt.UnixMicro() + h.rng.Int64N(hour/2)
	for range 1 + h.rng.IntN(4) {
		h.snoop(i, h.one(list), at, session{events: 1 + h.rng.IntN(3), label: l})
		at += minute + h.rng.Int64N(5*minute)
	}
	return true
}

// wanders has somebody open dozens of records that are none of his work.
func (h *Hospital) wanders() bool {
	i := h.somebody()
	if i < 0 {
		return false
	}
	l := h.begin(Breadth, i)
	at := h.hourAt.UnixMicro()
	for range 25 + h.rng.IntN(36) {
		k := h.rng.IntN(len(h.patients))
		if in := h.one(h.services[h.rng.IntN(h.wards)].inside); in >= 0 && h.rng.IntN(3) > 0 {
			k = in
		}
		h.snoop(i, k, at, session{events: 1 + h.rng.IntN(2), label: l})
		at += 30*second + h.rng.Int64N(150*second)
	}
	return true
}

// takes has somebody take out the records of his own ward, at work or, for those
// of office hours, in the evening.
func (h *Hospital) takes(c clockwork) bool {
	i := h.somebody()
	if h.rng.IntN(2) == 0 && c.hour >= 19 && c.hour < 23 {
		i = h.rng.IntN(len(h.people))
	}
	if i < 0 || h.people[i].left > 0 && h.people[i].left <= h.hourAt.UnixMicro() || h.people[i].service == h.wards+coding {
		return false
	}
	s := &h.services[h.people[i].service]
	list := slices.Concat(s.inside, s.gone, s.orders)
	if len(list) < 20 {
		return false
	}
	l := h.begin(Taking, i)
	at := h.hourAt.UnixMicro()
	for range 15 + h.rng.IntN(36) {
		h.snoop(i, h.one(list), at, session{events: 1, export: h.rng.IntN(4) > 0, print: 1000, label: l})
		at += 20*second + h.rng.Int64N(70*second)
	}
	return true
}
