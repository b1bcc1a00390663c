package dispatch

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// Gateway is one configured way out of an establishment.
type Gateway struct {
	ID           uuid.UUID
	Organisation uuid.UUID
	Kind         string
	Medium       channels.Medium
	Name         string
	// Settings are the values of the kind's fields. Secret ones are never read
	// back: they are absent here.
	Settings channels.Settings
	// Priority 1 is used first; a higher one only while the lower ones are down.
	Priority int
	// InFlight bounds the deliveries claimed and not settled, so also the
	// possible doubles after a crash.
	InFlight int
	// Fares are the destinations and prices, as ParseFares reads them.
	Fares     string
	Enabled   bool
	UpdatedAt time.Time

	sealed []byte
}

// GatewayInput is what a person may set.
type GatewayInput struct {
	Kind     string
	Name     string
	Settings channels.Settings
	Priority int
	// InFlight 0 means the default, 512.
	InFlight int
	// Fares are the destinations and prices, for SMS.
	Fares   string
	Enabled bool
}

// The bounds of Gateway.InFlight.
const (
	flightDefault = 512
	flightMost    = 4096
)

const gatewayColumns = `organisation_id, id, kind, medium, name, settings, secrets, priority, in_flight, fares, enabled, updated_us`

func readGateways(ctx context.Context, tx *storage.Tx, where string, args ...any) ([]Gateway, error) {
	var out []Gateway
	err := tx.Query(ctx, `SELECT `+gatewayColumns+` FROM dispatch_gateways WHERE `+where+` ORDER BY medium, priority, name, id`, args, func(row func(...any) error) error {
		var g Gateway
		var settings string
		var updated int64
		if err := row(&g.Organisation, &g.ID, &g.Kind, &g.Medium, &g.Name, &settings, &g.sealed, &g.Priority, &g.InFlight, &g.Fares, &g.Enabled, &updated); err != nil {
			return err
		}
		g.UpdatedAt = storage.Time(updated)
		if err := json.Unmarshal([]byte(settings), &g.Settings); err != nil {
			return fmt.Errorf("settings of gateway %s: %w", g.ID, err)
		}
		out = append(out, g)
		return nil
	})
	return out, err
}

func writeGateway(ctx context.Context, tx *storage.Tx, g Gateway) error {
	settings, err := json.Marshal(g.Settings)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO dispatch_gateways (`+gatewayColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (organisation_id, id) DO UPDATE SET name = excluded.name, settings = excluded.settings, secrets = excluded.secrets,
		priority = excluded.priority, in_flight = excluded.in_flight, fares = excluded.fares, enabled = excluded.enabled, updated_us = excluded.updated_us`,
		g.Organisation, g.ID, g.Kind, string(g.Medium), g.Name, string(settings), g.sealed, g.Priority, g.InFlight, g.Fares, g.Enabled, storage.Micros(g.UpdatedAt))
	return err
}

// sealContext binds sealed secrets to their gateway.
func sealContext(id uuid.UUID) string { return "dispatch.gateway:" + id.String() }

// split puts the secret settings apart and seals them.
func (d *Dispatch) split(g *Gateway, kind channels.Kind, all channels.Settings) error {
	secrets := channels.Settings{}
	g.Settings = channels.Settings{}
	for _, f := range kind.Describe().Fields {
		if f.Type == channels.Secret {
			secrets[f.Name] = all[f.Name]
		} else {
			g.Settings[f.Name] = all[f.Name]
		}
	}
	plain, err := json.Marshal(secrets)
	if err != nil {
		return fmt.Errorf("encode secrets: %w", err)
	}
	g.sealed, err = d.vault.Seal(plain, sealContext(g.ID))
	return err
}

// whole gives all settings of a gateway, secrets included.
func (d *Dispatch) whole(g Gateway) (channels.Settings, error) {
	plain, err := d.vault.Open(g.sealed, sealContext(g.ID))
	if err != nil {
		return nil, err
	}
	all := channels.Settings{}
	if err := json.Unmarshal(plain, &all); err != nil {
		return nil, fmt.Errorf("decode secrets of gateway %s: %w", g.ID, err)
	}
	for name, v := range g.Settings {
		all[name] = v
	}
	return all, nil
}

func (d *Dispatch) newDeskOf(g Gateway) (*desk, error) {
	kind, err := d.registry.Kind(g.Kind)
	if err != nil {
		return nil, err
	}
	all, err := d.whole(g)
	if err != nil {
		return nil, err
	}
	settings, err := kind.Describe().Validate(all)
	if err != nil {
		return nil, err
	}
	return newDesk(d, g, kind, settings)
}

// gatewayNames gives the names of all gateways of an establishment, those deleted included.
func gatewayNames(ctx context.Context, tx *storage.Tx, org uuid.UUID) (map[uuid.UUID]string, error) {
	names := make(map[uuid.UUID]string)
	err := tx.Query(ctx, `SELECT id, name FROM dispatch_gateways WHERE organisation_id = $1`, []any{org}, func(row func(...any) error) error {
		var id uuid.UUID
		var name sql.NullString
		err := row(&id, &name)
		names[id] = name.String
		return err
	})
	return names, err
}
