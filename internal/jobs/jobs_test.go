package jobs_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/jobs"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

var t0 = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

func TestLeaseHasOneHolder(t *testing.T) {
	storagetest.Each(t, []fs.FS{jobs.Migrations}, func(t *testing.T, db *storage.DB) {
		a, b := jobs.NewLeases(db, "a"), jobs.NewLeases(db, "b")
		steps := []struct {
			who   *jobs.Leases
			at    time.Duration
			mine  bool
			epoch int64
		}{
			{a, 0, true, 1},
			{b, 5 * time.Second, false, 0},
			{a, 6 * time.Second, true, 1},
			{b, 15 * time.Second, false, 0}, // a renewed at 6 s
			{b, 17 * time.Second, true, 2},
			{a, 18 * time.Second, false, 0},
		}
		for i, s := range steps {
			mine, epoch, err := s.who.Acquire(t.Context(), "sealer", t0.Add(s.at), 10*time.Second)
			if err != nil || mine != s.mine || epoch != s.epoch {
				t.Fatalf("step %d: mine %v epoch %d error %v, want %v %d", i, mine, epoch, err, s.mine, s.epoch)
			}
		}
		if err := b.Release(t.Context(), "sealer"); err != nil {
			t.Fatal(err)
		}
		if mine, _, err := a.Acquire(t.Context(), "sealer", t0.Add(19*time.Second), time.Second); err != nil || !mine {
			t.Fatalf("a released lease stays held: %v %v", mine, err)
		}
	})
}

func TestRunnerSurvivesFailureAndPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs int
		r := jobs.NewRunner(clock.Real(), slog.New(slog.DiscardHandler), jobs.Task{
			Name: "clumsy", Every: time.Second,
			Run: func(context.Context, time.Time) (bool, error) {
				runs++
				switch runs {
				case 1:
					return false, errors.New("fails")
				case 2:
					panic("falls")
				case 3:
					return true, nil
				}
				return false, nil
			},
		})
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Start(t.Context()); err == nil {
			t.Error("a second start must be refused")
		}
		time.Sleep(2500 * time.Millisecond) // moved by synctest, not slept
		synctest.Wait()
		if runs != 4 {
			t.Errorf("%d runs, want 4: failure, panic, more, and the one that found nothing", runs)
		}
		r.Stop()
		r.Stop()
	})
}

func TestWakeRunsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake, ran := make(chan struct{}, 1), make(chan time.Time, 10)
		r := jobs.NewRunner(clock.Real(), slog.New(slog.DiscardHandler), jobs.Task{
			Name: "sleeper", Every: time.Hour, Wake: wake,
			Run: func(_ context.Context, now time.Time) (bool, error) { ran <- now; return false, nil },
		})
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		first := <-ran
		wake <- struct{}{}
		if second := <-ran; second.Sub(first) > time.Second {
			t.Errorf("woke after %s", second.Sub(first))
		}
		r.Stop()
	})
}

func TestWhileHoldsTheLeaseAndStopsWhenItIsLost(t *testing.T) {
	db := storagetest.SQLite(t, jobs.Migrations)
	c := clock.NewFake(t0)
	a, b := jobs.NewLeases(db, "a"), jobs.NewLeases(db, "b")
	more, err := a.While(t.Context(), c, "import", 9*time.Second, func(ctx context.Context) (bool, error) {
		if ran, err := b.While(ctx, c, "import", 9*time.Second, func(context.Context) (bool, error) { return true, nil }); ran || err != nil {
			t.Errorf("two nodes at once: %v %v", ran, err)
		}
		// The holder renews as its time passes; the other still may not.
		for range 5 {
			before := until(t, db)
			storagetest.Eventually(t, 10*time.Second, "a renewal", func() bool {
				c.Advance(3 * time.Second)
				return until(t, db).After(before)
			})
		}
		// Another node takes it by force, as after a long freeze: the work is told to stop.
		if mine, _, err := b.Acquire(t.Context(), "import", c.Now().Add(time.Hour), time.Hour); err != nil || !mine {
			t.Fatalf("take over: %v %v", mine, err)
		}
		storagetest.Eventually(t, 10*time.Second, "the work is told to stop", func() bool {
			c.Advance(3 * time.Second)
			return ctx.Err() != nil
		})
		return true, ctx.Err()
	})
	if err == nil || !more {
		t.Errorf("the loss of the lease was not said: %v %v", more, err)
	}
}

// until is the end of the only lease.
func until(t *testing.T, db *storage.DB) time.Time {
	t.Helper()
	var us int64
	if err := db.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		_, err := tx.Row(t.Context(), `SELECT until_us FROM jobs_leases`, nil, &us)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return storage.Time(us)
}
