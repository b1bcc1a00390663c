package alerts

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/traces/cases"
	"tocsin/internal/ui"
)

// roll is the list of cases with the figures.
type roll struct {
	cases.List
	q       ui.Query
	figures []cases.Figures
	// explained is the share that the care explains, of all and by service.
	explained cases.Explained
	services  []cases.Explained
	gate      cases.Gate
	watch     Watching
	watched   bool
	pager     ui.Pager
}

// filtered tells that the visitor chose something.
func (r roll) filtered() bool {
	return r.q.Get("etat") != "" || r.q.Get("type") != "" || r.q.Get("a") != "" || r.q.Get("regle") != ""
}

func (p pages) list(c *ui.Context) (err error) {
	r := roll{q: c.Query()}
	f := cases.Filter{State: r.q.Get("etat"), Kind: cases.Kind(r.q.Get("type")), Rule: r.q.Get("regle"), Mine: r.q.Get("a") == "moi", Page: r.q.Page()}
	if f.State == "" {
		f.State = "open"
	}
	if f.State == "toutes" {
		f.State = ""
	}
	if r.List, err = p.o.Cases.Find(c.Ctx(), c.Scope, f); err != nil {
		return err
	}
	if c.May(access.TracesCasesPatient) {
		if r.explained, r.services, err = p.o.Cases.ExplainedShare(c.Ctx(), c.Scope); err != nil {
			return err
		}
	}
	if r.figures, err = p.o.Cases.Figures(c.Ctx(), c.Scope); err != nil {
		return err
	}
	if r.gate, err = p.o.Cases.Gate(c.Ctx(), c.Scope); err != nil {
		return err
	}
	r.watch, r.watched = p.o.Watch()
	r.pager = r.q.Pager(r.Total, cases.PageSize)
	return c.Render(p.listPage(c, r))
}

// both tells that the visitor answers for both kinds.
func both(c *ui.Context) bool {
	return c.May(access.TracesCasesPatient) && c.May(access.TracesCasesSystem)
}

func stateChoices(c *ui.Context) []ui.Choice {
	out := []ui.Choice{{Value: "toutes", Label: c.Loc.T("traces.alerts.state.all")}}
	for _, s := range cases.States() {
		out = append(out, ui.Choice{Value: string(s), Label: stateWord(c, s)})
	}
	return out
}

func kindChoices(c *ui.Context) (out []ui.Choice) {
	for _, k := range cases.Kinds() {
		out = append(out, ui.Choice{Value: string(k), Label: kindWord(c, k)})
	}
	return out
}

func stateWord(c *ui.Context, s cases.State) string {
	return c.Loc.T("traces.alerts.state." + string(s))
}

func kindWord(c *ui.Context, k cases.Kind) string {
	return c.Loc.T("traces.alerts.kind." + string(k))
}

func stateTone(s cases.State) ui.Tone {
	switch s {
	case cases.Waiting:
		return ui.Attention
	case cases.Assigned:
		return ui.Information
	case cases.Confirmed:
		return ui.Alert
	case cases.Justified, cases.Dismissed:
	}
	return ui.Neutral
}

// weightTone goes with the weight: shape and word say it too.
func weightTone(weight int) ui.Tone {
	switch {
	case weight >= 90:
		return ui.Critical
	case weight >= 70:
		return ui.Alert
	case weight >= 40:
		return ui.Attention
	}
	return ui.Information
}

// dossier is a case on its page, with what was typed and refused.
type dossier struct {
	cases.Sheet
	verdict, assign, note, reopen *ui.Form
}

func (p pages) open(c *ui.Context) (d dossier, err error) {
	id, err := c.ID("id")
	if err != nil {
		return d, err
	}
	if d.Sheet, err = p.o.Cases.Look(c.Ctx(), c.Scope, id); err != nil {
		return d, err
	}
	d.verdict, d.note, d.reopen = c.NewForm(nil).As("v"), c.NewForm(nil).As("n"), c.NewForm(nil).As("r")
	to := d.AssignedID
	if to == uuid.Nil {
		to = c.Scope.Actor().ID
	}
	d.assign = c.NewForm(map[string]string{"to": to.String()}).As("a")
	return d, nil
}

func (p pages) sheet(c *ui.Context) error {
	d, err := p.open(c)
	if err != nil {
		return err
	}
	return c.Render(p.sheetPage(c, d))
}

// acted goes back to the sheet, or shows it with what was refused.
func (p pages) acted(c *ui.Context, id uuid.UUID, err error, f *ui.Form, put func(d *dossier, f *ui.Form), said string) error {
	if err == nil {
		c.Flash(ui.Success, said)
		return c.Redirect(CasePath(id))
	}
	d, openErr := p.open(c)
	if openErr != nil {
		return openErr
	}
	put(&d, f)
	return c.Refill(f, err, p.sheetPage(c, d))
}

func (p pages) assign(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("a")
	to, err := uuid.Parse(f.Value("to"))
	if err != nil {
		to = uuid.Nil
	}
	return p.acted(c, id, p.o.Cases.Assign(c.Ctx(), c.Scope, id, to), f, func(d *dossier, f *ui.Form) { d.assign = f }, c.Loc.T("traces.alerts.done.assign"))
}

