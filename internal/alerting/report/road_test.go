package report_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

// house is an establishment whose outbox and worker run on the machine's clock,
// so that the tables of dispatch hold what really became of each message.
type house struct {
	*alerting.Service
	t     *testing.T
	db    *storage.DB
	dir   *directory.Directory
	scope access.Scope
	air   *dispatchtest.Air
}

func newHouse(t *testing.T) *house {
	t.Helper()
	db := storagetest.SQLite(t, []fs.FS{organisation.Migrations, directory.Migrations, journal.Migrations, jobs.Migrations, dispatch.Migrations, alerting.Migrations}...)
	guard, err := access.NewGuard()
	must(t, err)
	h := &house{t: t, db: db, air: dispatchtest.NewAir(channels.SMS)}
	houses := organisation.New(db, guard, clock.Real())
	h.dir, err = directory.New(db, guard, clock.Real(), houses, vault.Derived{Key: "k1", Secret: [32]byte{1}})
	must(t, err)
	out := dispatchtest.Outbox(t, db, clock.Real(), nil, h.air)
	keys, err := vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), clock.Real().Now())
	must(t, err)
	h.Service = alerting.New(alerting.Options{DB: db, Guard: guard, Directory: h.dir, Dispatch: out, Organisation: houses, LinkBase: "https://t.example/r/", Keys: keys})
	out.Tell(h.Service)
	e, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU de Valbrume", Word: "CIGOGNE"})
	must(t, err)
	h.scope = access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme Garde"}, true, access.Launcher, access.DirectoryManager)
	dispatchtest.Gateway(t, out, h.system(), clock.Real().Now(), h.air, 1, channels.Settings{"peer": "main"})
	worker := jobs.NewRunner(clock.Real(), slog.New(slog.DiscardHandler), h.Task())
	must(t, out.Start(t.Context()))
	must(t, worker.Start(t.Context()))
	t.Cleanup(func() {
		worker.Stop()
		out.Stop()
	})
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) system() access.Scope { return access.System(h.scope.Organisation(), "test") }

// staff adds people with a mobile each; every tenth has none.
func (h *house) staff(n int) {
	h.t.Helper()
	for i := range n {
		p := directory.Person{LastName: fmt.Sprintf("Nom %02d", i), FirstName: "Camille", Metier: []string{"ide", "iade"}[i%2], Status: directory.Titulaire}
		if i%10 != 9 {
			p.Contacts = []directory.ContactPoint{{Contact: directory.Contact{Kind: directory.Mobile, Address: fmt.Sprintf("+3363998%04d", i)}}}
		}
		_, err := h.dir.Save(h.t.Context(), h.system(), p)
		must(h.t, err)
	}
}

func recall() alerting.Definition {
	var texts []alerting.Text
	for _, use := range []alerting.Use{alerting.UseAlert, alerting.UseEnd, alerting.UseAck, alerting.UseLate} {
		for _, lang := range []string{"fr", "en"} {
			texts = append(texts, alerting.Text{Use: use, Medium: channels.SMS, Language: lang, Body: string(use) + " {lieu} {lien}"})
		}
	}
	return alerting.Definition{
		Title: alerting.Localized{"fr": "Plan blanc : afflux", "en": "Mass casualties"}, Family: "plan_blanc", Profile: alerting.Rappel,
		Variables: []alerting.Variable{{Name: "lieu", Label: alerting.Localized{"fr": "Où", "en": "Where"}, Kind: "text", Required: true}}, Messages: texts,
		Answers: []alerting.Option{
			{Key: "1", Meaning: alerting.Coming, Label: alerting.Localized{"fr": "Je viens", "en": "Coming"}},
			{Key: "2", Meaning: alerting.Unavailable, Label: alerting.Localized{"fr": "Indisponible", "en": "Unavailable"}},
		},
		Waves:  []alerting.Wave{{Name: alerting.Localized{"fr": "Tous", "en": "All"}, Media: []channels.Medium{channels.SMS}}},
		Quotas: []alerting.Quota{{Skill: "iade", Needed: 3}},
		Limits: alerting.Limits{Validity: alerting.Duration(2 * time.Hour), PerPerson: 20},
	}
}

