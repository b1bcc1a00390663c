package pages

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
	"tocsin/internal/wire/gsm"
)

// editor is one section of a scenario being written.
type editor struct {
	scenarioPages
	Scenario alerting.Scenario
	// Def is the scenario with what was typed, kept or not.
	Def     alerting.Definition
	Section string
	// Use is the text being written, in the section of texts.
	Use      alerting.Use
	Form     *ui.Form
	Problems []problem
	Previews []alerting.Preview
	probe    []alerting.Preview
	Choices  picker
	// Rooms are the rooms of teams that can be told.
	Rooms []ui.Choice
	// Open is the field of the rule whose boxes are shown, in sections with several.
	Open string
	// Unsaved tells that the page shows what is not kept yet, Refused that it
	// could not be: the summary then says why instead of the list of faults.
	Unsaved, Refused bool
	// Counts are the people each rule of the section chooses today, by field.
	Counts map[string]int
}

// The posted names of the editor. actionField says which button was pressed:
// a word, and what it is about after a dot.
const (
	actionField  = "action"
	baseField    = "base"
	actSave      = "enregistrer"
	actCheck     = "verifier"
	actAdd       = "ajouter"
	actDrop      = "retirer"
	actUp        = "monter"
	actWho       = "qui"
	actPlain     = "simple"
	useParameter = "texte"
)

// open reads the scenario and the section of the address.
func (p scenarioPages) open(c *ui.Context) (editor, error) {
	e := editor{scenarioPages: p, Section: c.PathValue("section"), Use: alerting.UseAlert, Counts: map[string]int{}}
	id, err := c.ID("id")
	if err != nil {
		return e, err
	}
	if e.Scenario, e.Def, err = p.s.Scenario(c.Ctx(), c.Scope, id); err != nil {
		return e, err
	}
	if e.Section == "" {
		e.Section = sectionOverview
	}
	rooms, err := p.s.TeamRooms(c.Ctx(), c.Scope)
	if err != nil {
		return e, err
	}
	for _, r := range rooms {
		e.Rooms = append(e.Rooms, ui.Choice{Value: r.ID.String(), Label: r.Name})
	}
	if !slices.Contains(sections(), e.Section) {
		return e, noScenario()
	}
	if use := alerting.Use(c.Query().Get(useParameter)); slices.Contains(uses(), use) {
		e.Use = use
	}
	return e, nil
}

// here is the address of the section, of the same text.
func (e *editor) here() string {
	path := editPath(e.Scenario.ID, e.Section)
	if e.Section == sectionTexts {
		path += "?" + useParameter + "=" + string(e.Use)
	}
	return path
}

// edit shows a section as it is kept.
func (p scenarioPages) edit(c *ui.Context) error {
	e, err := p.open(c)
	if err != nil {
		return err
	}
	e.Form = c.NewForm(nil)
	e.fill(e.Form)
	e.Form.Set(baseField, strconv.Itoa(e.Scenario.Version))
	if err := e.look(c); err != nil {
		return err
	}
	return c.Render(editPage(c, &e))
}

