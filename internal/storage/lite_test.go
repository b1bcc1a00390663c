package storage_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// word and rank are types of our own, as rooms read them.
type (
	word string
	rank uint8
)

func TestValuesOfEveryKind(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, []fs.FS{schema}, func(t *testing.T, db *storage.DB) {
		scope := access.System(storage.NewID(t0), "test")
		if _, err := insert(t, db, scope, "lit 1"); err != nil {
			t.Fatal(err)
		}
		var w word
		var r rank
		var some, none *string
		var number sql.NullInt64
		var id uuid.NullUUID
		var real float64
		read := func(query string, dest ...any) error {
			return db.Read(t.Context(), scope, func(tx *storage.Tx) error {
				_, err := tx.Row(t.Context(), query, nil, dest...)
				return err
			})
		}
		none = new(string)
		if err := read(`SELECT name, 7, name, NULL, n, organisation_id, 0.5 FROM test_beds`, &w, &r, &some, &none, &number, &id, &real); err != nil {
			t.Fatal(err)
		}
		if w != "lit 1" || r != 7 || some == nil || *some != "lit 1" || none != nil || number.Valid || id.UUID != scope.Organisation() || real != 0.5 {
			t.Errorf("got %q %d %v %v %v %v %v", w, r, some, none, number, id, real)
		}
		for name, err := range map[string]error{
			"NULL in a word":         read(`SELECT CAST(NULL AS TEXT) FROM test_beds`, &w),
			"300 in a byte":          read(`SELECT 300 FROM test_beds`, &r),
			"a word in a number":     read(`SELECT name FROM test_beds`, &number),
			"two columns, one place": read(`SELECT name, name FROM test_beds`, &w),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

func TestATextReadWithinItself(t *testing.T) {
	t.Parallel()
	db := storagetest.SQLite(t, schema)
	scope := access.System(storage.NewID(t0), "test")
	for _, name := range []string{"a", "b", "c"} {
		if _, err := insert(t, db, scope, name); err != nil {
			t.Fatal(err)
		}
	}
	pairs := 0
	names := func(tx *storage.Tx, each func() error) error {
		return tx.Query(t.Context(), `SELECT name FROM test_beds`, nil, func(func(...any) error) error { return each() })
	}
	for _, run := range []func(context.Context, access.Scope, func(*storage.Tx) error) error{db.Read, db.Write} {
		pairs = 0
		if err := run(t.Context(), scope, func(tx *storage.Tx) error {
			return names(tx, func() error {
				return names(tx, func() error { pairs++; return nil })
			})
		}); err != nil || pairs != 9 {
			t.Errorf("%d pairs, %v", pairs, err)
		}
	}
}

func TestAReadThatIsCutSpoilsNothing(t *testing.T) {
	t.Parallel()
	db := storagetest.SQLite(t, schema)
	scope := access.System(storage.NewID(t0), "test")
	for range 40 { // more often than there are connections
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Read(ctx, scope, func(tx *storage.Tx) error {
			return tx.Query(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n`, nil, func(func(...any) error) error {
				cancel()
				return nil
			})
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	if n := count(t, db, scope, `SELECT COUNT(*) FROM test_beds`); n != 0 {
		t.Errorf("%d rows", n)
	}
}
