package identity

import (
	"context"
	"database/sql"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Awaited is whose second factor a sign-in waits for.
type Awaited struct {
	Name           string
	TOTP, Passkeys bool
}

// Waiting tells what the sign-in of a token waits for. Errors: Unauthenticated
// when it waits for nothing: the password comes first.
func (s *Service) Waiting(ctx context.Context, token string) (a Awaited, err error) {
	row, err := s.halfSession(ctx, token)
	return Awaited{Name: row.account.Name, TOTP: row.account.TOTP, Passkeys: row.account.Passkeys > 0 && s.passkeys != nil}, err
}

func (s *Service) halfSession(ctx context.Context, token string) (row sessionRow, err error) {
	now := s.clock.Now()
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err = sessionByToken(ctx, tx, token, now)
		if err == nil && row.stage != half {
			err = fault.New(fault.Unauthenticated, "access.sign_in")
		}
		return err
	})
	return row, err
}

// ProveCode is the second step: a code of the authenticator application, or a
// recovery code. Errors: Invalid at "code", TooMany, Unauthenticated once too
// many wrong codes ended the sign-in.
func (s *Service) ProveCode(ctx context.Context, c Client, token, typed string) (step Step, err error) {
	row, err := s.halfSession(ctx, token)
	if err != nil {
		return step, err
	}
	brakes, err := s.factorBrakes(ctx, c, row)
	if err != nil {
		return step, err
	}
	if _, err := s.admit(ctx, brakes); err != nil {
		return step, err
	}
	now := s.clock.Now()
	proved := false
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		method, err := s.judgeCode(ctx, tx, row, typed, now)
		proved = err == nil && method != ""
		if err != nil {
			return err
		}
		if !proved {
			return countWrong(ctx, tx, row)
		}
		step, err = s.complete(ctx, tx, c, row, brakes, method, now)
		return err
	})
	if err == nil && !proved {
		err = fault.New(fault.Invalid, "identity.totp.wrong").At("code")
	}
	return step, err
}

func (s *Service) factorBrakes(ctx context.Context, c Client, row sessionRow) (out []brake, err error) {
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		known, err := isKnown(ctx, tx, row.account.ID, c)
		out = brakesOf("factor", row.account.ID.String(), c, known)
		return err
	})
	return out, err
}

// judgeCode tells how the code proves the person, "" when it does not.
func (s *Service) judgeCode(ctx context.Context, tx *storage.Tx, row sessionRow, typed string, now time.Time) (method string, err error) {
	if code := plainCode(typed); len(code) == recoverySize {
		n, err := tx.Exec(ctx, `UPDATE identity_recovery_codes SET used_us = $3 WHERE account_id = $1 AND code_hash = $2 AND used_us IS NULL`,
			row.account.ID, vault.Digest(code), storage.Micros(now))
		if err != nil || n == 0 {
			return "", err
		}
		return "recovery_code", nil
	}
	code := digits(typed)
	if !row.account.TOTP || len(code) != 6 {
		return "", nil
	}
	var sealed []byte
	var last sql.NullInt64
	if _, err := tx.Row(ctx, `SELECT totp_sealed, totp_step FROM identity_accounts WHERE id = $1`, []any{row.account.ID}, &sealed, &last); err != nil {
		return "", err
	}
	secret, err := s.vault.Open(sealed, sealedAs(row.account.ID))
	if err != nil {
		return "", err
	}
	step, err := stepOf(secret, code, now)
	if err != nil || step == 0 {
		return "", err
	}
	// A code seen over a shoulder is worth nothing once used (RFC 6238 § 5.2);
	// of two nodes that judge it at once, one finds no row.
	n, err := tx.Exec(ctx, `UPDATE identity_accounts SET totp_step = $2 WHERE id = $1 AND totp_step < $2`, row.account.ID, step)
	if err != nil || n == 0 {
		return "", err
	}
	return "totp", nil
}

// countWrong ends a sign-in after a few wrong codes: the password first, again.
func countWrong(ctx context.Context, tx *storage.Tx, row sessionRow) error {
	if row.tries+1 >= halfTries {
		_, err := tx.Exec(ctx, `DELETE FROM identity_sessions WHERE id = $1`, row.id)
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE identity_sessions SET tries = tries + 1 WHERE id = $1`, row.id)
	return err
}

// complete turns a half session into a whole one, under a new token.
func (s *Service) complete(ctx context.Context, tx *storage.Tx, c Client, row sessionRow, brakes []brake, method string, now time.Time) (step Step, err error) {
	if err := release(ctx, tx, brakes); err != nil {
		return step, err
	}
	n, err := tx.Exec(ctx, `DELETE FROM identity_sessions WHERE id = $1`, row.id)
	if err != nil {
		return step, err
	}
	if n == 0 { // somebody ended it meanwhile
		return step, fault.New(fault.Unauthenticated, "access.sign_in")
	}
	all, err := posts(ctx, tx, row.account.ID)
	if err != nil {
		return step, err
	}
	if len(all) == 0 {
		return step, fault.New(fault.Denied, "identity.signin.closed")
	}
	return s.enter(ctx, tx, row.account, all, true, c, method, now)
}

// actorOf is a person as the journal keeps her.
func actorOf(a Account, c Client) access.Actor {
	return access.Actor{Kind: access.Person, ID: a.ID, Name: a.Name, From: c.Address}
}
