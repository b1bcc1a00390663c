package app

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

type alertCommand struct {
	Scenarios alertScenarios `cmd:"" help:"List the scenarios that can be launched."`
	Launch    alertLaunch    `cmd:"" help:"Show what would leave; with --go, launch it."`
	Override  alertOverride  `cmd:"" help:"Launch what a second person did not confirm in time."`
	List      alertList      `cmd:"" help:"List the alerts under way and the last ones."`
	Show      alertStatus    `cmd:"" aliases:"status" help:"Show the figures of an alert."`
	Progress  alertProgress  `cmd:"" help:"Send a progress message."`
	Stop      alertStop      `cmd:"" help:"Stop a wave for good."`
	End       alertEnd       `cmd:"" help:"End an alert, with its message."`
	Kill      alertKill      `cmd:"" help:"Stop at once everything that has not left."`
}

// place is what the commands about alerts share.
type place struct {
	config.Server
	elsewhere
	Establishment string `help:"Name of the establishment, when the instance has several." placeholder:"NAME"`
}

// enter builds the house and finds the establishment.
func (p *place) enter(s *session, do func(h *House, scope access.Scope) error) error {
	return withHouse(s, &p.Server, func(h *House) error {
		e, err := h.establishment(s, p.Establishment)
		if err != nil {
			return err
		}
		return do(h, console().Within(e.ID))
	})
}

type alertScenarios struct{ place }

// Run lists the scenarios, and under each the values a launch asks for.
func (c *alertScenarios) Run(s *session) error {
	if c.Remote != "" {
		return c.far(s)
	}
	return c.enter(s, func(h *House, scope access.Scope) error {
		all, err := h.Alerting.Scenarios(s.ctx, scope, alerting.ScenarioFilter{})
		if err != nil {
			return err
		}
		lang := string(s.words().Language())
		for _, sc := range all {
			s.printf("%s\t%s\t%s", sc.ID, sc.Profile, sc.Title.In(lang))
			_, def, err := h.Alerting.Scenario(s.ctx, scope, sc.ID)
			if err != nil {
				return err
			}
			for _, v := range def.Variables {
				s.printf("\t--value %s=…\t%s", v.Name, asked(v, lang))
			}
		}
		return nil
	})
}

// asked says what a variable asks, and what it takes for an answer.
func asked(v alerting.Variable, lang string) string {
	text := v.Label.In(lang)
	var choices []string
	for _, c := range v.Choices {
		choices = append(choices, c.In(lang))
	}
	if len(choices) > 0 {
		text += " " + strings.Join(choices, " | ")
	}
	if d := v.Default.In(lang); d != "" {
		text += " (" + d + ")"
	}
	return text
}

type alertLaunch struct {
	place
	Scenario string            `arg:"" help:"Id or exact title of the scenario."`
	Mode     string            `required:"" enum:"reel,exercice,test" help:"reel, exercice or test."`
	Ordered  string            `name:"ordered-by" required:"" help:"Who gave the order." placeholder:"\"NAME, FUNCTION\""`
	Value    map[string]string `help:"Values of the scenario's variables." placeholder:"NAME=TEXT;…"`
	Key      string            `help:"Idempotency key: launching twice with the same key makes one alert." placeholder:"KEY"`
	Go       bool              `help:"Launch. Without it, only show what would leave."`
}

