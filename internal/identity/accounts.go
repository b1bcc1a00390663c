package identity

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// NewAccount is what it takes to let a person in.
type NewAccount struct {
	Login, Name, Language string
	Roles                 []access.Role
}

func (s *Service) newAccount(n NewAccount) (a Account, err error) {
	if a.Name, err = newName(n.Name); err != nil {
		return a, err
	}
	if a.Login, err = NewLogin(n.Login); err != nil {
		return a, err
	}
	if a.Language, err = newLanguage(n.Language); err != nil {
		return a, err
	}
	a.Created = s.clock.Now()
	a.ID = storage.NewID(a.Created)
	return a, nil
}

// open makes an account and its first post.
func (s *Service) open(ctx context.Context, tx *storage.Tx, a Account, establishment uuid.UUID, roles []access.Role, now time.Time) error {
	if err := insertAccount(ctx, tx, a); err != nil {
		if storage.IsDuplicate(err) {
			return fault.Wrap(err, fault.Conflict, "identity.login.taken").At("login")
		}
		return err
	}
	if err := insertMember(ctx, tx, establishment, a.ID, now); err != nil {
		return err
	}
	return setGrants(ctx, tx, establishment, a.ID, roles)
}

// Add lets a person into the scope's establishment. A login nobody has makes
// an account and an invitation to hand over; the login of somebody who works
// for another establishment of the instance only gets the roles here, and the
// invitation has no code. Errors: Invalid at a field, Conflict when the person
// is here already.
func (s *Service) Add(ctx context.Context, scope access.Scope, n NewAccount) (inv Invitation, err error) {
	if err := s.guard.Check(scope, access.AccountWrite); err != nil {
		return inv, err
	}
	if err := inEstablishment(scope); err != nil {
		return inv, err
	}
	a, err := s.newAccount(n)
	if err != nil {
		return inv, err
	}
	roles, err := newRoles(n.Roles)
	if err != nil {
		return inv, err
	}
	now, here := s.clock.Now(), scope.Organisation()
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		known, found, err := accountByLogin(ctx, tx, a.Login)
		if err != nil {
			return err
		}
		if found {
			inv = Invitation{Account: known.ID}
			return s.join(ctx, tx, scope, known, roles, now)
		}
		if err := s.open(ctx, tx, a, here, roles, now); err != nil {
			return err
		}
		inv = Invitation{Account: a.ID, Expires: now.Add(InviteLife)}
		inv.Code, err = makeLink(ctx, tx, Link{Kind: InvitationLink, Account: a, Expires: inv.Expires, establishment: here}, now)
		if err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, created(a, roles))
	})
	return inv, err
}

func inEstablishment(scope access.Scope) error {
	if scope.Organisation() == uuid.Nil {
		return fault.New(fault.Invalid, "identity.establishment.required")
	}
	return nil
}

func (s *Service) join(ctx context.Context, tx *storage.Tx, scope access.Scope, a Account, roles []access.Role, now time.Time) error {
	if err := insertMember(ctx, tx, scope.Organisation(), a.ID, now); err != nil {
		if storage.IsDuplicate(err) {
			return fault.Wrap(err, fault.Conflict, "identity.login.here").At("login")
		}
		return err
	}
	if err := setGrants(ctx, tx, scope.Organisation(), a.ID, roles); err != nil {
		return err
	}
	e := accountEntry("identity.account.join", a)
	e.After = map[string]any{"login": a.Login, "roles": roles}
	return journal.Append(ctx, tx, scope, now, e)
}

// Members lists the accounts of the scope's establishment, by name.
func (s *Service) Members(ctx context.Context, scope access.Scope) (out []Member, err error) {
	if err := s.guard.Check(scope, access.AccountRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = members(ctx, tx, scope, uuid.Nil)
		return err
	})
	return out, err
}

// Member is one account of the scope's establishment. Errors: NotFound.
func (s *Service) Member(ctx context.Context, scope access.Scope, account uuid.UUID) (m Member, err error) {
	if err := s.guard.Check(scope, access.AccountRead); err != nil {
		return m, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		m, err = member(ctx, tx, scope, account)
		return err
	})
	if err == nil {
		m.Shared, err = s.shared(ctx, scope, account)
	}
	return m, err
}

// shared tells whether the person also works elsewhere in the instance: a yes
// or a no is all that leaves the other establishment.
func (s *Service) shared(ctx context.Context, scope access.Scope, account uuid.UUID) (yes bool, err error) {
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		var one int64
		yes, err = tx.Row(ctx, `SELECT 1 FROM identity_members WHERE account_id = $1 AND organisation_id <> $2`, []any{account, scope.Organisation()}, &one)
		return err
	})
	return yes, err
}

func member(ctx context.Context, tx *storage.Tx, scope access.Scope, account uuid.UUID) (Member, error) {
	list, err := members(ctx, tx, scope, account)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "identity.account.unknown")
	}
	if err != nil {
		return Member{}, err
	}
	return list[0], nil
}

// members reads one member, or all of them when account is Nil.
func members(ctx context.Context, tx *storage.Tx, scope access.Scope, account uuid.UUID) (out []Member, err error) {
	query := `SELECT ` + accountColumns + `, m.suspended_us, COALESCE(g.role, '') FROM identity_members m JOIN identity_accounts a ON a.id = m.account_id
		LEFT JOIN identity_grants g ON g.organisation_id = m.organisation_id AND g.account_id = m.account_id WHERE m.organisation_id = $1`
	args := []any{scope.Organisation()}
	if account != uuid.Nil {
		query, args = query+` AND m.account_id = $2`, append(args, account)
	}
	err = tx.Query(ctx, query+` ORDER BY a.name_folded, a.id`, args, func(row func(...any) error) error {
		var r accountRow
		var suspended sql.NullInt64
		var role access.Role
		if err := row(append(r.dest(), &suspended, &role)...); err != nil {
			return err
		}
		if len(out) == 0 || out[len(out)-1].ID != r.a.ID {
			out = append(out, Member{Account: r.account(), Suspended: storage.NullTime(suspended)})
		}
		if role != "" {
			out[len(out)-1].Roles = append(out[len(out)-1].Roles, role)
		}
		return nil
	})
	for _, m := range out {
		sortRoles(m.Roles)
	}
	return out, err
}

