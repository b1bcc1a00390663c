package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

const (
	// TellEvery is how often new cases are looked for, and tellGap the shortest time
	// between two messages about them: what opens meanwhile is told together.
	TellEvery = 20 * time.Second
	tellGap   = 15 * time.Minute
	// AlertEvery is how often alerts that are due leave.
	AlertEvery = 5 * time.Second
	// alertLife is how long an alert that could not leave is worth launching.
	alertLife = 2 * time.Hour
)

// Call is an alert to launch for a case.
type Call struct {
	Case     uuid.UUID
	Kind     Kind
	Weight   int
	Scenario uuid.UUID
	Mode     string
	// Key makes two tries one alert.
	Key string
	// Link leads to the case; Say says what it is about, and names no patient.
	Link string
	Say  func(loc *i18n.Localizer) string
}

// Alarm launches an alert. It is called outside of any transaction, and told the
// same Key again it launches nothing more. A fault is the refusal of the scenario.
type Alarm interface {
	Launch(ctx context.Context, scope access.Scope, now time.Time, c Call) (launch uuid.UUID, err error)
}

// Tell writes to those who answer for cases that some are new: one message for all
// that opened since the last, a quarter of an hour apart at least.
func (s *Service) Tell(ctx context.Context, now time.Time) (bool, error) {
	if s.opt.Watchman == nil {
		return false, nil
	}
	type waiting struct {
		organisation uuid.UUID
		kind         Kind
		told         int64
	}
	var list []waiting
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		list = nil
		return tx.Query(ctx, `SELECT c.organisation_id, c.kind, COALESCE((SELECT MAX(t.told_us) FROM traces_cases t WHERE t.organisation_id = c.organisation_id AND t.kind = c.kind), 0)
			FROM traces_cases c WHERE c.told_us IS NULL AND c.state = 'new' GROUP BY c.organisation_id, c.kind`, nil, func(row func(...any) error) error {
			var w waiting
			err := row(&w.organisation, &w.kind, &w.told)
			list = append(list, w)
			return err
		})
	})
	if err != nil {
		return false, err
	}
	var errs []error
	for _, w := range list {
		if w.told == 0 || now.Sub(storage.Time(w.told)) >= tellGap {
			errs = append(errs, s.tell(ctx, now, access.System(w.organisation, "traces"), w.kind))
		}
	}
	return false, errors.Join(errs...)
}

