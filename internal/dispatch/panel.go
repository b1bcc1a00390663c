package dispatch

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// Panel is a gateway as its administrator looks at it: settings and health.
type Panel struct {
	Gateway Gateway
	View    GatewayView
	// Trouble is what its provider refuses; nil when it does not.
	Trouble *Trouble
}

// Panels lists the gateways of the establishment with their health on this
// node, by medium and priority. Errors: Denied.
func (d *Dispatch) Panels(ctx context.Context, scope access.Scope) ([]Panel, error) {
	gateways, err := d.Gateways(ctx, scope)
	if err != nil {
		return nil, err
	}
	views, err := d.gatewayViews(ctx, scope)
	if err != nil {
		return nil, err
	}
	var troubles []Trouble
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		troubles, err = readTroubles(ctx, tx, scope, "")
		return err
	}); err != nil {
		return nil, err
	}
	byID := make(map[uuid.UUID]GatewayView, len(views))
	for _, v := range views {
		byID[v.ID] = v
	}
	out := make([]Panel, len(gateways))
	for i, g := range gateways {
		out[i] = Panel{Gateway: g, View: byID[g.ID]}
		if at := slices.IndexFunc(troubles, func(t Trouble) bool { return t.Gateway == g.ID && g.Enabled }); at >= 0 {
			out[i].Trouble = &troubles[at]
		}
		if out[i].View.ID == uuid.Nil { // added between the two readings
			out[i].View = GatewayView{ID: g.ID, Name: g.Name, Medium: g.Medium}
		}
	}
	return out, nil
}

// Health tells how the gateways of the establishment are on this node, without
// their settings. Errors: Denied.
func (d *Dispatch) Health(ctx context.Context, scope access.Scope) ([]GatewayView, error) {
	if err := d.guard.Check(scope, access.HealthRead); err != nil {
		return nil, err
	}
	return d.gatewayViews(ctx, scope)
}

// Waiting counts the deliveries of a medium that have not left. Errors: Denied.
func (d *Dispatch) Waiting(ctx context.Context, scope access.Scope, medium channels.Medium) (n int, err error) {
	if err := d.guard.Check(scope, access.ChannelRead); err != nil {
		return 0, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Row(ctx, `SELECT COUNT(*) FROM dispatch_deliveries WHERE organisation_id = $1 AND state = 'queued' AND lot_id IN
			(SELECT id FROM dispatch_lots WHERE organisation_id = $1 AND pending AND medium = $2)`, []any{scope.Organisation(), string(medium)}, &n)
		return err
	})
	return n, err
}

// Held counts the lots that a node holds, whether it lives or not: 0 once its
// work is done or was taken over. Errors: Denied.
func (d *Dispatch) Held(ctx context.Context, scope access.Scope, node string) (n int, err error) {
	if err := d.guard.Check(scope, access.ChannelRead); err != nil {
		return 0, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Row(ctx, `SELECT COUNT(*) FROM dispatch_lots WHERE organisation_id = $1 AND pending AND holder = $2`, []any{scope.Organisation(), node}, &n)
		return err
	})
	return n, err
}

// Kinds are the sorts of gateways this program knows, each with its settings.
func (d *Dispatch) Kinds() []channels.Description { return d.registry.Descriptions() }
