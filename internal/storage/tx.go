package storage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// querier runs the statements of one transaction on one engine.
type querier interface {
	exec(ctx context.Context, query string, args []any) (changed int64, err error)
	query(ctx context.Context, query string, args []any, scan func(row func(dest ...any) error) error) error
}

// Tx is a transaction. Its SQL is the same text on both engines, with $1…$n.
type Tx struct {
	q      querier
	engine Engine
	texts  *texts
	// grown counts the rows inserted in bulk, by table; see learn.
	grown map[string]int
	known *sync.Map // of the DB: rows of a table PostgreSQL is known to know, by table
}

// Engine tells which engine runs the transaction; rooms do not need it.
func (tx *Tx) Engine() Engine { return tx.engine }

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	t, args, err := tx.ready(query, args)
	if err != nil {
		return 0, err
	}
	n, err := tx.q.exec(ctx, t.query, args)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", firstWords(query), err)
	}
	return n, nil
}

func (tx *Tx) ready(query string, args []any) (text, []any, error) {
	t := tx.texts.of(query)
	args, err := tx.engine.arguments(t, args)
	if err != nil {
		return t, nil, fmt.Errorf("%s: %w", firstWords(query), err)
	}
	return t, args, nil
}

// Query calls scan for every row. scan's argument works as (*sql.Rows).Scan.
func (tx *Tx) Query(ctx context.Context, query string, args []any, scan func(row func(dest ...any) error) error) error {
	t, args, err := tx.ready(query, args)
	if err != nil {
		return err
	}
	if err := tx.q.query(ctx, t.query, args, scan); err != nil {
		return fmt.Errorf("%s: %w", firstWords(query), err)
	}
	return nil
}

// Row scans the first row; found is false when there is none.
func (tx *Tx) Row(ctx context.Context, query string, args []any, dest ...any) (found bool, err error) {
	err = tx.Query(ctx, query, args, func(row func(...any) error) error {
		if found {
			return nil
		}
		found = true
		return row(dest...)
	})
	return found, err
}

// maxParameters is below the limit of both engines (32,766 and 65,535).
const maxParameters = 30_000

// InsertRows inserts many rows with few statements. The order of each row's
// values is that of columns.
func (tx *Tx) InsertRows(ctx context.Context, table string, columns []string, rows [][]any) error {
	return tx.insertRows(ctx, table, columns, rows, "")
}

// InsertNewRows is InsertRows that leaves rows which already exist as they are.
func (tx *Tx) InsertNewRows(ctx context.Context, table string, columns []string, rows [][]any) error {
	return tx.insertRows(ctx, table, columns, rows, " ON CONFLICT DO NOTHING")
}

