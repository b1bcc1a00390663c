package email_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/test/peers/smtp"
)

// hospital starts a Postfix that hands our reply domain over to an intake.
func hospital(t *testing.T, b channels.Inbox, lmtp bool, c smtp.Config) *smtp.Postfix {
	t.Helper()
	_, port, err := net.SplitHostPort(listen(t, b, lmtp))
	if err != nil {
		t.Fatal(err)
	}
	c.ReplyDomain, c.ReplyTo = replyDomain, "smtp:[127.0.0.1]:"+port
	if lmtp {
		c.ReplyTo = "lmtp:inet:127.0.0.1:" + port
	}
	return smtp.StartPostfix(t, c)
}

func TestPostfixDelivers(t *testing.T) {
	t.Parallel()
	p := smtp.StartPostfix(t, smtp.Config{Mailboxes: []string{"agent"}})
	client := newClient(t, settings(t, p.Host, p.Port))
	m := newMessage(t, "agent@"+smtp.Domain)
	m.ExpiresAt = time.Date(2099, 1, 2, 3, 4, 5, 0, time.UTC)
	if out := client.Send(within(t), m); out.State != channels.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	poll(t, "the message in its mailbox", p.Log, func() bool { return strings.Contains(p.Mailbox(t, "agent"), "</html>") })
	got := p.Mailbox(t, "agent")
	for _, want := range []string{
		"Return-Path: <rebond+" + strings.ReplaceAll(m.ID.String(), "-", "") + "@" + replyDomain + ">",
		"Reply-To: =?utf-8?q?CH_de_Valmont_=E2=80=93_Alerte?=\n <reponse+" + token + "@" + replyDomain + ">",
		"Message-ID: <" + m.ID.String() + "@" + replyDomain + ">",
		"Auto-Submitted: auto-generated", "Expires: Fri, 02 Jan 2099 03:04:05 +0000", "Importance: high",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the delivered message lacks %q:\n%s", want, got)
		}
	}
}

func TestPostfixRefusesAtOnce(t *testing.T) {
	t.Parallel()
	p := smtp.StartPostfix(t, smtp.Config{Mailboxes: []string{"agent"}, Refuse: map[string]string{
		"gris@" + smtp.Domain:   "450 4.7.1 Greylisted, come back later",
		"plein@" + smtp.Domain:  "452 4.2.2 Mailbox full",
		"comble@" + smtp.Domain: "552 5.2.2 Over quota",
		"banni@" + smtp.Domain:  "550 5.7.1 Blocked by policy",
	}})
	client := newClient(t, settings(t, p.Host, p.Port, "pool", "1"))
	for _, c := range []struct {
		to     string
		state  channels.State
		reason channels.Reason
	}{
		{"inconnu@" + smtp.Domain, channels.Refused, channels.ReasonInvalidAddress},
		{"gris@" + smtp.Domain, channels.Retry, channels.ReasonThrottled},
		{"plein@" + smtp.Domain, channels.Retry, channels.ReasonMailboxFull},
		{"comble@" + smtp.Domain, channels.Refused, channels.ReasonMailboxFull},
		{"banni@" + smtp.Domain, channels.Refused, channels.ReasonPolicy},
		// The same connection still works after all that.
		{"agent@" + smtp.Domain, channels.Accepted, channels.ReasonNone},
	} {
		out := client.Send(within(t), newMessage(t, c.to))
		if out.State != c.state || out.Reason != c.reason || out.Uncertain || out.GatewayDown {
			t.Errorf("%s: outcome %+v, want %s %q", c.to, out, c.state, c.reason)
		}
		if strings.Contains(out.Detail, "@") {
			t.Errorf("%s: the detail shows an address: %s", c.to, out.Detail)
		}
	}
}

// TestPostfixBounces follows real bounces from Postfix's queue to our inbox,
// by SMTP and by LMTP.
func TestPostfixBounces(t *testing.T) {
	t.Parallel()
	for _, lmtp := range []bool{false, true} {
		name := map[bool]string{false: "smtp", true: "lmtp"}[lmtp]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newInbox()
			p := hospital(t, b, lmtp, smtp.Config{Full: []string{"plein"}})
			client := newClient(t, settings(t, p.Host, p.Port))
			want := map[uuid.UUID]channels.Reason{}
			for to, reason := range map[string]channels.Reason{
				"parti@" + smtp.LateDomain: channels.ReasonInvalidAddress,
				"plein@" + smtp.Domain:     channels.ReasonMailboxFull,
			} {
				m := newMessage(t, to)
				want[m.ID] = reason
				if out := client.Send(within(t), m); out.State != channels.Accepted {
					t.Fatalf("%s: outcome %+v", to, out)
				}
			}
			b.until(t, "both bounces", p.Log, func(r []channels.Receipt, _ []channels.Reply, _ int) bool { return len(r) == len(want) })
			receipts, _, _ := b.all()
			for _, r := range receipts {
				reason, ours := want[r.MessageID]
				if !ours || r.Reason != reason || !r.Final || r.Delivered || strings.Contains(r.Detail, "@") {
					t.Errorf("receipt %+v, want a final failure %q", r, reason)
				}
			}
		})
	}
}

func TestPostfixKeepsBounceWhileInboxFails(t *testing.T) {
	t.Parallel()
	b := newInbox()
	b.setBroken(errDisk)
	p := hospital(t, b, false, smtp.Config{})
	m := newMessage(t, "parti@"+smtp.LateDomain)
	if out := newClient(t, settings(t, p.Host, p.Port)).Send(within(t), m); out.State != channels.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	b.until(t, "a refused bounce", p.Log, func(_ []channels.Receipt, _ []channels.Reply, refused int) bool { return refused > 0 })
	poll(t, "the bounce in Postfix's queue", p.Log, func() bool { return strings.Contains(p.Queue(t), "451 4.3.0") })
	b.setBroken(nil)
	b.until(t, "the bounce tried again", p.Log, func(r []channels.Receipt, _ []channels.Reply, _ int) bool {
		return len(r) == 1 && r[0].MessageID == m.ID
	})
}

func TestPostfixDefers(t *testing.T) {
	t.Parallel()
	b := newInbox()
	p := hospital(t, b, false, smtp.Config{WarnAfter: time.Second, GiveUpAfter: 4 * time.Second})
	m := newMessage(t, "agent@"+smtp.DeadDomain)
	if out := newClient(t, settings(t, p.Host, p.Port)).Send(within(t), m); out.State != channels.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	b.until(t, "a delay, then a failure", p.Log, func(r []channels.Receipt, _ []channels.Reply, _ int) bool { return len(r) == 2 })
	receipts, _, _ := b.all()
	for i, final := range []bool{false, true} {
		r := receipts[i]
		if r.MessageID != m.ID || r.Final != final || r.Delivered || r.Reason != channels.ReasonUnreachable {
			t.Errorf("receipt %d: %+v, want final=%v unreachable", i, r, final)
		}
	}
}

func TestPostfixGoesAway(t *testing.T) {
	t.Parallel()
	p := smtp.StartPostfix(t, smtp.Config{Mailboxes: []string{"agent"}})
	client := newClient(t, settings(t, p.Host, p.Port))
	if out := client.Send(within(t), newMessage(t, "agent@"+smtp.Domain)); out.State != channels.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	p.Stop(t)
	out := client.Send(within(t), newMessage(t, "agent@"+smtp.Domain))
	if out.State != channels.Retry || out.Reason != channels.ReasonUnreachable || !out.GatewayDown || out.Uncertain {
		t.Fatalf("outcome %+v, want a retry because the relay is down", out)
	}
}
