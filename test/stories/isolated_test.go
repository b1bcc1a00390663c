package stories_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/i18n"
)

// The internet is down: our links open for nobody outside, and the relay of mail
// is cut. The cell says so with one button: what has not left yet, whatever its
// wave, leaves without a link and asks for an SMS; the answers come by SMS; the
// medium that is cut says so in one sentence; and it is undone likewise.
func TestTheInternetIsDown(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		first, silent := h.agent("Prompte", "ide"), h.agent("Silence", "ide")
		later := h.agent("Seconde", "iade")
		l := h.launch(recall(func(d *alerting.Definition) {
			d.Waves = []alerting.Wave{
				{Name: alerting.Localized{"fr": "Soins"}, Who: directory.Rule{Metiers: []string{"ide"}}, Media: []channels.Medium{channels.SMS, channels.Email}, Escalate: minutes(5)},
				{Name: alerting.Localized{"fr": "Anesthésie"}, After: minutes(3), Who: directory.Rule{Metiers: []string{"iade"}}, Media: []channels.Medium{channels.SMS, channels.Email}, Escalate: minutes(5)},
			}
		}))
		for _, p := range []string{mobile(first), mobile(silent)} {
			if got := h.sms.received(p); len(got) != 1 || !strings.Contains(got[0].Text, got[0].Link) || got[0].Link == "" {
				t.Fatalf("before the cut, an SMS without its link: %+v", got)
			}
		}

		cell := access.For(h.scope.Organisation(), h.scope.Actor(), true, access.CrisisCell)
		if err := h.Dispatch.Isolate(t.Context(), cell, h.now(), true); err != nil {
			t.Fatal(err)
		}
		h.pass(2 * time.Second)
		if err := h.Alerting.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "Entrée par le nord. Suivi : {lien}"}); err != nil {
			t.Fatal(err)
		}
		h.settle()
		h.pass(4 * time.Minute) // the second wave
		called := h.sms.received(mobile(later))
		count(t, called, 1, "SMS to the second wave")
		all := append(called, h.sms.received(mobile(silent))[1:]...)
		if len(all) < 2 {
			t.Fatalf("the progress message did not leave: %d", len(all))
		}
		for _, m := range all {
			if m.Link != "" || strings.Contains(m.Text, "/r/") || strings.Contains(m.Text, "{lien}") {
				t.Errorf("a link left in isolated mode: %q", m.Text)
			}
			if !strings.Contains(m.Text, "pondez par SMS : 1 Je viens, 2 Indisponible, 3 Sur place") {
				t.Errorf("no answer by SMS is asked for: %q", m.Text)
			}
		}

		// The relay is cut too: one sentence says so.
		h.mail.Channel("main").Cut()
		board, err := h.Alerting.Board(t.Context(), h.scope, l.ID, h.now())
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, g := range board.Media.Gateways {
			if g.Medium == channels.Email {
				said = g.Sentence(h.Catalog.For(i18n.French))
			}
		}
		if !strings.Contains(said, "ne transmet rien") {
			t.Errorf("of the relay the board says %q", said)
		}
		h.mail.Channel("main").Mend()

		h.sms.answer(mobile(later), "1 30")
		h.sms.answer(mobile(silent), "2")
		h.settle()
		if p := h.person(l, later); p.Meaning != alerting.Coming {
			t.Errorf("the answer by SMS is %q", p.Meaning)
		}
		h.restart()
		h.pass(10 * time.Second) // the leases of the process of before
		if mode, err := h.Dispatch.Isolation(t.Context(), h.scope); err != nil || !mode.On || mode.By != "Mme Garde" || mode.Automatic {
			t.Errorf("after a restart: %+v, %v", mode, err)
		}

		if err := h.Dispatch.Isolate(t.Context(), cell, h.now(), false); err != nil {
			t.Fatal(err)
		}
		h.pass(2 * time.Second)
		before := len(h.sms.received(mobile(first)))
		if err := h.Alerting.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "Suivi : {lien}"}); err != nil {
			t.Fatal(err)
		}
		h.settle()
		if got := h.sms.received(mobile(first)); len(got) != before+1 || !strings.Contains(got[before].Text, "/r/") {
			t.Errorf("back to normal, no link: %+v", got[before:])
		}
		if n := h.number(`SELECT COUNT(*) FROM journal_entries WHERE action LIKE 'dispatch.isolation.%'`); n != 2 {
			t.Errorf("%d lines of the journal, want 2", n)
		}
	})
}

// A mode that a person set is not ended by the probe; the probe's own is.
func TestTheProbeEndsOnlyWhatItBegan(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		probe := access.System(h.scope.Organisation(), "sonde")
		on := func(want bool) {
			t.Helper()
			if mode, err := h.Dispatch.Isolation(t.Context(), h.scope); err != nil || mode.On != want {
				t.Errorf("isolated %v, want %v (%v)", mode.On, want, err)
			}
		}
		for _, step := range []struct {
			person, on, want bool
		}{{false, true, true}, {false, true, true}, {false, false, false}, {true, true, true}, {false, false, true}, {false, true, true}, {true, false, false}} {
			var err error
			if step.person {
				err = h.Dispatch.Isolate(t.Context(), h.scope, h.now(), step.on)
			} else {
				err = h.Dispatch.Reachable(t.Context(), probe, h.now(), !step.on)
			}
			if err != nil {
				t.Fatal(err)
			}
			on(step.want)
		}
		reader := access.For(h.scope.Organisation(), h.scope.Actor(), true, access.Reader)
		if err := h.Dispatch.Isolate(t.Context(), reader, h.now(), true); err == nil {
			t.Error("a reader set the isolated mode")
		}
		h.establishment("Clinique voisine", "voisine")
		on(false)
	})
}
