package pages

import (
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/storage"
	"tocsin/internal/ui"
)

func (p pages) accounts(c *ui.Context) error {
	list, err := p.service.Members(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	q := c.Query()
	shown := list[:0:0]
	for _, m := range list {
		if wanted(m, q) {
			shown = append(shown, m)
		}
	}
	pager := q.Pager(len(shown), 50)
	return c.Render(accountsPage(c, q, shown[pager.Offset():pager.Last()], pager, len(list)))
}

// wanted is the filter of the list. An establishment has dozens of accounts,
// not thousands: they are read whole.
func wanted(m identity.Member, q ui.Query) bool {
	if text := q.Get("q"); text != "" && !contains(m.Name+" "+m.Login, text) {
		return false
	}
	if role := q.Get("role"); role != "" && !m.Has(access.Role(role)) {
		return false
	}
	switch q.Get("etat") {
	case "sans-facteur":
		return !m.HasFactor()
	case "suspendu":
		return !m.Active()
	}
	return true
}

func contains(in, text string) bool {
	return strings.Contains(storage.Fold(in), storage.Fold(text))
}

func (p pages) newAccount(c *ui.Context) error {
	return c.Render(newAccountPage(c, c.NewForm(map[string]string{"language": "fr"}), p.service))
}

func (p pages) addAccount(c *ui.Context) error {
	f := c.Form()
	f.Require("name", "login")
	if !f.Valid() {
		return c.Refill(f, nil, newAccountPage(c, f, p.service))
	}
	inv, err := p.service.Add(c.Ctx(), c.Scope, identity.NewAccount{
		Login: f.Value("login"), Name: f.Value("name"), Language: f.Value("language"), Roles: rolesOf(f),
	})
	if err != nil {
		return c.Refill(f, err, newAccountPage(c, f, p.service))
	}
	if inv.Code == "" {
		c.Flash(ui.Success, c.Loc.T("identity.accounts.joined"))
		return c.Redirect(AccountsPath + "/" + inv.Account.String())
	}
	return p.handOver(c, inv)
}

// handOver shows a link once, as the answer to the form itself: it is written
// nowhere, so there is no page to go back to.
func (p pages) handOver(c *ui.Context, inv identity.Invitation) error {
	m, err := p.service.Member(c.Ctx(), c.Scope, inv.Account)
	if err != nil {
		return err
	}
	return c.Render(handOverPage(c, m, InvitationLink(p.origin, inv.Code), inv.Expires))
}

func rolesOf(f *ui.Form) []access.Role {
	var out []access.Role
	for _, r := range f.List("roles") {
		out = append(out, access.Role(r))
	}
	return out
}

func (p pages) member(c *ui.Context) error {
	m, err := p.read(c)
	if err != nil {
		return err
	}
	f := c.NewForm(nil)
	f.SetList("roles", rolesText(m))
	return c.Render(memberPage(c, f, m, p.service))
}

func rolesText(m identity.Member) []string {
	var out []string
	for _, r := range m.Roles {
		out = append(out, string(r))
	}
	return out
}

func (p pages) read(c *ui.Context) (identity.Member, error) {
	id, err := c.ID("id")
	if err != nil {
		return identity.Member{}, err
	}
	return p.service.Member(c.Ctx(), c.Scope, id)
}

func (p pages) setRoles(c *ui.Context) error {
	m, err := p.read(c)
	if err != nil {
		return err
	}
	f := c.Form()
	if err := p.service.SetRoles(c.Ctx(), c.Scope, m.ID, rolesOf(f)); err != nil {
		return c.Refill(f, err, memberPage(c, f, m, p.service))
	}
	c.Flash(ui.Success, c.Loc.T("identity.accounts.saved"))
	return c.Redirect(AccountsPath + "/" + m.ID.String())
}

func (p pages) suspend(c *ui.Context) error { return p.setSuspended(c, true) }
func (p pages) restore(c *ui.Context) error { return p.setSuspended(c, false) }

func (p pages) setSuspended(c *ui.Context, yes bool) error {
	m, err := p.read(c)
	if err != nil {
		return err
	}
	switch err := p.service.Suspend(c.Ctx(), c.Scope, m.ID, yes); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Alert, c.Loc.Fault(err))
	case err != nil:
		return err
	case yes:
		c.Flash(ui.Success, c.Loc.T("identity.accounts.suspended"))
	default:
		c.Flash(ui.Success, c.Loc.T("identity.accounts.restored"))
	}
	return c.Redirect(AccountsPath + "/" + m.ID.String())
}

func (p pages) reset(c *ui.Context) error {
	m, err := p.read(c)
	if err != nil {
		return err
	}
	inv, err := p.service.Reset(c.Ctx(), c.Scope, m.ID, identity.ResetOptions{Factors: c.Form().Checked("factors", "oui")})
	if err != nil {
		return err
	}
	return p.handOver(c, inv)
}

// roleChoices are the roles with a word on what each may do.
func roleChoices(c *ui.Context, s *identity.Service) []ui.Choice {
	var out []ui.Choice
	for _, r := range access.Roles() {
		hint := c.Loc.T("identity.role." + string(r))
		if s.NeedsFactor([]access.Role{r}) {
			hint += " " + c.Loc.T("identity.role.factor")
		}
		out = append(out, ui.Choice{Value: string(r), Label: c.Loc.T("access.role." + string(r)), Hint: hint})
	}
	return out
}

func languages(c *ui.Context) []ui.Choice {
	return []ui.Choice{{Value: "fr", Label: c.Loc.T("common.language.fr")}, {Value: "en", Label: c.Loc.T("common.language.en")}}
}
