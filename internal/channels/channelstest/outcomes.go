package channelstest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/wire/web"
)

func (s Suite) describes(t *testing.T) {
	d := s.Kind.Describe()
	if d.Kind == "" || d.Medium == "" || d.Concurrency == nil {
		t.Fatalf("incomplete description: %+v", d)
	}
	catalog, err := i18n.Load(channels.Locales, web.Locales, s.Locales)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"channels.medium." + string(d.Medium), "channels." + d.Kind}
	for _, f := range d.Fields {
		key := "channels." + d.Kind + "." + f.Name
		keys = append(keys, key, key+".help")
		for _, choice := range f.Choices {
			keys = append(keys, key+"."+choice)
		}
		if f.Type == channels.Secret && f.Default != "" {
			t.Errorf("the secret %s has a default", f.Name)
		}
	}
	for _, key := range keys {
		if !catalog.Has(key) {
			t.Errorf("no sentence for %s", key)
		}
	}
	peer := s.Start(t)
	if n := d.Concurrency(s.validate(t, peer.Settings())); n < 1 {
		t.Errorf("concurrency %d", n)
	}
}

func (s Suite) accepts(t *testing.T) {
	leaks(t)
	b := s.open(t)
	m := s.message(1)
	m.ExpiresAt = clock.Real().Now().Add(90 * time.Minute)
	b.waitUp()
	out := b.send(m)
	if out.State != channels.Accepted || out.Reason != channels.ReasonNone || out.Uncertain || out.GatewayDown {
		t.Fatalf("outcome %+v", out)
	}
	got := b.peer.State().Received
	if len(got) != 1 {
		t.Fatalf("the peer took %d messages", len(got))
	}
	if !s.Spoken && !strings.Contains(got[0].Text, m.Text) || !sameAddress(got[0].To, m.To) {
		t.Errorf("the peer took %+v", got[0])
	}
	if s.CarriesExpiry && got[0].ExpiresAt.Sub(m.ExpiresAt).Abs() > 5*time.Second {
		t.Errorf("the message carries the expiry %s, want %s", got[0].ExpiresAt, m.ExpiresAt)
	}
	if got[0].ProviderID != "" && (len(out.ProviderIDs) != 1 || out.ProviderIDs[0] != got[0].ProviderID) {
		t.Errorf("ids %v, the peer gave %s", out.ProviderIDs, got[0].ProviderID)
	}
}

// sameAddress forgives the + that some protocols leave out.
func sameAddress(a, b string) bool {
	return strings.EqualFold(strings.TrimPrefix(a, "+"), strings.TrimPrefix(b, "+"))
}

func (s Suite) acceptsLong(t *testing.T) {
	leaks(t)
	b := s.open(t)
	m := s.message(2)
	m.Text = strings.Repeat("Rejoignez le point de rassemblement Nº 3 à l’entrée « Sud ». ", 8)
	if s.Longest > 0 {
		m.Text = string([]rune(m.Text)[:s.Longest])
	}
	m.Text = strings.TrimSpace(m.Text)
	b.accepted(m)
	Eventually(t, "the long message arrives whole", func() bool {
		got := b.peer.State().Received
		return len(got) == 1 && s.Spoken || len(got) == 1 && strings.Contains(strings.Join(strings.Fields(got[0].Text), " "), strings.Join(strings.Fields(m.Text), " "))
	})
}

func (s Suite) refuses(t *testing.T) {
	leaks(t)
	b := s.open(t)
	b.waitUp()
	m := s.message(3)
	m.To = s.BadAddress
	out := b.send(m)
	if out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress || out.GatewayDown || out.Uncertain {
		t.Errorf("outcome %+v", out)
	}
	if out := b.send(s.message(4)); out.State != channels.Accepted {
		t.Errorf("a bad address spoils the next message: %+v", out)
	}
}

func (s Suite) throttled(t *testing.T) {
	leaks(t)
	b := s.open(t)
	b.waitUp()
	b.peer.Behave(Throttle)
	out := b.send(s.message(5))
	if out.State != channels.Retry || out.Reason != channels.ReasonThrottled || out.Uncertain || out.RetryAfter <= 0 {
		t.Errorf("outcome %+v", out)
	}
	b.peer.Behave(Accept)
	b.accepted(s.message(6))
}

func (s Suite) silence(t *testing.T) {
	leaks(t)
	b := s.open(t)
	b.waitUp()
	b.peer.Behave(Silent)
	out := b.send(s.message(7))
	if out.State != channels.Retry || out.Reason != channels.ReasonTimeout || !out.Uncertain {
		t.Errorf("outcome %+v", out)
	}
	b.peer.Behave(Accept)
	b.accepted(s.message(8))
}

func (s Suite) cut(t *testing.T) {
	leaks(t)
	b := s.open(t)
	b.waitUp()
	b.peer.Behave(Cut)
	out := b.send(s.message(9))
	if out.State != channels.Retry || out.Uncertain != s.UncertainWhenCut {
		t.Errorf("outcome %+v", out)
	}
	b.peer.Behave(Accept)
	b.accepted(s.message(10))
	b.waitUp()
}

