//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/sealing"
)

// block is a row of the table of originals.
type block struct {
	traces.Block
	salt, cut, data []byte
}

const blockColumns = "first, events, lo, hi, root, salt, cut"

func (b *block) scan(row interface{ Scan(...any) error }, more ...any) error {
	if err := row.Scan(append([]any{&b.First, &b.Events, &b.Lo, &b.Hi, &b.Root, &b.salt, &b.cut}, more...)...); err != nil {
		return err //nolint:wrapcheck // the caller does
	}
	sealing.Mark(&b.Block, b.cut)
	return nil
}

// Blocks implements traces.Sealer.
func (e *Engine) Blocks(ctx context.Context, organisation uuid.UUID, q traces.BlockQuery) ([]traces.BlockFile, error) {
	var out []traces.BlockFile
	for _, key := range e.filesOf(organisation) {
		name := traces.FileName(key.class, key.monthText())
		if q.Only != "" && q.Only != name {
			continue
		}
		f, err := e.hold(ctx, key)
		if err != nil {
			return nil, told(ctx, err)
		}
		one, err := e.blocksOf(ctx, f, q, q.From[name])
		e.release(ctx, f)
		if err != nil {
			return nil, told(ctx, err)
		}
		out = append(out, one)
	}
	return out, nil
}

// filesOf lists those of an establishment that hold events, by class and month.
func (e *Engine) filesOf(organisation uuid.UUID) (keys []fileKey) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, f := range e.files {
		if key.organisation == organisation && !f.gone && f.next > 0 {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b fileKey) int { return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.month, b.month)) })
	return keys
}

func (e *Engine) blocksOf(ctx context.Context, f *file, q traces.BlockQuery, from int64) (traces.BlockFile, error) {
	e.mu.Lock()
	out := traces.BlockFile{Class: f.key.class, Month: f.key.monthText(), Oldest: f.lo, Held: f.events}
	e.mu.Unlock()
	if q.Close {
		if err := e.close(ctx, f); err != nil {
			return out, err
		}
	}
	var list []*block
	err := e.snapshot(ctx, func(conn *sql.Conn) error {
		var err error
		if list, err = listBlocks(ctx, conn, f, from); err != nil {
			return err
		}
		tail, open, err := openEnd(ctx, conn, f)
		if out.Open = open; err != nil || from > 0 {
			return err
		}
		out.Strays, err = strays(ctx, conn, f, append(list, tail...))
		return err
	})
	if err == nil && q.Read {
		out.Bytes, err = e.readAll(ctx, f, list)
	}
	for _, b := range list {
		if b.Events > 0 {
			out.Blocks = append(out.Blocks, b.Block)
		}
	}
	return out, err
}

// close makes a block of the open end of a file.
func (e *Engine) close(ctx context.Context, f *file) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	if f.tail.known && f.tail.events == 0 {
		return nil
	}
	if err := e.transaction(ctx, func() error { return e.closeTail(ctx, f) }); err != nil {
		return err
	}
	f.tail = tail{}
	return nil
}

// snapshot runs fn on a connection that sees the base as it is now.
func (e *Engine) snapshot(ctx context.Context, fn func(*sql.Conn) error) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("read blocks: %w", err)
	}
	if _, err = conn.ExecContext(ctx, "BEGIN"); err == nil {
		err = fn(conn)
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, undo)
	}
	return errors.Join(err, conn.Close())
}

func listBlocks(ctx context.Context, conn *sql.Conn, f *file, from int64) ([]*block, error) {
	rows, err := conn.QueryContext(ctx, "SELECT "+blockColumns+" FROM "+f.key.alias()+".raw WHERE first >= $1 ORDER BY first", from)
	if err != nil {
		return nil, fmt.Errorf("list blocks: %w", err)
	}
	var out []*block
	for rows.Next() {
		b := &block{}
		if err := b.scan(rows); err != nil {
			return nil, fmt.Errorf("list blocks: %w", closing(rows, err))
		}
		out = append(out, b)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, fmt.Errorf("list blocks: %w", err)
	}
	return out, nil
}

// openEnd gives the pieces of the tail as blocks, and how many events they hold.
func openEnd(ctx context.Context, conn *sql.Conn, f *file) (out []*block, events int64, err error) {
	rows, err := conn.QueryContext(ctx, "SELECT first, events FROM "+f.key.alias()+".tail")
	if err != nil {
		return nil, 0, fmt.Errorf("list blocks: %w", err)
	}
	for rows.Next() {
		b := &block{}
		if err := rows.Scan(&b.First, &b.Events); err != nil {
			return nil, 0, fmt.Errorf("list blocks: %w", closing(rows, err))
		}
		out, events = append(out, b), events+b.Events
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, 0, fmt.Errorf("list blocks: %w", err)
	}
	return out, events, nil
}

// strays counts the rows between blocks, before and after them.
func strays(ctx context.Context, conn *sql.Conn, f *file, list []*block) (n int64, err error) {
	slices.SortFunc(list, func(a, b *block) int { return cmp.Compare(a.First, b.First) })
	var gaps strings.Builder
	at := int64(0)
	for _, b := range list {
		if b.First > at {
			fmt.Fprintf(&gaps, " OR seq >= %d AND seq < %d", at, b.First)
		}
		at = max(at, b.First+b.Events)
	}
	err = conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s.events WHERE seq < 0 OR seq >= %d%s", f.key.alias(), at, gaps.String())).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("look between blocks: %w", err)
	}
	return n, nil
}

