package alerting

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// PurgeEvery is how often a program looks for names that are too old.
const PurgeEvery = time.Hour

// purgedAtOnce bounds the alerts of one call of Purge.
const purgedAtOnce = 20

// Purge erases the names of the alerts that ended longer ago than their
// establishment keeps answers: names, numbers, links, what was written back.
// Where people stood and when stays, without saying who: the report keeps its
// figures. It works by portions, and tells whether more waits. Only an Instance
// scope may.
func (s *Service) Purge(ctx context.Context, scope access.Scope, now time.Time) (more bool, err error) {
	if err := s.guard.Check(scope, access.AlertGovern); err != nil {
		return false, err
	}
	due, err := s.duePurges(ctx, scope, now)
	if err != nil {
		return false, err
	}
	for _, p := range due {
		if err := s.purge(ctx, scope.Within(p.organisation), now, p); err != nil {
			return false, fmt.Errorf("purge alert %s: %w", p.launch, err)
		}
	}
	return len(due) == purgedAtOnce, s.purgeDictations(ctx, scope, now)
}

// duePurge is an alert whose names are too old.
type duePurge struct {
	organisation, launch uuid.UUID
	keep                 int64
}

func (s *Service) duePurges(ctx context.Context, scope access.Scope, now time.Time) (out []duePurge, err error) {
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT l.organisation_id, l.id, COALESCE(g.keep_days, $2) FROM alerting_launches l
			LEFT JOIN alerting_governance g ON g.organisation_id = l.organisation_id
			WHERE l.ended_us IS NOT NULL AND l.ended_us + COALESCE(g.keep_days, $2) * 86400000000 <= $1
			AND NOT EXISTS (SELECT 1 FROM alerting_purges p WHERE p.organisation_id = l.organisation_id AND p.launch_id = l.id)
			ORDER BY l.ended_us LIMIT $3`, []any{storage.Micros(now), KeepDaysDefault, purgedAtOnce}, func(row func(...any) error) error {
			var p duePurge
			err := row(&p.organisation, &p.launch, &p.keep)
			out = append(out, p)
			return err
		})
	})
	return out, err
}

// purge erases one alert. Interrupted, it goes on where it was: what is left is
// what still has a name.
func (s *Service) purge(ctx context.Context, scope access.Scope, now time.Time, p duePurge) error {
	for more := true; more; {
		if err := s.db.Write(ctx, scope, func(tx *storage.Tx) (err error) {
			more, err = forgetPeople(ctx, tx, scope, p.launch)
			return err
		}); err != nil {
			return err
		}
	}
	for more := true; more; {
		if err := s.db.Write(ctx, scope, func(tx *storage.Tx) (err error) {
			more, err = s.dispatch.Forget(ctx, tx, scope, p.launch, portion)
			return err
		}); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error { return s.purged(ctx, tx, scope, now, p) })
}

// forgetPeople erases the names of a portion of an alert's people.
func forgetPeople(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (more bool, err error) {
	var ids []uuid.UUID
	if err := tx.Query(ctx, `SELECT id FROM alerting_recipients WHERE organisation_id = $1 AND launch_id = $2 AND name_folded <> '' LIMIT $3`,
		[]any{scope.Organisation(), launch, portion}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			ids = append(ids, id)
			return err
		}); err != nil || len(ids) == 0 {
		return false, err
	}
	in := storage.In(len(ids), 2)
	for _, query := range []string{
		`UPDATE alerting_recipients SET last_name = '', first_name = '', name_folded = '', skills = '', ladder = '', code = NULL, due_us = NULL,
			person_id = '00000000-0000-0000-0000-000000000000' WHERE organisation_id = $1 AND id IN (` + in + `)`,
		`UPDATE alerting_attempts SET address = '' WHERE organisation_id = $1 AND recipient_id IN (` + in + `)`,
		`UPDATE alerting_answers SET body = '', noted_by = '' WHERE organisation_id = $1 AND recipient_id IN (` + in + `)`,
		`UPDATE alerting_recalls SET code = '', body = '', signature = '' WHERE organisation_id = $1 AND recipient_id IN (` + in + `)`,
	} {
		if _, err := tx.Exec(ctx, query, storage.Args(ids, scope.Organisation())...); err != nil {
			return false, err
		}
	}
	return true, nil
}

// purged erases the names in the timeline and the replies of strangers as old as
// the alert, and writes down that it was done.
func (s *Service) purged(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, p duePurge) error {
	l, err := readLaunch(ctx, tx, scope, p.launch)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE alerting_events SET body = '' WHERE organisation_id = $1 AND launch_id = $2 AND kind IN ($3, $4, $5, $6)`,
		scope.Organisation(), p.launch, string(EventManualCall), string(EventArrival), string(EventAttached), string(EventStop)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM alerting_roll_people WHERE organisation_id = $1 AND launch_id = $2`, scope.Organisation(), p.launch); err != nil {
		return err
	}
	old := storage.Micros(now.AddDate(0, 0, -int(p.keep)))
	if _, err := tx.Exec(ctx, `DELETE FROM alerting_unmatched WHERE organisation_id = $1 AND at_us <= $2`, scope.Organisation(), old); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO alerting_purges (organisation_id, launch_id, at_us, people) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		scope.Organisation(), p.launch, storage.Micros(now), l.People+l.LeftOut); err != nil {
		return err
	}
	return journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "alert.purge", ObjectKind: "alert", ObjectID: l.ID.String(), ObjectName: l.Title.In("fr"),
		After: map[string]any{"people": l.People + l.LeftOut, "keep_days": p.keep},
	})
}

// erased is when the names of an alert were erased; zero when they are there.
func erased(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (time.Time, error) {
	var at int64
	found, err := tx.Row(ctx, `SELECT at_us FROM alerting_purges WHERE organisation_id = $1 AND launch_id = $2`, []any{scope.Organisation(), launch}, &at)
	if err != nil || !found {
		return time.Time{}, err
	}
	return storage.Time(at), nil
}
