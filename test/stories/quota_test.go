package stories_test

import (
	"testing"
	"time"

	"tocsin/internal/alerting"
)

// Quota reached: the remaining waves stop at once, whoever was called and is not
// needed is told, nobody is called again.
func TestQuotaReachedTheLastWaveNeverLeaves(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		first, second, third := h.agent("Un", "iade"), h.agent("Deux", "iade"), h.agent("Trois", "iade")
		last := h.agent("Attente", "ide")
		l := h.launch(recall(waves("iade", "ide"), needs(2, "iade")))
		h.sms.answer(mobile(first), "1 30")
		if b := h.board(l); !b.Launch.QuotaMet.IsZero() || b.Quotas[0].Missing() != 1 {
			t.Fatalf("after one answer of two: %+v", b.Quotas)
		}
		h.sms.answer(mobile(second), "oui j'arrive 20 min")
		if b := h.board(l); b.Launch.QuotaMet.IsZero() || b.Waves[1].State != alerting.WaveHeld {
			t.Fatalf("after two answers of two: met %s, the last wave is %s", b.Launch.QuotaMet, b.Waves[1].State)
		}
		h.pass(30 * time.Minute)
		count(t, h.sms.received(mobile(last)), 0, "SMS to the last wave")
		count(t, h.mail.received(mailbox(last)), 0, "e-mails to the last wave")
		count(t, h.sms.all("INUTILE"), 1, "stand-downs")
		if to := h.sms.all("INUTILE")[0].To; to != mobile(third) {
			t.Errorf("the stand-down went to %s, not to the one who was not needed", to)
		}
		count(t, h.mail.all("RAPPEL"), 0, "reminders after the quota")
	})
}

// Those who announced themselves do not arrive: the alert opens again, and the
// wave that was held leaves.
func TestAlertReopensWhenTheAnnouncedDoNotArrive(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		promise, kept, last := h.agent("Promesse", "iade"), h.agent("Parole", "iade"), h.agent("Attente", "ide")
		l := h.launch(recall(waves("iade", "ide"), needs(2, "")))
		h.sms.answer(mobile(promise), "1 30") // expected at +30, given up at +45
		h.sms.answer(mobile(kept), "1 30")
		h.pass(40 * time.Minute)
		if err := h.Alerting.Arrive(t.Context(), h.scope, h.now(), l.ID, h.person(l, kept).ID, true); err != nil {
			t.Fatal(err)
		}
		h.pass(4*time.Minute + 59*time.Second)
		count(t, h.sms.received(mobile(last)), 0, "SMS to the last wave while the promise is not overdue")
		h.pass(3 * time.Second)
		count(t, h.sms.received(mobile(last)), 1, "SMS to the last wave once the promise is overdue")
		if b := h.board(l); b.Quotas[0].Arrived != 1 || b.Quotas[0].Overdue != 1 || b.Quotas[0].Missing() != 1 {
			t.Errorf("after the reopening: %+v", b.Quotas[0])
		}
	})
}
