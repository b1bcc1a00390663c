package alerting_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/library"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/jobs"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

// TestTheWholeRoad launches with the outbox and the worker running: an SMS
// leaves, arrives, is answered, and its acknowledgement leaves.
func TestTheWholeRoad(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) {
		air := dispatchtest.NewAir(channels.SMS)
		h := running(t, db, air)
		h.agent("Route", "iade")
		l := h.launch(recall(needs(1, "iade")))
		storagetest.Eventually(t, 20*time.Second, "the SMS leaves", func() bool { return air.Count() == 1 })
		sent := air.Sent()[0]
		who := h.one(l.ID)
		link := "https://t.example/r/" + h.code(who.ID)
		if sent.Link != link || !contains(sent.Text, link) || !contains(sent.Text, "EXERCICE - alert CHU de Valbrume") {
			t.Errorf("%q", sent.Text)
		}
		if err := air.Receipt(t.Context(), sent.ID, true, ""); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, 20*time.Second, "the receipt counts", func() bool { return h.one(l.ID).State == alerting.Reached })
		if err := air.Reply(t.Context(), sent.To, "OUI j'arrive dans 30 min"); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, 20*time.Second, "the answer is acknowledged", func() bool { return air.Count() == 2 })
		if who = h.one(l.ID); who.Meaning != alerting.Coming || who.Minutes != 30 {
			t.Errorf("%+v", who)
		}
		storagetest.Eventually(t, 20*time.Second, "the quota is reached", func() bool { return !h.board(l).Launch.QuotaMet.IsZero() })
		for _, target := range h.everyone() {
			if target.Contacts[0].State != directory.Answered {
				t.Errorf("the directory does not know that the number was answered from: %s", target.Contacts[0].State)
			}
		}
		if err := air.Reply(t.Context(), "+33639980099", "qui est-ce ?"); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, 20*time.Second, "the unknown sender is listed", func() bool { return h.board(l).Unmatched == 1 })
	})
}

// running is a hospital whose outbox and worker run on the machine's clock.
func running(t *testing.T, db *storage.DB, air *dispatchtest.Air) *hospital {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	h := &hospital{t: t, db: db, clock: clock.NewFake(clock.Real().Now()), told: map[uuid.UUID]bool{}}
	h.org = organisation.New(db, guard, clock.Real())
	if h.dir, err = directory.New(db, guard, clock.Real(), h.org, vault.Derived{Key: "k1", Secret: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	h.out = dispatchtest.Outbox(t, db, clock.Real(), nil, air)
	h.Service = alerting.New(alerting.Options{DB: db, Guard: guard, Directory: h.dir, Dispatch: h.out, Organisation: h.org, LinkBase: "https://t.example/r/"})
	h.out.Tell(h.Service)
	h.scope = h.establishment("CHU de Valbrume")
	dispatchtest.Gateway(t, h.out, access.System(h.scope.Organisation(), "test"), h.now(), air, 1, channels.Settings{"peer": "main"})
	worker := jobs.NewRunner(clock.Real(), slog.New(slog.DiscardHandler), h.Task())
	if err := h.out.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		worker.Stop()
		h.out.Stop()
	})
	return h
}

// TestEveryScenarioOfTheLibraryLeaves copies, shows and launches each of them.
func TestEveryScenarioOfTheLibraryLeaves(t *testing.T) {
	t.Parallel()
	h := newHospital(t, storagetest.SQLite(t, rooms()...), night)
	for i, m := range []string{"iade", "ide", "chirurgien", "cadre", "directeur", "informaticien", "agent_securite", "aide_soignant"} {
		h.agent(m, m, func(p *directory.Person) {
			if i%2 == 1 {
				p.Language = "en"
			}
		})
	}
	h.Service = withLibrary(h)
	all, err := h.Library(t.Context(), h.scope)
	if err != nil || len(all) < 11 {
		t.Fatalf("%d scenarios: %v", len(all), err)
	}
	for _, def := range all {
		sc, err := h.CopyFromLibrary(t.Context(), h.scope, h.now(), def.Family)
		if err != nil {
			t.Fatalf("%s: %v", def.Family, err)
		}
		d := alerting.Draft{Scenario: sc.ID, Mode: alerting.Exercise, Values: map[string]string{}, IdempotencyKey: uuid.NewString()}
		for _, v := range def.Variables {
			switch {
			case len(v.Choices) > 0:
				d.Values[v.Name] = v.Choices[0].In("fr")
			case v.Kind == "number":
				d.Values[v.Name] = "12"
			case v.Default.In("fr") == "":
				d.Values[v.Name] = "bloc B"
			}
		}
		sheet, err := h.Prepare(t.Context(), h.scope, h.now(), d)
		if err != nil {
			t.Errorf("%s: sheet: %v", def.Family, err)
			continue
		}
		l, _, err := h.Launch(t.Context(), h.scope, h.now(), d)
		if err != nil {
			t.Errorf("%s: launch: %v", def.Family, err)
			continue
		}
		if l.People != sheet.Messaged || sheet.Messaged == 0 {
			t.Errorf("%s: the sheet says %d people, the launch %d", def.Family, sheet.Messaged, l.People)
		}
		for _, m := range h.queue(l.ID) {
			if !contains(m.Text, "EXERCI") {
				t.Errorf("%s: no mark on %q", def.Family, m.Text)
			}
		}
	}
}

func withLibrary(h *hospital) *alerting.Service {
	guard, err := access.NewGuard()
	if err != nil {
		h.t.Fatal(err)
	}
	return alerting.New(alerting.Options{DB: h.db, Guard: guard, Directory: h.dir, Dispatch: h.out, Organisation: h.org, LinkBase: "https://t.example/r/", Library: library.All})
}
