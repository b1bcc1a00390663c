package email

import (
	"strings"

	"github.com/emersion/go-message"
	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// isAutomatic recognises what no person typed: absence messages, read
// receipts, acknowledgements of ticket systems. They are never an answer.
func isAutomatic(p mailParts, e envelope) bool {
	if p.disposition || isVacation(p.header) {
		return true
	}
	if auto := strings.ToLower(firstWord(strings.ReplaceAll(p.header.Get("Auto-Submitted"), ";", " "))); auto != "" && auto != "no" {
		return true
	}
	// RFC 3834 §3.3: an automatic answer has no sender, so that it is never
	// answered itself; a person's mail always has one.
	return e.sender == "" && e.to.token != ""
}

// isVacation knows the marks of absence messages that a bounce never bears.
func isVacation(h message.Header) bool {
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Auto-Reply", "X-Vacation", "X-Mail-Autoreply"} {
		if v := strings.ToLower(strings.TrimSpace(h.Get(name))); v != "" && v != "no" {
			return true
		}
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "auto_reply", "auto-reply", "bulk", "junk":
		// Bounces of a few systems say "bulk" too: they are told by their report or sender.
		return !fromSystem(&h)
	}
	return isAbsenceSubject(fold(subjectOf(h)))
}

// isAbsenceSubject reads the subjects that mail programs give by themselves.
// "Absent" alone is not among them: a person may write it in answer.
func isAbsenceSubject(folded string) bool {
	for _, start := range []string{
		"reponse automatique", "automatic reply", "auto reply", "auto:", "auto-reply", "autoreply", "out of office", "out of the office",
		"absence du bureau", "absent du bureau", "message d'absence", "reponse d'absence", "notification d'absence",
		"read:", "lu :", "lu:", "abwesenheit", "automatische antwort",
	} {
		if strings.HasPrefix(strings.TrimSpace(folded), start) {
			return true
		}
	}
	return false
}

// proofOfDelivery is what an absence message does prove: the mailbox exists
// and received ours. Nil when it does not say which message it answers.
func proofOfDelivery(p mailParts, e envelope) *channels.Receipt {
	id := aboutDelivery(p, e)
	if id == uuid.Nil {
		return nil
	}
	return &channels.Receipt{MessageID: id, Delivered: true, Final: true, Detail: "automatic reply", At: e.at}
}

// subjectOf is the decoded subject, or the raw one when it cannot be decoded.
func subjectOf(h message.Header) string {
	s, err := h.Text("Subject")
	if err != nil {
		s = h.Get("Subject")
	}
	return decodeText([]byte(s[:min(len(s), 1000)]))
}