func (p pages) note(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("n")
	return p.acted(c, id, p.o.Cases.Note(c.Ctx(), c.Scope, id, f.Value("note")), f, func(d *dossier, f *ui.Form) { d.note = f }, c.Loc.T("traces.alerts.done.note"))
}

func (p pages) decide(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("v")
	v := cases.Verdict{State: cases.State(f.Value("state")), Reason: f.Value("reason"), Followed: f.Value("followed")}
	return p.acted(c, id, p.o.Cases.Decide(c.Ctx(), c.Scope, id, v), f, func(d *dossier, f *ui.Form) { d.verdict = f }, c.Loc.T("traces.alerts.done.decide"))
}

func (p pages) reopen(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("r")
	return p.acted(c, id, p.o.Cases.Reopen(c.Ctx(), c.Scope, id, f.Value("reason")), f, func(d *dossier, f *ui.Form) { d.reopen = f }, c.Loc.T("traces.alerts.done.reopen"))
}

func (d dossier) people() (out []ui.Choice) {
	for _, person := range d.Others {
		out = append(out, ui.Choice{Value: person.ID.String(), Label: person.Name})
	}
	return out
}

func verdicts(c *ui.Context) (out []ui.Choice) {
	for _, s := range []cases.State{cases.Justified, cases.Confirmed, cases.Dismissed} {
		out = append(out, ui.Choice{Value: string(s), Label: stateWord(c, s), Hint: c.Loc.T("traces.alerts.verdict." + string(s))})
	}
	return out
}

// steps are what was done, the opening first.
func (d dossier) steps(c *ui.Context) []ui.Event {
	out := []ui.Event{{At: d.Opened, When: c.Loc.DateTime(d.Opened, c.Zone), Tone: ui.Attention, Title: c.Loc.T("traces.alerts.step.opened")}}
	for _, s := range d.Steps {
		title := c.Loc.T("traces.alerts.step." + s.Act)
		if s.By != "" {
			title = c.Loc.T("traces.alerts.step.by", "act", title, "who", s.By)
		}
		out = append(out, ui.Event{At: s.At, When: c.Loc.DateTime(s.At, c.Zone), Tone: ui.Information, Title: title, Text: s.Said})
	}
	return out
}

func (p pages) kind(c *ui.Context) (cases.Settings, error) {
	k := cases.Kind(c.PathValue("type"))
	if !slices.Contains(cases.Kinds(), k) {
		k = cases.Patient
	}
	return p.o.Cases.Settings(c.Ctx(), c.Scope, k)
}

func (p pages) settings(c *ui.Context) error {
	s, err := p.kind(c)
	if err != nil {
		return err
	}
	scenarios, err := p.o.Scenarios(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	values := map[string]string{
		"opens_from": strconv.Itoa(s.OpensFrom), "alerts_from": strconv.Itoa(s.AlertsFrom), "alerts_hour": strconv.Itoa(s.AlertsHour), "keep_months": strconv.Itoa(s.KeepMonths), "mode": s.Mode,
	}
	if s.Alerts {
		values["alerts"] = "oui"
	}
	if s.Scenario != uuid.Nil {
		values["scenario"] = s.Scenario.String()
	}
	return c.Render(settingsPage(c, c.NewForm(values), s, scenarios))
}

func (p pages) set(c *ui.Context) error {
	s, err := p.kind(c)
	if err != nil {
		return err
	}
	scenarios, err := p.o.Scenarios(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	f := c.Form()
	s.OpensFrom, s.AlertsFrom, s.AlertsHour, s.KeepMonths = f.Int("opens_from", 1, 100), f.Int("alerts_from", 1, 100), f.Int("alerts_hour", 1, 20), f.Int("keep_months", 1, 60)
	s.Alerts, s.Mode, s.Scenario = f.Checked("alerts", "oui"), f.Value("mode"), uuid.Nil
	if id, err := uuid.Parse(f.Value("scenario")); err == nil && slices.ContainsFunc(scenarios, func(ch ui.Choice) bool { return ch.Value == id.String() }) {
		s.Scenario = id
	}
	if !f.Valid() {
		return c.Refill(f, nil, settingsPage(c, f, s, scenarios))
	}
	if err := p.o.Cases.Set(c.Ctx(), c.Scope, s); err != nil {
		return c.Refill(f, err, settingsPage(c, f, s, scenarios))
	}
	c.Flash(ui.Success, c.Loc.T("traces.alerts.settings.done"))
	return c.Redirect(Path)
}

// maySet tells who says when cases of a kind alert.
func maySet(c *ui.Context, k cases.Kind) bool {
	if k == cases.System {
		return c.May(access.TracesRules)
	}
	return c.May(access.TracesGovern)
}

func modeChoices(c *ui.Context) []ui.Choice {
	return []ui.Choice{{Value: "reel", Label: c.Loc.T("traces.alerts.mode.reel")}, {Value: "exercice", Label: c.Loc.T("traces.alerts.mode.exercice")}, {Value: "test", Label: c.Loc.T("traces.alerts.mode.test")}}
}

// place says with what it was done.
func place(cs cases.Case) string {
	var parts []string
	for _, s := range []string{cs.Application, cs.Workstation, cs.Device} {
		if s != "" && !slices.Contains(parts, s) {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}
