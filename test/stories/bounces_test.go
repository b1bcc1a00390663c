package stories_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
)

// mailFirst calls by e-mail, then by SMS.
func mailFirst(d *alerting.Definition) {
	d.Waves[0].Media = []channels.Medium{channels.Email, channels.SMS}
	d.Waves[0].Escalate = minutes(30)
}

// contactOf is a contact point of a person as the directory has it now.
func (h *hospital) contactOf(p directory.Person, kind string) directory.ContactPoint {
	h.t.Helper()
	got, err := h.Directory.Person(h.t.Context(), access.System(h.scope.Organisation(), "story"), p.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range got.Contacts {
		if c.Kind == kind {
			return c
		}
	}
	h.t.Fatalf("%s has no %s", p.LastName, kind)
	return directory.ContactPoint{}
}

// What comes back from mail servers is acted on: an address that does not exist
// is not written to again until somebody corrects it, and the SMS leaves at once;
// a full mailbox is counted and tried again next time; a server that blocks us is
// never held against the person.
func TestBouncesAreActedOn(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		gone, full, blocked := h.agent("Parti", "ide"), h.agent("Comble", "ide"), h.agent("Bloque", "ide")
		bounce := map[string]channels.Reason{
			mailbox(gone): channels.ReasonInvalidAddress, mailbox(full): channels.ReasonMailboxFull, mailbox(blocked): channels.ReasonPolicy,
		}
		for address := range bounce {
			h.mail.turnOff(address) // no receipt: the bounce comes instead
		}
		alert := func(title string) {
			t.Helper()
			since := h.now()
			l := h.launch(recall(mailFirst, func(d *alerting.Definition) { d.Title = alerting.Localized{"fr": title, "en": title} }))
			h.clock.Advance(time.Second)
			for address, reason := range bounce {
				for _, m := range h.mail.received(address) {
					if m.At.Before(since) || strings.HasPrefix(m.Text, "FIN") {
						continue
					}
					if err := h.mail.Receipt(t.Context(), m.ID, false, reason); err != nil {
						t.Fatal(err)
					}
				}
			}
			h.settle()
			if err := h.Alerting.End(t.Context(), h.scope, h.now(), l.ID, alerting.Localized{}); err != nil {
				t.Fatal(err)
			}
			h.sleep(time.Minute)
		}
		alert("première")
		for _, p := range []directory.Person{gone, full, blocked} {
			got := h.sms.received(mobile(p))
			count(t, got, 1, "SMS at once to "+p.LastName)
		}
		if c := h.contactOf(gone, directory.Email); c.State != directory.Bounced || c.Usable() {
			t.Errorf("the address that does not exist is %+v", c)
		}
		if c := h.contactOf(full, directory.Email); c.State != directory.Failed || c.Failures != 1 || !c.Usable() {
			t.Errorf("the full mailbox is %+v", c)
		}
		if c := h.contactOf(blocked, directory.Email); c.State == directory.Stopped || c.State == directory.Failed || c.Failures != 0 || !c.Usable() {
			t.Errorf("the block is held against the person: %+v", c)
		}

		alert("deuxième")
		alert("troisième")
		count(t, h.mail.received(mailbox(gone)), 1, "e-mails to an address that does not exist")
		count(t, h.mail.received(mailbox(full)), 3, "e-mails to a full mailbox")
		count(t, h.mail.received(mailbox(blocked)), 3, "e-mails where a server blocks us")
		if c := h.contactOf(full, directory.Email); c.Failures != 3 || c.State != directory.Failed {
			t.Errorf("after three: %+v", c)
		}
		// Somebody corrects it, or had it mended: it serves again.
		if err := h.Directory.Lift(t.Context(), h.scope, gone.ID, h.contactOf(gone, directory.Email).ID); err != nil {
			t.Fatal(err)
		}
		delete(bounce, mailbox(gone))
		alert("quatrième")
		count(t, h.mail.received(mailbox(gone)), 2, "e-mails once it was corrected")
	})
}