// Run shows the sheet and, with --go, launches.
func (c *alertLaunch) Run(s *session) error {
	if c.Remote != "" {
		return c.far(s)
	}
	return c.enter(s, func(h *House, scope access.Scope) error {
		id, err := h.scenario(s, scope, c.Scenario)
		if err != nil {
			return err
		}
		now := h.Clock.Now()
		draft := alerting.Draft{Scenario: id, Mode: alerting.Mode(c.Mode), Values: c.Value, OrderedBy: c.Ordered, IdempotencyKey: c.Key}
		if !c.Go {
			sheet, err := h.Alerting.Prepare(s.ctx, scope, now, draft)
			if err != nil {
				return err
			}
			s.printSheet(sheet)
			return nil
		}
		if draft.IdempotencyKey == "" {
			draft.IdempotencyKey = storage.NewID(now).String()
		}
		launch, already, err := h.Alerting.Launch(s.ctx, scope, now, draft)
		if err != nil {
			return err
		}
		if launch.State == alerting.Awaiting {
			s.printf("%s\n%s", s.words().T("app.alert.waits", "wait", alerting.SecondWait, "id", launch.ID.String()), launch.ID)
			return nil
		}
		key := "app.alert.launched"
		if already {
			key = "app.alert.already"
		}
		s.printf("%s\n%s", s.words().T(key), launch.ID)
		return nil
	})
}

type alertOverride struct {
	place
	Request string `arg:"" help:"Id of the launch that waits, as printed by launch."`
	Why     string `required:"" help:"Why nobody confirmed, for the journal and the report." placeholder:"TEXT"`
}

// Run launches alone what was asked for at the command line.
func (c *alertOverride) Run(s *session) error {
	return c.enter(s, func(h *House, scope access.Scope) error {
		id, err := uuid.Parse(c.Request)
		if err != nil {
			return fault.New(fault.Invalid, "app.bad_id", "id", c.Request).At("alert")
		}
		launch, _, err := h.Alerting.Override(s.ctx, scope, h.Clock.Now(), id, c.Why)
		if err != nil {
			return err
		}
		s.printf("%s\n%s", s.words().T("app.alert.launched"), launch.ID)
		return nil
	})
}

// scenario finds one by id or by its title, without accents or case.
func (h *House) scenario(s *session, scope access.Scope, name string) (uuid.UUID, error) {
	all, err := h.Alerting.Scenarios(s.ctx, scope, alerting.ScenarioFilter{})
	if err != nil {
		return uuid.Nil, err
	}
	for _, sc := range all {
		if sc.ID.String() == name || storage.Fold(sc.Title.In("fr")) == storage.Fold(name) || storage.Fold(sc.Title.In("en")) == storage.Fold(name) {
			return sc.ID, nil
		}
	}
	return uuid.Nil, fault.New(fault.NotFound, "app.no_scenario", "name", name).At("scenario")
}

func (s *session) printSheet(sheet alerting.Sheet) {
	loc := s.words()
	s.printf("%s  —  %s", sheet.Definition.Title.In(string(loc.Language())), strings.ToUpper(string(sheet.Mode)))
	s.printf("%s", loc.N("app.alert.people", sheet.Messaged))
	for _, m := range sheet.ByMedium {
		s.printf("  %s: %d", loc.T("channels.medium."+string(m.Medium)), m.First)
	}
	for _, p := range sheet.Previews {
		if p.Use == alerting.UseAlert {
			s.printf("\n[%s %s] %s\n%s", p.Medium, p.Language, p.Subject, p.Body)
		}
	}
	s.printf("\n%s", loc.T("app.alert.add_go"))
}

type alertList struct{ place }

// Run lists alerts.
func (c *alertList) Run(s *session) error {
	if c.Remote != "" {
		return c.far(s)
	}
	return c.enter(s, func(h *House, scope access.Scope) error {
		all, err := h.Alerting.Launches(s.ctx, scope, alerting.Page{})
		if err != nil {
			return err
		}
		for _, l := range all {
			state := "active"
			if !l.EndedAt.IsZero() {
				state = "ended"
			}
			s.printf("%s\t%s\t%s\t%s\t%s", l.ID, l.LaunchedAt.Format(time.RFC3339), l.Mode, state, l.Title.In(string(s.words().Language())))
		}
		return nil
	})
}

// one is what the commands about one alert share.
type one struct {
	place
	Alert string `arg:"" help:"Id of the alert, as printed by launch or list."`
}

func (o *one) id() (uuid.UUID, error) {
	id, err := uuid.Parse(o.Alert)
	if err != nil {
		return id, fault.New(fault.Invalid, "app.bad_id", "id", o.Alert).At("alert")
	}
	return id, nil
}

