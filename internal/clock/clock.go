// Package clock is « L'heure »: the only place where the program reads the
// time of the machine. Everything else receives it, so that a test moves time
// instead of waiting for it.
package clock

import (
	"sync"
	"time"
	_ "time/tzdata" // a machine without zone files still knows Paris and La Réunion
)

// Clock tells the time and wakes after a while.
type Clock interface {
	Now() time.Time
	// After returns a channel that receives once d has passed on this clock.
	After(d time.Duration) <-chan time.Time
}

// Real is the clock of the machine, in UTC.
func Real() Clock { return machine{} }

type machine struct{}

func (machine) Now() time.Time                         { return time.Now().UTC() }
func (machine) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Stopwatch returns a function that tells how long ago the stopwatch was
// started. The machine's is its monotonic counter, which no correction of the
// hour moves: what must end before something elsewhere begins is measured by it.
func Stopwatch(c Clock) func() time.Duration {
	if _, real := c.(machine); real {
		started := time.Now()
		return func() time.Duration { return time.Since(started) }
	}
	started := c.Now()
	return func() time.Duration { return c.Now().Sub(started) }
}

// Fake is a clock that moves when a test says so.
type Fake struct {
	mu      sync.Mutex
	now     time.Time
	waiters []waiter
}

type waiter struct {
	at time.Time
	ch chan time.Time
}

// NewFake returns a clock stopped at t.
func NewFake(t time.Time) *Fake { return &Fake{now: t.UTC()} }

// Now returns the fake time.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// After wakes once the fake time has been advanced by d.
func (f *Fake) After(d time.Duration) <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	ch := make(chan time.Time, 1)
	if d <= 0 {
		ch <- f.now
		return ch
	}
	f.waiters = append(f.waiters, waiter{f.now.Add(d), ch})
	return ch
}

// Advance moves the time forward and wakes whoever waited for it.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	kept := f.waiters[:0]
	for _, w := range f.waiters {
		if w.at.After(f.now) {
			kept = append(kept, w)
			continue
		}
		w.ch <- f.now
	}
	f.waiters = kept
}
