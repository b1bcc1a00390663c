package inventory

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// State is where an import stands.
type State string

// The states, in the order of an import's life. The values are stored.
const (
	Staged    State = "staged"   // the mapping may be corrected
	Ready     State = "ready"    // compared with today, to be confirmed
	Applying  State = "applying" // cut in the middle: confirming again goes on
	Applied   State = "applied"
	Undoing   State = "undoing" // cut in the middle: undoing again goes on
	Undone    State = "undone"
	Abandoned State = "abandoned"
)

const (
	// UndoFor is how long an import can be undone.
	UndoFor = 30 * 24 * time.Hour
	// RowsMost bounds the rows of one file.
	RowsMost = 20_000
	// chunk rows are written in one transaction of a few tens of milliseconds.
	chunk = 200
)

// Import is the passage of one file.
type Import struct {
	ID uuid.UUID
	// Source names the owner of the rows: "DSI", "Biomédical". Only things of
	// the same source may be found gone.
	Source   string
	FileName string
	// Kind is that of the rows when no column says it.
	Kind    Kind
	State   State
	Header  []string
	Format  table.Format
	Mapping Mapping
	// Remembered tells that the mapping is that of an earlier file with the same header.
	Remembered bool
	Total      int
	Summary    Summary
	// Retire tells that what the file does not hold any more was retired.
	Retire  bool
	By      string
	Created time.Time
	// Applied is when it was confirmed; zero before.
	Applied time.Time

	signature string
}

// Summary counts what an import would change, or changed.
type Summary struct {
	New, Changed, Same, Gone int
	// Refused rows are kept out; Warnings counts those let in with a word.
	Refused, Warnings int
	// Suppliers are those the file names and nobody knows: they are added.
	Suppliers int
	// Kept are the things that the import, or its undoing, left as they are since
	// somebody changed them meanwhile; 200 at most.
	Kept []string
}

// File says where a table comes from.
type File struct {
	Name string
	// Source is the owner of the rows; empty means "DSI".
	Source string
	Kind   Kind
}

// Rows is an open table: *table.Source is one.
type Rows interface {
	Header() []string
	Format() table.Format
	Next() (table.Row, error)
}

const importColumns = `id, source, file_name, default_kind, state, header, signature, format, mapping, remembered, total, summary, retire, actor_name, created_us, applied_us`

func scanImport(row func(...any) error) (Import, error) {
	var i Import
	var header, format, mapping, summary string
	var created int64
	var applied sql.NullInt64
	if err := row(&i.ID, &i.Source, &i.FileName, &i.Kind, &i.State, &header, &i.signature, &format, &mapping, &i.Remembered, &i.Total, &summary,
		&i.Retire, &i.By, &created, &applied); err != nil {
		return i, err
	}
	i.Created, i.Applied = storage.Time(created), storage.NullTime(applied)
	for _, part := range []struct {
		text string
		into any
	}{{header, &i.Header}, {format, &i.Format}, {mapping, &i.Mapping}, {summary, &i.Summary}} {
		if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
			return i, err
		}
	}
	return i, nil
}

// writeImport inserts or updates the row of an import.
func writeImport(ctx context.Context, tx *storage.Tx, scope access.Scope, i Import, now time.Time) error {
	texts := make([]string, 4)
	for n, part := range []any{i.Header, i.Format, i.Mapping, i.Summary} {
		b, err := json.Marshal(part)
		if err != nil {
			return err
		}
		texts[n] = string(b)
	}
	_, err := tx.Exec(ctx, `INSERT INTO inventory_imports (organisation_id, `+importColumns+`, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (organisation_id, id) DO UPDATE SET state = excluded.state, mapping = excluded.mapping, remembered = excluded.remembered, total = excluded.total,
		summary = excluded.summary, retire = excluded.retire, applied_us = excluded.applied_us, updated_us = excluded.updated_us`,
		scope.Organisation(), i.ID, i.Source, i.FileName, string(i.Kind), string(i.State), texts[0], i.signature, texts[1], texts[2], i.Remembered, i.Total,
		texts[3], i.Retire, i.By, storage.Micros(i.Created), storage.NullMicros(i.Applied), storage.Micros(now))
	return err
}

// keep writes the row of an import in a transaction of its own.
func (s *Service) keep(ctx context.Context, scope access.Scope, i Import) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error { return writeImport(ctx, tx, scope, i, s.opt.Clock.Now()) })
}

func readImports(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, args ...any) (out []Import, err error) {
	err = tx.Query(ctx, `SELECT `+importColumns+` FROM inventory_imports WHERE organisation_id = $1`+which, append([]any{scope.Organisation()}, args...),
		func(row func(...any) error) error {
			i, err := scanImport(row)
			out = append(out, i)
			return err
		})
	return out, err
}

// Import tells where one import stands. Needs access.InventoryWrite. Errors: NotFound.
func (s *Service) Import(ctx context.Context, scope access.Scope, id uuid.UUID) (i Import, err error) {
	if err := s.opt.Guard.Check(scope, access.InventoryWrite); err != nil {
		return i, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := readImports(ctx, tx, scope, ` AND id = $2`, id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.New(fault.NotFound, "inventory.import.not_found")
		}
		i = list[0]
		return nil
	})
	return i, err
}

// Imports lists the imports of the establishment, the latest first, 50 at most.
// Needs access.InventoryWrite.
func (s *Service) Imports(ctx context.Context, scope access.Scope) (out []Import, err error) {
	if err := s.opt.Guard.Check(scope, access.InventoryWrite); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readImports(ctx, tx, scope, ` ORDER BY created_us DESC, id DESC LIMIT 50`)
		return err
	})
	return out, err
}

// inState reads an import and refuses it in any other state.
func (s *Service) inState(ctx context.Context, scope access.Scope, id uuid.UUID, wanted ...State) (Import, error) {
	i, err := s.Import(ctx, scope, id)
	if err == nil && !slices.Contains(wanted, i.State) {
		err = fault.New(fault.Conflict, "inventory.import.state")
	}
	return i, err
}

// Sample gives the first rows of a staged file, so that a person recognises its
// columns. Needs access.InventoryWrite.
func (s *Service) Sample(ctx context.Context, scope access.Scope, id uuid.UUID, limit int) (out [][]string, err error) {
	if err := s.opt.Guard.Check(scope, access.InventoryWrite); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT cells FROM inventory_import_rows WHERE organisation_id = $1 AND import_id = $2 AND problem = '' ORDER BY seq LIMIT $3`,
			[]any{scope.Organisation(), id, limit}, func(row func(...any) error) error {
				var k assist.Kept
				if err := row(&k.Cells); err != nil {
					return err
				}
				cells, err := k.Values()
				out = append(out, cells)
				return err
			})
	})
	return out, err
}
