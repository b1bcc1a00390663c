package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
)

// handset is a gateway that takes messages, or is cut.
type handset struct {
	channels.Channel
	cut  bool
	took []channels.Message
}

func (p *handset) Send(_ context.Context, m channels.Message) channels.Outcome {
	if p.cut {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, GatewayDown: true}
	}
	p.took = append(p.took, m)
	return channels.Outcome{State: channels.Accepted}
}

// The person is told once that nothing answers, once that it does again, by the
// gateway that works, and never of a hiccup.
func TestSilenceIsToldOnceAndItsEndToo(t *testing.T) {
	t.Parallel()
	catalog, err := Catalog()
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC))
	dead, alive := &handset{cut: true}, &handset{}
	answers := true
	w := &watcher{
		vigil: vigil{after: 3 * time.Minute}, clock: c, log: slog.New(slog.DiscardHandler), tell: []string{"+33639980001", "+33639980002"},
		ways: []way{{channels.SMS, dead}, {channels.Email, &handset{}}, {channels.SMS, alive}}, words: catalog.For(i18n.French), language: "fr", host: "tocsin.test",
		ask: func(context.Context) error {
			if answers {
				return nil
			}
			return errors.New("nothing answers")
		},
	}
	pass := func(d time.Duration) {
		for range int(d / (20 * time.Second)) {
			c.Advance(20 * time.Second)
			w.step(t.Context())
		}
	}
	told := func(n int) {
		t.Helper()
		if len(alive.took) != n {
			t.Fatalf("%d messages, want %d", len(alive.took), n)
		}
	}
	pass(time.Hour)
	answers = false
	pass(2 * time.Minute)
	answers = true
	pass(time.Minute)
	told(0)
	answers = false
	pass(3*time.Minute + 20*time.Second)
	told(2)
	if m := alive.took[0]; !strings.Contains(m.Text, "tocsin.test ne répond plus depuis 3 min") || m.To != "+33639980001" {
		t.Errorf("%+v", m)
	}
	pass(8 * time.Hour)
	told(2)
	alive.cut, answers = true, true
	pass(time.Minute) // nobody can be told now; it is owed
	told(2)
	alive.cut = false
	pass(20 * time.Second)
	told(4)
	if m := alive.took[2]; !strings.Contains(m.Text, "répond de nouveau") {
		t.Errorf("%+v", m)
	}
	pass(time.Hour)
	told(4)
}

// A portal that answers in our place is not our link; three looks decide.
func TestOnlyOurOwnAnswerIsReachable(t *testing.T) {
	t.Parallel()
	ours, portal := true, false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "tocsin.test" || !strings.HasPrefix(r.URL.Path, "/r/") {
			t.Errorf("the proxy is asked for %s", r.URL)
		}
		switch {
		case ours:
			w.Header().Set("X-Request-Id", "abc")
			w.WriteHeader(http.StatusNotFound)
		case portal:
			if _, err := io.WriteString(w, "<h1>Bienvenue sur le réseau invité</h1>"); err != nil {
				return
			}
		default:
			http.Error(w, "", http.StatusBadGateway)
		}
	}))
	t.Cleanup(server.Close)
	proxy, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{client: outsideClient(proxy), address: "http://tocsin.test/r/"}
	see := func(good, decided bool) {
		t.Helper()
		if g, d := p.see(t.Context()); g != good || d != decided {
			t.Errorf("good %v decided %v, want %v %v", g, d, good, decided)
		}
	}
	see(true, false)
	see(true, false)
	see(true, true)
	ours, portal = false, true
	see(false, false)
	portal = false
	see(false, false)
	see(false, true)
	ours = true
	see(true, false)
}

func TestHeartbeatSaysWhatItHears(t *testing.T) {
	t.Parallel()
	status, calls := http.StatusOK, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(status)
	}))
	address := server.URL + "/ping/secret"
	client := outsideClient(nil)
	if err := beat(t.Context(), client, address); err != nil || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	status = http.StatusInternalServerError
	if err := beat(t.Context(), client, address); err == nil {
		t.Error("a watcher that answers 500 is said well")
	}
	server.Close()
	if err := beat(t.Context(), client, address); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("of a watcher that is gone: %v", err)
	}
}

func TestRecordsOfTheDNS(t *testing.T) {
	t.Parallel()
	needed := []channels.Record{{Name: "tocsin._domainkey.x.test", Type: "TXT", Value: "v=DKIM1; k=rsa; p=ABCD"}}
	for want, published := range map[string][]string{
		"app.check.dkim.well":    {"autre", "k=rsa; v=DKIM1;p=AB CD"},
		"app.check.dkim.other":   {"v=DKIM1; k=rsa; p=EFGH"},
		"app.check.dkim.missing": nil,
	} {
		got := judgeRecords(t.Context(), needed, func(_ context.Context, name string) ([]string, error) {
			if name != needed[0].Name {
				t.Errorf("asked for %s", name)
			}
			return published, nil
		})
		if got.What.Key != want {
			t.Errorf("%v: %s, want %s", published, got.What.Key, want)
		}
	}
	if got := judgeRecords(t.Context(), nil, nil); got.What.Key != "app.check.dkim.none" {
		t.Errorf("without a record: %s", got.What.Key)
	}
}
