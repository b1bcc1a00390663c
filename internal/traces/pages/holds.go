package pages

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

// HoldsPath is where traces are kept for a court, and let go.
const (
	HoldsPath   = Path + "/gels"
	newHoldPath = HoldsPath + "/nouveau"
)

const (
	holdTime  = "2006-01-02T15:04"
	holdWords = 500
)

func holdPath(id uuid.UUID) string { return HoldsPath + "/" + id.String() }

func mayHold(c *ui.Context) bool { return c.May(access.TracesHold) }

func (p pages) holdRoutes(r *ui.Router) {
	r.Get(HoldsPath, access.TracesHold, p.holds)
	r.Get(newHoldPath, access.TracesHold, p.newHold)
	r.Post(newHoldPath, access.TracesHold, p.placeHold, ui.Lasting(patience))
	r.Get(HoldsPath+"/{id}", access.TracesHold, p.hold)
	r.Post(HoldsPath+"/{id}/lever", access.TracesHold, p.askLift)
	r.Post(HoldsPath+"/{id}/lever/accepter", access.TracesHold, p.lift)
	r.Post(HoldsPath+"/{id}/lever/refuser", access.TracesHold, p.refuseLift)
}

func (p pages) holds(c *ui.Context) error {
	all, err := p.s.LegalHolds(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(holdsPage(c, all))
}

func (p pages) newHold(c *ui.Context) error {
	sources, err := p.s.HoldSources(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	now := c.Now.In(c.Zone)
	f := c.NewForm(map[string]string{"de": now.AddDate(-1, 0, 0).Format(holdTime), "a": now.Format(holdTime)})
	return c.Render(holdForm(c, f, sources))
}

// placeHold first says what a hold will keep and cost; posted again with that, it
// places it.
func (p pages) placeHold(c *ui.Context) error {
	sources, err := p.s.HoldSources(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	f := c.Form()
	w := wantedHold(c, f)
	if !f.Valid() {
		return c.Refill(f, nil, holdForm(c, f, sources))
	}
	if f.Value("confirmer") != "oui" {
		weight, err := p.s.WeighHold(c.Ctx(), c.Scope, w)
		if err != nil {
			return c.Refill(f, err, holdForm(c, f, sources))
		}
		return c.Render(weighedPage(c, f, holdTerms(c, w, sources), w, weight))
	}
	h, err := p.s.PlaceHold(c.Ctx(), c.Scope, w)
	if err != nil {
		return c.Refill(f, err, holdForm(c, f, sources))
	}
	c.Flash(ui.Success, c.Loc.T("traces.hold.page.placed"))
	return c.Redirect(holdPath(h.ID))
}

// heldFields are those of the form, in order.
var heldFields = [...]string{"autorite", "reference", "demandeur", "motif", "patient", "compte", "personne", "source", "de", "a", "tout"}

// wantedHold reads the form.
func wantedHold(c *ui.Context, f *ui.Form) traces.HoldWanted {
	w := traces.HoldWanted{
		Authority: f.Value("autorite"), Reference: f.Value("reference"), RequestedBy: f.Value("demandeur"), Reason: f.Value("motif"),
		HoldSelection: traces.HoldSelection{Patient: f.Value("patient"), Account: f.Value("compte"), Person: f.Value("personne"), Everything: f.Value("tout") != ""},
	}
	w.From, w.To = holdMoment(c, f, "de"), holdMoment(c, f, "a")
	if v := f.Value("source"); v != "" {
		id, err := uuid.Parse(v)
		if err != nil {
			f.Add("source", c.Loc.T("traces.source.unknown"))
		}
		w.Source = id
	}
	return w
}

func holdMoment(c *ui.Context, f *ui.Form, name string) time.Time {
	t, err := time.ParseInLocation(holdTime, f.Value(name), c.Zone)
	if err != nil {
		f.Add(name, c.Loc.T("traces.hold.page.time"))
	}
	return t
}

// holdTerm is one thing that a hold says of what it keeps.
type holdTerm struct{ Name, Text string }

// holdTerms are what a hold keeps, in words.
func holdTerms(c *ui.Context, w traces.HoldWanted, sources []traces.NamedSource) (out []holdTerm) {
	add := func(key, text string) {
		if text != "" {
			out = append(out, holdTerm{c.Loc.T("traces.hold.page." + key), text})
		}
	}
	add("patient", w.Patient)
	add("account", w.Account)
	add("person", w.Person)
	for _, s := range sources {
		if s.ID == w.Source {
			add("source", s.Name)
		}
	}
	if w.Everything {
		add("what", c.Loc.T("traces.hold.page.all"))
	}
	add("period", holdPeriod(c, w.HoldSelection))
	return out
}

func holdPeriod(c *ui.Context, s traces.HoldSelection) string {
	return c.Loc.T("traces.hold.page.between", "from", c.Loc.DateTime(s.From, c.Zone), "to", c.Loc.DateTime(s.To, c.Zone))
}

func sourceChoices(c *ui.Context, sources []traces.NamedSource) []ui.Choice {
	out := []ui.Choice{{Label: c.Loc.T("traces.hold.page.source.any")}}
	for _, s := range sources {
		out = append(out, ui.Choice{Value: s.ID.String(), Label: s.Name})
	}
	return out
}

func (p pages) readHold(c *ui.Context) (h traces.LegalHold, terms []holdTerm, err error) {
	id, err := c.ID("id")
	if err != nil {
		return h, nil, err
	}
	if h, err = p.s.LegalHold(c.Ctx(), c.Scope, id); err != nil {
		return h, nil, err
	}
	sources, err := p.s.HoldSources(c.Ctx(), c.Scope)
	return h, holdTerms(c, h.HoldWanted, sources), err
}

func (p pages) hold(c *ui.Context) error {
	h, terms, err := p.readHold(c)
	if err != nil {
		return err
	}
	return c.Render(holdPage(c, c.NewForm(nil), h, terms))
}

// move does one thing to a hold and comes back to its sheet.
func (p pages) move(c *ui.Context, done string, do func(id uuid.UUID, f *ui.Form) error) error {
	h, terms, err := p.readHold(c)
	if err != nil {
		return err
	}
	f := c.Form()
	if err := do(h.ID, f); err != nil {
		return c.Refill(f, err, holdPage(c, f, h, terms))
	}
	c.Flash(ui.Success, c.Loc.T(done))
	return c.Redirect(holdPath(h.ID))
}

func (p pages) askLift(c *ui.Context) error {
	return p.move(c, "traces.hold.page.lift.asked", func(id uuid.UUID, f *ui.Form) error {
		_, err := p.s.AskLift(c.Ctx(), c.Scope, id, f.Value("raison"))
		return err
	})
}

func (p pages) refuseLift(c *ui.Context) error {
	return p.move(c, "traces.hold.page.lift.refused", func(id uuid.UUID, f *ui.Form) error {
		_, err := p.s.RefuseLift(c.Ctx(), c.Scope, id, f.Value("refus"))
		return err
	})
}

func (p pages) lift(c *ui.Context) error {
	return p.move(c, "traces.hold.page.lift.done", func(id uuid.UUID, _ *ui.Form) error {
		_, err := p.s.Lift(c.Ctx(), c.Scope, id)
		return err
	})
}

// mine tells whether the reader asked to lift it himself.
func mine(c *ui.Context, h traces.LegalHold) bool { return h.LiftAsked.ID == c.Scope.Actor().ID }

func holdTone(s traces.HoldState) ui.Tone {
	switch s {
	case traces.HoldStands:
		return ui.Success
	case traces.HoldLifting:
		return ui.Attention
	}
	return ui.Information
}

// heldCount is how many traces a hold keeps, in words.
func heldCount(c *ui.Context, w traces.Weight) string {
	if w.Events < 0 {
		return c.Loc.T("traces.hold.page.uncounted")
	}
	return c.Loc.N("traces.hold.page.count", int(w.Events), "size", c.Loc.Bytes(w.Bytes))
}

// holdSteps are what happened to a hold, in order.
func holdSteps(c *ui.Context, h traces.LegalHold) []ui.Event {
	at := func(a traces.Act, tone ui.Tone, key, text string) ui.Event {
		return ui.Event{At: a.At, When: c.Loc.DateTime(a.At, c.Zone), Tone: tone, Title: c.Loc.T("traces.hold.page.step."+key, "who", a.Name), Text: text}
	}
	out := []ui.Event{at(h.Placed, ui.Success, "placed", h.Reason)}
	if !h.LiftAsked.At.IsZero() {
		out = append(out, at(h.LiftAsked, ui.Attention, "asked", h.LiftReason))
	}
	switch {
	case h.State == traces.HoldLifted:
		out = append(out, at(h.LiftDecided, ui.Information, "lifted", ""))
	case !h.LiftDecided.At.IsZero() && h.LiftDecided.ID == h.LiftAsked.ID:
		out = append(out, at(h.LiftDecided, ui.Information, "withdrawn", h.LiftRefusal))
	case !h.LiftDecided.At.IsZero():
		out = append(out, at(h.LiftDecided, ui.Information, "refused", h.LiftRefusal))
	}
	return out
}

// stops are the classes whose last purge did not come to its end.
func stops(all []traces.PurgeState) (out []traces.PurgeState) {
	for _, s := range all {
		if s.Problem != "" {
			out = append(out, s)
		}
	}
	return out
}

// stopWord says why a purge did not come to its end.
func stopWord(c *ui.Context, s traces.PurgeState) string {
	why := c.Loc.T("traces.keep.failed")
	if c.Loc.Has(s.Problem) {
		why = c.Loc.T(s.Problem)
	}
	return c.Loc.T("traces.keep.page.stopped", "class", classWord(c.Loc, s.Class), "date", c.Loc.DateTime(s.ProblemAt, c.Zone), "why", strings.TrimSpace(why))
}

// heldOf is how many events of a class are past their duration and held.
func heldOf(all []traces.PurgeState, class traces.Class) int {
	for _, s := range all {
		if s.Class == class {
			return int(s.Held)
		}
	}
	return 0
}

// standingHolds counts those that are not lifted.
func standingHolds(all []traces.LegalHold) (n int) {
	for _, h := range all {
		if h.Standing() {
			n++
		}
	}
	return n
}

// heldSince is when what a hold keeps was last counted.
func heldSince(c *ui.Context, h traces.LegalHold) string {
	if h.Counted.IsZero() {
		return ""
	}
	return c.Loc.T("traces.hold.page.counted", "date", c.Loc.DateTime(h.Counted, c.Zone))
}
