package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	identitypages "tocsin/internal/identity/pages"
	"tocsin/internal/organisation"
)

type userCommand struct {
	FirstLink userFirstLink `cmd:"" help:"Print a new one-time link for the first administrator, while there is none."`
	List      userList      `cmd:"" help:"List the accounts and their roles."`
	Add       userAdd       `cmd:"" help:"Add an account, and print the link by which the person chooses a password."`
	Roles     userRoles     `cmd:"" help:"Set the roles of an account in an establishment."`
	Reset     userReset     `cmd:"" help:"End the sessions of an account and print a link to choose another password."`
	Disable   userDisable   `cmd:"" help:"Close an account everywhere, or open it again."`
}

// withHouse builds the house for one command and closes it after.
func withHouse(s *session, settings *config.Server, do func(h *House) error) error {
	h, err := Build(s.ctx, Plan{Settings: settings, Log: logger(s.err, settings)})
	if err != nil {
		return err
	}
	return errors.Join(do(h), h.Close())
}

// establishment finds one by name, or the only one there is.
func (h *House) establishment(s *session, name string) (organisation.Establishment, error) {
	all, err := h.Houses.List(s.ctx, console())
	if err != nil {
		return organisation.Establishment{}, err
	}
	if name == "" && len(all) == 1 {
		return all[0], nil
	}
	var names []string
	for _, e := range all {
		if name != "" && (strings.EqualFold(e.Name, name) || e.ID.String() == name) {
			return e, nil
		}
		names = append(names, e.Name)
	}
	if len(all) == 0 {
		return organisation.Establishment{}, fault.New(fault.NotFound, "app.no_establishment")
	}
	return organisation.Establishment{}, fault.New(fault.Invalid, "app.which_establishment", "names", strings.Join(names, ", ")).At("establishment")
}

type userFirstLink struct{ config.Server }

// Run prints a first link.
func (c *userFirstLink) Run(s *session) error {
	return withHouse(s, &c.Server, func(h *House) error {
		code, err := h.Accounts.FirstLink(s.ctx, console())
		if err != nil {
			return err
		}
		s.printf("%s", h.firstLink(code))
		return nil
	})
}

type userList struct{ config.Server }

// Run lists the accounts.
func (c *userList) Run(s *session) error {
	return withHouse(s, &c.Server, func(h *House) error {
		houses, err := h.Houses.List(s.ctx, console())
		if err != nil {
			return err
		}
		accounts, err := h.Accounts.Accounts(s.ctx, console())
		if err != nil {
			return err
		}
		for _, a := range accounts {
			s.printf("%s\t%s", a.Login, a.Name)
			for _, e := range houses {
				if roles := a.Roles[e.ID]; len(roles) > 0 {
					s.printf("\t%s: %s", e.Name, joinRoles(roles))
				}
			}
		}
		return nil
	})
}

func joinRoles(roles []access.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, ", ")
}

// member is what the commands about one account share.
type member struct {
	config.Server
	Login         string `arg:"" help:"Login of the account."`
	Establishment string `help:"Name of the establishment, when the instance has several." placeholder:"NAME"`
}

func (m *member) find(s *session, h *House) (access.Scope, identity.Account, error) {
	e, err := h.establishment(s, m.Establishment)
	if err != nil {
		return access.Scope{}, identity.Account{}, err
	}
	a, err := h.Accounts.ByLogin(s.ctx, console(), m.Login)
	return console().Within(e.ID), a, err
}

type userAdd struct {
	member
	Name     string   `required:"" help:"Name as it is shown and journaled." placeholder:"\"FIRST LAST\""`
	Role     []string `required:"" help:"Roles: administrateur, declencheur, cellule_de_crise, gestionnaire_annuaire, lecteur, auditeur, dpo, rssi, responsable, dim." placeholder:"ROLE,…"`
	Speaking string   `name:"lang" default:"fr" enum:"fr,en" help:"Language of the person: fr or en."`
}

// Run adds an account.
func (c *userAdd) Run(s *session) error {
	roles, err := parseRoles(c.Role)
	if err != nil {
		return err
	}
	return withHouse(s, &c.Server, func(h *House) error {
		e, err := h.establishment(s, c.Establishment)
		if err != nil {
			return err
		}
		invited, err := h.Accounts.Add(s.ctx, console().Within(e.ID), identity.NewAccount{Login: c.Login, Name: c.Name, Language: c.Speaking, Roles: roles})
		if err != nil {
			return err
		}
		h.printInvitation(s, invited)
		return nil
	})
}

func (h *House) printInvitation(s *session, i identity.Invitation) {
	if i.Code == "" {
		s.printf("This person has an account already; the roles are given.")
		return
	}
	s.printf("Hand this link over; it works once:\n%s", identitypages.InvitationLink(h.origin().String(), i.Code))
}

func parseRoles(given []string) ([]access.Role, error) {
	out := make([]access.Role, 0, len(given))
	for _, name := range given {
		role := access.Role(strings.TrimSpace(name))
		known := false
		for _, r := range access.Roles() {
			known = known || r == role
		}
		if !known {
			return nil, fault.New(fault.Invalid, "app.unknown_role", "role", name).At("role")
		}
		out = append(out, role)
	}
	return out, nil
}

type userRoles struct {
	member
	Role []string `required:"" help:"All the roles the account is to have." placeholder:"ROLE,…"`
}

// Run sets the roles.
func (c *userRoles) Run(s *session) error {
	roles, err := parseRoles(c.Role)
	if err != nil {
		return err
	}
	return withHouse(s, &c.Server, func(h *House) error {
		scope, a, err := c.find(s, h)
		if err != nil {
			return err
		}
		return h.Accounts.SetRoles(s.ctx, scope, a.ID, roles)
	})
}

type userReset struct {
	member
	Factors bool `help:"Forget the authenticator, the passkeys and the recovery codes too."`
}

// Run resets an account.
func (c *userReset) Run(s *session) error {
	return withHouse(s, &c.Server, func(h *House) error {
		scope, a, err := c.find(s, h)
		if err != nil {
			return err
		}
		invited, err := h.Accounts.Reset(s.ctx, scope, a.ID, identity.ResetOptions{Factors: c.Factors})
		if err != nil {
			return err
		}
		h.printInvitation(s, invited)
		return nil
	})
}

type userDisable struct {
	config.Server
	Login string `arg:"" help:"Login of the account."`
	Undo  bool   `help:"Open the account again."`
}

// Run closes or opens an account.
func (c *userDisable) Run(s *session) error {
	return withHouse(s, &c.Server, func(h *House) error {
		a, err := h.Accounts.ByLogin(s.ctx, console(), c.Login)
		if err != nil {
			return err
		}
		if err := h.Accounts.Disable(s.ctx, console(), a.ID, !c.Undo); err != nil {
			return fmt.Errorf("disable %s: %w", uuid.UUID(a.ID), err)
		}
		return nil
	})
}
