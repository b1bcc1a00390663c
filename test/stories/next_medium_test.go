package stories_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/alerting"
)

// No answer five minutes after the message arrived: the next medium leaves
// between 300 and 302 seconds, for those who did not answer and nobody else.
func TestNoAnswerInFiveMinutesMeansTheNextMedium(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		silent, prompt := h.agent("Silence", "ide"), h.agent("Prompte", "ide")
		h.sms.turnOff(mobile(silent))
		l := h.launch(recall())
		h.sms.answer(mobile(prompt), "1 15")
		h.pass(40 * time.Second)
		h.sms.turnOn(mobile(silent)) // the operator delivers at last
		h.settle()
		delivered := h.now()
		h.pass(303 * time.Second)

		count(t, h.sms.received(mobile(silent)), 1, "SMS to the silent one")
		reminders := h.mail.received(mailbox(silent))
		count(t, reminders, 1, "e-mails to the silent one")
		if took := reminders[0].At.Sub(delivered); took < 300*time.Second || took > 302*time.Second {
			t.Errorf("the e-mail left %s after the delivery", took)
		}
		if !strings.Contains(reminders[0].Text, "RAPPEL aux urgences") {
			t.Errorf("the e-mail says %q", reminders[0].Text)
		}
		count(t, h.mail.received(mailbox(prompt)), 0, "e-mails to the one who answered")
		if who := h.person(l, silent); who.State != alerting.Reached || len(who.Attempts) != 2 {
			t.Errorf("%s after %d messages", who.State, len(who.Attempts))
		}
	})
}

// A number the operator refuses costs no five minutes: the next one is tried at once.
func TestDeadNumberMeansTheNextMediumAtOnce(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		gone := h.agent("Ancien", "ide")
		h.sms.kill(mobile(gone))
		l := h.launch(recall())
		letters := h.mail.received(mailbox(gone))
		count(t, letters, 1, "e-mails")
		if !letters[0].At.Equal(l.LaunchedAt) {
			t.Errorf("the e-mail left %s after the launch", letters[0].At.Sub(l.LaunchedAt))
		}
	})
}
