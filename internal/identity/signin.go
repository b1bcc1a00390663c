package identity

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Step is where a sign-in stands.
type Step struct {
	// Token is the new value of the session's cookie.
	Token string
	// Device is the new value of the known device's cookie, empty to leave it.
	Device string
	// Done is false when the second factor is still to be shown.
	Done bool
}

// candidate is who signs in, as far as we know.
type candidate struct {
	account Account
	exists  bool
	known   bool
	posts   []post
	brakes  []brake
}

// SignIn tests a login and a password. What it refuses, it refuses with the
// same sentence and after the same work, whether the login exists or not.
// Errors: Invalid (wrong), TooMany (too many wrong ones from here), Denied (the
// password is right and the account closed), Unavailable.
func (s *Service) SignIn(ctx context.Context, c Client, login, password string) (Step, error) {
	folded, err := NewLogin(login)
	if err != nil || password == "" || len(password) > passwordMost*4 {
		return Step{}, wrong() // no account can have it: nothing to hide
	}
	who, err := s.candidate(ctx, c, folded)
	if err != nil {
		return Step{}, err
	}
	leave, err := s.hasher.lane(who.known).enter(ctx)
	if err != nil {
		return Step{}, err
	}
	defer leave()
	failures, err := s.admit(ctx, who.brakes)
	if err != nil {
		return Step{}, err
	}
	ok, stale, err := s.hasher.matches(password, who.account.password)
	if err != nil {
		return Step{}, err
	}
	if !ok {
		return Step{}, s.refuse(ctx, c, who, failures)
	}
	rehash := ""
	if stale {
		rehash = s.hasher.make(password)
	}
	return s.passwordProved(ctx, c, who, rehash)
}

func wrong() error { return fault.New(fault.Invalid, "identity.signin.wrong") }

func (s *Service) candidate(ctx context.Context, c Client, login string) (who candidate, err error) {
	now := s.clock.Now()
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		if who.account, who.exists, err = accountByLogin(ctx, tx, login); err != nil {
			return err
		}
		if who.known, err = isKnown(ctx, tx, who.account.ID, c); err != nil {
			return err
		}
		who.brakes = brakesOf("password", login, c, who.known)
		wait, err := braked(ctx, tx, who.brakes, now)
		if err == nil && wait > 0 {
			err = tooMany(wait)
		}
		if err != nil {
			return err
		}
		who.posts, err = posts(ctx, tx, who.account.ID)
		return err
	})
	return who, err
}

func tooMany(wait time.Duration) error {
	return fault.New(fault.TooMany, "identity.signin.slow", "wait", wait.Round(time.Second)+time.Second)
}

// isKnown tells whether the person signed in on this device before.
func isKnown(ctx context.Context, tx *storage.Tx, account uuid.UUID, c Client) (bool, error) {
	if c.Known == "" || account == uuid.Nil {
		return false, nil
	}
	var n int64
	return tx.Row(ctx, `SELECT seen_us FROM identity_devices WHERE token_hash = $1 AND account_id = $2`, []any{vault.Digest(c.Known), account}, &n)
}

// admit lets one try pass and counts it as a failure until it is released.
func (s *Service) admit(ctx context.Context, brakes []brake) (failures int64, err error) {
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		wait, err := braked(ctx, tx, brakes, now)
		if err != nil {
			return err
		}
		if wait > 0 {
			return tooMany(wait)
		}
		failures, err = countTry(ctx, tx, brakes, now)
		return err
	})
	return failures, err
}

// refuse tells the person nothing and the journal what an administrator should
// see: not each failure, but the fifth of a series, the tenth, the twentieth…
func (s *Service) refuse(ctx context.Context, c Client, who candidate, failures int64) error {
	if !who.exists || !vault.WorthNoting(failures, freeTries) {
		return wrong()
	}
	now := s.clock.Now()
	err := s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		for _, p := range who.posts {
			e := accountEntry("identity.signin.refused", who.account)
			e.After = map[string]int64{"failures": failures}
			if err := note(ctx, tx, p.establishment, access.Actor{Kind: access.Nobody, From: c.Address}, now, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return wrong()
}

func (s *Service) passwordProved(ctx context.Context, c Client, who candidate, rehash string) (step Step, err error) {
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		if err := release(ctx, tx, who.brakes); err != nil {
			return err
		}
		if !who.account.Disabled.IsZero() || len(who.posts) == 0 {
			return nil
		}
		if rehash != "" {
			if _, err := tx.Exec(ctx, `UPDATE identity_accounts SET password = $2 WHERE id = $1 AND password = $3`, who.account.ID, rehash, who.account.password); err != nil {
				return err
			}
		}
		if who.account.HasFactor() {
			here := pick(who.posts, who.account.lastUsed)
			step.Token, err = insertSession(ctx, tx, who.account.ID, here.establishment, half, false, c, now)
			return err
		}
		step, err = s.enter(ctx, tx, who.account, who.posts, false, c, "password", now)
		return err
	})
	if err == nil && step.Token == "" {
		err = fault.New(fault.Denied, "identity.signin.closed")
	}
	return step, err
}

// enter opens the whole session of a person who proved who she is.
func (s *Service) enter(ctx context.Context, tx *storage.Tx, a Account, all []post, strong bool, c Client, method string, now time.Time) (Step, error) {
	here := pick(all, a.lastUsed)
	token, err := insertSession(ctx, tx, a.ID, here.establishment, full, strong, c, now)
	if err != nil {
		return Step{}, err
	}
	step := Step{Token: token, Done: true}
	if step.Device, err = rememberDevice(ctx, tx, a.ID, c, now); err != nil {
		return Step{}, err
	}
	if _, err := tx.Exec(ctx, `UPDATE identity_accounts SET seen_us = $2 WHERE id = $1`, a.ID, storage.Micros(now)); err != nil {
		return Step{}, err
	}
	who := actorOf(a, c)
	return step, note(ctx, tx, here.establishment, who, now, journal.Entry{
		Action: "identity.signin", ObjectKind: "account",
		ObjectID: a.ID.String(), ObjectName: a.Name, After: map[string]any{"method": method, "second_factor": strong},
	})
}

// rememberDevice makes the device a known one. Its cookie opens nothing: it
// only keeps its owner from paying for the failures of others.
func rememberDevice(ctx context.Context, tx *storage.Tx, account uuid.UUID, c Client, now time.Time) (cookie string, err error) {
	hash := vault.Digest(c.Known)
	if c.Known == "" {
		cookie, hash = vault.NewToken()
	}
	_, err = tx.Exec(ctx, `INSERT INTO identity_devices (token_hash, account_id, seen_us) VALUES ($1, $2, $3)
		ON CONFLICT (token_hash, account_id) DO UPDATE SET seen_us = $3`, hash, account, storage.Micros(now))
	return cookie, err
}
