package jobs

import (
	"context"
	"embed"
	"fmt"
	"time"

	"tocsin/internal/access"
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
