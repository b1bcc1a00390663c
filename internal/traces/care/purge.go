package care

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// How long relations are kept once they ended, months. They explain accesses:
// without them the traces that are kept can be explained no more; beyond, they
// are health data that serve nothing.
const (
	MonthsDefault = 12
	MonthsLeast   = 3
	MonthsMost    = 60
)

// messageMemory is how long a message sent again is recognised by its number.
const messageMemory = 30 * 24 * time.Hour

// Duration is how long relations are kept, and who decided.
type Duration struct {
	Months int
	By     string
	At     time.Time
}

// Duration gives it. Needs access.TracesRead.
func (s *Service) Duration(ctx context.Context, scope access.Scope) (d Duration, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return d, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		d, err = duration(ctx, tx, scope.Organisation())
		return err
	})
	return d, err
}

func duration(ctx context.Context, tx *storage.Tx, organisation uuid.UUID) (d Duration, err error) {
	var at int64
	found, err := tx.Row(ctx, `SELECT months, decided_by, decided_us FROM traces_care_durations WHERE organisation_id = $1`, []any{organisation}, &d.Months, &d.By, &at)
	if !found {
		return Duration{Months: MonthsDefault}, err
	}
	d.At = storage.Time(at)
	return d, err
}

// Decide fixes how long relations are kept. Needs access.TracesSource. Errors:
// Invalid at "months".
func (s *Service) Decide(ctx context.Context, scope access.Scope, months int) error {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return err
	}
	if months < MonthsLeast || months > MonthsMost {
		return fault.New(fault.Invalid, "traces.care.months", "least", MonthsLeast, "most", MonthsMost).At("months")
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := duration(ctx, tx, scope.Organisation())
		if err != nil || before.Months == months && !before.At.IsZero() {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_care_durations (organisation_id, months, decided_by, decided_us) VALUES ($1, $2, $3, $4)
			ON CONFLICT (organisation_id) DO UPDATE SET months = excluded.months, decided_by = excluded.decided_by, decided_us = excluded.decided_us`, scope.Organisation(), months, scope.Actor().Name, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "traces.care.decide", ObjectKind: "trace_care", ObjectID: scope.Organisation().String(), Before: map[string]any{"months": before.Months}, After: map[string]any{"months": months},
		})
	})
}

// Purge forgets what ended long enough ago, in every establishment, and tells the
// journal how much. more tells that another portion waits.
func (s *Service) Purge(ctx context.Context, now time.Time) (more bool, err error) {
	all, err := s.organisations(ctx)
	if err != nil {
		return false, err
	}
	var errs []error
	for _, organisation := range all {
		again, err := s.purge(ctx, system(organisation), now)
		more, errs = more || again, append(errs, err, s.forgetFiles(ctx, system(organisation), now))
	}
	return more, errors.Join(errs...)
}

// organisations are those of which something is kept.
func (s *Service) organisations(ctx context.Context) (out []uuid.UUID, err error) {
	err = s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id FROM traces_care_patients UNION SELECT organisation_id FROM traces_care_members UNION SELECT organisation_id FROM traces_care_messages`, nil, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			out = append(out, id)
			return err
		})
	})
	return out, err
}

// purgePortion bounds the relations that one transaction forgets.
const purgePortion = 5000

func (s *Service) purge(ctx context.Context, scope access.Scope, now time.Time) (more bool, err error) {
	return more, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		d, err := duration(ctx, tx, scope.Organisation())
		if err != nil {
			return err
		}
		before := storage.Micros(now.AddDate(0, -d.Months, 0))
		relations, err := tx.Exec(ctx, `DELETE FROM traces_care_relations WHERE organisation_id = $1 AND touched_us < $2 AND (to_us IS NULL OR to_us < $2) AND (patient_id, origin, seq) IN
			(SELECT patient_id, origin, seq FROM traces_care_relations WHERE organisation_id = $1 AND touched_us < $2 AND (to_us IS NULL OR to_us < $2) LIMIT $3)`, scope.Organisation(), before, purgePortion)
		if err != nil {
			return err
		}
		if more = relations == purgePortion; more {
			return nil
		}
		people, err := forgetPatients(ctx, tx, scope, before)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM traces_care_messages WHERE organisation_id = $1 AND kept_us < $2`, scope.Organisation(), storage.Micros(now.Add(-messageMemory))); err != nil {
			return err
		}
		if relations == 0 && people == 0 {
			return nil
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "traces.care.purge", ObjectKind: "trace_care", ObjectID: scope.Organisation().String(), After: map[string]any{"relations": relations, "people": people, "before": storage.Time(before).Format(time.DateOnly)},
		})
	})
}

// forgetPatients forgets the patients of whom nothing is left, and the members of
// the staff who left as long ago.
func forgetPatients(ctx context.Context, tx *storage.Tx, scope access.Scope, before int64) (people int64, err error) {
	statements := []string{
		`DELETE FROM traces_care_moves WHERE organisation_id = $1 AND touched_us < $2 AND NOT EXISTS (SELECT 1 FROM traces_care_relations r WHERE r.organisation_id = traces_care_moves.organisation_id
			AND r.patient_id = traces_care_moves.patient_id AND r.origin = 'v:' || traces_care_moves.visit)`,
		`DELETE FROM traces_care_patients WHERE organisation_id = $1 AND touched_us < $2 AND well_known = FALSE AND NOT EXISTS (SELECT 1 FROM traces_care_relations r
			WHERE r.organisation_id = traces_care_patients.organisation_id AND r.patient_id = traces_care_patients.id)`,
		`DELETE FROM traces_care_numbers WHERE organisation_id = $1 AND CAST($2 AS BIGINT) > 0 AND NOT EXISTS (SELECT 1 FROM traces_care_patients p WHERE p.organisation_id = traces_care_numbers.organisation_id AND p.id = traces_care_numbers.patient_id)`,
		`DELETE FROM traces_care_members WHERE organisation_id = $1 AND left_us < $2`,
		`DELETE FROM traces_care_keys WHERE organisation_id = $1 AND CAST($2 AS BIGINT) > 0 AND NOT EXISTS (SELECT 1 FROM traces_care_members m WHERE m.organisation_id = traces_care_keys.organisation_id AND m.person_id = traces_care_keys.person_id)`,
		`DELETE FROM traces_care_accounts WHERE organisation_id = $1 AND CAST($2 AS BIGINT) > 0 AND person_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM traces_care_members m WHERE m.organisation_id = traces_care_accounts.organisation_id
			AND m.person_id = traces_care_accounts.person_id)`,
		`DELETE FROM traces_care_teams WHERE organisation_id = $1 AND to_us < $2`,
	}
	for i, statement := range statements {
		n, err := tx.Exec(ctx, statement, scope.Organisation(), before)
		if err != nil {
			return people, err
		}
		if i == 1 || i == 3 {
			people += n
		}
	}
	return people, nil
}
