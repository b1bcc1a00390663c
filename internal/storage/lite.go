package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"modernc.org/sqlite"
)

// keptStatements bounds what a connection keeps; beyond, it begins again.
const keptStatements = 256

// lite is one connection to the SQLite file, used by one goroutine at a time.
// It speaks to the driver itself: database/sql locks, copies and reflects for
// every value of every row, which costs more than most of our statements. What
// it prepares it keeps: preparing anew costs more than most of our writes.
type lite struct {
	conn driver.Conn
	kept map[string]*liteStatement
	// args is given to the driver again and again: it copies what it binds.
	args []driver.NamedValue
	// ids holds the bytes of the ids among them.
	ids []byte
}

// liteStatement is prepared once; busy while its rows are read.
type liteStatement struct {
	driver.Stmt
	busy bool
	row  []driver.Value
}

func openLiteConn(dsn string) (*lite, error) {
	pageMemory()
	conn, err := new(sqlite.Driver).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &lite{conn: conn, kept: make(map[string]*liteStatement)}, nil
}

func (c *lite) close() error { return errors.Join(c.forget(), c.conn.Close()) }

// forget closes the statements nobody reads.
func (c *lite) forget() error {
	var errs []error
	for query, st := range c.kept {
		if !st.busy {
			errs = append(errs, st.Close())
			delete(c.kept, query)
		}
	}
	return errors.Join(errs...)
}

// prepared gives the statement of a text, and what to do once it is read. The
// same text asked for while its rows are read is prepared a second time.
func (c *lite) prepared(ctx context.Context, query string) (*liteStatement, func() error, error) {
	st, ok := c.kept[query]
	if ok && !st.busy {
		st.busy = true
		return st, func() error { st.busy = false; return nil }, nil
	}
	if len(c.kept) >= keptStatements {
		if err := c.forget(); err != nil {
			return nil, nil, err
		}
	}
	plain, err := c.conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	fresh := &liteStatement{Stmt: plain, busy: true}
	if ok {
		return fresh, fresh.Close, nil
	}
	c.kept[query] = fresh
	return fresh, func() error { fresh.busy = false; return nil }, nil
}

func (c *lite) bind(args []any) ([]driver.NamedValue, error) {
	for len(c.args) < len(args) {
		c.args = append(c.args, driver.NamedValue{Ordinal: len(c.args) + 1})
	}
	c.ids = c.ids[:0]
	for i, a := range args {
		v, err := c.value(a)
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		c.args[i].Value = v
	}
	return c.args[:len(args)], nil
}

// value gives a value as the driver takes it. An id is its 16 bytes.
func (c *lite) value(a any) (driver.Value, error) {
	switch v := a.(type) {
	case nil, int64, string, []byte, bool, float64:
		return v, nil
	case int:
		return int64(v), nil
	case uuid.UUID:
		at := len(c.ids)
		c.ids = append(c.ids, v[:]...)
		return c.ids[at:], nil
	case uuid.NullUUID:
		if !v.Valid {
			return nil, nil
		}
		return c.value(v.UUID)
	case sql.NullInt64:
		if !v.Valid {
			return nil, nil
		}
		return v.Int64, nil
	}
	return driver.DefaultParameterConverter.ConvertValue(a)
}

func (c *lite) exec(ctx context.Context, query string, args []any) (n int64, err error) {
	st, done, err := c.prepared(ctx, query)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, done()) }()
	bound, err := c.bind(args)
	if err != nil {
		return 0, err
	}
	res, err := st.Stmt.(driver.StmtExecContext).ExecContext(ctx, bound)
	if err != nil || res == nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (c *lite) query(ctx context.Context, query string, args []any, scan func(row func(...any) error) error) (err error) {
	st, done, err := c.prepared(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	bound, err := c.bind(args)
	if err != nil {
		return err
	}
	rows, err := st.Stmt.(driver.StmtQueryContext).QueryContext(ctx, bound)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if n := len(rows.Columns()); n > len(st.row) {
		st.row = make([]driver.Value, n)
	}
	values := st.row[:len(rows.Columns())]
	row := func(dest ...any) error { return assignAll(dest, values) }
	for {
		// The driver asks its context only while it looks for the first row.
		if err := ctx.Err(); err != nil {
			return err
		}
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := scan(row); err != nil {
			return err
		}
	}
}

// finish ends the transaction by COMMIT or ROLLBACK, whatever became of ctx.
func (c *lite) finish(ctx context.Context, word string) error {
	_, err := c.exec(context.WithoutCancel(ctx), word, nil)
	return err
}
