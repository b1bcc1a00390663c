package dispatch

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// settlement is what a clerk's pass will write about deliveries that came back
// from the senders: decided in memory first, so that the transaction only writes.
type settlement struct {
	items []*item
	// sent were accepted or refused; dropped ended without a try.
	sent, dropped []*item
	// again are tried later, by the lot they move to.
	again map[againKey]*againLot
	// finished lots have nothing left; released lots go back with what is left.
	finished, released []*lot
}

// againKey gathers the deliveries of a lot that wait for the same next try.
type againKey struct {
	lot      *lot
	attempts int
}

type againLot struct {
	id    uuid.UUID
	dueUs int64
	items []*item
}

// settle decides what every delivery becomes. It only remembers, in the items,
// what the next try needs.
func (k *desk) settle(now time.Time, done []*item) *settlement {
	s := &settlement{items: done, again: make(map[againKey]*againLot)}
	left := make(map[*lot]int)
	back := make(map[*lot]int)
	for _, it := range done {
		left[it.lot]++
		switch it.verdict {
		case returned, abandoned:
			back[it.lot]++
		case stopped, outdated:
			s.dropped = append(s.dropped, it)
		case tried:
			if k.settleTried(now, s, it) == returned {
				back[it.lot]++
			}
		}
	}
	for l, n := range left {
		l.back += back[l]
		if l.open == n {
			if l.back > 0 {
				s.released = append(s.released, l)
			} else {
				s.finished = append(s.finished, l)
			}
		}
	}
	return s
}

// settleTried sorts a delivery by what the channel answered; it gives returned
// for one that stays in its lot because its gateway does not work.
func (k *desk) settleTried(now time.Time, s *settlement, it *item) verdict {
	o := &it.outcome
	switch o.State {
	case channels.Accepted, channels.Refused:
		if o.Reason == channels.ReasonPolicy {
			k.pause.refusal(o.Detail)
		}
		s.sent = append(s.sent, it)
		return tried
	}
	if o.GatewayDown {
		k.pause.fail(*o)
		k.log.Warn("gateway down", "reason", o.Reason, "detail", clean(o.Detail, 200))
		if !o.Uncertain {
			return returned
		}
	}
	wait := nextTry(it.attempts+1, *o)
	if o.Reason == channels.ReasonThrottled {
		if !o.Alone {
			k.pause.throttle()
		}
		wait = max(pauseThrottle, o.RetryAfter)
	} else if it.attempts++; it.spent() {
		o.State = channels.Refused
		s.sent = append(s.sent, it)
		return tried
	}
	due := storage.Micros(now.Add(wait))
	if it.lot.expiresUs != 0 && due >= it.lot.expiresUs {
		it.verdict = outdated
		s.dropped = append(s.dropped, it)
		return outdated
	}
	key := againKey{it.lot, it.attempts}
	g := s.again[key]
	if g == nil {
		g = &againLot{id: storage.NewID(now), dueUs: due}
		s.again[key] = g
	}
	g.items = append(g.items, it)
	return tried
}

// spent tells that a delivery was tried often enough.
func (it *item) spent() bool {
	if most := triesOf(it.outcome.Reason); most > 0 {
		return it.attempts >= most
	}
	return it.attempts >= triesMost && it.lot.expiresUs == 0
}

// closedLots are those this node no longer holds after the pass.
func (s *settlement) closedLots() []*lot {
	out := make([]*lot, 0, len(s.finished)+len(s.released))
	return append(append(out, s.finished...), s.released...)
}
