package push_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/push"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
)

// at opens a channel on a service and runs it.
func at(t *testing.T, kind push.Kind, settings channels.Settings, d channels.Devices) channels.Channel {
	t.Helper()
	settings, err := kind.Describe().Validate(settings)
	if err != nil {
		t.Fatal(err)
	}
	c, err := kind.Open(channels.Opening{Settings: settings, Inbox: channelstest.NewInbox(), Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now, Devices: d})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	channelstest.Eventually(t, "the channel runs", func() bool { return c.Health().Up })
	return c
}

func message(person string) channels.Message {
	return channels.Message{
		ID: uuid.New(), To: person, Subject: "Plan blanc", Text: "Venez. https://t.example/r/abc123def456", Link: "https://t.example/r/abc123def456", Language: "fr",
		Answers: []channels.Answer{
			{Key: "1", Label: "Je viens", Action: "coming", Delays: []int{15, 30}}, {Key: "2", Label: "Je ne peux pas", Action: "unavailable"}, {Key: "3", Label: "Sur place", Action: "on_site"},
		},
	}
}

func TestANotificationHasTheButtonsOfTheAlertAndNoLink(t *testing.T) {
	d := newDesk(t)
	s := startService(t, d)
	c := at(t, push.Kind{Loopback: true}, s.Settings(), d)
	if out := c.Send(t.Context(), message(personOf(1))); out.State != channels.Accepted {
		t.Fatalf("%+v", out)
	}
	note := s.notes[0]
	text, err := json.Marshal(note)
	if err != nil {
		t.Fatal(err)
	}
	if note["code"] != "abc123def456" || strings.Contains(string(text), "t.example") || strings.Count(string(text), `"action"`) != 2 || !strings.Contains(string(text), `"coming-15"`) {
		t.Errorf("the note is %s", text)
	}
	if h := s.headers[0]; h.Get("Urgency") != "high" || h.Get("TTL") == "" {
		t.Errorf("headers %v", h)
	}
	long := message(personOf(2))
	long.Text = strings.Repeat("é", 5_000)
	if out := c.Send(t.Context(), long); out.State != channels.Accepted {
		t.Errorf("a text too long for a notification: %+v", out)
	}
}

// Of the devices of a person one is gone and one is there: the person is
// reached, and the one that is gone is noted, once for all.
func TestADeviceThatIsGoneIsNotifiedNoMore(t *testing.T) {
	for _, status := range []int{http.StatusGone, http.StatusNotFound, http.StatusForbidden} {
		d := newDesk(t)
		old, lasting := newBrowser(t), newBrowser(t)
		d.of["both"] = []*browser{old, lasting}
		s := startService(t, d)
		s.refused[old.id.String()] = status
		c := at(t, push.Kind{Loopback: true}, s.Settings(), d)
		if out := c.Send(t.Context(), message("both")); out.State != channels.Accepted || len(out.ProviderIDs) != 1 {
			t.Errorf("%d: %+v", status, out)
		}
		if !slices.Equal(d.gone, []uuid.UUID{old.id}) {
			t.Errorf("%d: gone %v", status, d.gone)
		}
	}
	d := newDesk(t)
	s := startService(t, d)
	c := at(t, push.Kind{Loopback: true}, s.Settings(), d)
	for status, want := range map[int]channels.State{500: channels.Retry, 503: channels.Retry, 429: channels.Retry, 413: channels.Refused, 400: channels.Refused} {
		s.refused[d.of[personOf(3)][0].id.String()] = status
		if out := c.Send(t.Context(), message(personOf(3))); out.State != want || out.GatewayDown || len(d.gone) != 0 {
			t.Errorf("%d: %+v, gone %v", status, out, d.gone)
		}
	}
	if out := c.Send(t.Context(), message("taken back")); out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress {
		t.Errorf("nobody's device: %+v", out)
	}
}

// lure gives whatever address a hostile browser gave.
type lure struct {
	*browser
	endpoint string
}

func (l lure) Devices(context.Context, string) ([]channels.Device, error) {
	d := l.device("")
	d.Endpoint = l.endpoint
	return []channels.Device{d}, nil
}
func (lure) Gone(context.Context, uuid.UUID) error { return nil }

// Whatever address a browser gives, nothing but a push service is spoken to: not
// this machine, not the inside, not a name that resembles a service.
func TestAnAddressOfABrowserLeadsNowhereElse(t *testing.T) {
	d := newDesk(t)
	s := startService(t, d)
	settings := s.Settings()
	settings["services"] = ""
	inside := "http://127.0.0.1:" + strings.Split(s.server.URL, ":")[2]
	for _, endpoint := range []string{
		inside + "/wpush/x", strings.Replace(inside, "http", "https", 1), "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "https://localhost/", "https://[::1]/",
		"https://fcm.googleapis.com.evil.example/", "https://evil.example/fcm.googleapis.com", "https://fcm.googleapis.com@10.0.0.1/", "https://fcm.googleapis.com:22/",
		"http://fcm.googleapis.com/", "file:///etc/passwd", "gopher://fcm.googleapis.com/", "https://evilpush.apple.com/", "//fcm.googleapis.com/", "",
		"https://fcm.googleapis.com/" + strings.Repeat("x", 2_000),
	} {
		c := at(t, push.Kind{}, settings, lure{newBrowser(t), endpoint})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if out := c.Send(ctx, message("x")); out.State != channels.Refused || out.Reason != channels.ReasonPolicy {
			t.Errorf("%s: %+v", endpoint, out)
		}
		cancel()
	}
	// Named by an administrator, yet this very machine: a rule of the product.
	settings["services"] = strings.TrimPrefix(inside, "http://")
	c := at(t, push.Kind{}, settings, lure{newBrowser(t), strings.Replace(inside, "http", "https", 1) + "/wpush/x"})
	if out := c.Send(t.Context(), message("x")); out.State != channels.Refused || out.Reason != channels.ReasonPolicy {
		t.Errorf("this machine: %+v", out)
	}
	if len(s.received) != 0 {
		t.Errorf("%d messages went astray", len(s.received))
	}
}

func TestSettings(t *testing.T) {
	whole, err := push.Kind{}.Complete(channels.Settings{"contact": "dsi@valbrume.example"})
	if err != nil || len(whole["vapid_key"]) != 43 || len(whole["vapid_public"]) != 87 {
		t.Fatalf("%v, %v", whole, err)
	}
	again, err := push.Kind{}.Complete(channels.Settings{"contact": "x", "vapid_key": whole["vapid_key"], "vapid_public": "typed"})
	if err != nil || again["vapid_public"] != whole["vapid_public"] {
		t.Errorf("the public key follows from the private one: %v, %v", again, err)
	}
	for field, settings := range map[string]channels.Settings{
		"vapid_key": {"contact": "dsi@valbrume.example", "vapid_key": "short"},
		"contact":   {"contact": "somebody", "vapid_key": whole["vapid_key"]},
		"services":  {"contact": "dsi@valbrume.example", "vapid_key": whole["vapid_key"], "services": "https://push.example/"},
	} {
		_, err := push.Kind{}.Open(channels.Opening{Settings: settings, Now: clock.Real().Now})
		if f := fault.As(err); f == nil || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
