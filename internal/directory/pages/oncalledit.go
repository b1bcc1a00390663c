package pages

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// chainLevels are the levels a form offers after the first.
const chainLevels = directory.OnCallLevelsMost - 1

// functionDraft is what the form of a function rests on.
type functionDraft struct {
	oncall.Function
	sites, steps []ui.Choice
}

// functionDraft reads the function of the address, or begins a new one.
func (p pages) functionDraft(c *ui.Context) (d functionDraft, err error) {
	if c.PathValue("id") != "" {
		id, err := c.ID("id")
		if err != nil {
			return d, err
		}
		if d.Function, err = p.desk.Function(c.Ctx(), c.Scope, id); err != nil {
			return d, err
		}
	}
	places, err := p.places(c)
	if err != nil {
		return d, err
	}
	d.sites = append([]ui.Choice{{Value: "", Label: c.Loc.T("directory.page.oncall.everywhere")}}, places.sites...)
	all, err := p.desk.Functions(c.Ctx(), c.Scope)
	if err != nil {
		return d, err
	}
	d.steps = []ui.Choice{{Value: "", Label: c.Loc.T("directory.page.oncall.step.none")}}
	for _, f := range all {
		if f.ID != d.ID {
			d.steps = append(d.steps, ui.Choice{Value: string(oncall.ToFunction) + stepSeparation + f.ID.String(), Label: f.Name, Group: c.Loc.T("directory.page.oncall.title")})
		}
	}
	groups, err := p.d.Groups(c.Ctx(), c.Scope)
	for _, g := range groups {
		d.steps = append(d.steps, ui.Choice{Value: string(oncall.ToGroup) + stepSeparation + g.ID.String(), Label: g.Name, Group: c.Loc.T("directory.page.groups")})
	}
	return d, err
}

// functionsOnly are the steps without the groups: a group stands in for nobody.
func (d functionDraft) functionsOnly() []ui.Choice {
	return slices.DeleteFunc(slices.Clone(d.steps), func(ch ui.Choice) bool { return strings.HasPrefix(ch.Value, string(oncall.ToGroup)) })
}

func (p pages) newFunction(c *ui.Context) error {
	d, err := p.functionDraft(c)
	if err != nil {
		return err
	}
	return c.Render(functionForm(c, c.NewForm(map[string]string{"needed.from": "18:30", "needed.to": "08:30"}), d))
}

func (p pages) editFunction(c *ui.Context) error {
	d, err := p.functionDraft(c)
	if err != nil {
		return err
	}
	people, err := p.desk.People(c.Ctx(), c.Scope, steps(d.Function))
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{"name": d.Name, "calendar": string(d.Calendar), "revision": strconv.FormatInt(d.Revision, 10)})
	if d.Site != uuid.Nil {
		f.Set("site", d.Site.String())
	}
	fillHours(f, "needed", d.Needed)
	fillStep(f, "fallback", d.Fallback, people)
	for i, s := range d.Chain {
		fillStep(f, "level"+strconv.Itoa(i+2), s, people)
	}
	return c.Render(functionForm(c, f, d))
}

// steps are the people whom the fallback and the chain name.
func steps(f oncall.Function) (out []uuid.UUID) {
	for _, s := range append([]oncall.Step{f.Fallback}, f.Chain...) {
		if s.Kind == oncall.ToPerson {
			out = append(out, s.ID)
		}
	}
	return out
}

func fillStep(f *ui.Form, name string, s oncall.Step, people map[uuid.UUID]oncall.Agent) {
	if s.Kind == oncall.ToPerson {
		f.Set(name+".person", people[s.ID].Label())
	} else if s.Kind != "" {
		f.Set(name, string(s.Kind)+stepSeparation+s.ID.String())
	}
}

// stepOf reads a step: the person typed, else what was chosen.
func (p pages) stepOf(c *ui.Context, f *ui.Form, name string) (oncall.Step, error) {
	if typed := f.Value(name + ".person"); typed != "" {
		found, err := p.desk.Find(c.Ctx(), c.Scope, []string{typed})
		if err != nil {
			return oncall.Step{}, at(err, name+".person")
		}
		return oncall.Step{Kind: oncall.ToPerson, ID: found[0].ID}, nil
	}
	kind, text, _ := strings.Cut(f.Value(name), stepSeparation)
	if kind == "" {
		return oncall.Step{}, nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return oncall.Step{}, fault.Wrap(err, fault.Invalid, "directory.oncall.step_unknown").At(name)
	}
	return oncall.Step{Kind: oncall.StepKind(kind), ID: id}, nil
}

