package pages

import (
	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/ui"
)

// requestLead says who asks, since when, and for how many.
func requestLead(c *ui.Context, r alerting.Request) string {
	return c.Loc.N("alerting.page.second.lead", r.People, "name", r.AskedName, "at", c.Loc.Clock(r.AskedAt, c.Zone))
}

// waitingWords says what is waited for, and who was told.
func waitingWords(c *ui.Context, a asking) string {
	until := c.Loc.Clock(a.Request.Until, c.Zone)
	switch {
	case !a.Mine:
		return c.Loc.T("alerting.page.second.asks", "name", a.Request.AskedName, "until", until)
	case a.Request.Told == 0:
		return c.Loc.T("alerting.page.second.told.none", "until", until)
	}
	return c.Loc.N("alerting.page.second.told", a.Request.Told, "until", until)
}

// outcomeWords says how it ended, by whom and when.
func outcomeWords(c *ui.Context, r alerting.Request) string {
	state := c.Loc.T(r.State.Key())
	if r.SettledAt.IsZero() {
		return c.Loc.T("alerting.page.second.outcome.alone", "state", state)
	}
	return c.Loc.T("alerting.page.second.outcome", "state", state, "by", r.SettledBy, "at", c.Loc.Clock(r.SettledAt, c.Zone))
}

// left tells that the request became an alert.
func left(r alerting.Request) bool { return r.Launch != uuid.Nil }
