package pages

import (
	"net/http"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/space"
	"tocsin/internal/ui"
)

// invitation shows what an invitation opens; it uses nothing.
func (p pages) invitation(c *ui.Context) error {
	in, found, err := p.look(c)
	if err != nil {
		return err
	}
	if !found {
		return p.unknown(c)
	}
	return c.Render(invitationPage(c, in))
}

func (p pages) look(c *ui.Context) (space.Invitation, bool, error) {
	c.Writer.Header().Set("Cache-Control", "no-store")
	address := ui.AddressOf(c.Ctx())
	if p.codes.Shut(address, c.Now) {
		return space.Invitation{}, false, fault.New(fault.TooMany, "space.enter.too_many")
	}
	in, found, err := p.Service.Invitation(c.Ctx(), c.PathValue("code"), c.Now)
	if err != nil {
		return in, false, err
	}
	p.codes.Tried(address, found, c.Now)
	if found && in.Language != "" {
		c.Loc = p.Catalog.For(i18n.Language(in.Language))
	}
	return in, found, nil
}

// unknown is the page of an invitation that leads nowhere, whatever the reason. Its
// time tells nothing: 120 random bits are not guessed by halves.
func (p pages) unknown(c *ui.Context) error {
	return c.Status(http.StatusNotFound).Render(unknownPage(c))
}

// enrol uses an invitation: this browser becomes a device of the person.
func (p pages) enrol(c *ui.Context) error {
	_, found, err := p.look(c)
	if err != nil {
		return err
	}
	if !found {
		return p.unknown(c)
	}
	token, err := p.Service.Enrol(c.Ctx(), c.PathValue("code"), c.Request.UserAgent(), ui.AddressOf(c.Ctx()), c.Now)
	if fault.Is(err, fault.NotFound) {
		return p.unknown(c)
	}
	if err != nil {
		return err
	}
	p.setToken(c, token)
	return c.Redirect(Path)
}

// ask has an invitation sent to who an answer link was sent to. What it says is
// the same whoever asks and whatever the code.
func (p pages) ask(c *ui.Context) error {
	c.Writer.Header().Set("Cache-Control", "no-store")
	address := ui.AddressOf(c.Ctx())
	if p.codes.Shut(address, c.Now) {
		return fault.New(fault.TooMany, "space.enter.too_many")
	}
	p.codes.Tried(address, false, c.Now)
	err := p.Service.Ask(c.Ctx(), c.FormValue("code"), address, c.Now)
	if err != nil && !fault.Is(err, fault.TooMany) && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
		return err
	}
	return c.Render(askedPage(c))
}

// devices are those of a person, for who keeps the directory.
func (p pages) devices(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	list, err := p.Service.Devices(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	name, err := p.Service.Name(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	since, err := p.Service.CodeSince(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	return c.Render(devicesPage(c, devicesView{id, name, p.PersonPath(id), list, since}))
}

func (p pages) invite(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	medium, err := p.Service.Invite(c.Ctx(), c.Scope, id)
	switch {
	case fault.Is(err, fault.TooMany), fault.Is(err, fault.Conflict):
		c.Flash(ui.Attention, c.Loc.Fault(err))
	case err != nil:
		return err
	case medium == channels.SMS:
		c.Flash(ui.Success, c.Loc.T("space.invited.sms"))
	default:
		c.Flash(ui.Success, c.Loc.T("space.invited.email"))
	}
	return c.Redirect(DevicesPath(id))
}

func (p pages) revoke(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	device, err := c.ID("appareil")
	if err != nil {
		return err
	}
	if err := p.Service.Revoke(c.Ctx(), c.Scope, id, device); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("space.revoked"))
	return c.Redirect(DevicesPath(id))
}
