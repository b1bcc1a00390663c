package storagetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // driver, to make and drop databases

	"tocsin/internal/storage"
)

// Applying every migration costs more than most tests. So each set of
// migrations is applied once to a template, which the tests copy.

// fingerprint names a set of migrations.
func fingerprint(t testing.TB, rooms []fs.FS) string {
	t.Helper()
	var texts []string
	for _, room := range rooms {
		names, err := fs.Glob(room, "migrations/*.sql")
		if err != nil {
			t.Fatalf("list migrations: %v", err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(room, name)
			if err != nil {
				t.Fatalf("read migration: %v", err)
			}
			texts = append(texts, name+"\n"+string(text))
		}
	}
	slices.Sort(texts)
	sum := sha256.New()
	for _, text := range texts {
		_, _ = fmt.Fprintf(sum, "%d\n%s", len(text), text) // a hash never fails
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// sqliteFrom gives a folder that holds a fresh copy of the template.
func sqliteFrom(t testing.TB, rooms []fs.FS) string {
	t.Helper()
	dir := t.TempDir()
	if len(rooms) == 0 {
		return dir
	}
	template := filepath.Join(os.TempDir(), fmt.Sprintf("tocsin-test-%d-%s.db", os.Getuid(), fingerprint(t, rooms)))
	text, err := os.ReadFile(template)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = sqliteTemplate(t, template, rooms)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, storage.FileName), text, 0o600)
	}
	if err != nil {
		t.Fatalf("template: %v", err)
	}
	return dir
}

// sqliteTemplate makes the template elsewhere, then gives it its name: whoever
// reads it meanwhile sees all of it or nothing.
func sqliteTemplate(t testing.TB, template string, rooms []fs.FS) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	db, err := storage.Open(t.Context(), storage.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	migrate(t, db, rooms)
	if err := db.Close(); err != nil { // the last to leave folds the log into the file
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, storage.FileName))
	if err != nil {
		return nil, err
	}
	draft, err := os.CreateTemp(filepath.Dir(template), filepath.Base(template)+"-*")
	if err != nil {
		return nil, err
	}
	_, err = draft.Write(text)
	if err := errors.Join(err, draft.Close()); err != nil {
		return nil, err
	}
	return text, os.Rename(draft.Name(), template)
}

// postgresFrom gives the name of a fresh copy of the template.
func postgresFrom(t testing.TB, rooms []fs.FS) string {
	t.Helper()
	if len(rooms) == 0 {
		return newDatabase(t, "template1")
	}
	template := "template_" + fingerprint(t, rooms)
	if err := postgresTemplate(t, template, rooms); err != nil {
		t.Fatalf("template: %v", err)
	}
	return newDatabase(t, template)
}

// postgresTemplate makes the template unless it exists. One process at a time
// does, and the template has its name only when it is whole.
func postgresTemplate(t testing.TB, template string, rooms []fs.FS) (err error) {
	t.Helper()
	pool, err := sql.Open("pgx", baseURL(t))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	admin, err := pool.Conn(t.Context())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	known, err := exists(t.Context(), admin, template)
	if err != nil || known {
		return err
	}
	sum := sha256.Sum256([]byte(template))
	lock := int64(binary.BigEndian.Uint64(sum[:8])) //nolint:gosec // any number will do
	if _, err := admin.ExecContext(t.Context(), "SELECT pg_advisory_lock($1)", lock); err != nil {
		return err
	}
	defer func() {
		_, uerr := admin.ExecContext(context.WithoutCancel(t.Context()), "SELECT pg_advisory_unlock($1)", lock)
		err = errors.Join(err, uerr)
	}()
	if known, err = exists(t.Context(), admin, template); err != nil || known {
		return err
	}
	draft := template + "_draft"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + draft, "CREATE DATABASE " + draft} {
		if _, err := admin.ExecContext(t.Context(), statement); err != nil {
			return err
		}
	}
	db, err := storage.Open(t.Context(), storage.Options{URL: named(t, baseURL(t), draft), Connections: 4})
	if err != nil {
		return err
	}
	migrate(t, db, rooms)
	if err := db.Close(); err != nil {
		return err
	}
	_, err = admin.ExecContext(t.Context(), "ALTER DATABASE "+draft+" RENAME TO "+template)
	return err
}

func exists(ctx context.Context, admin *sql.Conn, name string) (found bool, err error) {
	err = admin.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&found)
	return found, err
}

// newDatabase copies a template; the copy is dropped with the test.
func newDatabase(t testing.TB, template string) string {
	t.Helper()
	admin, err := sql.Open("pgx", baseURL(t))
	if err != nil {
		t.Fatalf("open PostgreSQL: %v", err)
	}
	random := make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		t.Fatalf("random name: %v", err)
	}
	name := "t_" + hex.EncodeToString(random)
	if _, err := admin.Exec("CREATE DATABASE " + name + " TEMPLATE " + template + " STRATEGY FILE_COPY"); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		_, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)")
		if err != nil {
			// FORCE may not end the server's own vacuum; a plain drop waits for it to leave.
			_, err = admin.Exec("DROP DATABASE " + name)
		}
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return name
}

// named is the URL of another database of the test server.
func named(t testing.TB, server, database string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("the test server's URL: %v", err)
	}
	u.Path = "/" + database
	return u.String()
}
