package pages

import (
	"github.com/a-h/templ"
	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/ui"
)

// alertsPerPage is how many past alerts one page shows.
const alertsPerPage = 30

// alerts is what the list shows: those that run, then the past ones.
type alerts struct {
	Active, Past []alerting.Launch
	// Waiting are the launches that wait for a second person.
	Waiting []alerting.Request
	// Notices are those of other rooms.
	Notices []ui.Banner
	Next    uuid.UUID
	First   bool
	// Aside is what stands beside the alerts.
	Aside templ.Component
}

// list shows the alerts, those under way first.
func (p *Pages) list(c *ui.Context) error {
	after, err := uuid.Parse(c.Query().Get("apres"))
	if err != nil {
		after = uuid.Nil // the first page
	}
	v := alerts{First: after == uuid.Nil}
	if v.Active, err = p.s.Active(c.Ctx(), c.Scope); err != nil {
		return err
	}
	if v.Waiting, err = p.s.Requests(c.Ctx(), c.Scope, c.Now); err != nil {
		return err
	}
	all, err := p.s.Launches(c.Ctx(), c.Scope, alerting.Page{After: after, Limit: alertsPerPage + 1})
	if err != nil {
		return err
	}
	if len(all) > alertsPerPage {
		all = all[:alertsPerPage]
		v.Next = all[alertsPerPage-1].ID
	}
	for _, l := range all {
		if l.State != alerting.Running {
			v.Past = append(v.Past, l)
		}
	}
	if p.notices != nil && v.First {
		if v.Notices, err = p.notices.Banners(c.Ctx(), c.Scope, c.Loc); err != nil {
			return err
		}
	}
	if v.Aside, err = p.aside(c); err != nil {
		return err
	}
	return c.Render(listPage(c, v))
}
