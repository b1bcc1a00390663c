//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// Purge implements traces.Keeper. A file whose events are all older is dropped;
// one that is older in part loses rows, and their originals; of one that is older
// and of which some events are held, these are copied out first (keepheld.go). A death
// in between leaves files that the next purge takes.
func (e *Engine) Purge(ctx context.Context, organisation uuid.UUID, p traces.Purging) (traces.Purged, error) {
	if err := e.keepStill(ctx); err != nil {
		return traces.Purged{}, err
	}
	defer e.moveAgain()
	e.writing.Lock()
	defer e.writing.Unlock()
	old, err := e.tooOld(ctx, organisation, p)
	if err != nil {
		return traces.Purged{}, told(ctx, err)
	}
	e.mu.Lock()
	var keys []fileKey
	for key, f := range e.files {
		if key.organisation == organisation && key.class == p.Class && !f.gone && f.events > 0 && f.lo < p.Before {
			keys = append(keys, key)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(keys, func(a, b fileKey) int { return cmp.Compare(a.month, b.month) })
	var out traces.Purged
	for _, key := range keys {
		one, err := e.purgeFile(ctx, key, p, old)
		if err != nil {
			return e.stopped(out, told(ctx, err))
		}
		out = out.Add(one)
	}
	return out, nil
}

// stopped ends a purge: what is gone must be told all the same.
func (e *Engine) stopped(out traces.Purged, err error) (traces.Purged, error) {
	if out.Events == 0 {
		return traces.Purged{}, err
	}
	out.Problem = "traces.base.failed"
	if f := fault.As(err); f != nil {
		out.Problem = f.Key
	}
	e.opt.Log.Error("a purge of traces stopped", "error", err)
	return out, nil
}

// condition is one on the rows of a file, with the values that it names.
type condition struct {
	text string
	args []any
}

// tooOld is the condition on events that a purge takes. A row of which it cannot
// be told whether it is held is held.
func (e *Engine) tooOld(ctx context.Context, organisation uuid.UUID, p traces.Purging) (condition, error) {
	old := condition{text: fmt.Sprintf("coalesce(happened < %d, false)", p.Before)}
	if len(p.Held) == 0 {
		return old, nil
	}
	people := ""
	who, err := e.patientsOf(ctx, organisation, false)
	if err != nil {
		return old, err
	}
	if who != nil {
		people = peopleAlias(organisation)
	}
	held := make([]string, len(p.Held))
	for i, q := range p.Held {
		if err := q.Check(); err != nil {
			return old, err //nolint:wrapcheck // a fault
		}
		c, err := newCompiler(&q, nil, people)
		if err != nil {
			return old, err
		}
		var asked error
		c.args = old.args
		c.lookUp = func(set string) ([]string, bool) {
			ids, ok, err := e.lookUp(ctx, set, c.args)
			asked = errors.Join(asked, err)
			return ids, ok
		}
		held[i] = "(" + c.where() + ")"
		if old.args = c.args; asked != nil {
			return old, asked
		}
	}
	old.text = fmt.Sprintf("(%s AND NOT coalesce(%s, true))", old.text, strings.Join(held, " OR "))
	return old, nil
}

func (e *Engine) purgeFile(ctx context.Context, key fileKey, p traces.Purging, old condition) (traces.Purged, error) {
	f, err := e.hold(ctx, key)
	if err != nil {
		return traces.Purged{}, err
	}
	out := traces.Purged{Events: f.events, First: f.lo, Last: f.hi}
	if f.hi >= p.Before || len(p.Held) > 0 {
		out, err = e.weigh(ctx, f, p, old)
	}
	switch {
	case err != nil || p.Try || out.Events == 0:
	case f.hi < p.Before && out.Held == 0:
		return out, e.drop(ctx, f)
	case f.hi < p.Before:
		err = e.keepHeld(ctx, f, old)
	default:
		err = e.thin(ctx, f, out, old)
	}
	e.release(ctx, f)
	return out, err
}

// weigh counts what a purge takes of a file, and what it leaves because it is held.
func (e *Engine) weigh(ctx context.Context, f *file, p traces.Purging, old condition) (out traces.Purged, err error) {
	var older int64
	err = e.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FILTER (%[1]s), coalesce(min(happened) FILTER (%[1]s), 0), coalesce(max(happened) FILTER (%[1]s), 0), count(*) FILTER (happened < %[2]d) FROM %[3]s.events",
		old.text, p.Before, f.key.alias()), old.args...).Scan(&out.Events, &out.First, &out.Last, &older)
	if err != nil {
		return out, fmt.Errorf("purge traces: %w", err)
	}
	out.Held = older - out.Events
	return out, nil
}

