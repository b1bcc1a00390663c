package pages

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
	"tocsin/internal/inventory"
	"tocsin/internal/ui"
)

func (p pages) item(c *ui.Context) (inventory.Sheet, error) {
	id, err := c.ID("id")
	if err != nil {
		return inventory.Sheet{}, err
	}
	return p.s.Get(c.Ctx(), c.Scope, id)
}

func (p pages) sheet(c *ui.Context) error {
	v, err := p.item(c)
	if err != nil {
		return err
	}
	return c.Render(sheetPage(c, v))
}

// draft is what the form of an item needs to know.
type draft struct {
	kind      inventory.Kind
	suppliers []ui.Choice
	located
	// item is the one that is changed; a zero one for a new item.
	item inventory.Named
}

func (p pages) draft(c *ui.Context, kind inventory.Kind, item inventory.Named) (d draft, err error) {
	d = draft{kind: kind, item: item}
	if d.located, err = p.places(c); err != nil {
		return d, err
	}
	list, err := p.s.Search(c.Ctx(), c.Scope, inventory.Filter{Kind: inventory.Supplier})
	for _, s := range list {
		d.suppliers = append(d.suppliers, ui.Choice{Value: s.ID.String(), Label: s.Name})
	}
	// What it names and is closed or retired since stays a choice.
	d.services = keepChosen(d.services, item.Service, item.ServiceName)
	d.services = keepChosen(d.services, item.OwnerService, item.OwnerServiceName)
	d.sites = keepChosen(d.sites, item.Site, item.SiteName)
	d.suppliers = keepChosen(d.suppliers, item.Supplier, item.SupplierName)
	return d, err
}

func keepChosen(choices []ui.Choice, id uuid.UUID, name string) []ui.Choice {
	if id == uuid.Nil || slices.ContainsFunc(choices, func(ch ui.Choice) bool { return ch.Value == id.String() }) {
		return choices
	}
	if name == "" {
		name = "?"
	}
	return append(choices, ui.Choice{Value: id.String(), Label: name})
}

// newItem asks for the kind first: the fields follow from it.
func (p pages) newItem(c *ui.Context) error {
	kind := inventory.Kind(c.FormValue("nature"))
	if !kind.Known() {
		return c.Render(kindPage(c))
	}
	d, err := p.draft(c, kind, inventory.Named{})
	if err != nil {
		return err
	}
	return c.Render(newPage(c, c.NewForm(nil), d))
}

func (p pages) addItem(c *ui.Context) error {
	f := c.Form()
	kind := inventory.Kind(f.Value("nature"))
	if !kind.Known() {
		return c.Status(http.StatusUnprocessableEntity).Render(kindPage(c))
	}
	d, err := p.draft(c, kind, inventory.Named{})
	if err != nil {
		return err
	}
	i := p.itemOf(c, f, d)
	if !f.Valid() {
		return c.Refill(f, nil, newPage(c, f, d))
	}
	if i, err = p.s.Save(c.Ctx(), c.Scope, i); err != nil {
		return c.Refill(f, err, newPage(c, f, d))
	}
	c.Flash(ui.Success, c.Loc.T("inventory.page.added", "name", i.Name))
	return c.Redirect(ItemPath(i.ID))
}

// itemOf reads a form; what is wrong is noted in it.
func (p pages) itemOf(c *ui.Context, f *ui.Form, d draft) inventory.Item {
	f.Require("name")
	i := d.item.Item
	i.Kind, i.Name, i.Code, i.Model, i.Notes = d.kind, f.Value("name"), f.Value("code"), f.Value("model"), f.Value("notes")
	i.Criticality = inventory.Criticality(f.Value("criticality"))
	i.OwnerService = idOf(f, "owner_service", "inventory.place_unknown")
	i.Service, i.Site = idOf(f, "service", "inventory.place_unknown"), idOf(f, "site", "inventory.place_unknown")
	i.Supplier = idOf(f, "supplier", "inventory.supplier_unknown")
	switch typed := assist.OneLine(f.Value("owner")); {
	case typed == "":
		i.OwnerPerson = uuid.Nil
	case typed != d.item.OwnerPersonName || i.OwnerPerson == uuid.Nil:
		id, err := p.s.FindOwner(c.Ctx(), c.Scope, typed)
		if err != nil {
			f.Take(err)
		}
		i.OwnerPerson = id
	}
	asked := identifiersOf(d.kind)
	i.Identifiers = slices.DeleteFunc(slices.Clone(i.Identifiers), func(one inventory.Identifier) bool { return slices.Contains(asked, one.Kind) })
	for _, kind := range asked {
		for _, text := range inventory.SplitIdentifiers(kind, f.Value(string(kind))) {
			if strings.TrimSpace(text) == "" {
				continue
			}
			one, err := inventory.ParseIdentifier(kind, text)
			if err != nil {
				f.Take(err)
				continue
			}
			i.Identifiers = append(i.Identifiers, one)
		}
	}
	return i
}