func (s *Service) tell(ctx context.Context, now time.Time, scope access.Scope, k Kind) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readCases(ctx, tx, `organisation_id = $1 AND kind = $2 AND told_us IS NULL AND state = 'new' ORDER BY weight DESC, id LIMIT 200`, scope.Organisation(), string(k))
		if err != nil || len(list) == 0 {
			return err
		}
		heaviest := list[0]
		for _, c := range list {
			if _, err := tx.Exec(ctx, `UPDATE traces_cases SET told_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), c.ID, storage.Micros(now)); err != nil {
				return err
			}
		}
		return s.opt.Watchman.Found(ctx, tx, scope, now, uuid.NewSHA1(heaviest.ID, []byte("found")), k.Role(), func(loc *i18n.Localizer) (string, string) {
			return loc.N("traces.cases.notice.subject", len(list)), loc.N("traces.cases.notice.text", len(list), "title", s.Title(loc, heaviest.Rule, heaviest.Title), "weight", heaviest.Weight, "link", s.opt.CaseLink(heaviest.ID))
		})
	})
}

// Alert launches the alerts of grave cases. What a crash stops between the launch
// and its note is launched again with the same key, which is no second alert.
func (s *Service) Alert(ctx context.Context, now time.Time) (bool, error) {
	if s.opt.Alarm == nil {
		return false, nil
	}
	var list []Case
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) (err error) {
		list, err = readCases(ctx, tx, `alert = 'due' ORDER BY weight DESC, id LIMIT 20`)
		return err
	})
	if err != nil {
		return false, err
	}
	var errs []error
	for i := range list {
		errs = append(errs, s.alert(ctx, now, &list[i]))
	}
	return false, errors.Join(errs...)
}

func (s *Service) alert(ctx context.Context, now time.Time, c *Case) error {
	scope := access.System(c.organisation, "traces")
	var set Settings
	launched := 0
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		all, err := readSettings(ctx, tx, c.organisation)
		if err != nil {
			return err
		}
		set = all[c.Kind]
		_, err = tx.Row(ctx, `SELECT COUNT(*) FROM traces_cases WHERE organisation_id = $1 AND kind = $2 AND alert = 'launched' AND alert_us > $3`,
			[]any{c.organisation, string(c.Kind), storage.Micros(now.Add(-time.Hour))}, &launched)
		return err
	})
	switch {
	case err != nil:
		return err
	case !set.Alerts || !c.State.Open():
		// Somebody looked at it, or stopped the alerts, before it left.
		return s.alerted(ctx, scope, now, c, NoAlert, uuid.Nil, "")
	case launched >= set.AlertsHour:
		return s.alerted(ctx, scope, now, c, Held, uuid.Nil, "")
	}
	launch, err := s.opt.Alarm.Launch(ctx, scope, now, Call{
		Case: c.ID, Kind: c.Kind, Weight: c.Weight, Scenario: set.Scenario, Mode: set.Mode, Key: "case-" + c.ID.String(), Link: s.opt.CaseLink(c.ID),
		Say: func(loc *i18n.Localizer) string {
			return loc.T("traces.cases.alert.text", "title", s.Title(loc, c.Rule, c.Title), "weight", c.Weight)
		},
	})
	if f := fault.As(err); f != nil && f.Kind != fault.Unavailable && f.Kind != fault.Internal {
		return s.alerted(ctx, scope, now, c, Failed, uuid.Nil, f.Key)
	}
	if err != nil && now.Sub(c.Changed) > alertLife {
		return errors.Join(err, s.alerted(ctx, scope, now, c, Failed, uuid.Nil, "traces.cases.alert.broken"))
	}
	if err != nil {
		return fmt.Errorf("alert for case %s: %w", c.ID, err)
	}
	return s.alerted(ctx, scope, now, c, Launched, launch, "")
}

// alerted notes what became of an alert.
func (s *Service) alerted(ctx context.Context, scope access.Scope, now time.Time, c *Case, a Alert, launch uuid.UUID, why string) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE traces_cases SET alert = $3, alert_us = $4, launch_id = $5, alert_error = $6 WHERE organisation_id = $1 AND id = $2`,
			c.organisation, c.ID, string(a), storage.Micros(now), storage.NullID(launch), why); err != nil {
			return err
		}
		if a == NoAlert {
			return nil
		}
		if err := c.step(ctx, tx, now, "", "alert."+string(a), ""); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.case.alert", ObjectKind: "trace_case", ObjectID: c.ID.String(), ObjectName: c.ID.String(), After: map[string]any{"alert": string(a), "launch": launch.String(), "why": why}})
	})
}

// sweepMost bounds one portion of the sweep.
const sweepMost = 200

// Sweep forgets cases closed longer ago than the establishment keeps them, what
// was said of the same and holds no more, and figures older than two years.
func (s *Service) Sweep(ctx context.Context, now time.Time) (more bool, err error) {
	var old []Case
	err = s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		closed, err := readCases(ctx, tx, `closed_us IS NOT NULL AND closed_us < $1 ORDER BY closed_us LIMIT 2000`, storage.Micros(now.AddDate(0, -1, 0)))
		if err != nil {
			return err
		}
		old = nil
		settings := map[uuid.UUID]map[Kind]Settings{}
		for _, c := range closed {
			if settings[c.organisation] == nil {
				if settings[c.organisation], err = readSettings(ctx, tx, c.organisation); err != nil {
					return err
				}
			}
			if len(old) < sweepMost && c.Closed.Before(now.AddDate(0, -settings[c.organisation][c.Kind].KeepMonths, 0)) {
				old = append(old, c)
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	return len(old) == sweepMost, s.opt.DB.Write(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		if err := sweepExplained(ctx, tx, now); err != nil {
			return err
		}
		for _, c := range old {
			for _, query := range []string{
				`DELETE FROM traces_case_evidence WHERE organisation_id = $1 AND case_id = $2`,
				`DELETE FROM traces_case_steps WHERE organisation_id = $1 AND case_id = $2`,
				`DELETE FROM traces_cases WHERE organisation_id = $1 AND id = $2`,
			} {
				if _, err := tx.Exec(ctx, query, c.organisation, c.ID); err != nil {
					return err
				}
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM traces_case_memory WHERE until_us < $1`, storage.Micros(now)); err != nil {
			return err
		}
		for _, query := range []string{`DELETE FROM traces_hit_days WHERE day_us < $1`, `DELETE FROM traces_examined_days WHERE day_us < $1`} {
			if _, err := tx.Exec(ctx, query, storage.Micros(now.AddDate(-2, 0, 0))); err != nil {
				return err
			}
		}
		return nil
	})
}
