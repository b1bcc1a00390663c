package alerting

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// SchedulesMost bounds the scheduled alerts of an establishment.
const SchedulesMost = 50

// scheduledRuns are shown of each schedule.
const scheduledRuns = 6

// Schedules lists the scheduled alerts, those that leave first on top, with what
// became of the last ones. Needs access.ScenarioRead.
func (s *Service) Schedules(ctx context.Context, scope access.Scope) (out []Schedule, err error) {
	if err := s.guard.Check(scope, access.ScenarioRead); err != nil {
		return nil, err
	}
	house, err := s.houses.Get(ctx, inside(scope))
	if err != nil {
		return nil, err
	}
	zone := setting{Zone: house.Zone}.location()
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if out, err = readSchedules(ctx, tx, scope, ``); err != nil {
			return err
		}
		for i := range out {
			at := out[i].Next
			for n := 0; n < 3 && !at.IsZero(); n++ {
				out[i].Dates = append(out[i].Dates, at)
				at = out[i].Timetable.Next(at, zone)
			}
			if out[i].Runs, err = readRuns(ctx, tx, scope, out[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Plan schedules an alert: from now on it leaves by itself. Needs access.AlertLaunch,
// and the scenario's own list of roles. Errors: Invalid at a field, Conflict when the
// scenario has faults or asks what only a launcher knows.
func (s *Service) Plan(ctx context.Context, scope access.Scope, now time.Time, in ScheduleInput) (out Schedule, err error) {
	if err := s.guard.Check(scope, access.AlertLaunch); err != nil {
		return out, err
	}
	if in.Mode != Exercise && in.Mode != Test {
		return out, fault.New(fault.Invalid, "alerting.schedule.mode").At("mode")
	}
	if err := in.Timetable.check(); err != nil {
		return out, err
	}
	if in.Late < LateLeast || in.Late > LateMost {
		return out, fault.New(fault.Invalid, "alerting.schedule.late", "least", LateLeast, "most", LateMost).At("late")
	}
	if in.Lasts < 1 || in.Lasts > LastsMost {
		return out, fault.New(fault.Invalid, "alerting.schedule.lasts", "most", LastsMost).At("lasts")
	}
	pr, err := s.ready(ctx, scope, now, Draft{Scenario: in.Scenario, Mode: in.Mode})
	if err != nil {
		return out, fmt.Errorf("plan: %w", err)
	}
	out = Schedule{ScheduleInput: in, ID: storage.NewID(now), Title: pr.scenario.Title, By: scope.Actor().Name, CreatedAt: now.UTC()}
	if out.Next = in.Timetable.Next(now, pr.plan.zone); out.Next.IsZero() {
		return out, fault.New(fault.Invalid, "alerting.schedule.past").At("on")
	}
	table, err := json.Marshal(in.Timetable)
	if err != nil {
		return out, fmt.Errorf("plan: %w", err)
	}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		var n int
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM alerting_schedules WHERE organisation_id = $1 AND stopped_us IS NULL`, []any{scope.Organisation()}, &n); err != nil {
			return err
		}
		if n >= SchedulesMost {
			return fault.New(fault.Conflict, "alerting.schedule.many", "most", SchedulesMost)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO alerting_schedules (organisation_id, id, scenario_id, mode, timetable_json, late_min, lasts_h, planned_by, created_us, next_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, scope.Organisation(), out.ID, in.Scenario, string(in.Mode), string(table), in.Late, in.Lasts, out.By,
			storage.Micros(now), storage.Micros(out.Next)); err != nil {
			return err
		}
		return scheduleJournal(ctx, tx, scope, now, "alert.schedule", out, map[string]any{"mode": in.Mode, "timetable": in.Timetable, "next": out.Next, "late_min": in.Late, "lasts_h": in.Lasts})
	})
	return out, err
}

// Unplan stops a scheduled alert; what left already runs on. Needs access.AlertLaunch.
// Errors: NotFound, also when it was stopped before.
func (s *Service) Unplan(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) error {
	if err := s.guard.Check(scope, access.AlertLaunch); err != nil {
		return err
	}
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readSchedules(ctx, tx, scope, ` AND s.id = $2`, id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.New(fault.NotFound, "alerting.schedule.unknown")
		}
		if _, err := tx.Exec(ctx, `UPDATE alerting_schedules SET stopped_us = $3, next_us = NULL WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, storage.Micros(now)); err != nil {
			return err
		}
		return scheduleJournal(ctx, tx, scope, now, "alert.schedule_stop", list[0], nil)
	})
}

func scheduleJournal(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, action string, sc Schedule, after map[string]any) error {
	e := journal.Entry{Action: action, ObjectKind: "schedule", ObjectID: sc.ID.String(), ObjectName: sc.Title.In("fr")}
	if after != nil {
		e.After = after
	}
	return journal.Append(ctx, tx, scope, now, e)
}

func readSchedules(ctx context.Context, tx *storage.Tx, scope access.Scope, tail string, args ...any) ([]Schedule, error) {
	var out []Schedule
	err := tx.Query(ctx, `SELECT s.id, s.scenario_id, c.title_json, s.mode, s.timetable_json, s.late_min, s.lasts_h, s.planned_by, s.created_us, s.next_us
		FROM alerting_schedules s JOIN alerting_scenarios c ON c.organisation_id = s.organisation_id AND c.id = s.scenario_id
		WHERE s.organisation_id = $1 AND s.stopped_us IS NULL`+tail+` ORDER BY COALESCE(s.next_us, 9000000000000000), s.id`,
		append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
			var sc Schedule
			var title, table string
			var created int64
			var next sql.NullInt64
			if err := row(&sc.ID, &sc.Scenario, &title, &sc.Mode, &table, &sc.Late, &sc.Lasts, &sc.By, &created, &next); err != nil {
				return err
			}
			sc.CreatedAt, sc.Next = storage.Time(created), storage.NullTime(next)
			out = append(out, sc)
			return errors.Join(json.Unmarshal([]byte(title), &out[len(out)-1].Title), json.Unmarshal([]byte(table), &out[len(out)-1].Timetable))
		})
	return out, err
}

