package stories_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/hooks"
	"tocsin/internal/hooks/carrier"
)

// receiver is somebody else's program, on this machine.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	heard  []heard
	answer int
}

type heard struct {
	id, stamp, signature, double string
	body                         []byte
	kind                         string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{answer: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		var message struct{ Type string }
		if err := json.Unmarshal(body, &message); err != nil {
			t.Errorf("a message is no JSON: %s", body)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		h := q.Header
		r.heard = append(r.heard, heard{h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), h.Get("Webhook-Signature"), h.Get("Tocsin-Possible-Double"), body, message.Type})
		if r.answer == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) say(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = status
}

func (r *receiver) all() []heard {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heard)
}

func (r *receiver) kinds() (out []string) {
	for _, h := range r.all() {
		out = append(out, h.kind)
	}
	slices.Sort(out)
	return out
}

// signed is the signature of Standard Webhooks, written here a second time.
func signed(secret, id, stamp string, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		panic(err)
	}
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s.%s.%s", id, stamp, body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func (h *hospital) admin() access.Scope {
	return administrator(h.scope)
}

func (h *hospital) subscribe(url string, kinds ...hooks.Kind) (hooks.Subscription, string) {
	h.t.Helper()
	s, secret, err := h.Hooks.Subscribe(h.t.Context(), h.admin(), h.now(), hooks.SubscriptionInput{Name: "Tableau de bord", URL: url, Events: kinds, Inside: true})
	if err != nil {
		h.t.Fatal(err)
	}
	return s, secret
}

// tell lets every message leave that is due.
func (h *hospital) tell() {
	h.t.Helper()
	for {
		more, err := h.Hooks.Tell(h.t.Context(), h.now())
		if err != nil {
			h.t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

// What happens in an alert is told, signed, once, without anybody's name.
func TestAnAlertIsToldToAnotherProgram(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Zéphyrin", "iade")
		there := newReceiver(t)
		_, secret := h.subscribe(there.URL, hooks.Kinds()...)
		l := h.launch(recall(needs(1, "")))
		h.tell()
		if _, err := h.Hooks.Watch(t.Context(), h.now()); err != nil {
			t.Fatal(err)
		}
		h.sms.answer(mobile(agent), "1 15")
		h.pass(20 * time.Second)
		if _, err := h.Hooks.Watch(t.Context(), h.now()); err != nil {
			t.Fatal(err)
		}
		if err := h.Alerting.End(t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
			t.Fatal(err)
		}
		h.tell()
		h.tell()
		if got := there.kinds(); !slices.Equal(got, []string{"alert.counts", "alert.counts", "alert.ended", "alert.launched", "alert.quota_met", "alert.wave_opened"}) &&
			!slices.Equal(got, []string{"alert.counts", "alert.counts", "alert.ended", "alert.launched", "alert.quota_met"}) {
			t.Errorf("told: %v", got)
		}
		ids := map[string]bool{}
		for _, m := range there.all() {
			if m.signature != signed(secret, m.id, m.stamp, m.body) || m.double != "" || ids[m.id] {
				t.Errorf("%s: signature %q, double %q, again %v", m.kind, m.signature, m.double, ids[m.id])
			}
			ids[m.id] = true
			for _, name := range []string{"Zéphyrin", "Mme Garde", "Dr Ordre", mobile(agent), agent.ID.String()} {
				if strings.Contains(string(m.body), name) {
					t.Errorf("%s says %q: %s", m.kind, name, m.body)
				}
			}
		}
	})
}

// A receiver that fails is told again, the same message; one that never answers
// is given up after three days, in view, and can be told again by hand.
func TestAReceiverThatFails(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		there := newReceiver(t)
		there.say(http.StatusInternalServerError)
		s, _ := h.subscribe(there.URL, hooks.Launched)
		if err := h.Hooks.Try(t.Context(), h.admin(), h.now(), s.ID); err != nil {
			t.Fatal(err)
		}
		h.tell()
		h.tell() // not due yet
		if n := len(there.all()); n != 1 {
			t.Fatalf("told %d times at once", n)
		}
		h.clock.Advance(5 * time.Second)
		there.say(http.StatusFound)
		h.tell()
		for range 60 {
			h.clock.Advance(90 * time.Minute)
			h.tell()
		}
		all := there.all()
		for _, m := range all {
			if m.id != all[0].id || m.double != "" {
				t.Errorf("another message: %s, double %q", m.id, m.double)
			}
		}
		lost := h.messages(s.ID)
		if len(lost) != 1 || lost[0].State != hooks.Dead || lost[0].Error != "redirect" || lost[0].Attempts != len(all) || len(all) < 20 || len(all) > 40 {
			t.Fatalf("after three days, told %d times: %+v", len(all), lost)
		}
		if sub, err := h.Hooks.Subscription(t.Context(), h.admin(), s.ID); err != nil || sub.Lost != 1 {
			t.Errorf("the page shows %d lost: %v", sub.Lost, err)
		}
		there.say(http.StatusNoContent)
		if err := h.Hooks.Resend(t.Context(), h.admin(), h.now(), s.ID, lost[0].ID); err != nil {
			t.Fatal(err)
		}
		h.tell()
		if got := h.messages(s.ID); got[0].State != hooks.Told || got[0].Status != http.StatusNoContent {
			t.Errorf("sent again: %+v", got[0])
		}
	})
}

