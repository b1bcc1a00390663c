package mix

import "sync"

// Frame is how many samples a turn has: 20 ms at 8,000 a second.
const Frame = 160

// The sound of a seat waits in a ring, by the hour of its samples: delay is how
// much of it waits before it is heard, so that packets may be late by that much;
// beyond most the oldest is passed over, a turn at a time, since a telephone whose
// clock is fast would be heard later and later.
const (
	ring  = 2048
	delay = 3 * Frame
	most  = 8 * Frame
)

// Seat is one voice of a conference.
type Seat struct {
	mu sync.Mutex
	// playing tells that next, the hour of the next sample to be heard, is known;
	// edge is the hour after the newest one. What is not there is silence.
	playing    bool
	next, edge uint32
	waiting    [ring]int16

	// now is what this seat said in the turn under way; the room's lock guards it.
	now [Frame]int16
}

// Hear takes samples whose first one has that hour, counted in samples as the
// timestamps of RTP are. Those whose turn has passed are dropped.
func (s *Seat) Hear(hour uint32, samples []int16) {
	if len(samples) == 0 || len(samples) > ring/2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	end := hour + uint32(len(samples))
	if !s.playing || ahead(end, s.next) > ring {
		clear(s.waiting[:])
		s.playing, s.next, s.edge = true, hour-delay, end
	}
	for i, v := range samples {
		if at := hour + uint32(i); ahead(at, s.next) >= 0 {
			s.waiting[at%ring] = v
		}
	}
	if ahead(end, s.edge) > 0 {
		s.edge = end
	}
}

// ahead is how far an hour is after another; hours turn around.
func ahead(a, b uint32) int { return int(int32(a - b)) }

// turn moves what is heard in the next turn to now. A seat whose sound has run out
// waits for it to begin again: whatever its hours are then, they hold.
func (s *Seat) turn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.playing && ahead(s.edge, s.next) <= 0 {
		s.playing = false
	}
	if !s.playing {
		clear(s.now[:])
		return
	}
	if ahead(s.edge, s.next) > most {
		s.take(&s.now)
	}
	s.take(&s.now)
}

// take empties a turn of the ring: what is not filled again is silence.
func (s *Seat) take(out *[Frame]int16) {
	for i := range out {
		at := (s.next + uint32(i)) % ring
		out[i] = s.waiting[at]
		s.waiting[at] = 0
	}
	s.next += Frame
}
