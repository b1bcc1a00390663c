package dispatch

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Withdraw takes back what is queued and selected; what a gateway holds at
// that moment (at most its flight) still leaves. Without subjects, whole lots
// are marked and their deliveries follow within seconds; none of them leaves.
// It returns how many deliveries are taken back.
func (d *Dispatch) Withdraw(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, campaign uuid.UUID, sel Selection) (int64, error) {
	if len(sel.Subjects) > 0 {
		return d.withdrawFrom(ctx, tx, scope, now, campaign, sel)
	}
	lots, total, err := lockLots(ctx, tx, scope, campaign, sel, nil)
	if err != nil || len(lots) == 0 {
		return 0, err
	}
	return total, markWithdrawn(ctx, tx, scope, lots)
}

// withdrawFrom takes back the messages of some people. Most of the time nothing
// waits for them any more: one look at an index then, and no lock, since every
// answer of an alert comes through here. Otherwise only their lots are locked,
// after the campaign as in Enqueue, so that the two never wait for each other.
func (d *Dispatch) withdrawFrom(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, campaign uuid.UUID, sel Selection) (int64, error) {
	held, err := lotsOf(ctx, tx, scope, campaign, sel.Subjects)
	if err != nil || len(held) == 0 {
		return 0, err
	}
	in := intake{tx: tx, scope: scope, now: now}
	if err := in.lockCampaign(ctx, campaign); err != nil {
		return 0, err
	}
	lots, _, err := lockLots(ctx, tx, scope, campaign, sel, held)
	if err != nil || len(lots) == 0 {
		return 0, err
	}
	said := newScribe()
	n, err := withdrawSubjects(ctx, tx, scope, now, campaign, sel.Subjects, lots, said)
	if err != nil {
		return 0, err
	}
	return n, said.write(ctx, tx, scope, now, d.node)
}

// lotsOf are the lots in which something waits for some people, in order.
func lotsOf(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID, subjects []uuid.UUID) ([]uuid.UUID, error) {
	found := make(map[uuid.UUID]bool)
	err := eachChunk(subjects, func(part []uuid.UUID) error {
		return tx.Query(ctx, `SELECT lot_id FROM dispatch_deliveries WHERE organisation_id = $1 AND campaign_id = $2 AND subject_id IN (`+storage.In(len(part), 3)+`)
			AND state = 'queued'`, storage.Args(part, scope.Organisation(), campaign), func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			found[id] = true
			return err
		})
	})
	return sortedIDs(found), err
}

type lotHead struct {
	medium  channels.Medium
	purpose string
	wave    int
}

// lockLots finds the selected lots nobody holds, and keeps them unclaimed
// until the transaction ends. among narrows them; nil is all of the campaign.
func lockLots(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID, sel Selection, among []uuid.UUID) (map[uuid.UUID]lotHead, int64, error) {
	args := []any{scope.Organisation(), campaign}
	where := `organisation_id = $1 AND campaign_id = $2 AND pending AND holder IS NULL AND NOT withdrawn`
	if sel.Medium != "" {
		args = append(args, string(sel.Medium))
		where += ` AND medium = $` + strconv.Itoa(len(args))
	}
	if len(sel.Purposes) > 0 {
		where += ` AND purpose IN (` + storage.In(len(sel.Purposes), len(args)+1) + `)`
		args = storage.Args(sel.Purposes, args...)
	}
	if len(sel.Waves) > 0 {
		where += ` AND wave IN (` + storage.In(len(sel.Waves), len(args)+1) + `)`
		args = storage.Args(sel.Waves, args...)
	}
	lots := make(map[uuid.UUID]lotHead)
	var total int64
	lock := func(where string, args []any) error {
		return tx.Query(ctx, `SELECT id, medium, purpose, wave, remaining FROM dispatch_lots WHERE `+where+` ORDER BY id {{for_update}}`, args,
			func(row func(...any) error) error {
				var id uuid.UUID
				var h lotHead
				var n int64
				if err := row(&id, &h.medium, &h.purpose, &h.wave, &n); err != nil {
					return err
				}
				lots[id] = h
				total += n
				return nil
			})
	}
	if among == nil {
		err := lock(where, args)
		return lots, total, err
	}
	err := eachChunk(among, func(part []uuid.UUID) error {
		return lock(where+` AND id IN (`+storage.In(len(part), len(args)+1)+`)`, storage.Args(part, args...))
	})
	return lots, total, err
}