func (h *hospital) messages(id uuid.UUID) []hooks.Delivery {
	h.t.Helper()
	list, err := h.Hooks.Deliveries(h.t.Context(), h.admin(), id, uuid.Nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// node is another process on the same data.
func (h *hospital) node(name string, c hooks.Carrier) *hooks.Service {
	return hooks.New(hooks.Options{
		DB: h.DB, Guard: h.Guard, Vault: h.Vault, Alerting: h.Alerting, Dispatch: h.Dispatch, Carrier: c, Log: slog.New(slog.DiscardHandler), Node: name, Version: "test",
	})
}

// Two nodes at once tell each message once; a node that dies with a message in
// its hand leaves it to the other, which says that it may be the second time.
func TestTwoNodesTell(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		there := newReceiver(t)
		s, _ := h.subscribe(there.URL, hooks.Launched)
		for range 40 {
			if err := h.Hooks.Try(t.Context(), h.admin(), h.now(), s.ID); err != nil {
				t.Fatal(err)
			}
		}
		anywhere := func(net.IP) bool { return true }
		var wait sync.WaitGroup
		for _, name := range []string{"b", "c"} {
			wait.Add(1)
			go func() {
				defer wait.Done()
				n := h.node(name, carrier.New(anywhere))
				for range 5 {
					if _, err := n.Tell(t.Context(), h.now()); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		wait.Wait()
		h.tell()
		seen := map[string]int{}
		for _, m := range there.all() {
			seen[m.id]++
			if seen[m.id] > 1 || m.double != "" {
				t.Errorf("%s told %d times, double %q", m.id, seen[m.id], m.double)
			}
		}
		if len(seen) != 40 {
			t.Errorf("%d messages of 40 were told", len(seen))
		}
		if err := h.Hooks.Try(t.Context(), h.admin(), h.now(), s.ID); err != nil {
			t.Fatal(err)
		}
		ctx, die := context.WithCancel(t.Context())
		// The message is heard, and the node dies before it can write so.
		if _, err := h.node("d", dying{carrier.New(anywhere), die}).Tell(ctx, h.now()); err != nil {
			t.Fatal(err)
		}
		h.tell()
		if n := len(there.all()); n != 41 {
			t.Fatalf("while the lease of the dead node holds: %d", n)
		}
		h.clock.Advance(2 * time.Minute)
		h.tell()
		all := there.all()
		if len(all) != 42 || all[41].id != all[40].id || all[40].double != "" || all[41].double != "true" {
			t.Errorf("after the death of a node: %d messages, double %q", len(all), all[len(all)-1].double)
		}
	})
}

// dying delivers and dies.
type dying struct {
	hooks.Carrier
	die context.CancelFunc
}

// Carry implements hooks.Carrier.
func (d dying) Carry(ctx context.Context, p hooks.Parcel) (int, error) {
	_, err := d.Carrier.Carry(ctx, p)
	d.die()
	return 0, errors.Join(err, context.Canceled)
}

// During a rotation both secrets sign, and both open.
func TestTwoSecretsDuringARotation(t *testing.T) {
	t.Parallel()
	h := build(t, night(), "")
	there := newReceiver(t)
	s, before := h.subscribe(there.URL, hooks.Launched)
	after, err := h.Hooks.Rotate(t.Context(), h.admin(), h.now(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	try := func() heard {
		if err := h.Hooks.Try(t.Context(), h.admin(), h.now(), s.ID); err != nil {
			t.Fatal(err)
		}
		h.tell()
		all := there.all()
		return all[len(all)-1]
	}
	m := try()
	if m.signature != signed(after, m.id, m.stamp, m.body)+" "+signed(before, m.id, m.stamp, m.body) {
		t.Errorf("during the rotation: %q", m.signature)
	}
	h.clock.Advance(hooks.RotationLife + time.Second)
	if m = try(); m.signature != signed(after, m.id, m.stamp, m.body) {
		t.Errorf("a day later: %q", m.signature)
	}
}

// Nobody reaches the inside through us.
func TestAddressesOfTheInside(t *testing.T) {
	t.Parallel()
	h := build(t, night(), "")
	for url, key := range map[string]string{
		"https://127.0.0.1/x": "hooks.url_inside", "https://[::1]/x": "hooks.url_inside", "https://169.254.169.254/latest": "hooks.url_inside", "https://10.1.2.3/": "hooks.url_inside",
		"https://[fd00::1]/": "hooks.url_inside", "https://[::ffff:127.0.0.1]/": "hooks.url_inside", "http://exemple.fr/": "hooks.url_scheme", "ftp://exemple.fr/": "hooks.url_scheme",
		"https://user:pass@exemple.fr/": "hooks.url", "exemple.fr": "hooks.url",
	} {
		_, _, err := h.Hooks.Subscribe(t.Context(), h.admin(), h.now(), hooks.SubscriptionInput{Name: "Essai", URL: url, Events: hooks.Kinds()})
		if f := fault.As(err); f == nil || f.Key != key {
			t.Errorf("%s: %v, want %s", url, err, key)
		}
	}
	// A name that leads inside is looked at when it is dialled.
	there := newReceiver(t)
	port := there.Listener.Addr().(*net.TCPAddr).Port
	for _, inside := range []bool{false, true} {
		_, err := carrier.New(nil).Carry(t.Context(), hooks.Parcel{URL: fmt.Sprintf("http://localhost:%d/", port), Inside: inside})
		if err == nil || err.Error() != "inside" || len(there.all()) > 0 {
			t.Errorf("localhost, inside %v: %v", inside, err)
		}
	}
}

// A receiver that hangs is left.
func TestAReceiverThatHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release); there.Close() })
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if status, err := carrier.New(func(net.IP) bool { return true }).Carry(ctx, hooks.Parcel{URL: there.URL, Inside: true}); err == nil || err.Error() != "timeout" || status != 0 {
		t.Errorf("%d %v", status, err)
	}
}

// caller is a monitor that knocks at a door.
type caller struct {
	h      *hospital
	door   hooks.Door
	secret string
}

func (h *hospital) door(change func(*hooks.DoorInput)) caller {
	h.t.Helper()
	sc := h.scenario(recall())
	in := hooks.DoorInput{
		Name: "Supervision", Form: hooks.Own, Scenario: sc.ID, Mode: alerting.Exercise, Act: hooks.Launch, Blanks: map[string]string{"lieu": "salle {salle}"}, Gap: 30 * time.Minute,
	}
	change(&in)
	d, secret, err := h.Hooks.OpenDoor(h.t.Context(), h.admin(), h.now(), in)
	if err != nil {
		h.t.Fatal(err)
	}
	return caller{h, d, secret}
}

func (c caller) post(body string, header ...string) (int, map[string]any) {
	c.h.t.Helper()
	r := httptest.NewRequestWithContext(c.h.t.Context(), http.MethodPost, "/api/v1/hooks/"+c.door.ID.String(), strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	c.h.router.ServeHTTP(connection{w}, r)
	out := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		c.h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Code, out
}

func (c caller) bearer(body string) (int, map[string]any) {
	c.h.t.Helper()
	return c.post(body, "Authorization", "Bearer "+c.secret)
}

// A call starts the scenario of its door once a key; what is forged, altered,
// old or too large starts nothing.
func TestAMonitorStartsAnAlert(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Zéphyrin", "iade")
		c := h.door(func(*hooks.DoorInput) {})
		body := `{"key":"onduleur-42-0300","variables":{"salle":"serveurs {nom}\nfin"}}`
		stamp := strconv.FormatInt(h.now().Unix(), 10)
		old := strconv.FormatInt(h.now().Add(-6*time.Minute).Unix(), 10)
		good := signed(c.secret, "m1-00000", stamp, []byte(body))
		for name, x := range map[string][]string{
			"nothing": {body}, "a wrong secret": {body, "Authorization", "Bearer whsec_bm9wZW5vcGVub3Bl"},
			"altered":      {strings.Replace(body, "42", "43", 1), "Webhook-Id", "m1-00000", "Webhook-Timestamp", stamp, "Webhook-Signature", good},
			"another id":   {body, "Webhook-Id", "m1-00001", "Webhook-Timestamp", stamp, "Webhook-Signature", good},
			"an old one":   {body, "Webhook-Id", "m1-00000", "Webhook-Timestamp", old, "Webhook-Signature", signed(c.secret, "m1-00000", old, []byte(body))},
			"no timestamp": {body, "Webhook-Id", "m1-00000", "Webhook-Signature", good},
		} {
			if code, out := c.post(x[0], x[1:]...); code != http.StatusUnauthorized || out["type"] != "urn:tocsin:problem:hooks.door.refused" {
				t.Errorf("%s: %d %v", name, code, out)
			}
			h.clock.Advance(time.Second)
		}
		for name, text := range map[string]string{"no JSON": "salut", "no key": `{"variables":{}}`, "large": `{"key":"` + strings.Repeat("x", 300<<10) + `"}`, "a list": `[]`} {
			if code, out := c.bearer(text); code < 400 || code >= 500 {
				t.Errorf("%s: %d %v", name, code, out)
			}
		}
		if n := h.number(`SELECT COUNT(*) FROM alerting_launches`); n != 0 {
			t.Fatalf("%d alerts left", n)
		}
		code, first := c.post(body, "Webhook-Id", "m1-00000", "Webhook-Timestamp", stamp, "Webhook-Signature", good)
		if code != 200 || first["outcome"] != "launched" {
			t.Fatalf("%d %v", code, first)
		}
		h.settle()
		if text := h.sms.received(mobile(agent))[0].Text; !strings.Contains(text, "salle serveurs nom fin") || !strings.Contains(text, "EXERCICE") {
			t.Errorf("the message: %q", text)
		}
		_, replay := c.post(body, "Webhook-Id", "m1-00000", "Webhook-Timestamp", stamp, "Webhook-Signature", good)
		if replay["outcome"] != "duplicate" || replay["alert"] != first["alert"] {
			t.Errorf("replayed: %v", replay)
		}
		if _, soon := c.bearer(`{"key":"onduleur-42-0301"}`); soon["outcome"] != "held_back" {
			t.Errorf("another key at once: %v", soon)
		}
		h.sleep(31 * time.Minute)
		if _, later := c.bearer(`{"key":"onduleur-42-0331"}`); later["outcome"] != "launched" {
			t.Errorf("after the interval: %v", later)
		}
		if err := h.Hooks.PauseDoor(t.Context(), h.admin(), h.now(), c.door.ID, true); err != nil {
			t.Fatal(err)
		}
		if code, _ := c.bearer(`{"key":"onduleur-42-0400"}`); code != http.StatusUnauthorized {
			t.Errorf("a door that is paused: %d", code)
		}
	})
}

