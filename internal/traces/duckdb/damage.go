//go:build cgo

package duckdb

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"
)

// damageError is a file that we know to be unfit.
type damageError string

// Error implements error.
func (d damageError) Error() string { return string(d) }

// damage tells a file that will never open from one that cannot be opened now:
// no memory, no right, a lock, an interruption.
func damage(err error) (string, bool) {
	if d, ok := errors.AsType[damageError](err); ok {
		return d.Error(), true
	}
	d, ok := errors.AsType[*duck.Error](err)
	if !ok {
		return "", false
	}
	switch d.Type {
	case duck.ErrorTypeSerialization, duck.ErrorTypeInternal, duck.ErrorTypeFatal:
		return d.Msg, true
	}
	for _, sign := range []string{
		"not a valid DuckDB", "version number", "orrupt", "deserialize", "checksum", "could not read enough bytes",
		"Could not read enough bytes", "WAL", "newer version", "storage version",
	} {
		if strings.Contains(d.Msg, sign) {
			return d.Msg, true
		}
	}
	return "", false
}

// putAside renames a file that does not open, with its journal, and tells it.
func (e *Engine) putAside(key fileKey, why string) error {
	to, err := rename(e.path(key))
	if err != nil {
		return err
	}
	e.tell(Aside{Organisation: key.organisation, Class: key.class, Month: key.monthText(), Path: to, Reason: why})
	return nil
}

func (e *Engine) tell(a Aside) {
	e.aside = append(e.aside, a)
	e.opt.Log.Error("a file of traces does not open and was put aside", "file", a.Path, "reason", a.Reason)
}

// rename gives a file, and its journal, the first free name of those that end
// in .aside-N.
func rename(path string) (string, error) {
	for n := 1; ; n++ {
		to := fmt.Sprintf("%s.aside-%d", path, n)
		if _, err := os.Lstat(to); err == nil {
			continue
		}
		if err := os.Rename(path, to); err != nil {
			return "", fmt.Errorf("put %s aside: %w", filepath.Base(path), err)
		}
		if err := os.Rename(path+".wal", to+".wal"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("put %s aside: %w", filepath.Base(path), err)
		}
		return to, nil
	}
}

// Aside lists the files that were put aside since Open.
func (e *Engine) Aside() []Aside {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Aside(nil), e.aside...)
}

// closing closes rows and keeps both errors.
func closing(rows *sql.Rows, err error) error { return errors.Join(err, rows.Close()) }
