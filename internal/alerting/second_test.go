package alerting_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/i18n/i18ntest"
)

// seconds are the telephones of those who may confirm.
type seconds []alerting.Second

func (s seconds) Seconds(context.Context, access.Scope) ([]alerting.Second, error) { return s, nil }

// governed is a hospital of five agents in which more than three people need a
// second person, and the people on duty.
type governed struct {
	*hospital
	first, second access.Scope
}

func (h *hospital) govern(above int) *governed {
	h.t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		h.t.Fatal(err)
	}
	org := h.scope.Organisation()
	g := &governed{hospital: h, first: launcher(org, "Mme Premier"), second: launcher(org, "M. Second")}
	h.Service = alerting.New(alerting.Options{
		DB: h.db, Guard: guard, Directory: h.dir, Dispatch: h.out, Organisation: h.org, LinkBase: "https://t.example/r/", RequestBase: "https://t.example/demande/",
		Catalog: i18ntest.Catalog(h.t, alerting.Locales), Seconds: seconds{
			{Account: g.first.Actor().ID, Language: "fr", Medium: channels.SMS, Address: "+33639980901"},
			{Account: g.second.Actor().ID, Language: "fr", Medium: channels.SMS, Address: "+33639980902"},
			{Account: g.second.Actor().ID, Language: "en", Medium: channels.Email, Address: "second@valbrume.example"},
		},
	})
	rules := alerting.Governance{SecondAbove: above, KeepDays: 100}
	if err := h.SetGovernance(h.t.Context(), person(org, access.Administrator), h.now(), rules); err != nil {
		h.t.Fatal(err)
	}
	for _, name := range []string{"Un", "Deux", "Trois", "Quatre", "Cinq"} {
		h.agent(name, "ide")
	}
	return g
}

func launcher(org uuid.UUID, name string) access.Scope {
	return access.For(org, access.Actor{Kind: access.Person, ID: uuid.New(), Name: name}, true, access.Launcher)
}

// ask launches and expects to wait.
func (g *governed) ask(d alerting.Draft) alerting.Request {
	g.t.Helper()
	held, already, err := g.Launch(g.t.Context(), g.first, g.now(), d)
	if err != nil || already || held.State != alerting.Awaiting || held.People != 5 {
		g.t.Fatalf("launch of five people: %+v, already %v, %v; want it to wait", held, already, err)
	}
	r, err := g.Request(g.t.Context(), g.first, g.now(), held.ID)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

func (g *governed) launches() []alerting.Launch {
	g.t.Helper()
	list, err := g.Launches(g.t.Context(), g.first, alerting.Page{})
	if err != nil {
		g.t.Fatal(err)
	}
	return list
}

func (g *governed) events(l alerting.Launch) []alerting.Event {
	g.t.Helper()
	list, err := g.Timeline(g.t.Context(), g.first, l.ID)
	if err != nil {
		g.t.Fatal(err)
	}
	return list
}

func TestASecondPersonConfirms(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		g := h.govern(3)
		r := g.ask(g.draft(g.scenario(recall())))
		if n := len(g.launches()); n != 0 {
			t.Fatalf("%d alerts before anybody confirmed", n)
		}
		asked := g.queue(r.ID)
		if len(asked) != 2 || r.Told != 2 {
			t.Fatalf("%d messages ask, %d told; want the two addresses of the second person and none of the first", len(asked), r.Told)
		}
		for _, m := range asked {
			if m.Address == "+33639980901" {
				t.Error("the author was asked to confirm")
			}
			if m.Medium == channels.SMS && (!contains(m.Text, "EXERCICE") || !contains(m.Text, "[CIGOGNE]") || !contains(m.Text, "Mme Premier") || !contains(m.Text, "5 personnes")) {
				t.Errorf("the SMS says %q", m.Text)
			}
			if m.Medium == channels.Email && !contains(m.Text, "asks for your agreement") {
				t.Errorf("the e-mail is not in the reader's language: %q", m.Text)
			}
		}
		_, _, err := g.Confirm(t.Context(), g.first, g.now(), r.ID)
		wantFault(t, err, "alerting.second.same")
		_, _, err = g.Confirm(t.Context(), access.System(g.scope.Organisation(), "robot"), g.now(), r.ID)
		wantFault(t, err, "alerting.second.person")

		h.clock.Advance(40 * time.Second)
		l, already, err := g.Confirm(t.Context(), g.second, g.now(), r.ID)
		if err != nil || already || l.State != alerting.Running || l.LaunchedBy != "Mme Premier" || l.People != 5 {
			t.Fatalf("confirmed: %+v, already %v, %v", l, already, err)
		}
		if !slices.ContainsFunc(g.events(l), func(e alerting.Event) bool { return e.Kind == alerting.EventConfirmed && e.By == "M. Second" }) {
			t.Errorf("the timeline does not say who confirmed: %+v", g.events(l))
		}
		if got := h.journal("alert.second.confirmed"); len(got) != 1 || !contains(got[0].After, `"waited_s":40`) || got[0].ObjectID != l.ID.String() {
			t.Errorf("journal %+v", got)
		}
		for _, m := range g.queue(r.ID) {
			if m.State != "withdrawn" {
				t.Errorf("a message still asks: %+v", m)
			}
		}
		_, _, err = g.Confirm(t.Context(), g.second, g.now(), r.ID)
		wantFault(t, err, "alerting.second.over")
		if n := len(g.launches()); n != 1 {
			t.Errorf("%d alerts", n)
		}
	})
}

