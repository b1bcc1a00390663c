package dispatch

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// LookForLost looks once at the conferences of other nodes.
func (d *Dispatch) LookForLost(ctx context.Context) error {
	_, err := d.halls.lookForLost(ctx)
	return err
}

// LookForTheDead looks once at what other nodes hold and share.
func (d *Dispatch) LookForTheDead(ctx context.Context) error {
	if _, err := d.recoverLapsed(ctx); err != nil {
		return err
	}
	numbers := make(map[claimKey]int64)
	err := d.db.Read(ctx, access.Instance("test"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT gateway_id, node, number FROM dispatch_shares`, nil, func(row func(...any) error) error {
			var key claimKey
			var n int64
			err := row(&key.gateway, &key.node, &n)
			numbers[key] = n
			return err
		})
	})
	d.shares.others.still(d.elapsed(), numbers)
	return err
}

// FollowGateways is what the task that follows the gateways does.
func (d *Dispatch) FollowGateways(ctx context.Context) error {
	_, err := d.office.reload(ctx)
	return err
}

// LookForTroubles is what the task that looks for troubles does.
func (d *Dispatch) LookForTroubles(ctx context.Context) error {
	_, err := d.lookForTroubles(ctx)
	return err
}

// RenewShares is what the task that divides the contracts does.
func (d *Dispatch) RenewShares(ctx context.Context) error {
	_, err := d.shares.renew(ctx)
	return err
}

// CloseDesks is what a stop does first: the desks end and give their shares back,
// and are still on the list that a renewal under way has read.
func (d *Dispatch) CloseDesks() {
	d.office.mu.Lock()
	defer d.office.mu.Unlock()
	d.office.closed = true
	d.office.closeUnwanted(nil)
}