func readRuns(ctx context.Context, tx *storage.Tx, scope access.Scope, schedule uuid.UUID) ([]ScheduledRun, error) {
	var out []ScheduledRun
	err := tx.Query(ctx, `SELECT at_us, outcome, launch_id, why FROM alerting_schedule_runs WHERE organisation_id = $1 AND schedule_id = $2 ORDER BY at_us DESC LIMIT $3`,
		[]any{scope.Organisation(), schedule, scheduledRuns}, func(row func(...any) error) error {
			var r ScheduledRun
			var at int64
			var launch uuid.NullUUID
			err := row(&at, &r.Outcome, &launch, &r.Why)
			r.At, r.Launch = storage.Time(at), launch.UUID
			out = append(out, r)
			return err
		})
	for i := range out {
		if err == nil && out[i].Launch != uuid.Nil {
			out[i].Services, err = provenBy(ctx, tx, scope, out[i].Launch)
		}
	}
	return out, err
}

// provenBy counts, service by service, who was reached by an alert and who answered.
func provenBy(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) ([]ServiceProof, error) {
	var out []ServiceProof
	err := tx.Query(ctx, `SELECT u.site_name, u.service_name, SUM(CASE WHEN r.called_us IS NOT NULL THEN 1 ELSE 0 END),
		SUM(CASE WHEN r.reached_us IS NOT NULL OR r.meaning <> '' THEN 1 ELSE 0 END), SUM(CASE WHEN r.meaning <> '' THEN 1 ELSE 0 END)
		FROM alerting_recipients r JOIN alerting_units u ON u.organisation_id = r.organisation_id AND u.launch_id = r.launch_id AND u.number = r.unit
		WHERE r.organisation_id = $1 AND r.launch_id = $2 AND r.left_out = '' GROUP BY u.site_name, u.service_name ORDER BY u.site_name, u.service_name`,
		[]any{scope.Organisation(), launch}, func(row func(...any) error) error {
			var p ServiceProof
			err := row(&p.Site, &p.Service, &p.Called, &p.Reached, &p.Answered)
			out = append(out, p)
			return err
		})
	return out, err
}
