//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"tocsin/internal/traces/terms"
)

// pen is a connection that writes, one file in a transaction.
type pen struct {
	conn *sql.Conn
	row  []driver.Value
}

// transaction runs fn within one; an error undoes all.
func (p *pen) transaction(ctx context.Context, fn func() error) error {
	if err := p.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	err := fn()
	if err == nil {
		if err = p.exec(ctx, "COMMIT"); err == nil {
			return nil
		}
	}
	// Undone also when ctx has ended: the next transaction must begin clean.
	if undo := p.exec(context.WithoutCancel(ctx), "ROLLBACK"); undo != nil && !strings.Contains(undo.Error(), "no transaction is active") {
		err = errors.Join(err, undo)
	}
	return err
}

func (p *pen) exec(ctx context.Context, q string, args ...any) error {
	if _, err := p.conn.ExecContext(ctx, q, args...); err != nil {
		return fmt.Errorf("traces base: %w", err)
	}
	return nil
}

// rowOf is an event in the order of firstColumns and terms.Columns.
func (p *pen) rowOf(s *share, i int) []driver.Value {
	ev := s.events[i]
	source, ok := s.sources[ev.Source]
	if !ok {
		source = ev.Source.String()
		s.sources[ev.Source] = source
	}
	row := append(p.row[:0], s.file.next+int64(i), ev.At, ev.Received, ev.AtGuessed, uint8(ev.Action), uint8(ev.Outcome),
		ev.Severity, s.patient[i], s.hash[i], source)
	for _, c := range terms.Columns() {
		row = append(row, *c.Of(ev))
	}
	row = append(row, s.extra[i])
	p.row = row
	return row
}

// append writes rows to a table within the transaction under way.
func (p *pen) append(alias, table string, rows int, row func(int) []driver.Value) error {
	if rows == 0 {
		return nil
	}
	return appendTo(p.conn, alias, table, func(add func(...driver.Value) error) error {
		for i := range rows {
			if err := add(row(i)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// appendTo gives fn what writes rows to a table within the transaction under way.
func appendTo(conn *sql.Conn, alias, table string, fn func(add func(...driver.Value) error) error) error {
	return conn.Raw(func(raw any) error {
		c, ok := raw.(driver.Conn)
		if !ok {
			return fmt.Errorf("append to %s: no connection of DuckDB", table)
		}
		a, err := duck.NewAppender(c, alias, "main", table)
		if err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		if err = errors.Join(fn(a.AppendRow), a.Close()); err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		return nil
	})
}
