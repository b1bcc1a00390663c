package storage_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

var t0 = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

var schema = fstest.MapFS{"migrations/20260101000000_test.sql": {Data: []byte(`-- +goose Up
CREATE TABLE test_beds (organisation_id UUID NOT NULL, id UUID NOT NULL, name TEXT NOT NULL, free BOOLEAN NOT NULL, n BIGINT, raw BYTEA, PRIMARY KEY (organisation_id, id));
CREATE UNIQUE INDEX test_beds_name ON test_beds (organisation_id, name);
`)}}

func insert(t *testing.T, db *storage.DB, scope access.Scope, name string) (uuid.UUID, error) {
	t.Helper()
	id := storage.NewID(t0)
	return id, db.Write(t.Context(), scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO test_beds (organisation_id, id, name, free, n, raw) VALUES ($1, $2, $3, $4, $5, $6)`,
			scope.Organisation(), id, name, true, storage.NullMicros(time.Time{}), []byte{0, 1, 255})
		return err
	})
}

func count(t *testing.T, db *storage.DB, scope access.Scope, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.Read(t.Context(), scope, func(tx *storage.Tx) error {
		_, err := tx.Row(t.Context(), query, args, &n)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestConformance(t *testing.T) {
	storagetest.Each(t, []fs.FS{schema}, func(t *testing.T, db *storage.DB) {
		nord := access.System(storage.NewID(t0), "test")
		id, err := insert(t, db, nord, "lit 1")
		if err != nil {
			t.Fatal(err)
		}
		t.Run("values come back as they went in", func(t *testing.T) {
			var got uuid.UUID
			var free bool
			var raw []byte
			if err := db.Read(t.Context(), nord, func(tx *storage.Tx) error {
				found, err := tx.Row(t.Context(), `SELECT id, free, raw FROM test_beds WHERE organisation_id = $1 AND id = $2`, []any{nord.Organisation(), id}, &got, &free, &raw)
				if !found {
					t.Error("not found")
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if got != id || !free || string(raw) != "\x00\x01\xff" {
				t.Errorf("got %v %v %v", got, free, raw)
			}
		})
		t.Run("a failed transaction leaves nothing", func(t *testing.T) {
			broken := errors.New("broken")
			err := db.Write(t.Context(), nord, func(tx *storage.Tx) error {
				if _, err := tx.Exec(t.Context(), `DELETE FROM test_beds`); err != nil {
					return err
				}
				return broken
			})
			if !errors.Is(err, broken) || count(t, db, nord, `SELECT COUNT(*) FROM test_beds`) != 1 {
				t.Errorf("error %v", err)
			}
		})
		t.Run("a duplicate is recognised", func(t *testing.T) {
			if _, err := insert(t, db, nord, "lit 1"); !storage.IsDuplicate(err) {
				t.Errorf("got %v", err)
			}
		})
		t.Run("parameters in any order, twice, beside a literal", func(t *testing.T) {
			if n := count(t, db, nord, `SELECT COUNT(*) FROM test_beds WHERE id = $3 AND organisation_id = $1 AND name <> '$2 ?' AND free = $2 AND (organisation_id = $1 OR NOT free = $2)`,
				nord.Organisation(), true, id); n != 1 {
				t.Errorf("found %d", n)
			}
		})
		t.Run("a missing argument is an error", func(t *testing.T) {
			if err := db.Read(t.Context(), nord, func(tx *storage.Tx) error {
				_, err := tx.Row(t.Context(), `SELECT 1 FROM test_beds WHERE organisation_id = $1 AND id = $2`, []any{nord.Organisation()}, new(int))
				return err
			}); err == nil {
				t.Error("it ran")
			}
		})
		t.Run("bulk", func(t *testing.T) { bulk(t, db) })
		t.Run("nobody gets nothing", func(t *testing.T) {
			if err := db.Read(t.Context(), access.Scope{}, func(*storage.Tx) error { return nil }); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("got %v", err)
			}
		})
	})
}

func bulk(t *testing.T, db *storage.DB) {
	scope := access.System(storage.NewID(t0), "bulk")
	const n = 1337
	rows, updates := make([][]any, n), make([][]any, n)
	for i := range rows {
		id := storage.NewID(t0)
		rows[i] = []any{scope.Organisation(), id, id.String(), false, i}
		updates[i] = []any{scope.Organisation(), id, true, i * 2}
	}
	if err := db.Write(t.Context(), scope, func(tx *storage.Tx) error {
		cols := []string{"organisation_id", "id", "name", "free", "n"}
		if err := tx.InsertRows(t.Context(), "test_beds", cols, rows); err != nil {
			return err
		}
		if err := tx.InsertNewRows(t.Context(), "test_beds", cols, rows); err != nil {
			return err
		}
		changed, err := tx.UpdateRows(t.Context(), "test_beds", 2,
			[]storage.Column{{"organisation_id", "uuid"}, {"id", "uuid"}, {"free", "boolean"}, {"n", "bigint"}}, updates)
		if changed != n {
			t.Errorf("%d rows changed, want %d", changed, n)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := count(t, db, scope, `SELECT SUM(n) FROM test_beds WHERE organisation_id = $1 AND free`, scope.Organisation()); got != n*(n-1) {
		t.Errorf("sum %d, want %d", got, n*(n-1))
	}
}

func TestPostgreSQLWall(t *testing.T) {
	db := storagetest.PostgreSQL(t, schema)
	nord, sud := access.System(storage.NewID(t0), "n"), access.System(storage.NewID(t0), "s")
	if _, err := insert(t, db, nord, "lit 1"); err != nil {
		t.Fatal(err)
	}
	const forgot = `SELECT COUNT(*) FROM test_beds` // a query that forgot its establishment
	if n := count(t, db, sud, forgot); n != 0 {
		t.Errorf("the other establishment sees %d rows", n)
	}
	if n := count(t, db, nord, forgot); n != 1 {
		t.Errorf("its own establishment sees %d rows", n)
	}
	if n := count(t, db, access.Instance("worker"), forgot); n != 1 {
		t.Errorf("a worker sees %d rows", n)
	}
	if err := db.Write(t.Context(), sud, func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO test_beds (organisation_id, id, name, free) VALUES ($1, $2, 'x', true)`, nord.Organisation(), storage.NewID(t0))
		return err
	}); err == nil {
		t.Error("one establishment wrote into another")
	}
}

