package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

const (
	// stageChunk rows go to the database in one transaction of a few tens of milliseconds.
	stageChunk = 1_000
	// sampleRows are looked at to guess the mapping.
	sampleRows = 200
)

// Stage reads a staff file into the database, row by row, and proposes a
// mapping: the one remembered for that header, else a guess. Nothing of the
// directory changes. Confidential columns are blanked on the way. A file that cannot be read to its end leaves nothing.
func (d *Directory) Stage(ctx context.Context, scope access.Scope, rows Rows, file File) (Import, error) {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return Import{}, err
	}
	now := d.clock.Now()
	if file.Source = oneLine(file.Source); file.Source == "" {
		file.Source = "RH"
	}
	i := Import{
		ID: storage.NewID(now), Source: file.Source, FileName: oneLine(file.Name), State: Staging, Header: rows.Header(), Format: rows.Format(), Handling: file.Handling,
		By: scope.Actor().Name, Created: now, signature: assist.Signature(rows.Header()),
	}
	if err := d.keep(ctx, scope, i); err != nil {
		return i, err
	}
	sample, err := d.stageRows(ctx, scope, &i, rows)
	if err == nil {
		err = d.propose(ctx, scope, &i, sample)
	}
	if err != nil {
		// The caller may have gone; the clearing must not go with him.
		return i, errors.Join(err, d.discard(context.WithoutCancel(ctx), scope, i, Abandoned))
	}
	return i, nil
}

// keep writes the row of an import in a transaction of its own.
func (d *Directory) keep(ctx context.Context, scope access.Scope, i Import) error {
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error { return writeImport(ctx, tx, scope, i, d.clock.Now()) })
}

var stageColumns = []string{"organisation_id", "import_id", "seq", "line", "cells", "problem", "raw"}

func (d *Directory) stageRows(ctx context.Context, scope access.Scope, i *Import, rows Rows) (sample [][]string, err error) {
	var chunk [][]any
	hide := newVeil(i.Header)
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		defer func() { chunk = chunk[:0] }()
		return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
			if err := tx.InsertRows(ctx, "directory_import_rows", stageColumns, chunk); err != nil {
				return err
			}
			return progress(ctx, tx, scope, i.ID, i.Total, d.clock.Now())
		})
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return sample, flush()
		}
		if err != nil {
			return nil, err
		}
		hide.cover(&row)
		if row.Problem == nil && len(sample) < sampleRows {
			sample = append(sample, slices.Clone(row.Cells))
		}
		i.Total++
		staged, err := stagedRow(scope, i, row)
		if err != nil {
			return nil, err
		}
		if chunk = append(chunk, staged); len(chunk) == stageChunk {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
}

func stagedRow(scope access.Scope, i *Import, row table.Row) ([]any, error) {
	kept, err := assist.Keep(row)
	return []any{scope.Organisation(), i.ID, i.Total, row.Line, kept.Cells, kept.Problem, kept.Raw}, err
}

// propose ends the staging with a mapping.
func (d *Directory) propose(ctx context.Context, scope access.Scope, i *Import, sample [][]string) error {
	i.State, i.Done = Staged, i.Total
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		m, found, err := remembered(ctx, tx, scope, i.Source, i.signature)
		if err != nil {
			return err
		}
		i.Remembered = found && len(m) == len(i.Header)
		if i.Mapping = m; !i.Remembered {
			i.Mapping = guess(i.Header, sample)
		}
		if err := writeImport(ctx, tx, scope, *i, d.clock.Now()); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, d.clock.Now(), journal.Entry{
			Action: "directory.import.stage", ObjectKind: "import", ObjectID: i.ID.String(),
			ObjectName: i.FileName, After: map[string]any{"source": i.Source, "rows": i.Total},
		})
	})
}

func remembered(ctx context.Context, tx *storage.Tx, scope access.Scope, source, signature string) (m Mapping, found bool, err error) {
	var text string
	found, err = tx.Row(ctx, `SELECT mapping FROM directory_mappings WHERE organisation_id = $1 AND source = $2 AND signature = $3`,
		[]any{scope.Organisation(), storage.Fold(source), signature}, &text)
	if err == nil && found {
		err = json.Unmarshal([]byte(text), &m)
	}
	return m, found, err
}

// remember keeps a mapping for the next file with that header, and for the export.
func remember(ctx context.Context, tx *storage.Tx, scope access.Scope, i Import, now time.Time) error {
	header, err := json.Marshal(i.Header)
	if err != nil {
		return err
	}
	mapping, err := json.Marshal(i.Mapping)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO directory_mappings (organisation_id, source, signature, header, mapping, used_us) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (organisation_id, source, signature) DO UPDATE SET header = excluded.header, mapping = excluded.mapping, used_us = excluded.used_us`,
		scope.Organisation(), storage.Fold(i.Source), i.signature, string(header), string(mapping), storage.Micros(now))
	return err
}

// Map corrects the mapping of an import that is not confirmed yet; Preview must
// be run (again). Errors: Invalid, with the column's field.
func (d *Directory) Map(ctx context.Context, scope access.Scope, id uuid.UUID, m Mapping) (Import, error) {
	i, err := d.inState(ctx, scope, id, Staged, Ready)
	if err != nil {
		return i, err
	}
	if err := m.check(len(i.Header)); err != nil {
		return i, err
	}
	i.Mapping, i.State, i.Summary = m, Staged, Summary{}
	return i, d.keep(ctx, scope, i)
}

// Abandon drops an import that is not confirmed, or whose confirmation was cut:
// what it had written of the next generation goes, nothing of it was ever seen.
func (d *Directory) Abandon(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	i, err := d.inState(ctx, scope, id, Staging, Staged, Previewing, Ready, Applying)
	if err != nil {
		return err
	}
	if !d.working.TryLock() {
		return fault.New(fault.Conflict, "directory.import.busy")
	}
	defer d.working.Unlock()
	if i.State == Applying {
		if err := d.rollBack(ctx, scope, i); err != nil {
			return err
		}
	}
	return d.discard(ctx, scope, i, Abandoned)
}

// discard ends an import and forgets the file and what was computed from it.
func (d *Directory) discard(ctx context.Context, scope access.Scope, i Import, state ImportState) error {
	i.State = state
	if err := d.keep(ctx, scope, i); err != nil {
		return err
	}
	for _, table := range []string{"directory_import_rows", "directory_import_results"} {
		if err := d.drain(ctx, scope, i, table, ""); err != nil {
			return err
		}
	}
	return nil
}

// drain deletes rows of a staging table by portions; which may refine by $3 and
// $4, between which the portion is.
func (d *Directory) drain(ctx context.Context, scope access.Scope, i Import, table, which string) error {
	var from sql.NullInt64
	query := `SELECT MIN(seq) FROM ` + table + ` WHERE organisation_id = $1 AND import_id = $2 AND seq > $3`
	for last := int64(-1); ; {
		if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
			_, err := tx.Row(ctx, query, []any{scope.Organisation(), i.ID, last}, &from)
			return err
		}); err != nil || !from.Valid {
			return err
		}
		last = from.Int64 + 2*stageChunk
		if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE organisation_id = $1 AND import_id = $2 AND seq > $3 AND seq <= $4`+which,
				scope.Organisation(), i.ID, from.Int64-1, last)
			return err
		}); err != nil {
			return err
		}
	}
}
