package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

const (
	// totpStep is the life of a code (RFC 6238), totpDrift how many steps a
	// telephone's clock may be early or late.
	totpStep  = 30
	totpDrift = 1
	totpSize  = 20
	// halfTries is how many wrong codes end a sign-in that waits for one.
	halfTries = 5
)

func sealedAs(account uuid.UUID) string { return "identity.totp:" + account.String() }

// TOTPSetUp is what an authenticator application needs.
type TOTPSetUp struct {
	// Secret is typed where the picture cannot be read, in groups of four.
	Secret string
	// Address is what the picture says (otpauth://totp/…).
	Address string
}

// BeginTOTP draws a new secret and keeps it, sealed, with the session until a
// code proves that the telephone has it. Asked again it gives the same secret.
func (s *Service) BeginTOTP(ctx context.Context, scope access.Scope, token string) (set TOTPSetUp, err error) {
	id, err := s.own(scope)
	if err != nil {
		return set, err
	}
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := s.ownSession(ctx, tx, id, token, now)
		if err != nil {
			return err
		}
		secret, err := s.pendingSecret(ctx, tx, row)
		if err != nil {
			return err
		}
		set = s.setUp(row.account, secret)
		return nil
	})
	return set, err
}

// ownSession is the session of a token, when it is the person's own and she
// may touch her factors: who has one must have shown it.
func (s *Service) ownSession(ctx context.Context, tx *storage.Tx, account uuid.UUID, token string, now time.Time) (sessionRow, error) {
	row, err := sessionByToken(ctx, tx, token, now)
	if err != nil {
		return row, err
	}
	if row.account.ID != account || row.stage != full {
		return row, fault.New(fault.Denied, "access.denied")
	}
	if row.account.HasFactor() && !row.strong {
		return row, fault.New(fault.Denied, "access.second_factor")
	}
	// Whoever holds a password and an envelope must not make herself a key of her own.
	if row.envelope.Valid {
		return row, fault.New(fault.Denied, "identity.envelope.factors")
	}
	return row, nil
}

func (s *Service) pendingSecret(ctx context.Context, tx *storage.Tx, row sessionRow) ([]byte, error) {
	if len(row.pending) > 0 {
		return s.vault.Open(row.pending, sealedAs(row.account.ID))
	}
	secret := make([]byte, totpSize)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("draw a secret: %w", err)
	}
	sealed, err := s.vault.Seal(secret, sealedAs(row.account.ID))
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `UPDATE identity_sessions SET totp_pending = $2 WHERE id = $1`, row.id, sealed)
	return secret, err
}