// drop removes a file that this call alone holds, once no question reads it.
func (e *Engine) drop(ctx context.Context, f *file) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	f.gone = true
	e.alone(f)
	defer e.shared(f)
	f.users--
	if err := e.detach(ctx, f); err != nil {
		f.gone = false
		return err
	}
	delete(e.files, f.key)
	return removeFile(e.path(f.key))
}

// thin takes the old events out of a file, in one transaction.
func (e *Engine) thin(ctx context.Context, f *file, out traces.Purged, old condition) error {
	alias := f.key.alias()
	now := *f
	err := e.transaction(ctx, func() error {
		if err := e.closeTail(ctx, f); err != nil {
			return err
		}
		gone, err := e.oldOnes(ctx, f, old)
		if err != nil {
			return err
		}
		if err := e.cutBlocks(ctx, f, gone); err != nil {
			return err
		}
		if err := e.exec(ctx, "DELETE FROM "+alias+".events WHERE "+old.text, old.args...); err != nil {
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
		return err
	}
	e.mu.Lock()
	f.events, f.lo, f.hi, f.tail = now.events, now.lo, now.hi, tail{}
	e.mu.Unlock()
	return nil
}

// oldOnes lists the seq of the events that a purge takes.
func (e *Engine) oldOnes(ctx context.Context, f *file, old condition) ([]int64, error) {
	rows, err := e.conn.QueryContext(ctx, "SELECT seq FROM "+f.key.alias()+".events WHERE "+old.text+" ORDER BY seq", old.args...)
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
		err := b.scan(e.conn.QueryRowContext(ctx, "SELECT "+blockColumns+" FROM "+f.key.alias()+".raw WHERE first + events > $1 ORDER BY first LIMIT 1", gone[0]))
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
	rows, err := e.rowsOf(ctx, f, b)
	if err != nil {
		return err
	}
	if rows == int64(len(gone)) {
		return errors.Join(e.exec(ctx, "DELETE FROM "+table+" WHERE first = $1", b.First), e.dropSlices(ctx, f.key.alias(), b.First))
	}
	left, err := e.without(ctx, f, b, gone)
	if err != nil {
		return err
	}
	if err := e.replaceSlices(ctx, f.key.alias(), b.First, left.data); err != nil {
		return err
	}
	return e.exec(ctx, "UPDATE "+table+" SET cut = $1, salt = $2 WHERE first = $3", left.cut, left.salt, b.First)
}

// rowsOf is how many events of a block the file still has.
func (e *Engine) rowsOf(ctx context.Context, f *file, b *block) (rows int64, err error) {
	err = e.conn.QueryRowContext(ctx, "SELECT count(*) FROM "+f.key.alias()+".events WHERE seq >= $1 AND seq < $2", b.First, b.First+b.Events).Scan(&rows)
	if err != nil {
		return 0, fmt.Errorf("purge originals: %w", err)
	}
	return rows, nil
}

// without is a block as it is when events are taken out of it.
func (e *Engine) without(ctx context.Context, f *file, b *block, gone []int64) (block, error) {
	left := *b
	whole, err := e.readBlock(ctx, e.conn, f, b)
	if err != nil {
		return left, err
	}
	if int64(len(whole.frames)) != b.Events {
		return left, errFrames
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
	left.data = e.pack.EncodeAll(frames, nil)
	if !whole.Broken { // one that was altered before stays what it is, so that this is still seen
		left.cut, left.salt = whole.Cut(taken), nil
	}
	return left, nil
}
