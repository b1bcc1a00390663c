package pages

import (
	"tocsin/internal/alerting"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// microsPerCent turns cents of a euro into the unit of the outbox.
const microsPerCent = 10_000

// spentWords say what an alert has cost.
func spentWords(c *ui.Context, s dispatch.Spending) string {
	spent := alerting.Euros(c.Loc, s.Micros)
	if s.Ceiling == 0 {
		return spent
	}
	return c.Loc.T("alerting.page.budget.of", "spent", spent, "ceiling", alerting.Euros(c.Loc, s.Ceiling))
}

// budgetWords say that an alert nears its ceiling, or is at it.
func budgetWords(c *ui.Context, s dispatch.Spending) (ui.Tone, string) {
	money := []any{"spent", alerting.Euros(c.Loc, s.Micros), "ceiling", alerting.Euros(c.Loc, s.Ceiling)}
	switch {
	case !s.Near():
		return ui.Neutral, ""
	case !s.LiftedAt.IsZero():
		return ui.Information, c.Loc.T("alerting.page.budget.lifted", append(money, "at", c.Loc.Clock(s.LiftedAt, c.Zone))...)
	case s.Held():
		return ui.Alert, c.Loc.T("alerting.page.budget.held", money...)
	case s.Reached():
		return ui.Attention, c.Loc.T("alerting.page.budget.passed", money...)
	}
	text := c.Loc.T("alerting.page.budget.near", money...)
	if s.Stops {
		text += " " + c.Loc.T("alerting.page.budget.near.stops")
	}
	return ui.Attention, text
}

func costDetail(c *ui.Context, cost alerting.Cost) string {
	if cost.Ceiling == 0 {
		return c.Loc.T("alerting.page.sheet.cost.free")
	}
	return c.Loc.T("alerting.page.sheet.cost.detail", "ceiling", alerting.Euros(c.Loc, cost.Ceiling))
}

// aboutEuros is an estimate in whole euros, rounded up: a figure one reads at a glance.
func aboutEuros(c *ui.Context, micros int64) string {
	return c.Loc.T("alerting.euros", "amount", c.Loc.Int(int((micros+999_999)/1_000_000)))
}

func costTone(cost alerting.Cost) ui.Tone {
	if cost.Passes() {
		return ui.Attention
	}
	return ui.Neutral
}

// priceWords write the price of one SMS, which may be less than a cent.
func priceWords(c *ui.Context, micros int64) string {
	return c.Loc.T("alerting.euros", "amount", c.Loc.Decimal(float64(micros)/1e6, 3))
}

// routeWords name a destination of telephone numbers.
func routeWords(c *ui.Context, route string) string {
	switch route {
	case dispatch.RouteFrance:
		return c.Loc.T("alerting.page.route.33")
	case dispatch.RouteReunion:
		return c.Loc.T("alerting.page.route.262")
	case dispatch.RouteGuadeloupe:
		return c.Loc.T("alerting.page.route.590")
	case dispatch.RouteGuyane:
		return c.Loc.T("alerting.page.route.594")
	case dispatch.RouteMartinique:
		return c.Loc.T("alerting.page.route.596")
	}
	return c.Loc.T("alerting.page.route.other")
}

func confirmLift(c *ui.Context) ui.HoldSpec {
	return ui.HoldSpec{Act: c.Loc.T("alerting.page.budget.act"), Word: c.Loc.T("alerting.page.budget.word"), Name: wordField, Icon: "check"}
}

// spender is an alert whose ceiling may be lifted: the words of its end may wait too.
func (p *Pages) spender(c *ui.Context) (act, error) {
	l, err := p.alert(c)
	if err == nil && l.State == alerting.Killed {
		err = fault.New(fault.Conflict, "alerting.alert.over")
	}
	if err != nil {
		return act{}, err
	}
	b, err := p.snapshot(c, l)
	return act{Launch: l, Board: b, Form: c.Form()}, err
}

// ceiling says what lifting the ceiling of cost does.
func (p *Pages) ceiling(c *ui.Context) error {
	a, err := p.spender(c)
	if err != nil {
		return err
	}
	return c.Render(ceilingPage(c, a))
}

// liftCeiling lets what waits leave.
func (p *Pages) liftCeiling(c *ui.Context) error {
	a, err := p.spender(c)
	if err != nil {
		return err
	}
	a.Form.Require("motif")
	a.Form.Confirmed(confirmLift(c))
	if !a.Form.Valid() {
		return c.Refill(a.Form, nil, ceilingPage(c, a))
	}
	if err := p.s.LiftCeiling(c.Ctx(), c.Scope, c.Now, a.Launch.ID, a.Form.Value("motif")); err != nil {
		return c.Refill(a.Form, err, ceilingPage(c, a))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.page.budget.done"))
	return c.Redirect(alertPath(a.Launch.ID, ""))
}
