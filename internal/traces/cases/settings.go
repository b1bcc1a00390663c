package cases

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Settings say when cases of a kind open, alert and go.
type Settings struct {
	Kind Kind
	// OpensFrom is the weight from which a hit opens a case; below, it is counted.
	OpensFrom int
	// Alerts tells that a case of at least AlertsFrom launches Scenario, at most
	// AlertsHour times within an hour.
	Alerts     bool
	AlertsFrom int
	AlertsHour int
	Scenario   uuid.UUID
	// Mode is how true the alerts are: "reel", "exercice" or "test", in the words of
	// the room of alerts.
	Mode string
	// KeepMonths is how long a closed case is kept.
	KeepMonths int
	By         string
	At         time.Time
}

// Of what nobody has set.
const (
	opensFrom  = 40
	alertsFrom = 90
	alertsHour = 3
	keepMonths = 12
)

func defaults(k Kind) Settings {
	return Settings{Kind: k, OpensFrom: opensFrom, AlertsFrom: alertsFrom, AlertsHour: alertsHour, Mode: "reel", KeepMonths: keepMonths}
}

// due tells whether a case alerts.
func (s Settings) due(c *Case) bool { return s.Alerts && c.Weight >= s.AlertsFrom }

func readSettings(ctx context.Context, tx *storage.Tx, organisation uuid.UUID) (map[Kind]Settings, error) {
	out := map[Kind]Settings{}
	for _, k := range Kinds() {
		out[k] = defaults(k)
	}
	err := tx.Query(ctx, `SELECT kind, opens_from, alerts, alerts_from, alerts_hour, scenario_id, mode, keep_months, changed_by, changed_us FROM traces_case_settings WHERE organisation_id = $1`,
		[]any{organisation}, func(row func(...any) error) error {
			var s Settings
			var scenario uuid.NullUUID
			var at int64
			err := row(&s.Kind, &s.OpensFrom, &s.Alerts, &s.AlertsFrom, &s.AlertsHour, &scenario, &s.Mode, &s.KeepMonths, &s.By, &at)
			s.Scenario, s.At = scenario.UUID, storage.Time(at)
			out[s.Kind] = s
			return err
		})
	return out, err
}

// Settings gives those of a kind. Needs the right to its cases. Errors: Denied.
func (s *Service) Settings(ctx context.Context, scope access.Scope, k Kind) (out Settings, err error) {
	if err := s.opt.Guard.Check(scope, k.need()); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		all, err := readSettings(ctx, tx, scope.Organisation())
		out = all[k]
		return err
	})
	return out, err
}

// Set changes when cases of a kind open, alert and go. Needs access.TracesGovern
// for patients, access.TracesRules for systems. Errors: Invalid with its field.
func (s *Service) Set(ctx context.Context, scope access.Scope, w Settings) error {
	if err := s.opt.Guard.Check(scope, w.Kind.settles()); err != nil {
		return err
	}
	if err := w.check(); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		all, err := readSettings(ctx, tx, scope.Organisation())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_case_settings (organisation_id, kind, opens_from, alerts, alerts_from, alerts_hour, scenario_id, mode, keep_months, changed_by, changed_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (organisation_id, kind) DO UPDATE SET opens_from = excluded.opens_from, alerts = excluded.alerts, alerts_from = excluded.alerts_from,
			alerts_hour = excluded.alerts_hour, scenario_id = excluded.scenario_id, mode = excluded.mode, keep_months = excluded.keep_months, changed_by = excluded.changed_by, changed_us = excluded.changed_us`,
			scope.Organisation(), string(w.Kind), w.OpensFrom, w.Alerts, w.AlertsFrom, w.AlertsHour, storage.NullID(w.Scenario), w.Mode, w.KeepMonths, scope.Actor().Name, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.cases.settings", ObjectKind: "trace_case_settings", ObjectID: string(w.Kind), ObjectName: string(w.Kind), Before: all[w.Kind].noted(), After: w.noted()})
	})
}

func (s Settings) check() error {
	for _, n := range []struct {
		field              string
		value, least, most int
	}{{"opens_from", s.OpensFrom, 1, 100}, {"alerts_from", s.AlertsFrom, 1, 100}, {"alerts_hour", s.AlertsHour, 1, 20}, {"keep_months", s.KeepMonths, 1, 60}} {
		if n.value < n.least || n.value > n.most {
			return fault.New(fault.Invalid, "traces.cases.number", "least", n.least, "most", n.most).At(n.field)
		}
	}
	switch {
	case s.Alerts && s.Scenario == uuid.Nil:
		return fault.New(fault.Invalid, "traces.cases.scenario").At("scenario")
	case s.Mode != "reel" && s.Mode != "exercice" && s.Mode != "test":
		return fault.New(fault.Invalid, "traces.cases.mode").At("mode")
	}
	return nil
}

func (s Settings) noted() map[string]any {
	return map[string]any{"opens_from": s.OpensFrom, "alerts": s.Alerts, "alerts_from": s.AlertsFrom, "alerts_hour": s.AlertsHour, "scenario": s.Scenario.String(), "mode": s.Mode, "keep_months": s.KeepMonths}
}
