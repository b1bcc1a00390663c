package lab

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"tocsin/internal/clock"
)

// agenda does things later. What it does must be short and never wait: what
// waits is given to a crew.
type agenda struct {
	clock clock.Clock
	wake  chan struct{}

	mu    sync.Mutex
	queue appointments
	next  uint64
	doing int
}

type appointment struct {
	at   time.Time
	rank uint64 // keeps the order of what falls at the same time
	do   func()
}

type appointments []appointment

func (a appointments) Len() int { return len(a) }
func (a appointments) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].rank < a[j].rank
	}
	return a[i].at.Before(a[j].at)
}
func (a appointments) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *appointments) Push(x any)   { *a = append(*a, x.(appointment)) }
func (a *appointments) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = appointment{}
	*a = old[:len(old)-1]
	return last
}

func newAgenda(c clock.Clock) *agenda { return &agenda{clock: c, wake: make(chan struct{}, 1)} }

// after does it once d has passed.
func (a *agenda) after(d time.Duration, do func()) {
	at := a.clock.Now().Add(d)
	a.mu.Lock()
	a.next++
	heap.Push(&a.queue, appointment{at, a.next, do})
	soonest := a.queue[0].rank == a.next
	a.mu.Unlock()
	if soonest {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// waiting is the number of things still to do.
func (a *agenda) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queue) + a.doing
}

// run does what is due until ctx ends; what is left then is forgotten.
func (a *agenda) run(ctx context.Context) {
	for {
		due, pause, some := a.due()
		for _, do := range due {
			do()
		}
		if len(due) > 0 {
			a.done()
			continue
		}
		var tick <-chan time.Time
		if some {
			tick = a.clock.After(pause)
		}
		select {
		case <-tick:
		case <-a.wake:
		case <-ctx.Done():
			return
		}
	}
}

// done forgets what was being done: what it entered is in the queue by now.
func (a *agenda) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.doing = 0
}

// due takes what is to be done now, or tells how long until the next.
func (a *agenda) due() (now []func(), pause time.Duration, some bool) {
	t := a.clock.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.queue) > 0 && len(now) < 256 {
		if wait := a.queue[0].at.Sub(t); wait > 0 {
			return now, wait, true
		}
		now = append(now, heap.Pop(&a.queue).(appointment).do)
		a.doing++
	}
	return now, 0, len(a.queue) > 0
}

// crew does things that wait, a few at a time, in order of arrival.
type crew struct {
	mu    sync.Mutex
	wake  sync.Cond
	queue []func(context.Context)
	busy  int
	over  bool
}

func newCrew() *crew {
	c := &crew{}
	c.wake.L = &c.mu
	return c
}

// give queues some work.
func (c *crew) give(do func(context.Context)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, do)
	c.wake.Signal()
}

// waiting is the work not finished.
func (c *crew) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) + c.busy
}

// run works with n hands until ctx ends; what is queued then is forgotten.
func (c *crew) run(ctx context.Context, n int) {
	var group sync.WaitGroup
	for range n {
		group.Go(func() { c.work(ctx) })
	}
	<-ctx.Done()
	c.mu.Lock()
	c.over = true
	c.wake.Broadcast()
	c.mu.Unlock()
	group.Wait()
}

func (c *crew) work(ctx context.Context) {
	for {
		c.mu.Lock()
		for len(c.queue) == 0 && !c.over {
			c.wake.Wait()
		}
		if c.over {
			c.mu.Unlock()
			return
		}
		do := c.queue[0]
		c.queue[0] = nil
		c.queue = c.queue[1:]
		c.busy++
		c.mu.Unlock()
		do(ctx)
		c.mu.Lock()
		c.busy--
		c.mu.Unlock()
	}
}
