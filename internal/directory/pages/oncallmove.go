package pages

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"tocsin/internal/directory/oncall"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// turnDraft is what the form of a rotation rests on.
type turnDraft struct {
	rota
	rotation oncall.Rotation
	index    int // -1 for a new one
}

func (p pages) turnDraft(c *ui.Context) (turnDraft, error) {
	v, err := p.rota(c)
	d := turnDraft{rota: v, index: -1}
	if err != nil || c.PathValue("tour") == "" {
		return d, err
	}
	id, err := c.ID("tour")
	if err != nil {
		return d, err
	}
	d.index = slices.IndexFunc(v.Function.Rotations, func(r oncall.Rotation) bool { return r.ID == id })
	if d.index < 0 {
		return d, fault.New(fault.NotFound, "directory.oncall.rotation_not_found")
	}
	d.rotation = v.Function.Rotations[d.index]
	return d, nil
}

func (p pages) newRotation(c *ui.Context) error {
	d, err := p.turnDraft(c)
	if err != nil {
		return err
	}
	today := oncall.DayOf(c.Now, d.zone)
	return c.Render(rotationForm(c, c.NewForm(map[string]string{
		"start": today.String(), "handover": "08:00", "every": "1", "unit": string(oncall.Weekly), "hours.from": "18:30", "hours.to": "08:30",
		"revision": strconv.FormatInt(d.Function.Revision, 10),
	}), d))
}

func (p pages) editRotation(c *ui.Context) error {
	d, err := p.turnDraft(c)
	if err != nil {
		return err
	}
	var members []string
	for _, id := range d.rotation.Members {
		if a, known := d.People[id]; known {
			members = append(members, a.Label())
		}
	}
	f := c.NewForm(map[string]string{
		"name": d.rotation.Name, "start": d.rotation.Start.String(), "until": d.rotation.Until.String(), "handover": d.rotation.Handover.String(),
		"every": strconv.Itoa(d.rotation.Every), "unit": string(d.rotation.Unit), "members": strings.Join(members, "\n"),
		"revision": strconv.FormatInt(d.Function.Revision, 10),
	})
	fillHours(f, "hours", d.rotation.Hours)
	return c.Render(rotationForm(c, f, d))
}

