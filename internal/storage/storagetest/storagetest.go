// Package storagetest is « Le banc d'essai du coffre »: it runs one suite on
// SQLite and on PostgreSQL, each time on an empty database.
package storagetest

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

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
	return open(t, storage.Options{Dir: sqliteFrom(t, rooms)}, rooms)
}

// PostgreSQL opens an empty PostgreSQL database for one test.
func PostgreSQL(t testing.TB, rooms ...fs.FS) *storage.DB {
	t.Helper()
	return open(t, storage.Options{URL: PostgresSocket(t, rooms...), Connections: 8}, rooms)
}

// PostgresURL makes a database with the tables of those rooms, or without any, and
// returns its URL, by the network as other machines reach it; it is dropped with
// the test.
func PostgresURL(t testing.TB, rooms ...fs.FS) string {
	t.Helper()
	return named(t, baseURL(t), postgresFrom(t, rooms))
}

// PostgresSocket is PostgresURL by the socket of the machine where the server tells
// one: an exchange costs half as much.
func PostgresSocket(t testing.TB, rooms ...fs.FS) string {
	t.Helper()
	if socket := os.Getenv("TOCSIN_TEST_DATABASE_SOCKET"); socket != "" {
		return named(t, socket, postgresFrom(t, rooms))
	}
	return PostgresURL(t, rooms...)
}

// Folder makes the data folder of a server on SQLite, with the tables of those
// rooms; it goes with the test.
func Folder(t testing.TB, rooms ...fs.FS) string {
	t.Helper()
	return sqliteFrom(t, rooms)
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
	if len(rooms) == 0 {
		migrate(t, db, nil)
	}
	return db
}

func migrate(t testing.TB, db *storage.DB, rooms []fs.FS) {
	t.Helper()
	if err := db.Migrate(t.Context(), rooms...); err != nil {
		t.Fatalf("migrate: %v", err)
	}
}

// Eventually waits until ok returns true, for what another process does on the
// machine's own time; it fails the test after the deadline. It looks often at
// first, then more and more rarely, so that who waits long leaves the processor
// to whom it waits for.
func Eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(within)
	for pause := 2 * time.Millisecond; !ok(); pause = min(pause*3/2, 50*time.Millisecond) {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", within, what)
		case <-time.After(pause):
		}
	}
}
