//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// Purge implements traces.Keeper. A file whose events are all older is dropped;
// one that is older in part loses rows, and their originals. A death in between
// leaves files that the next purge takes.
func (e *Engine) Purge(ctx context.Context, organisation uuid.UUID, class traces.Class, before int64) (traces.Purged, error) {
	e.writing.Lock()
	defer e.writing.Unlock()
	e.mu.Lock()
	var keys []fileKey
	for key, f := range e.files {
		if key.organisation == organisation && key.class == class && !f.gone && f.events > 0 && f.lo < before {
			keys = append(keys, key)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(keys, func(a, b fileKey) int { return cmp.Compare(a.month, b.month) })
	var out traces.Purged
	for _, key := range keys {
		p, err := e.purgeFile(ctx, key, before)
		if err != nil {
			return out, told(ctx, err)
		}
		out = merge(out, p)
	}
	return out, nil
}

func merge(a, b traces.Purged) traces.Purged {
	switch {
	case a.Events == 0:
		return b
	case b.Events == 0:
		return a
	}
	return traces.Purged{Events: a.Events + b.Events, First: min(a.First, b.First), Last: max(a.Last, b.Last)}
}

func (e *Engine) purgeFile(ctx context.Context, key fileKey, before int64) (traces.Purged, error) {
	f, err := e.hold(ctx, key)
	if err != nil {
		return traces.Purged{}, err
	}
	if f.hi < before {
		return e.drop(ctx, f)
	}
	defer e.release(ctx, f)
	return e.thin(ctx, f, before)
}

// drop removes a file that this call alone holds, once no question reads it.
func (e *Engine) drop(ctx context.Context, f *file) (traces.Purged, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f.gone = true
	for f.users > 1 {
		e.idle.Wait()
	}
	f.users--
	out := traces.Purged{Events: f.events, First: f.lo, Last: f.hi}
	if err := e.detach(ctx, f); err != nil {
		f.gone = false
		return traces.Purged{}, err
	}
	delete(e.files, f.key)
	for _, path := range []string{e.path(f.key) + ".wal", e.path(f.key)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return traces.Purged{}, fmt.Errorf("drop file of traces: %w", err)
		}
	}
	return out, nil
}

// thin takes the old events out of a file, in one transaction.
func (e *Engine) thin(ctx context.Context, f *file, before int64) (traces.Purged, error) {
	alias := f.key.alias()
	now := *f
	var out traces.Purged
	err := e.transaction(ctx, func() error {
		if err := e.closeTail(ctx, f); err != nil {
			return err
		}
		gone, err := e.oldOnes(ctx, f, before)
		if err != nil {
			return err
		}
		err = e.conn.QueryRowContext(ctx, "SELECT count(*), coalesce(min(happened), 0), coalesce(max(happened), 0) FROM "+alias+
			".events WHERE happened < $1", before).Scan(&out.Events, &out.First, &out.Last)
		if err != nil {
			return fmt.Errorf("purge traces: %w", err)
		}
		if err := e.cutBlocks(ctx, f, gone); err != nil {
			return err
		}
		if err := e.exec(ctx, "DELETE FROM "+alias+".events WHERE happened < $1", before); err != nil {
			return err
		}
		err = e.conn.QueryRowContext(ctx, "SELECT coalesce(min(happened), 0), coalesce(max(happened), 0) FROM "+alias+".events").Scan(&now.lo, &now.hi)
		if err != nil {
			return fmt.Errorf("purge traces: %w", err)
		}
		now.events -= out.Events
		return e.exec(ctx, "UPDATE "+alias+".mark SET events = $1, lo = $2, hi = $3", now.events, now.lo, now.hi)
	})
	if err != nil {
		return traces.Purged{}, err
	}
	e.mu.Lock()
	f.events, f.lo, f.hi, f.tail = now.events, now.lo, now.hi, tail{}
	e.mu.Unlock()
	return out, nil
}

// oldOnes lists the seq of the events older than a time.
func (e *Engine) oldOnes(ctx context.Context, f *file, before int64) ([]int64, error) {
	rows, err := e.conn.QueryContext(ctx, "SELECT seq FROM "+f.key.alias()+".events WHERE happened < $1 ORDER BY seq", before)
	if err != nil {
		return nil, fmt.Errorf("purge traces: %w", err)
	}
	var out []int64
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return nil, fmt.Errorf("purge traces: %w", closing(rows, err))
		}
		out = append(out, seq)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, fmt.Errorf("purge traces: %w", err)
	}
	return out, nil
}

// cutBlocks drops the blocks whose events are all purged, and rewrites those in
// which some are: what is purged is nowhere.
func (e *Engine) cutBlocks(ctx context.Context, f *file, gone []int64) error {
	for len(gone) > 0 {
		var b block
		err := b.scan(e.conn.QueryRowContext(ctx, "SELECT "+blockColumns+", data FROM "+f.key.alias()+".raw WHERE first + events > $1 ORDER BY first LIMIT 1", gone[0]), &b.data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("purge originals: %w", err)
		}
		start, _ := slices.BinarySearch(gone, b.First)
		end, _ := slices.BinarySearch(gone, b.First+b.Events)
		if start < end {
			if err := e.cutBlock(ctx, f, &b, gone[start:end]); err != nil {
				return err
			}
		}
		gone = gone[max(end, 1):]
	}
	return nil
}

// cutBlock takes events out of a block and leaves their digests, under salts that
// are then forgotten.
func (e *Engine) cutBlock(ctx context.Context, f *file, b *block, gone []int64) error {
	table := f.key.alias() + ".raw"
	var rows int64
	err := e.conn.QueryRowContext(ctx, "SELECT count(*) FROM "+f.key.alias()+".events WHERE seq >= $1 AND seq < $2", b.First, b.First+b.Events).Scan(&rows)
	if err != nil {
		return fmt.Errorf("purge originals: %w", err)
	}
	if rows == int64(len(gone)) {
		return e.exec(ctx, "DELETE FROM "+table+" WHERE first = $1", b.First)
	}
	whole, err := e.readBlock(ctx, e.conn, f, b)
	if err != nil {
		return err
	}
	if int64(len(whole.frames)) != b.Events {
		return errFrames
	}
	taken := func(i int) bool {
		_, old := slices.BinarySearch(gone, whole.List[i].Seq)
		return old
	}
	var frames []byte
	for i, f := range whole.frames {
		if whole.Gone(i) || taken(i) {
			f = frame{}
		}
		frames = appendFrame(frames, string(f.key), f.raw)
	}
	if whole.Broken {
		// It was altered before: it stays what it is, so that this is still seen.
		return e.exec(ctx, "UPDATE "+table+" SET data = $1 WHERE first = $2", e.pack.EncodeAll(frames, nil), b.First)
	}
	return e.exec(ctx, "UPDATE "+table+" SET data = $1, cut = $2, salt = NULL WHERE first = $3", e.pack.EncodeAll(frames, nil), whole.Cut(taken), b.First)
}
