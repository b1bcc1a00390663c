package stories_test

import (
	"slices"
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/storage/storagetest"
)

// The kill switch: whatever waits does not leave any more, now or later, and
// nobody is told anything.
func TestKillSwitch(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		h.agent("Un", "iade")
		later := h.agent("Deux", "ide")
		l := h.launch(recall(waves("iade", "ide"), needs(2, "")))
		if err := h.Alerting.Kill(t.Context(), h.scope, h.now(), l.ID, "lancé par erreur"); err != nil {
			t.Fatal(err)
		}
		h.settle()
		sent := h.sms.Count() + h.mail.Count()
		h.pass(30 * time.Minute)
		if n := h.sms.Count() + h.mail.Count(); n != sent {
			t.Errorf("%d messages left after the kill switch", n-sent)
		}
		count(t, h.sms.received(mobile(later)), 0, "SMS to the wave that had not left")
		wantFault(t, h.Alerting.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "x"}), "alerting.alert.over")
		if b := h.board(l); b.Launch.State != alerting.Killed {
			t.Errorf("the alert is %s", b.Launch.State)
		}
	})
}

// The kill switch while the gateway is stuck: what waits in the outbox is
// dropped, not sent when the gateway comes back.
func TestKillSwitchEmptiesAStuckOutbox(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		for range 30 {
			h.agent("Retenue", "ide")
		}
		h.sms.Channel("main").Cut()
		l, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now(), draft(h.scenario(recall())))
		if err != nil {
			t.Fatal(err)
		}
		h.work()
		if err := h.Alerting.Kill(t.Context(), h.scope, h.now(), l.ID, "erreur"); err != nil {
			t.Fatal(err)
		}
		// The kill is read within a second of the machine's own time.
		storagetest.Eventually(t, patience, "the outbox is emptied although the gateway is cut", func() bool {
			return h.number(`SELECT COUNT(*) FROM dispatch_lots WHERE pending`) == 0
		})
		h.clock.Advance(time.Minute)
		h.sms.Channel("main").Mend()
		h.settle()
		count(t, h.sms.all(""), 0, "SMS after the kill")
	})
}

// The operator is down all night. Messages are valid two hours: when it comes
// back at 9 a.m. nobody gets "come", and the e-mails were not delayed.
func TestNobodyGetsCalledAtNine(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Nuit", "iade")
		h.sms.Channel("main").Cut()
		l, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now(), draft(h.scenario(recall())))
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			h.clock.Advance(time.Minute)
			h.work()
		}
		storagetest.Eventually(t, patience, "the e-mail leaves although the SMS cannot", func() bool { return len(h.mail.received(mailbox(agent))) == 1 })
		if health := h.board(l).Media.Gateways; len(health) == 0 || health[len(health)-1].Health.Up == health[0].Health.Up {
			t.Errorf("the dashboard does not say which gateway is down: %+v", health)
		}
		h.clock.Advance(6 * time.Hour) // 9 a.m. in Paris
		h.sms.Channel("main").Mend()
		h.settle()
		h.pass(10 * time.Minute)
		count(t, h.sms.received(mobile(agent)), 0, "SMS in the morning")
		if who := h.person(l, agent); !slices.ContainsFunc(who.Attempts, func(a alerting.Attempt) bool {
			return a.Medium == channels.SMS && a.State == alerting.AttemptExpired
		}) {
			t.Errorf("nobody says that the SMS expired: %+v", who.Attempts)
		}
	})
}

// What leaves carries its end of validity, so that the operator withdraws it too.
func TestMessagesCarryTheirValidity(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Valide", "iade")
		l := h.launch(recall())
		letters := h.sms.received(mobile(agent))
		count(t, letters, 1, "SMS")
		if want := l.LaunchedAt.Add(2 * time.Hour); !letters[0].ExpiresAt.Equal(want) {
			t.Errorf("valid until %s, want %s", letters[0].ExpiresAt, want)
		}
	})
}
