package identity

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

const (
	// recoveryCodes is how many are made, recoverySize their characters.
	recoveryCodes = 10
	recoverySize  = 16
	// codeAlphabet has no letter that is taken for another when read from paper.
	codeAlphabet = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
)

// makeCodes replaces the recovery codes of an account. They stay readable,
// sealed, in the session that asked, until the person says she has them.
func (s *Service) makeCodes(ctx context.Context, tx *storage.Tx, row sessionRow) error {
	if _, err := tx.Exec(ctx, `DELETE FROM identity_recovery_codes WHERE account_id = $1`, row.account.ID); err != nil {
		return err
	}
	var codes []string
	var rows [][]any
	for range recoveryCodes {
		code := randomCode()
		codes = append(codes, grouped(code))
		rows = append(rows, []any{row.account.ID, vault.Digest(code)})
	}
	text, err := json.Marshal(codes)
	if err != nil {
		return fmt.Errorf("keep recovery codes: %w", err)
	}
	sealed, err := s.vault.Seal(text, codesSealedAs(row.id))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE identity_sessions SET codes_pending = $2 WHERE id = $1`, row.id, sealed); err != nil {
		return err
	}
	return tx.InsertRows(ctx, "identity_recovery_codes", []string{"account_id", "code_hash"}, rows)
}

// randomCode has 79 bits: too many to guess, so a plain hash is enough.
func randomCode() string {
	var b strings.Builder
	raw := make([]byte, 1)
	for b.Len() < recoverySize {
		_, err := rand.Read(raw)
		if err != nil {
			panic("identity: no randomness: " + err.Error())
		}
		// Bytes past the last whole turn of the alphabet would favour its first letters.
		if limit := 256 / len(codeAlphabet) * len(codeAlphabet); int(raw[0]) < limit {
			b.WriteByte(codeAlphabet[int(raw[0])%len(codeAlphabet)])
		}
	}
	return b.String()
}

// plainCode undoes what people add to a code they copy from paper.
func plainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(codeAlphabet, r) {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

func codesLeft(ctx context.Context, tx *storage.Tx, account uuid.UUID) (n int64, err error) {
	_, err = tx.Row(ctx, `SELECT COUNT(*) FROM identity_recovery_codes WHERE account_id = $1 AND used_us IS NULL`, []any{account}, &n)
	return n, err
}

// Recovery is the state of the person's own recovery codes.
type Recovery struct {
	Left int
	// New are codes just made, until the person says she has them.
	New []string
}

// RecoveryCodes tells how many of the person's own codes are unused, and shows
// those this session just made.
func (s *Service) RecoveryCodes(ctx context.Context, scope access.Scope, token string) (r Recovery, err error) {
	id, err := s.own(scope)
	if err != nil {
		return r, err
	}
	now := s.clock.Now()
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := s.ownSession(ctx, tx, id, token, now)
		if err != nil {
			return err
		}
		left, err := codesLeft(ctx, tx, id)
		if err != nil {
			return err
		}
		r.Left = int(left)
		var sealed []byte
		if _, err := tx.Row(ctx, `SELECT codes_pending FROM identity_sessions WHERE id = $1`, []any{row.id}, &sealed); err != nil || len(sealed) == 0 {
			return err
		}
		text, err := s.vault.Open(sealed, codesSealedAs(row.id))
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &r.New)
	})
	return r, err
}

// SawRecoveryCodes forgets the readable codes: the person has them on paper.
func (s *Service) SawRecoveryCodes(ctx context.Context, scope access.Scope, token string) error {
	id, err := s.own(scope)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE identity_sessions SET codes_pending = NULL WHERE account_id = $1 AND token_hash = $2`, id, vault.Digest(token))
		return err
	})
}

// RenewRecoveryCodes makes ten new codes; the old ones are worth nothing from
// then on. Errors: Conflict without a second factor to replace.
func (s *Service) RenewRecoveryCodes(ctx context.Context, scope access.Scope, token string) error {
	id, err := s.own(scope)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := s.ownSession(ctx, tx, id, token, now)
		if err != nil {
			return err
		}
		if !row.account.HasFactor() {
			return fault.New(fault.Conflict, "identity.recovery.no_factor")
		}
		if err := s.makeCodes(ctx, tx, row); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, accountEntry("identity.recovery.renew", row.account))
	})
}
