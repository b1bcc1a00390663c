package dispatch

import "context"

// LookForTheDead looks once at what other nodes hold.
func (d *Dispatch) LookForTheDead(ctx context.Context) error {
	_, err := d.recoverLapsed(ctx)
	return err
}

// FollowGateways is what the task that follows the gateways does.
func (d *Dispatch) FollowGateways(ctx context.Context) error {
	_, err := d.office.reload(ctx)
	return err
}