func (tx *Tx) insertRows(ctx context.Context, table string, columns []string, rows [][]any, tail string) error {
	if tx.engine == SQLite {
		return tx.insertEach(ctx, insertText(table, columns, 1, tail), len(columns), rows)
	}
	size, most := 0, batch(len(columns))
	query := ""
	tx.grew(table, len(rows))
	for len(rows) > 0 {
		n := most
		for n > len(rows) {
			n /= 2
		}
		args := make([]any, 0, n*len(columns))
		for _, r := range rows[:n] {
			if len(r) != len(columns) {
				return fmt.Errorf("insert into %s: %d values for %d columns", table, len(r), len(columns))
			}
			args = append(args, r...)
		}
		if n != size {
			query, size = insertText(table, columns, n, tail), n
		}
		if _, err := tx.Exec(ctx, query, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func insertText(table string, columns []string, rows int, tail string) string {
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + tuples(rows, len(columns), nil) + tail
}

// insertEach runs one statement for each row.
func (tx *Tx) insertEach(ctx context.Context, query string, columns int, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	t := tx.texts.of(query)
	for _, r := range rows {
		if len(r) != columns {
			return fmt.Errorf("%s: %d values for %d columns", firstWords(query), len(r), columns)
		}
		if _, err := tx.q.exec(ctx, t.query, r); err != nil {
			return fmt.Errorf("%s: %w", firstWords(query), err)
		}
	}
	return nil
}

// batch is how many rows a bulk statement carries on PostgreSQL, which pays for
// round trips: whole batches share one prepared text, and the rest is cut in
// powers of two for the same reason. SQLite has none to pay, and takes rows one
// by one: a statement of many rows costs it a journal of its own, in memory.
func batch(columns int) int { return min(512, max(1, maxParameters/columns)) }

// Column is a column of UpdateRows with its type: uuid, text, bigint, boolean.
type Column struct{ Name, Type string }

// UpdateRows sets many rows with few statements: the first keys columns of
// each row find it, the others are set. It returns how many rows changed.
func (tx *Tx) UpdateRows(ctx context.Context, table string, keys int, columns []Column, rows [][]any) (int64, error) {
	if keys < 1 || keys >= len(columns) {
		return 0, fmt.Errorf("update %s: %d keys of %d columns", table, keys, len(columns))
	}
	if tx.engine == SQLite {
		return tx.updateEach(ctx, table, keys, columns, rows)
	}
	names, match, set := make([]string, len(columns)), []string{}, []string{}
	for i, c := range columns {
		names[i] = "c" + strconv.Itoa(i)
		if i < keys {
			match = append(match, table+"."+c.Name+" = v."+names[i])
		} else {
			set = append(set, c.Name+" = v."+names[i])
		}
	}
	size, most := 0, batch(len(columns))
	query := ""
	var total int64
	for len(rows) > 0 {
		n := most
		for n > len(rows) {
			n /= 2
		}
		args := make([]any, 0, n*len(columns))
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		if n != size {
			query, size = "WITH v("+strings.Join(names, ", ")+") AS (VALUES "+tuples(n, len(columns), casts(columns))+") UPDATE "+table+
				" SET "+strings.Join(set, ", ")+" FROM v WHERE "+strings.Join(match, " AND "), n
		}
		changed, err := tx.Exec(ctx, query, args...)
		if err != nil {
			return total, err
		}
		total += changed
		rows = rows[n:]
	}
	return total, nil
}

// updateEach runs one plain statement for each row: a list of values to join
// would be a table of its own to SQLite, made and dropped each time.
func (tx *Tx) updateEach(ctx context.Context, table string, keys int, columns []Column, rows [][]any) (total int64, err error) {
	if len(rows) == 0 {
		return 0, nil
	}
	var b strings.Builder
	b.WriteString("UPDATE " + table + " SET ")
	for i, c := range append(columns[keys:len(columns):len(columns)], columns[:keys]...) {
		switch sets := len(columns) - keys; {
		case i == sets:
			b.WriteString(" WHERE ")
		case i > sets:
			b.WriteString(" AND ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(c.Name + " = $" + strconv.Itoa(i+1))
	}
	t := tx.texts.of(b.String())
	args := make([]any, len(columns))
	for _, r := range rows {
		if len(r) != len(columns) {
			return total, fmt.Errorf("update %s: %d values for %d columns", table, len(r), len(columns))
		}
		copy(args[copy(args, r[keys:]):], r[:keys])
		n, err := tx.q.exec(ctx, t.query, args)
		if err != nil {
			return total, fmt.Errorf("update %s: %w", table, err)
		}
		total += n
	}
	return total, nil
}

// casts tells PostgreSQL the types of a VALUES list, which it would take for text.
func casts(columns []Column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = "::" + c.Type
	}
	return out
}

func tuples(rows, columns int, casts []string) string {
	var b strings.Builder
	b.Grow(rows * columns * 7)
	p := 1
	for r := range rows {
		if r > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for c := range columns {
			if c > 0 {
				b.WriteString(", ")
			}
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(p))
			if casts != nil && r == 0 {
				b.WriteString(casts[c])
			}
			p++
		}
		b.WriteByte(')')
	}
	return b.String()
}

// In writes "$from, $from+1, …": the inside of an IN list of n parameters.
func In(n, from int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = "$" + strconv.Itoa(from+i)
	}
	return strings.Join(parts, ", ")
}

// Args makes a parameter list from values of one type, after the leading ones.
func Args[T any](values []T, leading ...any) []any {
	out := make([]any, 0, len(leading)+len(values))
	out = append(out, leading...)
	for _, v := range values {
		out = append(out, v)
	}
	return out
}

func firstWords(query string) string {
	words := strings.Fields(query)
	return strings.Join(words[:min(len(words), 4)], " ")
}

func isLiteDuplicate(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
