package dispatch

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// gatewayTrace is what the journal keeps: never a secret.
type gatewayTrace struct {
	Kind     string            `json:"kind"`
	Name     string            `json:"name"`
	Settings channels.Settings `json:"settings"`
	Priority int               `json:"priority"`
	InFlight int               `json:"in_flight"`
	Fares    string            `json:"fares,omitempty"`
	Enabled  bool              `json:"enabled"`
	// Secrets tells that they were set anew, not which.
	Secrets bool `json:"secrets_changed,omitempty"`
}

func traceOf(g Gateway) gatewayTrace {
	return gatewayTrace{Kind: g.Kind, Name: g.Name, Settings: g.Settings, Priority: g.Priority, InFlight: g.InFlight, Fares: g.Fares, Enabled: g.Enabled}
}

// CreateGateway adds a way out; running nodes open it within seconds. Errors:
// Denied, NotFound for an unknown kind, Invalid with the wrong field.
func (d *Dispatch) CreateGateway(ctx context.Context, scope access.Scope, now time.Time, in GatewayInput) (Gateway, error) {
	if err := d.guard.Check(scope, access.ChannelWrite); err != nil {
		return Gateway{}, err
	}
	kind, err := d.registry.Kind(in.Kind)
	if err != nil {
		return Gateway{}, err
	}
	settings, err := kind.Describe().Validate(in.Settings)
	if err != nil {
		return Gateway{}, err
	}
	if settings, err = completed(kind, settings); err != nil {
		return Gateway{}, err
	}
	g := Gateway{ID: storage.NewID(now), Organisation: scope.Organisation(), Kind: in.Kind, Medium: kind.Describe().Medium}
	if err := g.set(in, now); err != nil {
		return Gateway{}, err
	}
	if err := d.split(&g, kind, settings); err != nil {
		return Gateway{}, err
	}
	err = d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := writeGateway(ctx, tx, g); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "dispatch.gateway.create", ObjectKind: "gateway", ObjectID: g.ID.String(), ObjectName: g.Name, After: traceOf(g)})
	})
	ring(d.office.bell)
	return g, err
}

func (g *Gateway) set(in GatewayInput, now time.Time) error {
	g.Name, g.Priority, g.InFlight, g.Enabled = strings.TrimSpace(in.Name), in.Priority, in.InFlight, in.Enabled
	g.Fares = strings.TrimSpace(in.Fares)
	if !now.After(g.UpdatedAt) {
		now = g.UpdatedAt.Add(time.Microsecond) // nodes see a change by its time
	}
	g.UpdatedAt = now
	if g.InFlight == 0 {
		g.InFlight = flightDefault
	}
	if g.Priority == 0 {
		g.Priority = 1
	}
	switch {
	case g.Name == "" || len(g.Name) > 200:
		return fault.New(fault.Invalid, "dispatch.gateway.name").At("name")
	case g.Priority < 1 || g.Priority > 99:
		return fault.New(fault.Invalid, "dispatch.gateway.priority", "min", 1, "max", 99).At("priority")
	case g.InFlight < lotSize || g.InFlight > flightMost:
		return fault.New(fault.Invalid, "dispatch.gateway.in_flight", "min", lotSize, "max", flightMost).At("in_flight")
	}
	_, err := ParseFares(g.Fares)
	return err
}

// UpdateGateway changes a gateway; a secret field left empty keeps its value.
// Running nodes reopen it within seconds. Errors: Denied, NotFound, Invalid.
func (d *Dispatch) UpdateGateway(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, in GatewayInput) (Gateway, error) {
	if err := d.guard.Check(scope, access.ChannelWrite); err != nil {
		return Gateway{}, err
	}
	before, err := d.gateway(ctx, scope, id)
	if err != nil {
		return Gateway{}, err
	}
	kind, err := d.registry.Kind(before.Kind)
	if err != nil {
		return Gateway{}, err
	}
	settings, renewed, err := d.merge(before, kind, in.Settings)
	if err != nil {
		return Gateway{}, err
	}
	g := before
	if err := g.set(in, now); err != nil {
		return Gateway{}, err
	}
	if err := d.split(&g, kind, settings); err != nil {
		return Gateway{}, err
	}
	after := traceOf(g)
	after.Secrets = renewed
	err = d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := writeGateway(ctx, tx, g); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "dispatch.gateway.update", ObjectKind: "gateway", ObjectID: g.ID.String(), ObjectName: g.Name,
			Before: traceOf(before), After: after,
		})
	})
	ring(d.office.bell)
	return g, err
}