func TestNobodyConfirms(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		g := h.govern(3)
		r := g.ask(g.draft(g.scenario(recall())))
		h.clock.Advance(alerting.SecondWait - time.Second)
		_, _, err := g.Override(t.Context(), g.first, g.now(), r.ID, "personne ne répond")
		wantFault(t, err, "alerting.second.early")
		h.clock.Advance(time.Second)
		_, _, err = g.Override(t.Context(), g.second, g.now(), r.ID, "à sa place")
		wantFault(t, err, "alerting.second.not_yours")
		_, _, err = g.Override(t.Context(), g.first, g.now(), r.ID, "  ")
		wantFault(t, err, "alerting.second.reason")
		l, already, err := g.Override(t.Context(), g.first, g.now(), r.ID, "personne ne répond")
		if err != nil || already || l.State != alerting.Running {
			t.Fatalf("override: %+v, already %v, %v", l, already, err)
		}
		if !slices.ContainsFunc(g.events(l), func(e alerting.Event) bool {
			return e.Kind == alerting.EventOverridden && e.By == "Mme Premier" && e.Text == "personne ne répond"
		}) {
			t.Errorf("the timeline hides that nobody confirmed: %+v", g.events(l))
		}
		if got := h.journal("alert.second.overridden"); len(got) != 1 || !contains(got[0].After, "personne ne répond") {
			t.Errorf("journal %+v", got)
		}
	})
}

func TestARequestEnds(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		g := h.govern(3)
		sc := g.scenario(recall())
		refused := g.ask(g.draft(sc))
		wantFault(t, g.Refuse(t.Context(), g.second, g.now(), refused.ID, ""), "alerting.second.reason")
		if err := g.Refuse(t.Context(), g.second, g.now(), refused.ID, "fausse alerte"); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(alerting.SecondWait)
		_, _, err := g.Override(t.Context(), g.first, g.now(), refused.ID, "quand même")
		wantFault(t, err, "alerting.second.over")

		dropped := g.ask(g.draft(sc))
		if err := g.Refuse(t.Context(), g.first, g.now(), dropped.ID, ""); err != nil {
			t.Fatal(err)
		}
		late := g.ask(g.draft(sc))
		h.clock.Advance(alerting.RequestLife)
		_, _, err = g.Confirm(t.Context(), g.second, g.now(), late.ID)
		wantFault(t, err, "alerting.second.over")
		again := g.ask(g.draft(sc))
		if again.ID == late.ID {
			t.Error("a lapsed request was found again")
		}
		for id, want := range map[uuid.UUID]alerting.RequestState{
			refused.ID: alerting.RequestRefused, dropped.ID: alerting.RequestDropped, late.ID: alerting.RequestLapsed, again.ID: alerting.RequestWaiting,
		} {
			if r, err := g.Request(t.Context(), g.second, g.now(), id); err != nil || r.State != want {
				t.Errorf("request is %s, want %s: %v", r.State, want, err)
			}
		}
		if open, err := g.Requests(t.Context(), g.second, g.now()); err != nil || len(open) != 1 {
			t.Errorf("%d requests wait, want one: %v", len(open), err)
		}
		if n := len(g.launches()); n != 0 {
			t.Errorf("%d alerts", n)
		}
	})
}

func TestWhoWaitsForNobody(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		g := h.govern(3)
		for name, d := range map[string]alerting.Definition{
			"life safety": recall(func(d *alerting.Definition) { d.LifeSafety = true; d.Title["fr"] = "Incendie" }),
		} {
			l, _, err := g.Launch(t.Context(), g.first, g.now(), g.draft(g.scenario(d)))
			if err != nil || l.State != alerting.Running {
				t.Errorf("%s: %s, %v; it must leave at once", name, l.State, err)
			}
		}
		rules := alerting.Governance{SecondAbove: 5, KeepDays: 100}
		if err := g.SetGovernance(t.Context(), person(g.scope.Organisation(), access.Administrator), g.now(), rules); err != nil {
			t.Fatal(err)
		}
		l, _, err := g.Launch(t.Context(), g.first, g.now(), g.draft(g.scenario(recall())))
		if err != nil || l.State != alerting.Running {
			t.Errorf("as many people as the threshold: %s, %v; only more of them wait", l.State, err)
		}
	})
}

