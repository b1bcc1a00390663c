package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tocsin/internal/fault"
)

// SetAside renames the SQLite file in dir, whole and closed, so that another
// can take its place, and returns its new name. Errors: Conflict when a program
// has it open.
func SetAside(ctx context.Context, dir, suffix string) (name string, err error) {
	path := filepath.Join(dir, FileName)
	if err := closeWhole(ctx, path); err != nil {
		return "", err
	}
	name = path + "." + suffix
	if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
		return "", fault.New(fault.Conflict, "storage.aside_exists", "file", name)
	}
	if err := os.Rename(path, name); err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "storage.file", "file", path)
	}
	return name, nil
}

// PutBack undoes SetAside: what took the place is deleted.
func PutBack(ctx context.Context, dir, name string) error {
	path := filepath.Join(dir, FileName)
	if err := closeWhole(ctx, path); err != nil {
		return err
	}
	if err := os.Rename(name, path); err != nil {
		return fault.Wrap(err, fault.Unavailable, "storage.file", "file", name)
	}
	return nil
}

// closeWhole brings what waits in the WAL into the file, which then is the data
// and needs no companion. Only the last one who has the file open can do that.
func closeWhole(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", liteDSN(path, "busy_timeout(0)"))
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	var mode string
	err = db.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode)
	if err := errors.Join(err, db.Close()); err != nil || mode != "delete" {
		return fault.Wrap(errors.Join(err, fmt.Errorf("journal mode %q", mode)), fault.Conflict, "storage.in_use", "file", path)
	}
	return nil
}

// Others counts the other connections of this program to the PostgreSQL
// database; a node that serves has some. None on SQLite: SetAside finds that out
// by itself.
func (db *DB) Others(ctx context.Context) (n int, err error) {
	if db.engine == SQLite {
		return 0, nil
	}
	err = db.pool.QueryRowContext(ctx, `SELECT COUNT(*) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = current_setting('application_name')`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count connections: %w", err)
	}
	return n, nil
}