func (s Suite) down(t *testing.T) {
	leaks(t)
	b := s.open(t)
	b.waitUp()
	b.peer.Behave(Down)
	Eventually(t, "the gateway is said down", func() bool {
		out := b.send(s.message(11))
		if out.State == channels.Accepted {
			t.Fatalf("accepted by a peer that is down: %+v", out)
		}
		return out.State == channels.Retry && out.Reason == channels.ReasonUnreachable && out.GatewayDown && !out.Uncertain
	})
	Eventually(t, "the health says so", func() bool {
		h := b.channel.Health()
		return !h.Up && h.Reason != channels.ReasonNone && !h.Since.IsZero()
	})
	b.peer.Behave(Accept)
	b.accepted(s.message(12))
	b.waitUp()
}

func (s Suite) expired(t *testing.T) {
	leaks(t)
	b := s.open(t)
	b.waitUp()
	m := s.message(13)
	m.ExpiresAt = clock.Real().Now().Add(-time.Second)
	if out := b.send(m); out.State != channels.Refused || out.Reason != channels.ReasonExpired {
		t.Errorf("outcome %+v", out)
	}
	b.accepted(s.message(14))
	if got := b.peer.State().Received; len(got) != 1 {
		t.Errorf("the peer took %d messages, want only the one that was not expired", len(got))
	}
}

// no is a permit that is refused.
type no struct{}

func (no) MayLeave() bool { return false }
func (no) Recalled() bool { return true }

func (s Suite) withheld(t *testing.T) {
	leaks(t)
	b := s.open(t)
	b.waitUp()
	m := s.message(15)
	m.Leave = no{}
	if out := b.send(m); out.State != channels.Retry || !out.Withheld || out.Uncertain || out.GatewayDown {
		t.Errorf("outcome %+v", out)
	}
	b.accepted(s.message(16))
	if got := b.peer.State().Received; len(got) != 1 {
		t.Errorf("the peer took %d messages, want only the one that was allowed to leave", len(got))
	}
}

func (s Suite) check(t *testing.T) {
	leaks(t)
	peer := s.Start(t)
	open := func(settings channels.Settings) channels.Channel {
		c, err := s.Kind.Open(channels.Opening{Settings: s.validate(t, settings), Inbox: NewInbox(), Log: slogDiscard(), Now: clock.Real().Now})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := open(peer.Settings()).Check(ctx); err != nil {
		t.Errorf("right settings: %v", err)
	}
	if s.WrongCredentials != nil {
		s.wantFault(t, "wrong credentials", open(s.WrongCredentials(peer.Settings())).Check(ctx))
	}
	if n := len(peer.State().Received); n != 0 {
		t.Errorf("checking sent %d messages", n)
	}
	peer.Behave(Down)
	s.wantFault(t, "peer down", open(peer.Settings()).Check(ctx))
}

// wantFault asserts a fault that has its sentence in the catalogues.
func (s Suite) wantFault(t *testing.T, what string, err error) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind == fault.Internal {
		t.Errorf("%s: got %v, want a fault", what, err)
		return
	}
	catalog, loadErr := i18n.Load(channels.Locales, web.Locales, s.Locales)
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	if !catalog.Has(f.Key) || strings.Contains(catalog.For(i18n.French).Fault(err), "⟦") {
		t.Errorf("%s: no sentence, or one with holes, for %s %v", what, f.Key, f.Args)
	}
}

func (s Suite) concurrency(t *testing.T) {
	leaks(t)
	total := s.Many
	if total == 0 {
		total = 200
	}
	b := s.open(t)
	b.waitUp()
	workers := min(s.Kind.Describe().Concurrency(s.validate(t, b.peer.Settings())), total)
	queue := make(chan int, total)
	for n := range total {
		queue <- n
	}
	close(queue)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for n := range queue {
				if out := b.send(s.message(n)); out.State != channels.Accepted {
					t.Errorf("message %d: %+v", n, out)
				}
			}
		})
	}
	group.Wait()
	times := make(map[string]int, total)
	for _, r := range b.peer.State().Received {
		times[strings.TrimPrefix(r.To, "+")]++
	}
	for n := range total {
		if got := times[strings.TrimPrefix(s.Address(n), "+")]; got != 1 {
			t.Errorf("address %d received %d messages", n, got)
		}
	}
}

func (s Suite) stops(t *testing.T) {
	leaks(t)
	peer := s.Start(t)
	for range 3 {
		b := s.openWith(t, peer, NewInbox())
		b.waitUp()
		b.stop()
		if b.channel.Health().Up {
			t.Error("a stopped channel says it is up")
		}
		if out := b.send(s.message(15)); out.State == channels.Accepted || out.Uncertain {
			t.Errorf("a stopped channel sends: %+v", out)
		}
	}
}
