package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"tocsin/internal/fault"
)

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Migrate brings the schema up to date with the rooms' migrations, each an FS
// that holds migrations/*.sql. Rooms are built apart: one that comes later may
// bring a step dated before the last that was applied. On PostgreSQL it then puts row-level security
// on every table that has an organisation_id. A database newer than this
// program is refused.
func (db *DB) Migrate(ctx context.Context, rooms ...fs.FS) (err error) {
	provider, done, err := db.provider(rooms)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := refuseNewer(ctx, provider); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if db.engine == PostgreSQL {
		return db.raiseWalls(ctx)
	}
	return nil
}

// Migrations lists the steps and which are applied.
func (db *DB) Migrations(ctx context.Context, rooms ...fs.FS) (out []Migration, err error) {
	provider, done, err := db.provider(rooms)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	status, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schema's state: %w", err)
	}
	for _, s := range status {
		out = append(out, Migration{Version: s.Source.Version, Name: path.Base(s.Source.Path), Applied: s.State == goose.StateApplied})
	}
	return out, nil
}

func (db *DB) provider(rooms []fs.FS) (*goose.Provider, func() error, error) {
	merged, err := mergeMigrations(rooms)
	if err != nil {
		return nil, nil, err
	}
	if db.engine == PostgreSQL {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, nil, fmt.Errorf("migration lock: %w", err)
		}
		p, err := goose.NewProvider(goose.DialectPostgres, db.pool, merged, goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true))
		return p, func() error { return nil }, err
	}
	// goose wants a pool of its own; ours is pinned to one connection.
	conn, err := sql.Open("sqlite", liteDSN(filepath.Join(db.open.Dir, FileName), "busy_timeout(30000)", "synchronous(FULL)"))
	if err != nil {
		return nil, nil, fmt.Errorf("open for migration: %w", err)
	}
	conn.SetMaxOpenConns(1)
	p, err := goose.NewProvider(goose.DialectSQLite3, conn, merged, goose.WithAllowOutofOrder(true))
	return p, conn.Close, err
}

func mergeMigrations(rooms []fs.FS) (fs.FS, error) {
	merged := fstest.MapFS{}
	for _, room := range rooms {
		names, err := fs.Glob(room, "migrations/*.sql")
		if err != nil {
			return nil, fmt.Errorf("list migrations: %w", err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(room, name)
			if err != nil {
				return nil, fmt.Errorf("read migration: %w", err)
			}
			base := path.Base(name)
			if _, twice := merged[base]; twice {
				return nil, fmt.Errorf("migration %s exists twice", base)
			}
			merged[base] = &fstest.MapFile{Data: text}
		}
	}
	return merged, nil
}

// refuseNewer stops a program that is older than its data: it would not
// understand what it reads.
func refuseNewer(ctx context.Context, p *goose.Provider) error {
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	sources := p.ListSources()
	if len(sources) == 0 {
		return nil
	}
	if newest := sources[len(sources)-1].Version; version > newest {
		return fault.New(fault.Conflict, "storage.newer", "data", version, "program", newest)
	}
	return nil
}

// raiseWalls puts row-level security on every table of the schema that has an
// organisation_id, so that a query which forgot its establishment sees nothing.
func (db *DB) raiseWalls(ctx context.Context) error {
	rows, err := db.pool.QueryContext(ctx, `SELECT k.relname FROM pg_class k
		JOIN pg_attribute a ON a.attrelid = k.oid AND a.attname = 'organisation_id' AND NOT a.attisdropped
		WHERE k.relnamespace = current_schema()::regnamespace AND k.relkind IN ('r', 'p') AND NOT k.relforcerowsecurity`)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return errors.Join(fmt.Errorf("list tables: %w", err), rows.Close())
		}
		tables = append(tables, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	for _, name := range tables {
		quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		_, err := db.pool.ExecContext(ctx, `ALTER TABLE `+quoted+` ENABLE ROW LEVEL SECURITY; ALTER TABLE `+quoted+` FORCE ROW LEVEL SECURITY;
			CREATE POLICY establishment ON `+quoted+` USING (current_setting('tocsin.organisation', true) = '*'
			OR organisation_id = NULLIF(NULLIF(current_setting('tocsin.organisation', true), ''), '*')::uuid)`)
		if err != nil {
			return fmt.Errorf("wall around %s: %w", name, err)
		}
	}
	return nil
}
