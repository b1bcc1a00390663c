package email_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
)

var lost = uuid.MustParse("0192f0c1-5b7e-7c3a-8d21-3f5e6a7b8c9d")

func returned(t *testing.T, raw, address string) email.News {
	t.Helper()
	n, ok := email.Parse([]byte(strings.ReplaceAll(raw, "\r\n", "\n")), "", address, replyDomain, noon)
	if !ok {
		t.Fatal("our own address is not recognised")
	}
	return n
}

func TestStandardBounces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action, code, diagnostic string
		final, delivered         bool
		reason                   channels.Reason
	}{
		"unknown user":         {"failed", "5.1.1", "smtp; 550 5.1.1 <a@b.test> User unknown", true, false, channels.ReasonInvalidAddress},
		"mailbox full":         {"failed", "5.2.2", "smtp; 552 over quota", true, false, channels.ReasonMailboxFull},
		"full, after days":     {"failed", "4.2.2", "smtp; 452 4.2.2 full", true, false, channels.ReasonMailboxFull},
		"blocked":              {"failed", "5.7.1", "smtp; 550 5.7.1 spam", true, false, channels.ReasonPolicy},
		"code says nothing":    {"failed", "5.0.0", "smtp; 550 5.1.1 no such user", true, false, channels.ReasonInvalidAddress},
		"only words":           {"failed", "5.0.0", "smtp; 550 boîte pleine", true, false, channels.ReasonMailboxFull},
		"nobody answers":       {"failed", "4.4.7", "smtp; delivery time expired", true, false, channels.ReasonUnreachable},
		"delayed":              {"delayed", "4.4.1", "X-Postfix; connection timed out", false, false, channels.ReasonUnreachable},
		"delivered":            {"delivered (to mailbox)", "2.0.0", "smtp; 250 ok", true, true, channels.ReasonNone},
		"relayed":              {"relayed", "2.0.0", "smtp; 250 ok", false, false, channels.ReasonNone},
		"capitals":             {"FAILED", "5.1.1", "SMTP; 550", true, false, channels.ReasonInvalidAddress},
		"nothing else is said": {"failed", "5.0.0", "", true, false, channels.ReasonRejected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := dsn(c.action, c.code, c.diagnostic, "")
			for _, kind := range []string{"message/delivery-status", "message/global-delivery-status"} {
				n := returned(t, strings.Replace(raw, "message/delivery-status", kind, 1), email.BounceAddress(lost, replyDomain))
				if n.Receipt == nil {
					t.Fatalf("taken for %s", n.Sort)
				}
				r := *n.Receipt
				if r.MessageID != lost || r.Final != c.final || r.Delivered != c.delivered || r.Reason != c.reason || r.At != noon {
					t.Errorf("%s: %+v", kind, r)
				}
				if strings.Contains(r.Detail, "@") {
					t.Errorf("the detail shows an address: %s", r.Detail)
				}
			}
		})
	}
}

// TestBounceFoundByMessageID: some systems answer to Reply-To instead of the
// return address; what they give back still says which message it is.
func TestBounceFoundByMessageID(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"message/rfc822", "text/rfc822-headers", "message/global-headers", "message/global"} {
		back := "--b\r\nContent-Type: " + kind + "\r\n\r\nSubject: x\r\nMessage-ID:\r\n <" + lost.String() + "@" + replyDomain + ">\r\n\r\n"
		n := returned(t, dsn("failed", "5.1.1", "smtp; 550", back), "reponse+"+token+"@"+replyDomain)
		if n.Receipt == nil || n.Receipt.MessageID != lost {
			t.Errorf("%s: taken for %s %+v", kind, n.Sort, n.Receipt)
		}
	}
	n := returned(t, dsn("failed", "5.1.1", "smtp; 550", ""), "reponse+"+token+"@"+replyDomain)
	if n.Receipt != nil || n.Reply != nil {
		t.Errorf("a bounce about nothing known gives %+v %+v", n.Receipt, n.Reply)
	}
}

func TestTheWorstRecipientCounts(t *testing.T) {
	t.Parallel()
	two := dsn("failed", "5.2.2", "smtp; full", "")
	two = strings.Replace(two, "Final-Recipient", "Final-Recipient: rfc822; a@b.test\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\nFinal-Recipient", 1)
	n := returned(t, two, email.BounceAddress(lost, replyDomain))
	if n.Receipt == nil || n.Receipt.Delivered || n.Receipt.Reason != channels.ReasonMailboxFull {
		t.Errorf("taken for %s %+v", n.Sort, n.Receipt)
	}
}

