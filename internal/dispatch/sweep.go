package dispatch

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/jobs"
	"tocsin/internal/storage"
)

// The rhythm of the room's own tasks.
const (
	sweepEvery  = 500 * time.Millisecond
	reloadEvery = 2 * time.Second
	orphanEvery = 500 * time.Millisecond
	// orphanKeep is how long a receipt waits for the delivery it is about.
	orphanKeep = 7 * 24 * time.Hour
)

// tasks run between Start and Stop on the time of the machine: how often one
// looks is not a matter of the hour it is.
func (d *Dispatch) tasks() []jobs.Task {
	plain := func(name string, every time.Duration, wake <-chan struct{}, run func(context.Context) (bool, error)) jobs.Task {
		return jobs.Task{
			Name: "dispatch." + name, Every: every, Wake: wake,
			Run: func(ctx context.Context, _ time.Time) (bool, error) { return run(ctx) },
		}
	}
	return []jobs.Task{
		plain("watch", watchEvery, d.watch.bell, func(ctx context.Context) (bool, error) { return false, d.watch.refresh(ctx) }),
		plain("renew", leaseRenew, nil, d.leases.renew),
		plain("shares", shareEvery, d.shares.bell, d.shares.renew),
		plain("recover", leaseLook, nil, d.recoverLapsed),
		plain("conferences", lostLook, nil, d.halls.lookForLost),
		plain("sweep", sweepEvery, d.sweepBell, d.sweep),
		plain("orphans", orphanEvery, nil, d.matchOrphans),
		plain("gateways", reloadEvery, d.office.bell, d.office.reload),
		plain("relay", relayEvery, d.relay.bell, d.relay.run),
		plain("troubles", troubleEvery, nil, d.lookForTroubles),
	}
}

func newRunner(d *Dispatch) *jobs.Runner { return jobs.NewRunner(clock.Real(), d.log, d.tasks()...) }

// sweepLots is how many lots one transaction ends.
const sweepLots = 8

// doomedLot is a lot nobody holds whose deliveries will not leave any more.
type doomedLot struct {
	id, campaign uuid.UUID
	medium       channels.Medium
	purpose      string
	wave         int
	expired      bool
}

// sweep ends what must not leave any more and that no gateway holds: stopped,
// withdrawn or outdated. It works in small transactions; nothing waits for it,
// because claims pass these lots by.
func (d *Dispatch) sweep(ctx context.Context) (more bool, err error) {
	orgs, err := d.organisations(ctx, `SELECT DISTINCT organisation_id FROM dispatch_lots WHERE `+doomed, storage.Micros(d.clock.Now()))
	if err != nil {
		return false, err
	}
	for _, org := range orgs {
		scope := access.System(org, "dispatch")
		if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error { return d.sweepSome(ctx, tx, scope) }); err != nil {
			return false, err
		}
		d.relay.wake()
	}
	return len(orgs) > 0, nil
}

const doomed = `pending AND holder IS NULL AND (withdrawn OR expires_us <= $1 OR EXISTS (SELECT 1 FROM dispatch_campaigns c
	WHERE c.organisation_id = dispatch_lots.organisation_id AND c.id = dispatch_lots.campaign_id AND c.stopped_us IS NOT NULL))`

func (d *Dispatch) organisations(ctx context.Context, query string, args ...any) ([]uuid.UUID, error) {
	var out []uuid.UUID
	err := d.db.Read(ctx, access.Instance("dispatch"), func(tx *storage.Tx) error {
		return tx.Query(ctx, query, args, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			out = append(out, id)
			return err
		})
	})
	return out, err
}

func (d *Dispatch) sweepSome(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	now, said := d.clock.Now(), newScribe()
	var lots []doomedLot
	err := tx.Query(ctx, `SELECT id, campaign_id, medium, purpose, wave, withdrawn, expires_us FROM dispatch_lots WHERE `+doomed+`
		AND organisation_id = $2 ORDER BY id LIMIT $3 {{skip_locked}}`, []any{storage.Micros(now), scope.Organisation(), sweepLots}, func(row func(...any) error) error {
		var l doomedLot
		var withdrawn bool
		var expires sql.NullInt64
		err := row(&l.id, &l.campaign, &l.medium, &l.purpose, &l.wave, &withdrawn, &expires)
		l.expired = !withdrawn && expires.Valid && expires.Int64 <= storage.Micros(now)
		lots = append(lots, l)
		return err
	})
	if err != nil {
		return err
	}
	for _, l := range lots {
		if err := sweepLot(ctx, tx, scope, now, l, said); err != nil {
			return err
		}
	}
	return said.write(ctx, tx, scope, now, d.node)
}

func sweepLot(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l doomedLot, said *scribe) error {
	state, kind, reason := Withdrawn, FactWithdrawn, channels.ReasonNone
	if l.expired {
		state, kind, reason = Expired, FactExpired, channels.ReasonExpired
	}
	err := tx.Query(ctx, `UPDATE dispatch_deliveries SET state = $3, reason = $4, settled_us = $5 WHERE lot_id = $1 AND organisation_id = $2 AND state = 'queued'
		RETURNING id, subject_id, address`, []any{l.id, scope.Organisation(), string(state), string(reason), storage.Micros(now)}, func(row func(...any) error) error {
		f := Fact{Campaign: l.campaign, Medium: l.medium, Kind: kind, Reason: reason, Purpose: l.purpose, Wave: l.wave, At: now}
		if err := row(&f.Delivery, &f.Subject, &f.Address); err != nil {
			return err
		}
		said.moved(l.campaign, l.medium, Queued, state)
		said.tell(f)
		return nil
	})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE dispatch_lots SET pending = FALSE, remaining = 0 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), l.id)
	return err
}

func dollar(n int) string { return "$" + strconv.Itoa(n) }
