package directory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Preferences say by which medium somebody asks to be called first. An alert that
// does not use that medium follows its own order.
type Preferences struct {
	// Day and Night are SMS, Voice or Mail; empty follows the alert.
	Day   string `json:"day"`
	Night string `json:"night"`
}

// The night of preferences, by the clock of the person's site.
const (
	NightFrom  = 21
	NightUntil = 7
)

// first is the medium asked for at an hour.
func (p Preferences) first(at time.Time) string {
	if h := at.Hour(); h >= NightFrom || h < NightUntil {
		return p.Night
	}
	return p.Day
}

func (p Preferences) checked(refused []string) error {
	for field, medium := range map[string]string{"day": p.Day, "night": p.Night} {
		switch {
		case medium == "":
		case !slices.Contains(Media(), medium):
			return fault.New(fault.Invalid, "directory.medium_unknown").At(field)
		case slices.Contains(refused, medium):
			return fault.New(fault.Invalid, "directory.preference_refused").At(field)
		}
	}
	return nil
}

// PreferencesOf gives what somebody asks. Needs access.DirectoryRead.
func (d *Directory) PreferencesOf(ctx context.Context, scope access.Scope, person uuid.UUID) (p Preferences, err error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return p, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		p, err = d.Wishes(ctx, tx, scope, person)
		return err
	})
	return p, err
}

// Wishes gives what somebody asks, in the transaction of who shows it to him.
func (d *Directory) Wishes(ctx context.Context, tx *storage.Tx, scope access.Scope, person uuid.UUID) (p Preferences, err error) {
	_, err = tx.Row(ctx, `SELECT day_medium, night_medium FROM directory_preferences WHERE organisation_id = $1 AND person_id = $2`,
		[]any{scope.Organisation(), person}, &p.Day, &p.Night)
	return p, err
}

// Prefer keeps what somebody asks. Needs access.DirectoryWrite. Errors: NotFound for
// the person, Invalid for a medium that is unknown or that he refuses.
func (d *Directory) Prefer(ctx context.Context, scope access.Scope, who uuid.UUID, p Preferences) error {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error { return d.Wish(ctx, tx, scope, scope, d.clock.Now(), who, p) })
}

// Wish keeps what somebody asks himself, in the transaction of what heard him; as
// is how the journal names him. Errors: as Prefer.
func (d *Directory) Wish(ctx context.Context, tx *storage.Tx, scope, as access.Scope, now time.Time, who uuid.UUID, p Preferences) error {
	is, found, err := person(ctx, tx, scope, who)
	if err != nil {
		return err
	}
	if !found {
		return fault.New(fault.NotFound, "directory.person_not_found")
	}
	if err := p.checked(is.Refused); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM directory_preferences WHERE organisation_id = $1 AND person_id = $2`, scope.Organisation(), who); err != nil {
		return err
	}
	if p != (Preferences{}) {
		if _, err := tx.Exec(ctx, `INSERT INTO directory_preferences (organisation_id, person_id, day_medium, night_medium) VALUES ($1, $2, $3, $4)`,
			scope.Organisation(), who, p.Day, p.Night); err != nil {
			return err
		}
	}
	return journal.Append(ctx, tx, as, now, journal.Entry{
		Action: "directory.preferences", ObjectKind: "person", ObjectID: who.String(), ObjectName: is.Name(), After: p,
	})
}

// readPreferences reads those of everybody who has some: few people, and a launch
// asks for all of them at once.
func readPreferences(ctx context.Context, tx *storage.Tx, scope access.Scope) (map[uuid.UUID]Preferences, error) {
	out := map[uuid.UUID]Preferences{}
	err := tx.Query(ctx, `SELECT person_id, day_medium, night_medium FROM directory_preferences WHERE organisation_id = $1`,
		[]any{scope.Organisation()}, func(row func(...any) error) error {
			var id uuid.UUID
			var p Preferences
			err := row(&id, &p.Day, &p.Night)
			out[id] = p
			return err
		})
	return out, err
}
