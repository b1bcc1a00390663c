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

// findings are people looked for by a few letters, to attach a reply to one.
type findings struct {
	act
	Query  string
	People []alerting.Recipient
	Reply  alerting.UnmatchedReply
}

// look finds people of the alert by name.
func (p *Pages) look(c *ui.Context, a act) (findings, error) {
	out := findings{act: a, Query: c.FormValue("q")}
	if utf8.RuneCountInString(out.Query) < 2 {
		return out, nil
	}
	var err error
	out.People, err = p.s.Recipients(c.Ctx(), c.Scope, a.Launch.ID, alerting.RecipientFilter{Text: out.Query}, alerting.Page{Limit: doorListed})
	return out, err
}

// doorway is the door of an alert: one of its lists, or who was looked for.
type doorway struct {
	Launch   alerting.Launch
	Counters alerting.Counters
	List     alerting.DoorList
	Query    string
	People   []alerting.Recipient
	// Next continues the list; Nil at its end.
	Next uuid.UUID
}

// door is where arrivals and departures are ticked: a few letters or the code
// of an order, then one tap. It stays open after the alert, for those who leave.
func (p *Pages) door(c *ui.Context) error {
	l, err := p.alert(c)
	if err != nil {
		return err
	}
	b, err := p.snapshot(c, l)
	if err != nil {
		return err
	}
	v := doorway{Launch: l, Counters: b.Counters, List: doorList(l, c.FormValue("liste")), Query: c.FormValue("q")}
	if utf8.RuneCountInString(v.Query) < 2 {
		v.Query = ""
	}
	after, err := uuid.Parse(c.FormValue("apres"))
	if err != nil {
		after = uuid.Nil // the first page
	}
	v.People, err = p.s.Door(c.Ctx(), c.Scope, l.ID, v.List, v.Query, alerting.Page{After: after, Limit: doorListed + 1})
	if err != nil {
		return err
	}
	if len(v.People) > doorListed {
		v.People = v.People[:doorListed]
		v.Next = v.People[doorListed-1].ID
	}
	return c.Render(p.doorPage(c, v))
}

// doorList reads which list is asked for; after the alert nobody is expected.
func doorList(l alerting.Launch, asked string) alerting.DoorList {
	switch d := alerting.DoorList(asked); {
	case d == alerting.DoorInside || d == alerting.DoorLeft:
		return d
	case l.State != alerting.Running:
		return alerting.DoorInside
	}
	return alerting.DoorExpected
}

// here is this page with what was looked for, to come back to after a tap.
func (v doorway) here() string {
	q := url.Values{}
	if v.Query != "" {
		q.Set("q", v.Query)
	} else {
		q.Set("liste", string(v.List))
	}
	return alertPath(v.Launch.ID, "/arrivees?"+q.Encode())
}

func (v doorway) tabs(c *ui.Context) []ui.Tab {
	var out []ui.Tab
	for _, d := range []alerting.DoorList{alerting.DoorExpected, alerting.DoorInside, alerting.DoorLeft} {
		if d == alerting.DoorExpected && v.Launch.State != alerting.Running {
			continue
		}
		count := ""
		switch d {
		case alerting.DoorInside:
			count = c.Loc.Int(v.Counters.Arrived - v.Counters.Left)
		case alerting.DoorLeft:
			count = c.Loc.Int(v.Counters.Left)
		}
		out = append(out, ui.Tab{
			Label: c.Loc.T("alerting.page.door.list." + string(d)), Path: alertPath(v.Launch.ID, "/arrivees?liste="+string(d)),
			Current: v.Query == "" && d == v.List, Count: count,
		})
	}
	return out
}

// tick notes an arrival or a departure, or takes it back.
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
	act, word := p.s.Arrive, "arrive"
	if c.FormValue("depart") != "" {
		act, word = p.s.Leave, "depart"
	}
	yes := c.FormValue(word) != "non"
	if err := act(c.Ctx(), c.Scope, c.Now, l.ID, id, yes); err != nil {
		return err
	}
	tone, key := ui.Success, "alerting.page.door."+word+".done"
	if !yes {
		tone, key = ui.Information, "alerting.page.door."+word+".undone"
	}
	c.Flash(tone, c.Loc.T(key, "name", name(r.LastName, r.FirstName), "at", c.Loc.Clock(c.Now, c.Zone)))
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
	v, err := p.look(c, a)
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

// doorEmpty says why nobody is shown at the door.
func doorEmpty(c *ui.Context, v doorway) string {
	if v.Query == "" {
		return c.Loc.T("alerting.page.door.empty." + string(v.List))
	}
	return c.Loc.T("alerting.page.door.not_found", "query", v.Query)
}

func attachEmpty(c *ui.Context, v findings) string {
	if v.Query == "" {
		return c.Loc.T("alerting.page.unmatched.find")
	}
	return c.Loc.T("alerting.page.door.not_found", "query", v.Query)
}

// mayArrive and mayLeave tell what the door can note of a person now.
func mayArrive(l alerting.Launch, r alerting.Recipient) bool {
	return l.State == alerting.Running && r.LeftOut == "" && !r.Inside()
}

func mayLeave(r alerting.Recipient) bool { return r.Inside() }
