package directory

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
)

// Result is what an import says of one row, or of one person who is gone.
type Result struct {
	Seq int
	// Line is where the row starts in the file; 0 for people who are gone.
	Line   int
	Kind   string
	Person uuid.UUID // Nil for somebody new
	Name   string
	// Changes are field by field; private numbers are masked unless the scope may see them.
	Changes  []Change
	Problems []Problem
}

// ResultFilter selects results; zero fields select everything.
type ResultFilter struct {
	Kind string // KindNew, KindChanged, KindGone, KindSame, KindRefused
	// Field keeps the changes of one field.
	Field string
	// Complaints keeps the rows that have a problem.
	Complaints bool
	// After continues a page: Seq of the last result seen.
	After int
	// Limit is 1 to 500; 0 means 50.
	Limit int
}

// Results lists what an import would change, or changed, in the order of the file.
func (d *Directory) Results(ctx context.Context, scope access.Scope, id uuid.UUID, f ResultFilter) (out []Result, err error) {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > 500 {
		f.Limit = 50
	}
	query := `SELECT seq, line, kind, person_id, name, changes, problems FROM directory_import_results WHERE organisation_id = $1 AND import_id = $2 AND seq > $3`
	args := []any{scope.Organisation(), id, f.After, f.Limit}
	if f.Kind != "" {
		args = append(args, f.Kind)
		query += " AND kind = $" + strconv.Itoa(len(args))
	}
	if f.Field != "" {
		args = append(args, "% "+storage.Like(f.Field)+" %")
		query += " AND fields LIKE $" + strconv.Itoa(len(args)) + ` ESCAPE '\'`
	}
	if f.Complaints {
		query += " AND problems <> ''"
	}
	whole := d.guard.May(scope, access.DirectoryNumbers)
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, query+" ORDER BY seq LIMIT $4", args, func(row func(...any) error) error {
			r, err := scanResult(row)
			if !whole {
				for n := range r.Changes {
					r.Changes[n].hide()
				}
			}
			out = append(out, r)
			return err
		})
	})
	return out, err
}

func scanResult(row func(...any) error) (Result, error) {
	var r Result
	var person uuid.NullUUID
	var changes, problems string
	if err := row(&r.Seq, &r.Line, &r.Kind, &person, &r.Name, &changes, &problems); err != nil {
		return r, err
	}
	r.Person = person.UUID
	if changes != "" {
		if err := json.Unmarshal([]byte(changes), &r.Changes); err != nil {
			return r, err
		}
	}
	if problems != "" {
		return r, json.Unmarshal([]byte(problems), &r.Problems)
	}
	return r, nil
}

// hide masks the numbers of a change.
func (c *Change) hide() {
	masked := func(list string) string {
		parts := strings.Split(list, ", ")
		for n := range parts {
			parts[n] = mask(Contact{Kind: c.Field, Address: parts[n]})
		}
		return strings.Join(parts, ", ")
	}
	if isContact(c.Field) {
		if c.Before != "" {
			c.Before = masked(c.Before)
		}
		if c.After != "" {
			c.After = masked(c.After)
		}
	}
}

// Unreadable writes as CSV the rows that were kept out, as they were in the
// file, with the line and the reason first. Spreadsheets open it in French.
func (d *Directory) Unreadable(ctx context.Context, scope access.Scope, id uuid.UUID, loc *i18n.Localizer, w io.Writer) error {
	i, err := d.Import(ctx, scope, id)
	if err != nil {
		return err
	}
	out, err := assist.NewRefused(w, loc, loc.T("directory.import.column_line"), loc.T("directory.import.column_reason"), i.Header)
	if err != nil {
		return err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT r.line, w.cells, w.raw, r.problems FROM directory_import_results r JOIN directory_import_rows w
			ON w.organisation_id = r.organisation_id AND w.import_id = r.import_id AND w.seq = r.seq
			WHERE r.organisation_id = $1 AND r.import_id = $2 AND r.kind = 'refused' ORDER BY r.seq`, []any{scope.Organisation(), id},
			func(row func(...any) error) error {
				var line int
				var kept assist.Kept
				var problems string
				if err := row(&line, &kept.Cells, &kept.Raw, &problems); err != nil {
					return err
				}
				var list []Problem
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
