package pull

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	mssql "github.com/microsoft/go-mssqldb"
	goora "github.com/sijms/go-ora/v2"

	"tocsin/internal/fault"
)

// patience is how long one question to a database may last.
const patience = 60 * time.Second

// dialPatience is how long it may take to answer at all.
const dialPatience = 10 * time.Second

// open prepares the connection to a database: nothing is sent yet.
func open(s Settings, password string) (*sql.DB, error) {
	db, err := opened(s, password)
	if err != nil {
		return nil, fault.Wrap(errors.New("prepare the connection"), fault.Invalid, "traces.pull.broken") // the cause may hold the password
	}
	db.SetMaxOpenConns(1)
	db.SetConnMaxIdleTime(2 * time.Minute)
	return db, nil
}

func opened(s Settings, password string) (*sql.DB, error) {
	secure := s.secure()
	switch s.Driver {
	case PostgreSQL:
		cfg, err := pgx.ParseConfig("host=x sslmode=disable")
		if err != nil {
			return nil, err
		}
		cfg.Host, cfg.Port, cfg.Database, cfg.User, cfg.Password = s.Host, uint16(s.Port), s.Database, s.User, password
		cfg.TLSConfig, cfg.Fallbacks, cfg.ConnectTimeout = secure, nil, dialPatience
		cfg.RuntimeParams = map[string]string{"application_name": "tocsin", "default_transaction_read_only": "on", "statement_timeout": strconv.FormatInt(patience.Milliseconds(), 10)}
		return stdlib.OpenDB(*cfg), nil
	case MySQL:
		cfg := mysql.NewConfig()
		cfg.Net, cfg.Addr, cfg.DBName, cfg.User, cfg.Passwd = "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), s.Database, s.User, password
		cfg.TLS, cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout, cfg.AllowNativePasswords = secure, dialPatience, patience, patience, true
		connector, err := mysql.NewConnector(cfg)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(connector), nil
	case SQLServer:
		connector, err := mssql.NewConnector(s.sqlServerAddress(password))
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(connector), nil
	case Oracle:
		options := map[string]string{"CONNECTION TIMEOUT": "10", "TIMEOUT": strconv.Itoa(int(patience / time.Second)), "SSL": strconv.FormatBool(secure != nil), "SSL VERIFY": strconv.FormatBool(s.TLS == TLSOn)}
		return sql.OpenDB(goora.NewConnector(goora.BuildUrl(s.Host, s.Port, s.Database, s.User, password, options))), nil
	}
	return nil, errors.New("no such driver")
}

func (s Settings) secure() *tls.Config {
	if s.TLS == TLSOff {
		return nil
	}
	return &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.TLS == TLSUnverified} //nolint:gosec // what the person chose, by its name
}

func (s Settings) sqlServerAddress(password string) string {
	q := url.Values{"database": {s.Database}, "app name": {"tocsin"}, "ApplicationIntent": {"ReadOnly"}, "dial timeout": {"10"}, "connection timeout": {"60"}}
	switch s.TLS {
	case TLSOff:
		q.Set("encrypt", "disable")
	case TLSUnverified:
		q.Set("encrypt", "true")
		q.Set("TrustServerCertificate", "true")
	default:
		q.Set("encrypt", "true")
	}
	u := url.URL{Scheme: "sqlserver", Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), User: url.UserPassword(s.User, password), RawQuery: q.Encode()}
	return u.String()
}

// reading runs what reads in a transaction that cannot write, where the database
// has such.
func reading(ctx context.Context, db *sql.DB, driver string, run func(*sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// SQL Server has no transaction that only reads: ours holds nothing but SELECT.
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: driver != SQLServer})
	if err != nil {
		return sentence(err)
	}
	err = run(tx)
	if end := tx.Rollback(); err == nil && end != nil && !errors.Is(end, sql.ErrTxDone) {
		err = end
	}
	if err != nil {
		return sentence(err)
	}
	return nil
}

