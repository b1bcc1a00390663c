package stories_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
)

// Nobody outside can open our links any more: SMS arrive, answers come back by
// SMS, and not one by link. The isolated mode sets itself, says why, and ends
// with the first answer by link; who ends it by hand is not contradicted.
func TestTheLinksAreSilent(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		people := h.crowd(60)
		mode := func() (on, silence bool) {
			t.Helper()
			m, err := h.Dispatch.Isolation(t.Context(), h.scope)
			if err != nil {
				t.Fatal(err)
			}
			return m.On, m.Silence
		}
		l := h.launch(recall())
		code := func(i int) string {
			link := h.sms.received(mobile(people[i]))[0].Link
			return link[strings.LastIndex(link, "/")+1:]
		}
		// Nine answers by SMS prove nothing.
		for i := range 9 {
			h.sms.answer(mobile(people[i]), "1")
		}
		h.sleep(16 * time.Minute)
		if on, _ := mode(); on {
			t.Fatal("isolated after nine answers")
		}
		h.sms.answer(mobile(people[9]), "2")
		for i := 10; i < 20; i++ {
			h.sms.answer(mobile(people[i]), "1")
		}
		h.sleep(time.Minute)
		if on, silence := mode(); !on || !silence {
			t.Fatal("the mode did not set itself")
		}
		if b := h.board(l); !slices.Contains(kinds(b), alerting.EventLinksSilent) || h.journalled("dispatch.isolation.on") != 1 {
			t.Error("nothing tells why")
		}
		h.pass(2 * time.Second)
		if err := h.Alerting.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "Suivi : {lien}"}); err != nil {
			t.Fatal(err)
		}
		h.settle()
		got := h.mail.received(mailbox(people[10])) // he was called by e-mail since
		if last := got[len(got)-1]; !strings.Contains(last.Text, "Suivi") || strings.Contains(last.Text, "/r/") || last.Link != "" {
			t.Errorf("a link left: %q", last.Text)
		}

		// The probe, which looks from another place, does not end it; an answer does.
		if err := h.Dispatch.Reachable(t.Context(), access.System(h.scope.Organisation(), "sonde"), h.now(), true); err != nil {
			t.Fatal(err)
		}
		if on, _ := mode(); !on {
			t.Error("the probe ended what silence began")
		}
		if _, err := h.Alerting.AnswerByLink(t.Context(), code(20), alerting.Coming, 30, "192.0.2.1", h.now()); err != nil {
			t.Fatal(err)
		}
		if on, _ := mode(); on {
			t.Error("an answer by link did not end it")
		}
		if b := h.board(l); !slices.Contains(kinds(b), alerting.EventLinksBack) || h.journalled("dispatch.isolation.off") != 1 {
			t.Error("the end is not told")
		}

		// The same alert does not say it again; another one, where links are
		// followed, never does.
		h.sleep(20 * time.Minute)
		for i := 30; i < 42; i++ {
			h.sms.answer(mobile(people[i]), "1")
		}
		h.sleep(time.Minute)
		if on, _ := mode(); on {
			t.Error("the same alert set it twice")
		}
	})
}

// Links that are followed, messages without links, and a rule switched off never
// isolate anybody.
func TestLinksThatAreFollowedAreNotSilent(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		people := h.crowd(55)
		quiet := recall(func(d *alerting.Definition) {
			d.Title = alerting.Localized{"fr": "Sans lien", "en": "Without a link"}
			for i := range d.Messages {
				if d.Messages[i].Medium == channels.SMS {
					d.Messages[i].Body = strings.ReplaceAll(d.Messages[i].Body, " {lien}", "")
				}
			}
		})
		h.launch(quiet)
		for i := range 12 {
			h.sms.answer(mobile(people[i]), "1")
		}
		h.sleep(10 * time.Minute)
		followed := h.launch(recall())
		for i := 12; i < 25; i++ {
			h.sms.answer(mobile(people[i]), "1")
		}
		got := h.sms.received(mobile(people[40]))
		link := got[len(got)-1].Link
		h.sleep(5 * time.Minute)
		if _, err := h.Alerting.AnswerByLink(t.Context(), link[strings.LastIndex(link, "/")+1:], alerting.Coming, 30, "192.0.2.1", h.now()); err != nil {
			t.Fatal(err)
		}
		h.sms.answer(mobile(people[25]), "1")
		h.sleep(12 * time.Minute)
		if m, err := h.Dispatch.Isolation(t.Context(), h.scope); err != nil || m.On {
			t.Errorf("isolated: %+v, %v", m, err)
		}
		if slices.Contains(kinds(h.board(followed)), alerting.EventLinksSilent) {
			t.Error("said silent")
		}
	})
}
