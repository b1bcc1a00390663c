package pages

import (
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/ui"
)

// listed cuts "chirurgien, plongeur".
func listed(text string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// ruleWords says a rule, one line for each condition: all must hold.
func (p pages) ruleWords(c *ui.Context, r directory.Rule) ([]string, error) {
	places, err := p.places(c)
	if err != nil {
		return nil, err
	}
	groups, err := p.d.Groups(c.Ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	lang := string(c.Loc.Language())
	var out []string
	say := func(label string, values []string) {
		if len(values) > 0 {
			out = append(out, label+c.Loc.T("directory.page.colon")+strings.Join(values, c.Loc.T("directory.page.or")))
		}
	}
	say(c.Loc.T("directory.page.metier"), mapped(r.Metiers, func(code string) string { return p.d.Reference().Label(code, lang) }))
	say(c.Loc.T("directory.page.qualifications"), r.Qualifications)
	say(c.Loc.T("directory.page.service"), mapped(r.Services, func(id uuid.UUID) string { return nameOf(c, places.services, id) }))
	say(c.Loc.T("directory.page.site"), mapped(r.Sites, func(id uuid.UUID) string { return nameOf(c, places.sites, id) }))
	say(c.Loc.T("directory.page.status"), mapped(r.Statuses, func(s string) string { return statusWord(c.Loc, s) }))
	say(c.Loc.T("directory.page.group"), mapped(r.Groups, func(id uuid.UUID) string { return nameOf(c, groupChoices(groups), id) }))
	if len(r.People) > 0 {
		out = append(out, c.Loc.N("directory.page.rule.people", len(r.People)))
	}
	if r.Duty != directory.UnknownDuty {
		out = append(out, c.Loc.T("directory.duty."+string(r.Duty)))
	}
	if r.Absent {
		return append(out, c.Loc.T("directory.page.rule.absent")), nil
	}
	return append(out, c.Loc.T("directory.page.rule.present")), nil
}

func mapped[T any](values []T, say func(T) string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = say(v)
	}
	return out
}

// nameOf is the name of a place or a group; one that was closed since says so.
func nameOf(c *ui.Context, choices []ui.Choice, id uuid.UUID) string {
	for _, ch := range choices {
		if ch.Value == id.String() {
			return ch.Label
		}
	}
	return c.Loc.T("directory.page.rule.closed")
}
