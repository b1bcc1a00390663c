//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"crypto/sha256"
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
		gone, err := e.oldOnes(ctx, f, before)
		if err != nil {
			return err
		}
		err = e.conn.QueryRowContext(ctx, "SELECT count(*), coalesce(min(happened), 0), coalesce(max(happened), 0) FROM "+alias+
			".events WHERE happened < $1", before).Scan(&out.Events, &out.First, &out.Last)
		if err != nil {
			return fmt.Errorf("purge traces: %w", err)
		}
		if err := e.exec(ctx, "DELETE FROM "+alias+".events WHERE happened < $1", before); err != nil {
			return err
		}
		if err := e.emptyOriginals(ctx, f, gone); err != nil {
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

// emptyOriginals rewrites the blocks in which purged events are, with nothing in
// their places: what is purged is nowhere.
func (e *Engine) emptyOriginals(ctx context.Context, f *file, gone []int64) error {
	alias := f.key.alias()
	for _, table := range []string{"raw", "tail"} {
		for i := 0; i < len(gone); {
			var first, events int64
			var data []byte
			err := e.conn.QueryRowContext(ctx, "SELECT first, events, data FROM "+alias+"."+table+
				" WHERE first + events > $1 ORDER BY first LIMIT 1", gone[i]).Scan(&first, &events, &data)
			if errors.Is(err, sql.ErrNoRows) {
				break
			}
			if err != nil {
				return fmt.Errorf("purge originals: %w", err)
			}
			end, _ := slices.BinarySearch(gone, first+events)
			start, _ := slices.BinarySearch(gone, first)
			if start < end {
				if err := e.rewrite(ctx, alias+"."+table, first, data, gone[start:end]); err != nil {
					return err
				}
			}
			i = max(end, i+1)
		}
	}
	return nil
}

func (e *Engine) rewrite(ctx context.Context, table string, first int64, data []byte, gone []int64) error {
	frames, err := e.unpack.DecodeAll(data, nil)
	if err != nil {
		return fmt.Errorf("purge originals: %w", err)
	}
	var kept []byte
	for seq := first; len(frames) > 0; seq++ {
		var key, raw []byte
		if key, raw, frames, err = cutFrame(frames); err != nil {
			return err
		}
		if _, old := slices.BinarySearch(gone, seq); old {
			key, raw = nil, nil
		}
		kept = appendFrame(kept, string(key), raw)
	}
	set, args := "data = $1", []any{e.pack.EncodeAll(kept, nil), first}
	if table[len(table)-3:] == "raw" {
		digest := sha256.Sum256(kept)
		set, args = set+", digest = $3", append(args, digest[:])
	}
	return e.exec(ctx, "UPDATE "+table+" SET "+set+" WHERE first = $2", args...)
}
