package alerting_test

import (
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
)

func TestNoAnswerFiveMinutesAfterDeliveryMeansNextMedium(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Silence", "ide")
		l := h.launch(recall())
		h.pass(40 * time.Second) // the operator takes its time
		h.deliver(l.ID)
		at := h.now()
		for h.now().Sub(at) < 299*time.Second {
			h.pass(time.Second)
			if n := len(h.fresh(l.ID)); n != 0 {
				t.Fatalf("%d messages %s after the delivery", n, h.now().Sub(at))
			}
		}
		h.pass(3 * time.Second)
		if list := h.fresh(l.ID); len(list) != 1 || list[0].Medium != channels.Email || list[0].Purpose != alerting.UseReminder {
			t.Fatalf("between 300 and 302 s: %+v", list)
		}
	})
}

func TestWithoutReceiptSubmissionCounts(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Silence", "ide")
		l := h.launch(recall())
		h.pass(20 * time.Second)
		h.tell(l.ID, h.fresh(l.ID), "", dispatch.FactAccepted)
		h.pass(299 * time.Second)
		if n := len(h.fresh(l.ID)); n != 0 {
			t.Fatalf("%d messages too early", n)
		}
		h.pass(2 * time.Second)
		if list := h.fresh(l.ID); len(list) != 1 || list[0].Medium != channels.Email {
			t.Fatalf("after 301 s: %+v", list)
		}
	})
}

func TestDeadNumberMeansNextAddressAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Deux", "ide", twoMobiles)
		l := h.launch(recall())
		first := h.fresh(l.ID)
		h.tell(l.ID, first, channels.ReasonInvalidAddress, dispatch.FactFailed)
		h.tick()
		second := h.fresh(l.ID)
		if len(second) != 1 || second[0].Medium != channels.SMS || second[0].Address == first[0].Address || second[0].Purpose != alerting.UseAlert {
			t.Fatalf("after the first number failed: %+v", second)
		}
		h.tell(l.ID, second, channels.ReasonInvalidAddress, dispatch.FactFailed)
		h.tick()
		third := h.fresh(l.ID)
		if len(third) != 1 || third[0].Medium != channels.Email {
			t.Fatalf("after the second number failed: %+v", third)
		}
		h.tell(l.ID, third, channels.ReasonMailboxFull, dispatch.FactFailed)
		h.tick()
		if list := h.fresh(l.ID); len(list) != 0 {
			t.Fatalf("nothing is left to try: %+v", list)
		}
	})
}

func TestQuotaReachedTheLastWaveNeverLeaves(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "iade")
		h.agent("Deux", "iade")
		h.agent("Trois", "iade")
		h.agent("Attente", "ide")
		l := h.launch(recall(byMetier("iade", "ide"), needs(2, "iade")))
		first := h.deliver(l.ID)
		h.reply(l.ID, first[0], "1 30")
		h.reply(l.ID, first[1], "oui j'arrive 20 min")
		h.pass(15 * time.Second)
		if n := count(h.fresh(l.ID), of(alerting.UseStandDown, channels.SMS)); n != 1 {
			t.Errorf("%d stand-downs, want one: for the person who was called and said nothing", n)
		}
		h.pass(30 * time.Minute)
		for _, m := range h.queue(l.ID) {
			if m.Subject != first[0].Subject && m.Subject != first[1].Subject && m.Subject != first[2].Subject {
				t.Fatalf("the last wave left: %+v", m)
			}
		}
		if n := count(h.queue(l.ID), of(alerting.UseReminder, channels.Email)); n != 0 {
			t.Errorf("%d people were called again after the quota", n)
		}
	})
}

func TestReopensWhenAnnouncedPeopleDoNotArrive(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Promesse", "iade")
		h.agent("Attente", "ide")
		l := h.launch(recall(byMetier("iade", "ide"), needs(1, "")))
		first := h.deliver(l.ID)
		h.reply(l.ID, first[0], "1 30") // expected at +30, given up at +45
		h.pass(time.Minute)
		h.deliver(l.ID)
		h.pass(43 * time.Minute)
		if list := h.fresh(l.ID); len(list) != 0 {
			t.Fatalf("reopened too early: %+v", list)
		}
		h.pass(62 * time.Second)
		list := h.fresh(l.ID)
		if len(list) != 1 || list[0].Subject == first[0].Subject || list[0].Purpose != alerting.UseAlert {
			t.Fatalf("the held wave must leave: %+v", list)
		}
	})
}

