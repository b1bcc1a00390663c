package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

const (
	// countsEvery is how often the figures of an alert are told at most.
	countsEvery = 15 * time.Second
	// downFor is how long a gateway is down before it is told: a line that
	// hiccups wakes nobody.
	downFor = 30 * time.Second
)

// Watch looks at what no transaction announces: the figures of alerts that run,
// and the gateways as this node sees them. One node does it at a time.
func (s *Service) Watch(ctx context.Context, now time.Time) (bool, error) {
	var here []uuid.UUID
	err := s.opt.DB.Read(ctx, access.Instance("hooks"), func(tx *storage.Tx) error {
		here = nil
		return tx.Query(ctx, `SELECT DISTINCT organisation_id FROM hooks_subscriptions WHERE deleted_us IS NULL AND NOT paused AND (events LIKE '%alert.counts%' OR events LIKE '%gateway.%')`,
			nil, func(row func(...any) error) error {
				var id uuid.UUID
				err := row(&id)
				here = append(here, id)
				return err
			})
	})
	for _, id := range here {
		scope := access.System(id, "hooks")
		err = errors.Join(err, s.watchAlerts(ctx, scope, now), s.watchGateways(ctx, scope, now))
	}
	return false, err
}

func (s *Service) watchAlerts(ctx context.Context, scope access.Scope, now time.Time) error {
	running, err := s.opt.Alerting.Active(ctx, scope)
	if err != nil {
		return fmt.Errorf("alerts to tell of: %w", err)
	}
	for _, l := range running {
		b, err := s.opt.Alerting.Board(ctx, scope, l.ID, now)
		if err != nil {
			return fmt.Errorf("figures to tell: %w", err)
		}
		n := b.Counters
		f := figures{n.People, n.Reached, n.Answered, n.Coming, n.OnSite, n.Unavailable, n.Arrived}
		text, err := json.Marshal(f)
		if err != nil {
			return err
		}
		if err := s.saw(ctx, scope, now, "alert:"+l.ID.String(), string(text), countsEvery, Counts,
			alertData{Alert: l.ID, Scenario: l.Scenario, Title: l.Title, Mode: l.Mode, Figures: &f}); err != nil {
			return err
		}
	}
	return nil
}

// gatewayData is what is said of a gateway.
type gatewayData struct {
	Gateway uuid.UUID `json:"gateway"`
	Name    string    `json:"name"`
	Medium  string    `json:"medium"`
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason,omitempty"`
}

func (s *Service) watchGateways(ctx context.Context, scope access.Scope, now time.Time) error {
	views, err := s.opt.Dispatch.Health(ctx, scope)
	if err != nil {
		return fmt.Errorf("gateways to tell of: %w", err)
	}
	for _, g := range views {
		if g.Running {
			err = errors.Join(err, s.watchGateway(ctx, scope, now, g))
		}
	}
	return err
}

func (s *Service) watchGateway(ctx context.Context, scope access.Scope, now time.Time, g dispatch.GatewayView) error {
	data := gatewayData{Gateway: g.ID, Name: g.Name, Medium: string(g.Medium), Since: g.Health.Since}
	kind, state := GatewayUp, "up"
	if !g.Health.Up {
		if now.Sub(g.Health.Since) < downFor {
			return nil
		}
		kind, state, data.Reason = GatewayDown, "down", string(g.Health.Reason)
	}
	return s.saw(ctx, scope, now, "gateway:"+g.ID.String(), state, 0, kind, data)
}

// saw tells a state that is not the last one told, at most once in a time. The
// first sight of a gateway that works is no news.
func (s *Service) saw(ctx context.Context, scope access.Scope, now time.Time, id, value string, every time.Duration, kind Kind, data any) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var last string
		var at int64
		known, err := tx.Row(ctx, `SELECT value, at_us FROM hooks_seen WHERE organisation_id = $1 AND id = $2 {{for_update}}`, []any{scope.Organisation(), id}, &last, &at)
		if err != nil || known && (last == value || now.Sub(storage.Time(at)) < every) {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO hooks_seen (organisation_id, id, value, at_us) VALUES ($1, $2, $3, $4)
			ON CONFLICT (organisation_id, id) DO UPDATE SET value = excluded.value, at_us = excluded.at_us`, scope.Organisation(), id, value, storage.Micros(now)); err != nil {
			return err
		}
		if !known && kind == GatewayUp {
			return nil
		}
		if err := s.enqueue(ctx, tx, scope, now, kind, data); err != nil {
			return err
		}
		s.nudge()
		return nil
	})
}
