package storage

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

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

func openLite(o Options) (*DB, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "storage.folder", "folder", o.Dir)
	}
	path := filepath.Join(o.Dir, FileName)
	if err := writable(o.Dir, path); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "storage.read_only", "folder", o.Dir)
	}
	writer, err := openLiteWriter(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "storage.file", "file", path)
	}
	n := o.Connections
	if n <= 0 {
		n = max(4, runtime.NumCPU()*2)
	}
	readers := newLitePool(liteDSN(path, "busy_timeout(10000)", "query_only(1)", "cache_size(-8000)", "foreign_keys(1)"), n)
	return &DB{engine: SQLite, texts: newTexts(SQLite), lite: readers, writer: writer, open: o}, nil
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

// liteWriter is the one writing connection.
type liteWriter struct {
	turn chan struct{}
	conn *lite
}

func openLiteWriter(path string) (*liteWriter, error) {
	conn, err := openLiteConn(liteDSN(path, "journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)",
		"foreign_keys(1)", "cache_size(-32000)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "temp_store(MEMORY)"))
	if err != nil {
		return nil, err
	}
	w := &liteWriter{turn: make(chan struct{}, 1), conn: conn}
	w.turn <- struct{}{}
	return w, nil
}

func (w *liteWriter) close() error {
	<-w.turn
	return w.conn.close()
}

func (w *liteWriter) write(ctx context.Context, fn func(querier) error) (err error) {
	select {
	case <-w.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { w.turn <- struct{}{} }()
	if _, err := w.conn.exec(context.WithoutCancel(ctx), "BEGIN IMMEDIATE", nil); err != nil {
		return fmt.Errorf("begin write: %w", err)
	}
	done := false
	defer func() {
		if done {
			return
		}
		if rerr := w.conn.finish(ctx, "ROLLBACK"); rerr != nil {
			err = errors.Join(err, fmt.Errorf("roll back: %w", rerr))
		}
	}()
	if err := fn(uncut{w.conn}); err != nil {
		return err
	}
	if err := w.conn.finish(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	return nil
}

// uncut runs statements to their end: one that is cut half way would roll
// everything back anyway, and watching the context costs a goroutine per
// statement in this driver.
type uncut struct{ conn *lite }

func (u uncut) exec(_ context.Context, query string, args []any) (int64, error) {
	return u.conn.exec(context.Background(), query, args)
}

func (u uncut) query(_ context.Context, query string, args []any, scan func(row func(...any) error) error) error {
	return u.conn.query(context.Background(), query, args, scan)
}
