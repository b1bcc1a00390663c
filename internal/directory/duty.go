package directory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// DailyRest is the rest between two working days of a hospital civil servant:
// 12 consecutive hours (décret n° 2002-9 du 4 janvier 2002, article 7).
const DailyRest = 12 * time.Hour

// Duty is what the plannings say of somebody at an instant.
type Duty string

// The values of Duty. They are stored in rules.
const (
	// UnknownDuty is anybody no planning names for that day. Nobody is left out
	// of an alert for want of a planning: a rule about duty takes him in.
	UnknownDuty Duty = ""
	OnDuty      Duty = "on"
	OffDuty     Duty = "off"
)

// Fits tells whether somebody of that duty is among those wanted.
func (wanted Duty) Fits(is Duty) bool {
	return wanted == UnknownDuty || is == UnknownDuty || wanted == is
}

// Coverage is what the plannings in use say of an instant.
type Coverage struct {
	// Known tells that at least one planning speaks of that day.
	Known bool
	// On and Off count the people of those plannings.
	On, Off int
}

// onDuty selects those whose shift is under way at $3, inDuty those of whom a planning speaks that day.
const (
	onDuty = `p.id IN (SELECT s.person_id FROM directory_rosters r JOIN directory_shifts s ON s.organisation_id = r.organisation_id AND s.roster_id = r.id
		WHERE r.organisation_id = $1 AND r.state = 'current' AND s.to_us > $3 AND s.from_us <= $3)`
	inDuty = `p.id IN (SELECT k.person_id FROM directory_rosters r JOIN directory_roster_people k ON k.organisation_id = r.organisation_id AND k.roster_id = r.id
		WHERE r.organisation_id = $1 AND r.state = 'current' AND r.to_us > $3 AND r.from_us <= $3)`
)

// duty is the condition of a rule: it leaves out those who are known to be elsewhere.
func (c *compiler) duty(wanted Duty) string {
	switch wanted {
	case OnDuty:
		c.wide = true
		return " AND (" + onDuty + " OR NOT " + inDuty + ")"
	case OffDuty:
		c.wide = true
		return " AND NOT " + onDuty
	}
	return ""
}

// dutyBook is what the plannings say of an instant, for a whole audience.
type dutyBook struct {
	known map[uuid.UUID]bool
	on    map[uuid.UUID]bool
	rest  map[uuid.UUID]time.Time
}

// readDuties reads the plannings in use once; nothing when there is none.
func readDuties(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time) (*dutyBook, error) {
	var current, covering []uuid.UUID
	at := storage.Micros(now)
	err := tx.Query(ctx, `SELECT id, from_us, to_us FROM directory_rosters WHERE organisation_id = $1 AND state = 'current'`, []any{scope.Organisation()},
		func(row func(...any) error) error {
			var id uuid.UUID
			var from, to int64
			err := row(&id, &from, &to)
			current = append(current, id)
			if from <= at && to > at {
				covering = append(covering, id)
			}
			return err
		})
	b := &dutyBook{known: map[uuid.UUID]bool{}, on: map[uuid.UUID]bool{}, rest: map[uuid.UUID]time.Time{}}
	if err != nil || len(current) == 0 {
		return b, err
	}
	if len(covering) > 0 {
		err = tx.Query(ctx, `SELECT person_id FROM directory_roster_people WHERE organisation_id = $1 AND roster_id IN (`+storage.In(len(covering), 2)+`)`,
			storage.Args(covering, scope.Organisation()), func(row func(...any) error) error {
				var id uuid.UUID
				err := row(&id)
				b.known[id] = true
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	return b, tx.Query(ctx, `SELECT person_id, to_us FROM directory_shifts WHERE organisation_id = $1 AND to_us > $2 AND from_us <= $3 AND roster_id IN (`+storage.In(len(current), 4)+`)`,
		storage.Args(current, scope.Organisation(), storage.Micros(now.Add(-DailyRest)), at), func(row func(...any) error) error {
			var id uuid.UUID
			var to int64
			if err := row(&id, &to); err != nil {
				return err
			}
			if to > at {
				b.on[id] = true
			} else {
				b.rest[id] = latest(b.rest[id], storage.Time(to).Add(DailyRest))
			}
			return nil
		})
}

// of gives what is known of somebody, and the end of the rest his last shift
// opened; nobody is at rest while he works.
func (b *dutyBook) of(id uuid.UUID) (is Duty, rest time.Time) {
	switch {
	case b.on[id]:
		return OnDuty, time.Time{}
	case b.known[id]:
		is = OffDuty
	}
	return is, b.rest[id]
}

// Duties tells how many people the plannings in use put on and off duty at an
// instant. It is what a launcher is told when they say nothing.
func (d *Directory) Duties(ctx context.Context, scope access.Scope, now time.Time) (out Coverage, err error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return out, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		b, err := readDuties(ctx, tx, scope, now)
		if err != nil {
			return err
		}
		for id := range b.known {
			if !b.on[id] {
				out.Off++
			}
		}
		out.On, out.Known = len(b.on), len(b.known)+len(b.on) > 0
		return nil
	})
	return out, err
}

// DutyOf tells what the plannings say of one person at an instant.
func (d *Directory) DutyOf(ctx context.Context, scope access.Scope, person uuid.UUID, now time.Time) (is Duty, rest time.Time, err error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return is, rest, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		b, err := readDuties(ctx, tx, scope, now)
		if err == nil {
			is, rest = b.of(person)
		}
		return err
	})
	return is, rest, err
}