// change adds or moves a line, checks, or keeps a new version.
func (p scenarioPages) change(c *ui.Context) error {
	e, err := p.open(c)
	if err != nil {
		return err
	}
	act, about, _ := strings.Cut(c.FormValue(actionField), ".")
	e.arrange(c.Request.PostForm, act, about)
	e.Form = c.Form()
	before := e.Def
	e.Def = e.apply(c, e.Form, before)
	e.Unsaved = true
	if act == actWho {
		e.Open = about
	}
	// A line added or moved keeps what was typed, right or wrong.
	e.Refused = !e.Form.Valid() && (act == actSave || act == actCheck)
	if err := e.look(c); err != nil {
		return err
	}
	switch {
	case e.Refused:
		return c.Refill(e.Form, nil, editPage(c, &e))
	case act != actSave:
		return c.Render(editPage(c, &e))
	case unchanged(before, e.Def):
		c.Flash(ui.Information, c.Loc.T("alerting.scenario.edit.unchanged"))
		return c.Redirect(e.here())
	}
	sc, err := p.s.SaveScenario(c.Ctx(), c.Scope, c.Now, e.Scenario.ID, e.Form.Int(baseField, 1, 1_000_000), e.Def)
	if err != nil {
		e.Refused = true
		return c.Refill(e.Form, atEditor(err), editPage(c, &e))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.scenario.edit.saved", "version", sc.Version))
	return c.Redirect(e.here())
}

// atEditor puts the fault of a title at the field that was typed.
func atEditor(err error) error {
	if f := fault.As(err); f != nil && f.Field == "title" {
		return f.At("title.fr")
	}
	return err
}

// arrange does on the posted fields what a button about a line asks.
func (e *editor) arrange(values url.Values, act, about string) {
	n, err := strconv.Atoi(about)
	list := listOf(e.Section)
	switch {
	case act == actPlain:
		values.Set(about, gsm.Plain(values.Get(about)))
	case list == "":
	case act == actAdd:
		addRow(values, list)
	case err != nil:
	case act == actDrop:
		dropRow(values, list, n)
	case act == actUp:
		swapRows(values, list, n-1, n)
	}
}

// look gathers what the page shows beside the fields.
func (e *editor) look(c *ui.Context) error {
	e.Problems = e.problems(c, e.Def)
	for _, pr := range e.Problems {
		if pr.Section == e.Section && (e.Section != sectionTexts || strings.HasPrefix(pr.Field, "messages."+string(e.Use)+".")) {
			e.Form.Add(pr.Field, pr.Text)
		}
	}
	var err error
	switch e.Section {
	case sectionTexts:
		err = e.compose(c)
	case sectionAudience, sectionWaves, sectionQuotas:
		if e.Choices, err = e.picker(c); err == nil {
			err = e.count(c)
		}
	}
	return err
}

// compose makes the previews, and learns what stands for each blank.
func (e *editor) compose(c *ui.Context) error {
	def := e.Def
	def.Messages = slices.Concat(def.Messages, e.probes())
	list, err := e.s.PreviewDefinition(c.Ctx(), c.Scope, c.Now, def, nil, alerting.Real)
	for _, m := range list {
		if m.Use == probeUse {
			e.probe = append(e.probe, m)
		} else {
			e.Previews = append(e.Previews, m)
		}
	}
	return err
}

// count tells how many people each rule of the section chooses.
func (e *editor) count(c *ui.Context) error {
	for field, rule := range e.rules() {
		n, err := e.dir.Count(c.Ctx(), c.Scope, rule, c.Now)
		if err != nil {
			return err
		}
		e.Counts[field] = n
	}
	if a := e.Def.Audience; e.Section == sectionAudience && !a.Exclude.Empty() {
		n, err := e.dir.CountBut(c.Ctx(), c.Scope, a.Include, a.Exclude, c.Now)
		if err != nil {
			return err
		}
		e.Counts[concerned] = n
	}
	return nil
}

// concerned names the count of the whole audience: who is chosen and not excluded.
const concerned = "audience"

// preview is how a text leaves; found is false when there is none.
func (e *editor) preview(medium, language string) (alerting.Preview, bool) {
	for _, m := range e.Previews {
		if m.Use == e.Use && string(m.Medium) == medium && m.Language == language {
			return m, true
		}
	}
	return alerting.Preview{}, false
}

// tabs are the sections, each with the number of its faults.
func (e *editor) tabs(c *ui.Context) []ui.Tab {
	var out []ui.Tab
	for _, s := range sections() {
		n := 0
		for _, pr := range e.Problems {
			if pr.Section == s {
				n++
			}
		}
		t := ui.Tab{Label: c.Loc.T("alerting.scenario.section." + s), Path: editPath(e.Scenario.ID, s), Current: s == e.Section}
		if n > 0 {
			t.Count = c.Loc.Int(n)
		}
		out = append(out, t)
	}
	return out
}

// fresh asks for the little a new scenario needs.
func (p scenarioPages) fresh(c *ui.Context) error {
	return c.Render(newScenarioPage(c, c.NewForm(map[string]string{"profile": string(alerting.Rappel), "family": "autre"})))
}

// create keeps a new scenario and opens its texts.
func (p scenarioPages) create(c *ui.Context) error {
	f := c.Form()
	f.Require("title.fr")
	def := blankDefinition()
	def.Title, def.Purpose = localizedOf(f, "title"), localizedOf(f, "purpose")
	def.Family, def.Profile = f.Value("family"), alerting.Profile(f.Value("profile"))
	if !slices.Contains(alerting.Families(), def.Family) || !slices.Contains(profiles(), def.Profile) {
		f.Add("profile", c.Loc.T("alerting.scenario.edit.choose"))
	}
	if !f.Valid() {
		return c.Refill(f, nil, newScenarioPage(c, f))
	}
	sc, err := p.s.CreateScenario(c.Ctx(), c.Scope, c.Now, def)
	if err != nil {
		return c.Refill(f, atEditor(err), newScenarioPage(c, f))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.scenario.created"))
	return c.Redirect(editPath(sc.ID, sectionTexts))
}
