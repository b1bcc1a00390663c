//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/traces"
)

// The versions before: that of files whose blocks bore no seal, and that of files
// whose blocks were rows.
const (
	unsealedVersion = 1
	unslicedVersion = 2
)

// upgrade gives a file of a version before the tables of this one, all or nothing.
// Blocks without a seal are sealed as they are found: what was altered before that
// day is not known by it.
func (e *Engine) upgrade(ctx context.Context, f *file, version int) error {
	e.opt.Log.Info("a file of traces gets the tables of this version", "file", f.key.name(), "from", version)
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("upgrade file of traces: %w", err)
	}
	u := upgrading{e: e, conn: conn, file: f, alias: f.key.alias()}
	if err = u.exec(ctx, "BEGIN"); err == nil {
		work := u.slice
		if version == unsealedVersion {
			work = u.all
		}
		if err = work(ctx); err == nil {
			err = u.exec(ctx, "DROP TABLE @raw_before")
		}
		if err == nil {
			err = u.exec(ctx, "UPDATE @mark SET version = $1", schemaVersion)
		}
		if err == nil {
			err = u.exec(ctx, "COMMIT")
		}
		if err != nil {
			err = errors.Join(err, u.exec(context.WithoutCancel(ctx), "ROLLBACK"))
		}
	}
	return errors.Join(err, conn.Close())
}

type upgrading struct {
	e     *Engine
	conn  *sql.Conn
	file  *file
	alias string
}

func (u *upgrading) exec(ctx context.Context, q string, args ...any) error {
	if _, err := u.conn.ExecContext(ctx, strings.ReplaceAll(q, "@", u.alias+"."), args...); err != nil {
		return fmt.Errorf("upgrade file of traces: %w", err)
	}
	return nil
}

// before sets tables aside, and makes those of this version.
func (u *upgrading) before(ctx context.Context, tables ...string) error {
	for _, t := range tables {
		if err := u.exec(ctx, "ALTER TABLE @"+t+" RENAME TO "+t+"_before"); err != nil {
			return err
		}
	}
	for _, s := range fileSchema(u.alias) {
		if err := u.exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// slice keeps the bytes of blocks in slices.
func (u *upgrading) slice(ctx context.Context) error {
	if err := u.before(ctx, "raw"); err != nil {
		return err
	}
	if err := u.exec(ctx, "INSERT INTO @raw SELECT "+blockColumns+" FROM @raw_before"); err != nil {
		return err
	}
	list, err := u.list(ctx)
	if err != nil {
		return err
	}
	for _, b := range list {
		if err := u.sliceOne(ctx, b.First); err != nil {
			return err
		}
	}
	return nil
}

func (u *upgrading) sliceOne(ctx context.Context, first int64) error {
	b := folded{Block: traces.Block{First: first}}
	if err := u.conn.QueryRowContext(ctx, "SELECT data FROM "+u.alias+".raw_before WHERE first = $1", first).Scan(&b.data); err != nil {
		return fmt.Errorf("upgrade file of traces: %w", err)
	}
	return (&pen{conn: u.conn}).storeSlices(u.alias, []folded{b})
}

// all seals the blocks.
func (u *upgrading) all(ctx context.Context) error {
	if err := u.before(ctx, "raw", "tail"); err != nil {
		return err
	}
	list, err := u.blocks(ctx)
	if err != nil {
		return err
	}
	for _, b := range list {
		b.salt = newSalt()
		if err := u.exec(ctx, `INSERT INTO @raw SELECT first, events, (SELECT coalesce(min(happened), 0) FROM @events WHERE seq >= $1 AND seq < $2),
			(SELECT coalesce(max(happened), 0) FROM @events WHERE seq >= $1 AND seq < $2), ''::BLOB, $3, NULL FROM @raw_before WHERE first = $1`, b.First, b.First+b.Events, b.salt); err != nil {
			return err
		}
		if err := u.sliceOne(ctx, b.First); err != nil {
			return err
		}
	}
	if err := u.seal(ctx, list); err != nil {
		return err
	}
	return u.exec(ctx, "DROP TABLE @tail_before")
}

// blocks lists the blocks of the file; the pieces of its open end are one more,
// which is put among them.
func (u *upgrading) blocks(ctx context.Context) ([]*block, error) {
	end, err := u.end(ctx)
	if err != nil {
		return nil, err
	}
	if end.events > 0 {
		if err := u.exec(ctx, "INSERT INTO @raw_before (first, events, data) VALUES ($1, $2, $3)", end.first, end.events, u.e.pack.EncodeAll(end.frames, nil)); err != nil {
			return nil, err
		}
	}
	return u.list(ctx)
}

func (u *upgrading) list(ctx context.Context) ([]*block, error) {
	rows, err := u.conn.QueryContext(ctx, "SELECT first, events FROM "+u.alias+".raw_before ORDER BY first")
	if err != nil {
		return nil, fmt.Errorf("upgrade file of traces: %w", err)
	}
	var out []*block
	for rows.Next() {
		b := &block{}
		if err := rows.Scan(&b.First, &b.Events); err != nil {
			return nil, fmt.Errorf("upgrade file of traces: %w", closing(rows, err))
		}
		out = append(out, b)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, fmt.Errorf("upgrade file of traces: %w", err)
	}
	return out, nil
}

// end reads the open end.
func (u *upgrading) end(ctx context.Context) (t tail, err error) {
	rows, err := u.conn.QueryContext(ctx, "SELECT first, events, data FROM "+u.alias+".tail_before ORDER BY first")
	if err != nil {
		return t, fmt.Errorf("upgrade file of traces: %w", err)
	}
	for rows.Next() {
		var first, events int64
		var data []byte
		if err := rows.Scan(&first, &events, &data); err != nil {
			return t, fmt.Errorf("upgrade file of traces: %w", closing(rows, err))
		}
		if t.events == 0 {
			t.first = first
		}
		t.events += events
		if t.frames, err = u.e.unpack.DecodeAll(data, t.frames); err != nil {
			return t, fmt.Errorf("upgrade file of traces: %w", closing(rows, err))
		}
	}
	if err := closing(rows, rows.Err()); err != nil {
		return t, fmt.Errorf("upgrade file of traces: %w", err)
	}
	return t, nil
}

// seal gives each block its root.
func (u *upgrading) seal(ctx context.Context, list []*block) error {
	people, err := peopleOn(ctx, u.conn, u.file)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(list, window) {
		r := reading{e: u.e, conn: u.conn, file: u.file, people: people}
		if err := r.roots(ctx, some); err != nil {
			return err
		}
		for _, b := range some {
			if b.Read == nil {
				// It stays without a root: verification names it.
				u.e.opt.Log.Error("a block of traces is not whole", "file", u.file.key.name(), "first", b.First, "events", b.Events)
				continue
			}
			if err := u.exec(ctx, "UPDATE @raw SET root = $2 WHERE first = $1", b.First, b.Read); err != nil {
				return err
			}
		}
	}
	return nil
}
