package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// challengeLife is how long one may take to touch one's key.
const challengeLife = 5 * time.Minute

// passkeysMost bounds the keys of one person.
const passkeysMost = 20

func passkeyConfig(origin *url.URL) *webauthn.Config {
	return &webauthn.Config{
		RPID:          origin.Hostname(),
		RPDisplayName: "Tocsin",
		RPOrigins:     []string{origin.Scheme + "://" + origin.Host},
		// A key on the person's own devices or in her pocket: we do not choose its maker.
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
		},
	}
}

// Passkey is one key of a person.
type Passkey struct {
	ID      uuid.UUID
	Name    string
	Created time.Time
	// Used is zero when it never signed in.
	Used time.Time
}

// keyHolder is an account as the ceremony of WebAuthn wants it. Its handle is
// the account's id: it says nothing about the person.
type keyHolder struct {
	account Account
	keys    []webauthn.Credential
}

func (h keyHolder) WebAuthnID() []byte                         { return h.account.ID[:] }
func (h keyHolder) WebAuthnName() string                       { return h.account.Login }
func (h keyHolder) WebAuthnDisplayName() string                { return h.account.Name }
func (h keyHolder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func holder(ctx context.Context, tx *storage.Tx, a Account) (keyHolder, error) {
	h := keyHolder{account: a}
	err := tx.Query(ctx, `SELECT credential FROM identity_passkeys WHERE account_id = $1 ORDER BY id`, []any{a.ID}, func(row func(...any) error) error {
		var text string
		if err := row(&text); err != nil {
			return err
		}
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return fmt.Errorf("read a passkey of %s: %w", a.ID, err)
		}
		h.keys = append(h.keys, c)
		return nil
	})
	return h, err
}

// challenge is what a ceremony began with.
type challenge struct {
	// Name is that of the key to be registered.
	Name    string
	Session *webauthn.SessionData
}

// keepChallenge keeps what a ceremony began with; key is who may finish it.
func keepChallenge(ctx context.Context, tx *storage.Tx, key string, begun challenge, now time.Time) error {
	text, err := json.Marshal(begun)
	if err != nil {
		return fmt.Errorf("keep a challenge: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO identity_challenges (key_hash, data, expires_us) VALUES ($1, $2, $3)
		ON CONFLICT (key_hash) DO UPDATE SET data = $2, expires_us = $3`, vault.Digest(key), string(text), storage.Micros(now.Add(challengeLife)))
	return err
}

// takeChallenge gives a challenge back once: an answer cannot be replayed.
func takeChallenge(ctx context.Context, tx *storage.Tx, key string, now time.Time) (begun challenge, err error) {
	var text string
	found, err := tx.Row(ctx, `DELETE FROM identity_challenges WHERE key_hash = $1 AND expires_us > $2 RETURNING data`,
		[]any{vault.Digest(key), storage.Micros(now)}, &text)
	if err != nil {
		return begun, err
	}
	if !found {
		return begun, fault.New(fault.Invalid, "identity.passkey.late")
	}
	if err := json.Unmarshal([]byte(text), &begun); err != nil || begun.Session == nil {
		return begun, fmt.Errorf("read a challenge: %w", err)
	}
	return begun, nil
}

func (s *Service) withPasskeys() error {
	if s.passkeys == nil {
		return fault.New(fault.Unavailable, "identity.passkey.none")
	}
	return nil
}

// BeginPasskey starts the registration of a key on the person's own account,
// under the name she gives it. options are sent to her browser as they are.
func (s *Service) BeginPasskey(ctx context.Context, scope access.Scope, token, name string) (options any, err error) {
	id, err := s.own(scope)
	if err != nil {
		return nil, err
	}
	if err := s.withPasskeys(); err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := s.ownSession(ctx, tx, id, token, now)
		if err != nil {
			return err
		}
		h, err := holder(ctx, tx, row.account)
		if err != nil {
			return err
		}
		if len(h.keys) >= passkeysMost {
			return fault.New(fault.Conflict, "identity.passkey.many", "most", passkeysMost)
		}
		creation, data, err := s.passkeys.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()))
		if err != nil {
			return fmt.Errorf("begin a passkey: %w", err)
		}
		options = creation
		return keepChallenge(ctx, tx, "register "+row.id.String(), challenge{keyName(name), data}, now)
	})
	return options, err
}

// FinishPasskey checks the browser's answer and keeps the key. As for
// ConfirmTOTP the session gets a new token, and recovery codes are made when
// there are none. Errors: Invalid.
func (s *Service) FinishPasskey(ctx context.Context, scope access.Scope, token string, answer []byte) (fresh string, err error) {
	id, err := s.own(scope)
	if err != nil {
		return "", err
	}
	if err := s.withPasskeys(); err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "identity.passkey.refused")
	}
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := s.ownSession(ctx, tx, id, token, now)
		if err != nil {
			return err
		}
		begun, err := takeChallenge(ctx, tx, "register "+row.id.String(), now)
		if err != nil {
			return err
		}
		made, err := s.passkeys.CreateCredential(keyHolder{account: row.account}, *begun.Session, parsed)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "identity.passkey.refused")
		}
		if err := insertPasskey(ctx, tx, id, begun.Name, made, now); err != nil {
			return err
		}
		fresh, err = s.factorAdded(ctx, tx, scope, row, "passkey", now)
		return err
	})
	return fresh, err
}

// keyName tidies the name a person gives to her key; it may be empty.
func keyName(text string) string {
	name := strings.Join(strings.Fields(text), " ")
	for utf8.RuneCountInString(name) > 60 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

func insertPasskey(ctx context.Context, tx *storage.Tx, account uuid.UUID, name string, c *webauthn.Credential, now time.Time) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("keep a passkey: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO identity_passkeys (id, account_id, credential_id, credential, name, created_us) VALUES ($1, $2, $3, $4, $5, $6)`,
		storage.NewID(now), account, c.ID, string(text), name, storage.Micros(now))
	if storage.IsDuplicate(err) {
		return fault.Wrap(err, fault.Conflict, "identity.passkey.here")
	}
	return err
}

// Passkeys lists the person's own keys, the oldest first.
func (s *Service) Passkeys(ctx context.Context, scope access.Scope) (out []Passkey, err error) {
	id, err := s.own(scope)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT id, name, created_us, used_us FROM identity_passkeys WHERE account_id = $1 ORDER BY created_us, id`, []any{id},
			func(row func(...any) error) error {
				var p Passkey
				var created int64
				var used sql.NullInt64
				err := row(&p.ID, &p.Name, &created, &used)
				p.Created, p.Used = storage.Time(created), storage.NullTime(used)
				out = append(out, p)
				return err
			})
	})
	return out, err
}

// RemovePasskey forgets one of the person's own keys. Errors: Conflict when a
// role asks for a second factor and it is the last.
func (s *Service) RemovePasskey(ctx context.Context, scope access.Scope, token string, key uuid.UUID) error {
	return s.removeFactor(ctx, scope, token, "passkey", func(tx *storage.Tx, id uuid.UUID) error {
		n, err := tx.Exec(ctx, `DELETE FROM identity_passkeys WHERE account_id = $1 AND id = $2`, id, key)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "identity.passkey.unknown")
		}
		return err
	})
}
