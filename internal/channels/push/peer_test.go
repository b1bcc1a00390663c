package push_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/push"
	peer "tocsin/test/peers/webpush"
)

// pocket holds the browsers that subscribed at a service we did not write.
type pocket struct {
	mu   sync.Mutex
	of   map[string][]channels.Device
	gone []uuid.UUID
}

func (p *pocket) add(person string, s peer.Subscription) uuid.UUID {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := channels.Device{ID: uuid.New(), Endpoint: s.Endpoint, Key: s.Keys.P256dh, Secret: s.Keys.Auth}
	p.of[person] = append(p.of[person], d)
	return d.ID
}

func (p *pocket) Devices(_ context.Context, person string) ([]channels.Device, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.of[person]), nil
}

func (p *pocket) Gone(_ context.Context, id uuid.UUID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = append(p.gone, id)
	return nil
}

// A push service that we did not write knows us by our key, and its browsers read
// with a library that we did not write what we encrypted for them.
func TestTheBrowsersOfAnotherServiceRead(t *testing.T) {
	s := peer.Start(t)
	settings, err := push.Kind{}.Complete(channels.Settings{"contact": "dsi@valbrume.example", "services": s.Host})
	if err != nil {
		t.Fatal(err)
	}
	devices := &pocket{of: map[string][]channels.Device{}}
	mine, hers := s.Subscribe(settings[channels.PushPublicKey]), s.Subscribe(settings[channels.PushPublicKey])
	other, err := push.Kind{}.Complete(channels.Settings{"contact": "dsi@valbrume.example"})
	if err != nil {
		t.Fatal(err)
	}
	foreign := s.Subscribe(other[channels.PushPublicKey])
	devices.add("me", mine)
	left := devices.add("her", hers)
	devices.add("elsewhere", foreign)
	c := at(t, push.Kind{Loopback: true}, settings, devices)

	for _, text := range []string{"Court", "Plan blanc : 12 IADE attendus à l’entrée des urgences.", strings.Repeat("é", 5_000)} {
		m := message("me")
		m.Text = text
		if out := c.Send(t.Context(), m); out.State != channels.Accepted {
			t.Fatalf("%.20s: %+v", text, out)
		}
		read := s.Read(mine.ID)
		var note struct {
			Body string `json:"body"`
			Code string `json:"code"`
		}
		if err := json.Unmarshal([]byte(strings.TrimRight(read[len(read)-1], "\x00")), &note); err != nil {
			t.Fatalf("what the browser reads: %v", err)
		}
		if note.Code != "abc123def456" || note.Body == "" || !strings.HasPrefix(text, strings.TrimSuffix(note.Body, "…")) {
			t.Errorf("the browser reads %.100q", read[len(read)-1])
		}
	}
	if read := s.Read(hers.ID); len(read) != 0 {
		t.Errorf("the device of another received %q", read)
	}
	// Subscribed under the key of another house: refused, whoever sends.
	if out := c.Send(t.Context(), message("elsewhere")); out.State != channels.Refused || len(s.Read(foreign.ID)) != 0 {
		t.Errorf("under another key: %+v", out)
	}

	if out := c.Send(t.Context(), message("her")); out.State != channels.Accepted {
		t.Fatalf("%+v", out)
	}
	s.Expire(hers.ID)
	devices.gone = nil
	out := c.Send(t.Context(), message("her"))
	if out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress || out.Detail != "status 410" || !slices.Equal(devices.gone, []uuid.UUID{left}) {
		t.Errorf("an expired subscription: %+v, gone %v", out, devices.gone)
	}
	if n := len(s.Read(hers.ID)); n != 1 {
		t.Errorf("%d messages reached a subscription that had one before it expired", n)
	}
}