func (p pages) saveRotation(c *ui.Context) error {
	d, err := p.turnDraft(c)
	if err != nil {
		return err
	}
	f := c.Form()
	r, err := p.rotationOf(c, f, d.rotation)
	if err == nil {
		err = p.keepRotation(c, f, d, r)
	}
	if err != nil {
		return c.Refill(f, err, rotationForm(c, f, d))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.oncall.saved", "name", d.Function.Name))
	return c.Redirect(functionPath(d.Function.ID, ""))
}

func (p pages) keepRotation(c *ui.Context, f *ui.Form, d turnDraft, r oncall.Rotation) error {
	revision, err := strconv.ParseInt(f.Value("revision"), 10, 64)
	if err != nil {
		return fault.Wrap(err, fault.Conflict, "directory.changed_since")
	}
	changed := d.Function
	changed.Revision, changed.Rotations = revision, slices.Clone(changed.Rotations)
	if d.index < 0 {
		changed.Rotations = append(changed.Rotations, r)
	} else {
		changed.Rotations[d.index] = r
	}
	_, err = p.desk.Save(c.Ctx(), c.Scope, changed)
	return err
}

// rotationOf reads the form of a rotation; its id stays.
func (p pages) rotationOf(c *ui.Context, f *ui.Form, r oncall.Rotation) (oncall.Rotation, error) {
	var err error
	r.Name, r.Unit, r.Every = f.Value("name"), oncall.Unit(f.Value("unit")), f.Int("every", 1, 1000)
	if r.Start, err = oncall.ParseDay(f.Value("start")); err != nil {
		return r, fault.Wrap(err, fault.Invalid, "directory.oncall.start").At("start")
	}
	r.Until = 0
	if text := f.Value("until"); text != "" {
		if r.Until, err = oncall.ParseDay(text); err != nil {
			return r, fault.Wrap(err, fault.Invalid, "directory.oncall.until").At("until")
		}
	}
	if r.Handover, err = oncall.ParseHour(f.Value("handover")); err != nil {
		return r, fault.Wrap(err, fault.Invalid, "directory.oncall.hour").At("handover")
	}
	if r.Hours, err = hoursOf(f, "hours"); err != nil {
		return r, err
	}
	var typed []string
	for line := range strings.Lines(f.Value("members")) {
		if line = strings.TrimSpace(line); line != "" {
			typed = append(typed, line)
		}
	}
	found, err := p.desk.Find(c.Ctx(), c.Scope, typed)
	if err != nil {
		return r, at(err, "members")
	}
	r.Members = nil
	for _, a := range found {
		r.Members = append(r.Members, a.ID)
	}
	return r, nil
}

// raiseRotation gives a rotation the place of the one before it.
func (p pages) raiseRotation(c *ui.Context) error {
	d, err := p.turnDraft(c)
	if err != nil {
		return err
	}
	if d.index > 0 {
		changed := d.Function
		changed.Rotations = slices.Clone(changed.Rotations)
		changed.Rotations[d.index], changed.Rotations[d.index-1] = changed.Rotations[d.index-1], changed.Rotations[d.index]
		if _, err := p.desk.Save(c.Ctx(), c.Scope, changed); err != nil {
			return err
		}
	}
	return c.Redirect(functionPath(d.Function.ID, "") + "#tours")
}

func (p pages) droppingRotation(c *ui.Context) error {
	d, err := p.turnDraft(c)
	if err != nil {
		return err
	}
	return c.Render(dropRotationPage(c, d))
}

func (p pages) dropRotation(c *ui.Context) error {
	d, err := p.turnDraft(c)
	if err != nil {
		return err
	}
	changed := d.Function
	changed.Rotations = slices.Delete(slices.Clone(changed.Rotations), d.index, d.index+1)
	if _, err := p.desk.Save(c.Ctx(), c.Scope, changed); err != nil {
		return err
	}
	return c.Redirect(functionPath(d.Function.ID, ""))
}

func unitChoices(c *ui.Context) []ui.Choice {
	var out []ui.Choice
	for _, u := range []oncall.Unit{oncall.Weekly, oncall.Daily, oncall.Hourly} {
		out = append(out, ui.Choice{Value: string(u), Label: c.Loc.T("directory.page.oncall.unit." + string(u))})
	}
	return out
}

func (p pages) replacing(c *ui.Context) error {
	v, err := p.rota(c)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{"from": c.Now.In(v.zone).Format(localMoment)})
	if !v.Standing.Endless {
		f.Set("to", v.Standing.Until.In(v.zone).Format(localMoment))
	}
	return c.Render(replacementForm(c, f, v))
}

