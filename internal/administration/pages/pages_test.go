package pages_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/administration/pages"
	"tocsin/internal/clock"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

func house(t *testing.T, checks []administration.Check, roles ...access.Role) (*ui.Router, *storage.DB) {
	t.Helper()
	t.Parallel()
	db := storagetest.SQLite(t, journal.Migrations)
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	r := uitest.House(t, uitest.As(roles...), nil, administration.Locales)
	pages.Routes(r, pages.Options{
		Journal: journal.NewReader(db, guard), Doctor: administration.NewDoctor(guard, clock.NewFake(uitest.Noon()), checks...),
		Cards: []pages.Card{{Label: "administration.title", Hint: "administration.nothing", Path: "/comptes", Icon: "users", Need: access.AccountWrite}},
	})
	return r, db
}

func write(t *testing.T, db *storage.DB, scope access.Scope, at time.Time, e journal.Entry) {
	t.Helper()
	if err := db.Write(t.Context(), scope, func(tx *storage.Tx) error { return journal.Append(t.Context(), tx, scope, at, e) }); err != nil {
		t.Fatal(err)
	}
}

func person(name string) access.Scope {
	return access.For(uitest.Establishment(), access.Actor{Kind: access.Person, ID: uuid.NewSHA1(uuid.Nil, []byte(name)), Name: name, From: "192.0.2.7"}, true, access.Administrator)
}

func TestJournalIsRead(t *testing.T) {
	r, db := house(t, nil, access.Auditor)
	uitest.Get(t, r, pages.JournalPath).Want(200).Whole().Says(".empty-title", "Le journal est vide").Lacks("table")
	at := uitest.Noon().Add(-time.Hour)
	write(t, db, person("Ana Ruiz"), at, journal.Entry{
		Action: "identity.roles", ObjectKind: "account", ObjectID: "42", ObjectName: "Léa Petit",
		Before: map[string]any{"roles": []string{"lecteur"}}, After: map[string]any{"roles": []string{"declencheur"}},
	})
	write(t, db, access.System(uitest.Establishment(), "dispatch"), at.Add(-48*time.Hour), journal.Entry{Action: "alert.kill", ObjectName: "Alerte 7"})
	page := uitest.Get(t, r, pages.JournalPath).Want(200).Whole().Count(".table > table > tbody > tr", 2)
	page.Says("td", "Rôles changés").Says("td", "192.0.2.7").Says("td", "Programme dispatch").Says("th[scope=row]", "Rôles").Says("td", "Lecteur").Says("td", "Déclencheur")
	if strings.Contains(page.Body, `{"roles"`) || strings.Contains(page.Body, "&#34;roles") {
		t.Error("the page shows JSON")
	}
	for _, c := range []struct {
		query string
		want  int
	}{
		{"?q=lea+PETIT", 1},
		{"?q=personne", 0},
		{"?action=alert.", 1},
		{"?action=identity.", 1},
		{"?id=42", 1},
		{"?par=" + person("Ana Ruiz").Actor().ID.String(), 1},
		{"?du=2026-11-22", 1},
		{"?au=2026-11-20", 1},
		{"?du=2026-11-22&au=2026-11-22", 1},
		{"?du=hier", 2},
	} {
		uitest.Get(t, r, pages.JournalPath+c.query).Want(200).Whole().Count(".table > table > tbody > tr", c.want)
	}
	uitest.Get(t, r, pages.JournalPath+"?q=personne").Says(".empty-title", "Aucune ligne").Value("#q", "value", "personne")
}

func TestJournalIsPaged(t *testing.T) {
	r, db := house(t, nil, access.Auditor)
	for i := range 120 {
		write(t, db, person("Ana Ruiz"), uitest.Noon().Add(time.Duration(i-200)*time.Minute), journal.Entry{Action: "x.y", ObjectName: fmt.Sprintf("thing %03d", i)})
	}
	path, seen := pages.JournalPath+"?q=thing", 0
	for range 3 {
		page := uitest.Get(t, r, path).Want(200)
		seen += len(page.Find(".table > table > tbody > tr"))
		path = ""
		for _, a := range page.Find("nav.actions a") {
			if strings.Contains(uitest.Text(a), "Plus ancien") {
				path = uitest.Attribute(a, "href")
			}
		}
		if path != "" && !strings.Contains(path, "q=thing") {
			t.Fatalf("the filter is lost: %s", path)
		}
	}
	if seen != 120 || path != "" {
		t.Errorf("%d lines seen, then %q", seen, path)
	}
}

func TestJournalIsTakenAway(t *testing.T) {
	r, db := house(t, nil, access.Auditor)
	for i := range 1200 {
		write(t, db, person("Ana Ruiz"), uitest.Noon().Add(time.Duration(i-2000)*time.Second), journal.Entry{Action: "x.y", ObjectName: `=HYPERLINK("http://evil")`})
	}
	write(t, db, access.System(uuid.Max, "other"), uitest.Noon(), journal.Entry{Action: "x.y", ObjectName: "another establishment"})
	page := uitest.Get(t, r, pages.JournalPath+"/export.csv").Want(200)
	lines := strings.Split(strings.TrimSpace(page.Body), "\r\n")
	if len(lines) != 1201 || strings.Contains(page.Body, "another establishment") {
		t.Errorf("%d lines", len(lines))
	}
	if strings.Contains(page.Body, ";=HYPERLINK") || strings.Contains(page.Body, `;"=HYPERLINK`) {
		t.Errorf("a formula would run: %s", lines[1])
	}
	if got := page.Header.Get("Content-Disposition"); !strings.Contains(got, "journal-2026-11-22.csv") {
		t.Errorf("file name %q", got)
	}
}

func TestWhoMayEnter(t *testing.T) {
	for _, c := range []struct {
		role                   access.Role
		journal, health, cards int
	}{
		{access.Administrator, 200, 200, 4}, {access.Auditor, 200, 200, 3}, {access.Launcher, 403, 200, 1}, {access.Reader, 403, 403, 0},
	} {
		t.Run(string(c.role), func(t *testing.T) {
			r, _ := house(t, nil, c.role)
			uitest.Get(t, r, pages.JournalPath).Want(c.journal)
			uitest.Get(t, r, pages.JournalPath+"/export.csv").Want(c.journal)
			uitest.Get(t, r, pages.HealthPath).Want(c.health)
			uitest.Get(t, r, pages.HomePath).Want(200).Whole().Count("a.card-link", c.cards)
		})
	}
}

func TestHealth(t *testing.T) {
	found := func(f administration.Finding) func(context.Context, access.Scope) administration.Finding {
		return func(context.Context, access.Scope) administration.Finding { return f }
	}
	r, _ := house(t, []administration.Check{
		{ID: "a", Title: "administration.journal.title", Run: found(administration.Finding{State: administration.Well, What: administration.Say("administration.health.hint")})},
		{ID: "b", Title: "administration.title", Run: found(administration.Finding{
			State: administration.Broken,
			What:  administration.Say("administration.check.silent", "limit", 10*time.Second), ToDo: administration.Say("administration.journal.none.text"),
		})},
	}, access.Auditor)
	uitest.Get(t, r, pages.HealthPath).Want(200).Whole().Has(".message.tone-critique").Says("td", "Pas de réponse après 10 s").Says("td", "Élargissez").Says(".badge", "Fonctionne").Says(".badge", "En panne")
}