// at moves a fault to the field of a form.
func at(err error, field string) error {
	if e := fault.As(err); e != nil && fault.Is(err, fault.Invalid) {
		return e.At(field)
	}
	return err
}

func fillHours(f *ui.Form, name string, h oncall.Hours) {
	for part, on := range map[string]bool{".nights": h.Nights, ".weekends": h.Weekends, ".holidays": h.Holidays} {
		if on {
			f.Set(name+part, "oui")
		}
	}
	if h.Nights {
		f.Set(name+".from", h.From.String())
		f.Set(name+".to", h.To.String())
	}
}

// hoursOf reads hours; an hour that is none is midnight, which the page shows again.
func hoursOf(f *ui.Form, name string) (oncall.Hours, error) {
	h := oncall.Hours{Nights: f.Checked(name+".nights", "oui"), Weekends: f.Checked(name+".weekends", "oui"), Holidays: f.Checked(name+".holidays", "oui")}
	if !h.Nights {
		return h, nil
	}
	for field, into := range map[string]*oncall.Hour{".from": &h.From, ".to": &h.To} {
		var err error
		if *into, err = oncall.ParseHour(f.Value(name + field)); err != nil {
			return h, fault.Wrap(err, fault.Invalid, "directory.oncall.hour").At(name + field)
		}
	}
	return h, nil
}

func (p pages) saveFunction(c *ui.Context) error {
	d, err := p.functionDraft(c)
	if err != nil {
		return err
	}
	f := c.Form()
	changed, err := p.functionOf(c, f, d.Function)
	if err == nil {
		changed, err = p.desk.Save(c.Ctx(), c.Scope, changed)
	}
	if err != nil {
		return c.Refill(f, err, functionForm(c, f, d))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.oncall.saved", "name", changed.Name))
	if d.ID == uuid.Nil {
		return c.Redirect(functionPath(changed.ID, "/tours/nouveau"))
	}
	return c.Redirect(functionPath(changed.ID, ""))
}

// functionOf reads the form over what the function is: rotations stay.
func (p pages) functionOf(c *ui.Context, f *ui.Form, out oncall.Function) (oncall.Function, error) {
	out.Name, out.Calendar, out.Site = f.Value("name"), oncall.Calendar(f.Value("calendar")), optional(f.Value("site"))
	out.Zone = "" // that of the place
	if out.ID != uuid.Nil {
		revision, err := strconv.ParseInt(f.Value("revision"), 10, 64)
		if err != nil {
			return out, fault.Wrap(err, fault.Conflict, "directory.changed_since")
		}
		out.Revision = revision
	}
	var err error
	if out.Needed, err = hoursOf(f, "needed"); err != nil {
		return out, err
	}
	if out.Fallback, err = p.stepOf(c, f, "fallback"); err != nil {
		return out, err
	}
	out.Chain = nil
	for level := 2; level < 2+chainLevels; level++ {
		s, err := p.stepOf(c, f, "level"+strconv.Itoa(level))
		if err != nil {
			return out, err
		}
		if s.Kind != "" {
			out.Chain = append(out.Chain, s)
		}
	}
	return out, nil
}

func (p pages) deletingFunction(c *ui.Context) error {
	v, err := p.rota(c)
	if err != nil {
		return err
	}
	called, err := p.desk.CalledBy(c.Ctx(), c.Scope, v.Function.ID, string(c.Loc.Language()))
	if err != nil {
		return err
	}
	return c.Render(deleteFunctionPage(c, v, called))
}

func (p pages) deleteFunction(c *ui.Context) error {
	v, err := p.rota(c)
	if err != nil {
		return err
	}
	err = p.desk.Delete(c.Ctx(), c.Scope, v.Function.ID)
	if fault.Is(err, fault.Conflict) {
		c.Flash(ui.Alert, c.Loc.Fault(err))
		return c.Redirect(functionPath(v.Function.ID, ""))
	}
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.oncall.deleted", "name", v.Function.Name))
	return c.Redirect(OnCallPath)
}

func calendarChoices(c *ui.Context) []ui.Choice {
	out := []ui.Choice{{Value: "", Label: c.Loc.T("directory.page.oncall.calendar.place")}}
	for _, k := range oncall.Calendars() {
		out = append(out, ui.Choice{Value: string(k), Label: c.Loc.T("directory.page.oncall.calendar." + string(k))})
	}
	return out
}

func functionTitle(c *ui.Context, d functionDraft) string {
	if d.ID == uuid.Nil {
		return c.Loc.T("directory.page.oncall.new")
	}
	return c.Loc.T("directory.page.edit", "name", d.Name)
}
