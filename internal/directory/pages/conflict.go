package pages

import (
	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// ConflictsPath is the list of the values on which two sources disagree.
const ConflictsPath = "/annuaire/conflits"

func (p pages) conflictRoutes(r *ui.Router) {
	r.Get(ConflictsPath, access.DirectoryWrite, p.conflicts)
	r.Post(ConflictsPath+"/{conflit}", access.DirectoryWrite, p.decideConflict)
}

func (p pages) conflicts(c *ui.Context) error {
	list, total, err := p.d.Conflicts(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(conflictsPage(c, list, total))
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