// enterOne does something to an alert, here or elsewhere.
func (o *one) enterOne(s *session, do func(h *House, scope access.Scope, id uuid.UUID) error, far func(id uuid.UUID) error) error {
	id, err := o.id()
	if err != nil {
		return err
	}
	if o.Remote != "" {
		return far(id)
	}
	return o.enter(s, func(h *House, scope access.Scope) error { return do(h, scope, id) })
}

type alertStatus struct{ one }

// Run prints the figures of an alert.
func (c *alertStatus) Run(s *session) error {
	return c.enterOne(s, func(h *House, scope access.Scope, id uuid.UUID) error {
		b, err := h.Alerting.Board(s.ctx, scope, id, h.Clock.Now())
		if err != nil {
			return err
		}
		n := b.Counters
		s.printf("people %d  reached %d  answered %d  coming %d  on site %d  unavailable %d  arrived %d  not reached %d",
			n.People, n.Reached, n.Answered, n.Coming, n.OnSite, n.Unavailable, n.Arrived, n.Exhausted)
		for _, q := range b.Quotas {
			s.printf("  %s %s: %d/%d", q.Skill, q.SiteName, q.Coming+q.Arrived, q.Needed)
		}
		return nil
	}, func(id uuid.UUID) error { return c.far(s, id) })
}

type alertEnd struct {
	one
	Text string `help:"Text of the end message, in place of the scenario's." placeholder:"TEXT"`
}

// Run ends an alert.
func (c *alertEnd) Run(s *session) error {
	return c.enterOne(s, func(h *House, scope access.Scope, id uuid.UUID) error {
		var text alerting.Localized
		if c.Text != "" {
			text = alerting.Localized{"fr": c.Text, "en": c.Text}
		}
		return h.Alerting.End(s.ctx, scope, h.Clock.Now(), id, text)
	}, func(id uuid.UUID) error {
		body := map[string]any{}
		if c.Text != "" {
			body["text"] = alerting.Localized{"fr": c.Text, "en": c.Text}
		}
		return c.farAct(s, id, "/end", body)
	})
}

type alertKill struct {
	one
	Why string `required:"" help:"Why, for the journal." placeholder:"TEXT"`
}

// Run stops everything that has not left.
func (c *alertKill) Run(s *session) error {
	return c.enterOne(s, func(h *House, scope access.Scope, id uuid.UUID) error {
		if err := h.Alerting.Kill(s.ctx, scope, h.Clock.Now(), id, c.Why); err != nil {
			return fmt.Errorf("kill %s: %w", id, err)
		}
		return nil
	}, func(id uuid.UUID) error { return c.farAct(s, id, "/kill", map[string]any{"why": c.Why}) })
}

type alertProgress struct {
	one
	Text string `required:"" help:"The message." placeholder:"TEXT"`
	To   string `default:"all" enum:"all,coming,unanswered" help:"all, coming or unanswered."`
}

// Run sends a progress message.
func (c *alertProgress) Run(s *session) error {
	text := alerting.Localized{"fr": c.Text, "en": c.Text}
	return c.enterOne(s, func(h *House, scope access.Scope, id uuid.UUID) error {
		return h.Alerting.Progress(s.ctx, scope, h.Clock.Now(), id, alerting.To(c.To), text)
	}, func(id uuid.UUID) error {
		return c.farAct(s, id, "/messages", map[string]any{"to": c.To, "text": text})
	})
}

type alertStop struct {
	one
	Wave int `required:"" help:"Number of the wave, from 1." placeholder:"N"`
}

// Run stops a wave.
func (c *alertStop) Run(s *session) error {
	return c.enterOne(s, func(h *House, scope access.Scope, id uuid.UUID) error {
		return h.Alerting.StopWave(s.ctx, scope, h.Clock.Now(), id, c.Wave)
	}, func(id uuid.UUID) error {
		return c.farAct(s, id, fmt.Sprintf("/waves/%d/stop", c.Wave), map[string]any{})
	})
}