func markWithdrawn(ctx context.Context, tx *storage.Tx, scope access.Scope, lots map[uuid.UUID]lotHead) error {
	return eachChunk(sortedIDs(lots), func(part []uuid.UUID) error {
		_, err := tx.Exec(ctx, `UPDATE dispatch_lots SET withdrawn = TRUE WHERE organisation_id = $1 AND id IN (`+storage.In(len(part), 2)+`)`,
			storage.Args(part, scope.Organisation())...)
		return err
	})
}

func sortedIDs[T any](m map[uuid.UUID]T) []uuid.UUID {
	out := make([]uuid.UUID, 0, len(m))
	for id := range m {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b uuid.UUID) int { return strings.Compare(string(a[:]), string(b[:])) })
	return out
}

func withdrawSubjects(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, campaign uuid.UUID,
	subjects []uuid.UUID, lots map[uuid.UUID]lotHead, said *scribe,
) (int64, error) {
	type found struct{ id, lot, subject uuid.UUID }
	var rows []found
	err := eachChunk(subjects, func(part []uuid.UUID) error {
		return tx.Query(ctx, `SELECT id, lot_id, subject_id, address FROM dispatch_deliveries
			WHERE campaign_id = $1 AND subject_id IN (`+storage.In(len(part), 3)+`) AND organisation_id = $2 AND state = 'queued'`,
			storage.Args(part, campaign, scope.Organisation()), func(row func(...any) error) error {
				var f found
				var address string
				if err := row(&f.id, &f.lot, &f.subject, &address); err != nil {
					return err
				}
				h, ours := lots[f.lot]
				if !ours {
					return nil
				}
				rows = append(rows, f)
				said.moved(campaign, h.medium, Queued, Withdrawn)
				said.tell(Fact{
					Campaign: campaign, Subject: f.subject, Delivery: f.id, Medium: h.medium, Address: address,
					Kind: FactWithdrawn, Purpose: h.purpose, Wave: h.wave, At: now,
				})
				return nil
			})
	})
	if err != nil {
		return 0, err
	}
	updates := make([][]any, len(rows))
	lost := make(map[uuid.UUID]int)
	for i, f := range rows {
		updates[i] = []any{scope.Organisation(), f.id, string(Withdrawn), storage.Micros(now)}
		lost[f.lot]++
	}
	if _, err := tx.UpdateRows(ctx, "dispatch_deliveries", 2, []storage.Column{
		{Name: "organisation_id", Type: "uuid"},
		{Name: "id", Type: "uuid"},
		{Name: "state", Type: "text"},
		{Name: "settled_us", Type: "bigint"},
	}, updates); err != nil {
		return 0, err
	}
	for _, id := range sortedIDs(lost) {
		if _, err := tx.Exec(ctx, `UPDATE dispatch_lots SET remaining = remaining - $3, pending = remaining > $3 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), id, lost[id]); err != nil {
			return 0, err
		}
	}
	return int64(len(rows)), nil
}

// Kill raises the campaign's stop epoch: nothing that is queued, or claimed and
// not yet handed to a peer, leaves any more, on any node, within a second. It
// returns how many deliveries were still waiting or in flight. A second kill
// returns 0.
func (d *Dispatch) Kill(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, campaign uuid.UUID) (int64, error) {
	changed, err := tx.Exec(ctx, `UPDATE dispatch_campaigns SET stopped_us = $3 WHERE organisation_id = $1 AND id = $2 AND stopped_us IS NULL`,
		scope.Organisation(), campaign, storage.Micros(now))
	if err != nil || changed == 0 {
		return 0, err
	}
	var n int64
	_, err = tx.Row(ctx, `SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM dispatch_tallies WHERE organisation_id = $1 AND campaign_id = $2 AND state = 'queued'`,
		[]any{scope.Organisation(), campaign}, &n)
	return n, err
}

// KillAll raises the stop epoch of every campaign of the establishment: of all
// that waits there, nothing leaves any more. Only the program itself may ask.
func (d *Dispatch) KillAll(ctx context.Context, scope access.Scope, now time.Time) error {
	if !scope.IsSystem() {
		return fault.New(fault.Denied, "access.denied")
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE dispatch_campaigns SET stopped_us = $2 WHERE organisation_id = $1 AND stopped_us IS NULL`,
			scope.Organisation(), storage.Micros(now))
		return err
	})
}
