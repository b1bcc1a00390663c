package pages

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/organisation"
	"tocsin/internal/ui"
)

// tie is a link seen from one of its ends.
type tie struct {
	organisation.Link
	Other organisation.Node
}

// family is a node with what it hangs under and what hangs under it.
type family struct {
	organisation.Node
	above, below []tie
}

// living keeps the ties that hold at an instant.
func living(ties []tie, at time.Time) []tie {
	var out []tie
	for _, t := range ties {
		if !t.From.After(at) && (t.To.IsZero() || t.To.After(at)) {
			out = append(out, t)
		}
	}
	return out
}

// family reads the node of the address with its links, the latest first.
func (p pages) family(c *ui.Context) (family, error) {
	id, err := c.ID("id")
	if err != nil {
		return family{}, err
	}
	n, err := p.s.Node(c.Ctx(), c.Scope, id)
	if err != nil {
		return family{}, err
	}
	all, err := p.s.Nodes(c.Ctx(), c.Scope)
	if err != nil {
		return family{}, err
	}
	links, err := p.s.Links(c.Ctx(), c.Scope)
	if err != nil {
		return family{}, err
	}
	byID := make(map[uuid.UUID]organisation.Node, len(all))
	for _, o := range all {
		byID[o.ID] = o
	}
	out := family{Node: n}
	slices.SortStableFunc(links, func(a, b organisation.Link) int { return b.From.Compare(a.From) })
	for _, l := range links {
		if l.Child == id {
			out.above = append(out.above, tie{l, byID[l.Parent]})
		}
		if l.Parent == id {
			out.below = append(out.below, tie{l, byID[l.Child]})
		}
	}
	return out, nil
}

func (p pages) node(c *ui.Context) error {
	n, err := p.family(c)
	if err != nil {
		return err
	}
	return c.Render(nodePage(c, n))
}

// draft is what the form of a new node needs to know.
type draft struct {
	kind    organisation.Kind
	parents []organisation.Node
}

// newNode asks for the kind first: the fields follow from it.
func (p pages) newNode(c *ui.Context) error {
	kind := organisation.Kind(c.FormValue("sorte"))
	if !slices.Contains(organisation.Kinds(), kind) {
		return c.Render(kindPage(c))
	}
	d, err := p.draft(c, kind)
	if err != nil {
		return err
	}
	return c.Render(newPage(c, c.NewForm(map[string]string{"parent": c.FormValue("sous")}), d))
}

func (p pages) draft(c *ui.Context, kind organisation.Kind) (draft, error) {
	parents, err := p.parents(c, kind, uuid.Nil)
	return draft{kind: kind, parents: parents}, err
}

// parents are the living nodes under which a node of that kind may hang, itself excepted.
func (p pages) parents(c *ui.Context, kind organisation.Kind, self uuid.UUID) ([]organisation.Node, error) {
	all, err := p.s.Nodes(c.Ctx(), c.Scope)
	return slices.DeleteFunc(all, func(n organisation.Node) bool { return !n.Closed.IsZero() || !n.Kind.May(kind) || n.ID == self }), err
}

func (p pages) addNode(c *ui.Context) error {
	f := c.Form()
	kind := organisation.Kind(f.Value("sorte"))
	if !slices.Contains(organisation.Kinds(), kind) {
		return c.Status(422).Render(kindPage(c))
	}
	d, err := p.draft(c, kind)
	if err != nil {
		return err
	}
	f.Require("name")
	parent := idOf(f, "parent")
	n := nodeOf(f, kind)
	if !f.Valid() {
		return c.Refill(f, nil, newPage(c, f, d))
	}
	if n, err = p.s.AddNode(c.Ctx(), c.Scope, n, parent); err != nil {
		return c.Refill(f, err, newPage(c, f, d))
	}
	c.Flash(ui.Success, c.Loc.T("organisation.page.added", "name", n.Name))
	return c.Redirect(NodePath(n.ID))
}

// idOf reads an id chosen in a list; Nil when none was, or when it is no id:
// the operation then says that it does not exist.
func idOf(f *ui.Form, name string) uuid.UUID {
	text := f.Value(name)
	if text == "" {
		return uuid.Nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		f.Take(fault.Wrap(err, fault.Invalid, "organisation.node_not_found").At(name))
	}
	return id
}

