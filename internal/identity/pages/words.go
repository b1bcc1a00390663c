package pages

import (
	"strings"

	"github.com/a-h/templ"

	"tocsin/internal/access"
	"tocsin/internal/identity"
	"tocsin/internal/ui"
)

// firstSteps are the steps of who comes in for the first time.
func firstSteps(c *ui.Context) []string {
	return []string{c.Loc.T("identity.steps.account"), c.Loc.T("identity.steps.factor"), c.Loc.T("identity.steps.codes")}
}

// plain is for fields that are no sentence: no capital, no correction.
func plain() templ.Attributes {
	return templ.Attributes{"autocapitalize": "none", "spellcheck": "false"}
}

// focused is plain, for the first field of a page with nothing else to read.
func focused() templ.Attributes {
	a := plain()
	a["autofocus"] = true
	return a
}

func roleWords(c *ui.Context, roles []access.Role) string {
	var words []string
	for _, r := range roles {
		words = append(words, c.Loc.T("access.role."+string(r)))
	}
	return strings.Join(words, ", ")
}

func factorWords(c *ui.Context, a identity.Account) string {
	var words []string
	if a.TOTP {
		words = append(words, c.Loc.T("identity.application.title"))
	}
	if a.Passkeys > 0 {
		words = append(words, c.Loc.N("identity.passkeys.count", a.Passkeys))
	}
	if len(words) == 0 {
		return c.Loc.T("identity.factors.off")
	}
	return strings.Join(words, ", ")
}

func invitationLead(c *ui.Context, link identity.Link) string {
	if link.Kind == identity.ResetLink {
		return c.Loc.T("identity.invitation.reset", "name", link.Account.Name)
	}
	return c.Loc.T("identity.invitation.lead", "name", link.Account.Name)
}

func keyTitle(c *ui.Context, k identity.Passkey) string {
	if k.Name != "" {
		return k.Name
	}
	return c.Loc.T("identity.passkeys.unnamed", "date", c.Loc.Date(k.Created, c.Zone))
}
