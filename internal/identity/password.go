package identity

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// The length of a password, in characters. No rule on classes of characters:
// they make passwords worse (ANSSI, Recommandations relatives à
// l'authentification multifacteur et aux mots de passe, 2021; NIST SP 800-63B).
const (
	passwordLeast = 12
	passwordMost  = 200
)

// checkPassword refuses what is short, common, or made of the login. Errors:
// Invalid at "password".
func (s *Service) checkPassword(password, login string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < passwordLeast:
		return fault.New(fault.Invalid, "identity.password.short", "least", passwordLeast).At("password")
	case n > passwordMost:
		return fault.New(fault.Invalid, "identity.password.long", "most", passwordMost).At("password")
	case holdsLogin(password, login):
		return fault.New(fault.Invalid, "identity.password.login").At("password")
	case s.common.Has(password):
		return fault.New(fault.Invalid, "identity.password.common").At("password")
	}
	return nil
}

// holdsLogin tells whether the password says the login, or the part of the
// address that names the person.
func holdsLogin(password, login string) bool {
	text := storage.Fold(password)
	name, _, _ := strings.Cut(storage.Fold(login), "@")
	parts := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("._+ ", r) })
	for _, part := range append(parts, name) {
		if len(part) >= 4 && strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// ChangePassword needs the old password, ends the person's other sessions and
// gives this one a new token. Errors: Invalid at "old" or "password", TooMany.
func (s *Service) ChangePassword(ctx context.Context, scope access.Scope, token, old, password string) (fresh string, err error) {
	id, err := s.own(scope)
	if err != nil {
		return "", err
	}
	account, err := s.account(ctx, id)
	if err != nil {
		return "", err
	}
	if err := s.checkPassword(password, account.Login); err != nil {
		return "", err
	}
	brakes := []brake{newBrake(freeTries, "old password", id.String(), "session")}
	if _, err := s.admit(ctx, brakes); err != nil {
		return "", err
	}
	if err := s.testOld(ctx, account, old); err != nil {
		return "", err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := sessionByToken(ctx, tx, token, now)
		if err != nil {
			return err
		}
		if row.envelope.Valid {
			return fault.New(fault.Denied, "identity.envelope.factors")
		}
		if row.account.ID != id {
			return fault.New(fault.Denied, "access.denied")
		}
		if err := release(ctx, tx, brakes); err != nil {
			return err
		}
		if err := setPassword(ctx, tx, id, hash, now); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, id, row.id); err != nil {
			return err
		}
		if fresh, err = rotate(ctx, tx, row.id, row.strong); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, accountEntry("identity.password.change", account))
	})
	return fresh, err
}

func (s *Service) testOld(ctx context.Context, account Account, old string) error {
	leave, err := s.hasher.known.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	ok, _, err := s.hasher.matches(old, account.password)
	if err == nil && !ok {
		err = fault.New(fault.Invalid, "identity.password.old").At("old")
	}
	return err
}

func (s *Service) account(ctx context.Context, id uuid.UUID) (a Account, err error) {
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		a, err = accountByID(ctx, tx, id)
		return err
	})
	return a, err
}

// Own is the person's own account.
func (s *Service) Own(ctx context.Context, scope access.Scope) (Account, error) {
	id, err := s.own(scope)
	if err != nil {
		return Account{}, err
	}
	return s.account(ctx, id)
}

// OwnUpdate is what a person changes of her own account.
type OwnUpdate struct{ Name, Language string }

// UpdateOwn changes the person's own name and language.
func (s *Service) UpdateOwn(ctx context.Context, scope access.Scope, u OwnUpdate) error {
	id, err := s.own(scope)
	if err != nil {
		return err
	}
	if u.Name, err = newName(u.Name); err != nil {
		return err
	}
	if u.Language, err = newLanguage(u.Language); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		before, err := accountByID(ctx, tx, id)
		if err != nil || (OwnUpdate{before.Name, before.Language}) == u {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE identity_accounts SET name = $2, name_folded = $3, language = $4 WHERE id = $1`,
			id, u.Name, storage.Fold(u.Name), u.Language); err != nil {
			return err
		}
		e := accountEntry("identity.account.update", before)
		e.Before = map[string]string{"name": before.Name, "language": before.Language}
		e.After = map[string]string{"name": u.Name, "language": u.Language}
		return journal.Append(ctx, tx, scope, now, e)
	})
}
