package pages

import (
	"strconv"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// RulesPath is where an establishment sets the rules of its alerts.
const RulesPath = "/administration/alertes"

func (p *Pages) ruleRoutes(r *ui.Router) {
	r.Get(RulesPath, access.AlertGovern, p.rules)
	r.Post(RulesPath, access.AlertGovern, p.setRules)
	p.paperRoutes(r)
}

// The fields of the way in, each in both languages.
func wayIn(g *alerting.Governance) map[string]*alerting.Localized {
	return map[string]*alerting.Localized{"entrance": &g.Recall.Entrance, "roads": &g.Recall.Roads, "parking": &g.Recall.Parking}
}

func (p *Pages) rules(c *ui.Context) error {
	g, err := p.s.Governance(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	f := c.NewForm(map[string]string{
		"second": strconv.Itoa(g.SecondAbove), "keep": strconv.Itoa(g.KeepDays), "ceiling": "0",
		"silence_minutes": strconv.Itoa(g.Silence.Minutes), "silence_people": strconv.Itoa(g.Silence.People), "rest": strconv.Itoa(int(g.Rest)),
	})
	f.SetCents("ceiling", g.Ceiling)
	for name, text := range wayIn(&g) {
		for _, language := range languages() {
			f.Set(name+"."+language, (*text)[language])
		}
	}
	return c.Render(rulesPage(c, f))
}

func (p *Pages) setRules(c *ui.Context) error {
	f := c.Form()
	g := alerting.Governance{
		SecondAbove: f.Int("second", 0, alerting.SecondMost), KeepDays: f.Int("keep", alerting.KeepDaysLeast, alerting.KeepDaysMost), Ceiling: f.Cents("ceiling", alerting.CeilingMost),
		Rest:    alerting.Rest(f.Int("rest", alerting.RestLeast, alerting.RestMost)),
		Silence: alerting.Silence{Minutes: f.Int("silence_minutes", 0, alerting.SilenceMinutesMost), People: f.Int("silence_people", 1, alerting.SilencePeopleMost)},
	}
	for name, text := range wayIn(&g) {
		*text = localizedOf(f, name)
	}
	if !f.Valid() {
		return c.Refill(f, nil, rulesPage(c, f))
	}
	if err := p.s.SetGovernance(c.Ctx(), c.Scope, c.Now, g); err != nil {
		return c.Refill(f, atWayIn(err), rulesPage(c, f))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.page.rules.saved"))
	return c.Redirect(RulesPath)
}

// atWayIn moves the fault of a text to its first field.
func atWayIn(err error) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	if _, ok := wayIn(&alerting.Governance{})[f.Field]; ok {
		return f.At(f.Field + ".fr")
	}
	return err
}
