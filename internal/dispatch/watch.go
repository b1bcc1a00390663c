package dispatch

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// The rhythm of the kill switch: every sender looks at the epoch before each
// message, the epoch is read this often, and a node that could not read it for
// too long holds its messages back.
const (
	watchEvery = 250 * time.Millisecond
	watchStale = 900 * time.Millisecond
)

// watch knows which campaigns in flight were stopped.
type watch struct {
	d    *Dispatch
	bell chan struct{}

	// seen is when the epochs were last read, in nanoseconds of Dispatch.elapsed.
	seen atomic.Int64
	// alone are the establishments in isolated mode.
	alone atomic.Pointer[map[uuid.UUID]bool]

	mu     sync.Mutex
	flags  map[uuid.UUID]*stopFlag
	purses map[uuid.UUID]*purse
	// news is closed and replaced at every successful look.
	news chan struct{}
}

// stopFlag is one campaign in flight.
type stopFlag struct {
	stopped atomic.Bool
	users   int
	purse   *purse
}

func newWatch(d *Dispatch) *watch {
	return &watch{d: d, bell: make(chan struct{}, 1), flags: make(map[uuid.UUID]*stopFlag), purses: make(map[uuid.UUID]*purse), news: make(chan struct{})}
}

func (w *watch) wake() { ring(w.bell) }

// ring leaves one call in a bell, however often it is rung.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// hold returns the flag of a campaign that a lot in flight belongs to.
func (w *watch) hold(campaign uuid.UUID) *stopFlag {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.flags[campaign]
	if f == nil {
		f = &stopFlag{purse: w.purseOf(campaign)}
		w.flags[campaign] = f
	}
	f.users++
	return f
}

func (w *watch) release(campaign uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.flags[campaign]; f != nil {
		if f.users--; f.users == 0 {
			delete(w.flags, campaign)
		}
	}
}

// refresh reads the epochs of the campaigns in flight.
func (w *watch) refresh(ctx context.Context) error {
	begun := w.d.elapsed()
	w.mu.Lock()
	ids := sortedIDs(w.flags)
	w.mu.Unlock()
	epochs, alone, err := w.read(ctx, ids)
	if err != nil {
		return err
	}
	w.alone.Store(&alone)
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, e := range epochs {
		if f := w.flags[id]; f != nil {
			f.purse.learn(e.budget)
			if e.stopped {
				f.stopped.Store(true)
			}
		}
	}
	w.seen.Store(int64(begun))
	close(w.news)
	w.news = make(chan struct{})
	return nil
}

// recent tells whether the epochs known are recent enough to send by.
func (w *watch) recent() bool { return w.d.elapsed()-time.Duration(w.seen.Load()) < watchStale }

// epoch is what a campaign in flight must obey.
type epoch struct {
	stopped bool
	budget  budget
}

// read asks which of the campaigns were stopped and what they may spend, and
// who is isolated.
func (w *watch) read(ctx context.Context, ids []uuid.UUID) (epochs map[uuid.UUID]epoch, alone map[uuid.UUID]bool, err error) {
	epochs = make(map[uuid.UUID]epoch, len(ids))
	err = w.d.db.Read(ctx, access.Instance("dispatch.watch"), func(tx *storage.Tx) error {
		if alone, err = isolated(ctx, tx); err != nil {
			return err
		}
		return eachChunk(ids, func(part []uuid.UUID) error {
			return tx.Query(ctx, `SELECT c.id, c.stopped_us IS NOT NULL, `+budgetColumns+` FROM dispatch_campaigns c WHERE c.id IN (`+storage.In(len(part), 2)+`)
				AND (c.stopped_us IS NOT NULL OR c.ceiling_micros > 0)`,
				storage.Args(part, w.d.node), func(row func(...any) error) error {
					var id uuid.UUID
					var e epoch
					err := row(&id, &e.stopped, &e.budget.ceiling, &e.budget.limited, &e.budget.others)
					epochs[id] = e
					return err
				})
		})
	})
	return epochs, alone, err
}

// isolated tells whether the links of an establishment lead nowhere.
func (w *watch) isolated(organisation uuid.UUID) bool {
	alone := w.alone.Load()
	return alone != nil && (*alone)[organisation]
}

// fresh waits until the epochs known are recent enough to send by; it returns
// false when ctx ends first.
func (w *watch) fresh(ctx context.Context) bool {
	for !w.recent() {
		w.mu.Lock()
		news := w.news
		w.mu.Unlock()
		if w.recent() {
			break
		}
		w.wake()
		select {
		case <-ctx.Done():
			return false
		case <-news:
		}
	}
	return true
}
