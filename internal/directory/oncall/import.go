package oncall

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// ImportState is where a file of replacements stands. The values are stored.
type ImportState string

// The states of a file.
const (
	Ready   ImportState = "ready"   // read, to be confirmed
	Current ImportState = "current" // its replacements count
	Undone  ImportState = "undone"
)

// Import is a file read as replacements: a calendar, or an export of a planning.
type Import struct {
	ID       uuid.UUID
	FileName string
	State    ImportState
	// Rows are those read; Kept became replacements, Refused did not.
	Rows, Kept, Refused int
	// Problems are the first rows left out, at most problemsMost.
	Problems []directory.RosterProblem
	By       string
	Created  time.Time
}

// insertChunk bounds one write transaction.
const insertChunk = 500

// waitsFor is how long a file waits to be confirmed, and how long one that was undone is told.
const waitsFor = 7 * 24 * time.Hour

// StageTable reads an export of a planning beside what counts: nothing changes
// until Confirm. function holds the lines that name none; it may be Nil. Errors:
// Denied, NotFound, Invalid when the header or every line is wrong.
func (s *Service) StageTable(ctx context.Context, scope access.Scope, rows directory.Rows, name string, function uuid.UUID) (Import, error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return Import{}, err
	}
	return s.stage(ctx, scope, name, function, func(zone *time.Location) ([]claim, error) { return readPlanning(rows, zone) })
}

// StageCalendar is StageTable for an iCalendar file.
func (s *Service) StageCalendar(ctx context.Context, scope access.Scope, r io.Reader, name string, function uuid.UUID) (Import, error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return Import{}, err
	}
	return s.stage(ctx, scope, name, function, func(zone *time.Location) ([]claim, error) { return readCalendar(r, zone, s.Clock.Now()) })
}

func (s *Service) stage(ctx context.Context, scope access.Scope, name string, function uuid.UUID, read func(*time.Location) ([]claim, error)) (Import, error) {
	all, zone, err := s.zoneOf(ctx, scope, function)
	if err != nil {
		return Import{}, err
	}
	claims, err := read(zone)
	if err != nil {
		return Import{}, err
	}
	now := s.Clock.Now()
	out := Import{ID: storage.NewID(now), FileName: oneLine(name), State: Ready, Rows: len(claims), By: scope.Actor().Name, Created: now}
	var list []Replacement
	if err := s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		typed := make([]string, len(claims))
		for i, c := range claims {
			typed[i] = c.person
		}
		people, err := lookUp(ctx, tx, scope, typed)
		list = out.settle(claims, people, all, function, now)
		return err
	}); err != nil {
		return Import{}, err
	}
	if out.Kept == 0 {
		return out, fault.New(fault.Invalid, "directory.oncall.import.nothing", "rows", out.Rows)
	}
	for begin := 0; begin < len(list); begin += insertChunk {
		part := list[begin:min(begin+insertChunk, len(list))]
		if err := s.DB.Write(ctx, scope, func(tx *storage.Tx) error { return insertReplacements(ctx, tx, scope, part) }); err != nil {
			return out, err
		}
	}
	// The row that names the file comes last: what was cut short counts for nothing.
	return out, s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := s.sweepImports(ctx, tx, scope, now); err != nil {
			return err
		}
		return insertImport(ctx, tx, scope, out)
	})
}

// zoneOf reads the functions, and the clock by which the hours of a file are understood.
func (s *Service) zoneOf(ctx context.Context, scope access.Scope, chosen uuid.UUID) (all []Function, zone *time.Location, err error) {
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		if all, err = functions(ctx, tx, scope); err != nil {
			return err
		}
		places, err := s.Organisation.Places(ctx, tx, scope, s.Clock.Now())
		if err != nil {
			return err
		}
		name := places.Zone
		if chosen != uuid.Nil {
			f, err := function(ctx, tx, scope, chosen)
			if err != nil {
				return err
			}
			name = f.Zone
		}
		zone, err = loadZone(name)
		return err
	})
	return all, zone, err
}

// settle makes replacements of what was understood, and counts the rest with its reasons.
func (i *Import) settle(claims []claim, people faces, all []Function, chosen uuid.UUID, now time.Time) (list []Replacement) {
	byName := map[string]uuid.UUID{}
	for _, f := range all {
		byName[storage.Fold(f.Name)] = f.ID
	}
	refuse := func(c claim, key string, args ...any) {
		i.Refused++
		if len(i.Problems) < problemsMost {
			i.Problems = append(i.Problems, directory.RosterProblem{Line: c.line, Problem: directory.Problem{Key: key, Args: args, Error: true}})
		}
	}
	for _, c := range claims {
		if c.key != "" {
			refuse(c, c.key, c.args...)
			continue
		}
		function, known := byName[storage.Fold(c.function)]
		if !known {
			function = chosen
		}
		if function == uuid.Nil || !known && c.function != "" && chosen == uuid.Nil {
			refuse(c, "directory.oncall.import.no_function", "name", c.function)
			continue
		}
		who, err := people.one(c.person)
		if e := fault.As(err); e != nil {
			refuse(c, e.Key, e.Args...)
			continue
		}
		i.Kept++
		list = append(list, Replacement{ID: storage.NewID(now), Function: function, Person: who.ID, From: c.from, To: c.to, Import: i.ID, By: i.By, Created: now})
	}
	return list
}

