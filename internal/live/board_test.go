package live_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/clock"
	"tocsin/internal/live"
)

func pace(every, stale time.Duration) live.Pace {
	return live.Pace{Every: every, Stale: stale, Clock: clock.Real()}
}

// counter is a load that counts its readings.
type counter struct{ readings atomic.Int64 }

func (c *counter) load(context.Context) (int64, error) { return c.readings.Add(1), nil }

// pass lets the bubble's time pass and everything settle.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestBoardReadsOncePerTickForAThousandViewers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub, c := live.NewHub(), &counter{}
		board := live.NewBoard[int64](hub, pace(time.Second, 0))
		ctx, leave := context.WithCancel(t.Context())
		var latest [1000]atomic.Int64
		var viewers sync.WaitGroup
		for i := range latest {
			snapshots := board.Watch(ctx, "alert:1", c.load)
			viewers.Go(func() {
				for s := range snapshots {
					latest[i].Store(s.Value)
				}
			})
		}
		synctest.Wait()
		for range 100 { // 10 seconds with ten moves a second
			hub.Notify("alert:1")
			pass(100 * time.Millisecond)
		}
		pass(time.Second)
		if got := c.readings.Load(); got < 10 || got > 12 {
			t.Errorf("%d readings in 10 s of moves, want about 11", got)
		}
		for i := range latest {
			if got := latest[i].Load(); got != c.readings.Load() {
				t.Fatalf("viewer %d stays at reading %d of %d", i, got, c.readings.Load())
			}
		}
		before := c.readings.Load()
		pass(time.Minute)
		if got := c.readings.Load(); got != before {
			t.Errorf("%d readings without any move", got-before)
		}
		leave()
		viewers.Wait()
		hub.Notify("alert:1")
		pass(time.Minute)
		if got := c.readings.Load(); got != before {
			t.Errorf("%d readings although nobody watches", got-before)
		}
		board.Close()
	})
}

func TestBoardReadsAgainWithoutNewsWhenStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &counter{}
		board := live.NewBoard[int64](live.NewHub(), pace(time.Second, 5*time.Second))
		snapshots := board.Watch(t.Context(), "x", c.load)
		pass(21 * time.Second)
		if got := c.readings.Load(); got != 5 {
			t.Errorf("%d readings in 21 s, want 5 (0, 5, 10, 15, 20 s)", got)
		}
		if s := <-snapshots; s.Value != 5 {
			t.Errorf("a viewer who took nothing finds reading %d, want the latest", s.Value)
		}
		board.Close()
	})
}

func TestBoardReadsAMoveThatCameDuringAReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := live.NewHub()
		board := live.NewBoard[int](hub, pace(time.Second, 0))
		state, readings := 1, 0
		snapshots := board.Watch(t.Context(), "x", func(context.Context) (int, error) {
			readings++
			seen := state
			if readings == 1 { // the state moves just after it was read
				state = 2
				hub.Notify("x")
			}
			return seen, nil
		})
		pass(3 * time.Second)
		if s := <-snapshots; s.Value != 2 {
			t.Errorf("the board stays at %d, want 2", s.Value)
		}
		board.Close()
	})
}

func TestBoardKeepsTheLastGoodValueWhenAReadingFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := live.NewHub()
		board := live.NewBoard[string](hub, pace(time.Second, 0))
		down := errors.New("database down")
		steps := []func() (string, error){
			func() (string, error) { return "good", nil },
			func() (string, error) { return "", down },
			func() (string, error) { panic("bug") },
			func() (string, error) { return "again", nil },
		}
		step := 0
		snapshots := board.Watch(t.Context(), "x", func(context.Context) (string, error) {
			step++
			return steps[step-1]()
		})
		next := func() live.Snapshot[string] {
			s := <-snapshots
			hub.Notify("x")
			return s
		}
		if s := next(); s.Value != "good" || s.Err != nil {
			t.Errorf("first: %+v", s)
		}
		if s := next(); s.Value != "good" || !errors.Is(s.Err, down) {
			t.Errorf("while down: %+v", s)
		}
		if s := next(); s.Value != "good" || s.Err == nil || !strings.Contains(s.Err.Error(), "panicked: bug") {
			t.Errorf("after a panic: %+v", s)
		}
		if s := next(); s.Value != "again" || s.Err != nil {
			t.Errorf("recovered: %+v", s)
		}
		board.Close()
	})
}

func TestBoardOutlivesItsFirstViewer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub, c := live.NewHub(), &counter{}
		board := live.NewBoard[int64](hub, pace(time.Second, 0))
		ctx, leave := context.WithCancel(t.Context())
		board.Watch(ctx, "x", c.load)
		second := board.Watch(t.Context(), "x", c.load)
		synctest.Wait()
		if s := <-second; s.Value != 1 {
			t.Errorf("second viewer first sees %d", s.Value)
		}
		late := board.Watch(t.Context(), "x", c.load)
		if s := <-late; s.Value != 1 {
			t.Errorf("a late viewer first sees %d, want the present snapshot", s.Value)
		}
		leave()
		pass(2 * time.Second)
		hub.Notify("x")
		synctest.Wait()
		if s := <-second; s.Value != 2 || s.Err != nil {
			t.Errorf("after the first left: %+v", s)
		}
		board.Close()
		if _, open := <-second; open {
			t.Error("the channel is open after Close")
		}
		if _, open := <-board.Watch(t.Context(), "x", c.load); open {
			t.Error("a closed board gave a snapshot")
		}
	})
}

func TestGet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub, c := live.NewHub(), &counter{}
		board := live.NewBoard[int64](hub, pace(time.Second, 0))
		if got, err := board.Get(t.Context(), "x", c.load); got != 1 || err != nil {
			t.Errorf("got %d, %v", got, err)
		}
		synctest.Wait()
		if got := hub.Listeners("x"); got != 0 {
			t.Errorf("Get left %d listeners", got)
		}
		board.Watch(t.Context(), "x", c.load)
		synctest.Wait()
		for range 50 {
			if got, err := board.Get(t.Context(), "x", c.load); got != 2 || err != nil {
				t.Fatalf("beside a viewer: %d, %v; want the shared reading", got, err)
			}
		}
		down := errors.New("down")
		if _, err := board.Get(t.Context(), "y", func(context.Context) (int64, error) { return 0, down }); !errors.Is(err, down) {
			t.Errorf("got %v, want %v", err, down)
		}
		short, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		_, err := board.Get(short, "z", func(ctx context.Context) (int64, error) { <-ctx.Done(); return 0, ctx.Err() })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a slow reading: %v", err)
		}
		board.Close()
		if _, err := board.Get(t.Context(), "x", c.load); !errors.Is(err, live.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}