// sentence says what is wrong with a database in one sentence; the whole stays
// the cause.
func sentence(err error) error {
	if fault.As(err) != nil {
		return err
	}
	key := "traces.pull.failed"
	switch {
	case isCode(err, "28P01", "28000", "1045", "1698", "18456", "ORA-01017", "ORA-28000"):
		key = "traces.pull.refused"
	case isCode(err, "3D000", "1049", "4060", "ORA-12514", "ORA-12505"):
		key = "traces.pull.no_database"
	case isCode(err, "42501", "1142", "1044", "229", "ORA-01031"):
		key = "traces.pull.denied"
	case isCode(err, "42P01", "42703", "1146", "1054", "208", "207", "ORA-00942", "ORA-00904"):
		key = "traces.pull.no_table"
	case isCode(err, "57014", "1317", "1969", "3024") || errors.Is(err, context.DeadlineExceeded):
		key = "traces.pull.slow"
	case isTLS(err):
		key = "traces.pull.tls_failed"
	case isNetwork(err):
		key = "traces.pull.unreachable"
	}
	return fault.Wrap(err, fault.Invalid, key)
}

// isCode compares the code that a database gave.
func isCode(err error, codes ...string) bool {
	code := ""
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	var ms mssql.Error
	switch {
	case errors.As(err, &pg):
		code = pg.Code
	case errors.As(err, &my):
		code = strconv.Itoa(int(my.Number))
	case errors.As(err, &ms):
		code = strconv.Itoa(int(ms.Number))
	default:
		if _, rest, ok := strings.Cut(err.Error(), "ORA-"); ok && len(rest) >= 5 {
			code = "ORA-" + rest[:5]
		}
	}
	for _, c := range codes {
		if code != "" && c == code {
			return true
		}
	}
	return false
}

func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.Is(err, mysql.ErrNoTLS) || strings.Contains(err.Error(), "refused TLS")
}

func isNetwork(err error) bool {
	var n net.Error
	var dns *net.DNSError
	return errors.As(err, &n) || errors.As(err, &dns) || errors.Is(err, mysql.ErrInvalidConn) || strings.Contains(err.Error(), "connection refused")
}

// Table is a table or view of the catalogue.
type Table struct{ Schema, Name string }

// tables reads those of a database.
func tables(ctx context.Context, db *sql.DB, driver string) (out []Table, err error) {
	err = reading(ctx, db, driver, func(tx *sql.Tx) error {
		return each(ctx, tx, dialects[driver].tables, nil, func(a, b string) { out = append(out, Table{a, b}) })
	})
	return out, err
}

// columnsOf reads those of a table.
func columnsOf(ctx context.Context, db *sql.DB, driver string, t Table) (out []Column, err error) {
	err = reading(ctx, db, driver, func(tx *sql.Tx) error {
		return each(ctx, tx, dialects[driver].columns, []any{t.Schema, t.Name}, func(a, b string) { out = append(out, Column{a, kindOf(b)}) })
	})
	return out, err
}

func each(ctx context.Context, tx *sql.Tx, query string, args []any, take func(a, b string)) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			return errors.Join(err, rows.Close())
		}
		take(a, b)
	}
	return errors.Join(rows.Err(), rows.Close())
}

// fetch reads a page: each row as cells, and its key.
func fetch(ctx context.Context, db *sql.DB, s Settings, after []any, again bool, most int) (out []fetched, err error) {
	query, args := dialects[s.Driver].page(s, after, again, most)
	err = reading(ctx, db, s.Driver, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		types, err := rows.ColumnTypes()
		if err != nil {
			return errors.Join(err, rows.Close())
		}
		for rows.Next() {
			one, err := s.scan(rows, types)
			if err != nil {
				return errors.Join(err, rows.Close())
			}
			out = append(out, one)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return out, err
}

// fetched is a row of a table.
type fetched struct{ cells, key []string }

func (s Settings) scan(rows *sql.Rows, types []*sql.ColumnType) (f fetched, err error) {
	values := make([]any, len(types))
	into := make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return f, err
	}
	f.cells = make([]string, len(values))
	for i, v := range values {
		f.cells[i] = cell(v, types[i].DatabaseTypeName())
	}
	for _, k := range s.Key {
		i := s.column(k)
		text, ok := keyed(values[i], s.Columns[i].Kind, types[i].DatabaseTypeName())
		if !ok {
			return f, fault.Wrap(fmt.Errorf("key of kind %s", s.Columns[i].Kind), fault.Invalid, "traces.pull.key_value", "column", k)
		}
		f.key = append(f.key, text)
	}
	return f, nil
}
