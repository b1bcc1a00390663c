package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// RosterState is where a planning stands.
type RosterState string

// The states of a planning. The values are stored.
const (
	RosterReady    RosterState = "ready"    // read, to be confirmed
	RosterCurrent  RosterState = "current"  // says who is on duty
	RosterReplaced RosterState = "replaced" // a later file of the same source took its place
	RosterUndone   RosterState = "undone"
)

// Roster is a planning: who works when, from one file. Of each source the last
// confirmed file counts; whoever no file names is neither on duty nor off.
type Roster struct {
	ID uuid.UUID
	// Source is who gives the file: "Soins", "Médecins", "Intérim".
	Source   string
	FileName string
	State    RosterState
	// From and To bound the days it speaks of.
	From, To                      time.Time
	Rows, People, Shifts, Refused int
	// Problems are the first rows left out, at most 200 of Refused.
	Problems []RosterProblem
	// Same tells that the planning in use says exactly this.
	Same    bool
	By      string
	Created time.Time

	digest string
}

// RosterProblem is a row of a planning that was left out, and why.
type RosterProblem struct {
	Line int `json:"line"`
	Problem
}

const rosterColumnList = `id, source, file_name, state, from_us, to_us, rows_read, people, shifts, refused, problems, digest, actor_name, created_us`

func scanRoster(row func(...any) error) (r Roster, err error) {
	var from, to, created int64
	var problems string
	if err := row(&r.ID, &r.Source, &r.FileName, &r.State, &from, &to, &r.Rows, &r.People, &r.Shifts, &r.Refused, &problems, &r.digest, &r.By, &created); err != nil {
		return r, err
	}
	r.From, r.To, r.Created = storage.Time(from), storage.Time(to), storage.Time(created)
	return r, json.Unmarshal([]byte(problems), &r.Problems)
}

// Rosters lists the plannings of the establishment, the latest first, 50 at most.
func (d *Directory) Rosters(ctx context.Context, scope access.Scope) (out []Roster, err error) {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return nil, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = rosters(ctx, tx, scope, ` ORDER BY created_us DESC, id DESC LIMIT 50`)
		return err
	})
	return out, err
}

func rosters(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, args ...any) (out []Roster, err error) {
	err = tx.Query(ctx, `SELECT `+rosterColumnList+` FROM directory_rosters WHERE organisation_id = $1`+which, append([]any{scope.Organisation()}, args...),
		func(row func(...any) error) error {
			r, err := scanRoster(row)
			out = append(out, r)
			return err
		})
	return out, err
}

// Roster gives one planning. Errors: NotFound.
func (d *Directory) Roster(ctx context.Context, scope access.Scope, id uuid.UUID) (r Roster, err error) {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return r, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if r, err = rosterOf(ctx, tx, scope, id); err != nil {
			return err
		}
		current, err := rosters(ctx, tx, scope, ` AND state = 'current' AND source_folded = $2`, storage.Fold(r.Source))
		r.Same = len(current) == 1 && current[0].ID != r.ID && current[0].digest == r.digest
		return err
	})
	return r, err
}

func rosterOf(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Roster, error) {
	found, err := rosters(ctx, tx, scope, ` AND id = $2`, id)
	if err != nil || len(found) == 0 {
		return Roster{}, errors.Join(err, fault.New(fault.NotFound, "directory.roster.not_found"))
	}
	return found[0], nil
}