func (s *Service) setUp(a Account, secret []byte) TOTPSetUp {
	text := base32Of(secret)
	query := url.Values{"secret": {text}, "issuer": {s.issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {fmt.Sprint(totpStep)}}
	address := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + s.issuer + ":" + a.Login, RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20")}
	return TOTPSetUp{Secret: grouped(text), Address: address.String()}
}

func base32Of(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// grouped cuts a code in fours, to be read aloud and typed.
func grouped(text string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// stepOf finds which step a code belongs to, around now; 0 when to none.
func stepOf(secret []byte, code string, now time.Time) (int64, error) {
	at := now.Unix() / totpStep
	found := int64(0)
	for step := at - totpDrift; step <= at+totpDrift; step++ {
		want, err := hotp.GenerateCodeCustom(base32Of(secret), uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, fmt.Errorf("one-time code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}
	return found, nil
}

// digits keeps the digits of a typed code: "123 456" is how telephones show it.
func digits(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, code)
}

// ConfirmTOTP sets the authenticator application up once a code proves that it
// has the secret. The session is strong from there on and has a new token. An
// account that had no recovery codes gets some (see RecoveryCodes). Errors: Invalid
// at "code".
func (s *Service) ConfirmTOTP(ctx context.Context, scope access.Scope, token, code string) (fresh string, err error) {
	id, err := s.own(scope)
	if err != nil {
		return "", err
	}
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := s.ownSession(ctx, tx, id, token, now)
		if err != nil {
			return err
		}
		if len(row.pending) == 0 {
			return fault.New(fault.Conflict, "identity.totp.restart")
		}
		secret, err := s.vault.Open(row.pending, sealedAs(id))
		if err != nil {
			return err
		}
		step, err := stepOf(secret, digits(code), now)
		if err != nil {
			return err
		}
		if step == 0 {
			return fault.New(fault.Invalid, "identity.totp.wrong").At("code")
		}
		if _, err := tx.Exec(ctx, `UPDATE identity_accounts SET totp_sealed = $2, totp_step = $3 WHERE id = $1`, id, row.pending, step); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE identity_sessions SET totp_pending = NULL WHERE id = $1`, row.id); err != nil {
			return err
		}
		fresh, err = s.factorAdded(ctx, tx, scope, row, "totp", now)
		return err
	})
	return fresh, err
}

// factorAdded is what follows any new factor: other sessions end, this one is
// strong, and there are recovery codes.
func (s *Service) factorAdded(ctx context.Context, tx *storage.Tx, scope access.Scope, row sessionRow, factor string, now time.Time) (fresh string, err error) {
	if !row.strong {
		if err := endSessions(ctx, tx, row.account.ID, row.id); err != nil {
			return "", err
		}
	}
	if fresh, err = rotate(ctx, tx, row.id, true); err != nil {
		return "", err
	}
	left, err := codesLeft(ctx, tx, row.account.ID)
	if err != nil {
		return "", err
	}
	if left == 0 {
		if err := s.makeCodes(ctx, tx, row); err != nil {
			return "", err
		}
	}
	e := accountEntry("identity.factor.add", row.account)
	e.After = map[string]string{"factor": factor}
	return fresh, journal.Append(ctx, tx, scope, now, e)
}

// RemoveTOTP forgets the authenticator application. Errors: Conflict when a
// role asks for a second factor and it is the last.
func (s *Service) RemoveTOTP(ctx context.Context, scope access.Scope, token string) error {
	return s.removeFactor(ctx, scope, token, "totp", func(tx *storage.Tx, id uuid.UUID) error {
		_, err := tx.Exec(ctx, `UPDATE identity_accounts SET totp_sealed = NULL WHERE id = $1`, id)
		return err
	})
}

func (s *Service) removeFactor(ctx context.Context, scope access.Scope, token, factor string, do func(*storage.Tx, uuid.UUID) error) error {
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
		if err := do(tx, id); err != nil {
			return err
		}
		after, err := accountByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if !after.HasFactor() {
			if err := s.mayLive(ctx, tx, id); err != nil {
				return err
			}
			if err := dropFactors(ctx, tx, id); err != nil {
				return err
			}
		}
		e := accountEntry("identity.factor.remove", row.account)
		e.Before = map[string]string{"factor": factor}
		return journal.Append(ctx, tx, scope, now, e)
	})
}

// mayLive tells whether the account's roles can do without a second factor.
func (s *Service) mayLive(ctx context.Context, tx *storage.Tx, account uuid.UUID) error {
	all, err := posts(ctx, tx, account)
	if err != nil {
		return err
	}
	for _, p := range all {
		if s.NeedsFactor(p.roles) {
			return fault.New(fault.Conflict, "identity.factor.last")
		}
	}
	return nil
}

// dropFactors forgets every second factor of an account, and its recovery codes.
func dropFactors(ctx context.Context, tx *storage.Tx, account uuid.UUID) error {
	for _, query := range []string{
		`UPDATE identity_accounts SET totp_sealed = NULL WHERE id = $1`,
		`DELETE FROM identity_passkeys WHERE account_id = $1`,
		`DELETE FROM identity_recovery_codes WHERE account_id = $1`,
	} {
		if _, err := tx.Exec(ctx, query, account); err != nil {
			return err
		}
	}
	return nil
}