func sortRoles(roles []access.Role) {
	order := access.Roles()
	slices.SortFunc(roles, func(a, b access.Role) int { return slices.Index(order, a) - slices.Index(order, b) })
}

// SetRoles replaces the roles of a member here. Its sessions keep running with
// the new roles from the next page on. Errors: Conflict when the establishment
// would be left without administrator.
func (s *Service) SetRoles(ctx context.Context, scope access.Scope, account uuid.UUID, given []access.Role) error {
	roles, err := newRoles(given)
	if err != nil {
		return err
	}
	return s.change(ctx, scope, account, func(tx *storage.Tx, m Member, now time.Time) (journal.Entry, error) {
		e := accountEntry("identity.roles", m.Account)
		e.Before, e.After = map[string]any{"roles": m.Roles}, map[string]any{"roles": roles}
		return e, setGrants(ctx, tx, scope.Organisation(), account, roles)
	})
}

// Suspend closes the establishment to a member, or opens it again. What she
// does for other establishments is not ours to stop.
func (s *Service) Suspend(ctx context.Context, scope access.Scope, account uuid.UUID, yes bool) error {
	return s.change(ctx, scope, account, func(tx *storage.Tx, m Member, now time.Time) (journal.Entry, error) {
		e, since := accountEntry("identity.restore", m.Account), time.Time{}
		if yes {
			e, since = accountEntry("identity.suspend", m.Account), now
		}
		_, err := tx.Exec(ctx, `UPDATE identity_members SET suspended_us = $3 WHERE organisation_id = $1 AND account_id = $2`,
			scope.Organisation(), account, storage.NullMicros(since))
		return e, err
	})
}

// change runs one change of a member and undoes it if no administrator is left.
func (s *Service) change(ctx context.Context, scope access.Scope, account uuid.UUID, do func(*storage.Tx, Member, time.Time) (journal.Entry, error)) error {
	if err := s.guard.Check(scope, access.AccountWrite); err != nil {
		return err
	}
	if err := inEstablishment(scope); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := lockMembers(ctx, tx, scope); err != nil {
			return err
		}
		m, err := member(ctx, tx, scope, account)
		if err != nil {
			return err
		}
		entry, err := do(tx, m, now)
		if err != nil {
			return err
		}
		if err := keepAdministrator(ctx, tx, scope); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry)
	})
}

// lockMembers makes two administrators who dismiss each other take turns.
func lockMembers(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	return tx.Query(ctx, `SELECT account_id FROM identity_members WHERE organisation_id = $1 ORDER BY account_id {{for_update}}`,
		[]any{scope.Organisation()}, func(row func(...any) error) error {
			var id uuid.UUID
			return row(&id)
		})
}

func keepAdministrator(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	var one int64
	found, err := tx.Row(ctx, `SELECT 1 FROM identity_grants g
		JOIN identity_members m ON m.organisation_id = g.organisation_id AND m.account_id = g.account_id
		JOIN identity_accounts a ON a.id = g.account_id
		WHERE g.organisation_id = $1 AND g.role = $2 AND m.suspended_us IS NULL AND a.disabled_us IS NULL`,
		[]any{scope.Organisation(), string(access.Administrator)}, &one)
	if err == nil && !found {
		err = fault.New(fault.Conflict, "identity.roles.last")
	}
	return err
}

// ResetOptions say what a reset takes away.
type ResetOptions struct {
	// Factors forgets the authenticator application, the passkeys and the
	// recovery codes too: the telephone is lost.
	Factors bool
}

// Reset ends the member's sessions and gives a link to choose another
// password. The old one stops working at once. Errors: Denied for a person who
// also works elsewhere, whose account is not this establishment's alone.
func (s *Service) Reset(ctx context.Context, scope access.Scope, account uuid.UUID, o ResetOptions) (inv Invitation, err error) {
	if err := s.guard.Check(scope, access.AccountWrite); err != nil {
		return inv, err
	}
	if err := inEstablishment(scope); err != nil {
		return inv, err
	}
	shared, err := s.shared(ctx, scope, account)
	if err != nil {
		return inv, err
	}
	if shared && !scope.IsSystem() {
		return inv, fault.New(fault.Denied, "identity.account.shared")
	}
	now := s.clock.Now()
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		m, err := member(ctx, tx, scope, account)
		if err != nil {
			return err
		}
		l := Link{Kind: ResetLink, Account: m.Account, Expires: now.Add(ResetLife), establishment: scope.Organisation()}
		if !m.HasPassword {
			l.Kind, l.Expires = InvitationLink, now.Add(InviteLife)
		}
		inv = Invitation{Account: account, Expires: l.Expires}
		if inv.Code, err = makeLink(ctx, tx, l, now); err != nil {
			return err
		}
		if err := setPassword(ctx, tx, account, "", now); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, account, uuid.Nil); err != nil {
			return err
		}
		if o.Factors {
			if err := dropFactors(ctx, tx, account); err != nil {
				return err
			}
		}
		e := accountEntry("identity.reset", m.Account)
		e.After = map[string]bool{"second_factor_dropped": o.Factors}
		return journal.Append(ctx, tx, scope, now, e)
	})
	return inv, err
}
