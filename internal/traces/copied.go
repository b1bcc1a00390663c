package traces

import (
	"context"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// LastCopy is the last copy of the base that was made.
type LastCopy struct {
	Made  time.Time
	Bytes int64
}

// NoteCopy remembers that the base was copied. Needs access.TracesRead.
func (s *Service) NoteCopy(ctx context.Context, scope access.Scope, c LastCopy) error {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO traces_copies (place, made_us, bytes) VALUES ($1, $2, $3)
			ON CONFLICT (place) DO UPDATE SET made_us = excluded.made_us, bytes = excluded.bytes`, place, storage.Micros(c.Made), c.Bytes)
		return err
	})
}

// Copied tells when the base was copied last; false when it never was. Needs
// access.TracesRead.
func (s *Service) Copied(ctx context.Context, scope access.Scope) (c LastCopy, found bool, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return c, false, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		var made int64
		found, err = tx.Row(ctx, `SELECT made_us, bytes FROM traces_copies WHERE place = $1`, []any{place}, &made, &c.Bytes)
		c.Made = storage.Time(made)
		return err
	})
	return c, found, err
}
