package email_test

import (
	"strings"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
	"tocsin/internal/fault"
	"tocsin/test/peers/smtp"
)

// signing are settings that sign, and the record they need.
func signing(t *testing.T) (key string, record channels.Record) {
	t.Helper()
	s, err := email.Kind{}.Complete(settings(t, "127.0.0.1", 25, "dkim_selector", "tocsin"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := email.Kind{}.Complete(s)
	if err != nil || again.Get("dkim_key") != s.Get("dkim_key") || s.Get("dkim_key") == "" {
		t.Fatalf("the key is made anew: %v", err)
	}
	records, err := email.Kind{}.Records(s)
	if err != nil || len(records) != 1 || !strings.HasPrefix(records[0].Name, "tocsin._domainkey.") || strings.Contains(records[0].Value, s.Get("dkim_key")[:40]) {
		t.Fatalf("records %+v, %v", records, err)
	}
	return s.Get("dkim_key"), records[0]
}

// A message that went through a real Postfix is verified by Mail::DKIM; one
// that somebody changed on the way is not.
func TestDKIM(t *testing.T) {
	t.Parallel()
	key, record := signing(t)
	m := newMessage(t, "")
	m.Subject, m.Text = "PLAN BLANC déclenché : venez", "From la lettre à la ligne.\n.\n  deux  espaces \nçà et là, "+strings.Repeat("une ligne très longue ", 80)
	got := delivered(t, m, "dkim_selector", "tocsin", "dkim_key", key)
	_, message, _ := strings.Cut(got, "\n")
	message = strings.ReplaceAll(message, "\n>From ", "\nFrom ") // the mailbox's own spelling
	for what, c := range map[string]struct{ message, want string }{
		"as it came":        {message, "pass"},
		"another text":      {strings.Replace(message, "deux", "trois", 1), "fail"},
		"another subject":   {strings.Replace(message, "Subject: ", "Subject: FAUX ", 1), "fail"},
		"a second sender":   {"From: Direction <faux@x.test>\n" + message, "fail"},
		"a second subject":  {"Subject: FAUX\n" + message, "fail"},
		"without signature": {strings.Replace(message, "DKIM-Signature:", "X-Other:", 1), "none"},
	} {
		if verdict := smtp.VerifyDKIM(t, []byte(c.message), record.Name, record.Value); verdict != c.want {
			t.Errorf("%s: Mail::DKIM says %q, want %q", what, verdict, c.want)
		}
	}
	_, other := signing(t)
	if verdict := smtp.VerifyDKIM(t, []byte(message), record.Name, other.Value); verdict != "fail" {
		t.Errorf("under another key: %q", verdict)
	}
}

func TestKeysThatCannotSign(t *testing.T) {
	t.Parallel()
	for at, pairs := range map[string][]string{
		"dkim_selector": {"dkim_selector", "Tocsin.x", "dkim_key", "AAAA"},
		"dkim_key":      {"dkim_selector", "tocsin", "dkim_key", "pas une clé"},
	} {
		if _, err := email.NewClient(settings(t, "127.0.0.1", 25, pairs...), nil); fault.As(err) == nil || fault.As(err).Field != at {
			t.Errorf("%s: %v", at, err)
		}
	}
}
