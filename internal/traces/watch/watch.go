package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// How the flow is taken.
const (
	batchEvents = 4_000
	batchBytes  = 4 << 20
	// keepEvery is how often a place is written down when nothing stood out, and
	// how long hits wait for others to share a transaction.
	keepEvery = time.Second
	// pendingMost is how many hits wait at most.
	pendingMost = 1_000
	// rest is the share of its time that the watch leaves to others after a batch
	// while there is more: it works four fifths of one core at most.
	rest = 4
	// retryPause is how long a database that failed is left alone.
	retryPause = time.Second
	// MaxLag is how much of the queue is held for the watch, bytes.
	MaxLag = 1 << 30
)

// Guarded is a Detector, and whether it looks at the behaviour of people.
type Guarded struct {
	traces.Detector
	// Behaviour is for what looks at staff: it is given the events of no
	// establishment that has not put detection into service. Other Detectors are
	// given, of such an establishment, nothing that touches a patient.
	Behaviour bool
}

// Later is a Detector that also tells things when nothing comes any more: a
// session is judged once it is over. now is UTC microseconds.
type Later interface {
	Due(ctx context.Context, now int64) []traces.Hit
}

// Tallier is a Detector that also counts what it looked at.
type Tallier interface {
	// TakeShares gives what was counted since it was last taken.
	TakeShares() map[traces.Count]traces.Share
}

// dueEvery is how often a Later is asked.
const dueEvery = time.Minute

// Catch is what a stretch of the flow gave.
type Catch struct {
	Hits []traces.Hit
	// Examined counts the events looked at, by establishment and kind.
	Examined map[Counted]int64
	// Shares tell which of them the care explained.
	Shares map[traces.Count]traces.Share
}

// Counted names a figure: events that touch a patient, or others, received on a day.
type Counted struct {
	Organisation uuid.UUID
	Patient      bool
	Day          int64 // its midnight, UTC microseconds
}

// Keeper keeps what stood out.
type Keeper interface {
	// InService lists the establishments where the behaviour of staff is looked at.
	InService(ctx context.Context, tx *storage.Tx) (map[uuid.UUID]bool, error)
	// Keep stores, in the transaction of the place. Told the same once more it
	// opens nothing anew.
	Keep(ctx context.Context, tx *storage.Tx, now time.Time, c Catch) error
}

// Options are what the watch rests on.
type Options struct {
	DB    *storage.DB
	Spool *spool.Spool
	Dir   string // of the spool
	// Flow names what comes through the spool: each node that takes in for itself
	// has its own.
	Flow      string
	Keeper    Keeper
	Detectors []Guarded
	Clock     clock.Clock
	Log       *slog.Logger
	// Pause waits, or returns early with ctx.
	Pause func(ctx context.Context, d time.Duration)
	// Stored is told each place that was stored; nil tells nobody.
	Stored func(State)
	// MaxLag replaces the bound when it is not zero.
	MaxLag int64
}

// Watch looks at the live flow. One runs over a spool.
type Watch struct {
	opt Options

	mu    sync.Mutex
	state State
	// loaded tells that the place was read: before, nothing is released.
	loaded bool
	// jump is where to go on after letting go; jumped how much was passed over.
	jump   spool.Position
	jumped int64

	reader *spool.Reader
	at     spool.Position
	gather gather
	// tried is what is being stored; nil when its end is known.
	tried *attempt
	kept  time.Time
	asked time.Time // a Later, the last time
	// behaviour and systems are what the last batch was parted into.
	behaviour, systems []traces.Event
}

// gather is what waits to be stored.
type gather struct {
	Catch
	events int64
}

func newGather() gather {
	return gather{Catch: Catch{Examined: map[Counted]int64{}, Shares: map[traces.Count]traces.Share{}}}
}

func (g *gather) empty() bool { return g.events == 0 && len(g.Hits) == 0 }

// New returns a watch that reads nothing yet.
func New(o Options) *Watch {
	if o.MaxLag == 0 {
		o.MaxLag = MaxLag
	}
	return &Watch{opt: o, gather: newGather()}
}

