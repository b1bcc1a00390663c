package pages

import (
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
	"tocsin/internal/organisation/finess"
	"tocsin/internal/ui"
)

// view is what the page of the tree shows.
type view struct {
	establishment organisation.Establishment
	roots         []organisation.Branch
	// day is the date asked for, empty for now.
	day     string
	at      time.Time
	problem string
}

func (p pages) tree(c *ui.Context) error {
	v := view{at: c.Now, day: c.FormValue("au")}
	if v.day != "" {
		day, err := time.ParseInLocation(time.DateOnly, v.day, c.Zone)
		if err != nil {
			v.problem = c.Loc.T("organisation.page.date_invalid")
		} else {
			// The end of that day: what began on it shows.
			v.at = day.AddDate(0, 0, 1).Add(-time.Microsecond)
		}
	}
	var err error
	if v.establishment, err = p.establishment(c); err != nil {
		return err
	}
	if v.roots, err = p.s.Tree(c.Ctx(), c.Scope, v.at); err != nil {
		return err
	}
	return c.Render(treePage(c, v))
}

// establishment is the one worked for; before anyone described it, its name alone.
func (p pages) establishment(c *ui.Context) (organisation.Establishment, error) {
	e, err := p.s.Get(c.Ctx(), c.Scope)
	if fault.Is(err, fault.NotFound) {
		return organisation.Establishment{ID: c.Scope.Organisation(), Name: c.Visitor.Establishment.Name, Zone: c.Zone.String()}, nil
	}
	return e, err
}

func (p pages) edit(c *ui.Context) error {
	e, err := p.s.Get(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{"name": e.Name, "colour": e.Colour, "zone": e.Zone, "finess": e.FINESS.Format(), "language": e.Language, "word": e.Word})
	return c.Render(editPage(c, f))
}

func (p pages) save(c *ui.Context) error {
	f := c.Form()
	f.Require("name")
	e := organisation.Establishment{
		Name: f.Value("name"), Colour: f.Value("colour"), Zone: f.Value("zone"), Language: f.Value("language"),
		Word: f.Value("word"), FINESS: finessOf(f),
	}
	if !f.Valid() {
		return c.Refill(f, nil, editPage(c, f))
	}
	if _, err := p.s.Update(c.Ctx(), c.Scope, e); err != nil {
		return c.Refill(f, err, editPage(c, f))
	}
	c.Flash(ui.Success, c.Loc.T("organisation.page.saved", "name", e.Name))
	return c.Redirect(Path)
}

// finessOf reads the FINESS number of a form; the error lands at its field.
func finessOf(f *ui.Form) finess.Number {
	text := f.Value("finess")
	if text == "" {
		return finess.Number{}
	}
	n, err := finess.Parse(text)
	if e := fault.As(err); e != nil {
		f.Take(e.At("finess"))
	} else if err != nil {
		f.Take(err)
	}
	return n
}

func colourChoices(c *ui.Context) []ui.Choice {
	var out []ui.Choice
	for _, colour := range organisation.Palette() {
		out = append(out, ui.Choice{Value: colour, Label: c.Loc.T("organisation.page.colour." + colour[1:])})
	}
	return out
}

// zoneChoices are the French territories, and the zone already chosen when it is another.
func zoneChoices(c *ui.Context, chosen string, own bool) []ui.Choice {
	var out []ui.Choice
	if own {
		out = append(out, ui.Choice{Value: "", Label: c.Loc.T("organisation.page.zone.own")})
	}
	known := chosen == ""
	for _, z := range organisation.Zones() {
		out = append(out, ui.Choice{Value: z, Label: zoneWord(c.Loc, z)})
		known = known || z == chosen
	}
	if !known {
		out = append(out, ui.Choice{Value: chosen, Label: chosen})
	}
	return out
}

// zoneWord names a French territory; another zone is its own name.
func zoneWord(loc *i18n.Localizer, zone string) string {
	if !loc.Has("organisation.page.zone." + zone) {
		return zone
	}
	return loc.T("organisation.page.zone." + zone)
}

func languageChoices(c *ui.Context) []ui.Choice {
	return []ui.Choice{{Value: "fr", Label: c.Loc.T("common.language.fr")}, {Value: "en", Label: c.Loc.T("common.language.en")}}
}

// services counts the care services of a branch, its own excluded.
func services(b organisation.Branch) int {
	n := 0
	for _, child := range b.Children {
		if child.Kind == organisation.CareService {
			n++
		}
		n += services(child)
	}
	return n
}

// split puts apart the children that are services without children of their
// own: they are many, and shown side by side.
func split(b organisation.Branch) (rest, leaves []organisation.Branch) {
	for _, child := range b.Children {
		if child.Kind == organisation.CareService && len(child.Children) == 0 && child.Relation != organisation.Subscribes {
			leaves = append(leaves, child)
		} else {
			rest = append(rest, child)
		}
	}
	return rest, leaves
}

// detail is what stands beside a name: its code, its FINESS number.
func detail(c *ui.Context, n organisation.Node) string {
	out := n.Code
	if !n.FINESS.IsZero() {
		if out != "" {
			out += " · "
		}
		out += c.Loc.T("organisation.page.finess.short", "number", n.FINESS.Format())
	}
	return out
}

func mayWrite(c *ui.Context) bool { return c.May(access.OrganisationWrite) }
