package pages

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// changer notes a departure or takes it back.
type changer func(ctx context.Context, scope access.Scope, id uuid.UUID) error

func movedWords(c *ui.Context, said, name string) string {
	if said == "directory.page.departed" {
		return c.Loc.T("directory.page.departed", "name", name)
	}
	return c.Loc.T("directory.page.returned", "name", name)
}

const (
	// blankRows are offered for new contact points; contactRows bounds a form.
	blankRows   = 2
	contactRows = 30
)

// draft is the form of a person: who it is, and the rows of contact points.
type draft struct {
	person directory.Person // zero for somebody new
	rows   []row
	places located
	// metiers are proposed while one types.
	metiers []ui.Choice
}

// row is one contact point of the form; Shown is what is kept already.
type row struct {
	n     int
	shown directory.ContactPoint
	kept  bool
}

// name is the posted name of a field of the row.
func (r row) name(field string) string { return "contact-" + strconv.Itoa(r.n) + "-" + field }

func (p pages) draft(c *ui.Context, person directory.Person) (draft, error) {
	d := draft{person: person, metiers: p.metiers(c, "")}
	for i, k := range person.Contacts {
		d.rows = append(d.rows, row{n: i, shown: k, kept: true})
	}
	for range blankRows {
		d.rows = append(d.rows, row{n: len(d.rows)})
	}
	var err error
	d.places, err = p.places(c)
	return d, err
}

func (p pages) newPerson(c *ui.Context) error {
	d, err := p.draft(c, directory.Person{})
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{"language": "fr", "status": directory.Contractuel, "service": c.FormValue("service")})
	d.fill(f)
	return c.Render(editPage(c, f, d))
}

// fill writes the contact points in the form.
func (d draft) fill(f *ui.Form) {
	for _, r := range d.rows {
		kind := directory.Mobile
		if r.kept {
			kind = r.shown.Kind
			f.Set(r.name("label"), r.shown.Label)
			if r.shown.Private {
				f.Set(r.name("private"), "oui")
			}
			if r.shown.Shared {
				f.Set(r.name("shared"), "oui")
			}
			if !r.shown.Masked {
				f.Set(r.name("address"), address(r.shown))
			}
		}
		f.Set(r.name("kind"), kind)
		f.Set(r.name("rank"), strconv.Itoa(r.n+1))
	}
}

func (p pages) edit(c *ui.Context) error {
	person, err := p.read(c)
	if err != nil {
		return err
	}
	d, err := p.draft(c, person)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{
		"last_name": person.LastName, "first_name": person.FirstName, "matricule": person.Matricule, "rpps": person.RPPS,
		"metier": metierOf(p.d, c.Loc, person), "qualifications": strings.Join(person.Qualifications, ", "), "service": idText(person.Service),
		"site": idText(person.Site), "status": person.Status, "semester": person.Semester, "language": person.Language,
		"rest_until": dateTime(c, person.RestUntil), "contract_end": dayBefore(c, person.ContractEnd), "revision": strconv.FormatInt(person.Revision, 10),
	})
	if person.Protected {
		f.Set("protected", "oui")
	}
	f.SetList("refused", person.Refused)
	d.fill(f)
	return c.Render(editPage(c, f, d))
}

