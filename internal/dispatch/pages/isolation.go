package pages

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// The isolated mode is set on a page of its own; who keeps the channels sends
// the same form to an address of the channels, since the rights differ.
const (
	IsolationPath  = "/isolement"
	isolationAdmin = Path + "/isolement"
)

// Banners say on every page that the links lead nowhere.
type Banners struct{ Service *dispatch.Dispatch }

// Banners tells of the isolated mode to who sees alerts.
func (b Banners) Banners(ctx context.Context, scope access.Scope, loc *i18n.Localizer) ([]ui.Banner, error) {
	mode, err := b.Service.Isolation(ctx, scope)
	if err != nil || !mode.On {
		return nil, err
	}
	return []ui.Banner{{
		Tone: ui.Alert, Mark: loc.T("dispatch.page.isolation.mark"), Text: loc.T("dispatch.page.isolation.banner"),
		Path: IsolationPath, Action: loc.T("dispatch.page.isolation.see"),
	}}, nil
}

func (p pages) isolation(c *ui.Context) error {
	mode, err := p.d.Isolation(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	to := ""
	switch {
	case c.May(access.AlertConduct):
		to = IsolationPath
	case c.May(access.ChannelWrite):
		to = isolationAdmin
	}
	return c.Render(isolationPage(c, mode, to))
}

// isolate sets the mode the form names; a form without a word changes nothing.
func (p pages) isolate(c *ui.Context) error {
	wanted := c.FormValue("mode")
	if wanted != "isole" && wanted != "lien" {
		return c.Redirect(IsolationPath)
	}
	if err := p.d.Isolate(c.Ctx(), c.Scope, c.Now, wanted == "isole"); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("dispatch.page.isolation.done."+wanted))
	return c.Redirect(IsolationPath)
}
