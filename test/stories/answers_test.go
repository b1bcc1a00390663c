package stories_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/ui/uitest"
)

// An agent answers twice by SMS, then on the page of the link: the last word
// counts, every word is kept, each SMS is acknowledged once. Opening the link
// records nothing: previewers open links.
func TestAnAgentAnswersTwiceThenFromTheLink(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Change", "iade")
		l := h.launch(recall(needs(1, "iade")))
		h.sms.answer(mobile(agent), "OUI j'arive dans 30 min")
		if who := h.person(l, agent); who.Meaning != alerting.Coming || who.Minutes != 30 {
			t.Fatalf("after the first SMS: %s in %d", who.Meaning, who.Minutes)
		}
		h.pass(time.Minute)
		h.sms.answer(mobile(agent), "Non finalement je ne peux pas")
		if who := h.person(l, agent); who.Meaning != alerting.Unavailable || h.board(l).Quotas[0].Missing() != 1 {
			t.Fatalf("after the second SMS: %s", who.Meaning)
		}
		h.pass(time.Minute)
		page := strings.TrimPrefix(h.sms.received(mobile(agent))[0].Link, identitytest.Origin().String())
		for range 2 {
			uitest.Get(t, h.router, page).Want(http.StatusOK).Whole().Says("main", "aux urgences")
		}
		if n := len(h.person(l, agent).Answers); n != 2 {
			t.Fatalf("%d answers once the link was opened, want the two SMS", n)
		}
		uitest.Post(t, h.router, page, []string{"reponse", "coming-15"}).Want(http.StatusSeeOther)
		h.settle()

		who := h.person(l, agent)
		if who.Meaning != alerting.Coming || who.Minutes != 15 || !who.ETA.Equal(h.now().Add(15*time.Minute)) {
			t.Errorf("the last word is %s in %d, expected at %s", who.Meaning, who.Minutes, who.ETA)
		}
		var kept []alerting.Meaning
		for _, a := range who.Answers {
			kept = append(kept, a.Meaning)
		}
		slices.Sort(kept)
		if want := []alerting.Meaning{alerting.Coming, alerting.Coming, alerting.Unavailable}; !slices.Equal(kept, want) {
			t.Errorf("kept: %v", kept)
		}
		count(t, h.sms.all("NOTE"), 2, "acknowledgements of the two SMS")
		b := h.board(l)
		if b.Counters.Answered != 1 || b.Counters.Coming != 1 || b.Counters.Unavailable != 0 || b.Quotas[0].Missing() != 0 {
			t.Errorf("one person counts once: %+v", b.Counters)
		}
	})
}

// STOP makes a number unreachable at many gateways: the person is listed as not
// reachable by it, goes on by another medium, and the next alert knows it.
func TestStopIsHeardListedAndRespected(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Stop", "iade")
		l := h.launch(recall())
		h.sms.answer(mobile(agent), "STOP")
		if who := h.person(l, agent); !who.Stopped || who.Meaning != "" {
			t.Errorf("after STOP: stopped %v, meaning %q", who.Stopped, who.Meaning)
		}
		if b := h.board(l); b.Counters.Stopped != 1 {
			t.Errorf("the dashboard counts %d STOP", b.Counters.Stopped)
		}
		h.pass(6 * time.Minute)
		count(t, h.mail.received(mailbox(agent)), 1, "e-mails instead")
		if err := h.Alerting.End(t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
			t.Fatal(err)
		}
		h.settle()
		before := len(h.sms.received(mobile(agent)))

		known, err := h.Directory.Person(t.Context(), h.scope, agent.ID)
		if err != nil || known.Contacts[0].State != directory.Stopped {
			t.Errorf("the directory says %s: %v", known.Contacts[0].State, err)
		}
		h.pass(5 * time.Minute)
		h.launch(recall())
		count(t, h.sms.received(mobile(agent)), before, "SMS to a stopped number")
		if n := len(h.mail.received(mailbox(agent))); n < 2 {
			t.Errorf("the next alert did not use the mailbox: %d e-mails", n)
		}
	})
}

// A reply from a number nobody knows is listed; a hand gives it to its author.
func TestReplyFromUnknownNumberAttachedByHand(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Emprunt", "iade")
		l := h.launch(recall(needs(1, "")))
		h.pass(time.Minute)
		h.sms.answer("+33639989999", "ici Camille Emprunt, j'arrive dans 20 min")
		came := h.now()
		h.pass(2 * time.Minute)
		list, err := h.Alerting.Unmatched(t.Context(), h.scope, l.LaunchedAt)
		if err != nil || len(list) != 1 || list[0].Meaning != alerting.Coming || h.board(l).Unmatched != 1 {
			t.Fatalf("unknown replies: %+v, %v", list, err)
		}
		if b := h.board(l); b.Counters.Coming != 0 {
			t.Error("a reply of nobody counts")
		}
		who := h.person(l, agent)
		if err := h.Alerting.Attach(t.Context(), h.scope, h.now(), l.ID, list[0].ID, who.ID); err != nil {
			t.Fatal(err)
		}
		who = h.person(l, agent)
		if who.Meaning != alerting.Coming || who.Minutes != 20 || !who.ETA.Equal(came.Add(20*time.Minute)) {
			t.Errorf("attached: %s, %d min, at %s, want %s", who.Meaning, who.Minutes, who.ETA, came.Add(20*time.Minute))
		}
		wantFault(t, h.Alerting.Attach(t.Context(), h.scope, h.now(), l.ID, list[0].ID, who.ID), "alerting.unmatched.gone")
	})
}
