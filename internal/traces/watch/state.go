package watch

import (
	"context"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
)

// State is where the watch is.
type State struct {
	At spool.Position
	// Examined counts the events that were looked at; Skipped the bytes that were
	// not, the last time at SkippedAt.
	Examined, Skipped int64
	SkippedAt         time.Time
	Updated           time.Time
}

// Live names the flow where one machine takes all in.
const Live = "live"

// Read gives the state of a flow that was written down.
func Read(ctx context.Context, db *storage.DB, flow string) (out State, err error) {
	err = db.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		var segment, skipped, updated int64
		found, err := tx.Row(ctx, `SELECT segment, place, examined, skipped_bytes, skipped_us, updated_us FROM traces_watched WHERE name = $1`, []any{flow},
			&segment, &out.At.Offset, &out.Examined, &out.Skipped, &skipped, &updated)
		if err != nil || !found {
			return err
		}
		out.At.Segment, out.Updated = uint64(segment), storage.Time(updated)
		if skipped > 0 {
			out.SkippedAt = storage.Time(skipped)
		}
		return nil
	})
	return out, err
}

// Behind is how much of the queue waits to be looked at, bytes, and the state.
func (w *Watch) Behind() (int64, State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	from := w.state.At
	if from.Before(w.jump) {
		from = w.jump
	}
	return w.opt.Spool.Behind(from), w.state
}

// attempt is a place that is being stored, with what it covers.
type attempt struct {
	State
	jumped int64
}

// same tells whether it is what was written down.
func (a *attempt) same(s State) bool {
	return a.At == s.At && a.Examined == s.Examined && storage.Micros(a.Updated) == storage.Micros(s.Updated)
}

// keep stores what was gathered and the place, in one transaction. When that
// fails it stays gathered.
func (w *Watch) keep(ctx context.Context, now time.Time) error {
	w.mu.Lock()
	next := attempt{State: w.state, jumped: w.jumped}
	w.mu.Unlock()
	next.At, next.Examined, next.Updated = w.at, next.Examined+w.gather.events, now
	if next.jumped > 0 {
		next.Skipped, next.SkippedAt = next.Skipped+next.jumped, now
	}
	if w.gather.empty() && next.jumped == 0 {
		return nil
	}
	w.tried = &next
	err := w.opt.DB.Write(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		if err := w.opt.Keeper.Keep(ctx, tx, now, w.gather.Catch); err != nil {
			return err
		}
		return write(ctx, tx, w.opt.Flow, next.State)
	})
	if err != nil {
		return err
	}
	w.settle()
	return nil
}

// settle takes note that what was tried is stored.
func (w *Watch) settle() {
	done := w.tried
	w.tried, w.gather, w.kept = nil, newGather(), done.Updated
	w.mu.Lock()
	w.state = done.State
	w.jumped -= done.jumped
	w.mu.Unlock()
	if w.opt.Stored != nil {
		w.opt.Stored(done.State)
	}
}

func write(ctx context.Context, tx *storage.Tx, flow string, s State) error {
	var skipped int64
	if !s.SkippedAt.IsZero() {
		skipped = storage.Micros(s.SkippedAt)
	}
	_, err := tx.Exec(ctx, `INSERT INTO traces_watched (name, segment, place, examined, skipped_bytes, skipped_us, updated_us) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (name) DO UPDATE SET segment = excluded.segment, place = excluded.place, examined = excluded.examined,
		skipped_bytes = excluded.skipped_bytes, skipped_us = excluded.skipped_us, updated_us = excluded.updated_us`,
		flow, int64(s.At.Segment), s.At.Offset, s.Examined, s.Skipped, skipped, storage.Micros(s.Updated))
	return err
}