func TestBouncesWithoutReport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw    string
		final  bool
		reason channels.Reason
	}{
		"Exim":             {"From: Mail Delivery System <Mailer-Daemon@mx.test>\nX-Failed-Recipients: a@b.test\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender\n\nThis message was created automatically.\n\n  a@b.test\n    Unrouteable address\n", true, channels.ReasonInvalidAddress},
		"qmail":            {"From: MAILER-DAEMON@mx.test\nSubject: failure notice\n\nHi. This is the qmail-send program at mx.test.\n\n<a@b.test>:\n552 5.2.2 over quota\n\n--- Below this line is a copy of the message.\n\nuser unknown\n", true, channels.ReasonMailboxFull},
		"Exchange, French": {"From: postmaster@hopital.test\nSubject: =?utf-8?Q?Non_remis=C2=A0:_Plan_blanc?=\n\nL’adresse est introuvable : destinataire inconnu.\n", true, channels.ReasonInvalidAddress},
		"HTML only":        {"From: postmaster@hopital.test\nSubject: Undeliverable: Plan blanc\nContent-Type: text/html\n\n<p>Remote Server returned '<b>550 5.7.1</b> blocked'</p>\n", true, channels.ReasonPolicy},
		"Sendmail warning": {"From: MAILER-DAEMON@mx.test\nSubject: Warning: could not send message for past 4 hours\n\nTHIS IS A WARNING MESSAGE ONLY\nYOU DO NOT NEED TO RESEND YOUR MESSAGE\n 451 4.4.1 connection timed out\n", false, channels.ReasonUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := returned(t, c.raw, email.BounceAddress(lost, replyDomain))
			if n.Receipt == nil || n.Sort != "bounce" {
				t.Fatalf("taken for %s %+v", n.Sort, n.Receipt)
			}
			if r := *n.Receipt; r.MessageID != lost || r.Final != c.final || r.Reason != c.reason || r.Delivered {
				t.Errorf("%+v, want final=%v %q", r, c.final, c.reason)
			}
		})
	}
}

func TestNotBounces(t *testing.T) {
	t.Parallel()
	// An absence message goes to the return address too, without a sender.
	n := returned(t, "From: a@b.test\nSubject: Réponse automatique\nAuto-Submitted: auto-replied\n\nAbsent jusqu’au 450 ; mailbox full of work\n", email.BounceAddress(lost, replyDomain))
	if n.Sort != "auto_reply" || n.Receipt == nil || !n.Receipt.Delivered {
		t.Errorf("absence message taken for %s %+v", n.Sort, n.Receipt)
	}
	n = returned(t, "From: a@b.test\nSubject: bonjour\n\nrien\n", email.BounceAddress(lost, replyDomain))
	if n.Sort != "unknown" || n.Receipt != nil || n.Reply != nil {
		t.Errorf("words we do not know taken for %s %+v", n.Sort, n.Receipt)
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code           int
		enhanced, text string
		want           channels.Reason
	}{
		{550, "5.1.1", "", channels.ReasonInvalidAddress},
		{550, "5.1.10", "", channels.ReasonInvalidAddress},
		{452, "4.2.2", "", channels.ReasonMailboxFull},
		{552, "", "", channels.ReasonMailboxFull},
		{552, "5.3.4", "message too big", channels.ReasonRejected},
		{550, "5.5.0", "mailbox unavailable", channels.ReasonInvalidAddress},
		{550, "", "La boîte aux lettres est pleine", channels.ReasonMailboxFull},
		{554, "5.7.1", "", channels.ReasonPolicy},
		{451, "4.7.1", "greylisted", channels.ReasonThrottled},
		{421, "", "", channels.ReasonThrottled},
		{451, "4.3.0", "", channels.ReasonPeerError},
		{535, "5.7.8", "", channels.ReasonAuth},
		{554, "", "", channels.ReasonRejected},
		{450, "4.4.2", "", channels.ReasonUnreachable},
	} {
		if got := email.Reason(c.code, c.enhanced, c.text); got != c.want {
			t.Errorf("%d %s %q: %q, want %q", c.code, c.enhanced, c.text, got, c.want)
		}
	}
}