// Imports lists the files, the latest first, 50 at most.
func (s *Service) Imports(ctx context.Context, scope access.Scope) (out []Import, err error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = imports(ctx, tx, `organisation_id = $1 ORDER BY created_us DESC, id DESC LIMIT 50`, scope.Organisation())
		return err
	})
	return out, err
}

// Import gives one file, with the replacements it brings, 200 at most, and the
// names of their people and functions. Errors: NotFound.
func (s *Service) Import(ctx context.Context, scope access.Scope, id uuid.UUID) (i Import, list []Replacement, names map[uuid.UUID]string, err error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return i, nil, nil, err
	}
	names = map[uuid.UUID]string{}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		if i, err = oneImport(ctx, tx, scope, id); err != nil {
			return err
		}
		if list, err = replacements(ctx, tx, scope, `import_id = $2 AND id IN (SELECT id FROM directory_oncall_replacements
			WHERE organisation_id = $1 AND import_id = $2 ORDER BY from_us, id LIMIT 200)`, id); err != nil {
			return err
		}
		slices.SortStableFunc(list, func(a, b Replacement) int { return a.From.Compare(b.From) })
		all, err := functions(ctx, tx, scope)
		if err != nil {
			return err
		}
		for _, f := range all {
			names[f.ID] = f.Name
		}
		var ids []uuid.UUID
		for _, r := range list {
			ids = append(ids, r.Person)
		}
		people, err := agents(ctx, tx, scope, ids)
		for id, a := range people {
			names[id] = a.Name
		}
		return err
	})
	return i, list, names, err
}

func oneImport(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Import, error) {
	found, err := imports(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "directory.oncall.import.not_found")
	}
	if err != nil {
		return Import{}, err
	}
	return found[0], nil
}

// Confirm makes the replacements of a file count, at once. Errors: Denied,
// NotFound, Conflict when it does not wait any more.
func (s *Service) Confirm(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.move(ctx, scope, id, Ready, Current, "directory.oncall.import.apply")
}

// Undo takes the replacements of a file back. Errors: Denied, NotFound, Conflict
// when it does not count.
func (s *Service) Undo(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.move(ctx, scope, id, Current, Undone, "directory.oncall.import.undo")
}

func (s *Service) move(ctx context.Context, scope access.Scope, id uuid.UUID, from, to ImportState, action string) error {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		i, err := oneImport(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if i.State != from {
			return fault.New(fault.Conflict, "directory.oncall.import.state")
		}
		if _, err := tx.Exec(ctx, `UPDATE directory_oncall_imports SET state = $3, updated_us = $4 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), id, string(to), storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: action, ObjectKind: "oncall_import", ObjectID: id.String(), ObjectName: i.FileName, After: map[string]any{"kept": i.Kept, "refused": i.Refused},
		})
	})
}

// sweepImports erases the files that no longer wait and no longer count.
func (s *Service) sweepImports(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time) error {
	old := `(SELECT id FROM directory_oncall_imports WHERE organisation_id = $1 AND state <> 'current' AND updated_us < $2)`
	limit := storage.Micros(now.Add(-waitsFor))
	if _, err := tx.Exec(ctx, `DELETE FROM directory_oncall_replacements WHERE organisation_id = $1 AND import_id IN `+old, scope.Organisation(), limit); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM directory_oncall_imports WHERE organisation_id = $1 AND state <> 'current' AND updated_us < $2`, scope.Organisation(), limit)
	return err
}

const importColumns = `id, file_name, state, rows_read, kept, refused, problems, actor_name, created_us`

func imports(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Import, err error) {
	err = tx.Query(ctx, `SELECT `+importColumns+` FROM directory_oncall_imports WHERE `+which, args, func(row func(...any) error) error {
		var i Import
		var problems string
		var created int64
		if err := row(&i.ID, &i.FileName, &i.State, &i.Rows, &i.Kept, &i.Refused, &problems, &i.By, &created); err != nil {
			return err
		}
		i.Created = storage.Time(created)
		out = append(out, i)
		return json.Unmarshal([]byte(problems), &out[len(out)-1].Problems)
	})
	return out, err
}

func insertImport(ctx context.Context, tx *storage.Tx, scope access.Scope, i Import) error {
	problems, err := json.Marshal(i.Problems)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO directory_oncall_imports (organisation_id, `+importColumns+`, updated_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		scope.Organisation(), i.ID, i.FileName, string(i.State), i.Rows, i.Kept, i.Refused, string(problems), i.By, storage.Micros(i.Created), storage.Micros(i.Created))
	return err
}
