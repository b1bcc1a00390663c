package pages

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// theme is a group of cards of the launch page: few groups, read in one look.
type theme struct {
	Name      string
	Families  []string
	Scenarios []alerting.Scenario
}

func themes() []theme {
	return []theme{
		{Name: "renforts", Families: []string{"plan_blanc", "tension", "rappel_service"}},
		{Name: "abri", Families: []string{"confinement", "evacuation", "intrusion", "nrbc"}},
		{Name: "technique", Families: []string{"panne_si", "cyberattaque", "coupure_electrique"}},
	}
}

// choose shows the scenarios, by theme.
func (p *Pages) choose(c *ui.Context) error {
	list, err := p.s.Scenarios(c.Ctx(), c.Scope, alerting.ScenarioFilter{})
	if err != nil {
		return err
	}
	return c.Render(choosePage(c, byTheme(list)))
}

// byTheme sorts the cards; what belongs to no theme comes last.
func byTheme(list []alerting.Scenario) []theme {
	all := append(themes(), theme{Name: "autres"})
	for _, sc := range list {
		at := slices.IndexFunc(all, func(t theme) bool { return slices.Contains(t.Families, sc.Family) })
		if at < 0 {
			at = len(all) - 1
		}
		all[at].Scenarios = append(all[at].Scenarios, sc)
	}
	for _, t := range all {
		slices.SortStableFunc(t.Scenarios, func(a, b alerting.Scenario) int {
			return slices.Index(t.Families, a.Family) - slices.Index(t.Families, b.Family)
		})
	}
	return slices.DeleteFunc(all, func(t theme) bool { return len(t.Scenarios) == 0 })
}

// order is a launch being prepared: the scenario and what the form says.
type order struct {
	Scenario alerting.Scenario
	Def      alerting.Definition
	Form     *ui.Form
	Crowd    crowd
	Mode     alerting.Mode
}

// The fields of the launch forms. Values of variables come after valuePrefix.
const (
	valuePrefix = "v-"
	modeField   = "mode"
	wordField   = "mot"
	// stepField is sent with the questions: without it nobody was asked yet.
	stepField = "etape"
)

// order reads the scenario of the address and what was posted or asked.
func (p *Pages) order(c *ui.Context) (order, error) {
	id, err := c.ID("scenario")
	if err != nil {
		return order{}, err
	}
	o := order{Form: c.Form()}
	if o.Scenario, o.Def, err = p.s.Scenario(c.Ctx(), c.Scope, id); err != nil {
		return o, err
	}
	if mode := alerting.Mode(o.Form.Value(modeField)); known(mode) {
		o.Mode = mode
	}
	if o.Def.Audience.AskSites || o.Def.Audience.AskServices {
		o.Crowd, err = p.crowd(c)
	}
	return o, err
}

// draft is what the service is asked to prepare or to launch.
func (o order) draft() (alerting.Draft, error) {
	d := alerting.Draft{
		Scenario: o.Scenario.ID, Mode: o.Mode, Values: map[string]string{}, OrderedBy: o.Form.Value("ordre"),
		Fingerprint: o.Form.Value("empreinte"), IdempotencyKey: o.Form.Value("cle"),
	}
	for _, v := range o.Def.Variables {
		if text := o.Form.Value(valuePrefix + v.Name); text != "" {
			d.Values[v.Name] = text
		}
	}
	var errSites, errServices error
	d.Sites, errSites = ids(o.Form.List("site"))
	d.Services, errServices = ids(o.Form.List("service"))
	return d, errors.Join(errSites, errServices)
}

// verify asks what the scenario must know and the mode, then shows the sheet.
// Everything is in the address: Back works and nothing is written.
func (p *Pages) verify(c *ui.Context) error {
	o, err := p.order(c)
	if err != nil {
		return err
	}
	if o.Mode == "" {
		if o.Form.Value(stepField) == "" {
			o.fillDefaults(c)
		} else {
			o.Form.Add(modeField, c.Loc.T("alerting.page.launch.mode.missing"))
		}
		return c.Render(p.askPage(c, o))
	}
	sheet, err := p.prepare(c, o)
	if err != nil {
		return p.askAgain(c, o, err)
	}
	return c.Render(p.sheetPage(c, o, sheet, uuid.NewString()))
}

