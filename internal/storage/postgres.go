package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"tocsin/internal/access"
	"tocsin/internal/fault"
)

// maxConflicts is how often a transaction that lost a race is tried again.
const maxConflicts = 5

func openPostgres(o Options) (*DB, error) {
	cfg, err := pgx.ParseConfig(o.URL)
	if err != nil {
		// The parser's message repeats the URL, password included: keep it out of logs.
		return nil, fault.New(fault.Invalid, "storage.url").At("database-url")
	}
	if cfg.RuntimeParams["application_name"] == "" {
		// Others recognises us by it; two installations may share a database by schemas.
		cfg.RuntimeParams["application_name"] = strings.TrimSpace("tocsin " + cfg.RuntimeParams["search_path"])
	}
	impatient(cfg)
	pool := stdlib.OpenDB(*cfg)
	n := o.Connections
	if n <= 0 {
		n = 12
	}
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	return &DB{engine: PostgreSQL, texts: newTexts(PostgreSQL), pool: pool, open: o}, nil
}

// The patience with a server, or a client, that has gone without a word: a
// network that is cut tells nobody. Both sides must let go before another node
// takes over what this one held.
const (
	connectPatience = 3 * time.Second
	silencePatience = 6 * time.Second
)

// impatient makes the server drop a transaction whose node has gone, with its
// locks, and the node drop a connection whose server has.
func impatient(cfg *pgx.ConnConfig) {
	ms := strconv.FormatInt(silencePatience.Milliseconds(), 10)
	for name, value := range map[string]string{"idle_in_transaction_session_timeout": ms, "tcp_user_timeout": ms} {
		if _, set := cfg.RuntimeParams[name]; !set {
			cfg.RuntimeParams[name] = value
		}
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectPatience
	}
	dialer := &net.Dialer{
		Timeout: cfg.ConnectTimeout,
		// A connection that waits for an answer finds out in six seconds that nobody is there.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 2 * time.Second, Interval: 2 * time.Second, Count: 2},
		Control:         giveUpAfter(silencePatience),
	}
	cfg.DialFunc = dialer.DialContext
}

func (db *DB) writePostgres(ctx context.Context, scope access.Scope, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		err := db.writeOnce(ctx, scope, fn)
		if err == nil || !lostRace(err) || try == maxConflicts {
			return err
		}
	}
}

func (db *DB) writeOnce(ctx context.Context, scope access.Scope, fn func(*Tx) error) (err error) {
	tx, err := db.pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin write: %w", err)
	}
	done := false
	defer func() {
		if done {
			return
		}
		if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("roll back: %w", rerr))
		}
	}()
	if err := db.within(ctx, scope, tx, func(t *Tx) error {
		if err := fn(t); err != nil {
			return err
		}
		return t.learn(ctx)
	}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	return nil
}

// pooled runs statements of a PostgreSQL transaction.
type pooled struct{ tx *sql.Tx }

func (p pooled) exec(ctx context.Context, query string, args []any) (int64, error) {
	res, err := p.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (p pooled) query(ctx context.Context, query string, args []any, scan func(row func(...any) error) error) (err error) {
	rows, err := p.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// lostRace tells a serialisation failure or a deadlock: the transaction did
// nothing and may simply run again.
func lostRace(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01")
}

// IsDuplicate tells that err comes from a unique key that already exists.
func IsDuplicate(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	return isLiteDuplicate(err)
}

// Superuser tells whether the database account is one that row-level security
// does not hold back; never on SQLite.
func (db *DB) Superuser(ctx context.Context) (super bool, err error) {
	if db.engine == SQLite {
		return false, nil
	}
	err = db.pool.QueryRowContext(ctx, `SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user`).Scan(&super)
	return super, err
}