// Hold is for the Feeder: up to where the spool may forget. A watch that lags too
// far behind what is stored lets go, and goes on from there.
func (w *Watch) Hold(applied spool.Position) spool.Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.loaded {
		return spool.Position{}
	}
	from := w.state.At
	if from.Before(w.jump) {
		from = w.jump
	}
	if !from.Before(applied) {
		return applied
	}
	behind := w.opt.Spool.Behind(from)
	if behind <= w.opt.MaxLag {
		return from
	}
	w.jumped += behind - w.opt.Spool.Behind(applied)
	w.jump = applied
	return applied
}

// Run looks until ctx ends, then stores what waits.
func (w *Watch) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := w.begin(ctx)
		if err == nil {
			err = w.follow(ctx)
		}
		if err != nil && ctx.Err() == nil {
			w.opt.Log.Error("the watch of the traces stops for a moment", "err", err)
			w.opt.Pause(ctx, retryPause)
		}
		if w.reader != nil {
			if err := w.reader.Close(); err != nil {
				w.opt.Log.Warn("the watch of the traces closes its queue", "err", err)
			}
			w.reader = nil
		}
	}
	return nil
}

// begin opens the queue: at the place that was written down the first time, and
// after a trouble where what was gathered ends. What was gathered is kept through
// it: what a Later told of events that are long stored would not be told again.
func (w *Watch) begin(ctx context.Context) error {
	state, err := Read(ctx, w.opt.DB, w.opt.Flow)
	if err != nil {
		return err
	}
	if !w.loaded {
		w.mu.Lock()
		w.state, w.loaded = state, true
		w.mu.Unlock()
		w.at, w.kept = state.At, w.opt.Clock.Now()
	}
	w.reader = spool.NewReader(w.opt.Dir, w.at)
	if w.tried == nil {
		return nil
	}
	if w.tried.same(state) && !w.tried.same(w.state) {
		// It was stored, and its answer got lost.
		w.settle()
		return nil
	}
	// Nothing more is gathered while it cannot be stored.
	return w.keep(ctx, w.opt.Clock.Now())
}

// follow reads batches, and waits when there is nothing.
func (w *Watch) follow(ctx context.Context) error {
	b := &batch{}
	for ctx.Err() == nil {
		begun := w.opt.Clock.Now()
		if err := w.leap(ctx); err != nil {
			return err
		}
		upTo := w.opt.Spool.Durable()
		if err := w.fill(b, upTo); err != nil {
			return err
		}
		if len(b.events) > 0 {
			if err := w.look(ctx, b.events); err != nil {
				return err
			}
		}
		w.at = w.reader.At()
		now := w.opt.Clock.Now()
		w.ask(ctx, now)
		more := w.at.Before(upTo) && len(b.events) > 0
		if w.due(now, more) {
			if err := w.keep(ctx, now); err != nil {
				return err
			}
		}
		if more {
			w.opt.Pause(ctx, now.Sub(begun)/rest)
			continue
		}
		if err := w.await(ctx, upTo); err != nil {
			return err
		}
	}
	// What was looked at last is stored before the end.
	return w.keep(context.WithoutCancel(ctx), w.opt.Clock.Now())
}

// ask has each Later tell what is due.
func (w *Watch) ask(ctx context.Context, now time.Time) {
	if now.Sub(w.asked) < dueEvery {
		return
	}
	w.asked = now
	for _, d := range w.opt.Detectors {
		if l, ok := d.Detector.(Later); ok {
			w.gather.Hits = append(w.gather.Hits, l.Due(ctx, storage.Micros(now))...)
		}
	}
}

// leap follows what Hold let go.
func (w *Watch) leap(ctx context.Context) error {
	w.mu.Lock()
	to := w.jump
	w.mu.Unlock()
	if !w.at.Before(to) {
		return nil
	}
	w.opt.Log.Error("the watch of the traces lags: what waited was stored and not examined", "from", w.at.String(), "to", to.String())
	err := w.reader.Close()
	w.at, w.reader = to, spool.NewReader(w.opt.Dir, to)
	return errors.Join(err, w.keep(ctx, w.opt.Clock.Now()))
}

// batch is events with the bytes that they share.
type batch struct {
	events []traces.Event
	bytes  []byte
}