// StageRoster reads a planning file beside the one in use: nothing changes
// until ConfirmRoster. Every row that is not understood is counted, and the
// first ones are listed. Errors: Invalid when the header or every row is wrong.
func (d *Directory) StageRoster(ctx context.Context, scope access.Scope, rows Rows, file File) (Roster, error) {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return Roster{}, err
	}
	reading, err := d.rosterReading(ctx, scope, rows.Header())
	if err != nil {
		return Roster{}, fmt.Errorf("stage roster: %w", err)
	}
	now := d.clock.Now()
	if file.Source = oneLine(file.Source); file.Source == "" {
		file.Source = "RH"
	}
	reading.out.ID, reading.out.Source, reading.out.FileName = storage.NewID(now), file.Source, oneLine(file.Name)
	reading.out.State, reading.out.By, reading.out.Created = RosterReady, scope.Actor().Name, now
	err = d.keepRoster(ctx, scope, reading, rows)
	if err == nil && reading.out.People == 0 {
		err = fault.New(fault.Invalid, "directory.roster.nobody", "rows", reading.out.Rows)
		if len(reading.out.Problems) > 0 {
			first := reading.out.Problems[0]
			err = fault.New(fault.Invalid, "directory.roster.nobody_first", "rows", reading.out.Rows, "line", first.Line)
		}
	}
	if err != nil {
		return Roster{}, errors.Join(err, d.dropRoster(context.WithoutCancel(ctx), scope, reading.out.ID))
	}
	return d.Roster(ctx, scope, reading.out.ID)
}

// rosterReading knows the people and the hours of the establishment.
func (d *Directory) rosterReading(ctx context.Context, scope access.Scope, header []string) (r *rosterReading, err error) {
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		c, err := d.newCompiler(ctx, tx, scope, d.clock.Now())
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(c.places.Zone)
		if err != nil {
			return err
		}
		people := map[string]uuid.UUID{}
		if err := tx.Query(ctx, `SELECT p.match_key, p.id FROM directory_people p WHERE `+working+` AND p.matricule <> ''`, c.args, func(row func(...any) error) error {
			var key string
			var id uuid.UUID
			err := row(&key, &id)
			people[key] = id
			return err
		}); err != nil {
			return err
		}
		r, err = newRosterReading(header, zone, people)
		return err
	})
	return r, err
}

// keepRoster writes a planning in chunks: the row that names it last, so that
// what was cut short is nobody's planning.
func (d *Directory) keepRoster(ctx context.Context, scope access.Scope, r *rosterReading, rows Rows) error {
	var shifts, people [][]any
	named := map[uuid.UUID]bool{}
	flush := func() error {
		defer func() { shifts, people = shifts[:0], people[:0] }()
		return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
			if err := tx.InsertRows(ctx, "directory_roster_people", []string{"organisation_id", "roster_id", "person_id"}, people); err != nil {
				return err
			}
			return tx.InsertRows(ctx, "directory_shifts", []string{"organisation_id", "roster_id", "person_id", "from_us", "to_us"}, shifts)
		})
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		s, ok := r.row(row)
		if !ok {
			continue
		}
		if !named[s.person] {
			named[s.person] = true
			people = append(people, []any{scope.Organisation(), r.out.ID, s.person})
		}
		if s.to.After(s.from) {
			shifts = append(shifts, []any{scope.Organisation(), r.out.ID, s.person, storage.Micros(s.from), storage.Micros(s.to)})
		}
		if len(shifts)+len(people) >= stageChunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	r.out.digest = r.digest()
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error { return insertRoster(ctx, tx, scope, r.out) })
}

func insertRoster(ctx context.Context, tx *storage.Tx, scope access.Scope, r Roster) error {
	problems, err := json.Marshal(r.Problems)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO directory_rosters (organisation_id, `+rosterColumnList+`, source_folded, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		scope.Organisation(), r.ID, r.Source, r.FileName, string(r.State), storage.Micros(r.From), storage.Micros(r.To), r.Rows, r.People, r.Shifts, r.Refused,
		string(problems), r.digest, r.By, storage.Micros(r.Created), storage.Fold(r.Source), storage.Micros(r.Created))
	return err
}

