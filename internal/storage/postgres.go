package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
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
	n, err := connections(cfg, o.Connections)
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	return &DB{engine: PostgreSQL, texts: newTexts(PostgreSQL), pool: pool, open: o}, nil
}

// connections is how many the pool opens at most: what the URL says
// (pool_max_conns, as pgx's own pool calls it), or what the caller does, or a dozen.
func connections(cfg *pgx.ConnConfig, wanted int) (int, error) {
	const name, fewest = "pool_max_conns", 2
	said, ok := cfg.RuntimeParams[name]
	if !ok {
		if wanted <= 0 {
			wanted = 12
		}
		return wanted, nil
	}
	delete(cfg.RuntimeParams, name) // the server does not know it
	n, err := strconv.Atoi(said)
	if err != nil || n < fewest {
		return 0, fault.New(fault.Invalid, "storage.url_connections", "said", said, "fewest", fewest).At("database-url")
	}
	return n, nil
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

func (db *DB) readPostgres(ctx context.Context, scope access.Scope, fn func(*Tx) error) error {
	return db.transaction(ctx, scope, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", func(t *Tx, c *sql.Conn) (bool, error) {
		return false, fn(t)
	})
}

func (db *DB) writeOnce(ctx context.Context, scope access.Scope, fn func(*Tx) error) error {
	return db.transaction(ctx, scope, "BEGIN", func(t *Tx, c *sql.Conn) (bool, error) {
		if err := fn(t); err != nil {
			return false, err
		}
		if err := t.learn(ctx); err != nil {
			return false, err
		}
		// COMMIT of a transaction in which a statement failed is a rollback that says OK.
		if failed, err := inFailure(c); err != nil || failed {
			return false, errors.Join(err, errors.New("commit: a statement of the transaction failed"))
		}
		if _, err := c.ExecContext(ctx, "COMMIT"); err != nil {
			return false, fmt.Errorf("commit: %w", err)
		}
		return true, nil
	})
}

// transaction runs fn between begin and its end; whatever fn did not end is rolled
// back. The establishment is said in the same exchange as the beginning: each one
// costs the way to the database and back, several hundred times an alert. A
// statement without arguments is sent as it is (the simple protocol of PostgreSQL),
// and may hold several; the establishment is a UUID or a star, never a text of
// somebody's.
func (db *DB) transaction(ctx context.Context, scope access.Scope, begin string, fn func(*Tx, *sql.Conn) (ended bool, err error)) (err error) {
	c, err := db.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		// A connection that was lost is no longer ours to close.
		if cerr := c.Close(); cerr != nil && !errors.Is(cerr, sql.ErrConnDone) && err == nil {
			err = fmt.Errorf("give the connection back: %w", cerr)
		}
	}()
	ended := false
	defer func() {
		if !ended {
			err = errors.Join(err, undo(ctx, c))
		}
	}()
	if _, err := c.ExecContext(ctx, begin+"; SELECT set_config('tocsin.organisation', '"+tenant(scope)+"', true)"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	ended, err = fn(&Tx{q: pooled{c}, engine: db.engine, texts: db.texts, known: &db.known}, c)
	return err
}

// undo rolls back, also when ctx has ended. A connection that cannot is thrown
// away: the server rolls back what it had begun.
func undo(ctx context.Context, c *sql.Conn) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), silencePatience)
	defer cancel()
	_, err := c.ExecContext(ctx, "ROLLBACK")
	if err == nil {
		return nil
	}
	if rerr := c.Raw(func(any) error { return driver.ErrBadConn }); !errors.Is(rerr, driver.ErrBadConn) && !errors.Is(rerr, sql.ErrConnDone) {
		err = errors.Join(err, rerr)
	}
	if errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) {
		return nil // lost before, and told by the statement that lost it
	}
	return fmt.Errorf("roll back: %w", err)
}

// inFailure tells that a statement of the transaction failed, so that nothing of
// it can be kept.
func inFailure(c *sql.Conn) (failed bool, err error) {
	const transactionFailed = 'E' // ReadyForQuery of the protocol
	err = c.Raw(func(raw any) error {
		own, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("connection of another driver: %T", raw)
		}
		failed = own.Conn().PgConn().TxStatus() == transactionFailed
		return nil
	})
	return failed, err
}

// pooled runs statements of a PostgreSQL transaction.
type pooled struct{ c *sql.Conn }

func (p pooled) exec(ctx context.Context, query string, args []any) (int64, error) {
	res, err := p.c.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (p pooled) query(ctx context.Context, query string, args []any, scan func(row func(...any) error) error) (err error) {
	rows, err := p.c.QueryContext(ctx, query, args...)
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
