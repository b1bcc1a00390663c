package journal

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// sealBatch is how many entries are chained in one transaction.
const sealBatch = 200

// Sealer chains entries after the fact. One node at a time runs it.
type Sealer struct {
	db    *storage.DB
	vault *vault.Vault
}

// NewSealer returns a sealer that signs with the keyring's current key.
func NewSealer(db *storage.DB, v *vault.Vault) *Sealer { return &Sealer{db, v} }

// Seal chains what is not chained yet, a batch for each establishment; more
// tells that there is more to do. scope is that of an Instance.
func (s *Sealer) Seal(ctx context.Context, scope access.Scope, now time.Time) (more bool, err error) {
	key, err := s.vault.DeriveKey(sealPurpose)
	if err != nil {
		return false, err
	}
	var waiting []uuid.UUID
	if err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT DISTINCT organisation_id FROM journal_entries WHERE seal_number IS NULL`, nil, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			waiting = append(waiting, id)
			return err
		})
	}); err != nil {
		return false, err
	}
	for _, organisation := range waiting {
		full, err := s.sealSome(ctx, scope, organisation, key, now)
		if err != nil {
			return more, fmt.Errorf("seal the journal of %s: %w", organisation, err)
		}
		more = more || full
	}
	return more, nil
}

// sealSome chains the oldest unchained entries of an establishment and signs the head.
func (s *Sealer) sealSome(ctx context.Context, scope access.Scope, organisation uuid.UUID, key vault.Derived, now time.Time) (full bool, err error) {
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		h := head{chain: start(), atMicros: storage.Micros(now), key: key.Key}
		if _, err := tx.Row(ctx, `SELECT seal_number, seal_chain FROM journal_entries WHERE organisation_id = $1 AND seal_number IS NOT NULL
			ORDER BY seal_number DESC LIMIT 1`, []any{organisation}, &h.number, &h.chain); err != nil {
			return err
		}
		list, err := readSealed(ctx, tx, organisation, `seal_number IS NULL ORDER BY id LIMIT $2`, sealBatch)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, e := range list {
			if h, err = chain(ctx, tx, organisation, h, e); err != nil {
				return err
			}
		}
		full = len(list) == sealBatch
		h.signature = ed25519.Sign(signer(key), h.said(organisation))
		_, err = tx.Exec(ctx, `INSERT INTO journal_heads (organisation_id, day, number, chain, at_us, key_id, signature) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (organisation_id, day) DO UPDATE SET number = excluded.number, chain = excluded.chain, at_us = excluded.at_us,
			key_id = excluded.key_id, signature = excluded.signature`,
			organisation, h.atMicros/(24*time.Hour).Microseconds(), h.number, h.chain, h.atMicros, h.key, h.signature)
		return err
	})
	return full, err
}

// chain gives an entry its place after h.
func chain(ctx context.Context, tx *storage.Tx, organisation uuid.UUID, h head, e sealed) (head, error) {
	e.salt = make([]byte, saltSize)
	if _, err := rand.Read(e.salt); err != nil {
		return h, fmt.Errorf("draw a salt: %w", err)
	}
	digest := digestOf(e)
	h.number, h.chain = h.number+1, chainOf(h.chain, digest)
	_, err := tx.Exec(ctx, `UPDATE journal_entries SET seal_number = $3, seal_salt = $4, seal_digest = $5, seal_chain = $6
		WHERE organisation_id = $1 AND id = $2 AND seal_number IS NULL`, organisation, e.ID, h.number, e.salt, digest, h.chain)
	return h, err
}

// readSealed reads entries with their place in the chain.
func readSealed(ctx context.Context, tx *storage.Tx, organisation uuid.UUID, where string, args ...any) (out []sealed, err error) {
	err = eachSealed(ctx, tx, organisation, where, args, func(e sealed) error {
		out = append(out, e)
		return nil
	})
	return out, err
}

func eachSealed(ctx context.Context, tx *storage.Tx, organisation uuid.UUID, where string, args []any, do func(sealed) error) error {
	return tx.Query(ctx, `SELECT id, at_us, actor_kind, actor_id, actor_name, actor_from, action, object_kind, object_id, object_name, before_json, after_json,
		COALESCE(seal_number, 0), seal_salt, seal_digest, seal_chain, erased_us IS NOT NULL FROM journal_entries
		WHERE organisation_id = $1 AND `+where, append([]any{organisation}, args...), func(row func(...any) error) error {
		e := sealed{organisation: organisation}
		rec, err := scan(func(dest ...any) error {
			return row(append(dest, &e.number, &e.salt, &e.digest, &e.chain, &e.erased)...)
		})
		if err != nil {
			return err
		}
		e.Record = rec
		return do(e)
	})
}
