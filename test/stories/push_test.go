package stories_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch/dispatchtest"
	spacepages "tocsin/internal/space/pages"
)

// subscription is what a browser gives.
func subscription(t *testing.T, endpoint string) url.Values {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"endpoint": {endpoint}, "p256dh": {base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes())}, "auth": {base64.RawURLEncoding.EncodeToString(make([]byte, 16))}}
}

// A notification first, an SMS five minutes later to who did not answer; a
// telephone that was taken back is notified no more.
func TestANotificationFirst(t *testing.T) {
	t.Parallel()
	air := dispatchtest.NewAir(channels.Push)
	h := build(t, night(), "", air)
	dispatchtest.Gateway(t, h.Dispatch, access.System(h.scope.Organisation(), "story"), h.now(), air, 1, channels.Settings{"peer": "main"})
	agent, other := h.agent("Un", "ide"), h.agent("Deux", "ide")
	phone := &pocket{h: h}
	phone.ask(http.MethodPost, h.invited(agent), url.Values{})
	for name, form := range map[string]url.Values{
		"a file":   subscription(t, "file:///etc/passwd"),
		"a secret": subscription(t, "https://user:secret@updates.push.services.mozilla.com/x"),
		"no keys":  {"endpoint": {"https://updates.push.services.mozilla.com/x"}, "p256dh": {"AAAA"}, "auth": {"AAAA"}},
	} {
		if a := phone.ask(http.MethodPost, spacepages.Path+"/notifications", form); a.Code != http.StatusUnprocessableEntity && a.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	if a := phone.ask(http.MethodPost, spacepages.Path+"/notifications", subscription(t, "https://updates.push.services.mozilla.com/wpush/v2/x")); a.Code != http.StatusNoContent {
		t.Fatalf("the subscription: %d %s", a.Code, a.Body)
	}
	d := recall()
	for i := range d.Waves {
		d.Waves[i].Media = []channels.Medium{channels.Push, channels.SMS}
		d.Waves[i].Escalate = alerting.Duration(5 * time.Minute)
	}
	l := h.launch(d)
	h.settle()
	sent := air.Sent()
	if len(sent) != 1 || sent[0].To != agent.ID.String() || !strings.Contains(sent[0].Link, "/r/") || strings.Contains(sent[0].Text, "/r/") {
		t.Fatalf("notifications: %+v", sent)
	}
	if !slices.ContainsFunc(sent[0].Answers, func(a channels.Answer) bool { return a.Action == string(alerting.Coming) }) {
		t.Errorf("the buttons are %+v", sent[0].Answers)
	}
	if n := len(h.sms.received(mobile(other))); n != 1 {
		t.Errorf("who has no device gets %d SMS at once", n)
	}
	before := len(h.sms.received(mobile(agent)))
	h.pass(6 * time.Minute)
	if n := len(h.sms.received(mobile(agent))); n != before+1 {
		t.Errorf("no answer to the notification: %d SMS more", n-before)
	}
	if r := h.person(l, agent); r.Attempts == nil || strings.Contains(r.Attempts[0].Address, agent.ID.String()) {
		t.Errorf("attempts %+v", r.Attempts)
	}
	list, err := h.Space.Devices(t.Context(), h.scope, agent.ID)
	if err != nil || len(list) != 1 || !list[0].Notified {
		t.Fatalf("devices %+v, %v", list, err)
	}
	if err := h.Space.Gone(t.Context(), list[0].ID); err != nil {
		t.Fatal(err)
	}
	if found, err := h.Space.DevicesOf(t.Context(), agent.ID.String()); err != nil || len(found) != 0 {
		t.Errorf("a device that is gone is still found: %v, %v", found, err)
	}
	d.Title = alerting.Localized{"fr": "Encore", "en": "Again"}
	h.launch(d)
	h.settle()
	if n := len(air.Sent()); n != 1 {
		t.Errorf("%d notifications after the device was gone", n)
	}
}
