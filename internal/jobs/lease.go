package jobs

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"sync"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/storage"
)

// Migrations holds the tables of this package.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Leases gives a piece of work to one node at a time.
type Leases struct {
	db     *storage.DB
	holder string
}

// NewLeases returns the leases of one node; holder must differ between nodes
// and between two starts of the same node.
func NewLeases(db *storage.DB, holder string) *Leases { return &Leases{db, holder} }

// Acquire takes or renews the lease until now+keep. mine is false when another
// node holds it. epoch grows each time the lease changes hands.
func (l *Leases) Acquire(ctx context.Context, name string, now time.Time, keep time.Duration) (mine bool, epoch int64, err error) {
	scope := access.Instance("jobs")
	until := storage.Micros(now.Add(keep))
	err = l.db.Write(ctx, scope, func(tx *storage.Tx) error {
		mine, err = tx.Row(ctx, `INSERT INTO jobs_leases (name, holder, until_us, epoch) VALUES ($1, $2, $3, 1)
			ON CONFLICT (name) DO UPDATE SET
			  epoch = CASE WHEN jobs_leases.holder = excluded.holder THEN jobs_leases.epoch ELSE jobs_leases.epoch + 1 END,
			  holder = excluded.holder, until_us = excluded.until_us
			WHERE jobs_leases.holder = excluded.holder OR jobs_leases.until_us < $4
			RETURNING epoch`, []any{name, l.holder, until, storage.Micros(now)}, &epoch)
		return err
	})
	if err != nil {
		return false, 0, fmt.Errorf("lease %s: %w", name, err)
	}
	return mine, epoch, nil
}

// Release gives the lease back, so that another node need not wait for its end.
func (l *Leases) Release(ctx context.Context, name string) error {
	return l.db.Write(ctx, access.Instance("jobs"), func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE jobs_leases SET until_us = 0 WHERE name = $1 AND holder = $2`, name, l.holder)
		return err
	})
}

// While runs work if this node can take the lease, renews it at a third of its
// life as long as work lasts, and cancels work's context as soon as a renewal
// fails: a node that cannot renew stops by itself. more is work's answer, false
// when another node holds the lease.
func (l *Leases) While(ctx context.Context, c clock.Clock, name string, keep time.Duration, work func(context.Context) (bool, error)) (more bool, err error) {
	mine, _, err := l.Acquire(ctx, name, c.Now(), keep)
	if err != nil || !mine {
		return false, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	var renewing sync.WaitGroup
	renewing.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-c.After(keep / 3):
			}
			// A renewal without an answer must not outlive the lease: the work stops before.
			asked, enough := context.WithTimeout(ctx, keep/3)
			mine, _, err := l.Acquire(asked, name, c.Now(), keep)
			enough()
			if err == nil && !mine {
				err = fmt.Errorf("lease %s: lost", name)
			}
			if err != nil {
				cancel(err)
				return
			}
		}
	})
	more, err = work(ctx)
	close(done)
	renewing.Wait()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = errors.Join(err, cause)
	}
	cancel(nil)
	return more, err
}
