package live

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"tocsin/internal/clock"
)

// Pace is how often a board reads.
type Pace struct {
	// Every is the shortest time between two readings of a topic.
	Every time.Duration
	// Stale is the age after which a watched topic is read again without any
	// news: another node may have changed it. Zero trusts the news alone.
	Stale time.Duration
	Clock clock.Clock
}

// Snapshot is one reading of a topic, shared by all its viewers: they must not
// change it.
type Snapshot[T any] struct {
	Value T
	// Err is why the reading failed; Value is then that of the last good one.
	Err error
	// At is when the reading began.
	At time.Time
}

// Load reads a topic. It is called once for all viewers, so it must not depend
// on one of them: what makes two viewers see different things is part of the topic.
type Load[T any] func(ctx context.Context) (T, error)

// Board reads each watched topic at most once per tick and hands the snapshot
// to all its viewers. A topic that nobody watches is not read.
type Board[T any] struct {
	hub  *Hub
	pace Pace

	mu     sync.Mutex
	topics map[string]*watched[T]
	closed bool
	runs   sync.WaitGroup
}

// watched is a topic with at least one viewer.
type watched[T any] struct {
	viewers map[chan Snapshot[T]]struct{}
	last    Snapshot[T]
	read    bool
	stop    context.CancelFunc
}

// NewBoard returns a board that learns of the moves from hub.
func NewBoard[T any](hub *Hub, pace Pace) *Board[T] {
	return &Board[T]{hub: hub, pace: pace, topics: make(map[string]*watched[T])}
}

// Watch returns the snapshots of the topic until ctx ends or the board closes;
// the channel is then closed. A viewer who is late finds the latest one only.
// While a topic has viewers, the load of the first of them is used for all.
func (b *Board[T]) Watch(ctx context.Context, topic string, load Load[T]) <-chan Snapshot[T] {
	ch := make(chan Snapshot[T], 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		close(ch)
		return ch
	}
	w := b.topics[topic]
	if w == nil {
		// The reading outlives its first viewer: it keeps the values of ctx, not its end.
		run, stop := context.WithCancel(context.WithoutCancel(ctx))
		w = &watched[T]{viewers: make(map[chan Snapshot[T]]struct{}), stop: stop}
		b.topics[topic] = w
		b.runs.Go(func() { b.run(run, topic, w, load) })
	}
	w.viewers[ch] = struct{}{}
	if w.read {
		ch <- w.last
	}
	context.AfterFunc(ctx, func() { b.leave(topic, w, ch) })
	return ch
}

// ErrClosed is what Get returns once the board is closed.
var ErrClosed = errors.New("live: the board is closed")

// Get returns the present snapshot's value: for the first rendering of a page
// and for those without script. It shares the reading of the viewers of the moment.
func (b *Board[T]) Get(ctx context.Context, topic string, load Load[T]) (T, error) {
	viewer, leave := context.WithCancel(ctx)
	defer leave()
	var none T
	select {
	case s, open := <-b.Watch(viewer, topic, load):
		switch {
		case open && s.Err == nil:
			return s.Value, nil
		case open:
			return none, s.Err
		case ctx.Err() != nil:
			return none, ctx.Err()
		}
		return none, ErrClosed
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// Close ends every reading and waits for them.
func (b *Board[T]) Close() {
	b.mu.Lock()
	b.closed = true
	for topic, w := range b.topics {
		for ch := range w.viewers {
			b.remove(topic, w, ch)
		}
	}
	b.mu.Unlock()
	b.runs.Wait()
}

func (b *Board[T]) leave(topic string, w *watched[T], ch chan Snapshot[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remove(topic, w, ch)
}

// remove needs the lock. It may come twice: at the end of a viewer and of the board.
func (b *Board[T]) remove(topic string, w *watched[T], ch chan Snapshot[T]) {
	if _, there := w.viewers[ch]; !there {
		return
	}
	delete(w.viewers, ch)
	close(ch)
	if len(w.viewers) == 0 {
		w.stop()
		delete(b.topics, topic)
	}
}

// run reads the topic until its last viewer has left.
func (b *Board[T]) run(ctx context.Context, topic string, w *watched[T], load Load[T]) {
	// Subscribed before the first reading: a move during it causes another.
	moved := b.hub.Subscribe(ctx, topic)
	for {
		at := b.pace.Clock.Now()
		value, err := guarded(ctx, load)
		if ctx.Err() != nil {
			return
		}
		b.publish(w, Snapshot[T]{Value: value, Err: err, At: at})
		select {
		case <-b.pace.Clock.After(b.pace.Every):
		case <-ctx.Done():
			return
		}
		var stale <-chan time.Time
		if b.pace.Stale > 0 {
			stale = b.pace.Clock.After(max(b.pace.Stale-b.pace.Every, 0))
		}
		select {
		case <-moved:
		case <-stale:
		case <-ctx.Done():
			return
		}
	}
}

func (b *Board[T]) publish(w *watched[T], s Snapshot[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.Err != nil {
		s.Value = w.last.Value
	}
	w.last, w.read = s, true
	for ch := range w.viewers {
		select {
		case <-ch: // not taken yet: the newer one replaces it
		default:
		}
		ch <- s // has room: only publish and Watch send, under the lock
	}
}

// guarded runs load; a panic in the drawing of a board must not end the
// process that sends the alert.
func guarded[T any](ctx context.Context, load Load[T]) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("live: reading panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return load(ctx)
}
