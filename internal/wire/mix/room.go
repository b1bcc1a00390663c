package mix

import (
	"math"
	"slices"
	"sync"
)

// Room is a conference. Its methods may be called from any goroutine.
type Room struct {
	mu    sync.Mutex
	seats []*Seat
	total [Frame]int32
}

// Sit takes a seat.
func (r *Room) Sit() *Seat {
	s := &Seat{}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seats = append(r.seats, s)
	return s
}

// Leave gives a seat back: it is heard no more. It returns how many are left.
func (r *Room) Leave(s *Seat) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.seats, s); i >= 0 {
		r.seats = slices.Delete(r.seats, i, i+1)
		for k, v := range s.now {
			r.total[k] -= int32(v)
		}
		clear(s.now[:])
	}
	return len(r.seats)
}

// Turn begins the next 20 ms: every seat's next sound is added up.
func (r *Room) Turn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.total[:])
	for _, s := range r.seats {
		s.turn()
		for i, v := range s.now {
			r.total[i] += int32(v)
		}
	}
}

// Mix writes what a seat hears in this turn: the others, together.
func (r *Room) Mix(s *Seat, out *[Frame]int16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range out {
		out[i] = int16(max(min(r.total[i]-int32(s.now[i]), math.MaxInt16), math.MinInt16))
	}
}
