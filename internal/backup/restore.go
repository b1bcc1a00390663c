package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Occupied tells whether an establishment lives in the data.
func Occupied(ctx context.Context, db *storage.DB) (yes bool, err error) {
	err = db.Read(ctx, access.Instance("backup"), func(tx *storage.Tx) error {
		tables, err := Tables(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if !t.tenants() {
				continue
			}
			if yes, err = tx.Row(ctx, "SELECT 1 FROM "+t.Name+" LIMIT 1", nil, new(int)); err != nil || yes {
				return err
			}
		}
		return nil
	})
	return yes, err
}

// Restore writes what the file holds into an empty base and brings it to the
// schema of the program. Check and Unlock come before. Either every row is there
// as it was, read again to be sure, or the base is still empty.
// Errors: Conflict for a base that is not empty and for a newer file, Invalid
// for a damaged one.
func (f *File) Restore(ctx context.Context, db *storage.DB, rooms []fs.FS, progress func(rows int64)) (s Summary, err error) {
	known, err := f.suits(rooms)
	if err != nil {
		return s, err
	}
	occupied, err := Occupied(ctx, db)
	if err != nil {
		return s, err
	}
	if occupied {
		return s, fault.New(fault.Conflict, "backup.occupied")
	}
	if err := clear(ctx, db); err != nil {
		return s, err
	}
	if err := db.Migrate(ctx, known); err != nil {
		return s, fmt.Errorf("schema of the backup: %w", err)
	}
	if err := db.Write(ctx, access.Instance("restore"), func(tx *storage.Tx) error {
		w := &writer{tx: tx, progress: progress, written: map[string]print{}}
		if err := w.all(ctx, f); err != nil {
			return err
		}
		s = w.Summary
		return w.readAgain(ctx)
	}); err != nil {
		return Summary{}, err
	}
	return s, db.Migrate(ctx, rooms...)
}

