package email_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/test/peers/smtp"
)

// delivered sends a message through a real server and returns the mailbox.
func delivered(t *testing.T, m channels.Message, pairs ...string) string {
	t.Helper()
	p := smtp.StartPostfix(t, smtp.Config{Mailboxes: []string{"agent"}})
	m.To = "agent@" + smtp.Domain
	if out := newClient(t, settings(t, p.Host, p.Port, pairs...)).Send(within(t), m); out.State != channels.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	poll(t, "the message in its mailbox", p.Log, func() bool { return strings.Contains(p.Mailbox(t, "agent"), "</html>") })
	return p.Mailbox(t, "agent")
}

func TestNoTextBecomesAHeader(t *testing.T) {
	t.Parallel()
	m := newMessage(t, "")
	m.Subject = "Alerte\r\nBcc: voleur@x.test\nX-Evil: 1\u2028X-Evil: 2"
	m.Text = "un\r\n.\r\nX-Evil: 3\r\n\x00\x07deux <script>alert(1)</script>"
	m.Link = "javascript:alert(1)"
	m.ReplyToken = "x\r\nX-Evil: 4"
	m.Language = "fr\r\nX-Evil: 5"
	m.Quiet = true
	got := delivered(t, m, "from_name", "Alerte\r\nX-Evil: 6")
	header, body, _ := strings.Cut(got, "\n\n")
	for _, line := range strings.Split(header, "\n") {
		if strings.HasPrefix(line, "X-Evil") || strings.HasPrefix(line, "Bcc") || strings.HasPrefix(line, "Reply-To") || strings.HasPrefix(line, "Importance") {
			t.Errorf("header line %q in\n%s", line, header)
		}
	}
	if strings.Contains(body, "<script>") && strings.Index(body, "<script>") > strings.Index(body, "text/html") || strings.Contains(body, "href=3D\"javascript") {
		t.Errorf("the HTML holds a script:\n%s", body)
	}
	if !strings.Contains(body, "deux") {
		t.Errorf("the text after the lone dot is lost:\n%s", body)
	}
}

func TestMessageWithoutReplyDomain(t *testing.T) {
	t.Parallel()
	got := delivered(t, newMessage(t, ""), "reply_domain", "")
	if !strings.Contains(got, "Return-Path: <alerte@hopital.test>") || strings.Contains(got, "Reply-To:") {
		t.Errorf("return paths without a reply domain:\n%s", got)
	}
	for _, banned := range []string{"<img", "src=", "@import", "url(", "User-Agent", "X-Mailer"} {
		if strings.Contains(got, banned) {
			t.Errorf("the message holds %q", banned)
		}
	}
	for line := range strings.Lines(got) {
		if len(line) > 200 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("a line that a relay could spoil: %q", line)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"agent@hopital.test":              "agent@hopital.test",
		" prenom.nom+x@HOPITAL.test ":     "prenom.nom+x@hopital.test",
		"o'neil@hopital.test":             "o'neil@hopital.test",
		"agent@hôpital.test":              "agent@xn--hpital-ixa.test",
		"Agent <agent@hopital.test>":      "",
		"a@b.test, c@d.test":              "",
		"a@b.test\r\nRCPT TO:<c@d.test>":  "",
		"léa@hopital.test":                "",
		"agent":                           "",
		"@hopital.test":                   "",
		"agent@":                          "",
		"a b@hopital.test":                "",
		"\"a b\"@hopital.test":            "",
		strings.Repeat("x", 65) + "@b.fr": "",
		"a@[127.0.0.1]":                   "",
	} {
		got, err := email.ParseAddress(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", in, got, err, want)
		}
	}
}

func TestBadAddressNeverReachesTheRelay(t *testing.T) {
	t.Parallel()
	// Nothing listens on port 1: an attempt to connect would be a retry.
	out := newClient(t, settings(t, "127.0.0.1", 1)).Send(within(t), newMessage(t, "a@b.test\r\nDATA"))
	if out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress || out.GatewayDown {
		t.Errorf("outcome %+v", out)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	catalog, err := i18n.Load(email.Locales, channels.Locales)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, value, field string }{
		{"host", "a b", "host"},
		{"from", "pas une adresse", "from"},
		{"reply_domain", "a/b", "reply_domain"},
		{"helo", "x y", "helo"},
		{"tls_pin", "abcd", "tls_pin"},
		{"tls_pin", strings.Repeat("zz", 32), "tls_pin"},
	} {
		_, err := email.NewClient(settings(t, "relais.test", 25, c.name, c.value), clock.Real().Now)
		f := fault.As(err)
		if f == nil || f.Field != c.field || !catalog.Has(f.Key) {
			t.Errorf("%s=%q: %v", c.name, c.value, err)
		}
	}
	_, err = email.NewClient(settings(t, "relais.test", 25, "user", "u", "password", "p"), clock.Real().Now)
	if f := fault.As(err); f == nil || f.Field != "tls" {
		t.Errorf("a password in clear to another machine: %v", err)
	}
	if _, err := email.NewClient(settings(t, "::1", 25, "user", "u", "password", "p"), clock.Real().Now); err != nil {
		t.Errorf("a password to this machine: %v", err)
	}
}

// TestLimitOfRate: what does not fit in the limit is given back with its wait.
func TestLimitOfRate(t *testing.T) {
	t.Parallel()
	sink := smtp.StartSink(t)
	c, err := email.Kind{}.Open(channels.Opening{Settings: settings(t, sink.Host, sink.Port, "rate", "6"), Now: clock.Real().Now})
	if err != nil {
		t.Fatal(err)
	}
	if out := c.Send(within(t), newMessage(t, "a@b.test")); out.State != channels.Accepted {
		t.Fatalf("the first: %+v", out)
	}
	out := c.Send(within(t), newMessage(t, "a@b.test"))
	if out.State != channels.Retry || out.Reason != channels.ReasonThrottled || out.GatewayDown ||
		out.RetryAfter < 5*time.Second || out.RetryAfter > 10*time.Second {
		t.Errorf("the second: %+v", out)
	}
	if !c.Health().Up {
		t.Error("our own limit says the relay is down")
	}
}
