package storage

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"tocsin/internal/access"
	"tocsin/internal/fault"
)

// Engine is the database that holds the data.
type Engine string

// The engines.
const (
	SQLite     Engine = "sqlite"
	PostgreSQL Engine = "postgresql"
)

// Options say where the data is.
type Options struct {
	// URL is a postgres:// URL; empty means SQLite in Dir.
	URL string
	// Dir is the data folder, created if absent; used by SQLite only.
	Dir string
	// Connections bounds the pool; 0 means a default that suits two cores.
	Connections int
	Log         *slog.Logger
}

// DB is an open database.
type DB struct {
	engine Engine
	// pool is PostgreSQL's; nil on SQLite.
	pool *sql.DB
	// lite reads SQLite and writer is its only writing connection; nil on PostgreSQL.
	lite   *litePool
	writer *liteWriter
	open   Options
	texts  *texts
	writes atomic.Int64
	known  sync.Map
}

// Open connects; on SQLite it creates the folder and the file. Errors:
// Unavailable, with one sentence that says which database did not answer.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var db *DB
	var err error
	if o.URL == "" {
		db, err = openLite(o)
	} else {
		db, err = openPostgres(o)
	}
	if err != nil {
		return nil, err
	}
	if err := db.Ping(ctx); err != nil {
		return nil, closeAfter(db, db.unreachable(err))
	}
	return db, nil
}

func closeAfter(db *DB, err error) error {
	if cerr := db.Close(); cerr != nil {
		return fmt.Errorf("%w (and closing: %v)", err, cerr)
	}
	return err
}

// Engine tells which engine holds the data.
func (db *DB) Engine() Engine { return db.engine }

// Ping checks that the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if db.engine == SQLite {
		return db.lite.ping(ctx)
	}
	return db.pool.PingContext(ctx)
}

// Writes counts the write transactions committed since the start.
func (db *DB) Writes() int64 { return db.writes.Load() }

// Close closes every connection.
func (db *DB) Close() error {
	if db.engine == PostgreSQL {
		return db.pool.Close()
	}
	if err := db.writer.close(); err != nil {
		return fmt.Errorf("close the writer: %w", err)
	}
	return db.lite.close()
}

// Read runs fn on one consistent snapshot. Nothing it writes is kept.
func (db *DB) Read(ctx context.Context, scope access.Scope, fn func(*Tx) error) error {
	if err := refuseEmpty(scope); err != nil {
		return err
	}
	if db.engine == SQLite {
		return db.lite.read(ctx, func(q querier) error { return fn(&Tx{q: q, engine: SQLite, texts: db.texts}) })
	}
	return db.readPostgres(ctx, scope, fn)
}

// Write runs fn in one transaction and commits it when fn returns nil. On
// SQLite writers wait their turn; keep fn under about 50 ms, and never call the
// network in it.
func (db *DB) Write(ctx context.Context, scope access.Scope, fn func(*Tx) error) error {
	if err := refuseEmpty(scope); err != nil {
		return err
	}
	var err error
	if db.writer != nil {
		err = db.writer.write(ctx, func(q querier) error { return fn(&Tx{q: q, engine: db.engine, texts: db.texts}) })
	} else {
		err = db.writePostgres(ctx, scope, fn)
	}
	if err == nil {
		db.writes.Add(1)
	}
	return err
}

func refuseEmpty(scope access.Scope) error {
	if scope.Empty() {
		return fault.New(fault.Unauthenticated, "access.sign_in")
	}
	return nil
}

// tenant is what row-level security compares organisation_id with.
func tenant(scope access.Scope) string {
	if scope.Everywhere() {
		return "*"
	}
	return scope.Organisation().String()
}

// fill writes the few words that differ between the engines.
func (e Engine) fill(query string) string {
	if !strings.Contains(query, "{{") {
		return query
	}
	locked, update, greatest, least := "", "", "MAX", "MIN"
	if e == PostgreSQL {
		locked, update, greatest, least = "FOR UPDATE SKIP LOCKED", "FOR UPDATE", "GREATEST", "LEAST"
	}
	return strings.NewReplacer("{{skip_locked}}", locked, "{{for_update}}", update,
		"{{greatest}}", greatest, "{{least}}", least).Replace(query)
}