// clear takes away the tables of a base in which nobody lives, with what a
// first start wrote in them: they are made again in the schema of the file.
func clear(ctx context.Context, db *storage.DB) error {
	return db.Write(ctx, access.Instance("restore"), func(tx *storage.Tx) error {
		tables, err := Tables(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range append(tables, Table{Name: steps}) {
			if _, err := tx.Exec(ctx, "DROP TABLE IF EXISTS "+t.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutAside moves every table of a PostgreSQL base into a schema of that name,
// where it stays until somebody drops it. The base is then empty.
func PutAside(ctx context.Context, db *storage.DB, schema string) error {
	return db.Write(ctx, access.Instance("restore"), func(tx *storage.Tx) error {
		tables, err := Tables(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+schema); err != nil {
			return err
		}
		for _, t := range append(tables, Table{Name: steps}) {
			if _, err := tx.Exec(ctx, "ALTER TABLE "+t.Name+" SET SCHEMA "+schema); err != nil {
				return err
			}
		}
		return nil
	})
}

// writer writes the records of a file into a base.
type writer struct {
	Summary
	tx       *storage.Tx
	progress func(rows int64)
	tables   []Table
	target   map[string]Table
	written  map[string]print
}

// all reads records until the last, in the only order a backup has.
func (w *writer) all(ctx context.Context, f *File) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	r, err := f.records()
	if err != nil {
		return err
	}
	for {
		kind, n, err := r.next()
		if err != nil {
			return damaged(err)
		}
		switch kind {
		case 'K':
			_, err = r.bytes(n)
		case 'T':
			err = w.open(r, n)
		case 'R':
			err = w.rows(ctx, r.from, n)
		case 'E':
			if len(w.tables) == 0 || uint64(w.written[w.last().Name].rows) != n {
				err = damaged(errors.New("a table has another number of rows"))
			}
		case 'Z':
			return w.end(r, n)
		default:
			err = damaged(fmt.Errorf("a record of kind %q", kind))
		}
		if err != nil {
			return err
		}
	}
}

// end looks that nothing is missing and that nothing follows.
func (w *writer) end(r *records, n uint64) error {
	if _, err := r.from.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged(errors.New("the backup goes on after its end"))
	}
	if uint64(w.Rows) != n || len(w.tables) != len(w.target) {
		return damaged(errors.New("rows or tables are missing"))
	}
	w.Summary.Tables = len(w.tables)
	return nil
}

func (w *writer) look(ctx context.Context) error {
	tables, err := Tables(ctx, w.tx)
	w.target = make(map[string]Table, len(tables))
	for _, t := range tables {
		w.target[t.Name] = t
	}
	return err
}

func (w *writer) last() *Table { return &w.tables[len(w.tables)-1] }

// open begins a table. The names come from the file: they are used only once
// they were found in the schema.
func (w *writer) open(r *records, n uint64) error {
	text, err := r.bytes(n)
	if err != nil {
		return err
	}
	var t Table
	if err := json.Unmarshal(text, &t); err != nil {
		return damaged(err)
	}
	target, known := w.target[t.Name]
	_, twice := w.written[t.Name]
	if !known || twice || len(t.Columns) != len(target.Columns) {
		return damaged(fmt.Errorf("table %q is not that of the schema", t.Name))
	}
	for _, c := range t.Columns {
		if target.kind(c.Name) == "" {
			return damaged(fmt.Errorf("column %q of %s is not in the schema", c.Name, t.Name))
		}
	}
	w.tables = append(w.tables, t)
	w.written[t.Name] = print{}
	return nil
}

// rows reads a lot of rows and writes it.
func (w *writer) rows(ctx context.Context, from *bufio.Reader, n uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(w.tables) == 0 || n > lot {
		return damaged(errors.New("rows without a table"))
	}
	t := w.last()
	p, target := w.written[t.Name], w.target[t.Name]
	lines := make([][]any, 0, n)
	var line []byte
	for range n {
		values := make([]any, len(t.Columns))
		for i, c := range t.Columns {
			v, err := readValue(from, c.Kind)
			if err != nil {
				return damaged(err)
			}
			values[i] = w.fit(v, target.kind(c.Name))
		}
		var err error
		if line, err = appendRow(line[:0], *t, plain(values)); err != nil {
			return err
		}
		p.add(line)
		lines = append(lines, values)
	}
	w.written[t.Name] = p
	if err := w.tx.InsertRows(ctx, t.Name, t.names(), lines); err != nil {
		return fmt.Errorf("write %s: %w", t.Name, err)
	}
	w.Rows += int64(n)
	if w.progress != nil {
		w.progress(w.Rows)
	}
	return nil
}

// fit gives a value the form its column wants. It mends what PostgreSQL refuses
// and SQLite took: a text that is not UTF-8, or has a zero in it. Better a letter
// less than no hospital.
func (w *writer) fit(v any, kind Kind) any {
	if b, ok := v.([]byte); ok && kind == ID && len(b) == 16 {
		return uuid.UUID(b)
	}
	text, ok := v.(string)
	if !ok || w.tx.Engine() != storage.PostgreSQL || utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return v
	}
	w.Mended++
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// plain gives ids as the bytes they are.
func plain(values []any) []any {
	out := make([]any, len(values))
	for i, v := range values {
		if id, ok := v.(uuid.UUID); ok {
			v = [16]byte(id)
		}
		out[i] = v
	}
	return out
}

// readAgain compares every row in the base with what was written.
func (w *writer) readAgain(ctx context.Context) error {
	for _, t := range w.tables {
		var p print
		if err := eachRow(ctx, w.tx, t, func(row []byte) error {
			p.add(row)
			return nil
		}); err != nil {
			return err
		}
		if p != w.written[t.Name] {
			return fault.New(fault.Internal, "backup.differs", "table", t.Name)
		}
	}
	return nil
}

// PutBack undoes PutAside: what took the place is deleted.
func PutBack(ctx context.Context, db *storage.DB, schema string) error {
	if err := clear(ctx, db); err != nil {
		return err
	}
	return db.Write(ctx, access.Instance("restore"), func(tx *storage.Tx) error {
		var names []string
		if err := tx.Query(ctx, `SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1`, []any{schema}, func(row func(...any) error) error {
			var name string
			err := row(&name)
			names = append(names, name)
			return err
		}); err != nil {
			return err
		}
		var here string
		if _, err := tx.Row(ctx, `SELECT current_schema()::text`, nil, &here); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := tx.Exec(ctx, "ALTER TABLE "+schema+"."+name+" SET SCHEMA "+here); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "DROP SCHEMA "+schema)
		return err
	})
}
