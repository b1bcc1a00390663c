package vault

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Sealer is what Reseal needs of a vault.
type Sealer interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
	Stale(sealed []byte) bool
}

// Column is one in which a room keeps sealed values.
type Column struct {
	Table, Name string
	// Key are the columns of the table's key, all of them ids.
	Key []string
	// Of is the column of the id that Context speaks of; the last of Key when empty.
	Of      string
	Context func(id uuid.UUID) string
}

// stale is a value that an older key sealed, and its row.
type stale struct {
	key    []uuid.UUID
	of     uuid.UUID
	sealed []byte
}

// Reseal seals again, under the current key, the values of these columns that an
// older key sealed, and returns how many. Only the program itself may ask.
// Errors: Denied, and those of Open.
func Reseal(ctx context.Context, db *storage.DB, scope access.Scope, v Sealer, columns ...Column) (n int, err error) {
	if !scope.IsSystem() {
		return 0, fault.New(fault.Denied, "access.denied")
	}
	for _, c := range columns {
		k, err := c.reseal(ctx, db, scope, v)
		n += k
		if err != nil {
			return n, fmt.Errorf("seal %s.%s again: %w", c.Table, c.Name, err)
		}
	}
	return n, nil
}

func (c Column) reseal(ctx context.Context, db *storage.DB, scope access.Scope, v Sealer) (n int, err error) {
	var all []stale
	if err := db.Read(ctx, scope, func(tx *storage.Tx) error {
		all, err = c.read(ctx, tx, v)
		return err
	}); err != nil {
		return 0, err
	}
	for _, one := range all {
		plain, err := v.Open(one.sealed, c.Context(one.of))
		if err != nil {
			return n, err
		}
		fresh, err := v.Seal(plain, c.Context(one.of))
		if err != nil {
			return n, err
		}
		if err := db.Write(ctx, scope, func(tx *storage.Tx) error {
			changed, err := c.write(ctx, tx, one, fresh)
			n += changed
			return err
		}); err != nil {
			return n, err
		}
	}
	return n, nil
}

// read finds what an older key sealed. What is empty was taken away with its owner.
func (c Column) read(ctx context.Context, tx *storage.Tx, v Sealer) (out []stale, err error) {
	of := c.Of
	if of == "" {
		of = c.Key[len(c.Key)-1]
	}
	query := "SELECT " + c.Name + ", " + of + ", " + strings.Join(c.Key, ", ") + " FROM " + c.Table + " WHERE " + c.Name + " IS NOT NULL"
	err = tx.Query(ctx, query, nil, func(row func(...any) error) error {
		one := stale{key: make([]uuid.UUID, len(c.Key))}
		dest := []any{&one.sealed, &one.of}
		for i := range one.key {
			dest = append(dest, &one.key[i])
		}
		if err := row(dest...); err != nil {
			return err
		}
		if len(one.sealed) > 0 && v.Stale(one.sealed) {
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

// write keeps the fresh value, unless somebody changed it in between: theirs is newer.
func (c Column) write(ctx context.Context, tx *storage.Tx, one stale, fresh []byte) (int, error) {
	query, args := "UPDATE "+c.Table+" SET "+c.Name+" = $1 WHERE "+c.Name+" = $2", []any{fresh, one.sealed}
	for i, name := range c.Key {
		query += " AND " + name + " = $" + strconv.Itoa(i+3)
		args = append(args, one.key[i])
	}
	n, err := tx.Exec(ctx, query, args...)
	return int(n), err
}