// Somebody who launches the very thing that waits is its second person, and who
// presses twice finds his own request.
func TestTheSameThingTwice(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		g := h.govern(3)
		sc := g.scenario(recall())
		mine := g.draft(sc)
		r := g.ask(mine)
		if again := g.ask(mine); again.ID != r.ID {
			t.Error("a form sent twice made two requests")
		}
		l, already, err := g.Launch(t.Context(), g.second, g.now(), g.draft(sc))
		if err != nil || already || l.State != alerting.Running || l.LaunchedBy != "Mme Premier" {
			t.Fatalf("the second person launches the same thing: %+v, already %v, %v", l, already, err)
		}
		for who, scope := range map[string]access.Scope{"first": g.first, "second": g.second} {
			again, already, err := g.Launch(t.Context(), scope, g.now(), g.draft(sc))
			if err != nil || !already || again.ID != l.ID {
				t.Errorf("%s launches it again: %v, already %v, %v; want the alert that runs", who, again.ID, already, err)
			}
		}
		if again, already, err := g.Launch(t.Context(), g.first, g.now(), mine); err != nil || !already || again.ID != l.ID {
			t.Errorf("the first form again: %v, already %v, %v", again.ID, already, err)
		}
		if n := len(g.launches()); n != 1 {
			t.Errorf("%d alerts", n)
		}
	})
}

// Everybody presses at once: one request, then one alert.
func TestEverybodyConfirmsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		g := h.govern(3)
		r := g.ask(g.draft(g.scenario(recall())))
		h.clock.Advance(alerting.SecondWait)
		var all sync.WaitGroup
		var mu sync.Mutex
		ids := map[uuid.UUID]bool{}
		for i := range 6 {
			all.Go(func() {
				var l alerting.Launch
				var err error
				if i%2 == 0 {
					l, _, err = g.Confirm(t.Context(), g.second, g.now(), r.ID)
				} else {
					l, _, err = g.Override(t.Context(), g.first, g.now(), r.ID, "personne")
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					ids[l.ID] = true
				} else {
					wantFault(t, err, "alerting.second.over")
				}
			})
		}
		all.Wait()
		if list := g.launches(); len(list) != 1 || len(ids) != 1 || !ids[list[0].ID] {
			t.Errorf("%d alerts, people were led to %v", len(list), ids)
		}
		confirmed, overridden := h.journal("alert.second.confirmed"), h.journal("alert.second.overridden")
		if len(confirmed)+len(overridden) != 1 {
			t.Errorf("the request ended %d times", len(confirmed)+len(overridden))
		}
	})
}

func TestRulesOfAnEstablishment(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		admin := person(h.scope.Organisation(), access.Administrator)
		if g, err := h.Governance(t.Context(), h.scope); err != nil || g.SecondAbove != 0 || g.KeepDays != alerting.KeepDaysDefault {
			t.Errorf("the rules of nobody: %+v, %v", g, err)
		}
		wantFault(t, h.SetGovernance(t.Context(), h.scope, h.now(), alerting.Governance{KeepDays: 100}), "access.denied")
		for key, g := range map[string]alerting.Governance{
			"alerting.governance.second": {SecondAbove: -1, KeepDays: 100},
			"alerting.governance.keep":   {KeepDays: 3},
			"alerting.governance.long":   {KeepDays: 100, Recall: alerting.Recall{Roads: alerting.Localized{"fr": strings.Repeat("a", 301)}}},
		} {
			wantFault(t, h.SetGovernance(t.Context(), admin, h.now(), g), key)
		}
		want := alerting.Governance{SecondAbove: 50, KeepDays: 90, Recall: alerting.Recall{Entrance: alerting.Localized{"fr": "Porte B"}}}
		if err := h.SetGovernance(t.Context(), admin, h.now(), want); err != nil {
			t.Fatal(err)
		}
		got, err := h.Governance(t.Context(), h.scope)
		if err != nil || got.SecondAbove != 50 || got.KeepDays != 90 || got.Recall.Entrance.In("en") != "Porte B" {
			t.Errorf("rules %+v, %v", got, err)
		}
		other := h.establishment("Clinique du Parc")
		if g, err := h.Governance(t.Context(), other); err != nil || g.SecondAbove != 0 {
			t.Errorf("another establishment has the rules of this one: %+v, %v", g, err)
		}
	})
}
