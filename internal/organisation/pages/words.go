package pages

import (
	"net/url"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/organisation"
	"tocsin/internal/ui"
)

// crumbs lead from the tree through one living parent at each step.
func crumbs(c *ui.Context, n family) []ui.Crumb {
	out := []ui.Crumb{{Label: c.Loc.T("organisation.page.title"), Path: Path}}
	if above := living(n.above, c.Now); len(above) > 0 {
		out = append(out, ui.Crumb{Label: above[0].Other.Name, Path: NodePath(above[0].Other.ID)})
	}
	return append(out, ui.Crumb{Label: n.Name})
}

func tiesCaption(c *ui.Context, above bool) string {
	if above {
		return c.Loc.T("organisation.page.above")
	}
	return c.Loc.T("organisation.page.below")
}

func tieColumns(c *ui.Context, above bool) []ui.Column {
	out := []ui.Column{
		{Label: c.Loc.T("common.name")},
		{Label: c.Loc.T("organisation.page.sort")},
		{Label: c.Loc.T("organisation.page.relation")},
		{Label: c.Loc.T("organisation.page.when")},
	}
	if above {
		out = append(out, ui.Column{Label: c.Loc.T("organisation.page.part")})
	}
	return out
}

// kindsFirst gives the kinds in the order they are usually needed.
func kindsFirst() []organisation.Kind {
	kinds := organisation.Kinds()
	slices.Reverse(kinds)
	return kinds
}

func newPath(k organisation.Kind, parent string) string {
	path := Path + "/nouveau?sorte=" + string(k)
	if _, err := uuid.Parse(parent); err == nil {
		path += "&sous=" + parent
	}
	return path
}

func codeHint(c *ui.Context, k organisation.Kind) string {
	if k == organisation.CareService {
		return c.Loc.T("organisation.page.code.service")
	}
	return c.Loc.T("organisation.page.code.hint")
}

// parentChoices groups the possible parents by kind; none is a choice when a node may stand alone.
func parentChoices(c *ui.Context, parents []organisation.Node, none bool) []ui.Choice {
	var out []ui.Choice
	if none {
		out = append(out, ui.Choice{Label: c.Loc.T("organisation.page.parent.none")})
	}
	for _, n := range parents {
		out = append(out, ui.Choice{Value: n.ID.String(), Label: n.Name, Group: kindWord(c.Loc, n.Kind)})
	}
	return out
}

func relationChoices(c *ui.Context) []ui.Choice {
	return []ui.Choice{
		{Value: string(organisation.Member), Label: c.Loc.T("organisation.relation.member"), Hint: c.Loc.T("organisation.page.relation.member")},
		{Value: string(organisation.Subscribes), Label: c.Loc.T("organisation.relation.subscribes"), Hint: c.Loc.T("organisation.page.relation.subscribes")},
	}
}

// peopleLink leads to the people of a site or a service; empty for a body.
func peopleLink(k organisation.Kind, id string) string {
	switch k {
	case organisation.Site:
		return "/annuaire?site=" + url.QueryEscape(id)
	case organisation.CareService:
		return "/annuaire?service=" + url.QueryEscape(id)
	}
	return ""
}
