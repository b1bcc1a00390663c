package storage

import (
	"errors"
	"net"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tocsin/internal/fault"
)

// unreachable says which database did not let us in, where it is and why, to
// whoever can mend it. The password of the URL is in none of the sentences.
func (db *DB) unreachable(err error) error {
	cfg, bad := pgx.ParseConfig(db.open.URL)
	if db.engine == SQLite || bad != nil {
		return fault.Wrap(err, fault.Unavailable, "storage.unreachable", "engine", string(db.engine))
	}
	where := net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))
	var said *pgconn.PgError
	var name *net.DNSError
	switch {
	case errors.As(err, &said) && (said.Code == "28P01" || said.Code == "28000"): // invalid_password, invalid_authorization_specification
		return fault.Wrap(err, fault.Unavailable, "storage.server.user", "where", where, "user", cfg.User)
	case errors.As(err, &said) && said.Code == "3D000": // invalid_catalog_name
		return fault.Wrap(err, fault.Unavailable, "storage.server.database", "where", where, "database", cfg.Database)
	case errors.As(err, &said) && said.Code == "53300": // too_many_connections
		return fault.Wrap(err, fault.Unavailable, "storage.server.full", "where", where)
	case errors.As(err, &name):
		return fault.Wrap(err, fault.Unavailable, "storage.server.name", "host", cfg.Host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault.Wrap(err, fault.Unavailable, "storage.server.refused", "where", where)
	}
	return fault.Wrap(err, fault.Unavailable, "storage.server.silent", "where", where)
}
