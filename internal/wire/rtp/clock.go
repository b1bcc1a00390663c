package rtp

import (
	"sync"
	"time"

	"tocsin/internal/clock"
)

// Tick is the time of one packet.
const Tick = 20 * time.Millisecond

// phases is how many parts the streams are shared in, each with its own beat within
// the tick: hundreds of packets at the same instant would be late because of each
// other, here and in the network.
const phases = 4

// Clock paces the sound of every call of the program. It beats while there is
// somebody to speak to, by a schedule counted from its first beat, so that one
// late beat does not make the next ones late.
type Clock struct {
	elapsed func() time.Duration

	mu      sync.Mutex
	streams [phases]map[*Stream]struct{}
	// conferences are those with somebody in them.
	conferences map[*Conference]struct{}
	beating     bool
	late        Lateness
}

// NewClock returns a clock at rest.
func NewClock() *Clock {
	c := &Clock{elapsed: clock.Stopwatch(clock.Real()), conferences: make(map[*Conference]struct{})}
	for i := range c.streams {
		c.streams[i] = make(map[*Stream]struct{})
	}
	return c
}

// Lateness is how late the beats of a clock were, by slices of lateSlice.
type Lateness struct {
	Beats  int64
	slices [lateSlices]int64
}

const (
	lateSlice  = 100 * time.Microsecond
	lateSlices = 2000
)

// Quantile is the lateness that this part of the beats did not exceed: 0.999
// for one beat in a thousand later than that. 200 ms stands for more.
func (l Lateness) Quantile(q float64) time.Duration {
	wanted := int64(q * float64(l.Beats))
	seen := int64(0)
	for i, n := range l.slices {
		if seen += n; seen > wanted || seen == l.Beats {
			return time.Duration(i+1) * lateSlice
		}
	}
	return lateSlices * lateSlice
}

// Lateness tells how late the last packet of each beat left, since the clock
// was made or last asked.
func (c *Clock) Lateness() Lateness {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.late
	c.late = Lateness{}
	return out
}

// Streams is how many streams the clock paces.
func (c *Clock) Streams() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paced()
}

func (c *Clock) paced() (n int) {
	for _, part := range c.streams {
		n += len(part)
	}
	return n
}

// add lets the clock pace a stream, in the part that has the fewest.
func (c *Clock) add(s *Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.phase = 0
	for i, part := range c.streams {
		if len(part) < len(c.streams[s.phase]) {
			s.phase = i
		}
	}
	c.streams[s.phase][s] = struct{}{}
	if !c.beating {
		c.beating = true
		go c.beat()
	}
}

func (c *Clock) remove(s *Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams[s.phase], s)
}

// turning lets a conference turn with the clock, or no more.
func (c *Clock) turning(r *Conference, turns bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if turns {
		c.conferences[r] = struct{}{}
	} else {
		delete(c.conferences, r)
	}
}

// beat sends a packet of every stream at each tick, part by part, until none is left.
func (c *Clock) beat() {
	defer hurry()()
	next := c.elapsed()
	var list []*Stream
	for phase := 0; ; phase = (phase + 1) % phases {
		rest(next - c.elapsed())
		var more bool
		if list, more = c.current(phase, list[:0]); !more {
			return
		}
		if phase == 0 { // once a tick, before the first packet that it fills
			c.turn()
		}
		for _, s := range list {
			s.send()
		}
		now := c.elapsed()
		c.note(now - next)
		next += Tick / phases
		if now-next > 10*Tick { // the machine slept: what is lost is not made up
			next = now
		}
	}
}

// current lists the streams of a part; more is false when the clock is to rest.
func (c *Clock) current(phase int, list []*Stream) (_ []*Stream, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.streams[phase] {
		list = append(list, s)
	}
	c.beating = c.paced() > 0
	return list, c.beating
}

// turn begins the next 20 ms of every conference.
func (c *Clock) turn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for r := range c.conferences {
		r.room.Turn()
	}
}

func (c *Clock) note(late time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late.Beats++
	c.late.slices[min(max(int(late/lateSlice), 0), lateSlices-1)]++
}
