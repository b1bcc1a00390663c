//go:build cgo

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// A file that is too old and of which some events are held is made anew of these
// alone, beside it, and takes its place in one rename: a death before leaves the
// old file whole, one after it the new. DuckDB gives the room of deleted rows back
// late; a file that is dropped gives it back at once.

// copyEnd is the end of the name of a copy under way: discover drops it.
const copyEnd = ".copy"

// keepHeld puts in the place of a file what a purge leaves of it.
func (e *Engine) keepHeld(ctx context.Context, f *file, old condition) error {
	path, to := e.path(f.key)+copyEnd, f.key.alias()+"_copy"
	if err := removeFile(path); err != nil {
		return err
	}
	if err := e.transaction(ctx, func() error { return e.closeTail(ctx, f) }); err != nil {
		return err
	}
	f.tail = tail{}
	now, err := e.copyTo(ctx, f, path, to, old)
	if err == nil {
		err = e.stage("copied")
	}
	if err == nil {
		err = e.swap(ctx, f, path, now)
	}
	if err != nil {
		return errors.Join(err, removeFile(path))
	}
	return e.stage("swapped")
}

// stage lets a test die at a stage of a copy.
func (e *Engine) stage(name string) error {
	if e.staged == nil {
		return nil
	}
	return e.staged(name)
}

// copyTo writes what a purge leaves into a file of its own, on the disk when it
// returns, and gives its bounds.
func (e *Engine) copyTo(ctx context.Context, f *file, path, to string, old condition) (now file, err error) {
	if err := e.attachPath(ctx, path, to, fileSchema(to)); err != nil {
		return now, err
	}
	err = e.transaction(ctx, func() error {
		now, err = e.copyRows(ctx, f, to, old)
		return err
	})
	if err == nil {
		err = e.exec(ctx, "CHECKPOINT "+to)
	}
	err = errors.Join(err, e.exec(context.WithoutCancel(ctx), "DETACH "+to))
	if err != nil {
		return now, err
	}
	return now, syncPath(path)
}

// copyRows copies, within a transaction.
func (e *Engine) copyRows(ctx context.Context, f *file, to string, old condition) (now file, err error) {
	from, columns := f.key.alias(), eventColumns()
	gone, err := e.oldOnes(ctx, f, old)
	if err != nil {
		return now, err
	}
	if err := e.exec(ctx, "INSERT INTO "+to+".events ("+columns+") SELECT "+columns+" FROM "+from+".events WHERE NOT "+old.text+" ORDER BY seq", old.args...); err != nil {
		return now, err
	}
	err = e.conn.QueryRowContext(ctx, "SELECT count(*), coalesce(min(happened), 0), coalesce(max(happened), 0) FROM "+to+".events").Scan(&now.events, &now.lo, &now.hi)
	if err != nil {
		return now, fmt.Errorf("copy held traces: %w", err)
	}
	if now.events == 0 {
		return now, errors.New("copy held traces: nothing was copied")
	}
	if err := e.copyBlocks(ctx, f, to, gone); err != nil {
		return now, err
	}
	if err := e.exec(ctx, "INSERT INTO "+to+".identities SELECT id, ipp, ins FROM "+from+".identities WHERE id IN (SELECT patient FROM "+to+".events)"); err != nil {
		return now, err
	}
	return now, e.exec(ctx, "INSERT INTO "+to+".mark SELECT version, organisation, segment, place, next, $1, $2, $3, heard FROM "+from+".mark", now.events, now.lo, now.hi)
}

// copyBlocks copies the blocks of which events stay, without the others.
func (e *Engine) copyBlocks(ctx context.Context, f *file, to string, gone []int64) error {
	list, err := listBlocks(ctx, e.conn, f, 0)
	if err != nil {
		return err
	}
	from := f.key.alias()
	for _, b := range list {
		start, _ := slices.BinarySearch(gone, b.First)
		end, _ := slices.BinarySearch(gone, b.First+b.Events)
		if start == end {
			for table, columns := range map[string]string{"raw": blockColumns, "slices": sliceColumns} {
				if err := e.exec(ctx, "INSERT INTO "+to+"."+table+" ("+columns+") SELECT "+columns+" FROM "+from+"."+table+" WHERE first = $1", b.First); err != nil {
					return err
				}
			}
			continue
		}
		rows, err := e.rowsOf(ctx, f, b)
		if err != nil {
			return err
		}
		if rows == int64(end-start) {
			continue
		}
		left, err := e.without(ctx, f, b, gone[start:end])
		if err != nil {
			return err
		}
		if err := e.exec(ctx, "INSERT INTO "+to+".raw ("+blockColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7)",
			left.First, left.Events, left.Lo, left.Hi, left.Root, left.salt, left.cut); err != nil {
			return err
		}
		if err := e.replaceSlices(ctx, to, left.First, left.data); err != nil {
			return err
		}
	}
	return nil
}

// swap puts a copy in the place of a file, once no question reads that.
func (e *Engine) swap(ctx context.Context, f *file, path string, now file) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.alone(f)
	defer e.shared(f)
	// Nothing may be left in the journal of the file that goes: it would be read
	// again over the one that comes, or be lost when that does not come.
	if err := e.exec(ctx, "CHECKPOINT "+f.key.alias()); err != nil {
		return err
	}
	if err := e.detach(ctx, f); err != nil {
		return err
	}
	if err := os.Remove(e.path(f.key) + ".wal"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("put held traces in place: %w", err)
	}
	if err := os.Rename(path, e.path(f.key)); err != nil {
		return fmt.Errorf("put held traces in place: %w", err)
	}
	f.events, f.lo, f.hi = now.events, now.lo, now.hi
	return syncPath(filepath.Dir(path))
}

// alone waits until this call alone holds a file, and keeps others from it until
// shared. Engine.mu is held, and let go while it waits.
func (e *Engine) alone(f *file) {
	f.changing = true
	for f.users > 1 {
		e.idle.Wait()
	}
}

func (e *Engine) shared(f *file) {
	f.changing = false
	e.idle.Broadcast()
}

// removeFile removes a file and its journal; that they are not there is well.
func removeFile(path string) error {
	for _, p := range []string{path + ".wal", path} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove file of traces: %w", err)
		}
	}
	return nil
}
