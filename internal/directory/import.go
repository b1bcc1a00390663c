package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// ImportState is where an import stands.
type ImportState string

// The states, in the order of an import's life. The values are stored.
const (
	Staging    ImportState = "staging"    // the file is being read
	Staged     ImportState = "staged"     // the mapping may be corrected
	Previewing ImportState = "previewing" // being compared with today
	Ready      ImportState = "ready"      // to be confirmed
	Applying   ImportState = "applying"   // the next generation is being written
	Applied    ImportState = "applied"
	Undoing    ImportState = "undoing"
	Undone     ImportState = "undone"
	Abandoned  ImportState = "abandoned"
)

// Import is the passage of one staff file.
type Import struct {
	ID uuid.UUID
	// Source names the owner of the rows: "RH", "Intérim". Only people of the
	// same source may be found gone.
	Source   string
	FileName string
	State    ImportState
	Header   []string
	Format   table.Format
	Mapping  Mapping
	// Remembered tells that the mapping is that of an earlier file with the same header.
	Remembered bool
	// Done of Total rows are through the present state.
	Done, Total int
	Summary     Summary
	By          string
	Handling    Handling
	Created     time.Time
	Updated     time.Time
	// Applied is when it was confirmed; zero before.
	Applied time.Time

	signature  string
	generation int64
}

// Summary counts what an import would change, or changed.
type Summary struct {
	Rows, New, Changed, Same, Gone int
	// Refused rows are kept out, by an error or because they could not be read.
	Refused  int
	Warnings int
	// Fields counts the changes of each field.
	Fields map[string]int
	// Services and Sites are the names of places that do not exist yet, at most 200 of each.
	Services, Sites []string
	// Cautions concern the whole file.
	Cautions []Problem
	// Conflicts counts the values on which two sources disagree; rules decide.
	Conflicts int
	// Kept are the people an undo left as they are, since somebody changed them after.
	Kept []string
}

// Emptying tells a file so short beside what is known of its source that
// nobody should apply it without looking.
func (s Summary) Emptying() bool {
	return slices.ContainsFunc(s.Cautions, func(p Problem) bool { return p.Key == "directory.import.many_gone" })
}

// Handling says how an import is carried on once it is read.
type Handling struct {
	// Auto confirms it without a person, as long as no more than GoneMost per
	// cent of the source's people would leave; beyond, it waits.
	Auto     bool `json:"auto,omitempty"`
	GoneMost int  `json:"gone_most,omitempty"`
	// Partial tells that the table is not the whole list: whom it does not speak
	// of stays.
	Partial bool `json:"partial,omitempty"`
	// Feed is the server it was read from; Nil for a file or a program.
	Feed uuid.UUID `json:"feed,omitzero"`
}

// tooMany tells that more people would leave than a program may decide.
func (h Handling) tooMany(gone, owned int) bool { return gone*100 > h.GoneMost*owned }

// File says where a table comes from.
type File struct {
	Name     string
	Handling Handling
	// Source is the owner of the rows; empty means "RH".
	Source string
}

// Rows is an open table: *table.Source is one.
type Rows interface {
	Header() []string
	Format() table.Format
	Next() (table.Row, error)
}

const importColumns = `id, source, file_name, state, header, signature, format, mapping, total, done, generation, summary, actor_name, created_us, updated_us, applied_us, remembered, handling`

func scanImport(row func(...any) error) (Import, error) {
	var i Import
	var header, format, mapping, summary, handling string
	var created, updated int64
	var applied sql.NullInt64
	if err := row(&i.ID, &i.Source, &i.FileName, &i.State, &header, &i.signature, &format, &mapping, &i.Total, &i.Done, &i.generation, &summary,
		&i.By, &created, &updated, &applied, &i.Remembered, &handling); err != nil {
		return i, err
	}
	i.Created, i.Updated, i.Applied = storage.Time(created), storage.Time(updated), storage.NullTime(applied)
	for _, part := range []struct {
		text string
		into any
	}{{header, &i.Header}, {format, &i.Format}, {mapping, &i.Mapping}, {summary, &i.Summary}, {handling, &i.Handling}} {
		if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
			return i, err
		}
	}
	return i, nil
}

// readImport gives one import of the establishment. Errors: NotFound.
func readImport(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (i Import, err error) {
	found := false
	err = tx.Query(ctx, `SELECT `+importColumns+` FROM directory_imports WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), id},
		func(row func(...any) error) error {
			found = true
			i, err = scanImport(row)
			return err
		})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "directory.import.not_found")
	}
	return i, err
}

// writeImport inserts or updates the row of an import.
func writeImport(ctx context.Context, tx *storage.Tx, scope access.Scope, i Import, now time.Time) error {
	texts := make([]string, 5)
	for n, part := range []any{i.Header, i.Format, i.Mapping, i.Summary, i.Handling} {
		b, err := json.Marshal(part)
		if err != nil {
			return err
		}
		texts[n] = string(b)
	}
	_, err := tx.Exec(ctx, `INSERT INTO directory_imports (organisation_id, `+importColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (organisation_id, id) DO UPDATE SET state = excluded.state, mapping = excluded.mapping, remembered = excluded.remembered, total = excluded.total, done = excluded.done,
		generation = excluded.generation, summary = excluded.summary, updated_us = excluded.updated_us, applied_us = excluded.applied_us`,
		scope.Organisation(), i.ID, i.Source, i.FileName, string(i.State), texts[0], i.signature, texts[1], texts[2], i.Total, i.Done, i.generation,
		texts[3], i.By, storage.Micros(i.Created), storage.Micros(now), storage.NullMicros(i.Applied), i.Remembered, texts[4])
	return err
}

// progress notes how far an import is; the caller's transaction did the work.
func progress(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, done int, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE directory_imports SET done = $3, updated_us = $4 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), id, done, storage.Micros(now))
	return err
}

// Import tells where one import stands. Errors: NotFound.
func (d *Directory) Import(ctx context.Context, scope access.Scope, id uuid.UUID) (i Import, err error) {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return i, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		i, err = readImport(ctx, tx, scope, id)
		return err
	})
	return i, err
}

// Imports lists the imports of the establishment, the latest first, 50 at most.
func (d *Directory) Imports(ctx context.Context, scope access.Scope) (out []Import, err error) {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return nil, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT `+importColumns+` FROM directory_imports WHERE organisation_id = $1 ORDER BY created_us DESC, id DESC LIMIT 50`,
			[]any{scope.Organisation()}, func(row func(...any) error) error {
				i, err := scanImport(row)
				out = append(out, i)
				return err
			})
	})
	return out, err
}

// inState reads an import and refuses it in any other state.
func (d *Directory) inState(ctx context.Context, scope access.Scope, id uuid.UUID, wanted ...ImportState) (Import, error) {
	i, err := d.Import(ctx, scope, id)
	if err != nil {
		return i, err
	}
	for _, s := range wanted {
		if i.State == s {
			return i, nil
		}
	}
	return i, fault.New(fault.Conflict, "directory.import.state", "state", string(i.State))
}
