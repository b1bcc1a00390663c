package inventory

import (
	"context"
	"encoding/json"
	"io"
	"strconv"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
)

// Result is what an import says of one row, or of one thing that is gone.
type Result struct {
	Seq int
	// Line is where the row starts in the file; 0 for what no row is about.
	Line     int
	Kind     string
	Item     uuid.UUID // Nil for something new
	Name     string
	Changes  []Change
	Problems []assist.Problem
}

// ResultFilter selects results; zero fields select everything.
type ResultFilter struct {
	Kind string // KindNew, KindChanged, KindGone, KindSame, KindRefused
	// Complaints keeps the rows that have a problem and are let in.
	Complaints bool
	// After continues a page: Seq of the last result seen.
	After int
	// Limit is 1 to 500; 0 means 50.
	Limit int
}

// Results lists what an import would change, or changed, in the order of the
// file. Needs access.InventoryWrite.
func (s *Service) Results(ctx context.Context, scope access.Scope, id uuid.UUID, f ResultFilter) (out []Result, err error) {
	if err := s.opt.Guard.Check(scope, access.InventoryWrite); err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > 500 {
		f.Limit = 50
	}
	query := `SELECT seq, line, kind, item_id, name, changes, problems FROM inventory_import_results WHERE organisation_id = $1 AND import_id = $2 AND seq > $3`
	args := []any{scope.Organisation(), id, f.After, f.Limit}
	if f.Kind != "" {
		args = append(args, f.Kind)
		query += " AND kind = $" + strconv.Itoa(len(args))
	}
	if f.Complaints {
		query += " AND problems <> '' AND kind <> 'refused'"
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, query+" ORDER BY seq LIMIT $4", args, func(row func(...any) error) error {
			r, err := scanResult(row)
			out = append(out, r)
			return err
		})
	})
	return out, err
}

func scanResult(row func(...any) error) (Result, error) {
	var r Result
	var item uuid.NullUUID
	var differ, problems string
	if err := row(&r.Seq, &r.Line, &r.Kind, &item, &r.Name, &differ, &problems); err != nil {
		return r, err
	}
	r.Item = item.UUID
	if differ != "" {
		if err := json.Unmarshal([]byte(differ), &r.Changes); err != nil {
			return r, err
		}
	}
	if problems != "" {
		return r, json.Unmarshal([]byte(problems), &r.Problems)
	}
	return r, nil
}

// Unreadable writes as CSV the rows that were kept out, as they were in the
// file, with the line and the reason first. Needs access.InventoryWrite.
func (s *Service) Unreadable(ctx context.Context, scope access.Scope, id uuid.UUID, loc *i18n.Localizer, w io.Writer) error {
	i, err := s.Import(ctx, scope, id)
	if err != nil {
		return err
	}
	out, err := assist.NewRefused(w, loc, loc.T("inventory.import.column_line"), loc.T("inventory.import.column_reason"), i.Header)
	if err != nil {
		return err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT r.line, w.cells, w.raw, r.problems FROM inventory_import_results r JOIN inventory_import_rows w
			ON w.organisation_id = r.organisation_id AND w.import_id = r.import_id AND w.seq = r.seq
			WHERE r.organisation_id = $1 AND r.import_id = $2 AND r.kind = 'refused' ORDER BY r.seq`, []any{scope.Organisation(), id},
			func(row func(...any) error) error {
				var line int
				var kept assist.Kept
				var problems string
				if err := row(&line, &kept.Cells, &kept.Raw, &problems); err != nil {
					return err
				}
				var list []assist.Problem
				if err := json.Unmarshal([]byte(problems), &list); err != nil {
					return err
				}
				return out.Row(line, kept, list)
			})
	})
	if err != nil {
		return err
	}
	return out.Flush()
}
