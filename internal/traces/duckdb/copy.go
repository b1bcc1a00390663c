//go:build cgo

package duckdb

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

var _ traces.Copier = (*Engine)(nil)

// Copy implements traces.Copier. Each file is read, with the journal beside it,
// while nothing is written: both together are the last commit, wherever the last
// checkpoint of DuckDB was, and copying writes nothing. Between two files the base
// goes on; each file knows up to where it holds the spool, so that those copied
// later hold more, and no harm is done. The place of the spool is read first, for
// the same reason, and the patients last: events never bear a number that they
// have not.
func (e *Engine) Copy(ctx context.Context, q traces.CopyQuery, to traces.CopySink) error {
	if err := e.keepStill(ctx); err != nil {
		return err
	}
	defer e.moveAgain()
	at, err := e.Applied(ctx)
	if err != nil {
		return err
	}
	if at.Before(q.After) {
		return fault.New(fault.Unavailable, "traces.copy.behind")
	}
	mark, keys, people, err := e.copied()
	if err != nil {
		return err
	}
	all, err := e.sizes(keys, people)
	if err != nil {
		return err
	}
	if err := to.Begin(all); err != nil {
		return err
	}
	if mark != nil {
		if err := to.Take(traces.CopiedFile{Name: "applied", Size: int64(len(mark))}, bytes.NewReader(mark)); err != nil {
			return err
		}
	}
	for _, key := range keys {
		if err := e.copyEvents(ctx, key, q, to); err != nil {
			return err
		}
	}
	for _, organisation := range people {
		if err := e.copyFile(ctx, e.peoplePath(organisation), q, to); err != nil {
			return err
		}
	}
	return nil
}

// keepStill has nothing purged, and no other copy made, until moveAgain.
func (e *Engine) keepStill(ctx context.Context) error {
	select {
	case e.still <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for a copy of the traces: %w", context.Cause(ctx))
	}
}

func (e *Engine) moveAgain() { <-e.still }

// copied lists what there is to copy, and gives the place of the spool as written.
func (e *Engine) copied() (mark []byte, keys []fileKey, people []uuid.UUID, err error) {
	e.writing.Lock()
	mark, err = os.ReadFile(e.appliedPath())
	e.writing.Unlock()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil, fmt.Errorf("copy the base of traces: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, f := range e.files {
		if !f.gone {
			keys = append(keys, key)
		}
	}
	for organisation := range e.people {
		people = append(people, organisation)
	}
	slices.SortFunc(keys, func(a, b fileKey) int {
		return cmp.Or(bytes.Compare(a.organisation[:], b.organisation[:]), cmp.Compare(a.month, b.month), cmp.Compare(a.class, b.class))
	})
	slices.SortFunc(people, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return mark, keys, people, nil
}

// sizes says what there is before it is read.
func (e *Engine) sizes(keys []fileKey, people []uuid.UUID) (out []traces.CopiedFile, err error) {
	var paths []string
	for _, key := range keys {
		paths = append(paths, e.path(key), e.path(key)+".wal")
	}
	for _, organisation := range people {
		paths = append(paths, e.peoplePath(organisation), e.peoplePath(organisation)+".wal")
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("copy the base of traces: %w", err)
		}
		out = append(out, traces.CopiedFile{Name: e.nameOf(path), Size: info.Size(), Modified: info.ModTime().UnixNano()})
	}
	return out, nil
}

// nameOf is the place of a file in the folder.
func (e *Engine) nameOf(path string) string {
	return filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path)))
}

// copyEvents holds the file open meanwhile: who lets it go would write into it.
func (e *Engine) copyEvents(ctx context.Context, key fileKey, q traces.CopyQuery, to traces.CopySink) error {
	f, err := e.hold(ctx, key)
	if err != nil {
		return told(ctx, err)
	}
	defer e.release(ctx, f)
	return e.copyFile(ctx, e.path(key), q, to)
}

// copyFile gives a file and its journal while nothing is written.
func (e *Engine) copyFile(ctx context.Context, path string, q traces.CopyQuery, to traces.CopySink) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	for _, one := range []string{path, path + ".wal"} {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("copy the base of traces: %w", context.Cause(ctx))
		}
		if err := giveFile(one, e.nameOf(one), q.Known, to); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// giveFile gives one file, or says that it is the one known. The system's marks
// tell that a file has changed; only its bytes tell that it has not.
func giveFile(path, name string, known map[string]traces.CopiedFile, to traces.CopySink) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("copy the base of traces: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("copy the base of traces: %w", err)
	}
	f := traces.CopiedFile{Name: name, Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if k, ok := known[name]; ok && k.Size == f.Size && k.Modified == f.Modified {
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(file, 0, f.Size)); err != nil {
			return fmt.Errorf("copy the base of traces: %w", err)
		}
		if f.SHA256 = sum.Sum(nil); bytes.Equal(f.SHA256, k.SHA256) {
			return to.Take(f, nil)
		}
	}
	return to.Take(f, io.NewSectionReader(file, 0, f.Size))
}
