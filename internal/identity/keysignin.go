package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// BeginPasskeySignIn starts a sign-in with a key. With the token of a sign-in
// that waits for its second factor, one of that person's keys is asked for;
// without, any key that knows whose it is, with its PIN or finger. key is what
// the browser gives back to finish, in a cookie.
func (s *Service) BeginPasskeySignIn(ctx context.Context, token string) (options any, key string, err error) {
	if err := s.withPasskeys(); err != nil {
		return nil, "", err
	}
	row, err := s.halfSession(ctx, token)
	if fault.Is(err, fault.Unauthenticated) {
		return s.beginAlone()
	}
	if err != nil {
		return nil, "", err
	}
	key, _ = vault.NewToken()
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		h, err := holder(ctx, tx, row.account)
		if err != nil {
			return err
		}
		assertion, data, err := s.passkeys.BeginLogin(h)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "identity.passkey.refused")
		}
		options = assertion
		return keepChallenge(ctx, tx, "signin "+key, challenge{Session: data}, now)
	})
	return options, key, err
}

// sealedChallenge is the context of a challenge that travels in a cookie.
const sealedChallenge = "identity.challenge"

// offered is a challenge anybody may ask for. It travels sealed with the
// browser: strangers who ask for thousands write nothing in the database.
type offered struct {
	Session *webauthn.SessionData
	Until   int64
}

func (s *Service) beginAlone() (options any, key string, err error) {
	assertion, data, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("begin a sign-in by passkey: %w", err)
	}
	text, err := json.Marshal(offered{data, storage.Micros(s.clock.Now().Add(challengeLife))})
	if err != nil {
		return nil, "", fmt.Errorf("begin a sign-in by passkey: %w", err)
	}
	sealed, err := s.vault.Seal(text, sealedChallenge)
	return assertion, alonePrefix + base64.RawURLEncoding.EncodeToString(sealed), err
}

// alonePrefix tells a sealed challenge from the key of one in the database.
const alonePrefix = "a."

func (s *Service) openOffered(key string, now time.Time) (*webauthn.SessionData, error) {
	late := fault.New(fault.Invalid, "identity.passkey.late")
	sealed, err := base64.RawURLEncoding.DecodeString(key[len(alonePrefix):])
	if err != nil {
		return nil, late
	}
	text, err := s.vault.Open(sealed, sealedChallenge)
	if err != nil {
		return nil, late
	}
	var o offered
	if err := json.Unmarshal(text, &o); err != nil || o.Session == nil {
		return nil, late
	}
	if !now.Before(storage.Time(o.Until)) {
		return nil, late
	}
	return o.Session, nil
}

// FinishPasskeySignIn checks the browser's answer and opens the session, a
// strong one. Errors: Invalid, Denied when the account is closed.
func (s *Service) FinishPasskeySignIn(ctx context.Context, c Client, token, key string, answer []byte) (step Step, err error) {
	if err := s.withPasskeys(); err != nil {
		return step, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return step, fault.Wrap(err, fault.Invalid, "identity.passkey.refused")
	}
	now := s.clock.Now()
	if len(key) > len(alonePrefix) && key[:len(alonePrefix)] == alonePrefix {
		data, err := s.openOffered(key, now)
		if err != nil {
			return step, err
		}
		return s.keyAlone(ctx, c, *data, parsed, now)
	}
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		begun, err := takeChallenge(ctx, tx, "signin "+key, now)
		if err != nil {
			return err
		}
		step, err = s.keyAsSecond(ctx, tx, c, token, *begun.Session, parsed, now)
		return err
	})
	return step, err
}

func (s *Service) keyAsSecond(ctx context.Context, tx *storage.Tx, c Client, token string, data webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData, now time.Time) (Step, error) {
	row, err := sessionByToken(ctx, tx, token, now)
	if err != nil {
		return Step{}, err
	}
	h, err := holder(ctx, tx, row.account)
	if err != nil {
		return Step{}, err
	}
	used, err := s.passkeys.ValidateLogin(h, data, parsed)
	if err != nil || row.stage != half {
		return Step{}, fault.Wrap(err, fault.Invalid, "identity.passkey.refused")
	}
	if err := keyUsed(ctx, tx, row.account.ID, used, now); err != nil {
		return Step{}, err
	}
	return s.complete(ctx, tx, c, row, nil, "password_passkey", now)
}

// keyAlone judges the signature on a reading transaction, and writes only for
// an answer that is right.
func (s *Service) keyAlone(ctx context.Context, c Client, data webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData, now time.Time) (step Step, err error) {
	var h keyHolder
	var used *webauthn.Credential
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		find := func(_, handle []byte) (webauthn.User, error) {
			id, err := uuid.FromBytes(handle)
			if err != nil {
				return nil, err
			}
			a, err := accountByID(ctx, tx, id)
			if err != nil {
				return nil, err
			}
			h, err = holder(ctx, tx, a)
			return h, err
		}
		_, used, err = s.passkeys.ValidatePasskeyLogin(find, data, parsed)
		return err
	})
	if err != nil {
		return step, fault.Wrap(err, fault.Invalid, "identity.passkey.refused")
	}
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		if err := useUp(ctx, tx, data, now); err != nil {
			return err
		}
		if err := keyUsed(ctx, tx, h.account.ID, used, now); err != nil {
			return err
		}
		all, err := posts(ctx, tx, h.account.ID)
		if err != nil {
			return err
		}
		if len(all) == 0 || !h.account.Disabled.IsZero() {
			return fault.New(fault.Denied, "identity.signin.closed")
		}
		step, err = s.enter(ctx, tx, h.account, all, true, c, "passkey", now)
		return err
	})
	return step, err
}

// useUp remembers a challenge that was answered: the same answer twice is a replay.
func useUp(ctx context.Context, tx *storage.Tx, data webauthn.SessionData, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_challenges (key_hash, data, expires_us) VALUES ($1, '', $2)`,
		vault.Digest("used "+data.Challenge), storage.Micros(now.Add(challengeLife)))
	if storage.IsDuplicate(err) {
		return fault.Wrap(err, fault.Invalid, "identity.passkey.late")
	}
	return err
}

// keyUsed keeps the key's counter. A counter that went back means that the key
// exists twice (WebAuthn § 6.1.1): it is refused.
func keyUsed(ctx context.Context, tx *storage.Tx, account uuid.UUID, c *webauthn.Credential, now time.Time) error {
	if c.Authenticator.CloneWarning {
		return fault.New(fault.Invalid, "identity.passkey.copied")
	}
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("keep a passkey: %w", err)
	}
	_, err = tx.Exec(ctx, `UPDATE identity_passkeys SET credential = $3, used_us = $4 WHERE account_id = $1 AND credential_id = $2`,
		account, c.ID, string(text), storage.Micros(now))
	return err
}
