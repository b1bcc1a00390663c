package pages

import (
	"net/url"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// doorListed is how many people the page of the door shows at once.
const doorListed = 30

// found are people looked for by a few letters.
type findings struct {
	act
	Query  string
	People []alerting.Recipient
	// Reply is the reply to attach; empty at the door.
	Reply alerting.UnmatchedReply
}

// look finds people of the alert by name. Without letters the door shows those
// who announced themselves and are still expected.
func (p *Pages) look(c *ui.Context, a act, expected bool) (findings, error) {
	out := findings{act: a, Query: c.FormValue("q")}
	f := alerting.RecipientFilter{Text: out.Query}
	if utf8.RuneCountInString(out.Query) < 2 {
		if !expected {
			return out, nil
		}
		f = alerting.RecipientFilter{State: alerting.Answered, Meaning: alerting.Coming}
	}
	var err error
	out.People, err = p.s.Recipients(c.Ctx(), c.Scope, a.Launch.ID, f, alerting.Page{Limit: doorListed})
	return out, err
}

// door is where arrivals are ticked: a few letters, one tap.
func (p *Pages) door(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	v, err := p.look(c, a, true)
	if err != nil {
		return err
	}
	return c.Render(p.doorPage(c, v))
}

// tick notes an arrival, or takes it back.
func (p *Pages) tick(c *ui.Context) error {
	l, err := p.alert(c)
	if err != nil {
		return err
	}
	id, err := idOf(c.FormValue("personne"))
	if err != nil {
		return err
	}
	r, err := p.s.RecipientByID(c.Ctx(), c.Scope, l.ID, id)
	if err != nil {
		return err
	}
	arrived := c.FormValue("arrive") != "non"
	if err := p.s.Arrive(c.Ctx(), c.Scope, c.Now, l.ID, id, arrived); err != nil {
		return err
	}
	if who := name(r.LastName, r.FirstName); arrived {
		c.Flash(ui.Success, c.Loc.T("alerting.page.door.done", "name", who, "at", c.Loc.Clock(c.Now, c.Zone)))
	} else {
		c.Flash(ui.Information, c.Loc.T("alerting.page.door.undone", "name", who))
	}
	return c.Redirect(ui.LocalPath(c.FormValue("retour"), alertPath(l.ID, "/arrivees")))
}

// unmatched lists the replies of unknown senders; one chosen (message) is
// attached to somebody.
func (p *Pages) unmatched(c *ui.Context) error {
	a, err := p.act(c)
	if err != nil {
		return err
	}
	list, err := p.s.Unmatched(c.Ctx(), c.Scope, a.Launch.LaunchedAt)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(c.FormValue("message"))
	if err != nil {
		return c.Render(unmatchedPage(c, a, list))
	}
	v, err := p.look(c, a, false)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.ID == id {
			v.Reply = r
			return c.Render(p.attachPage(c, v))
		}
	}
	return fault.New(fault.Conflict, "alerting.unmatched.gone")
}

// attach gives a reply to a person.
func (p *Pages) attach(c *ui.Context) error {
	l, err := p.alert(c)
	if err != nil {
		return err
	}
	reply, err := idOf(c.FormValue("message"))
	if err != nil {
		return err
	}
	who, err := idOf(c.FormValue("personne"))
	if err != nil {
		return err
	}
	if err := p.s.Attach(c.Ctx(), c.Scope, c.Now, l.ID, reply, who); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("alerting.page.unmatched.done"))
	return c.Redirect(alertPath(l.ID, "/reponses"))
}

// here is this page with what was looked for, to come back to after a tap.
func (v findings) here(under string) string {
	path := alertPath(v.Launch.ID, under)
	if v.Query != "" {
		path += "?q=" + url.QueryEscape(v.Query)
	}
	return path
}

// doorEmpty says why nobody is shown at the door.
func doorEmpty(c *ui.Context, v findings) string {
	if v.Query == "" {
		return c.Loc.T("alerting.page.door.nobody")
	}
	return c.Loc.T("alerting.page.door.not_found", "query", v.Query)
}

func attachEmpty(c *ui.Context, v findings) string {
	if v.Query == "" {
		return c.Loc.T("alerting.page.unmatched.find")
	}
	return c.Loc.T("alerting.page.door.not_found", "query", v.Query)
}
