package directory

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Absence says from when to when someone is not to be called, and never why.
type Absence struct {
	ID     uuid.UUID
	Person uuid.UUID
	From   time.Time
	// To is the first instant of presence; zero when not known yet.
	To time.Time
}

// Absences lists those of a person, the latest first.
func (d *Directory) Absences(ctx context.Context, scope access.Scope, person uuid.UUID) (out []Absence, err error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT id, from_us, to_us FROM directory_absences WHERE organisation_id = $1 AND person_id = $2 ORDER BY from_us DESC`,
			[]any{scope.Organisation(), person}, func(row func(...any) error) error {
				a := Absence{Person: person}
				var from int64
				var to sql.NullInt64
				if err := row(&a.ID, &from, &to); err != nil {
					return err
				}
				a.From, a.To = storage.Time(from), storage.NullTime(to)
				out = append(out, a)
				return nil
			})
	})
	return out, err
}

// AddAbsence records an absence. Errors: Invalid when it ends before it
// begins, NotFound for the person.
func (d *Directory) AddAbsence(ctx context.Context, scope access.Scope, a Absence) (Absence, error) {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return a, err
	}
	if a.From.IsZero() || !a.To.IsZero() && !a.To.After(a.From) {
		return a, fault.New(fault.Invalid, "directory.absence_dates").At("to")
	}
	now := d.clock.Now()
	a.ID = storage.NewID(now)
	err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		p, found, err := person(ctx, tx, scope, a.Person)
		if err != nil {
			return err
		}
		if !found {
			return fault.New(fault.NotFound, "directory.person_not_found")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO directory_absences (organisation_id, id, person_id, from_us, to_us) VALUES ($1, $2, $3, $4, $5)`,
			scope.Organisation(), a.ID, a.Person, storage.Micros(a.From), storage.NullMicros(a.To)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "directory.absence.add", ObjectKind: "person", ObjectID: a.Person.String(),
			ObjectName: p.Name(), After: map[string]time.Time{"from": a.From, "to": a.To},
		})
	})
	return a, err
}

// RemoveAbsence takes an absence away.
func (d *Directory) RemoveAbsence(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM directory_absences WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "directory.absence_not_found")
		}
		return journal.Append(ctx, tx, scope, d.clock.Now(), journal.Entry{Action: "directory.absence.remove", ObjectKind: "absence", ObjectID: id.String()})
	})
}

// changeContact sets some columns of a contact point, in all its versions.
func (d *Directory) changeContact(ctx context.Context, scope access.Scope, id, contact uuid.UUID, action, set string) error {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		p, _, err := person(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE directory_contacts SET `+set+` WHERE organisation_id = $1 AND id = $2 AND person_id = $3`,
			scope.Organisation(), contact, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "directory.contact_not_found")
		}
		if err := markStale(ctx, tx, scope); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, d.clock.Now(), journal.Entry{Action: action, ObjectKind: "person", ObjectID: id.String(), ObjectName: p.Name()})
	})
}
