package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	_ "modernc.org/sqlite" // the driver registers itself; see docs/adr on drivers

	"tocsin/internal/fault"
)

// FileName is the SQLite file in the data folder.
const FileName = "tocsin.db"

func liteDSN(path string, pragmas ...string) string {
	q := url.Values{}
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func openLite(ctx context.Context, o Options) (*DB, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "storage.folder", "folder", o.Dir)
	}
	path := filepath.Join(o.Dir, FileName)
	if err := writable(o.Dir, path); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "storage.read_only", "folder", o.Dir)
	}
	writer, err := openLiteWriter(ctx, path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "storage.file", "file", path)
	}
	readers, err := sql.Open("sqlite", liteDSN(path, "busy_timeout(10000)", "query_only(1)", "cache_size(-8000)", "foreign_keys(1)"))
	if err != nil {
		return nil, errors.Join(fault.Wrap(err, fault.Unavailable, "storage.file", "file", path), writer.close())
	}
	n := o.Connections
	if n <= 0 {
		n = max(4, runtime.NumCPU()*2)
	}
	readers.SetMaxOpenConns(n)
	readers.SetMaxIdleConns(n)
	return &DB{engine: SQLite, texts: newTexts(SQLite), readers: readers, writer: writer, open: o}, nil
}

// writable tells at the start what the driver would tell at the first write, in
// words of its own: a folder given to another account, a disk remounted read-only.
func writable(folder, path string) error {
	trial, err := os.CreateTemp(folder, ".ecriture-*")
	if err != nil {
		return err
	}
	if err := errors.Join(trial.Close(), os.Remove(trial.Name())); err != nil {
		return err
	}
	// SQLite would create the file by the umask, readable by every account of
	// the machine when the folder is; its WAL takes the mode of the file.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	for _, p := range []string{path, path + "-wal", path + "-shm"} {
		if err := private(p); err != nil {
			return err
		}
	}
	return nil
}

// private takes from everybody else what an older file still lets them read.
// A file of another account, writable by its group, is left to that account.
func private(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil && !errors.Is(err, os.ErrPermission) {
		return err
	}
	return nil
}

// liteWriter is the one writing connection, with its prepared statements kept
// between transactions: preparing anew costs more than most of our writes.
type liteWriter struct {
	turn  chan struct{}
	db    *sql.DB
	conn  *sql.Conn
	cache *statements
}

func openLiteWriter(ctx context.Context, path string) (*liteWriter, error) {
	db, err := sql.Open("sqlite", liteDSN(path, "journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)",
		"foreign_keys(1)", "cache_size(-32000)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "temp_store(MEMORY)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w := &liteWriter{turn: make(chan struct{}, 1), db: db, conn: conn, cache: newStatements(conn)}
	w.turn <- struct{}{}
	return w, nil
}

func (w *liteWriter) close() error {
	<-w.turn
	return errors.Join(w.cache.close(), w.conn.Close(), w.db.Close())
}

func (w *liteWriter) write(ctx context.Context, fn func(querier) error) (err error) {
	select {
	case <-w.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { w.turn <- struct{}{} }()
	// A statement that is cut half way would roll everything back anyway; watching
	// the context costs a goroutine per statement in this driver.
	ctx = context.WithoutCancel(ctx)
	if _, err := w.cache.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin write: %w", err)
	}
	done := false
	defer func() {
		if done {
			return
		}
		if _, rerr := w.cache.ExecContext(ctx, "ROLLBACK"); rerr != nil {
			err = errors.Join(err, fmt.Errorf("roll back: %w", rerr))
		}
	}()
	if err := fn(w.cache); err != nil {
		return err
	}
	if _, err := w.cache.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	return nil
}
