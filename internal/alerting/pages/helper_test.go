package pages_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/library"
	"tocsin/internal/alerting/pages"
	"tocsin/internal/alerting/report"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/live"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
	"tocsin/internal/vault"
)

// night is 3 a.m. in Paris on a November night.
func night() time.Time { return time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC) }

// hospital is an establishment with its directory, its outbox, this room and
// its pages. The outbox is not started: nothing leaves.
type hospital struct {
	*alerting.Service
	t     *testing.T
	db    *storage.DB
	org   *organisation.Service
	dir   *directory.Directory
	clock *clock.Fake
	hub   *live.Hub
	house organisation.Establishment
	site  organisation.Node
	// urgences and bloc are two services of the site.
	urgences, bloc organisation.Node
	// beside is what another room says beside the alerts.
	beside func(*ui.Context) (templ.Component, error)
}

func locales() []fs.FS {
	return []fs.FS{alerting.Locales, pages.Locales, report.Locales, channels.Locales, directory.Locales, dispatch.Locales, organisation.Locales}
}

func newHospital(t *testing.T) *hospital {
	t.Helper()
	db := storagetest.SQLite(t, organisation.Migrations, directory.Migrations, journal.Migrations, jobs.Migrations, dispatch.Migrations, alerting.Migrations)
	h := &hospital{t: t, db: db, clock: clock.NewFake(night()), hub: live.NewHub()}
	guard, err := access.NewGuard()
	must(t, err)
	h.org = organisation.New(db, guard, h.clock)
	h.dir, err = directory.New(db, guard, h.clock, h.org, vault.Derived{Key: "k1", Secret: [32]byte{1}})
	must(t, err)
	out := dispatchtest.Outbox(t, db, h.clock, nil, dispatchtest.NewAir(channels.SMS), dispatchtest.NewAir(channels.Email))
	keys, err := vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), night())
	must(t, err)
	h.Service = alerting.New(alerting.Options{
		DB: db, Guard: guard, Directory: h.dir, Dispatch: out, Organisation: h.org,
		LinkBase: "https://t.example/r/", Notify: h.hub.Notify, Library: library.All, Keys: keys,
	})
	h.house, err = h.org.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU de Valbrume", Word: "CIGOGNE"})
	must(t, err)
	h.site = h.place(organisation.Site, "Nord", uuid.Nil)
	h.urgences = h.place(organisation.CareService, "Urgences", h.site.ID)
	h.bloc = h.place(organisation.CareService, "Bloc opératoire", h.site.ID)
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *hospital) place(kind organisation.Kind, name string, parent uuid.UUID) organisation.Node {
	h.t.Helper()
	n, err := h.org.AddNode(h.t.Context(), h.scope(access.Administrator, access.DirectoryManager), organisation.Node{Kind: kind, Name: name}, parent)
	must(h.t, err)
	return n
}

func (h *hospital) scope(roles ...access.Role) access.Scope {
	actor := access.Actor{Kind: access.Person, ID: uuid.MustParse("0198e0a0-0000-7000-8000-00000000000a"), Name: "Camille Martin", From: "192.0.2.1"}
	return access.For(h.house.ID, actor, true, roles...)
}

// as is the house as one visitor with these roles sees it.
func (h *hospital) as(roles ...access.Role) *ui.Router {
	h.t.Helper()
	return h.asVisitor(ui.Visitor{Scope: h.scope(roles...), Name: "Camille Martin", Establishment: ui.Establishment{ID: h.house.ID, Name: h.house.Name}})
}

func (h *hospital) asVisitor(who ui.Visitor) *ui.Router {
	h.t.Helper()
	r := uitest.House(h.t, who, func(o *ui.Options) {
		o.Clock = h.clock
		o.Frame = ui.Frame{Rail: pages.Rail(), Acts: pages.Acts(), Banner: pages.Banners{Service: h.Service, Clock: h.clock}, Search: pages.Search{Service: h.Service}}
	}, locales()...)
	p := pages.Routes(r, pages.Options{Service: h.Service, Directory: h.dir, Organisation: h.org, Catalog: catalog(h.t), Hub: h.hub, Clock: h.clock, RecallBase: "https://t.example/ordre/", Beside: h.beside})
	h.t.Cleanup(p.Close)
	return r
}

func catalog(t testing.TB) *i18n.Catalog {
	t.Helper()
	return i18ntest.Catalog(t, append([]fs.FS{access.Locales, ui.Locales}, locales()...)...)
}

// agent adds a person with a mobile and an e-mail address.
func (h *hospital) agent(last, metier string, change ...func(*directory.Person)) directory.Person {
	h.t.Helper()
	n := int(uuid.NewSHA1(uuid.Nil, []byte(last)).ID() % 10000)
	p := directory.Person{LastName: last, FirstName: "Camille", Metier: metier, Status: directory.Titulaire, Service: h.urgences.ID, Contacts: []directory.ContactPoint{
		{Contact: directory.Contact{Kind: directory.Mobile, Address: fmt.Sprintf("+3363998%04d", n)}},
		{Contact: directory.Contact{Kind: directory.Email, Address: fmt.Sprintf("agent%d@valbrume.example", n)}},
	}}
	for _, c := range change {
		c(&p)
	}
	saved, err := h.dir.Save(h.t.Context(), access.System(h.house.ID, "test"), p)
	must(h.t, err)
	return saved
}

