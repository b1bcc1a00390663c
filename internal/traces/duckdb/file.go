//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/terms"
)

// fileKey names the file of an event: its establishment, its class and a month.
type fileKey struct {
	organisation uuid.UUID
	class        traces.Class
	month        int32 // year*12 + month-1, UTC
}

// file is a file of events. Its fields are held by Engine.mu; tail and named are
// of the writer alone.
type file struct {
	key      fileKey
	attached bool
	gone     bool // dropped, or put aside
	changing bool // being dropped or replaced: whoever wants it waits
	users    int
	used     uint64

	applied spool.Position // up to where it holds the spool
	next    int64          // the seq of the next event
	events  int64
	lo, hi  int64 // bounds of the times of its events, µs
	heard   int64 // the last time an event was received, µs

	tail  tail
	named map[int32]bool // identities that the file has; nil when not read yet
}

const (
	day     = int64(24 * 3600 * 1000000)
	tenYear = 3653 * day
)

// keyOf places an event. A source whose clock is wrong by years makes no files
// of other centuries: its events go where they were received.
func keyOf(e *traces.Event) fileKey {
	at := e.At
	if at > e.Received+day || at < e.Received-tenYear {
		at = e.Received
	}
	return fileKey{e.Organisation, e.Class, monthOf(at)}
}

func monthOf(us int64) int32 {
	t := time.UnixMicro(us).UTC()
	return int32(t.Year())*12 + int32(t.Month()) - 1
}

func (k fileKey) monthText() string { return terms.MonthText(k.month) }

func (k fileKey) name() string { return k.class.String() + "-" + k.monthText() + ".duckdb" }

// alias is the name under which SQL knows the file: letters, digits and _.
func (k fileKey) alias() string {
	return fmt.Sprintf("f%x_%d_%d", k.organisation[:], k.class, k.month)
}

func (e *Engine) path(k fileKey) string {
	return filepath.Join(e.dir, k.organisation.String(), k.name())
}

// parseName reads the name of a file.
func parseName(organisation uuid.UUID, name string) (fileKey, bool) {
	stem, ok := strings.CutSuffix(name, ".duckdb")
	word, month, cut := strings.Cut(stem, "-")
	class, known := traces.ParseClass(word)
	n, named := terms.ParseMonth(month)
	return fileKey{organisation, class, n}, ok && cut && known && named
}

// discover looks at every file of the folder.
func (e *Engine) discover(ctx context.Context) error {
	folders, err := os.ReadDir(e.dir)
	if err != nil {
		return fmt.Errorf("list base of traces: %w", err)
	}
	for _, folder := range folders {
		organisation, err := uuid.Parse(folder.Name())
		if err != nil || !folder.IsDir() {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(e.dir, folder.Name()))
		if err != nil {
			return fmt.Errorf("list base of traces: %w", err)
		}
		for _, entry := range entries {
			if stem, _ := strings.CutSuffix(entry.Name(), ".wal"); strings.HasSuffix(stem, copyEnd) {
				if err := removeFile(filepath.Join(e.dir, folder.Name(), stem)); err != nil {
					return err
				}
				continue
			}
			key, ok := parseName(organisation, entry.Name())
			if !ok {
				continue
			}
			f, err := e.hold(ctx, key)
			if err != nil {
				return err
			}
			e.release(ctx, f)
		}
		if err := e.healPatients(ctx, organisation); err != nil {
			return err
		}
	}
	return nil
}

// hold attaches a file, making it when it is new, and keeps it attached until
// release. A file that cannot be read is put aside, and a new one begun.
func (e *Engine) hold(ctx context.Context, key fileKey) (*file, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.files[key]
	for ; f != nil && f.changing; f = e.files[key] {
		e.idle.Wait()
	}
	if f == nil || f.gone {
		f = &file{key: key}
	}
	if !f.attached {
		if err := e.attach(ctx, f); err != nil {
			why, damaged := damage(err)
			if !damaged {
				return nil, err
			}
			if err := e.putAside(key, why); err != nil {
				return nil, err
			}
			f = &file{key: key}
			if err := e.attach(ctx, f); err != nil {
				return nil, err
			}
		}
	}
	e.files[key] = f
	f.users++
	e.clock++
	f.used = e.clock
	return f, nil
}

// release lets a file go, and detaches those that nobody used for longest when
// there are too many.
func (e *Engine) release(ctx context.Context, held ...*file) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range held {
		f.users--
	}
	e.idle.Broadcast()
	attached := 0
	var idle []*file
	for _, f := range e.files {
		if f.attached {
			attached++
			if f.users == 0 {
				idle = append(idle, f)
			}
		}
	}
	if attached <= e.opt.Files {
		return
	}
	slices.SortFunc(idle, func(a, b *file) int { return cmp.Compare(a.used, b.used) })
	for _, f := range idle[:min(len(idle), attached-e.opt.Files)] {
		if err := e.detach(context.WithoutCancel(ctx), f); err != nil {
			e.opt.Log.Warn("a file of traces stays open", "file", f.key.name(), "error", err)
		}
	}
}

func (e *Engine) detach(ctx context.Context, f *file) error {
	if _, err := e.db.ExecContext(ctx, "DETACH "+f.key.alias()); err != nil {
		return fmt.Errorf("detach file of traces: %w", err)
	}
	f.attached = false
	f.tail, f.named = tail{}, nil
	return nil
}