func nodeOf(f *ui.Form, kind organisation.Kind) organisation.Node {
	n := organisation.Node{Kind: kind, Name: f.Value("name"), Code: f.Value("code"), Address: f.Value("address")}
	if hasFINESS(kind) {
		n.FINESS = finessOf(f)
	}
	if kind == organisation.Site {
		n.Zone = f.Value("zone")
	}
	return n
}

func hasFINESS(k organisation.Kind) bool {
	return k == organisation.EJ || k == organisation.ET || k == organisation.Site
}

func (p pages) editNode(c *ui.Context) error {
	n, err := p.family(c)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{"name": n.Name, "code": n.Code, "finess": n.FINESS.Format(), "address": n.Address, "zone": n.Zone})
	return c.Render(editNodePage(c, f, n.Node))
}

func (p pages) saveNode(c *ui.Context) error {
	before, err := p.family(c)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require("name")
	n := nodeOf(f, before.Kind)
	n.ID = before.ID
	if !f.Valid() {
		return c.Refill(f, nil, editNodePage(c, f, before.Node))
	}
	if _, err := p.s.UpdateNode(c.Ctx(), c.Scope, n); err != nil {
		return c.Refill(f, err, editNodePage(c, f, before.Node))
	}
	c.Flash(ui.Success, c.Loc.T("organisation.page.saved", "name", n.Name))
	return c.Redirect(NodePath(n.ID))
}

func (p pages) joining(c *ui.Context) error {
	n, err := p.family(c)
	if err != nil {
		return err
	}
	parents, err := p.parents(c, n.Kind, n.ID)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{"relation": string(organisation.Member), "from": c.Now.In(c.Zone).Format(time.DateOnly)})
	return c.Render(joinPage(c, f, n.Node, parents))
}

func (p pages) join(c *ui.Context) error {
	n, err := p.family(c)
	if err != nil {
		return err
	}
	parents, err := p.parents(c, n.Kind, n.ID)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require("parent")
	l := organisation.Link{Parent: idOf(f, "parent"), Child: n.ID, Relation: organisation.Relation(f.Value("relation")), From: dayOf(f, c, "from"), To: dayOf(f, c, "to")}
	if today(c).Equal(l.From) {
		l.From = time.Time{} // from now on, not from last midnight
	}
	if !f.Valid() {
		return c.Refill(f, nil, joinPage(c, f, n.Node, parents))
	}
	if _, err := p.s.Join(c.Ctx(), c.Scope, l); err != nil {
		return c.Refill(f, err, joinPage(c, f, n.Node, parents))
	}
	c.Flash(ui.Success, c.Loc.T("organisation.page.joined", "name", n.Name))
	return c.Redirect(NodePath(n.ID))
}

// today is the last midnight of the page's zone.
func today(c *ui.Context) time.Time {
	y, m, d := c.Now.In(c.Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, c.Zone)
}

// part ends a link now; the link must be one of the node of the address.
func (p pages) part(c *ui.Context) error {
	n, err := p.family(c)
	if err != nil {
		return err
	}
	link, err := uuid.Parse(c.FormValue("lien"))
	at := slices.IndexFunc(n.above, func(t tie) bool { return t.ID == link })
	if err != nil || at < 0 {
		return fault.New(fault.NotFound, "organisation.link_not_found")
	}
	if err := p.s.Part(c.Ctx(), c.Scope, link, time.Time{}); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("organisation.page.parted", "name", n.Name, "parent", n.above[at].Other.Name))
	return c.Redirect(NodePath(n.ID))
}

func (p pages) closing(c *ui.Context) error {
	n, err := p.family(c)
	if err != nil {
		return err
	}
	return c.Render(closePage(c, n))
}

func (p pages) close(c *ui.Context) error {
	n, err := p.family(c)
	if err != nil {
		return err
	}
	switch err := p.s.CloseNode(c.Ctx(), c.Scope, n.ID); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Alert, c.Loc.Fault(err))
	case err != nil:
		return err
	default:
		c.Flash(ui.Success, c.Loc.T("organisation.page.closed", "name", n.Name))
	}
	return c.Redirect(NodePath(n.ID))
}
