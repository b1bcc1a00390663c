package alerting

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// SchedulesEvery is how often the hours of scheduled alerts are looked at.
const SchedulesEvery = 5 * time.Second

// dueSchedule is one whose hour has come.
type dueSchedule struct {
	scope access.Scope
	id    uuid.UUID
}

// RunSchedules launches what is due and ends what has lasted. It suits jobs.Task under
// a lease; two nodes that run it at once, or one that dies in its middle, make one
// alert of each date: its key is that of the date.
func (s *Service) RunSchedules(ctx context.Context, now time.Time) (more bool, err error) {
	instance := access.Instance("alerting")
	var due []dueSchedule
	var over []job
	err = s.db.Read(ctx, instance, func(tx *storage.Tx) error {
		if err := tx.Query(ctx, `SELECT organisation_id, id FROM alerting_schedules WHERE next_us <= $1 ORDER BY next_us`, []any{storage.Micros(now)}, func(row func(...any) error) error {
			var org uuid.UUID
			var d dueSchedule
			err := row(&org, &d.id)
			d.scope = instance.Within(org)
			due = append(due, d)
			return err
		}); err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT organisation_id, launch_id FROM alerting_schedule_runs WHERE end_us <= $1 AND launch_id IS NOT NULL`, []any{storage.Micros(now)}, func(row func(...any) error) error {
			var org, id uuid.UUID
			err := row(&org, &id)
			over = append(over, job{scope: instance.Within(org), launch: id})
			return err
		})
	})
	if err != nil {
		return false, err
	}
	for _, d := range due {
		// One establishment in trouble never holds the others.
		err = errors.Join(err, s.runSchedule(ctx, d, now))
	}
	for _, w := range over {
		err = errors.Join(err, s.endScheduled(ctx, w, now))
	}
	return false, err
}

// runSchedule does what one date asks for, and turns to the next.
func (s *Service) runSchedule(ctx context.Context, d dueSchedule, now time.Time) error {
	house, err := s.houses.Get(ctx, d.scope)
	if err != nil {
		return err
	}
	var sc Schedule
	busy := false
	err = s.db.Read(ctx, d.scope, func(tx *storage.Tx) error {
		list, err := readSchedules(ctx, tx, d.scope, ` AND s.id = $2 AND s.next_us <= $3`, d.id, storage.Micros(now))
		if err != nil || len(list) == 0 {
			return err
		}
		sc = list[0]
		busy, err = tx.Row(ctx, `SELECT 1 FROM alerting_launches WHERE organisation_id = $1 AND state = 'running' AND mode = 'reel' LIMIT 1`, []any{d.scope.Organisation()}, new(int))
		return err
	})
	if err != nil || sc.ID == uuid.Nil {
		return err // another node did it meanwhile
	}
	run := ScheduledRun{At: sc.Next}
	switch {
	case now.Sub(sc.Next) > time.Duration(sc.Late)*time.Minute:
		run.Outcome = RunLate
	case busy:
		run.Outcome = RunBusy
	default:
		if run, err = s.launchScheduled(ctx, d.scope, now, sc, house.Language); err != nil {
			return err
		}
	}
	return s.keepRun(ctx, d.scope, now, sc, run, setting{Zone: house.Zone}.location())
}

// launchScheduled launches one date. What cannot leave is refused; what may be a
// passing trouble is an error, and is tried again until it is late.
func (s *Service) launchScheduled(ctx context.Context, scope access.Scope, now time.Time, sc Schedule, language string) (ScheduledRun, error) {
	run := ScheduledRun{At: sc.Next, Outcome: RunLaunched}
	l, _, err := s.Launch(ctx, access.System(scope.Organisation(), "schedule"), now, Draft{
		Scenario: sc.Scenario, Mode: sc.Mode, OrderedBy: sc.By, IdempotencyKey: "planned:" + sc.ID.String() + ":" + sc.Next.UTC().Format("20060102T1504"),
	})
	if f := fault.As(err); f != nil {
		run.Outcome, run.Why = RunRefused, s.whyRefused(language, err)
		return run, nil
	}
	run.Launch = l.ID
	if l.State == Awaiting {
		run.Outcome, run.Launch = RunAwaiting, uuid.Nil
	}
	return run, err
}

// whyRefused says what kept a date from leaving.
func (s *Service) whyRefused(language string, err error) string {
	if s.catalog == nil {
		return err.Error()
	}
	return s.speak(language).Fault(err)
}

// keepRun writes what became of a date, once: the next date is the judge.
func (s *Service) keepRun(ctx context.Context, scope access.Scope, now time.Time, sc Schedule, run ScheduledRun, zone *time.Location) error {
	after := now
	if sc.Next.After(after) {
		after = sc.Next
	}
	next := sc.Timetable.Next(after, zone)
	end := sql.NullInt64{}
	if run.Launch != uuid.Nil {
		end = storage.NullMicros(now.Add(time.Duration(sc.Lasts) * time.Hour))
	}
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE alerting_schedules SET next_us = $4 WHERE organisation_id = $1 AND id = $2 AND next_us = $3`,
			scope.Organisation(), sc.ID, storage.Micros(sc.Next), storage.NullMicros(next))
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO alerting_schedule_runs (organisation_id, schedule_id, at_us, outcome, launch_id, why, end_us) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			scope.Organisation(), sc.ID, storage.Micros(sc.Next), string(run.Outcome), storage.NullID(run.Launch), run.Why, end); err != nil {
			return err
		}
		return scheduleJournal(ctx, tx, scope, now, "alert.schedule_run", sc, map[string]any{"at": sc.Next, "outcome": run.Outcome, "launch": run.Launch, "why": run.Why})
	})
}

// endScheduled ends an alert that has lasted as long as it was planned to.
func (s *Service) endScheduled(ctx context.Context, w job, now time.Time) error {
	err := s.End(ctx, w.scope, now, w.launch, nil)
	if f := fault.As(err); err != nil && (f == nil || f.Kind != fault.Conflict && f.Kind != fault.NotFound) {
		return err
	}
	return s.db.Write(ctx, w.scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE alerting_schedule_runs SET end_us = NULL WHERE organisation_id = $1 AND launch_id = $2`, w.scope.Organisation(), w.launch)
		return err
	})
}