// attach opens a file and reads its mark.
func (e *Engine) attach(ctx context.Context, f *file) error {
	path, alias := e.path(f.key), f.key.alias()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder of traces: %w", err)
	}
	if err := e.attachPath(ctx, path, alias, fileSchema(alias)); err != nil {
		return err
	}
	if err := e.readMark(ctx, f); err != nil {
		_, detach := e.db.ExecContext(context.WithoutCancel(ctx), "DETACH "+alias)
		if detach != nil {
			e.opt.Log.Warn("a file of traces stays open", "file", f.key.name(), "error", detach)
		}
		return err
	}
	f.attached = true
	return nil
}

// attachPath attaches a file of the base under a name, with its tables.
func (e *Engine) attachPath(ctx context.Context, path, alias string, schema []string) error {
	if _, err := e.db.ExecContext(ctx, "ATTACH "+literal(path)+" AS "+alias+" (STORAGE_VERSION 'v1.5.0')"); err != nil {
		return fmt.Errorf("attach %s: %w", filepath.Base(path), err)
	}
	err := e.whole(ctx, path, alias)
	for _, s := range schema {
		if err == nil {
			_, err = e.db.ExecContext(ctx, s)
		}
	}
	if err == nil {
		return nil
	}
	if _, detach := e.db.ExecContext(context.WithoutCancel(ctx), "DETACH "+alias); detach != nil {
		e.opt.Log.Warn("a file of traces stays open", "file", filepath.Base(path), "error", detach)
	}
	return fmt.Errorf("open %s: %w", filepath.Base(path), err)
}

// headers is what a file of DuckDB has before its blocks: one for the file and two
// for the database, bytes.
const headers = 3 * 4096

// whole tells a file that is shorter than what it holds. Blocks that are free at
// its end may be missing: a checkpoint that frees them gives their room back.
func (e *Engine) whole(ctx context.Context, path, alias string) error {
	var blocks, size int64
	err := e.db.QueryRowContext(ctx, "SELECT total_blocks, block_size FROM pragma_database_size() WHERE database_name = $1", alias).Scan(&blocks, &size)
	if err != nil {
		return err //nolint:wrapcheck // the caller does
	}
	info, err := os.Stat(path)
	if err != nil {
		return err //nolint:wrapcheck // the caller does
	}
	if info.Size() >= blocks*size+headers {
		return nil
	}
	last, err := e.lastBlock(ctx, alias)
	if err != nil {
		return err
	}
	if want := (last+1)*size + headers; info.Size() < want {
		return damageError("truncated: " + strconv.FormatInt(info.Size(), 10) + " bytes of " + strconv.FormatInt(want, 10))
	}
	return nil
}

// lastBlock is the highest number of a block that a file uses, -1 for none. What
// does not let itself be read is damage, as the lack of a block is.
func (e *Engine) lastBlock(ctx context.Context, alias string) (int64, error) {
	rows, err := e.db.QueryContext(ctx, "SELECT table_name FROM duckdb_tables() WHERE database_name = $1", alias)
	if err != nil {
		return 0, err //nolint:wrapcheck // the caller does
	}
	parts := []string{"SELECT max(block_id) AS last FROM pragma_metadata_info(" + literal(alias) + ")"}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return 0, closing(rows, err)
		}
		parts = append(parts, "SELECT max(greatest(block_id, coalesce(list_max(additional_block_ids), -1))) FROM pragma_storage_info("+literal(alias+"."+name)+")")
	}
	if err := closing(rows, rows.Err()); err != nil {
		return 0, err
	}
	last := int64(-1)
	err = e.db.QueryRowContext(ctx, "SELECT coalesce(max(last), -1) FROM ("+strings.Join(parts, " UNION ALL ")+")").Scan(&last)
	return last, err //nolint:wrapcheck // the caller does
}

// readMark reads what a file says of itself; a new one is signed.
func (e *Engine) readMark(ctx context.Context, f *file) error {
	alias := f.key.alias()
	rows, err := e.db.QueryContext(ctx, "SELECT version, organisation, segment, place, next, events, lo, hi, heard FROM "+alias+".mark")
	if err != nil {
		return fmt.Errorf("read mark: %w", err)
	}
	found := false
	var version int
	var whose string
	for rows.Next() {
		found = true
		if err := rows.Scan(&version, &whose, &f.applied.Segment, &f.applied.Offset, &f.next, &f.events, &f.lo, &f.hi, &f.heard); err != nil {
			return fmt.Errorf("read mark: %w", closing(rows, err))
		}
	}
	if err := closing(rows, rows.Err()); err != nil {
		return fmt.Errorf("read mark: %w", err)
	}
	switch {
	case !found:
		_, err := e.db.ExecContext(ctx, "INSERT INTO "+alias+".mark VALUES ($1, $2, 0, 0, 0, 0, 0, 0, 0)", schemaVersion, f.key.organisation.String())
		if err != nil {
			return fmt.Errorf("sign file: %w", err)
		}
	case (version == unsealedVersion || version == unslicedVersion) && whose == f.key.organisation.String():
		return e.upgrade(ctx, f, version)
	case version != schemaVersion:
		return damageError(fmt.Sprintf("written by another version of the program (tables of version %d)", version))
	case whose != f.key.organisation.String():
		return damageError("written for another establishment")
	}
	return nil
}
