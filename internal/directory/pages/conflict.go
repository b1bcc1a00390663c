package pages

import (
	"cmp"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// ConflictsPath is the list of the values on which two sources disagree.
const ConflictsPath = "/annuaire/conflits"

func (p pages) conflictRoutes(r *ui.Router) {
	r.Get(ConflictsPath, access.DirectoryWrite, p.conflicts)
	r.Post(ConflictsPath+"/regles", access.DirectoryImport, p.ruleConflicts)
	r.Post(ConflictsPath+"/{conflit}", access.DirectoryWrite, p.decideConflict)
}

func (p pages) conflicts(c *ui.Context) error {
	v := disagreements{}
	var err error
	if v.list, v.total, err = p.d.Conflicts(c.Ctx(), c.Scope); err != nil {
		return err
	}
	if v.rules, v.lists, err = p.d.FieldRules(c.Ctx(), c.Scope); err != nil {
		return err
	}
	return c.Render(conflictsPage(c, v))
}

// usual is directory.Usual in the form.
const usual = "usual"

// disagreements is what the page shows.
type disagreements struct {
	list  []directory.Conflict
	total int
	rules map[string]directory.Precedence
	// lists are those that a rule may name.
	lists []string
}

// form holds the rule of each field.
func (v disagreements) form(c *ui.Context) *ui.Form {
	values := map[string]string{}
	for _, field := range directory.RuledFields() {
		values["rule."+field] = cmp.Or(string(v.rules[field]), usual)
	}
	return c.NewForm(values)
}

func (v disagreements) choices(c *ui.Context) []ui.Choice {
	out := []ui.Choice{
		{Value: usual, Label: c.Loc.T("directory.page.conflict.rules.usual")},
		{Value: string(directory.ByHand), Label: c.Loc.T("directory.page.conflict.rules.hand")},
	}
	for _, name := range v.lists {
		out = append(out, ui.Choice{Value: string(directory.OfList(name)), Label: c.Loc.T("directory.page.conflict.rules.list", "name", name)})
	}
	return out
}

// ruleConflicts keeps the rule of each field.
func (p pages) ruleConflicts(c *ui.Context) error {
	rules := map[string]directory.Precedence{}
	for _, field := range directory.RuledFields() {
		if text := cut(c.FormValue("rule."+field), 200); text != usual {
			rules[field] = directory.Precedence(text)
		}
	}
	if err := p.d.SetFieldRules(c.Ctx(), c.Scope, rules); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.conflict.rules.kept"))
	return c.Redirect(ConflictsPath)
}

// decideConflict keeps the other value, or says that the rule was right.
func (p pages) decideConflict(c *ui.Context) error {
	id, err := c.ID("conflit")
	if err != nil {
		return err
	}
	other := c.FormValue("faire") == "autre"
	switch err := p.d.KeepOther(c.Ctx(), c.Scope, id, other); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Attention, c.Loc.Fault(err))
	case err != nil:
		return err
	case other:
		c.Flash(ui.Success, c.Loc.T("directory.page.conflict.turned"))
	default:
		c.Flash(ui.Information, c.Loc.T("directory.page.conflict.seen"))
	}
	return c.Redirect(ConflictsPath)
}

// sourceWord names a source; what a person entered has none.
func sourceWord(c *ui.Context, source string) string {
	if source == "" {
		return c.Loc.T("directory.page.conflict.by_hand")
	}
	return source
}