// fillDefaults writes the values of the scenario where nothing was typed yet.
func (o order) fillDefaults(c *ui.Context) {
	for _, v := range o.Def.Variables {
		if field := valuePrefix + v.Name; o.Form.Value(field) == "" {
			o.Form.Set(field, v.Default.In(lang(c)))
		}
	}
}

func (p *Pages) prepare(c *ui.Context, o order) (alerting.Sheet, error) {
	d, err := o.draft()
	if err != nil {
		return alerting.Sheet{}, err
	}
	return p.s.Prepare(c.Ctx(), c.Scope, c.Now, d)
}

// askAgain shows the questions again with what is wrong, at its field.
func (p *Pages) askAgain(c *ui.Context, o order, err error) error {
	return c.Refill(o.Form, o.located(err), p.askPage(c, o))
}

// located moves the fault of a variable to the field that asks for it.
func (o order) located(err error) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	if slices.ContainsFunc(o.Def.Variables, func(v alerting.Variable) bool { return v.Name == f.Field }) {
		return f.At(valuePrefix + f.Field)
	}
	if f.Field == "ordered_by" {
		return f.At("ordre")
	}
	return err
}

// holdToLaunch is the act; the word typed is that of the mode, so that nobody
// confirms a mode he has not read.
func holdToLaunch(c *ui.Context, mode alerting.Mode) ui.HoldSpec {
	return ui.HoldSpec{Act: c.Loc.T("alerting.page.launch.act." + string(mode)), Word: c.Loc.T("alerting.page.mode." + string(mode)), Name: wordField, Icon: "megaphone"}
}

// launch starts the alert that the sheet showed.
func (p *Pages) launch(c *ui.Context) error {
	o, err := p.order(c)
	if err != nil {
		return err
	}
	if o.Mode == "" {
		o.Form.Add(modeField, c.Loc.T("alerting.page.launch.mode.missing"))
		return c.Refill(o.Form, nil, p.askPage(c, o))
	}
	if !o.Form.Confirmed(holdToLaunch(c, o.Mode)) {
		return p.sheetAgain(c, o, nil)
	}
	d, err := o.draft()
	if err != nil {
		return err
	}
	launch, already, err := p.s.Launch(c.Ctx(), c.Scope, c.Now, d)
	if fault.Is(err, fault.Conflict) {
		return p.sheetAgain(c, o, err)
	}
	if err != nil {
		return p.askAgain(c, o, err)
	}
	if launch.State == alerting.Awaiting {
		return c.Redirect(requestPath(launch.ID, ""))
	}
	if already {
		c.Flash(ui.Attention, c.Loc.T("alerting.page.launch.already", "at", c.Loc.Clock(launch.LaunchedAt, c.Zone), "by", launch.LaunchedBy))
	} else {
		c.Flash(ui.Success, c.Loc.N("alerting.page.launch.done", launch.People))
	}
	return c.Redirect(alertPath(launch.ID, ""))
}

// sheetAgain shows the sheet as it is now: what changed since must be read
// again. The key stays, so that a form sent twice is still one alert.
func (p *Pages) sheetAgain(c *ui.Context, o order, why error) error {
	sheet, err := p.prepare(c, o)
	if err != nil {
		return p.askAgain(c, o, err)
	}
	key := o.Form.Value("cle")
	if len(key) < 8 {
		key = uuid.NewString()
	}
	return c.Refill(o.Form, why, p.sheetPage(c, o, sheet, key))
}

// hidden is what the sheet carries to the launch.
type hidden struct{ Name, Value string }

func (o order) hidden(sheet alerting.Sheet, key string) []hidden {
	out := []hidden{{modeField, string(o.Mode)}, {"ordre", o.Form.Value("ordre")}, {"empreinte", sheet.Fingerprint}, {"cle", key}}
	for _, v := range o.Def.Variables {
		out = append(out, hidden{valuePrefix + v.Name, o.Form.Value(valuePrefix + v.Name)})
	}
	for _, name := range []string{"site", "service"} {
		for _, v := range o.Form.List(name) {
			out = append(out, hidden{name, v})
		}
	}
	return out
}

