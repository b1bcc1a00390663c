package pages

import (
	"slices"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// board is what the list shows.
type board struct {
	panels []dispatch.Panel
	// silent are the media by which nothing leaves: no gateway of theirs is enabled.
	silent []channels.Medium
}

func (p pages) list(c *ui.Context) error {
	panels, err := p.d.Panels(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(listPage(c, board{panels: panels, silent: silent(panels, p.d.Kinds())}))
}

// silent lists the media of the known kinds that no enabled gateway carries. A house
// that never had a telephone line, or a pager, misses none.
func silent(panels []dispatch.Panel, kinds []channels.Description) []channels.Medium {
	var out []channels.Medium
	for _, k := range kinds {
		carried := slices.ContainsFunc(panels, func(p dispatch.Panel) bool { return p.Gateway.Enabled && p.Gateway.Medium == k.Medium })
		had := k.Medium == channels.SMS || k.Medium == channels.Email || slices.ContainsFunc(panels, func(p dispatch.Panel) bool { return p.Gateway.Medium == k.Medium })
		if !carried && had && !slices.Contains(out, k.Medium) {
			out = append(out, k.Medium)
		}
	}
	return out
}

// panel reads the gateway of the address, and the others of its establishment.
func (p pages) panel(c *ui.Context) (dispatch.Panel, []dispatch.Panel, error) {
	id, err := c.ID("id")
	if err != nil {
		return dispatch.Panel{}, nil, err
	}
	panels, err := p.d.Panels(c.Ctx(), c.Scope)
	if err != nil {
		return dispatch.Panel{}, nil, err
	}
	i := slices.IndexFunc(panels, func(p dispatch.Panel) bool { return p.Gateway.ID == id })
	if i < 0 {
		return dispatch.Panel{}, nil, fault.New(fault.NotFound, "dispatch.gateway.unknown")
	}
	return panels[i], panels, nil
}

// kind is what a sort of gateway says of itself; ok is false when it is unknown.
func (p pages) kind(name string) (channels.Description, bool) {
	kinds := p.d.Kinds()
	i := slices.IndexFunc(kinds, func(k channels.Description) bool { return k.Kind == name })
	if i < 0 {
		return channels.Description{}, false
	}
	return kinds[i], true
}

func (p pages) show(c *ui.Context) error {
	panel, _, err := p.panel(c)
	if err != nil {
		return err
	}
	kind, _ := p.kind(panel.Gateway.Kind) // a kind taken out of the program has no fields to show
	callback := ""
	if c.May(access.ChannelWrite) {
		if callback, err = p.d.CallbackAddress(c.Ctx(), c.Scope, panel.Gateway.ID); err != nil {
			return err
		}
	}
	records, err := p.d.Records(c.Ctx(), c.Scope, panel.Gateway.ID)
	if err != nil {
		return err
	}
	return c.Render(showPage(c, panel, kind, callback, records))
}

// check connects without sending. What the gateway answers is a sentence on its page.
func (p pages) check(c *ui.Context) error {
	panel, _, err := p.panel(c)
	if err != nil {
		return err
	}
	switch err := p.d.TestGateway(c.Ctx(), c.Scope, panel.Gateway.ID); {
	case err == nil:
		c.Flash(ui.Success, c.Loc.T("dispatch.page.check.passed", "name", panel.Gateway.Name))
	case fault.As(err) == nil || fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound):
		return err
	default:
		c.Flash(ui.Alert, c.Loc.T("dispatch.page.check.failed", "name", panel.Gateway.Name, "reason", c.Loc.Fault(err)))
	}
	return c.Redirect(GatewayPath(panel.Gateway.ID))
}

func (p pages) enable(c *ui.Context) error { return p.setEnabled(c, true) }

func (p pages) disable(c *ui.Context) error { return p.setEnabled(c, false) }

func (p pages) setEnabled(c *ui.Context, yes bool) error {
	panel, _, err := p.panel(c)
	if err != nil {
		return err
	}
	g := panel.Gateway
	in := dispatch.GatewayInput{Kind: g.Kind, Name: g.Name, Settings: g.Settings, Priority: g.Priority, InFlight: g.InFlight, Fares: g.Fares, Enabled: yes}
	if _, err := p.d.UpdateGateway(c.Ctx(), c.Scope, c.Now, g.ID, in); err != nil {
		return err
	}
	if yes {
		c.Flash(ui.Success, c.Loc.T("dispatch.page.enabled", "name", g.Name))
	} else {
		c.Flash(ui.Success, c.Loc.T("dispatch.page.disabled", "name", g.Name))
	}
	return c.Redirect(GatewayPath(g.ID))
}

// parting is what taking a gateway away would do.
type parting struct {
	dispatch.Panel
	// next are the enabled gateways that take over, the first one first.
	next []string
	// waiting counts the messages of the medium that have not left.
	waiting int
}

func (p pages) parting(c *ui.Context) (parting, error) {
	panel, panels, err := p.panel(c)
	if err != nil {
		return parting{}, err
	}
	out := parting{Panel: panel}
	for _, o := range panels { // by priority
		if o.Gateway.ID != panel.Gateway.ID && o.Gateway.Enabled && o.Gateway.Medium == panel.Gateway.Medium {
			out.next = append(out.next, o.Gateway.Name)
		}
	}
	out.waiting, err = p.d.Waiting(c.Ctx(), c.Scope, panel.Gateway.Medium)
	return out, err
}

// effects says what will happen, one sentence a line.
func (v parting) effects(c *ui.Context) []string {
	medium := mediumWord(c, v.Gateway.Medium)
	if !v.Gateway.Enabled {
		return []string{c.Loc.T("dispatch.page.part.idle")}
	}
	var out []string
	if len(v.next) > 0 {
		out = append(out, c.Loc.T("dispatch.page.part.next", "medium", medium, "name", v.next[0]))
	} else {
		out = append(out, c.Loc.T("dispatch.page.part.last", "medium", medium))
	}
	switch {
	case v.waiting == 0:
		out = append(out, c.Loc.T("dispatch.page.part.nothing_waits", "medium", medium))
	case len(v.next) > 0:
		out = append(out, c.Loc.N("dispatch.page.part.waiting.next", v.waiting, "medium", medium))
	default:
		out = append(out, c.Loc.N("dispatch.page.part.waiting.last", v.waiting, "medium", medium))
	}
	return out
}

func (p pages) disabling(c *ui.Context) error {
	v, err := p.parting(c)
	if err != nil {
		return err
	}
	return c.Render(disablePage(c, v))
}

func (p pages) deleting(c *ui.Context) error {
	v, err := p.parting(c)
	if err != nil {
		return err
	}
	return c.Render(deletePage(c, v))
}

func (p pages) remove(c *ui.Context) error {
	panel, _, err := p.panel(c)
	if err != nil {
		return err
	}
	if err := p.d.DeleteGateway(c.Ctx(), c.Scope, c.Now, panel.Gateway.ID); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("dispatch.page.deleted", "name", panel.Gateway.Name))
	return c.Redirect(Path)
}

