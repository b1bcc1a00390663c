package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// sampleRows are looked at to guess the mapping.
const sampleRows = 200

// Stage reads a file into the database, row by row, and proposes a mapping: the
// one remembered for that header, else a guess. Nothing of the inventory
// changes. A file that cannot be read to its end leaves nothing. Needs
// access.InventoryWrite. Errors: Invalid.
func (s *Service) Stage(ctx context.Context, scope access.Scope, rows Rows, file File) (Import, error) {
	if err := s.opt.Guard.Check(scope, access.InventoryWrite); err != nil {
		return Import{}, err
	}
	if !file.Kind.Known() {
		return Import{}, fault.New(fault.Invalid, "inventory.kind_unknown").At("kind")
	}
	now := s.opt.Clock.Now()
	if file.Source = assist.OneLine(file.Source); file.Source == "" {
		file.Source = "DSI"
	}
	i := Import{
		ID: storage.NewID(now), Source: file.Source, FileName: assist.OneLine(file.Name), Kind: file.Kind, State: Staged, Header: rows.Header(),
		Format: rows.Format(), By: scope.Actor().Name, Created: now, signature: assist.Signature(rows.Header()),
	}
	if err := s.forgetOld(ctx, scope); err != nil {
		return i, err
	}
	sample, err := s.stageRows(ctx, scope, &i, rows)
	if err == nil {
		err = s.propose(ctx, scope, &i, sample)
	}
	if err != nil {
		// The caller may have gone; the clearing must not go with him.
		return i, errors.Join(err, s.clear(context.WithoutCancel(ctx), scope, i.ID, "inventory_import_rows"))
	}
	return i, nil
}

func (s *Service) stageRows(ctx context.Context, scope access.Scope, i *Import, rows Rows) (sample [][]string, err error) {
	var waiting [][]any
	flush := func() error {
		defer func() { waiting = waiting[:0] }()
		return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
			return tx.InsertRows(ctx, "inventory_import_rows", []string{"organisation_id", "import_id", "seq", "line", "cells", "problem", "raw"}, waiting)
		})
	}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return sample, flush()
		}
		if err != nil {
			return nil, err
		}
		if row.Problem == nil && len(sample) < sampleRows {
			sample = append(sample, slices.Clone(row.Cells))
		}
		if i.Total++; i.Total > RowsMost {
			return nil, fault.New(fault.Invalid, "inventory.import.too_many", "most", RowsMost)
		}
		kept, err := assist.Keep(row)
		if err != nil {
			return nil, err
		}
		if waiting = append(waiting, []any{scope.Organisation(), i.ID, i.Total, row.Line, kept.Cells, kept.Problem, kept.Raw}); len(waiting) == chunk {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
}

// propose ends the staging with a mapping.
func (s *Service) propose(ctx context.Context, scope access.Scope, i *Import, sample [][]string) error {
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var text string
		found, err := tx.Row(ctx, `SELECT mapping FROM inventory_mappings WHERE organisation_id = $1 AND signature = $2`, []any{scope.Organisation(), i.signature}, &text)
		if err != nil {
			return err
		}
		if found {
			if err := json.Unmarshal([]byte(text), &i.Mapping); err != nil {
				return err
			}
		}
		if i.Remembered = found && len(i.Mapping) == len(i.Header); !i.Remembered {
			i.Mapping = guess(i.Header, sample)
		}
		if err := writeImport(ctx, tx, scope, *i, now); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "inventory.import.stage", ObjectKind: "import", ObjectID: i.ID.String(), ObjectName: i.FileName,
			After: map[string]any{"source": i.Source, "rows": i.Total},
		})
	})
}

// remember keeps a mapping for the next file with that header.
func remember(ctx context.Context, tx *storage.Tx, scope access.Scope, i Import, now int64) error {
	mapping, err := json.Marshal(i.Mapping)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO inventory_mappings (organisation_id, signature, mapping, used_us) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organisation_id, signature) DO UPDATE SET mapping = excluded.mapping, used_us = excluded.used_us`,
		scope.Organisation(), i.signature, string(mapping), now)
	return err
}

// Abandon drops an import that is not confirmed. Needs access.InventoryWrite.
// Errors: NotFound, Conflict.
func (s *Service) Abandon(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	i, err := s.inState(ctx, scope, id, Staged, Ready)
	if err != nil {
		return err
	}
	i.State = Abandoned
	if err := s.keep(ctx, scope, i); err != nil {
		return err
	}
	return errors.Join(s.clear(ctx, scope, id, "inventory_import_rows"), s.clear(ctx, scope, id, "inventory_import_results"))
}

// clear empties a staging table of one import.
func (s *Service) clear(ctx context.Context, scope access.Scope, id uuid.UUID, table string) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE organisation_id = $1 AND import_id = $2`, scope.Organisation(), id)
		return err
	})
}

// forgetOld drops the rows of the imports that cannot be undone any more.
func (s *Service) forgetOld(ctx context.Context, scope access.Scope) error {
	before := storage.Micros(s.opt.Clock.Now().Add(-UndoFor))
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		for _, table := range []string{"inventory_import_rows", "inventory_import_results"} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE organisation_id = $1 AND import_id IN (
				SELECT id FROM inventory_imports WHERE organisation_id = $1 AND updated_us < $2)`, scope.Organisation(), before); err != nil {
				return err
			}
		}
		return nil
	})
}
