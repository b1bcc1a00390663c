package pages

import (
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/ui"
)

func (p pages) tokens(c *ui.Context) error {
	list, err := p.service.Tokens(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	pager := c.Query().Pager(len(list), 50)
	return c.Render(tokensPage(c, list[pager.Offset():pager.Last()], pager))
}

func (p pages) newToken(c *ui.Context) error {
	return c.Render(newTokenPage(c, c.NewForm(map[string]string{"days": "90"})))
}

// createToken answers with the key itself: it is written nowhere, so there is
// no page to go back to.
func (p pages) createToken(c *ui.Context) error {
	f := c.Form()
	f.Require("name")
	days := f.Int("days", 1, 365)
	if !f.Valid() {
		return c.Refill(f, nil, newTokenPage(c, f))
	}
	var actions []access.Action
	for _, a := range f.List("actions") {
		actions = append(actions, access.Action(a))
	}
	t, key, err := p.service.CreateToken(c.Ctx(), c.Scope, identity.TokenRequest{Name: f.Value("name"), Actions: actions, Days: days})
	if err != nil {
		return c.Refill(f, err, newTokenPage(c, f))
	}
	return c.Render(tokenMadePage(c, t, key))
}

func (p pages) revokeToken(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	switch err := p.service.RevokeToken(c.Ctx(), c.Scope, id); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Information, c.Loc.Fault(err))
	case err != nil:
		return err
	default:
		c.Flash(ui.Success, c.Loc.T("identity.tokens.revoked"))
	}
	return c.Redirect(TokensPath)
}

// actionChoices are what a token may be given.
func actionChoices(c *ui.Context) []ui.Choice {
	var out []ui.Choice
	for _, a := range access.ProgramActions() {
		choice := ui.Choice{Value: string(a), Label: c.Loc.T("identity.tokens.action." + string(a))}
		if a == access.AlertLaunch {
			choice.Hint = c.Loc.T("identity.tokens.action.alert.launch.hint")
		}
		out = append(out, choice)
	}
	return out
}

func dayChoices(c *ui.Context) []ui.Choice {
	var out []ui.Choice
	for _, n := range identity.TokenDays() {
		out = append(out, ui.Choice{Value: strconv.Itoa(n), Label: c.Loc.N("identity.tokens.days.n", n)})
	}
	return out
}

// tokenWords are the rights of a token, as a list is read.
func tokenWords(c *ui.Context, t identity.Token) string {
	var words []string
	for _, a := range t.Actions {
		words = append(words, c.Loc.T("identity.tokens.action."+string(a)))
	}
	return strings.Join(words, " · ")
}

func launches(t identity.Token) bool { return slices.Contains(t.Actions, access.AlertLaunch) }