func mediumWord(c *ui.Context, m channels.Medium) string {
	return c.Loc.T("channels.medium." + string(m))
}

// tone is the colour of a gateway's health.
func tone(p dispatch.Panel) ui.Tone {
	switch {
	case !p.Gateway.Enabled:
		return ui.Neutral
	case !p.View.Running:
		return ui.Attention
	case !p.View.Health.Up:
		return ui.Critical
	case p.View.Carrying:
		return ui.Success
	}
	return ui.Information
}

// state is its health in two words.
func state(c *ui.Context, p dispatch.Panel) string {
	switch tone(p) {
	case ui.Neutral:
		return c.Loc.T("dispatch.page.state.disabled")
	case ui.Attention:
		return c.Loc.T("dispatch.page.state.starting")
	case ui.Critical:
		return c.Loc.T("dispatch.page.state.down")
	case ui.Success:
		return c.Loc.T("dispatch.page.state.carrying")
	}
	return c.Loc.T("dispatch.page.state.standby")
}

// sentence is what an operator would say of it.
func sentence(c *ui.Context, p dispatch.Panel) string {
	if p.Gateway.Enabled && !p.View.Running {
		return c.Loc.T("dispatch.page.starting", "name", p.Gateway.Name)
	}
	return p.View.Sentence(c.Loc)
}