// played launches for fifty people: some receive, some have a dead number, some
// answer, one arrives; then the alert is ended.
func (h *house) played() alerting.Report {
	h.t.Helper()
	ctx, now := h.t.Context(), func() time.Time { return clock.Real().Now() }
	h.staff(50)
	sc, err := h.CreateScenario(ctx, h.scope, now(), recall())
	must(h.t, err)
	l, _, err := h.Launch(ctx, h.scope, now(), alerting.Draft{
		Scenario: sc.ID, Mode: alerting.Exercise, Values: map[string]string{"lieu": "hall A"},
		OrderedBy: "Dr Ordre", IdempotencyKey: uuid.NewString(),
	})
	must(h.t, err)
	h.until("every SMS is accepted", func() bool {
		return h.number(`SELECT COUNT(*) FROM dispatch_deliveries WHERE state = 'accepted'`) == 45
	})
	for i, m := range h.air.Sent()[:45] {
		switch {
		case i < 6:
			must(h.t, h.air.Receipt(ctx, m.ID, false, channels.ReasonInvalidAddress))
		case i < 8:
			must(h.t, h.air.Receipt(ctx, m.ID, false, channels.ReasonBlocked))
		case i < 40:
			must(h.t, h.air.Receipt(ctx, m.ID, true, ""))
		}
		if i >= 10 && i < 30 {
			must(h.t, h.air.Reply(ctx, m.To, []string{"1 30", "non", "1", "2"}[i%4]))
		}
	}
	h.until("every answer is read", func() bool { return h.number(`SELECT COUNT(*) FROM alerting_answers`) == 20 })
	h.until("every fact is told", func() bool {
		return h.number(`SELECT COUNT(*) FROM dispatch_facts`) == 0 && h.number(`SELECT COUNT(*) FROM alerting_attempts WHERE failed_us IS NOT NULL`) == 8 &&
			h.number(`SELECT COUNT(*) FROM alerting_attempts WHERE delivered_us IS NOT NULL AND purpose = 'alert'`) == 32
	})
	come, err := h.Recipients(ctx, h.scope, l.ID, alerting.RecipientFilter{Meaning: alerting.Coming}, alerting.Page{Limit: 2})
	must(h.t, err)
	for _, r := range come {
		must(h.t, h.Arrive(ctx, h.scope, now(), l.ID, r.ID, true))
	}
	must(h.t, h.Leave(ctx, h.scope, now(), l.ID, come[0].ID, true))
	must(h.t, h.CallRoll(ctx, h.scope, now(), l.ID, uuid.Nil, []uuid.UUID{come[0].Person, come[1].Person}, 5))
	must(h.t, h.CallRoll(ctx, h.scope, now(), l.ID, uuid.Nil, []uuid.UUID{come[1].Person}, 7))
	must(h.t, h.End(ctx, h.scope, now(), l.ID, nil))
	// 45 alerts, 20 acknowledgements, 45 ends.
	h.until("the end is sent", func() bool {
		return h.number(`SELECT COUNT(*) FROM dispatch_deliveries`) == 110 && h.number(`SELECT COUNT(*) FROM alerting_attempts`) == 110
	})
	r, err := h.ReportData(ctx, h.scope, l.ID, now())
	must(h.t, err)
	return r
}

func (h *house) until(what string, is func() bool) {
	h.t.Helper()
	storagetest.Eventually(h.t, 30*time.Second, what, is)
}

// number reads one figure by plain SQL.
func (h *house) number(query string, args ...any) (n int) {
	h.t.Helper()
	must(h.t, h.db.Read(h.t.Context(), h.scope, func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), query, args, &n)
		return err
	}))
	return n
}
