package pages

import (
	"tocsin/internal/alerting"
	"tocsin/internal/ui"
)

// The choices of words for the end of an alert.
const (
	endPrepared = "prevu"
	endOwn      = "autre"
	endNone     = "aucun"
)

func holdToEnd(c *ui.Context) ui.HoldSpec {
	return ui.HoldSpec{Act: c.Loc.T("alerting.page.end.act"), Word: c.Loc.T("alerting.page.end.word"), Name: wordField, Icon: "flag"}
}

func holdToKill(c *ui.Context) ui.HoldSpec {
	return ui.HoldSpec{Act: c.Loc.T("alerting.page.kill.act"), Word: c.Loc.T("alerting.page.kill.word"), Name: wordField, Icon: "stop"}
}

// ending says what the end does, and to how many.
func (p *Pages) ending(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	a.Form.Set("message", endPrepared)
	return p.endingWith(c, a, nil)
}

// endingWith shows the page of the end with the words the scenario prepared.
func (p *Pages) endingWith(c *ui.Context, a act, why error) error {
	previews, err := p.prepared(c, a.Launch, alerting.UseEnd)
	if err != nil {
		return err
	}
	if why == nil && a.Form.Valid() {
		return c.Render(endPage(c, a, previews))
	}
	return c.Refill(a.Form, why, endPage(c, a, previews))
}

// prepared are the texts of the scenario for a use, as they will leave.
func (p *Pages) prepared(c *ui.Context, l alerting.Launch, use alerting.Use) ([]alerting.Preview, error) {
	_, def, err := p.s.ScenarioVersion(c.Ctx(), c.Scope, l.Scenario, l.Version)
	if err != nil {
		return nil, err
	}
	var kept []alerting.Text
	for _, t := range def.Messages {
		if t.Use == use {
			kept = append(kept, t)
		}
	}
	def.Messages = kept
	return p.s.PreviewDefinition(c.Ctx(), c.Scope, l.LaunchedAt, def, l.Values, l.Mode)
}

// end ends the alert.
func (p *Pages) end(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	var text alerting.Localized
	switch a.Form.Value("message") {
	case endOwn:
		a.Form.Require("texte")
		text = localized(a.Form.Value("texte"), a.Form.Value("texte-en"))
	case endNone:
		text = alerting.Localized{}
	}
	a.Form.Confirmed(holdToEnd(c))
	if !a.Form.Valid() {
		return p.endingWith(c, a, nil)
	}
	if err := p.s.End(c.Ctx(), c.Scope, c.Now, a.Launch.ID, text); err != nil {
		return p.endingWith(c, a, err)
	}
	c.Flash(ui.Success, c.Loc.T("alerting.page.end.done"))
	return c.Redirect(alertPath(a.Launch.ID, ""))
}

// killing says what the kill switch does, and what it does not.
func (p *Pages) killing(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	return c.Render(killPage(c, a))
}

// kill stops everything that has not left.
func (p *Pages) kill(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	a.Form.Require("motif")
	a.Form.Confirmed(holdToKill(c))
	if !a.Form.Valid() {
		return c.Refill(a.Form, nil, killPage(c, a))
	}
	if err := p.s.Kill(c.Ctx(), c.Scope, c.Now, a.Launch.ID, a.Form.Value("motif")); err != nil {
		return c.Refill(a.Form, err, killPage(c, a))
	}
	c.Flash(ui.Critical, c.Loc.T("alerting.page.kill.done"))
	return c.Redirect(alertPath(a.Launch.ID, ""))
}

// queued is how many messages wait here.
func (a act) queued() (n int) {
	for _, m := range a.Board.Media.Media {
		n += int(m.Queued)
	}
	return n
}
