package dispatch

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// orphansAtOnce bounds one look at the receipts without a delivery.
const orphansAtOnce = 500

// orphan is a kept receipt whose delivery is known by now.
type orphan struct {
	id, gateway uuid.UUID
	receipt     channels.Receipt
}

// matchOrphans gives receipts that came too early to their deliveries, and
// forgets those that nothing claimed for a week.
func (d *Dispatch) matchOrphans(ctx context.Context) (more bool, err error) {
	orgs, err := d.organisations(ctx, `SELECT DISTINCT organisation_id FROM dispatch_orphans`)
	if err != nil {
		return false, err
	}
	for _, org := range orgs {
		scope := access.System(org, "dispatch")
		found, err := d.orphansOf(ctx, scope)
		if err != nil {
			return false, err
		}
		for gateway, list := range found {
			if err := d.adopt(ctx, scope, gateway, list); err != nil {
				return false, err
			}
			more = more || len(list) == orphansAtOnce
		}
		if err := d.forgetOrphans(ctx, scope); err != nil {
			return false, err
		}
	}
	return more, nil
}

func (d *Dispatch) orphansOf(ctx context.Context, scope access.Scope) (map[uuid.UUID][]orphan, error) {
	out := make(map[uuid.UUID][]orphan)
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT o.id, o.gateway_id, o.provider_id, o.delivered, o.reason, o.detail, o.at_us FROM dispatch_orphans o
			WHERE o.organisation_id = $1 AND (EXISTS (SELECT 1 FROM dispatch_deliveries d WHERE d.provider_id = o.provider_id AND d.gateway_id = o.gateway_id AND d.organisation_id = $1)
			OR EXISTS (SELECT 1 FROM dispatch_parts x WHERE x.provider_id = o.provider_id AND x.gateway_id = o.gateway_id AND x.organisation_id = $1))
			ORDER BY o.id LIMIT $2`, []any{scope.Organisation(), orphansAtOnce}, func(row func(...any) error) error {
			var o orphan
			var at int64
			if err := row(&o.id, &o.gateway, &o.receipt.ProviderID, &o.receipt.Delivered, &o.receipt.Reason, &o.receipt.Detail, &at); err != nil {
				return err
			}
			o.receipt.At, o.receipt.Final = storage.Time(at), true
			out[o.gateway] = append(out[o.gateway], o)
			return nil
		})
	})
	return out, err
}

// adopt applies kept receipts like fresh ones, and removes them.
func (d *Dispatch) adopt(ctx context.Context, scope access.Scope, gateway uuid.UUID, list []orphan) error {
	now := d.clock.Now()
	call := &brought{}
	ids := make([]uuid.UUID, len(list))
	for i, o := range list {
		call.receipts = append(call.receipts, o.receipt)
		ids[i] = o.id
	}
	err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		said := newScribe()
		p := pen{k: &desk{d: d, scope: scope, gateway: Gateway{ID: gateway}}, tx: tx, now: now, said: said}
		if err := p.receipts(ctx, newLedger(), []*brought{call}); err != nil {
			return err
		}
		err := eachChunk(ids, func(part []uuid.UUID) error {
			_, err := tx.Exec(ctx, `DELETE FROM dispatch_orphans WHERE organisation_id = $1 AND id IN (`+storage.In(len(part), 2)+`)`, storage.Args(part, scope.Organisation())...)
			return err
		})
		if err != nil {
			return err
		}
		return said.write(ctx, tx, scope, now, d.node)
	})
	if errors.Is(err, errOutlived) {
		return nil // another node was quicker; the next look sees what is left
	}
	d.relay.wake()
	return err
}

func (d *Dispatch) forgetOrphans(ctx context.Context, scope access.Scope) error {
	limit := storage.Micros(d.clock.Now().Add(-orphanKeep))
	old := 0
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Row(ctx, `SELECT COUNT(*) FROM dispatch_orphans WHERE organisation_id = $1 AND at_us < $2`, []any{scope.Organisation(), limit}, &old)
		return err
	}); err != nil || old == 0 {
		return err
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM dispatch_orphans WHERE organisation_id = $1 AND at_us < $2`, scope.Organisation(), limit)
		return err
	})
}