func (p pages) replace(c *ui.Context) error {
	v, err := p.rota(c)
	if err != nil {
		return err
	}
	f := c.Form()
	r := oncall.Replacement{Function: v.Function.ID}
	r.Person, r.From, r.To, err = p.portion(c, f, v, "")
	if err == nil {
		_, err = p.desk.Replace(c.Ctx(), c.Scope, r)
	}
	if err != nil {
		return c.Refill(f, err, replacementForm(c, f, v))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.oncall.replaced"))
	return c.Redirect(functionPath(v.Function.ID, ""))
}

// portion reads who, from when and until when, by the wall clock of the function.
func (p pages) portion(c *ui.Context, f *ui.Form, v rota, prefix string) (who uuid.UUID, from, to time.Time, err error) {
	found, err := p.desk.Find(c.Ctx(), c.Scope, []string{f.Value(prefix + "person")})
	if err != nil {
		return who, from, to, at(err, prefix+"person")
	}
	for name, into := range map[string]*time.Time{"from": &from, "to": &to} {
		if *into, err = localInstant(f.Value(prefix+name), v.zone); err != nil {
			return who, from, to, fault.Wrap(err, fault.Invalid, "directory.oncall.moment").At(prefix + name)
		}
	}
	return found[0].ID, from, to, nil
}

// localInstant reads what a datetime-local field posts.
func localInstant(text string, zone *time.Location) (time.Time, error) {
	day, hour, _ := strings.Cut(text, "T")
	d, err := oncall.ParseDay(day)
	if err != nil {
		return time.Time{}, err
	}
	h, err := oncall.ParseHour(hour)
	return d.At(h, zone), err
}

func (p pages) withdraw(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	r, err := c.ID("remplacement")
	if err != nil {
		return err
	}
	if err := p.desk.Withdraw(c.Ctx(), c.Scope, id, r); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.oncall.withdrawn"))
	return c.Redirect(functionPath(id, ""))
}

func (p pages) swapping(c *ui.Context) error {
	v, err := p.rota(c)
	if err != nil {
		return err
	}
	picked := map[string]string{}
	for _, name := range swapFields() {
		picked[name] = c.Query().Get(name)
	}
	return c.Render(swapForm(c, c.NewForm(picked), v))
}

// swapFields are those of the form of an exchange.
func swapFields() []string {
	return []string{"person", "from", "to", "other.person", "other.from", "other.to"}
}

// pick is the address of the form with a turn in one of its halves, and what was
// chosen before in the other.
func (v rota) pick(f *ui.Form, half string, s oncall.Span) string {
	q := url.Values{}
	for _, name := range swapFields() {
		if text := f.Value(name); text != "" {
			q.Set(name, text)
		}
	}
	q.Set(half+"person", v.People[s.Person].Label())
	q.Set(half+"from", s.From.In(v.zone).Format(localMoment))
	q.Set(half+"to", s.To.In(v.zone).Format(localMoment))
	return functionPath(v.Function.ID, "/echange") + "?" + q.Encode()
}

// pickLabel says which turn a button takes, to who does not see its line.
func pickLabel(c *ui.Context, v rota, s oncall.Span, key string) templ.Attributes {
	return templ.Attributes{"aria-label": c.Loc.T(key, "name", v.who(c, s.Person), "from", brief(c, s.From, v.zone))}
}

// weekColumns are those of the weeks to come, with one more where a turn is chosen.
func weekColumns(c *ui.Context, picks *ui.Form) []ui.Column {
	out := []ui.Column{
		{Label: c.Loc.T("directory.page.oncall.from")},
		{Label: c.Loc.T("directory.page.oncall.to")},
		{Label: c.Loc.T("directory.page.oncall.holder")},
		{Label: c.Loc.T("directory.page.oncall.how")},
		{Label: c.Loc.T("directory.page.oncall.holidays")},
	}
	if picks != nil {
		out = append(out, ui.Column{Label: c.Loc.T("directory.page.acts")})
	}
	return out
}

func (p pages) swap(c *ui.Context) error {
	v, err := p.rota(c)
	if err != nil {
		return err
	}
	f := c.Form()
	x := oncall.Swap{Function: v.Function.ID}
	if x.Person, x.From, x.To, err = p.portion(c, f, v, ""); err == nil {
		x.Other, x.OtherFrom, x.OtherTo, err = p.portion(c, f, v, "other.")
	}
	if err == nil {
		_, err = p.desk.ProposeSwap(c.Ctx(), c.Scope, x)
	}
	if e := fault.As(err); e != nil && e.Field == "other" {
		err = e.At("other.person")
	}
	if err != nil {
		return c.Refill(f, err, swapForm(c, f, v))
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.oncall.swap.proposed"))
	return c.Redirect(functionPath(v.Function.ID, "") + "#echanges")
}

func (p pages) acceptSwap(c *ui.Context) error { return p.settleSwap(c, true) }

func (p pages) refuseSwap(c *ui.Context) error { return p.settleSwap(c, false) }

func (p pages) settleSwap(c *ui.Context, accept bool) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	swap, err := c.ID("echange")
	if err != nil {
		return err
	}
	err = p.desk.SettleSwap(c.Ctx(), c.Scope, id, swap, accept)
	switch {
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.Conflict):
		c.Flash(ui.Alert, c.Loc.Fault(err))
	case err != nil:
		return err
	case accept:
		c.Flash(ui.Success, c.Loc.T("directory.page.oncall.swap.accepted"))
	default:
		c.Flash(ui.Success, c.Loc.T("directory.page.oncall.swap.refused"))
	}
	return c.Redirect(functionPath(id, ""))
}