// ConfirmRoster makes a planning that waits the one in use for its source, by
// one short transaction. Errors: NotFound, Conflict when it does not wait any more.
func (d *Directory) ConfirmRoster(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return err
	}
	return d.moveRoster(ctx, scope, id, RosterReady, "directory.roster.apply", func(tx *storage.Tx, r Roster, now int64) error {
		current, err := rosters(ctx, tx, scope, ` AND state = 'current' AND source_folded = $2`, storage.Fold(r.Source))
		if err != nil {
			return err
		}
		previous := uuid.NullUUID{}
		for _, c := range current {
			previous = uuid.NullUUID{UUID: c.ID, Valid: true}
			if err := setRoster(ctx, tx, scope, c.ID, RosterReplaced, now); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `UPDATE directory_rosters SET state = 'current', previous_id = $3, updated_us = $4 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), id, previous, now)
		return err
	})
}

// AbandonRoster drops a planning that waits. Errors: NotFound, Conflict when it does not wait any more.
func (d *Directory) AbandonRoster(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	r, err := d.Roster(ctx, scope, id)
	if err != nil {
		return err
	}
	if r.State != RosterReady {
		return fault.New(fault.Conflict, "directory.roster.state")
	}
	return d.dropRoster(ctx, scope, id)
}

// UndoRoster takes the planning in use away and gives its place back to the one
// before, if it is still kept. Errors: NotFound, Conflict when it is not in use.
func (d *Directory) UndoRoster(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return err
	}
	return d.moveRoster(ctx, scope, id, RosterCurrent, "directory.roster.undo", func(tx *storage.Tx, _ Roster, now int64) error {
		if err := setRoster(ctx, tx, scope, id, RosterUndone, now); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE directory_rosters SET state = 'current', updated_us = $3 WHERE organisation_id = $1 AND state = 'replaced'
			AND id = (SELECT previous_id FROM directory_rosters WHERE organisation_id = $1 AND id = $2)`, scope.Organisation(), id, now)
		return err
	})
}

func setRoster(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, state RosterState, now int64) error {
	_, err := tx.Exec(ctx, `UPDATE directory_rosters SET state = $3, updated_us = $4 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, string(state), now)
	return err
}

func (d *Directory) moveRoster(ctx context.Context, scope access.Scope, id uuid.UUID, from RosterState, action string, move func(*storage.Tx, Roster, int64) error) error {
	now := d.clock.Now()
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		r, err := rosterOf(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if r.State != from {
			return fault.New(fault.Conflict, "directory.roster.state")
		}
		if err := move(tx, r, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: action, ObjectKind: "roster", ObjectID: id.String(), ObjectName: r.FileName,
			After: map[string]any{"source": r.Source, "from": r.From, "to": r.To, "people": r.People, "shifts": r.Shifts, "refused": r.Refused},
		})
	})
}

// dropRoster erases a planning, by chunks.
func (d *Directory) dropRoster(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	for more := true; more; {
		if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
			some := `(SELECT person_id FROM directory_roster_people WHERE organisation_id = $1 AND roster_id = $2 ORDER BY person_id LIMIT 200)`
			if _, err := tx.Exec(ctx, `DELETE FROM directory_shifts WHERE organisation_id = $1 AND roster_id = $2 AND person_id IN `+some, scope.Organisation(), id); err != nil {
				return err
			}
			n, err := tx.Exec(ctx, `DELETE FROM directory_roster_people WHERE organisation_id = $1 AND roster_id = $2 AND person_id IN `+some, scope.Organisation(), id)
			if more = n > 0; err != nil || more {
				return err
			}
			_, err = tx.Exec(ctx, `DELETE FROM directory_rosters WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// sweepRosters erases the plannings that no undo and no rest time can need: when
// somebody worked is not kept longer than it serves.
func (d *Directory) sweepRosters(ctx context.Context, scope access.Scope) error {
	type old struct{ organisation, id uuid.UUID }
	var list []old
	now := d.clock.Now()
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, id FROM directory_rosters WHERE to_us < $1 OR state IN ('replaced', 'undone') AND updated_us < $1
			OR state = 'ready' AND updated_us < $2`, []any{storage.Micros(now.Add(-UndoFor)), storage.Micros(now.Add(-WaitFor))}, func(row func(...any) error) error {
			var o old
			err := row(&o.organisation, &o.id)
			list = append(list, o)
			return err
		})
	}); err != nil {
		return err
	}
	for _, o := range list {
		if err := d.dropRoster(ctx, scope.Within(o.organisation), o.id); err != nil {
			return fmt.Errorf("sweep planning %s: %w", o.id, err)
		}
	}
	return nil
}
