package directory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// UndoFor is how long an import may be undone. After it, the versions it
// replaced and what is left of the file are erased.
const UndoFor = 30 * 24 * time.Hour

// WaitFor is how long a file may wait to be confirmed; then it is abandoned.
const WaitFor = 7 * 24 * time.Hour

// Sweep erases what no undo can need any more, and how to reach those who left
// before then. It suits jobs.Task, with an
// Instance scope, once a day.
func (d *Directory) Sweep(ctx context.Context, scope access.Scope) error {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return err
	}
	if err := d.abandonOld(ctx, scope); err != nil {
		return err
	}
	if err := d.sweepRosters(ctx, scope); err != nil {
		return err
	}
	limit := storage.Micros(d.clock.Now().Add(-UndoFor))
	if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM directory_conflicts WHERE found_us < $1`, limit)
		return err
	}); err != nil {
		return err
	}
	type over struct {
		organisation uuid.UUID
		Import
	}
	var files []over
	var organisations []uuid.UUID
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if err := tx.Query(ctx, `SELECT organisation_id, id FROM directory_imports WHERE state IN ('applied', 'undone', 'abandoned') AND updated_us < $1`,
			[]any{limit}, func(row func(...any) error) error {
				var o over
				err := row(&o.organisation, &o.ID)
				files = append(files, o)
				return err
			}); err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT organisation_id FROM directory_state`, nil, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			organisations = append(organisations, id)
			return err
		})
	}); err != nil {
		return err
	}
	for _, f := range files {
		for _, table := range []string{"directory_import_rows", "directory_import_results"} {
			if err := d.drain(ctx, scope.Within(f.organisation), f.Import, table, ""); err != nil {
				return err
			}
		}
	}
	for _, id := range organisations {
		if err := d.sweepVersions(ctx, scope.Within(id), limit); err != nil {
			return err
		}
		if err := d.forgetDeparted(ctx, scope.Within(id)); err != nil {
			return err
		}
	}
	return nil
}

// abandonOld drops the files that nobody confirmed: they hold a whole staff.
func (d *Directory) abandonOld(ctx context.Context, scope access.Scope) error {
	if !d.working.TryLock() {
		return nil // an import is at work: tomorrow is soon enough
	}
	defer d.working.Unlock()
	var scopes []access.Scope
	var old []Import
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, `+importColumns+` FROM directory_imports WHERE state IN ('staging', 'staged', 'ready') AND updated_us < $1`,
			[]any{storage.Micros(d.clock.Now().Add(-WaitFor))}, func(row func(...any) error) error {
				var organisation uuid.UUID
				i, err := scanImport(func(into ...any) error { return row(append([]any{&organisation}, into...)...) })
				scopes, old = append(scopes, scope.Within(organisation)), append(old, i)
				return err
			})
	}); err != nil {
		return err
	}
	for n, i := range old {
		if err := d.discard(ctx, scopes[n], i, Abandoned); err != nil {
			return err
		}
	}
	return nil
}

// sweepVersions erases the versions that ended before the oldest import that may still be undone.
func (d *Directory) sweepVersions(ctx context.Context, scope access.Scope, limit int64) error {
	var before int64
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Row(ctx, `SELECT COALESCE((SELECT MIN(i.generation) FROM directory_imports i WHERE i.organisation_id = $1 AND i.generation > 0
			AND i.state IN ('applied', 'applying', 'undoing') AND i.applied_us >= $2), s.generation + 1) FROM directory_state s WHERE s.organisation_id = $1`,
			[]any{scope.Organisation(), limit}, &before)
		return err
	}); err != nil {
		return err
	}
	for n := applyChunk; n == applyChunk; {
		if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
			var ids []uuid.UUID
			if err := tx.Query(ctx, `SELECT DISTINCT id FROM directory_people WHERE organisation_id = $1 AND until_gen < $2 AND until_gen < 9223372036854775807 LIMIT $3`,
				[]any{scope.Organisation(), before, applyChunk}, func(row func(...any) error) error {
					var id uuid.UUID
					err := row(&id)
					ids = append(ids, id)
					return err
				}); err != nil {
				return err
			}
			if n = len(ids); n == 0 {
				return nil
			}
			for table, column := range map[string]string{"directory_people": "id", "directory_contacts": "person_id"} {
				if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE organisation_id = $1 AND until_gen < $2 AND `+column+` IN (`+storage.In(len(ids), 3)+`)`,
					storage.Args(ids, scope.Organisation(), before)...); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