// texts are those every scenario must have, in both languages.
func texts() []alerting.Text {
	var out []alerting.Text
	for _, use := range []alerting.Use{
		alerting.UseAlert, alerting.UseReminder, alerting.UseProgress, alerting.UseStandDown, alerting.UseStayAway,
		alerting.UseEnd, alerting.UseLate, alerting.UseAck,
	} {
		for _, m := range []channels.Medium{channels.SMS, channels.Email} {
			for _, language := range []string{"fr", "en"} {
				t := alerting.Text{Use: use, Medium: m, Language: language, Body: string(use) + " " + language + " {lieu}. Répondre : {lien}"}
				if m == channels.Email {
					t.Subject = string(use) + " {lieu}"
				}
				out = append(out, t)
			}
		}
	}
	return out
}

// recall is a scenario with a blank, two waves and a quota.
func recall(change ...func(*alerting.Definition)) alerting.Definition {
	minutes := func(n int) alerting.Duration { return alerting.Duration(time.Duration(n) * time.Minute) }
	both := []channels.Medium{channels.SMS, channels.Email}
	d := alerting.Definition{
		Title: alerting.Localized{"fr": "Plan blanc", "en": "Mass casualty plan"}, Family: "plan_blanc", Profile: alerting.Rappel,
		Purpose:   alerting.Localized{"fr": "Afflux de victimes", "en": "Many casualties"},
		Variables: []alerting.Variable{{Name: "lieu", Label: alerting.Localized{"fr": "Où ?", "en": "Where?"}, Kind: "text", Required: true}},
		Messages:  texts(),
		Answers: []alerting.Option{
			{Key: "1", Meaning: alerting.Coming, Label: alerting.Localized{"fr": "Je viens", "en": "I am coming"}, Delays: []int{15, 30, 60, 90}},
			{Key: "2", Meaning: alerting.Unavailable, Label: alerting.Localized{"fr": "Je ne peux pas", "en": "I cannot"}},
			{Key: "3", Meaning: alerting.OnSite, Label: alerting.Localized{"fr": "Je suis sur place", "en": "I am on site"}},
		},
		Waves: []alerting.Wave{
			{Name: alerting.Localized{"fr": "Anesthésie", "en": "Anaesthesia"}, Who: directory.Rule{Metiers: []string{"iade"}}, When: alerting.Always, Media: both, Escalate: minutes(5)},
			{Name: alerting.Localized{"fr": "Tous", "en": "Everyone"}, After: minutes(10), When: alerting.QuotaMissing, Media: both, Escalate: minutes(5)},
		},
		Quotas:      []alerting.Quota{{Skill: "iade", Needed: 1}},
		Limits:      alerting.Limits{Validity: minutes(120), PerPerson: 20, ArrivalGrace: minutes(15), StandDown: true},
		Duties:      []alerting.Duty{{Who: alerting.Localized{"fr": "ARS", "en": "ARS"}, How: alerting.Localized{"fr": "par téléphone", "en": "by phone"}, Within: minutes(30)}},
		WhereToGo:   alerting.Localized{"fr": "Accueil du bâtiment A", "en": "Desk of building A"},
		WhatToBring: alerting.Localized{"fr": "Votre badge", "en": "Your badge"},
	}
	for _, c := range change {
		c(&d)
	}
	return d
}

func (h *hospital) scenario(d alerting.Definition) alerting.Scenario {
	h.t.Helper()
	sc, err := h.CreateScenario(h.t.Context(), h.scope(access.Launcher), h.clock.Now(), d)
	must(h.t, err)
	return sc
}

// started launches the usual scenario for an exercise.
func (h *hospital) started(change ...func(*alerting.Definition)) alerting.Launch {
	h.t.Helper()
	sc := h.scenario(recall(change...))
	l, already, err := h.Launch(h.t.Context(), h.scope(access.Launcher), h.clock.Now(), alerting.Draft{
		Scenario: sc.ID, Mode: alerting.Exercise,
		Values: map[string]string{"lieu": "hall A"}, OrderedBy: "Dr Ordre", IdempotencyKey: uuid.NewString(),
	})
	if err != nil || already {
		h.t.Fatalf("launch: already %v, %v", already, err)
	}
	return l
}

// recipient finds a person of an alert by name.
func (h *hospital) recipient(l alerting.Launch, last string) alerting.Recipient {
	h.t.Helper()
	list, err := h.Recipients(h.t.Context(), h.scope(access.Launcher), l.ID, alerting.RecipientFilter{Text: last}, alerting.Page{})
	must(h.t, err)
	if len(list) != 1 {
		h.t.Fatalf("%d people named %s", len(list), last)
	}
	return list[0]
}

// code is the answer code of a person, read where the outbox reads it.
func (h *hospital) code(r alerting.Recipient) string {
	h.t.Helper()
	var code string
	must(h.t, h.db.Read(h.t.Context(), h.scope(), func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), `SELECT code FROM alerting_recipients WHERE organisation_id = $1 AND id = $2`, []any{h.house.ID, r.ID}, &code)
		return err
	}))
	return code
}

func path(l alerting.Launch, under string) string { return "/alertes/" + l.ID.String() + under }

// page asks for a page and checks what every page owes.
func page(t *testing.T, h http.Handler, path string) *uitest.Page {
	t.Helper()
	return uitest.Get(t, h, path).Want(http.StatusOK).Whole()
}