func TestReopeningCallsAgainWhenNoWaveIsLeft(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Promesse", "iade")
		h.agent("Silence", "iade")
		l := h.launch(recall(needs(1, "")))
		first := h.deliver(l.ID)
		h.reply(l.ID, first[0], "1 15")
		h.pass(time.Minute)
		if n := count(h.deliver(l.ID), of(alerting.UseStandDown, channels.SMS)); n != 1 {
			t.Fatalf("%d stand-downs", n)
		}
		h.pass(29*time.Minute + 2*time.Second)
		list := h.fresh(l.ID)
		if len(list) != 1 || list[0].Subject != first[1].Subject || list[0].Purpose != alerting.UseReminder {
			t.Fatalf("who was stood down must be called again: %+v", list)
		}
	})
}

func TestWithdrawnMessageIsSentAfterReopening(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Promesse", "iade")
		h.agent("Jamais", "iade")
		l := h.launch(recall(needs(1, "")))
		all := h.fresh(l.ID)
		h.tell(l.ID, all[:1], "", dispatch.FactAccepted, dispatch.FactDelivered)
		h.reply(l.ID, all[0], "1 15")
		h.tick() // the second message had not left: it is withdrawn
		if n := count(h.queue(l.ID), func(m message) bool { return m.ID == all[1].ID && m.State == "withdrawn" }); n != 1 {
			t.Fatalf("the queued call must be taken back: %+v", h.queue(l.ID))
		}
		h.tell(l.ID, all[1:], "", dispatch.FactWithdrawn)
		h.pass(time.Minute)
		if n := count(h.queue(l.ID), func(m message) bool { return m.Purpose == alerting.UseStandDown && m.Subject == all[1].Subject }); n != 0 {
			t.Errorf("who was never called was stood down %d times", n)
		}
		h.pass(29*time.Minute + 2*time.Second)
		if n := count(h.fresh(l.ID), func(m message) bool { return m.Subject == all[1].Subject && m.Purpose == alerting.UseAlert }); n != 1 {
			t.Errorf("the call that never left must leave now: %+v", h.fresh(l.ID))
		}
	})
}

// state is where the only person of an alert stands, the board agreeing.
func (h *hospital) state(l alerting.Launch) alerting.State {
	h.t.Helper()
	who, n := h.one(l.ID), h.board(l).Counters
	for state, have := range map[alerting.State]int{alerting.Called: n.Called, alerting.Unconfirmed: n.Unconfirmed, alerting.Exhausted: n.Exhausted} {
		if want := map[bool]int{true: 1}[who.State == state]; have != want {
			h.t.Errorf("%s, and the board counts %d %s", who.State, have, state)
		}
	}
	return who.State
}

func TestNobodyIsUnreachableWhoMayStillAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Sans accusé", "ide")
		l := h.launch(recall())
		sms := h.fresh(l.ID)
		h.tell(l.ID, sms, channels.ReasonInvalidAddress, dispatch.FactFailed)
		h.tick()
		mail := h.fresh(l.ID)
		h.pass(30 * time.Minute)
		if got := h.state(l); got != alerting.Called {
			t.Errorf("an e-mail that has not left yet: %s", got)
		}
		h.tell(l.ID, mail, "", dispatch.FactAccepted)
		h.pass(11 * time.Minute)
		if got := h.state(l); got != alerting.Unconfirmed {
			t.Errorf("an e-mail the server took, without receipt: %s", got)
		}
		h.tell(l.ID, mail, channels.ReasonMailboxFull, dispatch.FactFailed)
		h.tick()
		if got := h.state(l); got != alerting.Exhausted {
			t.Errorf("a late bounce of the last hope: %s", got)
		}
		h.reply(l.ID, sms[0], "1")
		if got := h.state(l); got != alerting.Answered {
			t.Errorf("after an answer: %s", got)
		}
	})
}