func TestPostgreSQLLearnsWhatWasJustWritten(t *testing.T) {
	db := storagetest.PostgreSQL(t, schema)
	nord := access.System(storage.NewID(t0), "n")
	fill := func(n int) {
		rows := make([][]any, n)
		for i := range rows {
			rows[i] = []any{nord.Organisation(), storage.NewID(t0), uuid.NewString(), true}
		}
		if err := db.Write(t.Context(), nord, func(tx *storage.Tx) error {
			return tx.InsertRows(t.Context(), "test_beds", []string{"organisation_id", "id", "name", "free"}, rows)
		}); err != nil {
			t.Fatal(err)
		}
	}
	known := func() int {
		return count(t, db, nord, `SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = to_regclass('test_beds')`)
	}
	for _, step := range []struct{ rows, known int }{{10, -1}, {1000, 1010}, {1000, 1010}, {30_000, 32_010}} {
		fill(step.rows)
		if got := known(); got != step.known {
			t.Errorf("after %d rows it knows of %d, want %d", step.rows, got, step.known)
		}
	}
}

func TestNewerDataAreRefused(t *testing.T) {
	dir := t.TempDir()
	open := func() *storage.DB {
		db, err := storage.Open(t.Context(), storage.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	newer := fstest.MapFS{"migrations/20990101000000_test.sql": {Data: []byte("-- +goose Up\nCREATE TABLE test_x (id UUID);\n")}}
	db := open()
	if err := db.Migrate(t.Context(), schema, newer); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open()
	if err := db.Migrate(t.Context(), schema); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Lefèvre-D’Œuvre  ": "lefevre d oeuvre", " ÉLOÏSE\tMÜLLER": "eloise muller", "N'Guyen": "n guyen", "": "",
	} {
		if got := storage.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNewIDSortsByTime(t *testing.T) {
	a, b := storage.NewID(t0), storage.NewID(t0.Add(time.Millisecond))
	if a.String() >= b.String() || a.Version() != 7 || a.Variant() != uuid.RFC4122 {
		t.Errorf("%v %v", a, b)
	}
}

func TestTheFileIsForUsAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits")
	}
	dir := filepath.Join(t.TempDir(), "open to all")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	wantPrivate := func(when string) {
		t.Helper()
		db, err := storage.Open(t.Context(), storage.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context(), schema); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{storage.FileName, storage.FileName + "-wal", storage.FileName + "-shm"} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if mode := info.Mode().Perm(); mode != 0o600 {
				t.Errorf("%s: %s has mode %o", when, name, mode)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantPrivate("a new file")
	if err := os.Chmod(filepath.Join(dir, storage.FileName), 0o644); err != nil {
		t.Fatal(err)
	}
	wantPrivate("a file of an older version")
}

// The node opens as many connections as the URL says, and no nonsense.
func TestConnectionsByTheURL(t *testing.T) {
	url := storagetest.PostgresURL(t, schema)
	for _, wrong := range []string{"1", "beaucoup", "-3"} {
		_, err := storage.Open(t.Context(), storage.Options{URL: url + "&pool_max_conns=" + wrong})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q connections: %v", wrong, err)
		}
	}
	db, err := storage.Open(t.Context(), storage.Options{URL: url + "&pool_max_conns=2"})
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	var most atomic.Int64
	for range 6 {
		work.Go(func() {
			err := db.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
				var n int64
				_, err := tx.Row(t.Context(), `SELECT COUNT(*), pg_sleep(0.01) FROM pg_stat_activity WHERE datname = current_database()`, nil, &n, new(any))
				for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if n := most.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// A transaction in which a statement failed is never kept, even when its caller
// saw nothing; nor is one whose caller left. The next ones are well.
func TestPostgreSQLKeepsNothingOfABrokenTransaction(t *testing.T) {
	db := storagetest.PostgreSQL(t, schema)
	nord := access.System(storage.NewID(t0), "n")
	add := func(ctx context.Context, then func(tx *storage.Tx) error) error {
		return db.Write(ctx, nord, func(tx *storage.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO test_beds (organisation_id, id, name, free) VALUES ($1, $2, 'x', true)`, nord.Organisation(), storage.NewID(t0)); err != nil {
				return err
			}
			return then(tx)
		})
	}
	for what, err := range map[string]error{
		"a failure nobody looked at": add(t.Context(), func(tx *storage.Tx) error {
			if _, err := tx.Exec(t.Context(), `SELECT 1/0`); err == nil {
				t.Error("a division by nothing")
			}
			return nil
		}),
		"a caller that left": func() error {
			ctx, leave := context.WithCancel(t.Context())
			return add(ctx, func(*storage.Tx) error { leave(); return ctx.Err() })
		}(),
		"a caller that left in the middle of a statement": func() error {
			ctx, leave := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer leave()
			return add(ctx, func(tx *storage.Tx) error {
				_, err := tx.Exec(ctx, `SELECT pg_sleep(30)`)
				return err
			})
		}(),
	} {
		if err == nil {
			t.Errorf("%s is kept", what)
		}
	}
	panics := func() (said any) {
		defer func() { said = recover() }()
		return add(t.Context(), func(*storage.Tx) error { panic("as it happens") })
	}
	if said := panics(); said != "as it happens" {
		t.Errorf("the panic becomes %v", said)
	}
	for range 20 { // whichever connection is taken
		if n := count(t, db, nord, `SELECT COUNT(*) FROM test_beds`); n != 0 {
			t.Fatalf("%d rows are kept", n)
		}
	}
	if err := add(t.Context(), func(*storage.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, nord, `SELECT COUNT(*) FROM test_beds`); n != 1 {
		t.Errorf("%d rows after a sound transaction", n)
	}
}
