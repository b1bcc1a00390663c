package storage

import (
	"context"
	"database/sql"
	"errors"
)

// keptStatements bounds the cache; bulk statements of odd lengths pass by it.
const keptStatements = 256

// statements runs SQL on one connection and keeps what it prepared. It is used
// by one goroutine at a time: the holder of the writer's turn.
type statements struct {
	conn *sql.Conn
	kept map[string]*sql.Stmt
}

func newStatements(conn *sql.Conn) *statements {
	return &statements{conn: conn, kept: make(map[string]*sql.Stmt)}
}

func (s *statements) get(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.kept[query]; ok {
		return st, nil
	}
	if len(s.kept) >= keptStatements {
		if err := s.close(); err != nil {
			return nil, err
		}
	}
	st, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.kept[query] = st
	return st, nil
}

func (s *statements) close() error {
	var errs []error
	for _, st := range s.kept {
		errs = append(errs, st.Close())
	}
	s.kept = make(map[string]*sql.Stmt)
	return errors.Join(errs...)
}

func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := s.get(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := s.get(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}