func TestTheFirstNumberDiesAfterEverythingWasUsed(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Tard", "ide")
		l := h.launch(recall())
		sms := h.fresh(l.ID)
		h.tell(l.ID, sms, "", dispatch.FactAccepted)
		h.pass(6 * time.Minute)
		mail := h.fresh(l.ID)
		h.tell(l.ID, mail, channels.ReasonInvalidAddress, dispatch.FactFailed)
		h.tick()
		if got := h.state(l); got != alerting.Unconfirmed {
			t.Errorf("the SMS may have arrived: %s", got)
		}
		h.tell(l.ID, sms, channels.ReasonExpired, dispatch.FactFailed)
		h.tick()
		if got := h.state(l); got != alerting.Exhausted {
			t.Errorf("nothing can have arrived: %s", got)
		}
		h.tell(l.ID, sms, "", dispatch.FactDelivered)
		if got := h.state(l); got != alerting.Reached {
			t.Errorf("a receipt contradicts the failure: %s", got)
		}
	})
}

func TestWhoAnsweredIsCalledNoMore(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		for _, name := range []string{"A Réponse", "B Lien", "C Main", "D Porte", "E Muet"} {
			h.agent(name, "ide")
		}
		l := h.launch(recall())
		first := h.deliver(l.ID)
		h.pass(6 * time.Minute)
		if n := count(h.fresh(l.ID), of(alerting.UseReminder, channels.Email)); n != 5 {
			t.Fatalf("%d reminders wait to leave", n)
		}
		people, err := h.Recipients(t.Context(), h.scope, l.ID, alerting.RecipientFilter{}, alerting.Page{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range first {
			if m.Subject == people[0].ID {
				h.reply(l.ID, m, "non")
			}
		}
		if _, err := h.AnswerByLink(t.Context(), h.code(people[1].ID), alerting.Coming, 30, "192.0.2.7", h.now()); err != nil {
			t.Fatal(err)
		}
		if err := h.ManualCall(t.Context(), h.scope, h.now(), l.ID, people[2].ID, alerting.Coming, 30, ""); err != nil {
			t.Fatal(err)
		}
		if err := h.Arrive(t.Context(), h.scope, h.now(), l.ID, people[3].ID, true); err != nil {
			t.Fatal(err)
		}
		for _, m := range h.queue(l.ID) {
			if m.Purpose != alerting.UseReminder {
				continue
			}
			if waits := m.State == "queued"; waits != (m.Subject == people[4].ID) {
				t.Errorf("reminder of %s: %s", m.Address, m.State)
			}
		}
		if n := count(h.queue(l.ID), of(alerting.UseAck, channels.SMS)); n != 1 {
			t.Errorf("%d acknowledgements: taking calls back must not take them back", n)
		}
		h.pass(30 * time.Minute)
		if n := count(h.queue(l.ID), of(alerting.UseReminder, channels.Email)); n != 1 {
			t.Errorf("%d reminders in the end, one for who said nothing", n)
		}
	})
}

func TestTheDirectoryLearnsFromTheAlert(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		who := h.agent("Apprend", "ide")
		l := h.launch(recall())
		point := func() directory.ContactPoint {
			p, err := h.dir.Person(t.Context(), h.scope, who.ID)
			if err != nil {
				t.Fatal(err)
			}
			return p.Contacts[0]
		}
		m := h.deliver(l.ID)[0]
		delivered := h.now()
		if p := point(); p.State != directory.Delivered || !p.Delivered.Equal(delivered) {
			t.Errorf("delivered: %+v", p)
		}
		h.pass(time.Minute)
		if _, err := h.AnswerByLink(t.Context(), h.code(h.one(l.ID).ID), alerting.Coming, 30, "192.0.2.7", h.now()); err != nil {
			t.Fatal(err)
		}
		if p := point(); p.State != directory.Answered || !p.Answered.Equal(h.now()) {
			t.Errorf("by the link, which went nowhere else: %+v", p)
		}
		h.pass(time.Minute)
		h.reply(l.ID, m, "1 30")
		if p := point(); !p.Answered.Equal(h.now()) || !p.Delivered.Equal(delivered) {
			t.Errorf("by SMS: %+v", p)
		}
		h.pass(time.Minute)
		h.tell(l.ID, h.fresh(l.ID), channels.ReasonMailboxFull, dispatch.FactFailed)
		if p := point(); p.State != directory.Failed || p.Failures != 1 {
			t.Errorf("failed: %+v", p)
		}
		h.pass(time.Minute)
		h.reply(l.ID, m, "STOP")
		if p := point(); p.State != directory.Stopped || !p.StateAt.Equal(h.now()) {
			t.Errorf("stopped: %+v", p)
		}
	})
}
