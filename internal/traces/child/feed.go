package child

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"tocsin/internal/spool"
)

const (
	// gather is how long records gather before the base is told: one commit then
	// holds what many brought.
	gather = 100 * time.Millisecond
	// retryPause is how long a base that failed is left alone.
	retryPause = time.Second
)

// Taker stores what the spool holds before a place, and tells how far it came.
type Taker interface {
	Take(ctx context.Context, upTo spool.Position) (Taken, error)
}

// Feeder has the base store what the spool holds, and the spool forget what is
// stored.
type Feeder struct {
	Spool *spool.Spool
	Base  Taker
	Log   *slog.Logger
	// Hold tells, of what is stored, up to where the spool may forget: whoever
	// else reads it may need more time. Nil holds nothing back.
	Hold func(applied spool.Position) spool.Position
	// Gather is how long records gather before the base is told, a tenth of a second
	// when zero.
	Gather time.Duration
	// Pause waits, or returns early with ctx.
	Pause func(ctx context.Context, d time.Duration)
}

// Run feeds until ctx ends.
func (f *Feeder) Run(ctx context.Context) error {
	failures, told := 0, false
	// What waited before us is stored first.
	for upTo := f.Spool.Durable(); ctx.Err() == nil; {
		taken, err := f.Base.Take(ctx, upTo)
		if err != nil {
			// A base that starts is not there at once.
			if failures++; failures > 5 && ctx.Err() == nil && !told {
				f.Log.Error("the base of traces does not store: what comes in waits on the disk", "err", err)
				told = true
			}
			f.Pause(ctx, retryPause)
			upTo = f.Spool.Durable()
			continue
		}
		if told {
			f.Log.Info("the base of traces stores again")
			told = false
		}
		failures = 0
		for _, d := range taken.Damage {
			f.Log.Error("traces lost to damage of the disk", "where", d)
		}
		if err := f.Spool.Release(f.hold(taken.Applied)); err != nil {
			f.Log.Error("traces", "err", err)
		}
		if taken.Applied.Before(upTo) {
			continue
		}
		if _, err := f.Spool.Wait(ctx, upTo); err != nil {
			return nil
		}
		f.Pause(ctx, cmp.Or(f.Gather, gather))
		upTo = f.Spool.Durable()
	}
	return nil
}

func (f *Feeder) hold(applied spool.Position) spool.Position {
	if f.Hold == nil {
		return applied
	}
	return f.Hold(applied)
}
