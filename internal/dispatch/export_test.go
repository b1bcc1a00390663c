package dispatch

import "context"

// FollowGateways is what the task that follows the gateways does.
func (d *Dispatch) FollowGateways(ctx context.Context) error {
	_, err := d.office.reload(ctx)
	return err
}