// group is what Alertmanager sends.
func group(status string) string {
	return fmt.Sprintf(`{"version":"4","groupKey":"{}:{alertname=\"Onduleur\"}","truncatedAlerts":0,"status":%q,"receiver":"tocsin","groupLabels":{"alertname":"Onduleur"},
		"commonLabels":{"alertname":"Onduleur","salle":"B12"},"commonAnnotations":{"summary":"sur batterie"},"externalURL":"http://am","alerts":[]}`, status)
}

// A monitor that flaps, and repeats itself, wakes people once; a person decides
// where the door proposes.
func TestAMonitorThatFlaps(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Zéphyrin", "iade")
		c := h.door(func(in *hooks.DoorInput) { in.Form, in.Progress = hooks.Alertmanager, true })
		var got []string
		for _, status := range []string{"firing", "firing", "resolved", "resolved", "firing", "resolved", "firing", "firing"} {
			code, out := c.bearer(group(status))
			if code != 200 {
				t.Fatalf("%s: %d %v", status, code, out)
			}
			got = append(got, fmt.Sprint(out["outcome"]))
			h.settle()
			h.clock.Advance(20 * time.Second)
		}
		if want := []string{"launched", "duplicate", "resolved", "ignored", "held_back", "ignored", "held_back", "held_back"}; !slices.Equal(got, want) {
			t.Errorf("flapping: %v, want %v", got, want)
		}
		if n := h.number(`SELECT COUNT(*) FROM alerting_launches`); n != 1 {
			t.Errorf("%d alerts", n)
		}
		if texts := h.sms.received(mobile(agent)); !slices.ContainsFunc(texts, func(l letter) bool { return strings.Contains(l.Text, "Retour") }) {
			t.Errorf("nobody was told that it is over: %v", texts)
		}
		p := h.door(func(in *hooks.DoorInput) {
			in.Form, in.Act, in.Name = hooks.Alertmanager, hooks.Propose, "Climatisation"
		})
		_, out := p.bearer(group("firing"))
		requests, err := h.Alerting.Requests(t.Context(), h.scope, h.now())
		if err != nil || out["outcome"] != "proposed" || len(requests) != 1 || requests[0].AskedName != "Climatisation" {
			t.Fatalf("proposed: %v, %+v, %v", out, requests, err)
		}
		if _, _, err := h.Alerting.Confirm(t.Context(), h.scope, h.now(), requests[0].ID); err != nil {
			t.Errorf("a person confirms: %v", err)
		}
	})
}
