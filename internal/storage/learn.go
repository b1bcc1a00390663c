package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// learnFrom is how many rows one transaction inserts into a table before it
// asks whether PostgreSQL knows the table well enough.
const learnFrom = 200

// grew notes rows inserted in bulk.
func (tx *Tx) grew(table string, rows int) {
	if tx.engine != PostgreSQL {
		return
	}
	if tx.grown == nil {
		tx.grown = make(map[string]int)
	}
	tx.grown[table] += rows
}

// learn has PostgreSQL count the tables that this transaction made ten times
// larger than it believes. Its own collector comes once a minute: until then it
// takes a table of 100,000 deliveries for a table of a few pages and reads all
// of it for each lot, so that the first alert of a new house leaves ten times
// slower than the second. A table that somebody else is counting is passed by.
func (tx *Tx) learn(ctx context.Context) error {
	for _, table := range slices.Sorted(maps.Keys(tx.grown)) {
		rows := tx.grown[table]
		if rows < learnFrom || tx.familiar(table, rows) {
			continue
		}
		strange, err := tx.Row(ctx, `SELECT 1 FROM pg_class WHERE oid = to_regclass($1) AND reltuples < $2`, []any{table, float64(rows) / 10}, new(int))
		if err != nil {
			return fmt.Errorf("look what is known of %s: %w", table, err)
		}
		if !strange {
			tx.known.Store(table, rows)
			continue
		}
		if _, err := tx.Exec(ctx, `ANALYZE (SKIP_LOCKED) `+table); err != nil {
			return fmt.Errorf("count %s: %w", table, err)
		}
	}
	return nil
}

// familiar tells that PostgreSQL was seen to know the table well enough for as
// many rows: it is asked once, not at every lot.
func (tx *Tx) familiar(table string, rows int) bool {
	enough, ok := tx.known.Load(table)
	return ok && rows <= enough.(int)
}
