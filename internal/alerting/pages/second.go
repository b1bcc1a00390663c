package pages

import (
	"net/http"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// RequestPath begins the page of a launch that waits for a second person; its
// id follows. (Below /alertes/ it would also be a page of an alert.)
const RequestPath = "/demandes/"

func requestPath(id uuid.UUID, under string) string { return RequestPath + id.String() + under }

func (p *Pages) requestRoutes(r *ui.Router) {
	r.Get(RequestPath+"{demande}", access.AlertRead, p.request)
	r.Post(RequestPath+"{demande}/confirmer", access.AlertLaunch, p.confirm)
	r.Post(RequestPath+"{demande}/passer-outre", access.AlertLaunch, p.override)
	r.Post(RequestPath+"{demande}/refuser", access.AlertLaunch, p.refuse)
}

// asking is a request as one visitor sees it.
type asking struct {
	Request alerting.Request
	// Mine tells that the visitor asked; Acts, that he may settle it.
	Mine, Acts bool
	// Sheet is what would leave, for who may launch it; Changed tells that it is
	// not what the first person read any more.
	Sheet   alerting.Sheet
	Changed bool
	Form    *ui.Form
}

// asking reads the request of the address.
func (p *Pages) asking(c *ui.Context) (a asking, err error) {
	id, err := c.ID("demande")
	if err != nil {
		return a, err
	}
	if a.Request, err = p.s.Request(c.Ctx(), c.Scope, c.Now, id); err != nil {
		return a, err
	}
	a.Form, a.Mine = c.Form(), a.Request.By(c.Scope.Actor())
	a.Acts = c.May(access.AlertLaunch) && a.Request.Open(c.Now)
	if !a.Acts {
		return a, nil
	}
	a.Sheet, err = p.s.Prepare(c.Ctx(), c.Scope, c.Now, a.Request.Draft)
	a.Changed = err == nil && a.Sheet.Fingerprint != a.Request.Draft.Fingerprint
	switch {
	case fault.Is(err, fault.Denied): // the scenario is launched by other roles
		a.Acts, err = false, nil
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.Invalid):
		a.Changed, err = true, nil // it cannot leave as it was asked
	}
	return a, err
}

// request shows what waits, or what became of it. Its state reads itself again
// every few seconds.
func (p *Pages) request(c *ui.Context) error {
	a, err := p.asking(c)
	if err != nil {
		return err
	}
	if c.Partial() && !a.Request.Open(c.Now) {
		return c.Redirect(requestPath(a.Request.ID, "")) // the whole page: its forms are over
	}
	if c.Partial() {
		return c.Render(requestState(c, a))
	}
	return c.Render(p.requestPage(c, a))
}

// holdToConfirm is the second person's act: the word is that of the mode.
func holdToConfirm(c *ui.Context, mode alerting.Mode) ui.HoldSpec {
	h := holdToLaunch(c, mode)
	h.Act = c.Loc.T("alerting.page.second.confirm.act")
	return h
}

// confirm lets the launch leave, as its second person.
func (p *Pages) confirm(c *ui.Context) error {
	a, err := p.asking(c)
	if err != nil {
		return err
	}
	if a.Acts && !a.Form.Confirmed(holdToConfirm(c, a.Request.Mode)) {
		return c.Refill(a.Form, nil, p.requestPage(c, a))
	}
	l, _, err := p.s.Confirm(c.Ctx(), c.Scope, c.Now, a.Request.ID)
	return p.settled(c, a, l, err)
}

// override lets the launch leave without a second person.
func (p *Pages) override(c *ui.Context) error {
	a, err := p.asking(c)
	if err != nil {
		return err
	}
	l, _, err := p.s.Override(c.Ctx(), c.Scope, c.Now, a.Request.ID, a.Form.Value("reason"))
	return p.settled(c, a, l, err)
}

// settled leads to the alert that left, or shows the request with what is wrong.
func (p *Pages) settled(c *ui.Context, a asking, l alerting.Launch, err error) error {
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) {
		return c.Refill(a.Form, err, p.requestPage(c, a))
	}
	if fault.Is(err, fault.Denied) && a.Acts { // his role may, but it is not his part
		a.Form.Take(err)
		return c.Status(http.StatusConflict).Render(p.requestPage(c, a))
	}
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.N("alerting.page.launch.done", l.People))
	return c.Redirect(alertPath(l.ID, ""))
}

// refuse ends the request without an alert.
func (p *Pages) refuse(c *ui.Context) error {
	a, err := p.asking(c)
	if err != nil {
		return err
	}
	if err := p.s.Refuse(c.Ctx(), c.Scope, c.Now, a.Request.ID, a.Form.Value("reason")); err != nil {
		if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) {
			return c.Refill(a.Form, err, p.requestPage(c, a))
		}
		return err
	}
	c.Flash(ui.Success, c.Loc.T("alerting.page.second.ended"))
	return c.Redirect(AlertsPath)
}

// outcomeTone is how loud the end of a request is.
func outcomeTone(s alerting.RequestState) ui.Tone {
	switch s {
	case alerting.RequestConfirmed:
		return ui.Success
	case alerting.RequestOverridden, alerting.RequestWaiting:
		return ui.Attention
	case alerting.RequestRefused:
		return ui.Alert
	}
	return ui.Neutral
}
