package app

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/uuid"

	alertapi "tocsin/internal/alerting/api"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// page is a part of a list, as the API gives it.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// show prints what was answered: as it is, or in lines.
func show[T any](s *session, asJSON bool, answer []byte, lines func(T)) error {
	if asJSON {
		s.printf("%s", strings.TrimSpace(string(answer)))
		return nil
	}
	var v T
	if err := json.Unmarshal(answer, &v); err != nil {
		return fault.Wrap(err, fault.Unavailable, "app.remote.odd", "host", "", "status", 200)
	}
	lines(v)
	return nil
}

func (s *session) language() string { return string(s.words().Language()) }

func (c *alertScenarios) far(s *session) error {
	remote, err := c.call(s)
	if err != nil {
		return err
	}
	answer, err := remote.get(s.ctx, "/scenarios")
	if err != nil {
		return err
	}
	return show(s, c.JSON, answer, func(p page[alertapi.Scenario]) {
		for _, sc := range p.Items {
			s.printf("%s\t%s\t%s", sc.ID, sc.Profile, sc.Title.In(s.language()))
		}
	})
}

func (c *alertLaunch) far(s *session) error {
	remote, err := c.call(s)
	if err != nil {
		return err
	}
	id, err := remote.scenario(s, c.Scenario)
	if err != nil {
		return err
	}
	draft := alertapi.Draft{Scenario: id, Mode: c.Mode, Values: c.Value, OrderedBy: c.Ordered}
	if !c.Go {
		answer, err := remote.post(s.ctx, "/alerts/preview", draft, "")
		if err != nil {
			return err
		}
		return show(s, c.JSON, answer, func(sheet alertapi.Sheet) {
			loc := s.words()
			s.printf("%s\n%s", strings.ToUpper(c.Mode), loc.N("app.alert.people", sheet.People))
			for _, m := range sheet.Messages {
				if m.Use == "alert" {
					s.printf("\n[%s %s] %s\n%s", m.Medium, m.Language, m.Subject, m.Body)
				}
			}
			s.printf("\n%s", loc.T("app.alert.add_go"))
		})
	}
	answer, err := remote.post(s.ctx, "/alerts", draft, c.Key)
	if err != nil {
		return err
	}
	return show(s, c.JSON, answer, func(l alertapi.Launched) {
		key := "app.alert.launched"
		switch {
		case l.State == "awaiting":
			key = "app.alert.awaiting"
		case l.Already:
			key = "app.alert.already"
		}
		s.printf("%s\n%s", s.words().T(key), l.ID)
	})
}

// scenario finds one by id or by its title, without accents or case.
func (c *client) scenario(s *session, name string) (uuid.UUID, error) {
	if id, err := uuid.Parse(name); err == nil {
		return id, nil
	}
	answer, err := c.get(s.ctx, "/scenarios")
	if err != nil {
		return uuid.Nil, err
	}
	var list page[alertapi.Scenario]
	if err := json.Unmarshal(answer, &list); err != nil {
		return uuid.Nil, fmt.Errorf("read the scenarios: %w", err)
	}
	for _, sc := range list.Items {
		if storage.Fold(sc.Title.In("fr")) == storage.Fold(name) || storage.Fold(sc.Title.In("en")) == storage.Fold(name) {
			return sc.ID, nil
		}
	}
	return uuid.Nil, fault.New(fault.NotFound, "app.no_scenario", "name", name).At("scenario")
}

func (c *alertList) far(s *session) error {
	remote, err := c.call(s)
	if err != nil {
		return err
	}
	answer, err := remote.get(s.ctx, "/alerts")
	if err != nil {
		return err
	}
	return show(s, c.JSON, answer, func(p page[alertapi.Alert]) {
		for _, l := range p.Items {
			s.printf("%s\t%s\t%s\t%s\t%s", l.ID, l.LaunchedAt.Format("2006-01-02T15:04:05Z07:00"), l.Mode, l.State, l.Title.In(s.language()))
		}
	})
}

func (c *alertStatus) far(s *session, id uuid.UUID) error {
	remote, err := c.call(s)
	if err != nil {
		return err
	}
	answer, err := remote.get(s.ctx, "/alerts/"+url.PathEscape(id.String()))
	if err != nil {
		return err
	}
	return show(s, c.JSON, answer, func(b alertapi.Board) {
		n := b.Figures
		s.printf("people %d  reached %d  answered %d  coming %d  on site %d  unavailable %d  arrived %d  not reached %d",
			n.People, n.Reached, n.Answered, n.Coming, n.OnSite, n.Unavailable, n.Arrived, n.Exhausted)
		for _, q := range b.Quotas {
			s.printf("  %s %s: %d/%d", q.Skill, q.Name, q.Coming+q.Arrived, q.Needed)
		}
	})
}

// farAct does one thing to a remote alert, which answers nothing.
func (o *one) farAct(s *session, id uuid.UUID, what string, body any) error {
	remote, err := o.call(s)
	if err != nil {
		return err
	}
	_, err = remote.post(s.ctx, "/alerts/"+id.String()+what, body, "")
	return err
}
