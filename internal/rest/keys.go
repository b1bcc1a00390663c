package rest

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// KeyLife is how long an answer is given again under its key; keyBusy is how
// long an operation may run: past it, its process is dead.
const (
	KeyLife = 24 * time.Hour
	keyBusy = time.Minute
)

// keys remembers what was answered under idempotency keys.
type keys struct{ db *storage.DB }

// kept is an answer that was given before.
type kept struct {
	status int
	body   []byte
}

// begin claims a key for a request. again is the answer it had already.
// Errors: Invalid when another request had this key, Conflict while the first
// one runs, or when nobody knows whether it was done and doing it twice would hurt.
func (k keys) begin(ctx context.Context, scope access.Scope, id string, fingerprint []byte, repeatable bool, now time.Time) (again *kept, err error) {
	us := storage.Micros(now)
	err = k.db.Write(ctx, scope, func(tx *storage.Tx) error {
		again = nil
		n, err := tx.Exec(ctx, `INSERT INTO rest_keys (organisation_id, id, fingerprint, begun_us, status, until_us) VALUES ($1, $2, $3, $4, 0, $5)
			ON CONFLICT (organisation_id, id) DO UPDATE SET fingerprint = excluded.fingerprint, begun_us = excluded.begun_us, answered_us = NULL,
			status = 0, body = NULL, until_us = excluded.until_us WHERE rest_keys.until_us <= $4`,
			scope.Organisation(), id, fingerprint, us, storage.Micros(now.Add(KeyLife)))
		if err != nil || n == 1 {
			return err
		}
		var print, body []byte
		var begun int64
		var answered sql.NullInt64
		var status int
		if _, err := tx.Row(ctx, `SELECT fingerprint, begun_us, answered_us, status, body FROM rest_keys WHERE organisation_id = $1 AND id = $2 {{for_update}}`,
			[]any{scope.Organisation(), id}, &print, &begun, &answered, &status, &body); err != nil {
			return err
		}
		switch {
		case !bytes.Equal(print, fingerprint):
			return fault.New(fault.Invalid, "rest.key.other").At("header.Idempotency-Key")
		case answered.Valid:
			again = &kept{status, body}
			return nil
		case now.Sub(storage.Time(begun)) < keyBusy:
			return fault.New(fault.Conflict, "rest.key.running")
		case !repeatable:
			return fault.New(fault.Conflict, "rest.key.unsure")
		}
		_, err = tx.Exec(ctx, `UPDATE rest_keys SET begun_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, us)
		return err
	})
	return again, err
}

// settle keeps the answer of what was done; what was refused changed nothing
// and frees its key.
func (k keys) settle(ctx context.Context, scope access.Scope, id string, status int, body []byte, now time.Time) error {
	return k.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if status >= 300 {
			_, err := tx.Exec(ctx, `DELETE FROM rest_keys WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id)
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE rest_keys SET answered_us = $3, status = $4, body = $5 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), id, storage.Micros(now), status, body)
		return err
	})
}

func (k keys) sweep(ctx context.Context, now time.Time) error {
	return k.db.Write(ctx, access.Instance("rest"), func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM rest_keys WHERE until_us <= $1`, storage.Micros(now))
		return err
	})
}
