package traces

import (
	"context"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Duration is how long a class of traces is kept, as the controller decided.
type Duration struct {
	Class Class
	// Months is zero while nobody has decided: then everything is kept.
	Months int
	By     string
	At     time.Time
}

// The bounds of a duration, months. Six rolling months is the floor for access
// to patient data (CNIL, délibération 2021-122 on logging); ten years is where
// we stop believing that somebody decided.
const (
	PatientFloor = 6
	monthsMost   = 120
)

// Floor is the shortest duration of a class, in months.
func (c Class) Floor() int {
	if c == PatientAccess {
		return PatientFloor
	}
	return 1
}

// Allows tells whether a class may be kept so many months; zero keeps everything.
// Errors: Invalid at "months".
func (c Class) Allows(months int) error {
	if months != 0 && (months < c.Floor() || months > monthsMost) {
		return fault.New(fault.Invalid, "traces.keep.months", "least", c.Floor(), "most", monthsMost).At("months")
	}
	return nil
}

// Durations gives the duration of every class. Needs access.TracesRead.
func (s *Service) Durations(ctx context.Context, scope access.Scope) ([]Duration, error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return nil, err
	}
	var out []Duration
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		var err error
		out, err = durations(ctx, tx, scope)
		return err
	})
	return out, err
}

func durations(ctx context.Context, tx *storage.Tx, scope access.Scope) ([]Duration, error) {
	decided := map[string]Duration{}
	err := tx.Query(ctx, `SELECT class, months, decided_by, decided_us FROM traces_durations WHERE organisation_id = $1`, []any{scope.Organisation()}, func(row func(...any) error) error {
		var class string
		var d Duration
		var at int64
		err := row(&class, &d.Months, &d.By, &at)
		d.At = storage.Time(at)
		decided[class] = d
		return err
	})
	var out []Duration
	for _, c := range Classes() {
		d := decided[c.String()]
		d.Class = c
		out = append(out, d)
	}
	return out, err
}

// Decide fixes how long a class is kept; zero keeps everything again. It is
// signed by whoever decides: his name goes with it. Needs access.TracesSource.
// Errors: Invalid at "months".
func (s *Service) Decide(ctx context.Context, scope access.Scope, class Class, months int) error {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return err
	}
	if err := class.Allows(months); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		all, err := durations(ctx, tx, scope)
		if err != nil {
			return err
		}
		before := 0
		for _, d := range all {
			if d.Class == class {
				before = d.Months
			}
		}
		if before == months {
			return nil
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_durations (organisation_id, class, months, decided_by, decided_us) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (organisation_id, class) DO UPDATE SET months = excluded.months, decided_by = excluded.decided_by, decided_us = excluded.decided_us`,
			scope.Organisation(), class.String(), months, scope.Actor().Name, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "traces.keep.decide", ObjectKind: "trace_class", ObjectID: class.String(), ObjectName: class.String(),
			Before: map[string]any{"months": before}, After: map[string]any{"months": months},
		})
	})
}

// PurgeRecord tells what was purged and when.
type PurgeRecord struct {
	Class               Class
	Before, First, Last time.Time
	Events              int64
	// Held is how many were too old too, and stayed since they were held.
	Held int64
	Done time.Time
}

// Purges lists what was purged, the latest first. Needs access.TracesRead.
func (s *Service) Purges(ctx context.Context, scope access.Scope) (out []PurgeRecord, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT class, before_us, events, held, first_us, last_us, done_us FROM traces_purges WHERE organisation_id = $1 ORDER BY id DESC LIMIT 200`, []any{scope.Organisation()}, func(row func(...any) error) error {
			var r PurgeRecord
			var class string
			var before, first, last, done int64
			err := row(&class, &before, &r.Events, &r.Held, &first, &last, &done)
			r.Class, _ = ParseClass(class)
			r.Before, r.First, r.Last, r.Done = storage.Time(before), storage.Time(first), storage.Time(last), storage.Time(done)
			out = append(out, r)
			return err
		})
	})
	return out, err
}
