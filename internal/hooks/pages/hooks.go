package pages

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/hooks"
	"tocsin/internal/ui"
)

func (p pages) list(c *ui.Context) error {
	subscriptions, err := p.service.Subscriptions(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	doors, err := p.service.Doors(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	readers, err := p.service.Readers(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	names, _, err := p.titles(c.Ctx(), c)
	if err != nil {
		return err
	}
	return c.Render(listPage(c, subscriptions, doors, readers, names, p.root))
}

func (p pages) show(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	s, err := p.service.Subscription(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	before, err := uuid.Parse(c.Query().Get("avant"))
	if err != nil {
		before = uuid.Nil
	}
	list, err := p.service.Deliveries(c.Ctx(), c.Scope, id, before)
	if err != nil {
		return err
	}
	return c.Render(subscriptionPage(c, s, list))
}

func (p pages) newSubscription(c *ui.Context) error {
	return c.Render(newSubscriptionPage(c, c.NewForm(nil)))
}

func (p pages) subscribe(c *ui.Context) error {
	f := c.Form()
	in := hooks.SubscriptionInput{Name: f.Value("name"), URL: f.Value("url"), Inside: f.Checked("inside", "oui")}
	for _, k := range f.List("events") {
		in.Events = append(in.Events, hooks.Kind(k))
	}
	s, secret, err := p.service.Subscribe(c.Ctx(), c.Scope, c.Now, in)
	if err != nil {
		return c.Refill(f, err, newSubscriptionPage(c, f))
	}
	return c.Render(secretPage(c, s.Name, secret, Path+"/"+s.ID.String(), ""))
}

func (p pages) newDoor(c *ui.Context) error {
	_, choices, err := p.titles(c.Ctx(), c)
	if err != nil {
		return err
	}
	return c.Render(newDoorPage(c, c.NewForm(map[string]string{"form": string(hooks.Alertmanager), "mode": string(alerting.Exercise), "act": string(hooks.Propose), "gap": "30"}), choices))
}

func (p pages) openDoor(c *ui.Context) error {
	_, choices, err := p.titles(c.Ctx(), c)
	if err != nil {
		return err
	}
	f := c.Form()
	scenario, err := uuid.Parse(f.Value("scenario"))
	if err != nil {
		return c.Refill(f, fault.Wrap(err, fault.Invalid, "hooks.door.scenario").At("scenario"), newDoorPage(c, f, choices))
	}
	blanks, err := blanksOf(f.Value("blanks"))
	if err != nil {
		return c.Refill(f, err, newDoorPage(c, f, choices))
	}
	d, secret, err := p.service.OpenDoor(c.Ctx(), c.Scope, c.Now, hooks.DoorInput{
		Name: f.Value("name"), Form: hooks.Form(f.Value("form")), Scenario: scenario, Mode: alerting.Mode(f.Value("mode")), Act: hooks.Act(f.Value("act")),
		Blanks: blanks, Progress: f.Checked("progress", "oui"), Gap: time.Duration(f.Int("gap", 5, 1440)) * time.Minute,
		Filter: hooks.Filter{
			Sender: f.Value("cap_sender"), Event: f.Value("cap_event"), Severity: f.Value("cap_severity"), Certainty: f.Value("cap_certainty"), Area: f.Value("cap_area"),
		},
		Source: hooks.Source{URL: f.Value("url"), Inside: f.Checked("inside", "oui")},
	})
	if err != nil {
		return c.Refill(f, err, newDoorPage(c, f, choices))
	}
	return c.Render(secretPage(c, d.Name, secret, Path, p.root+d.ID.String()))
}

// blanksOf reads "variable = text", a line each.
func blanksOf(text string) (map[string]string, error) {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || strings.TrimSpace(name) == "" {
			return nil, fault.New(fault.Invalid, "hooks.door.blanks").At("blanks")
		}
		out[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return out, nil
}

// act does one thing to a subscription or a door, says so, and goes back.
func act(c *ui.Context, said, back string, do func(id uuid.UUID) error) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := do(id); err != nil {
		return err
	}
	c.Flash(ui.Success, said)
	return c.Redirect(strings.ReplaceAll(back, "{id}", id.String()))
}

func (p pages) try(c *ui.Context) error {
	return act(c, c.Loc.T("hooks.tried"), Path+"/{id}", func(id uuid.UUID) error { return p.service.Try(c.Ctx(), c.Scope, c.Now, id) })
}

func (p pages) pause(c *ui.Context) error {
	return act(c, c.Loc.T("hooks.paused"), Path+"/{id}", func(id uuid.UUID) error { return p.service.Pause(c.Ctx(), c.Scope, c.Now, id, true) })
}

func (p pages) resume(c *ui.Context) error {
	return act(c, c.Loc.T("hooks.resumed"), Path+"/{id}", func(id uuid.UUID) error { return p.service.Pause(c.Ctx(), c.Scope, c.Now, id, false) })
}

// removing says what goes with a subscription: what waits and what was lost.
func (p pages) removing(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	s, err := p.service.Subscription(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	back := Path + "/" + id.String()
	effects := []string{c.Loc.T("hooks.removal.silent", "url", s.URL, "events", kindWords(c, s))}
	if s.Waiting > 0 {
		effects = append(effects, c.Loc.N("hooks.removal.waiting", s.Waiting))
	}
	if s.Lost > 0 {
		effects = append(effects, c.Loc.N("hooks.removal.lost", s.Lost))
	}
	effects = append(effects, c.Loc.T("hooks.removal.secret"))
	return c.Render(removal(c, c.Loc.T("hooks.removal.title", "name", s.Name), back+"/supprimer", back, c.Loc.T("hooks.removal.act"), effects))
}

// closingDoor says what a monitor cannot do any more once its door is gone.
func (p pages) closingDoor(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	d, err := p.service.Door(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	names, _, err := p.titles(c.Ctx(), c)
	if err != nil {
		return err
	}
	effects := []string{c.Loc.T("hooks.removal.door", "act", c.Loc.T("hooks.act."+string(d.Act)), "scenario", names[d.Scenario]), c.Loc.T("hooks.removal.door.calls")}
	if d.Acted.IsZero() {
		effects = append(effects, c.Loc.T("hooks.removal.door.never"))
	} else {
		effects = append(effects, c.Loc.T("hooks.removal.door.last", "at", c.Loc.DateTime(d.Acted, c.Zone)))
	}
	effects = append(effects, c.Loc.T("hooks.removal.door.rest"))
	return c.Render(removal(c, c.Loc.T("hooks.removal.title", "name", d.Name), DoorPath+"/"+id.String()+"/supprimer", Path, c.Loc.T("hooks.removal.door.do"), effects))
}

func (p pages) remove(c *ui.Context) error {
	return act(c, c.Loc.T("hooks.removed"), Path, func(id uuid.UUID) error { return p.service.Unsubscribe(c.Ctx(), c.Scope, c.Now, id) })
}

func (p pages) resend(c *ui.Context) error {
	message, err := c.ID("message")
	if err != nil {
		return err
	}
	return act(c, c.Loc.T("hooks.resent"), Path+"/{id}", func(id uuid.UUID) error { return p.service.Resend(c.Ctx(), c.Scope, c.Now, id, message) })
}

func (p pages) rotate(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	secret, err := p.service.Rotate(c.Ctx(), c.Scope, c.Now, id)
	if err != nil {
		return err
	}
	return c.Render(secretPage(c, c.Loc.T("hooks.secret.new"), secret, Path+"/"+id.String(), ""))
}

func (p pages) rotateDoor(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	secret, err := p.service.RotateDoor(c.Ctx(), c.Scope, c.Now, id)
	if err != nil {
		return err
	}
	return c.Render(secretPage(c, c.Loc.T("hooks.secret.new"), secret, Path, p.root+id.String()))
}

func (p pages) pauseDoor(c *ui.Context) error {
	return act(c, c.Loc.T("hooks.door.paused"), Path, func(id uuid.UUID) error { return p.service.PauseDoor(c.Ctx(), c.Scope, c.Now, id, true) })
}

func (p pages) resumeDoor(c *ui.Context) error {
	return act(c, c.Loc.T("hooks.door.resumed"), Path, func(id uuid.UUID) error { return p.service.PauseDoor(c.Ctx(), c.Scope, c.Now, id, false) })
}

func (p pages) closeDoor(c *ui.Context) error {
	return act(c, c.Loc.T("hooks.door.removed"), Path, func(id uuid.UUID) error { return p.service.CloseDoor(c.Ctx(), c.Scope, c.Now, id) })
}

func eventChoices(c *ui.Context) (out []ui.Choice) {
	for _, k := range hooks.Kinds() {
		out = append(out, ui.Choice{Value: string(k), Label: kindWord(c, k), Hint: string(k)})
	}
	return out
}

func kindWord(c *ui.Context, k hooks.Kind) string { return c.Loc.T("hooks.kind." + string(k)) }

func kindWords(c *ui.Context, s hooks.Subscription) string {
	var words []string
	for _, k := range s.Events {
		words = append(words, kindWord(c, k))
	}
	return strings.Join(words, " · ")
}

func wordChoices(c *ui.Context, prefix string, values ...string) (out []ui.Choice) {
	for _, v := range values {
		word := v
		if v == "" {
			word = "any"
		}
		out = append(out, ui.Choice{Value: v, Label: c.Loc.T(prefix + word)})
	}
	return out
}

// filterWords is what a door of CAP hears.
func filterWords(c *ui.Context, f hooks.Filter) string {
	var out []string
	for key, value := range map[string]string{"event": f.Event, "area": f.Area, "sender": f.Sender} {
		if value != "" {
			out = append(out, c.Loc.T("hooks.cap.heard."+key, "value", value))
		}
	}
	slices.Sort(out)
	if f.Severity != "" {
		out = append(out, c.Loc.T("hooks.cap.severity."+f.Severity))
	}
	if f.Certainty != "" {
		out = append(out, c.Loc.T("hooks.cap.certainty."+f.Certainty))
	}
	return strings.Join(out, " · ")
}

// answerWord is what the receiver said last.
func answerWord(c *ui.Context, d hooks.Delivery) string {
	switch {
	case d.Last.IsZero():
		return c.Loc.T("hooks.answer.none_yet")
	case slices.Contains([]string{"inside", "redirect", "timeout", "network"}, d.Error):
		return c.Loc.T("hooks.error." + d.Error)
	}
	return "HTTP " + strconv.Itoa(d.Status)
}

func stateTone(s hooks.State) ui.Tone {
	switch s {
	case hooks.Told:
		return ui.Success
	case hooks.Dead:
		return ui.Critical
	case hooks.Waiting:
	}
	return ui.Attention
}