func idText(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

const dateTimeForm = "2006-01-02T15:04"

func dateTime(c *ui.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(c.Zone).Format(dateTimeForm)
}

// dayBefore shows the end of a contract as its last day.
func dayBefore(c *ui.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Add(-time.Second).In(c.Zone).Format(time.DateOnly)
}

func (p pages) addPerson(c *ui.Context) error { return p.write(c, directory.Person{}) }

func (p pages) save(c *ui.Context) error {
	person, err := p.read(c)
	if err != nil {
		return err
	}
	return p.write(c, person)
}

// write saves what was typed over what the person is.
func (p pages) write(c *ui.Context, before directory.Person) error {
	d, err := p.draft(c, before)
	if err != nil {
		return err
	}
	f := c.Form()
	d.grow(f)
	f.Require("last_name")
	after := p.typed(c, f, before)
	after.Contacts = d.contacts(c, f)
	if !f.Valid() {
		return c.Refill(f, nil, editPage(c, f, d))
	}
	saved, err := p.d.Save(c.Ctx(), c.Scope, after)
	if err != nil {
		return c.Refill(f, d.placed(c, f, err), editPage(c, f, d))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.saved", "name", saved.Name()))
	return c.Redirect(PersonPath(saved.ID))
}

// grow keeps as many rows as were posted.
func (d *draft) grow(f *ui.Form) {
	for n := len(d.rows); n < contactRows && f.Value((row{n: n}).name("address")) != ""; n++ {
		d.rows = append(d.rows, row{n: n})
	}
}

// typed is the person the form describes. A métier is recognised again only when it changed.
func (p pages) typed(c *ui.Context, f *ui.Form, before directory.Person) directory.Person {
	after := before
	after.LastName, after.FirstName = f.Value("last_name"), f.Value("first_name")
	after.Matricule, after.RPPS = f.Value("matricule"), f.Value("rpps")
	if label := f.Value("metier"); label != metierOf(p.d, c.Loc, before) {
		after.Metier, after.MetierLabel = "", label
	}
	after.Qualifications = strings.Split(f.Value("qualifications"), ",")
	after.Service, after.Site = placeOf(f, "service"), placeOf(f, "site")
	if after.Service != before.Service && after.Site == before.Site {
		after.Site = uuid.Nil // the site follows the service
	}
	after.Status, after.Semester, after.Language = f.Value("status"), f.Value("semester"), f.Value("language")
	after.Protected, after.Refused = f.Checked("protected", "oui"), f.List("refused")
	after.ContractEnd = dayOf(c, f, "contract_end")
	if !after.ContractEnd.IsZero() {
		after.ContractEnd = after.ContractEnd.AddDate(0, 0, 1)
	}
	after.RestUntil = time.Time{}
	if text := f.Value("rest_until"); text != "" {
		at, err := time.ParseInLocation(dateTimeForm, text, c.Zone)
		if err != nil {
			f.Add("rest_until", c.Loc.T("directory.page.date_invalid"))
		}
		after.RestUntil = at
	}
	if n, err := strconv.ParseInt(f.Value("revision"), 10, 64); err == nil {
		after.Revision = n
	}
	return after
}

// placeOf reads a chosen place; what is no id is said at its field.
func placeOf(f *ui.Form, name string) uuid.UUID {
	text := f.Value(name)
	if text == "" {
		return uuid.Nil
	}
	id, err := uuid.Parse(text)
	if err != nil && name == "site" {
		f.Take(fault.New(fault.Invalid, "directory.site_unknown").At(name))
	} else if err != nil {
		f.Take(fault.New(fault.Invalid, "directory.service_unknown").At(name))
	}
	return id
}

// contacts are the contact points of the form, in the order that was chosen.
// What is kept and not typed again keeps its address.
func (d draft) contacts(c *ui.Context, f *ui.Form) []directory.ContactPoint {
	type ranked struct {
		directory.ContactPoint
		order int
	}
	var list []ranked
	for _, r := range d.rows {
		text := f.Value(r.name("address"))
		if f.Checked(r.name("remove"), "oui") || text == "" && !r.kept {
			continue
		}
		k := directory.ContactPoint{Label: f.Value(r.name("label"))}
		k.Kind, k.Private, k.Shared = f.Value(r.name("kind")), f.Checked(r.name("private"), "oui"), f.Checked(r.name("shared"), "oui")
		k.Address = text
		if r.kept {
			k.ID = r.shown.ID
			if text == "" || text == address(r.shown) {
				k.Kind, k.Masked = r.shown.Kind, true
			}
		}
		list = append(list, ranked{k, f.Int(r.name("rank"), 1, contactRows)})
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(a.order, b.order) })
	out := make([]directory.ContactPoint, len(list))
	for i, k := range list {
		out[i] = k.ContactPoint
	}
	return out
}

// placed moves the error about a contact point to the row it is about.
func (d draft) placed(c *ui.Context, f *ui.Form, err error) error {
	e := fault.As(err)
	if e == nil || e.Field != "contact" {
		return err
	}
	for _, r := range d.rows {
		text := f.Value(r.name("address"))
		if text == "" || f.Checked(r.name("remove"), "oui") || r.kept && text == address(r.shown) {
			continue
		}
		if wrong := directory.CheckAddress(f.Value(r.name("kind")), text, c.Zone.String()); wrong != nil {
			return e.At(r.name("address"))
		}
	}
	return e.At("")
}