// merge fills secrets that were left empty with those of before.
func (d *Dispatch) merge(before Gateway, kind channels.Kind, in channels.Settings) (all channels.Settings, renewed bool, err error) {
	old, err := d.whole(before)
	if err != nil {
		return nil, false, err
	}
	all = maps.Clone(in)
	if all == nil {
		all = channels.Settings{}
	}
	for _, f := range kind.Describe().Fields {
		if f.Type != channels.Secret {
			continue
		}
		if all[f.Name] == "" {
			all[f.Name] = old[f.Name]
		} else if all[f.Name] != old[f.Name] {
			renewed = true
		}
	}
	if all, err = kind.Describe().Validate(all); err != nil {
		return nil, renewed, err
	}
	all, err = completed(kind, all)
	return all, renewed, err
}

// completed adds what the kind makes by itself.
func completed(kind channels.Kind, s channels.Settings) (channels.Settings, error) {
	if c, ok := kind.(channels.Completer); ok {
		return c.Complete(s)
	}
	return s, nil
}

// Records are what the DNS must publish for a gateway; none for most. Errors:
// Denied, NotFound.
func (d *Dispatch) Records(ctx context.Context, scope access.Scope, id uuid.UUID) ([]channels.Record, error) {
	if err := d.guard.Check(scope, access.ChannelRead); err != nil {
		return nil, err
	}
	g, err := d.gateway(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	kind, err := d.registry.Kind(g.Kind)
	if err != nil {
		return nil, nil // a kind taken out of the program publishes nothing
	}
	publisher, ok := kind.(channels.Publisher)
	if !ok {
		return nil, nil
	}
	all, err := d.whole(g)
	if err != nil {
		return nil, err
	}
	if all, err = kind.Describe().Validate(all); err != nil {
		return nil, err
	}
	return publisher.Records(all)
}

// DeleteGateway takes a gateway out of use; its name remains in the history.
// Errors: Denied, NotFound.
func (d *Dispatch) DeleteGateway(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) error {
	if err := d.guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	g, err := d.gateway(ctx, scope, id)
	if err != nil {
		return err
	}
	err = d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		// The secrets go with it.
		if _, err := tx.Exec(ctx, `UPDATE dispatch_gateways SET deleted_us = $3, enabled = FALSE, secrets = $4 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), id, storage.Micros(now), []byte{}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM dispatch_troubles WHERE organisation_id = $1 AND gateway_id = $2`, scope.Organisation(), id); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "dispatch.gateway.delete", ObjectKind: "gateway", ObjectID: g.ID.String(), ObjectName: g.Name, Before: traceOf(g)})
	})
	ring(d.office.bell)
	return err
}

// Gateways lists the gateways of the establishment, by medium and priority. Errors: Denied.
func (d *Dispatch) Gateways(ctx context.Context, scope access.Scope) ([]Gateway, error) {
	if err := d.guard.Check(scope, access.ChannelRead); err != nil {
		return nil, err
	}
	var out []Gateway
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		out, err = readGateways(ctx, tx, `organisation_id = $1 AND deleted_us IS NULL`, scope.Organisation())
		return err
	})
	return out, err
}

// Gateway returns one gateway. Errors: Denied, NotFound.
func (d *Dispatch) Gateway(ctx context.Context, scope access.Scope, id uuid.UUID) (Gateway, error) {
	if err := d.guard.Check(scope, access.ChannelRead); err != nil {
		return Gateway{}, err
	}
	return d.gateway(ctx, scope, id)
}

func (d *Dispatch) gateway(ctx context.Context, scope access.Scope, id uuid.UUID) (Gateway, error) {
	var out []Gateway
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		out, err = readGateways(ctx, tx, `organisation_id = $1 AND id = $2 AND deleted_us IS NULL`, scope.Organisation(), id)
		return err
	})
	if err != nil {
		return Gateway{}, err
	}
	if len(out) == 0 {
		return Gateway{}, fault.New(fault.NotFound, "dispatch.gateway.unknown")
	}
	return out[0], nil
}

// TestGateway connects with the stored settings, without sending anything; the
// fault is one sentence for the person. Errors: Denied, NotFound, the channel's.
func (d *Dispatch) TestGateway(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := d.guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	g, err := d.gateway(ctx, scope, id)
	if err != nil {
		return err
	}
	for _, k := range *d.office.list.Load() {
		if k.gateway.ID == id {
			return k.channel.Check(ctx)
		}
	}
	k, err := d.newDeskOf(g)
	if err != nil {
		return err
	}
	return k.channel.Check(ctx)
}

// Rooms are the gateways of the rooms of teams in use, in the caller's transaction.
func (*Dispatch) Rooms(ctx context.Context, tx *storage.Tx, scope access.Scope) (out []uuid.UUID, err error) {
	err = tx.Query(ctx, `SELECT id FROM dispatch_gateways WHERE organisation_id = $1 AND medium = $2 AND enabled AND deleted_us IS NULL`,
		[]any{scope.Organisation(), string(channels.Room)}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			out = append(out, id)
			return err
		})
	return out, err
}
