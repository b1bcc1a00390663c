package pages

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/ui"
)

func (p *Pages) rollRoutes(r *ui.Router) {
	r.Get("/alertes/{id}/appel", access.AlertConduct, p.rolls)
	r.Get("/alertes/{id}/appel/{service}", access.AlertConduct, p.rollOf)
	r.Post("/alertes/{id}/appel/{service}", access.AlertConduct, p.callRoll)
}

// rolls is the roll-call: a line for each service.
func (p *Pages) rolls(c *ui.Context) error {
	l, err := p.alert(c)
	if err != nil {
		return err
	}
	said, err := p.s.Rolls(c.Ctx(), c.Scope, l.ID)
	if err != nil {
		return err
	}
	return c.Render(rollsPage(c, l, said))
}

// calling is the list of one service.
type calling struct {
	Launch alerting.Launch
	Roll   alerting.Roll
	People []ui.Choice
	Form   *ui.Form
}

func (p *Pages) calling(c *ui.Context) (calling, error) {
	l, err := p.alert(c)
	if err != nil {
		return calling{}, err
	}
	service, err := c.ID("service")
	if err != nil {
		return calling{}, err
	}
	v := calling{Launch: l, Form: c.Form()}
	roll, list, err := p.s.RollOf(c.Ctx(), c.Scope, l.ID, service, c.Now)
	if err != nil {
		return v, err
	}
	v.Roll = roll
	for _, m := range list {
		v.People = append(v.People, ui.Choice{Value: m.Person.String(), Label: name(m.LastName, m.FirstName), Hint: p.skill(c, m.Metier)})
	}
	if c.Request.Method == http.MethodGet {
		v.Form = c.NewForm(nil)
		var present []string
		for _, m := range list {
			if m.Present {
				present = append(present, m.Person.String())
			}
		}
		v.Form.SetList("present", present)
		if roll.Others > 0 {
			v.Form.Set("autres", strconv.Itoa(roll.Others))
		}
	}
	return v, nil
}

// rollOf is the list of a service, to tick or to print.
func (p *Pages) rollOf(c *ui.Context) error {
	v, err := p.calling(c)
	if err != nil {
		return err
	}
	return c.Render(rollPage(c, v))
}

// callRoll keeps what a service says.
func (p *Pages) callRoll(c *ui.Context) error {
	v, err := p.calling(c)
	if err != nil {
		return err
	}
	others := 0
	if v.Form.Value("autres") != "" {
		others = v.Form.Int("autres", 0, alerting.RollMost)
	}
	if !v.Form.Valid() {
		return c.Refill(v.Form, nil, rollPage(c, v))
	}
	var present []uuid.UUID
	for _, text := range v.Form.List("present") {
		id, err := idOf(text)
		if err != nil {
			return err
		}
		present = append(present, id)
	}
	if err := p.s.CallRoll(c.Ctx(), c.Scope, c.Now, v.Launch.ID, v.Roll.Service, present, others); err != nil {
		return c.Refill(v.Form, err, rollPage(c, v))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.page.roll.kept", "service", rollName(c, v.Roll), "n", c.Loc.Int(len(present)+others)))
	return c.Redirect(alertPath(v.Launch.ID, "/appel"))
}

// rollName is a service and its site, or those who are in no service.
func rollName(c *ui.Context, r alerting.Roll) string {
	if text := place(r.ServiceName, r.SiteName); text != "" {
		return text
	}
	return c.Loc.T("alerting.page.unit.none")
}

// rollSkills bounds the skills on the dashboard; the report has them all.
const rollSkills = 8

// siteWord is the name of a site, or that there is none.
func siteWord(c *ui.Context, site string) string {
	if site == "" {
		return c.Loc.T("alerting.page.roll.no_site")
	}
	return site
}

// there says under the people ticked at the door who is not among them, and who
// is no longer there: those who answered that they are on site count in the
// quotas, and nobody has seen them yet.
func there(c *ui.Context, n alerting.Counters) string {
	var out []string
	if n.OnSite > 0 {
		out = append(out, c.Loc.N("alerting.page.board.on_site", n.OnSite))
	}
	if n.Left > 0 {
		out = append(out, c.Loc.N("alerting.page.board.gone", n.Left))
	}
	return strings.Join(out, ", ")
}
