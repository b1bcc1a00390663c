package pages

import (
	"slices"
	"strconv"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// counted is a group with how many people it holds now.
type counted struct {
	directory.Group
	people int
}

func groupPath(id uuid.UUID) string { return GroupsPath + "/" + id.String() }

// count is how many people a group holds: those of its list, or those its rule
// chooses now.
func (p pages) count(c *ui.Context, g directory.Group) (int, error) {
	if g.Rule == nil {
		return g.Size, nil
	}
	return p.d.Count(c.Ctx(), c.Scope, *g.Rule, c.Now)
}

func (p pages) groups(c *ui.Context) error {
	all, err := p.d.Groups(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	list := make([]counted, len(all))
	for i, g := range all {
		n, err := p.count(c, g)
		if err != nil {
			return err
		}
		list[i] = counted{g, n}
	}
	return c.Render(groupsPage(c, list))
}

// circle is what the page of a group shows.
type circle struct {
	counted
	page  directory.Page
	first int
	rule  []string
}

func (p pages) readGroup(c *ui.Context) (directory.Group, error) {
	id, err := c.ID("id")
	if err != nil {
		return directory.Group{}, err
	}
	return p.d.Group(c.Ctx(), c.Scope, id)
}

func (p pages) circle(c *ui.Context) (circle, error) {
	g, err := p.readGroup(c)
	if err != nil {
		return circle{}, err
	}
	out := circle{counted: counted{Group: g}, first: 1}
	if out.people, err = p.count(c, g); err != nil {
		return out, err
	}
	f := directory.Filter{Group: g.ID, Limit: pageSize}
	if after := c.Query().Get("suite"); after != "" {
		f.After = afterOf(after)
		if n, err := strconv.Atoi(c.Query().Get("rang")); err == nil && n > 1 && n < directory.TotalLimit {
			out.first = n
		}
	}
	if out.page, err = p.people(c, f); err != nil {
		return out, err
	}
	if g.Rule != nil {
		out.rule, err = p.ruleWords(c, *g.Rule)
	}
	return out, err
}

func (p pages) group(c *ui.Context) error {
	g, err := p.circle(c)
	if err != nil {
		return err
	}
	return c.Render(groupPage(c, c.Query(), g, p.d))
}

// rules is what the form of a group proposes.
type rules struct {
	group   directory.Group
	places  located
	metiers []ui.Choice
	others  []ui.Choice
	// preview is the number of people the rule typed would choose; -1 when not asked.
	preview int
}

func (p pages) rules(c *ui.Context, g directory.Group) (rules, error) {
	r := rules{group: g, metiers: p.metiers(c, ""), preview: -1}
	var err error
	if r.places, err = p.places(c); err != nil {
		return r, err
	}
	all, err := p.d.Groups(c.Ctx(), c.Scope)
	r.others = groupChoices(slices.DeleteFunc(all, func(o directory.Group) bool { return o.ID == g.ID }))
	return r, err
}

func (p pages) newGroup(c *ui.Context) error {
	r, err := p.rules(c, directory.Group{})
	if err != nil {
		return err
	}
	return c.Render(groupForm(c, c.NewForm(map[string]string{"sorte": "regle"}), r))
}

func (p pages) editGroup(c *ui.Context) error {
	g, err := p.readGroup(c)
	if err != nil {
		return err
	}
	r, err := p.rules(c, g)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{"name": g.Name, "purpose": g.Purpose, "sorte": "liste"})
	if g.Rule != nil {
		f.Set("sorte", "regle")
		f.SetList("metiers", g.Rule.Metiers)
		f.SetList("statuts", g.Rule.Statuses)
		f.SetList("services", idTexts(g.Rule.Services))
		f.SetList("sites", idTexts(g.Rule.Sites))
		f.SetList("groupes", idTexts(g.Rule.Groups))
		f.Set("qualifications", words(g.Rule.Qualifications))
	}
	return c.Render(groupForm(c, f, r))
}

func idTexts(ids []uuid.UUID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

func (p pages) addGroup(c *ui.Context) error { return p.writeGroup(c, directory.Group{}) }

func (p pages) saveGroup(c *ui.Context) error {
	g, err := p.readGroup(c)
	if err != nil {
		return err
	}
	return p.writeGroup(c, g)
}

// writeGroup saves the form, or shows whom its rule would choose when that is asked.
func (p pages) writeGroup(c *ui.Context, before directory.Group) error {
	r, err := p.rules(c, before)
	if err != nil {
		return err
	}
	f := c.Form()
	g := directory.Group{ID: before.ID, Name: f.Value("name"), Purpose: f.Value("purpose")}
	if f.Value("sorte") != "liste" {
		rule := ruleOf(f, before.Rule)
		g.Rule = &rule
	}
	if f.Value("faire") == "apercu" {
		return p.preview(c, f, r, g)
	}
	f.Require("name")
	if !f.Valid() {
		return c.Refill(f, nil, groupForm(c, f, r))
	}
	saved, err := p.d.SaveGroup(c.Ctx(), c.Scope, g)
	if err != nil {
		return c.Refill(f, err, groupForm(c, f, r))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.group.saved", "name", saved.Name))
	if before.ID == uuid.Nil && g.Rule == nil {
		return c.Redirect(groupPath(saved.ID) + "/membres")
	}
	return c.Redirect(groupPath(saved.ID))
}

// preview shows how many people the rule chooses, and some of them, without saving.
func (p pages) preview(c *ui.Context, f *ui.Form, r rules, g directory.Group) error {
	if g.Rule == nil || g.Rule.Empty() {
		f.Take(fault.New(fault.Invalid, "directory.group_rule_empty").At("rule"))
		return c.Refill(f, nil, groupForm(c, f, r))
	}
	n, err := p.d.Count(c.Ctx(), c.Scope, *g.Rule, c.Now)
	if err != nil {
		return c.Refill(f, err, groupForm(c, f, r))
	}
	r.preview = n
	return c.Render(groupForm(c, f, r))
}

// ruleOf reads a rule. What the form does not show of it stays.
func ruleOf(f *ui.Form, before *directory.Rule) directory.Rule {
	r := directory.Rule{
		Metiers: f.List("metiers"), Statuses: f.List("statuts"), Services: ids(f.List("services")), Sites: ids(f.List("sites")),
		Groups: ids(f.List("groupes")), Qualifications: listed(f.Value("qualifications")),
	}
	if before != nil {
		r.People, r.Absent = before.People, before.Absent
	}
	return r
}

// ids reads the ids of a list; a forged one chooses nobody, so it is kept out.
func ids(texts []string) []uuid.UUID {
	var out []uuid.UUID
	for _, text := range texts {
		if id, err := uuid.Parse(text); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// recruits is the page that adds people to a fixed list.
type recruits struct {
	group directory.Group
	text  string
	page  directory.Page
}

func (p pages) membersOf(c *ui.Context) error {
	g, err := p.readGroup(c)
	if err != nil {
		return err
	}
	if g.Rule != nil {
		return fault.New(fault.Conflict, "directory.group_by_rule")
	}
	r := recruits{group: g, text: c.FormValue("q")}
	if r.text != "" {
		if r.page, err = p.people(c, directory.Filter{Text: r.text, Limit: pageSize}); err != nil {
			return err
		}
	}
	return c.Render(membersPage(c, r, p.d))
}

func (p pages) addMember(c *ui.Context) error { return p.changeMembers(c, true) }

func (p pages) removeMember(c *ui.Context) error { return p.changeMembers(c, false) }

func (p pages) changeMembers(c *ui.Context, add bool) error {
	g, err := p.readGroup(c)
	if err != nil {
		return err
	}
	f := c.Form()
	people := ids(f.List("personnes"))
	back := groupPath(g.ID)
	if add {
		back = ui.LocalPath(f.Value("retour"), back)
		err = p.d.AddMembers(c.Ctx(), c.Scope, g.ID, people)
	} else {
		err = p.d.RemoveMembers(c.Ctx(), c.Scope, g.ID, people)
	}
	switch {
	case fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid):
		c.Flash(ui.Alert, c.Loc.Fault(err))
	case err != nil:
		return err
	case len(people) == 0:
		c.Flash(ui.Attention, c.Loc.T("directory.page.group.nobody_ticked"))
	case add:
		c.Flash(ui.Success, c.Loc.N("directory.page.group.added", len(people)))
	default:
		c.Flash(ui.Success, c.Loc.N("directory.page.group.removed", len(people)))
	}
	return c.Redirect(back)
}

func (p pages) deletingGroup(c *ui.Context) error {
	g, err := p.readGroup(c)
	if err != nil {
		return err
	}
	n, err := p.count(c, g)
	if err != nil {
		return err
	}
	return c.Render(deleteGroupPage(c, counted{g, n}))
}

func (p pages) deleteGroup(c *ui.Context) error {
	g, err := p.readGroup(c)
	if err != nil {
		return err
	}
	if err := p.d.DeleteGroup(c.Ctx(), c.Scope, g.ID); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.group.deleted", "name", g.Name))
	return c.Redirect(GroupsPath)
}
