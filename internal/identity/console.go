package identity

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// The command line acts for the whole instance: whoever may run it holds the
// machine. Its scope is access.Instance("cli"), narrowed with Within for what
// concerns one establishment.

// everyone is the first line of the operations of the command line.
func (s *Service) everyone(scope access.Scope) error {
	if !scope.Everywhere() {
		return fault.New(fault.Denied, "access.denied")
	}
	return s.guard.Check(scope, access.AccountWrite)
}

// Listed is an account with all its posts.
type Listed struct {
	Account
	// Roles are by establishment; a suspended one is left out.
	Roles map[uuid.UUID][]access.Role
}

// Accounts lists every account of the instance, by name.
func (s *Service) Accounts(ctx context.Context, scope access.Scope) (out []Listed, err error) {
	if err := s.everyone(scope); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out = nil
		err := tx.Query(ctx, `SELECT `+accountColumns+` FROM identity_accounts a ORDER BY a.name_folded, a.id`, nil, func(row func(...any) error) error {
			var r accountRow
			err := row(r.dest()...)
			out = append(out, Listed{Account: r.account(), Roles: map[uuid.UUID][]access.Role{}})
			return err
		})
		if err != nil {
			return err
		}
		for _, l := range out {
			all, err := posts(ctx, tx, l.ID)
			if err != nil {
				return err
			}
			for _, p := range all {
				sortRoles(p.roles)
				l.Roles[p.establishment] = p.roles
			}
		}
		return nil
	})
	return out, err
}

// ByLogin finds an account of the instance. Errors: NotFound.
func (s *Service) ByLogin(ctx context.Context, scope access.Scope, login string) (a Account, err error) {
	if err := s.everyone(scope); err != nil {
		return a, err
	}
	folded, err := NewLogin(login)
	if err != nil {
		return a, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		var found bool
		a, found, err = accountByLogin(ctx, tx, folded)
		if err == nil && !found {
			err = fault.New(fault.NotFound, "identity.account.unknown")
		}
		return err
	})
	return a, err
}

// Disable closes an account in every establishment of the instance, or opens
// it again. Errors: Conflict when an establishment would lose its last
// administrator.
func (s *Service) Disable(ctx context.Context, scope access.Scope, account uuid.UUID, yes bool) error {
	if err := s.everyone(scope); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		a, err := accountByID(ctx, tx, account)
		if err != nil {
			return err
		}
		all, err := posts(ctx, tx, account)
		if err != nil {
			return err
		}
		e, since := accountEntry("identity.enable", a), time.Time{}
		if yes {
			e, since = accountEntry("identity.disable", a), now
		}
		for _, p := range all {
			if err := lockMembers(ctx, tx, scope.Within(p.establishment)); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE identity_accounts SET disabled_us = $2 WHERE id = $1`, account, storage.NullMicros(since)); err != nil {
			return err
		}
		if yes {
			if err := endSessions(ctx, tx, account, uuid.Nil); err != nil {
				return err
			}
		}
		for _, p := range all {
			if yes {
				if err := keepAdministrator(ctx, tx, scope.Within(p.establishment)); err != nil {
					return err
				}
			}
			if err := note(ctx, tx, p.establishment, scope.Actor(), now, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// FirstLink is Bootstrap for `tocsin user first-link`. Errors: Conflict once
// there is an administrator.
func (s *Service) FirstLink(ctx context.Context, scope access.Scope) (code string, err error) {
	if err := s.everyone(scope); err != nil {
		return "", err
	}
	code, made, err := s.Bootstrap(ctx, s.clock.Now())
	if err == nil && !made {
		err = fault.New(fault.Conflict, "identity.link.has_administrator")
	}
	return code, err
}