// window is how many blocks are read at once.
const window = 16

// readAll makes the roots of blocks again, some at once on each core. A block that
// is not as it was is read once more by itself, at one instant: a purge may have
// cut it meanwhile.
func (e *Engine) readAll(ctx context.Context, f *file, list []*block) (int64, error) {
	var people map[int32]identity
	if err := e.snapshot(ctx, func(conn *sql.Conn) (err error) {
		people, err = peopleOn(ctx, conn, f)
		return err
	}); err != nil {
		return 0, err
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(max(1, runtime.GOMAXPROCS(0)))
	parts := slices.Collect(slices.Chunk(list, window))
	bytes := make([]int64, len(parts))
	for i, some := range parts {
		group.Go(func() error {
			return e.snapshot(within, func(conn *sql.Conn) error {
				r := reading{e: e, conn: conn, file: f, people: people}
				err := r.roots(within, some)
				bytes[i] = r.bytes
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err //nolint:wrapcheck // of this package
	}
	total := int64(0)
	for _, n := range bytes {
		total += n
	}
	for _, b := range list {
		if !slices.Equal(b.Read, b.Root) {
			if err := e.readOnce(ctx, f, b, people); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

func (e *Engine) readOnce(ctx context.Context, f *file, b *block, people map[int32]identity) error {
	return e.snapshot(ctx, func(conn *sql.Conn) error {
		now := &block{}
		err := now.scan(conn.QueryRowContext(ctx, "SELECT "+blockColumns+" FROM "+f.key.alias()+".raw WHERE first = $1 LIMIT 1", b.First))
		if errors.Is(err, sql.ErrNoRows) { // purged whole, meanwhile
			b.Events = 0
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a block: %w", err)
		}
		r := reading{e: e, conn: conn, file: f, people: people}
		if err := r.roots(ctx, []*block{now}); err != nil {
			return err
		}
		*b = *now
		return nil
	})
}

// Block implements traces.Sealer.
func (e *Engine) Block(ctx context.Context, organisation uuid.UUID, class traces.Class, month string, first int64) ([]traces.SealedEvent, error) {
	key, ok := parseName(organisation, traces.FileName(class, month)+".duckdb")
	if !ok {
		return nil, fault.New(fault.NotFound, "traces.base.not_found")
	}
	_, whole, err := e.openBlock(ctx, key, first)
	if err != nil {
		return nil, told(ctx, err)
	}
	return whole.List, nil
}

// openBlock reads the block that holds an event. Errors: NotFound.
func (e *Engine) openBlock(ctx context.Context, key fileKey, seq int64) (*block, *unfolded, error) {
	none := fault.New(fault.NotFound, "traces.base.not_found")
	e.mu.Lock()
	held := e.files[key]
	known := held != nil && !held.gone
	e.mu.Unlock()
	if !known {
		return nil, nil, none
	}
	f, err := e.hold(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	defer e.release(ctx, f)
	b := &block{}
	var whole *unfolded
	err = e.snapshot(ctx, func(conn *sql.Conn) error {
		err := b.scan(conn.QueryRowContext(ctx, "SELECT "+blockColumns+" FROM "+f.key.alias()+".raw WHERE first <= $1 AND first + events > $1 LIMIT 1", seq))
		if errors.Is(err, sql.ErrNoRows) {
			return none
		}
		if err != nil {
			return fmt.Errorf("read a block: %w", err)
		}
		whole, err = e.readBlock(ctx, conn, f, b)
		return err
	})
	return b, whole, err
}

// peopleOn gives who the numbers of a file are.
func peopleOn(ctx context.Context, conn *sql.Conn, f *file) (map[int32]identity, error) {
	who, err := identitiesOn(ctx, conn, f.key)
	out := make(map[int32]identity, len(who))
	for _, one := range who {
		out[one.id] = one
	}
	return out, err
}

// readBlock reads one block with what the digests of its events are made of.
func (e *Engine) readBlock(ctx context.Context, conn *sql.Conn, f *file, b *block) (*unfolded, error) {
	people, err := peopleOn(ctx, conn, f)
	if err != nil {
		return nil, err
	}
	r := reading{e: e, conn: conn, file: f, people: people, keep: true}
	if err := r.roots(ctx, []*block{b}); err != nil {
		return nil, err
	}
	return r.open[0], nil
}

// Witness implements traces.Sealer.
func (e *Engine) Witness(ctx context.Context, organisation uuid.UUID, ref string) (traces.Witness, error) {
	key, seq, ok := parseRef(organisation, ref)
	if !ok {
		return traces.Witness{}, fault.New(fault.NotFound, "traces.base.not_found")
	}
	b, whole, err := e.openBlock(ctx, key, seq)
	if err != nil {
		return traces.Witness{}, told(ctx, err)
	}
	i := int(seq - b.First)
	path, ok := whole.Path(i)
	if !ok {
		return traces.Witness{}, fault.New(fault.NotFound, "traces.base.not_found")
	}
	return traces.Witness{Class: key.class, Month: key.monthText(), Block: b.Block, Event: whole.List[i], Path: path}, nil
}
