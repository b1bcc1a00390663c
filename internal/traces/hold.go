package traces

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

const (
	// HoldEvery is how often the machine of the base says that it is there.
	HoldEvery = 10 * time.Second
	// holdLife is how long after its last word a machine may not be replaced.
	holdLife = 3 * HoldEvery
	// place is the one line of traces_base.
	place = "base"
)

// Holder is the machine that holds the base, where several nodes serve.
type Holder struct {
	// Base is the id in the folder of the base.
	Base uuid.UUID
	Host string
	Seen time.Time
}

// Alive tells whether it was heard of lately.
func (h Holder) Alive(now time.Time) bool { return now.Sub(h.Seen) < holdLife }

// Hold says that a machine holds the base, for the first time or again. Another
// base is refused for ever, until Adopt: what it was asked would be answered
// without all that was said before. The same base on another machine, a copy, is
// refused while the first is alive. Errors: Conflict.
func (s *Service) Hold(ctx context.Context, now time.Time, base uuid.UUID, host string) error {
	var held Holder
	var mine bool
	err := s.opt.DB.Write(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		seen := storage.Micros(now)
		n, err := tx.Exec(ctx, `INSERT INTO traces_base (place, base_id, host, seen_us) VALUES ($1, $2, $3, $4)
			ON CONFLICT (place) DO UPDATE SET host = excluded.host, seen_us = excluded.seen_us
			WHERE traces_base.base_id = excluded.base_id AND (traces_base.host = excluded.host OR traces_base.seen_us < $5)`,
			place, base, host, seen, storage.Micros(now.Add(-holdLife)))
		if mine = n > 0; mine || err != nil {
			return err
		}
		_, held, err = holder(ctx, tx)
		return err
	})
	if err == nil && !mine {
		return fault.New(fault.Conflict, "traces.error.held", "host", held.Host)
	}
	return err
}

// Adopt has another base hold the traces from now on. The one before is refused.
func (s *Service) Adopt(ctx context.Context, now time.Time, base uuid.UUID, host string) (before Holder, err error) {
	err = s.opt.DB.Write(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		var err error
		if _, before, err = holder(ctx, tx); err != nil {
			return err
		}
		if before.Base != base && before.Alive(now) {
			return fault.New(fault.Conflict, "traces.error.held", "host", before.Host)
		}
		_, err = tx.Exec(ctx, `INSERT INTO traces_base (place, base_id, host, seen_us) VALUES ($1, $2, $3, 0)
			ON CONFLICT (place) DO UPDATE SET base_id = excluded.base_id, host = excluded.host, seen_us = 0`, place, base, host)
		return err
	})
	return before, err
}

// Holder gives the machine that holds the base; false when none ever did.
func (s *Service) Holder(ctx context.Context) (found bool, h Holder, err error) {
	err = s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		found, h, err = holder(ctx, tx)
		return err
	})
	return found, h, err
}

func holder(ctx context.Context, tx *storage.Tx) (found bool, h Holder, err error) {
	var seen int64
	found, err = tx.Row(ctx, `SELECT base_id, host, seen_us FROM traces_base WHERE place = $1`, []any{place}, &h.Base, &h.Host, &seen)
	h.Seen = storage.Time(seen)
	return found, h, err
}
