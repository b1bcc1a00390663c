package dispatch

import (
	"context"
	"strconv"
	"strings"

	"tocsin/internal/storage"
)

// leanUpdate changes many deliveries of one establishment alike. set is the
// SET list, in which v.c1… are the values of a row after its id (v.c0), and
// $2… are shared, written once: a third less work than a value for every
// column of every row.
type leanUpdate struct {
	set    string
	types  []string
	shared []any
}

// leanRows is how many rows one statement takes; fewer are cut in powers of two.
const leanRows = 256

func (u leanUpdate) run(ctx context.Context, tx *storage.Tx, organisation any, rows [][]any) error {
	for len(rows) > 0 {
		n := leanRows
		for n > len(rows) {
			n /= 2
		}
		args := make([]any, 0, 1+len(u.shared)+n*len(u.types))
		args = append(append(args, organisation), u.shared...)
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		if _, err := tx.Exec(ctx, u.text(n, tx.Engine() == storage.PostgreSQL), args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (u leanUpdate) text(rows int, typed bool) string {
	var b strings.Builder
	b.WriteString("WITH v(")
	for i := range u.types {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("c" + strconv.Itoa(i))
	}
	b.WriteString(") AS (VALUES ")
	p := 2 + len(u.shared)
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for i, t := range u.types {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("$" + strconv.Itoa(p))
			if typed && r == 0 {
				b.WriteString("::" + t)
			}
			p++
		}
		b.WriteByte(')')
	}
	b.WriteString(") UPDATE dispatch_deliveries SET " + u.set + " FROM v WHERE organisation_id = $1 AND id = v.c0")
	return b.String()
}