func (p pages) edit(c *ui.Context) error {
	v, err := p.item(c)
	if err != nil {
		return err
	}
	d, err := p.draft(c, v.Kind, v.Named)
	if err != nil {
		return err
	}
	values := map[string]string{
		"name": v.Name, "code": v.Code, "model": v.Model, "notes": v.Notes, "criticality": string(v.Criticality), "owner": v.OwnerPersonName,
		"owner_service": choice(v.OwnerService), "service": choice(v.Service), "site": choice(v.Site), "supplier": choice(v.Supplier),
		"revision": strconv.FormatInt(v.Revision, 10),
	}
	for _, kind := range inventory.IdentifierKinds() {
		values[string(kind)] = strings.Join(v.Values(kind), "\n")
	}
	return c.Render(editPage(c, c.NewForm(values), d))
}

func choice(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

func (p pages) save(c *ui.Context) error {
	v, err := p.item(c)
	if err != nil {
		return err
	}
	d, err := p.draft(c, v.Kind, v.Named)
	if err != nil {
		return err
	}
	f := c.Form()
	i := p.itemOf(c, f, d)
	// The revision that the form was opened on: somebody else's change is not written over.
	if i.Revision, err = strconv.ParseInt(f.Value("revision"), 10, 64); err != nil {
		i.Revision = 0
	}
	if !f.Valid() {
		return c.Refill(f, nil, editPage(c, f, d))
	}
	if i, err = p.s.Save(c.Ctx(), c.Scope, i); err != nil {
		return c.Refill(f, err, editPage(c, f, d))
	}
	c.Flash(ui.Success, c.Loc.T("inventory.page.saved", "name", i.Name))
	return c.Redirect(ItemPath(i.ID))
}

func (p pages) retiring(c *ui.Context) error {
	v, err := p.item(c)
	if err != nil {
		return err
	}
	return c.Render(retirePage(c, v))
}

func (p pages) retire(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	i, err := p.s.Retire(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("inventory.page.retire.done", "name", i.Name))
	return c.Redirect(ItemPath(id))
}

func (p pages) putBack(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	i, err := p.s.Return(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("inventory.page.return.done", "name", i.Name))
	return c.Redirect(ItemPath(id))
}

// candidatesMost bounds what is proposed: one types a word to see others.
const candidatesMost = 30

func (p pages) linking(c *ui.Context) error {
	v, err := p.item(c)
	if err != nil {
		return err
	}
	list, err := p.s.Search(c.Ctx(), c.Scope, inventory.Filter{Text: c.FormValue("q")})
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(i inventory.Item) bool {
		return i.ID == v.ID || !v.Kind.May(i.Kind) || slices.ContainsFunc(v.Rests, func(r inventory.Item) bool { return r.ID == i.ID })
	})
	bases := v.Kind.Bases()
	slices.SortStableFunc(list, func(a, b inventory.Item) int { return slices.Index(bases, a.Kind) - slices.Index(bases, b.Kind) })
	return c.Render(linkPage(c, v, list[:min(len(list), candidatesMost)], len(list)))
}

// ends reads the item of the address and the other one, which a form names.
func (p pages) ends(c *ui.Context) (from, to uuid.UUID, err error) {
	if from, err = c.ID("id"); err != nil {
		return from, to, err
	}
	if to, err = uuid.Parse(c.FormValue("vers")); err != nil {
		err = fault.New(fault.NotFound, "inventory.not_found")
	}
	return from, to, err
}

func (p pages) link(c *ui.Context) error {
	from, to, err := p.ends(c)
	if err != nil {
		return err
	}
	if err := p.s.Link(c.Ctx(), c.Scope, from, to); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("inventory.page.linked"))
	return c.Redirect(ItemPath(from))
}

func (p pages) unlink(c *ui.Context) error {
	from, to, err := p.ends(c)
	if err != nil {
		return err
	}
	if err := p.s.Unlink(c.Ctx(), c.Scope, from, to); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("inventory.page.unlinked"))
	return c.Redirect(ItemPath(from))
}
