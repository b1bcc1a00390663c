package administration_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
)

func nord() uuid.UUID { return uuid.MustParse("01900000-0000-7000-8000-000000000001") }

func guard(t *testing.T) *access.Guard {
	t.Helper()
	g, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func auditor() access.Scope {
	return access.For(nord(), access.Actor{Kind: access.Person, ID: uuid.Max}, false, access.Auditor)
}

func says(s administration.State, key string) administration.Check {
	return administration.Check{ID: key, Title: key, Run: func(context.Context, access.Scope) administration.Finding {
		return administration.Finding{State: s, What: administration.Say(key)}
	}}
}

func TestExamination(t *testing.T) {
	d := administration.NewDoctor(guard(t), clock.NewFake(time.Unix(0, 0)),
		says(administration.Well, "a"), says(administration.Unused, "b"), says(administration.Weak, "c"), says("", "d"),
		administration.Check{ID: "panics", Run: func(context.Context, access.Scope) administration.Finding { panic("no gateway") }})
	seen, err := d.Examine(t.Context(), auditor())
	if err != nil {
		t.Fatal(err)
	}
	var states []administration.State
	for _, r := range seen.Reports {
		states = append(states, r.State)
	}
	want := []administration.State{administration.Well, administration.Unused, administration.Weak, administration.Broken, administration.Broken}
	if !slices.Equal(states, want) || seen.Worst() != administration.Broken {
		t.Errorf("states %v, worst %s", states, seen.Worst())
	}
	if r := seen.Reports[4]; r.Err == nil || r.What.Key != "administration.check.failed" {
		t.Errorf("a check that panics: %+v", r.Finding)
	}
}

func TestExaminationIsForThoseWhoMay(t *testing.T) {
	d := administration.NewDoctor(guard(t), clock.NewFake(time.Unix(0, 0)), says(administration.Well, "a"))
	reader := access.For(nord(), access.Actor{Kind: access.Person, ID: uuid.Max}, true, access.Reader)
	if _, err := d.Examine(t.Context(), reader); !fault.Is(err, fault.Denied) {
		t.Errorf("a reader: %v", err)
	}
}

// A hand on the reload key dials the gateways twice a minute, no more, and one
// establishment never sees what was found for another.
func TestAnswersAreKeptForAWhile(t *testing.T) {
	now := clock.NewFake(time.Unix(1000, 0))
	var ran atomic.Int32
	d := administration.NewDoctor(guard(t), now, administration.Check{ID: "sms", Run: func(_ context.Context, s access.Scope) administration.Finding {
		ran.Add(1)
		return administration.Finding{State: administration.Well, What: administration.Say(s.Organisation().String())}
	}})
	for _, step := range []struct {
		scope access.Scope
		wait  time.Duration
		want  int32
	}{
		{auditor(), 0, 1},
		{auditor(), 29 * time.Second, 1},
		{access.System(uuid.Max, "doctor"), 0, 2},
		{auditor(), time.Second, 3},
	} {
		now.Advance(step.wait)
		seen, err := d.Examine(t.Context(), step.scope)
		if err != nil || ran.Load() != step.want || seen.Reports[0].What.Key != step.scope.Organisation().String() {
			t.Errorf("after %s: ran %d times, want %d; %+v %v", step.wait, ran.Load(), step.want, seen, err)
		}
	}
}

func TestSilentCheckIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := administration.NewDoctor(guard(t), clock.NewFake(time.Unix(0, 0)),
			administration.Check{ID: "deaf", Run: func(ctx context.Context, _ access.Scope) administration.Finding {
				<-ctx.Done()
				<-time.After(time.Minute) // does not even hear that it must stop
				return administration.Finding{State: administration.Well}
			}}, says(administration.Well, "quick"))
		begun := time.Now()
		seen, err := d.Examine(t.Context(), auditor())
		if err != nil || time.Since(begun) != 10*time.Second {
			t.Fatalf("after %s: %v", time.Since(begun), err)
		}
		if r := seen.Reports[0]; r.State != administration.Broken || r.What.Key != "administration.check.silent" || !errors.Is(r.Err, context.DeadlineExceeded) {
			t.Errorf("the deaf check: %+v", r.Finding)
		}
		if seen.Reports[1].State != administration.Well {
			t.Errorf("the quick check: %+v", seen.Reports[1])
		}
		<-time.After(2 * time.Minute)
	})
}

func TestChanges(t *testing.T) {
	loc := i18ntest.Localizer(t, i18n.French, administration.Locales, access.Locales)
	for _, c := range []struct {
		name          string
		before, after string
		want          []administration.Change
	}{
		{"roles in words", `{"roles":["lecteur"]}`, `{"roles":["lecteur","declencheur"]}`, []administration.Change{{"Rôles", "Lecteur", "Lecteur, Déclencheur"}}},
		{"what did not change is left out", `{"name":"A","zone":"Europe/Paris"}`, `{"name":"B","zone":"Europe/Paris"}`, []administration.Change{{"Nom", "A", "B"}}},
		{"only after", ``, `{"name":"A","has_word":true,"finess":""}`, []administration.Change{{"Mot d’authenticité", "", "Oui"}, {"Nom", "", "A"}}},
		{"nested, unknown field", `{"x":{"y":1}}`, `{"x":{"y":2.5}}`, []administration.Change{{"x.y", "1", "2.5"}}},
		{"list of things", ``, `{"waves":[{"after":5},{"after":10}]}`, []administration.Change{{"waves.1.after", "", "5"}, {"waves.2.after", "", "10"}}},
		{"unreadable", ``, `{"broken`, []administration.Change{{"", "", `{"broken`}}},
		{"nothing", ``, ``, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := administration.Changes(loc, journal.Record{Before: c.before, After: c.after})
			if c.name == "only after" || c.name == "list of things" {
				slices.SortFunc(got, func(a, b administration.Change) int { return strings.Compare(a.Field, b.Field) })
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestActionWord(t *testing.T) {
	loc := i18ntest.Localizer(t, i18n.French, administration.Locales)
	if got := administration.ActionWord(loc, "identity.signin"); got != "S’est connecté" {
		t.Errorf("known action: %q", got)
	}
	if got := administration.ActionWord(loc, "future.thing"); got != "future.thing" {
		t.Errorf("an action of a later version: %q", got)
	}
}

func TestSentences(t *testing.T) {
	i18ntest.Room(t, ".", administration.Locales, access.Locales)
}