// backHref is the page of questions with what was answered, the mode to choose again.
func (o order) backHref(c *ui.Context) string {
	q := c.Request.URL.Query()
	if c.Request.PostForm != nil {
		q = c.Request.PostForm
	}
	for _, name := range []string{modeField, wordField, wordField + "-tenu", "cle", "empreinte", stepField} {
		q.Del(name)
	}
	path := SheetPath + o.Scenario.ID.String()
	if text := q.Encode(); text != "" {
		path += "?" + text
	}
	return path
}

// fieldSpec is the field of one variable.
func fieldSpec(c *ui.Context, v alerting.Variable) ui.FieldSpec {
	most := v.MaxLength
	if most == 0 {
		most = 60
	}
	s := ui.FieldSpec{Name: valuePrefix + v.Name, Label: v.Label.In(lang(c)), Hint: v.Help.In(lang(c)), Required: v.Required, MaxLength: most, Autocomplete: "off"}
	switch v.Kind {
	case "number":
		s.InputMode = "numeric"
	case "time":
		s.Type = "time"
	}
	return s
}

func variableChoices(c *ui.Context, v alerting.Variable) []ui.Choice {
	out := make([]ui.Choice, len(v.Choices))
	for i, ch := range v.Choices {
		out[i] = ui.Choice{Value: ch.In("fr"), Label: ch.In(lang(c))}
	}
	return out
}

// sortedPreviews are the messages that leave now in the reader's language, those
// in other languages, and those of later.
func sortedPreviews(s alerting.Sheet, language string) (first, other, later []alerting.Preview) {
	staysAway := slices.ContainsFunc(s.Definition.Waves, func(w alerting.Wave) bool { return w.Use == alerting.UseStayAway })
	for _, p := range s.Previews {
		switch {
		case p.Use == alerting.UseStayAway && !staysAway:
			// No wave carries it: “do not come” beside “come” would frighten the reader.
		case p.Use != alerting.UseAlert && p.Use != alerting.UseStayAway:
			later = append(later, p)
		case p.Language != language:
			other = append(other, p)
		default:
			first = append(first, p)
		}
	}
	return first, other, later
}

// sortedWarnings puts apart the lines of quota that cannot be filled, since a
// small hospital may have many, and what concerns the shape of the SMS, which
// nobody mends at night: neither must hide the rest.
func sortedWarnings(s alerting.Sheet) (others, quotas, shape []alerting.Warning) {
	for _, w := range s.Warnings {
		switch {
		case w.Key == "alerting.warning.quota":
			quotas = append(quotas, w)
		case strings.HasPrefix(w.Key, "alerting.warning.sms_"):
			shape = append(shape, w)
		default:
			others = append(others, w)
		}
	}
	return others, quotas, shape
}

// leftOutTotal is how many people of the audience are not called.
func leftOutTotal(s alerting.Sheet) (n int) {
	for _, why := range alerting.LeftOuts() {
		if why != alerting.LeftNoWave {
			n += s.LeftOut[why]
		}
	}
	return n
}

// narrowed says what the launch was narrowed to; empty when it was not.
func (o order) narrowed(c *ui.Context) string {
	names := append(labels(o.Form, "site", o.Crowd.Sites), labels(o.Form, "service", o.Crowd.Services)...)
	return strings.Join(names, ", ")
}

// waveLine says who leaves when.
func waveLine(c *ui.Context, w alerting.WaveCount) string {
	when := c.Loc.T("alerting.page.sheet.wave.now")
	if w.After > 0 {
		when = c.Loc.T("alerting.page.sheet.wave.after", "after", w.After)
	}
	if w.Relief > 0 {
		when += c.Loc.T("alerting.page.sheet.wave.relief", "relief", w.Relief)
		if w.Notice {
			when += c.Loc.T("alerting.page.sheet.wave.told")
		}
	}
	if w.When == alerting.QuotaMissing {
		when += c.Loc.T("alerting.page.sheet.wave.missing")
	}
	return fmt.Sprintf("%d. %s", w.Number, when)
}
