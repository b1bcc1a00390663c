package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// touchedShown bounds the names an undo gives.
const touchedShown = 200

// Touched names the people of an applied import whom somebody, or another
// import, changed since: an undo would leave them as they are. 200 at most.
func (d *Directory) Touched(ctx context.Context, scope access.Scope, id uuid.UUID) (names []string, err error) {
	i, err := d.inState(ctx, scope, id, Applied, Undoing)
	if err != nil {
		return nil, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		names, err = touched(ctx, tx, scope, i)
		return err
	})
	return names, err
}

func touched(ctx context.Context, tx *storage.Tx, scope access.Scope, i Import) (names []string, err error) {
	// Each of the three is a place of its own in the index of who an import wrote
	// (SQLite takes it only if told that since_gen > 0): what nobody touched is not read.
	const wrote = `SELECT id FROM directory_people WHERE organisation_id = $1 AND since_gen > 0 AND since_gen = $2 AND `
	err = tx.Query(ctx, `SELECT p.last_name, p.first_name FROM directory_people p WHERE p.organisation_id = $1 AND p.since_gen = $2 AND p.id IN (SELECT t.id FROM (
		`+wrote+`until_gen = $4 AND updated_us > $3 UNION ALL `+wrote+`until_gen = $4 AND updated_us < $3 UNION ALL
		`+wrote+`until_gen < $4 AND (updated_us <> $3 OR until_gen <> COALESCE((SELECT last_generation FROM directory_state WHERE organisation_id = $1 AND applying = $6), 0))) t
		LIMIT $5) ORDER BY p.name_folded || '', p.id`,
		[]any{scope.Organisation(), i.generation, storage.Micros(i.Applied), int64(forever), touchedShown, i.ID}, func(row func(...any) error) error {
			var p Person
			err := row(&p.LastName, &p.FirstName)
			names = append(names, p.Name())
			return err
		})
	return names, err
}

// Undo gives people back as they were before an import, by a new generation.
// What alerts learnt in between stays. People whom somebody changed after the
// import are left as they are and named in Summary.Kept; unless keepTouched
// says to go on without them, there must be none (Conflict,
// directory.import.touched). A crash in the middle is resumed by calling again.
func (d *Directory) Undo(ctx context.Context, scope access.Scope, id uuid.UUID, keepTouched bool) (Import, error) {
	i, err := d.inState(ctx, scope, id, Applied, Undoing)
	if err != nil {
		return i, err
	}
	if !d.working.TryLock() {
		return i, fault.New(fault.Conflict, "directory.import.busy")
	}
	defer d.working.Unlock()
	if i.State == Applied && d.clock.Now().Sub(i.Applied) >= UndoFor {
		return i, fault.New(fault.Conflict, "directory.import.too_old", "days", int(UndoFor.Hours()/24))
	}
	if i.State == Applied {
		names, err := d.Touched(ctx, scope, id)
		if err != nil {
			return i, err
		}
		if len(names) > 0 && !keepTouched {
			return i, fault.New(fault.Conflict, "directory.import.touched", "count", len(names), "names", strings.Join(names[:min(len(names), 5)], ", "))
		}
		if err := d.begin(ctx, scope, &i, Undoing, "directory.import.undo"); err != nil {
			return i, err
		}
	}
	if err := d.goBack(ctx, scope, &i); err != nil {
		return i, fmt.Errorf("undo import %s: %w", id, err)
	}
	d.unlinked.Store(true)
	_, err = d.LinkHumans(ctx, linkScope())
	return i, err
}

func (d *Directory) goBack(ctx context.Context, scope access.Scope, i *Import) error {
	var next int64
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Row(ctx, `SELECT last_generation FROM directory_state WHERE organisation_id = $1`, []any{scope.Organisation()}, &next)
		return err
	}); err != nil {
		return err
	}
	for last, more := uuid.Nil, true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.db.Write(ctx, scope, func(tx *storage.Tx) (err error) {
			last, more, err = backSome(ctx, tx, scope, *i, next, last)
			return err
		}); err != nil {
			return err
		}
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) (err error) {
		if i.Summary.Kept, err = touched(ctx, tx, scope, *i); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE directory_state SET generation = $2, applying = NULL, quality_stale = TRUE WHERE organisation_id = $1`,
			scope.Organisation(), next); err != nil {
			return err
		}
		// What it had decided is undone with it.
		if _, err := tx.Exec(ctx, `DELETE FROM directory_conflicts WHERE organisation_id = $1 AND import_id = $2`, scope.Organisation(), i.ID); err != nil {
			return err
		}
		i.State = Undone
		return writeImport(ctx, tx, scope, *i, d.clock.Now())
	})
}

// backSome ends the versions of some people that the import wrote and nobody
// touched, and puts the versions of before after them. The rows it has done do
// not match any more, so that a crash changes nothing to the rest.
func backSome(ctx context.Context, tx *storage.Tx, scope access.Scope, i Import, next int64, last uuid.UUID) (uuid.UUID, bool, error) {
	var ids []uuid.UUID
	if err := tx.Query(ctx, `SELECT id FROM directory_people WHERE organisation_id = $1 AND since_gen > 0 AND since_gen = $2 AND until_gen = $3 AND updated_us = $4 AND id > $6
		ORDER BY id LIMIT $5`, []any{scope.Organisation(), i.generation, int64(forever), storage.Micros(i.Applied), applyChunk, last}, func(row func(...any) error) error {
		var id uuid.UUID
		err := row(&id)
		ids = append(ids, id)
		return err
	}); err != nil || len(ids) == 0 {
		return last, false, err
	}
	end := storage.Args(ids, scope.Organisation(), i.generation, int64(forever), next)
	copied := storage.Args(ids, scope.Organisation(), i.generation, int64(forever), next)
	for _, t := range []struct {
		table, key string
		columns    []string
	}{{"directory_people", "id", personInsert}, {"directory_contacts", "person_id", contactInsert}} {
		if _, err := tx.Exec(ctx, `UPDATE `+t.table+` SET until_gen = $4 WHERE organisation_id = $1 AND since_gen = $2 AND until_gen = $3 AND `+t.key+` IN (`+
			storage.In(len(ids), 5)+`)`, end...); err != nil {
			return last, false, err
		}
		values := slices.Clone(t.columns)
		for n, c := range values {
			switch c {
			case "since_gen":
				values[n] = "$4"
			case "until_gen":
				values[n] = "$3"
			case "revision":
				values[n] = "revision + 2" // not the one a form opened in between holds
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO `+t.table+` (`+strings.Join(t.columns, ", ")+`) SELECT `+strings.Join(values, ", ")+` FROM `+t.table+
			` WHERE organisation_id = $1 AND until_gen = $2 AND `+t.key+` IN (`+storage.In(len(ids), 5)+`)`, copied...); err != nil {
			return last, false, err
		}
	}
	return ids[len(ids)-1], true, nil
}
