package alerts_test

import (
	"context"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/inventory"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cases"
	tracepages "tocsin/internal/traces/pages"
	"tocsin/internal/traces/pages/alerts"
	"tocsin/internal/traces/rules"
	"tocsin/internal/traces/sigma"
	"tocsin/internal/traces/watch"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// bureau is the pages in front of one visitor.
type bureau struct {
	t        *testing.T
	db       *storage.DB
	cases    *cases.Service
	rules    *rules.Service
	traces   *traces.Service
	looks    int
	watching alerts.Watching
	watched  bool
	router   *ui.Router
}

// NoteCase implements cases.Looks.
func (b *bureau) NoteCase(context.Context, access.Scope, traces.CaseLook) error {
	b.looks++
	return nil
}

// Holders implements cases.People.
func (b *bureau) Holders(context.Context, access.Scope, access.Role) ([]cases.Person, error) {
	return []cases.Person{{ID: uitest.As().Scope.Actor().ID, Name: "Camille Martin"}, {ID: uuid.MustParse("0198e0a0-0000-7000-8000-00000000000b"), Name: "Solène <i>Riou</i>"}}, nil
}

func newBureau(t *testing.T, roles ...access.Role) *bureau {
	t.Helper()
	t.Parallel()
	b := &bureau{t: t, watched: true}
	b.db = storagetest.SQLite(t, []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations}...)
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	now := clock.NewFake(uitest.Noon())
	if _, err := organisation.New(b.db, guard, now).Create(t.Context(), access.Instance("test"), organisation.Establishment{ID: uitest.Establishment(), Name: "CH des Trois-Vallées"}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	b.cases = cases.New(cases.Options{DB: b.db, Guard: guard, Clock: now, Log: log, Looks: b, People: b, CaseLink: func(id uuid.UUID) string { return "https://tocsin.test" + alerts.CasePath(id) }})
	b.rules = rules.New(rules.Options{DB: b.db, Guard: guard, Clock: now, Log: log})
	if err := b.rules.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.traces = traces.New(traces.Options{DB: b.db, Guard: guard, Clock: now, Log: log, Formats: func(*time.Location) []traces.Format { return nil }})
	b.router = b.as(roles...)
	return b
}

func (b *bureau) as(roles ...access.Role) *ui.Router {
	r := uitest.House(b.t, uitest.As(roles...), nil, alerts.Locales, tracepages.Locales, traces.Locales, cases.Locales, rules.Locales, sigma.Locales, spool.Locales, organisation.Locales, inventory.Locales)
	alerts.Routes(r, alerts.Options{
		Cases: b.cases, Rules: b.rules, Traces: b.traces, Watch: func() (alerts.Watching, bool) { return b.watching, b.watched },
		Scenarios: func(context.Context, access.Scope) ([]ui.Choice, error) {
			return []ui.Choice{{Value: scenario, Label: "Cyberattaque"}}, nil
		},
		LaunchPath: func(id uuid.UUID) string { return "/alertes/" + id.String() },
	})
	return r
}

const scenario = "0198e0a0-0000-7000-8000-0000000000cc"

func (b *bureau) get(path string) *uitest.Page {
	b.t.Helper()
	return uitest.Get(b.t, b.router, path, uitest.With("Accept-Language", "fr"))
}

func (b *bureau) post(path string, fields ...string) *uitest.Page {
	b.t.Helper()
	return uitest.Post(b.t, b.router, path, fields, uitest.With("Accept-Language", "fr"))
}

// found has a hit become a case, and gives its address.
func (b *bureau) found(h traces.Hit) string {
	b.t.Helper()
	h.Organisation, h.First, h.Last, h.Events = uitest.Establishment(), storage.Micros(uitest.Noon().Add(-time.Hour)), storage.Micros(uitest.Noon().Add(-time.Minute)), 3
	var id uuid.UUID
	err := b.db.Write(b.t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		if err := b.cases.Keep(b.t.Context(), tx, uitest.Noon(), watch.Catch{Hits: []traces.Hit{h}, Examined: map[watch.Counted]int64{{Organisation: uitest.Establishment(), Patient: h.IPP != ""}: 2000}}); err != nil {
			return err
		}
		_, err := tx.Row(b.t.Context(), `SELECT id FROM traces_cases ORDER BY opened_us DESC, id DESC LIMIT 1`, nil, &id)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return alerts.CasePath(id)
}

func (b *bureau) serve() {
	b.t.Helper()
	for path, fields := range map[string][]string{
		"/aipd":         {"day", "2026-09-01", "author", "RSSI <b>", "advice", "Favorable", "document", "AIPD-7"},
		"/consultation": {"body", "CSE", "day", "2026-10-01", "opinion", "Favorable"},
		"/information":  {"day", "2026-11-01", "how", "Note de service"},
	} {
		b.post(alerts.DetectionPath+path, fields...).Want(303)
	}
	b.post(alerts.DetectionPath+"/service", "sens", "marche", "why", "Décision du directeur").Want(303)
}

func snooping() traces.Hit {
	return traces.Hit{
		Rule: "unexplained", Score: 80, Account: "u70099", Person: "Yann <script>BONNET</script>", Service: "Gériatrie 1", IPP: "800424242", PatientName: "Odile MARCHAND",
		Evidence: []traces.Evidence{{Key: "traces.rules.evidence.field", Args: map[string]string{"field": "action", "value": "<img src=x onerror=alert(1)>"}}},
	}
}

func TestTheLawComesFirstThenTheCases(t *testing.T) {
	b := newBureau(t, access.DataProtection)
	b.get(alerts.Path).Want(200).Whole().Says(".empty", "n’est pas en service").Has(".empty a[href='/traces/detection']")
	page := b.get(alerts.DetectionPath).Want(200).Whole()
	page.Count("form[action^='/traces/detection/']", 3).Lacks("form[action$='/service']")
	b.post(alerts.DetectionPath+"/service", "sens", "marche", "why", "vite").Want(409)
	b.post(alerts.DetectionPath+"/aipd", "day", "2027-01-01", "author", "", "advice", "", "document", "").Want(422).Whole().Has("#a-f-day[aria-invalid=true]").Value("#a-f-day", "value", "2027-01-01")
	b.serve()
	page = b.get(alerts.DetectionPath).Want(200).Whole().Says("main", "Décision du directeur").Has("button[value=arret]").Value("#a-f-author", "value", "RSSI <b>")
	if strings.Contains(page.Body, "RSSI <b>") {
		t.Error("a name is not escaped")
	}
	b.get(alerts.Path).Want(200).Whole().Says(".empty", "Aucun dossier n’attend")
	b.get("/traces/detection/registre").Want(200).Whole().Says("main", "AIPD-7").Says("main", "Trois-Vallées")
	for path, kind := range map[string]string{".pdf": "application/pdf", ".txt": "text/plain; charset=utf-8"} {
		if file := b.get("/traces/detection/registre" + path).Want(200); file.Header.Get("Content-Type") != kind || len(file.Body) < 1000 {
			t.Errorf("%s: %s, %d bytes", path, file.Header.Get("Content-Type"), len(file.Body))
		}
	}
	b.post(alerts.DetectionPath+"/service", "sens", "arret", "why", "Demande du CSE").Want(303)
	uitest.Get(t, b.as(access.SecurityOfficer), alerts.DetectionPath).Want(200).Whole().Lacks("main form[method=post]")
	uitest.Post(t, b.as(access.SecurityOfficer), alerts.DetectionPath+"/aipd", nil).Want(403)
	uitest.Get(t, b.as(access.Administrator), alerts.DetectionPath).Want(403)
}

func TestACaseIsReadAndConcludedWithoutScripts(t *testing.T) {
	b := newBureau(t, access.DataProtection)
	b.serve()
	at := b.found(snooping())
	list := b.get(alerts.Path).Want(200).Whole().Has("a[href='"+at+"']").Says("table", "82").Says(".stat", "1")
	for _, word := range []string{"MARCHAND", "800424242", "<script>BONNET"} {
		if strings.Contains(list.Body, word) {
			t.Errorf("the list says %s", word)
		}
	}
	if b.looks != 0 {
		t.Error("the list is noted as a look")
	}
	page := b.get(at).Want(200).Whole().Says("main", "Odile MARCHAND").Says("table", "<img src=x").Count("main form", 3).Has("#a-f-to option[selected]")
	if b.looks != 1 || strings.Contains(page.Body, "<img src=x") || strings.Contains(page.Body, "<script>BONNET") {
		t.Errorf("%d looks, or words of others that are not escaped", b.looks)
	}
	b.post(at+"/conclure", "state", "confirmed", "reason", "Curiosité").Want(422).Whole().Has("#v-f-followed[aria-invalid=true]").Says("#v-f-reason", "Curiosité")
	b.post(at+"/attribuer", "to", uuid.NewString()).Want(422).Whole().Has("#a-f-to[aria-invalid=true]")
	b.post(at+"/attribuer", "to", "0198e0a0-0000-7000-8000-00000000000b").Want(303)
	b.post(at+"/noter", "note", "Vu <b>la cadre</b>").Want(303)
	b.post(at+"/conclure", "state", "justified", "reason", "Remplacement du jour").Want(303)
	page = b.get(at).Want(200).Whole().Says("main", "Remplacement du jour").Says(".timeline", "Vu <b>la cadre</b>").Lacks("form[action$='/conclure']").Has("form[action$='/rouvrir']")
	if strings.Contains(page.Body, "<b>la cadre") {
		t.Error("a note is not escaped")
	}
	b.get(alerts.Path).Want(200).Whole().Has(".empty")
	b.get(alerts.Path + "?etat=justified").Want(200).Whole().Has("a[href='" + at + "']")
	b.get(alerts.Path + "?etat=%27%3B&type=x&a=moi&page=-4").Want(200)
	b.post(at+"/rouvrir", "reason", "").Want(422)
	b.post(at+"/rouvrir", "reason", "Nouvelle pièce").Want(303)
	for role, want := range map[access.Role]int{access.SecurityOfficer: 404, access.Administrator: 403, access.Auditor: 403, access.Reader: 403} {
		uitest.Get(t, b.as(role), at).Want(want)
		uitest.Post(t, b.as(role), at+"/conclure", []string{"state", "justified", "reason", "x"}).Want(want)
	}
}

func TestRulesAreShownTriedAndSwitched(t *testing.T) {
	b := newBureau(t, access.SecurityOfficer)
	at := b.found(traces.Hit{Rule: "sigma:7b1f5a52-3c0e-4a64-9a53-2f6f5b8f1006", Title: "Sauvegardes supprimées", Score: 95, Workstation: "srv-01"})
	b.get(at).Want(200).Whole().Says("h1", "Sauvegardes supprimées")
	list := b.get(alerts.RulesPath).Want(200).Whole().Count("#regles tbody tr", 6)
	link := uitest.Attribute(list.Find("#regles tbody tr a")[0], "href")
	if !strings.HasSuffix(link, "1006") {
		t.Errorf("the rule that hit is not the first: %s", link)
	}
	b.get(alerts.RulesPath+"?q=glace").Want(200).Whole().Count("#regles tbody tr", 1)
	b.get(link).Want(200).Whole().Says("dl", "3 signaux, 1 dossiers").Has("form[action$='/service']")
	b.post(link+"/essayer", "events", `{"message":"vssadmin delete shadows <b>"} {"message":"x"}`).Want(200).Whole().Count("#essai li", 2).Says("#essai", "La règle réagit")
	b.post(link+"/essayer", "events", "{").Want(422).Whole().Has("#e-f-events[aria-invalid=true]")
	b.post(link+"/service", "why", "").Want(422).Whole().Has("#s-f-why[aria-invalid=true]")
	b.post(link+"/service", "why", "Sauvegarde nocturne").Want(303)
	b.get(link).Want(200).Whole().Says("dl", "Sauvegarde nocturne")
	b.post(link+"/service", "why", "Réglé").Want(303)
	b.get(alerts.RulesPath + "/sigma:inconnue").Want(404)
	uitest.Post(t, b.as(access.DataProtection), link+"/service", []string{"why", "x"}).Want(403)
	uitest.Get(t, b.as(access.Administrator), alerts.RulesPath).Want(403)
}

func TestThresholdsAreSetByThoseWhoAnswer(t *testing.T) {
	b := newBureau(t, access.SecurityOfficer)
	at := "/traces/seuils/system"
	b.get(at).Want(200).Whole().Value("#f-opens_from", "value", "40").Has("#f-scenario option[value='" + scenario + "']")
	set := func(more ...string) *uitest.Page {
		return b.post(at, append([]string{"opens_from", "30", "keep_months", "12", "alerts_from", "85", "alerts_hour", "2", "mode", "exercice"}, more...)...)
	}
	set("alerts", "oui").Want(422).Whole().Has("#f-scenario[aria-invalid=true]")
	set("alerts", "oui", "scenario", uuid.NewString()).Want(422)
	set("opens_from", "").Want(303)
	set("alerts", "oui", "scenario", scenario).Want(303)
	b.get(at).Want(200).Whole().Value("#f-alerts_from", "value", "85").Has("#f-alerts[checked]").Has("option[value='" + scenario + "'][selected]")
	b.get("/traces/seuils/patient").Want(403)
	uitest.Post(t, b.as(access.DataProtection), at, nil).Want(403)
}

func TestTheStateOfTheWatchIsSaid(t *testing.T) {
	b := newBureau(t, access.SecurityOfficer)
	b.watching = alerts.Watching{Behind: 300 << 20, State: watch.State{Skipped: 5 << 20, SkippedAt: uitest.Noon()}}
	b.get(alerts.Path).Want(200).Whole().Says("main", "n’ont pas été examinées").Says("main", "en retard")
	b.watched = false
	b.get(alerts.Path).Want(200).Whole().Says(".empty", "Rien n’est examiné")
}
