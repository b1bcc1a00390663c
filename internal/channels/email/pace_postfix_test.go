package email_test

import (
	"fmt"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/email"
	"tocsin/internal/clock"
	"tocsin/test/peers/smtp"
)

// The pace of each provider holds against a real server, which would take all at
// once: two domains of one provider share it, a domain that defers us waits, and
// neither delays the others. The time is moved.
func TestPostfixIsWrittenToAtThePaceOfEachProvider(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC))
	p := smtp.StartPostfix(t, smtp.Config{Kept: []string{"orange.fr", "wanadoo.fr", "free.fr"}, Mailboxes: []string{"agent"}, Refuse: map[string]string{
		"gris@" + smtp.Domain: "450 4.7.1 Greylisted, come back later",
	}})
	ch, err := email.Kind{}.Open(channels.Opening{Settings: settings(t, p.Host, p.Port), Inbox: channelstest.NewInbox(), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	send := func(to string) channels.Outcome {
		t.Helper()
		out := ch.Send(within(t), newMessage(t, to))
		if out.GatewayDown || out.Uncertain {
			t.Fatalf("%s: %+v\n%s", to, out, p.Log())
		}
		return out
	}
	// taken counts what the server took of n messages at this instant.
	taken := func(n int, domains ...string) (count int) {
		t.Helper()
		for i := range n {
			out := send(fmt.Sprintf("agent%d@%s", i, domains[i%len(domains)]))
			switch {
			case out.State == channels.Accepted:
				count++
			case out.Reason != channels.ReasonThrottled || !out.Alone || out.RetryAfter <= 0:
				t.Fatalf("%+v", out)
			}
		}
		return count
	}
	// 120 a minute is one each half second, and five seconds' worth at once.
	if n := taken(30, "orange.fr", "wanadoo.fr"); n < 10 || n > 11 {
		t.Errorf("at once, one provider took %d", n)
	}
	if n := taken(10, "free.fr"); n != 10 {
		t.Errorf("another one was delayed: %d", n)
	}
	for range 4 {
		c.Advance(2500 * time.Millisecond)
		if n := taken(12, "wanadoo.fr", "orange.fr"); n != 5 {
			t.Errorf("in two seconds and a half it took %d", n)
		}
	}

	// Three mailboxes in a row that defer say something of their domain.
	for range 3 {
		if out := send("gris@" + smtp.Domain); out.Reason != channels.ReasonThrottled || out.Alone {
			t.Errorf("greylisted: %+v", out)
		}
	}
	if out := send("agent@" + smtp.Domain); out.State != channels.Retry || !out.Alone || out.RetryAfter > 5*time.Second {
		t.Errorf("the domain that defers us does not wait: %+v", out)
	}
	if n := taken(1, "free.fr"); n != 1 {
		t.Error("free.fr waits for it")
	}
	c.Advance(5 * time.Second)
	if out := send("agent@" + smtp.Domain); out.State != channels.Accepted {
		t.Errorf("after its wait: %+v", out)
	}
}