// fill reads the next events up to a place.
func (w *Watch) fill(b *batch, upTo spool.Position) error {
	b.bytes = b.bytes[:0]
	n := 0
	for n < batchEvents && len(b.bytes) < batchBytes {
		record, err := w.reader.Next(upTo)
		var damage *spool.Damage
		switch {
		case errors.Is(err, io.EOF):
			b.events = b.events[:n]
			return nil
		case errors.As(err, &damage):
			continue // the base tells it: it loses more by it
		case err != nil:
			return err
		}
		if n == len(b.events) {
			if n == cap(b.events) {
				b.events = append(b.events, traces.Event{})
			}
			b.events = b.events[:n+1]
		}
		// The bytes of the reader hold until its next record only.
		start := len(b.bytes)
		b.bytes = append(b.bytes, record...)
		if err := traces.ReadRecord(b.bytes[start:len(b.bytes):len(b.bytes)], &b.events[n]); err != nil {
			// The base refuses it too, and says so: nobody may guess what it is.
			return fmt.Errorf("watch at %s: %w", w.reader.At(), err)
		}
		n++
	}
	b.events = b.events[:n]
	return nil
}

// look gives a batch to the Detectors, to each what it may see. It gathers all
// that they tell, or nothing.
func (w *Watch) look(ctx context.Context, events []traces.Event) error {
	var open map[uuid.UUID]bool
	err := w.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) (err error) {
		open, err = w.opt.Keeper.InService(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	behaviour, systems := w.part(events, open)
	hits, err := w.observe(ctx, behaviour, systems)
	shares := w.shares()
	if err != nil {
		return err // it is looked at again, and counted then
	}
	w.gather.Hits = append(w.gather.Hits, hits...)
	for k, s := range shares {
		w.gather.Shares[k] = w.gather.Shares[k].Plus(s)
	}
	// Where behaviour is not looked at, nothing of it is counted as examined.
	for i := range systems {
		e := &systems[i]
		w.gather.Examined[Counted{e.Organisation, e.Class == traces.PatientAccess, dayOf(e.Received)}]++
	}
	w.gather.events += int64(len(events))
	return nil
}

func (w *Watch) observe(ctx context.Context, behaviour, systems []traces.Event) (out []traces.Hit, err error) {
	for _, d := range w.opt.Detectors {
		seen := systems
		if d.Behaviour {
			seen = behaviour
		}
		if len(seen) == 0 {
			continue
		}
		hits, err := d.Observe(ctx, seen)
		if err != nil {
			return nil, err
		}
		out = append(out, hits...)
	}
	return out, nil
}

// shares takes what the Detectors counted of the batch in hand.
func (w *Watch) shares() map[traces.Count]traces.Share {
	out := map[traces.Count]traces.Share{}
	for _, d := range w.opt.Detectors {
		if t, ok := d.Detector.(Tallier); ok {
			for k, s := range t.TakeShares() {
				out[k] = out[k].Plus(s)
			}
		}
	}
	return out
}

const dayMicros = int64(24 * time.Hour / time.Microsecond)

func dayOf(us int64) int64 { return us - us%dayMicros }

// part gives what those may see who look at behaviour, and what the others may.
// What we wrote of ourselves, a look at the traces, is looked at by nobody.
func (w *Watch) part(events []traces.Event, open map[uuid.UUID]bool) (behaviour, systems []traces.Event) {
	behaviour, systems = w.behaviour[:0], w.systems[:0]
	for _, e := range events {
		switch {
		case e.Collector == traces.OwnFormat:
		case open[e.Organisation]:
			behaviour, systems = append(behaviour, e), append(systems, e)
		case e.Class != traces.PatientAccess:
			systems = append(systems, e)
		}
	}
	w.behaviour, w.systems = behaviour, systems
	return behaviour, systems
}

// due tells whether what was gathered is stored now.
func (w *Watch) due(now time.Time, more bool) bool {
	switch {
	case w.gather.empty():
		return false
	case !more && len(w.gather.Hits) > 0, len(w.gather.Hits) >= pendingMost:
		return true
	}
	return now.Sub(w.kept) >= keepEvery
}

// await waits for the next records; what was gathered is stored meanwhile.
func (w *Watch) await(ctx context.Context, after spool.Position) error {
	if !w.gather.empty() {
		wait, done := context.WithTimeout(ctx, keepEvery)
		_, err := w.opt.Spool.Wait(wait, after)
		done()
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if err := w.keep(ctx, w.opt.Clock.Now()); err != nil {
			return err
		}
	}
	wait, done := context.WithTimeout(ctx, dueEvery)
	defer done()
	if _, err := w.opt.Spool.Wait(wait, after); err != nil {
		return nil
	}
	return nil
}
