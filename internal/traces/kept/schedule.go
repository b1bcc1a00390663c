package kept

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Rhythm is how often a question is asked by itself.
type Rhythm string

// The rhythms.
const (
	Daily   Rhythm = "jour"
	Weekly  Rhythm = "semaine"
	Monthly Rhythm = "mois"
)

// Rhythms lists them.
func Rhythms() []Rhythm { return []Rhythm{Daily, Weekly, Monthly} }

// The bounds of a schedule.
const (
	recipientsMost = 20
	keepLeast      = 1  // days
	keepMost       = 90 // days
	dayMost        = 28 // each month has it
)

// Schedule is when a kept question is asked by itself, and who is told.
type Schedule struct {
	Rhythm Rhythm
	// Day is 1 (Monday) to 7 of a week, 1 to 28 of a month; zero every day.
	Day, Hour int
	Zone      string
	// OnlyFound tells nobody when nothing was found.
	OnlyFound  bool
	Recipients []uuid.UUID
	// KeepDays is how long the documents are kept.
	KeepDays    int
	ByID        uuid.UUID
	ByName      string
	Since, Next time.Time
}

// After gives the first instant after a time at which it is due. An hour that the
// change of clocks leaves out is told at the hour that follows.
func (c Schedule) After(t time.Time) time.Time {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		zone = time.UTC
	}
	at := t.In(zone)
	for n := range 63 {
		due := time.Date(at.Year(), at.Month(), at.Day()+n, c.Hour, 0, 0, 0, zone)
		if due.After(t) && c.on(due) {
			return due
		}
	}
	return time.Time{} // no check lets a day through that none of two months has
}

func (c Schedule) on(day time.Time) bool {
	switch c.Rhythm {
	case Weekly:
		return (int(day.Weekday())+6)%7+1 == c.Day
	case Monthly:
		return day.Day() == c.Day
	}
	return true
}

func (c Schedule) check() error {
	zone, err := time.LoadLocation(c.Zone)
	switch {
	case !slices.Contains(Rhythms(), c.Rhythm):
		return fault.New(fault.Invalid, "traces.phrase.choice").At("rythme")
	case c.Rhythm == Weekly && (c.Day < 1 || c.Day > 7):
		return fault.New(fault.Invalid, "traces.phrase.choice").At("jour_semaine")
	case c.Rhythm == Monthly && (c.Day < 1 || c.Day > dayMost):
		return fault.New(fault.Invalid, "traces.kept.day", "most", dayMost).At("jour_mois")
	case c.Hour < 0 || c.Hour > 23:
		return fault.New(fault.Invalid, "traces.kept.hour").At("heure")
	case err != nil || c.Zone == "" || zone == time.Local:
		return fault.New(fault.Invalid, "traces.error.zone", "zone", c.Zone)
	case len(c.Recipients) == 0 || len(c.Recipients) > recipientsMost:
		return fault.New(fault.Invalid, "traces.kept.recipients", "most", recipientsMost).At("destinataires")
	case c.KeepDays < keepLeast || c.KeepDays > keepMost:
		return fault.New(fault.Invalid, "traces.kept.keep", "least", keepLeast, "most", keepMost).At("garde")
	}
	return nil
}

func (c Schedule) noted() map[string]any {
	return map[string]any{"rhythm": string(c.Rhythm), "day": c.Day, "hour": c.Hour, "zone": c.Zone, "only_found": c.OnlyFound, "recipients": len(c.Recipients), "keep_days": c.KeepDays}
}

// nullSchedule reads a schedule that may not be.
type nullSchedule struct {
	rhythm, zone, recipients, byName sql.NullString
	day, hour, keep, since, next     sql.NullInt64
	only                             sql.NullBool
	by                               uuid.NullUUID
}

func (n *nullSchedule) into() []any {
	return []any{&n.rhythm, &n.day, &n.hour, &n.zone, &n.only, &n.recipients, &n.keep, &n.by, &n.byName, &n.since, &n.next}
}

func (n *nullSchedule) schedule() (*Schedule, error) {
	if !n.rhythm.Valid {
		return nil, nil
	}
	out := Schedule{
		Rhythm: Rhythm(n.rhythm.String), Day: int(n.day.Int64), Hour: int(n.hour.Int64), Zone: n.zone.String, OnlyFound: n.only.Bool, KeepDays: int(n.keep.Int64),
		ByID: n.by.UUID, ByName: n.byName.String, Since: storage.Time(n.since.Int64), Next: storage.Time(n.next.Int64),
	}
	return &out, json.Unmarshal([]byte(n.recipients.String), &out.Recipients)
}

// Send has a question asked by itself. The recipients are accounts that may ask the
// traces; whoever no longer may at the hour is told nothing. Needs
// access.TracesAsk. Errors: NotFound, Invalid with its field.
func (s *Service) Send(ctx context.Context, scope access.Scope, id uuid.UUID, c Schedule) error {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return err
	}
	if c.Rhythm == Daily {
		c.Day = 0
	}
	if err := c.check(); err != nil {
		return err
	}
	people, err := s.entitled(ctx, scope)
	if err != nil {
		return err
	}
	for _, r := range c.Recipients {
		if !slices.ContainsFunc(people, func(p Person) bool { return p.ID == r }) {
			return fault.New(fault.Invalid, "traces.kept.recipient").At("destinataires")
		}
	}
	return s.act(ctx, scope, id, func(tx *storage.Tx, now time.Time, q Saved) error {
		recipients, err := json.Marshal(c.Recipients)
		if err != nil {
			return err
		}
		var before any
		if q.Sent != nil {
			before = q.Sent.noted()
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_schedules (organisation_id, saved_id, rhythm, day, hour, zone, only_found, recipients_json, keep_days, by_id, by_name, since_us, next_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (organisation_id, saved_id) DO UPDATE SET rhythm = excluded.rhythm, day = excluded.day, hour = excluded.hour, zone = excluded.zone,
			only_found = excluded.only_found, recipients_json = excluded.recipients_json, keep_days = excluded.keep_days, by_id = excluded.by_id, by_name = excluded.by_name, since_us = excluded.since_us, next_us = excluded.next_us`,
			scope.Organisation(), id, string(c.Rhythm), c.Day, c.Hour, c.Zone, c.OnlyFound, string(recipients), c.KeepDays, scope.Actor().ID, scope.Actor().Name, storage.Micros(now), storage.Micros(c.After(now))); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, q.entry("traces.kept.send", before, c.noted()))
	})
}

// Stop has a question no longer asked by itself. Needs access.TracesAsk. Errors:
// NotFound.
func (s *Service) Stop(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.act(ctx, scope, id, func(tx *storage.Tx, now time.Time, q Saved) error {
		if q.Sent == nil {
			return nil
		}
		if _, err := tx.Exec(ctx, `DELETE FROM traces_schedules WHERE organisation_id = $1 AND saved_id = $2`, scope.Organisation(), id); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, q.entry("traces.kept.stop", q.Sent.noted(), nil))
	})
}
