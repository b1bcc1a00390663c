// Package storagetest is « Le banc d'essai du coffre »: it runs one suite on
// SQLite and on PostgreSQL, each time on an empty database.
package storagetest

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver, to make and drop schemas

	"tocsin/internal/storage"
)

// Each runs suite on both engines with the rooms' migrations applied.
func Each(t *testing.T, rooms []fs.FS, suite func(t *testing.T, db *storage.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { suite(t, SQLite(t, rooms...)) })
	t.Run("postgresql", func(t *testing.T) { suite(t, PostgreSQL(t, rooms...)) })
}

// SQLite opens an empty SQLite database for one test.
func SQLite(t testing.TB, rooms ...fs.FS) *storage.DB {
	t.Helper()
	return open(t, storage.Options{Dir: t.TempDir()}, rooms)
}

// PostgreSQL opens an empty PostgreSQL schema for one test.
func PostgreSQL(t testing.TB, rooms ...fs.FS) *storage.DB {
	t.Helper()
	return open(t, storage.Options{URL: PostgresURL(t), Connections: 8}, rooms)
}

// PostgresURL makes an empty schema and returns the URL that leads into it; it is dropped with the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	base := baseURL(t)
	admin, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatalf("open PostgreSQL: %v", err)
	}
	random := make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		t.Fatalf("random name: %v", err)
	}
	schema := "t_" + hex.EncodeToString(random)
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatalf("create schema: %v", err)
	}
	t.Cleanup(func() {
		_, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE")
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Errorf("drop schema: %v", err)
		}
	})
	return base + "&search_path=" + schema
}

// baseURL is the test server's: given by `go run ./test/postgres -- …`, or left
// in .cache/test-postgres.url by `make test-db`.
func baseURL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("TOCSIN_TEST_DATABASE_URL"); url != "" {
		return url
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("working directory: %v", err)
	}
	for dir != filepath.Dir(dir) {
		if url, err := os.ReadFile(filepath.Join(dir, ".cache", "test-postgres.url")); err == nil {
			return string(url)
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("no test PostgreSQL: run the tests by `make test`, or start one by `make test-db`")
	return ""
}

func open(t testing.TB, o storage.Options, rooms []fs.FS) *storage.DB {
	t.Helper()
	db, err := storage.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open %s: %v", o.Dir, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := db.Migrate(t.Context(), rooms...); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return db
}

// Eventually waits until ok returns true, for what another process does on the
// machine's own time; it fails the test after the deadline.
func Eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", within, what)
		case <-tick.C:
		}
	}
}
