package lab

import (
	"math"
	"strconv"
	"time"

	"tocsin/internal/traces"
)

// flow brings and takes patients during the hour that begins.
func (h *Hospital) flow(c clockwork) {
	from := h.hourAt.UnixMicro()
	if !h.begun {
		h.begun = true
		for w := 1; w < h.wards; w++ {
			for range h.services[w].beds {
				h.admit(w, from-h.rng.Int64N(4*day))
			}
		}
	}
	for w := range h.wards {
		h.departures(w, from)
		s := &h.services[w]
		switch {
		case w == 0:
			for range h.poisson(float64(h.wards) * 0.35 * load(c.hour)) {
				h.admit(w, from+h.rng.Int64N(hour))
			}
		case !c.rest && c.hour >= 8 && c.hour < 12:
			for range h.poisson(float64(max(0, s.beds-len(s.inside))) / 3) {
				h.admit(w, from+h.rng.Int64N(hour))
			}
		}
		if c.hour == 0 {
			h.appointments(w, c)
		}
		if c.hour == 8 {
			for _, k := range s.inside {
				h.orderDay(k, from)
			}
		}
	}
}

func (h *Hospital) poisson(mean float64) int {
	n, p, limit := 0, h.rng.Float64(), math.Exp(-min(mean, 50))
	for p > limit {
		n++
		p *= h.rng.Float64()
	}
	return n
}

// told is when a message reaches us: mostly within minutes, one in twenty within hours.
func (h *Hospital) told(at int64) int64 {
	if h.rng.IntN(20) == 0 {
		return at + h.rng.Int64N(5*hour)
	}
	return at + h.rng.Int64N(10*minute)
}

// admit begins a stay; one in two hundred is told by no message.
func (h *Hospital) admit(ward int, at int64) {
	k := h.rng.IntN(len(h.patients))
	p := &h.patients[k]
	if p.ward >= 0 {
		return
	}
	h.stays++
	p.stay, p.missing = strconv.Itoa(26_000_000+h.stays), h.rng.IntN(200) == 0
	if ward == 0 {
		p.leaves, p.to = at+2*hour+h.rng.Int64N(6*hour), -1
		if h.rng.IntN(100) < 35 {
			p.to = 1 + h.rng.IntN(h.wards-1)
		}
	} else {
		p.leaves, p.to = at+day+int64(h.rng.ExpFloat64()*4*float64(day)), -1
		if h.rng.IntN(8) == 0 {
			p.to = 1 + h.rng.IntN(h.wards-1)
		}
	}
	h.enter(k, ward, at)
	if ward > 0 {
		h.order(k, pharmacy, at, 70)
	}
	h.order(k, laboratory, at, 80)
	if ward == 0 && h.rng.IntN(2) == 0 {
		h.order(k, imaging, at, 80)
	}
}

func (h *Hospital) enter(k, ward int, at int64) {
	p := &h.patients[k]
	p.ward, p.openStay = ward, -1
	h.services[ward].inside = append(h.services[ward].inside, k)
	if !p.missing {
		p.openStay = h.relate(p, traces.RelationStay, h.services[ward].folded, "", at, 0, h.told(at))
	}
}

// order prescribes something of a service across; told is the share of them that
// messages tell, in percent.
func (h *Hospital) order(k, of int, at int64, told int) {
	p, s := &h.patients[k], &h.services[h.wards+of]
	if len(s.orders) < 60+6*h.wards {
		s.orders = append(s.orders, k)
	} else {
		s.orders[h.rng.IntN(len(s.orders))] = k
	}
	if !p.missing && h.rng.IntN(100) < told {
		h.relate(p, traces.RelationPrescription, s.folded, "", at, at+2*day, h.told(at))
	}
}

func (h *Hospital) orderDay(k int, at int64) {
	if h.rng.IntN(10) < 4 {
		h.order(k, laboratory, at, 80)
	}
	if h.rng.IntN(10) == 0 {
		h.order(k, imaging, at, 80)
	}
	if h.rng.IntN(5) == 0 {
		h.order(k, pharmacy, at, 70)
	}
}

// departures ends the stays that are over, or moves them on.
func (h *Hospital) departures(w int, from int64) {
	s := &h.services[w]
	for i := 0; i < len(s.inside); i++ {
		k := s.inside[i]
		p := &h.patients[k]
		if p.leaves > from {
			continue
		}
		s.inside[i] = s.inside[len(s.inside)-1]
		s.inside = s.inside[:len(s.inside)-1]
		i--
		p.end(p.openStay, p.leaves)
		s.gone = lastOf(s.gone, k, 150)
		if p.to >= 0 {
			to := p.to
			p.to, p.leaves = -1, p.leaves+day+int64(h.rng.ExpFloat64()*3*float64(day))
			h.enter(k, to, from)
			continue
		}
		p.ward, p.openStay = -1, -1
		h.former = lastOf(h.former, k, 4000)
	}
}

// lastOf keeps the last most.
func lastOf(list []int, k, most int) []int {
	if len(list) >= most {
		copy(list, list[1:])
		list = list[:len(list)-1]
	}
	return append(list, k)
}

// appointments books the day of a ward.
func (h *Hospital) appointments(w int, c clockwork) {
	s := &h.services[w]
	s.booked = s.booked[:0]
	if w == 0 || c.rest {
		return
	}
	opens := h.hourAt.Add(8 * time.Hour).UnixMicro()
	for range 12 + h.rng.IntN(10) {
		k := h.rng.IntN(len(h.patients))
		at := opens + h.rng.Int64N(8*hour)
		s.booked = append(s.booked, k)
		if h.rng.IntN(150) > 0 {
			h.relate(&h.patients[k], traces.RelationAppointment, s.folded, "", at, at+hour/2, h.hourAt.UnixMicro()-day)
		}
	}
}
