package rtp

import (
	"sync"
	"time"

	"tocsin/internal/clock"
)

// Tick is the time of one packet.
const Tick = 20 * time.Millisecond

// Clock paces the sound of every call of the program. It beats while there is
// somebody to speak to, by a schedule counted from its first beat, so that one
// late beat does not make the next ones late.
type Clock struct {
	elapsed func() time.Duration

	mu      sync.Mutex
	streams map[*Stream]struct{}
	beating bool
	late    Lateness
}

// NewClock returns a clock at rest.
func NewClock() *Clock {
	return &Clock{elapsed: clock.Stopwatch(clock.Real()), streams: make(map[*Stream]struct{})}
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
	return len(c.streams)
}

// add lets the clock pace a stream.
func (c *Clock) add(s *Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams[s] = struct{}{}
	if !c.beating {
		c.beating = true
		go c.beat()
	}
}

func (c *Clock) remove(s *Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams, s)
}

// beat sends a packet of every stream at each tick, until none is left.
func (c *Clock) beat() {
	defer hurry()()
	next := c.elapsed()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var list []*Stream
	for {
		<-timer.C
		var more bool
		if list, more = c.current(list[:0]); !more {
			return
		}
		for _, s := range list {
			s.send()
		}
		now := c.elapsed()
		c.note(now - next)
		next += Tick
		if now-next > 10*Tick { // the machine slept: what is lost is not made up
			next = now
		}
		timer.Reset(next - c.elapsed())
	}
}

// current lists the streams; more is false when the clock is to rest.
func (c *Clock) current(list []*Stream) (_ []*Stream, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.streams {
		list = append(list, s)
	}
	c.beating = len(list) > 0
	return list, c.beating
}

func (c *Clock) note(late time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late.Beats++
	c.late.slices[min(max(int(late/lateSlice), 0), lateSlices-1)]++
}
