package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// The times of a claim on PostgreSQL. No node ever compares its clock with
// another's: the holder stops by itself leaseKeep - leaseMargin after it began
// its last renewal, and another node takes over once it has watched the renewals
// stand still for leaseKeep + leaseGrace, each by its own monotonic counter. A
// lot is never in two hands, and free within 8 seconds of a death.
const (
	leaseKeep   = 5500 * time.Millisecond
	leaseMargin = time.Second
	leaseGrace  = time.Second
	leaseRenew  = 1500 * time.Millisecond
	leaseLook   = 500 * time.Millisecond
)

// leases are the lots this node holds. On SQLite one process is alone, so that
// a claim needs no renewal and is taken back at the next start.
type leases struct {
	d     *Dispatch
	alone bool

	mu   sync.Mutex
	held map[uuid.UUID]*lot

	// others are the last renewals seen of the other nodes; only the task that
	// looks for the dead uses it.
	others *sightings[string]
}

func newLeases(d *Dispatch) *leases {
	return &leases{d: d, alone: d.db.Engine() == storage.SQLite, held: make(map[uuid.UUID]*lot), others: newSightings[string](leaseKeep + leaseGrace)}
}

// until is the end of a lease begun at that moment of Dispatch.elapsed, as it
// is stored. It only ever grows on one node, whatever becomes of the hour.
func (l *leases) until(begun time.Duration) int64 {
	return storage.Micros(l.d.born.Add(begun + leaseKeep))
}

// mine is the moment of Dispatch.elapsed from which this node no longer sends
// by that lease; 0 means never.
func (l *leases) mine(begun time.Duration) int64 {
	if l.alone {
		return 0
	}
	return int64(begun + leaseKeep - leaseMargin)
}

func (l *leases) remember(x *lot) {
	if l.alone {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[x.id] = x
}

func (l *leases) forget(lots []*lot) {
	if l.alone || len(lots) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range lots {
		delete(l.held, x.id)
	}
}

// renew prolongs the leases that are still this node's; one that another node
// took is not prolonged, and its lot's messages are abandoned.
func (l *leases) renew(ctx context.Context) (bool, error) {
	l.mu.Lock()
	n := len(l.held)
	l.mu.Unlock()
	if l.alone || n == 0 {
		return false, nil
	}
	begun := l.d.elapsed() // before the write: the lease must end here no later than there
	var kept []uuid.UUID
	err := l.d.db.Write(ctx, access.Instance("dispatch.leases"), func(tx *storage.Tx) error {
		kept = kept[:0]
		return tx.Query(ctx, `UPDATE dispatch_lots SET lease_us = $2 WHERE holder = $1 AND pending RETURNING id`,
			[]any{l.d.node, l.until(begun)}, func(row func(...any) error) error {
				var id uuid.UUID
				err := row(&id)
				kept = append(kept, id)
				return err
			})
	})
	if err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range kept {
		if x := l.held[id]; x != nil {
			x.leaseUntil.Store(l.mine(begun))
		}
	}
	return false, nil
}

// recoverAtStart takes back, on SQLite, what any earlier process held: there
// is no other process now.
func (d *Dispatch) recoverAtStart(ctx context.Context) error {
	if !d.leases.alone {
		return nil
	}
	return d.takeBack(ctx, `pending AND holder IS NOT NULL AND holder <> $1`, d.node)
}

// recoverLapsed takes back what nodes held that no longer renew.
func (d *Dispatch) recoverLapsed(ctx context.Context) (bool, error) {
	if d.leases.alone {
		return false, nil
	}
	renewals := make(map[string]int64)
	err := d.db.Read(ctx, access.Instance("dispatch.recover"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT holder, MAX(lease_us) FROM dispatch_lots WHERE pending AND holder IS NOT NULL AND holder <> $1 GROUP BY holder`,
			[]any{d.node}, func(row func(...any) error) error {
				var holder string
				var lease int64
				err := row(&holder, &lease)
				renewals[holder] = lease
				return err
			})
	})
	if err != nil {
		return false, err
	}
	for _, holder := range d.leases.others.still(d.elapsed(), renewals) {
		// A holder that renews meanwhile keeps its lots: their lease has grown.
		if err := d.takeBack(ctx, `pending AND holder = $1 AND lease_us <= $2`, holder, renewals[holder]); err != nil {
			return false, err
		}
	}
	return false, nil
}

// deadLot is a lot whose holder died.
type deadLot struct {
	org, id, campaign uuid.UUID
	medium            channels.Medium
	purpose           string
	wave              int
}

func (d *Dispatch) takeBack(ctx context.Context, where string, args ...any) error {
	var dead []deadLot
	err := d.db.Read(ctx, access.Instance("dispatch.recover"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, id, campaign_id, medium, purpose, wave FROM dispatch_lots WHERE `+where, args, func(row func(...any) error) error {
			var l deadLot
			err := row(&l.org, &l.id, &l.campaign, &l.medium, &l.purpose, &l.wave)
			dead = append(dead, l)
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, l := range dead {
		scope := access.System(l.org, "dispatch")
		if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error { return d.reopen(ctx, tx, scope, l, where, args) }); err != nil {
			return err
		}
	}
	if len(dead) > 0 {
		d.log.Warn("took back what another process had claimed", "lots", len(dead))
		d.office.wake()
	}
	return nil
}

// reopen gives a dead holder's lot back to the queue. What it had not settled
// may have left: it is sent again under the same id, and says so.
func (d *Dispatch) reopen(ctx context.Context, tx *storage.Tx, scope access.Scope, l deadLot, where string, args []any) error {
	n := len(args)
	var still int
	found, err := tx.Row(ctx, `SELECT 1 FROM dispatch_lots WHERE `+where+` AND organisation_id = `+dollar(n+1)+` AND id = `+dollar(n+2)+` {{skip_locked}}`,
		append(args[:n:n], l.org, l.id), &still)
	if err != nil || !found {
		return err
	}
	now, said := d.clock.Now(), newScribe()
	remaining := 0
	err = tx.Query(ctx, `SELECT id, subject_id, address, possible_double FROM dispatch_deliveries WHERE lot_id = $1 AND organisation_id = $2 AND state = 'queued'`,
		[]any{l.id, l.org}, func(row func(...any) error) error {
			f := Fact{Campaign: l.campaign, Medium: l.medium, Kind: FactDoublePossible, Purpose: l.purpose, Wave: l.wave, At: now}
			var before bool
			if err := row(&f.Delivery, &f.Subject, &f.Address, &before); err != nil {
				return err
			}
			remaining++
			if !before {
				said.count(l.campaign, l.medium, tallyDouble, 1)
				said.tell(f)
			}
			return nil
		})
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE dispatch_deliveries SET possible_double = TRUE WHERE lot_id = $1 AND organisation_id = $2 AND state = 'queued'`, l.id, l.org); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE dispatch_lots SET holder = NULL, lease_us = NULL, remaining = $3, pending = $4 WHERE organisation_id = $1 AND id = $2`,
		l.org, l.id, remaining, remaining > 0); err != nil {
		return err
	}
	return said.write(ctx, tx, scope, now, d.node)
}
