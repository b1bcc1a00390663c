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
	// when is a further condition on the row; empty is none.
	when string
}

// leanRows is how many rows one statement takes; fewer are cut in powers of two.
const leanRows = 256

// run gives how many rows changed.
func (u leanUpdate) run(ctx context.Context, tx *storage.Tx, organisation any, rows [][]any) (changed int64, err error) {
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
		c, err := tx.Exec(ctx, u.text(n, tx.Engine() == storage.PostgreSQL), args...)
		if err != nil {
			return changed, err
		}
		changed += c
		rows = rows[n:]
	}
	return changed, nil
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
	if u.when != "" {
		b.WriteString(" AND " + u.when)
	}
	return b.String()
}
