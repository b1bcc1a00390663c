package backup

import (
	"context"
	"crypto/sha256"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Difference is how two bases differ.
type Difference struct {
	// Rows are those of both, Differ those that one has and the other has not.
	Rows, Differ int64
}

// Compare holds two bases against each other, row by row, whatever their engines.
func Compare(ctx context.Context, a, b *storage.DB) (d Difference, err error) {
	scope := access.Instance("compare")
	err = a.Read(ctx, scope, func(one *storage.Tx) error {
		return b.Read(ctx, scope, func(other *storage.Tx) error {
			d, err = compare(ctx, one, other)
			return err
		})
	})
	return d, err
}

func compare(ctx context.Context, sides ...*storage.Tx) (d Difference, err error) {
	has := map[string]map[*storage.Tx]Table{}
	for _, side := range sides {
		tables, err := Tables(ctx, side)
		if err != nil {
			return d, err
		}
		for _, t := range tables {
			if has[t.Name] == nil {
				has[t.Name] = map[*storage.Tx]Table{}
			}
			has[t.Name][side] = t
		}
	}
	for name := range has {
		// What the first has counts up and what the other has counts down: what is
		// left differs.
		balance, step := map[[16]byte]int64{}, int64(1)
		for _, side := range sides {
			if err := weigh(ctx, side, has[name][side], balance, step, &d); err != nil {
				return d, err
			}
			step = -step
		}
		for _, n := range balance {
			d.Differ += max(n, -n)
		}
	}
	return d, nil
}

// weigh counts each row of a table; the zero Table, one that is not there, has none.
func weigh(ctx context.Context, tx *storage.Tx, t Table, balance map[[16]byte]int64, step int64, d *Difference) error {
	if t.Name == "" {
		return nil
	}
	return eachRow(ctx, tx, t, func(row []byte) error {
		h := sha256.Sum256(row)
		k := [16]byte(h[:16])
		if balance[k] += step; balance[k] == 0 {
			delete(balance, k)
		}
		d.Rows++
		return nil
	})
}
