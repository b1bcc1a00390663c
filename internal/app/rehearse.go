package app

import (
	"encoding/json"
	"math"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/config"
	"tocsin/internal/fault"
)

// rehearseCommand plays a scenario: the same work as that of the page, kept where
// the page shows it.
type rehearseCommand struct {
	config.Server
	Establishment string `help:"Name of the establishment, when the instance has several." placeholder:"NAME"`
	Scenario      string `arg:"" help:"Id or exact title of the scenario."`
	At            string `help:"As if the alert left then, in the zone of the establishment; now when empty." placeholder:"2026-11-30T03:00"`
	Draws         int    `default:"200" help:"How many nights are drawn." placeholder:"N"`
	JSON          bool   `name:"json" help:"Print one JSON object instead of sentences."`
}

// Run rehearses and prints.
func (c *rehearseCommand) Run(s *session) error {
	return withHouse(s, &c.Server, func(h *House) error {
		e, err := h.establishment(s, c.Establishment)
		if err != nil {
			return err
		}
		scope := console().Within(e.ID)
		id, err := h.scenario(s, scope, c.Scenario)
		if err != nil {
			return err
		}
		order := alerting.RehearsalOrder{Draws: c.Draws}
		if c.At != "" {
			zone, err := time.LoadLocation(e.Zone)
			if err != nil {
				return err
			}
			if order.At, err = time.ParseInLocation("2006-01-02T15:04", c.At, zone); err != nil {
				return fault.Wrap(err, fault.Invalid, "app.rehearse.at").At("at")
			}
		}
		return c.rehearse(s, h, scope, id, order)
	})
}

func (c *rehearseCommand) rehearse(s *session, h *House, scope access.Scope, id uuid.UUID, order alerting.RehearsalOrder) error {
	told := 0
	r, err := h.Alerting.Rehearse(s.ctx, scope, h.Clock.Now(), id, order, func(done, total int) {
		if percent := 100 * done / max(total, 1); !c.JSON && percent >= told+25 {
			told = percent
			s.printf("%s", s.words().T("app.rehearse.progress", "percent", percent))
		}
	})
	if err != nil {
		return err
	}
	if c.JSON {
		out := json.NewEncoder(s.out)
		out.SetIndent("", "  ")
		return out.Encode(r)
	}
	c.print(s, r)
	return nil
}

func (c *rehearseCommand) print(s *session, r alerting.Rehearsal) {
	loc, o := s.words(), r.Shown.Outcome
	moment := func(label string, m alerting.Moment) {
		if m.Never > 0.5 {
			s.printf("%s", loc.T(label, "time", "–", "low", "–", "high", "–"))
			return
		}
		spoken := func(v float64) string {
			return loc.Duration(time.Duration(v * float64(time.Second)).Round(time.Second))
		}
		s.printf("%s", loc.T(label, "time", spoken(m.Middle), "low", spoken(m.Low), "high", spoken(m.High)))
	}
	s.printf("%s", loc.N("app.rehearse.people", o.People, "draws", o.Draws))
	moment("app.rehearse.half", o.At50)
	moment("app.rehearse.most", o.At80)
	if o.Quota.Never < 1 {
		moment("app.rehearse.quota", o.Quota)
	}
	if len(o.Points) > 60 {
		s.printf("%s", loc.T("app.rehearse.hour", "coming", int(math.Round(o.Points[60].Coming.Middle)), "arrived", int(math.Round(o.Points[60].Arrived.Middle))))
	}
	s.printf("%s", loc.T("app.rehearse.binds."+string(o.Binds)))
	if r.Shown.Alerts == 0 {
		s.printf("%s", loc.T("app.rehearse.first"))
	}
	s.printf("%s", loc.T("app.rehearse.nothing"))
}
