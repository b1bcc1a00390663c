package stories_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/hooks"
	"tocsin/internal/hooks/carrier"
	"tocsin/internal/wire/cap"
)

// vigilance is the message of a weather service.
func (h *hospital) vigilance(id string, change ...func(*cap.Alert)) string {
	h.t.Helper()
	a := cap.Alert{
		Identifier: id, Sender: "vigilance@meteo.example", Sent: h.now().Add(-time.Minute), Status: cap.Actual, Kind: cap.Alerting, Scope: "Public",
		Infos: []cap.Info{{
			Language: "fr-FR", Categories: []string{"Met"}, Event: "Crue éclair", Urgency: "Expected", Severity: "Severe", Certainty: "Likely", Expires: h.now().Add(3 * time.Hour),
			Headline: "Crue de la Deûle {lien}", Areas: []cap.Area{{Description: "Lille et sa métropole", Geocodes: []cap.Geocode{{Name: "INSEE", Value: "59350"}}}},
		}},
	}
	for _, f := range change {
		f(&a)
	}
	body, err := a.Marshal()
	if err != nil {
		h.t.Fatal(err)
	}
	return string(body)
}

// of makes a message say more of others.
func of(kind string, others ...string) func(*cap.Alert) {
	return func(a *cap.Alert) {
		a.Kind = kind
		for _, text := range others {
			before, err := cap.Parse([]byte(text))
			if err != nil {
				panic(err)
			}
			a.References = append(a.References, before.Name())
		}
	}
}

func (h *hospital) capDoor(change ...func(*hooks.DoorInput)) caller {
	h.t.Helper()
	return h.door(func(in *hooks.DoorInput) {
		in.Form, in.Mode, in.Name, in.Blanks = hooks.CAP, alerting.Real, "Vigilance", map[string]string{"lieu": "{headline}"}
		in.Filter = hooks.Filter{Sender: "Vigilance@meteo.example", Event: "crue, inondation", Severity: "Severe", Certainty: "Possible", Area: "59000, lille"}
		for _, f := range change {
			f(in)
		}
	})
}

func (c caller) cap(body string) string {
	c.h.t.Helper()
	code, out := c.post(body, "Authorization", "Bearer "+c.secret, "Content-Type", "application/cap+xml")
	if code != http.StatusOK {
		return fmt.Sprint(out["type"])
	}
	return fmt.Sprint(out["outcome"])
}

func (h *hospital) launches() int { return h.number(`SELECT COUNT(*) FROM alerting_launches`) }

// A vigilance starts the scenario of its door once, whatever is sent again, in
// whatever order; another sender cancels nothing; a person ends the alert.
func TestACommonAlertStartsAScenario(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Zéphyrin", "iade")
		c := h.capDoor(func(in *hooks.DoorInput) { in.Progress = true })
		for name, change := range map[string]func(*cap.Alert){
			"another sender":  func(a *cap.Alert) { a.Sender = "vigilance@ailleurs.example" },
			"another event":   func(a *cap.Alert) { a.Infos[0].Event, a.Infos[0].Headline = "Canicule", "Canicule" },
			"a lesser one":    func(a *cap.Alert) { a.Infos[0].Severity = "Moderate" },
			"a less sure one": func(a *cap.Alert) { a.Infos[0].Certainty = "Unlikely" },
			"another place":   func(a *cap.Alert) { a.Infos[0].Areas = []cap.Area{{Description: "Finistère"}} },
			"a code's half": func(a *cap.Alert) {
				a.Infos[0].Areas = []cap.Area{{Description: "Finistère", Geocodes: []cap.Geocode{{Name: "INSEE", Value: "5900"}}}}
			},
			"words to systems": func(a *cap.Alert) { a.Status = "System" },
			"a draft":          func(a *cap.Alert) { a.Status = "Draft" },
		} {
			if got := c.cap(h.vigilance("rien", change)); got != "ignored" {
				t.Errorf("%s: %s", name, got)
			}
		}
		first := h.vigilance("crue-1")
		update := h.vigilance("crue-2", of(cap.Updating, first))
		foreign := h.vigilance("fin-0", of(cap.Canceling, first), func(a *cap.Alert) { a.Sender = "mechant@ailleurs.example" })
		cancel := h.vigilance("fin-1", of(cap.Canceling, first, update))
		var got []string
		for _, body := range []string{first, first, update, update, foreign, cancel, cancel, first, update} {
			got = append(got, c.cap(body))
			h.settle()
		}
		if want := []string{"launched", "duplicate", "updated", "duplicate", "ignored", "resolved", "duplicate", "duplicate", "duplicate"}; !slices.Equal(got, want) {
			t.Errorf("heard: %v, want %v", got, want)
		}
		texts := h.sms.received(mobile(agent))
		if h.launches() != 1 || !strings.Contains(texts[0].Text, "Crue de la Deule lien") || strings.Contains(texts[0].Text, "EXERCICE") {
			t.Errorf("%d alerts, %+v", h.launches(), texts)
		}
		if !slices.ContainsFunc(texts, func(l letter) bool { return strings.Contains(l.Text, "Retour") }) {
			t.Error("nobody was told that it is over")
		}
		if running, err := h.Alerting.Active(t.Context(), h.scope); err != nil || len(running) != 1 {
			t.Errorf("a cancellation ended the alert: %v %v", running, err)
		}
		h.sleep(31 * time.Minute)
		second := h.vigilance("crue-9")
		if got := []string{c.cap(h.vigilance("fin-9", of(cap.Canceling, second))), c.cap(second)}; got[0] != "ignored" || got[1] != "duplicate" || h.launches() != 1 {
			t.Errorf("cancelled before it came: %v, %d alerts", got, h.launches())
		}
		worse := h.vigilance("pire", of(cap.Updating, h.vigilance("jaune", func(a *cap.Alert) { a.Infos[0].Severity = "Minor" })))
		if got := c.cap(worse); got != "launched" {
			t.Errorf("a vigilance that becomes severe: %s", got)
		}
	})
}

// What is held back is cancelled too, and a test is never launched for real.
func TestACommonAlertHeldBackOrLessReal(t *testing.T) {
	t.Parallel()
	h := build(t, night(), "")
	agent := h.agent("Zéphyrin", "iade")
	c := h.capDoor()
	if got := c.cap(h.vigilance("essai", func(a *cap.Alert) { a.Status = cap.Test })); got != "launched" {
		t.Fatal(got)
	}
	h.settle()
	if text := h.sms.received(mobile(agent))[0].Text; !strings.Contains(text, "TEST") {
		t.Errorf("a test says %q", text)
	}
	soon := h.vigilance("crue-1")
	got := []string{c.cap(soon), c.cap(h.vigilance("fin-1", of(cap.Canceling, soon)))}
	h.sleep(31 * time.Minute)
	if got = append(got, c.cap(soon)); !slices.Equal(got, []string{"held_back", "ignored", "duplicate"}) || h.launches() != 1 {
		t.Errorf("%v, %d alerts", got, h.launches())
	}
	later := h.vigilance("crue-2")
	if got := c.cap(later); got != "launched" {
		t.Errorf("after the interval: %s", got)
	}
	p := h.capDoor(func(in *hooks.DoorInput) { in.Act = hooks.Propose })
	if got := p.cap(h.vigilance("crue-3")); got != "proposed" {
		t.Fatal(got)
	}
	requests, err := h.Alerting.Requests(t.Context(), h.scope, h.now())
	if err != nil || len(requests) != 1 || requests[0].AskedName != "Vigilance" {
		t.Fatalf("%+v %v", requests, err)
	}
	if _, _, err := h.Alerting.Confirm(t.Context(), h.scope, h.now(), requests[0].ID); err != nil {
		t.Error(err)
	}
}

// Tricks of XML and of time are refused with one sentence, and start nothing.
func TestHostileCommonAlerts(t *testing.T) {
	t.Parallel()
	h := build(t, night(), "")
	h.agent("Zéphyrin", "iade")
	c := h.capDoor()
	good := h.vigilance("crue-1")
	for name, x := range map[string]struct{ body, want string }{
		"an entity of a file": {strings.Replace(good, "<alert", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><alert`, 1), "hooks.cap.doctype"},
		"a billion laughs":    {`<!DOCTYPE l [<!ENTITY a "ha">` + strings.Repeat(`<!ENTITY b "&a;&a;">`, 50) + `]><alert>&b;</alert>`, "hooks.cap.doctype"},
		"version 1.1":         {strings.Replace(good, "cap:1.2", "cap:1.1", 1), "hooks.cap.namespace"},
		"JSON":                {`{"key":"12345678"}`, "hooks.cap.unreadable"},
		"nothing":             {" ", "hooks.cap.unreadable"},
		"expired":             {h.vigilance("vieux", func(a *cap.Alert) { a.Infos[0].Expires = h.now() }), "hooks.cap.expired"},
		"old, without an end": {h.vigilance("vieux", func(a *cap.Alert) { a.Sent, a.Infos[0].Expires = h.now().Add(-25*time.Hour), time.Time{} }), "hooks.cap.expired"},
		"very old, for ever":  {h.vigilance("vieux", func(a *cap.Alert) { a.Sent, a.Infos[0].Expires = h.now().AddDate(0, -2, 0), h.now().AddDate(9, 0, 0) }), "hooks.cap.expired"},
		"of tomorrow":         {h.vigilance("demain", func(a *cap.Alert) { a.Sent = h.now().Add(6 * time.Minute) }), "hooks.cap.future"},
		"two senders":         {strings.Replace(good, "<status>", "<sender>x@y</sender><status>", 1), "hooks.cap.invalid"},
		"oversized":           {strings.Replace(good, "Crue de", strings.Repeat("Crue ", 60<<10), 1), "rest.too_big"},
	} {
		if got := c.cap(x.body); got != "urn:tocsin:problem:"+x.want {
			t.Errorf("%s: %s, want %s", name, got, x.want)
		}
	}
	if code, out := c.post(good, "Authorization", "Bearer whsec_bm9u", "Content-Type", "application/xml"); code != http.StatusUnauthorized {
		t.Errorf("without the secret: %d %v", code, out)
	}
	if n := h.launches(); n != 0 {
		t.Errorf("%d alerts left", n)
	}
	prefixed := strings.NewReplacer("<alert xmlns=", "<c:alert xmlns:c=", "</alert>", "</c:alert>").Replace(good)
	for _, tag := range []string{"identifier", "sender", "sent", "status", "msgType", "scope", "info", "language", "category", "event", "urgency", "severity", "certainty", "expires", "headline", "area", "areaDesc", "geocode", "valueName", "value"} {
		prefixed = strings.NewReplacer("<"+tag+">", "<c:"+tag+">", "</"+tag+">", "</c:"+tag+">").Replace(prefixed)
	}
	conforms(t, []byte(prefixed))
	if got := c.cap(prefixed); got != "launched" {
		t.Errorf("with a prefix: %s", got)
	}
}

// A door that would hear everything, or read the inside, is not opened.
func TestDoorsOfCommonAlertsThatAreRefused(t *testing.T) {
	t.Parallel()
	h := build(t, night(), "")
	sc := h.scenario(recall())
	for key, change := range map[string]func(*hooks.DoorInput){
		"hooks.cap.everything": func(in *hooks.DoorInput) { in.Filter = hooks.Filter{Sender: "a@b"} },
		"hooks.cap.value":      func(in *hooks.DoorInput) { in.Filter.Severity = "Grave" },
		"hooks.cap.long":       func(in *hooks.DoorInput) { in.Filter.Area = strings.Repeat("a", 201) },
		"hooks.url_inside":     func(in *hooks.DoorInput) { in.Source.URL = "https://127.0.0.1/flux" },
		"hooks.url_scheme":     func(in *hooks.DoorInput) { in.Source.URL = "file:///etc/passwd" },
		"hooks.url":            func(in *hooks.DoorInput) { in.Source.URL = "https://a:b@meteo.example/" },
	} {
		in := hooks.DoorInput{Name: "Météo", Form: hooks.CAP, Scenario: sc.ID, Mode: alerting.Exercise, Act: hooks.Propose, Gap: time.Hour, Filter: hooks.Filter{Event: "crue"}}
		change(&in)
		_, _, err := h.Hooks.OpenDoor(t.Context(), h.admin(), h.now(), in)
		if f := fault.As(err); f == nil || f.Key != key && !(key == "hooks.url_scheme" && f.Key == "hooks.url") {
			t.Errorf("%v, want %s", err, key)
		}
	}
}

// service is a weather service on this machine.
type service struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]string
	asked []string
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{pages: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r.URL.Path)
		page, ok := s.pages[r.URL.Path]
		if to, moved := strings.CutPrefix(page, "moved:"); moved {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		if _, err := w.Write([]byte(page)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) serves(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = body
}

func (s *service) times(path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.asked {
		if p == path {
			n++
		}
	}
	return n
}

func (h *hospital) poll(wait time.Duration) hooks.Door {
	h.t.Helper()
	h.clock.Advance(wait)
	if _, err := h.Hooks.Poll(h.t.Context(), h.now()); err != nil {
		h.t.Fatal(err)
	}
	h.settle()
	list, err := h.Hooks.Doors(h.t.Context(), h.admin())
	if err != nil {
		h.t.Fatal(err)
	}
	return list[0]
}

// A feed is read by itself: what it leads to is fetched once, heard the oldest
// first; one that fails is left alone longer, and says so on its door.
func TestAFeedIsRead(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		h.agent("Zéphyrin", "iade")
		there := newService(t)
		first := h.vigilance("crue-1")
		there.serves("/1.xml", first)
		there.serves("/2.xml", h.vigilance("crue-2", of(cap.Updating, first)))
		there.serves("/old.xml", h.vigilance("vieux", func(a *cap.Alert) { a.Infos[0].Expires = h.now() }))
		there.serves("/flux", string(cap.Feed("Vigilance", "Météo", there.URL+"/flux", h.now(), []cap.Entry{
			{ID: "3", Title: "3", Link: "/2.xml", Updated: h.now()}, {ID: "2", Title: "2", Link: there.URL + "/1.xml", Updated: h.now()}, {ID: "1", Title: "1", Link: "old.xml", Updated: h.now()},
		})))
		h.capDoor(func(in *hooks.DoorInput) { in.Source = hooks.Source{URL: there.URL + "/flux", Inside: true} })
		for range 4 {
			if d := h.poll(hooks.PollEvery); d.Reading.Error != "" || !d.Reading.Last.Equal(h.now()) {
				t.Fatalf("read: %+v", d.Reading)
			}
		}
		if h.launches() != 1 || there.times("/flux") != 4 || there.times("/1.xml") != 1 || there.times("/2.xml") != 1 || there.times("/old.xml") != 1 {
			t.Errorf("%d alerts; asked: %v", h.launches(), there.asked)
		}
		if n := h.number(`SELECT COUNT(*) FROM hooks_calls WHERE outcome = 'launched' AND heard = 2`); n != 1 {
			t.Errorf("%d calls heard twice", n)
		}
		for word, body := range map[string]string{
			"redirect": "moved:/1.xml", "form": "<html><body>panne</body></html>", "big": strings.Repeat(" ", 1<<20+1),
			"elsewhere": string(cap.Feed("x", "x", "x", h.now(), []cap.Entry{{ID: "1", Title: "1", Link: "http://127.0.0.2:1/secret", Updated: h.now()}})),
		} {
			there.serves("/flux", body)
			if d := h.poll(time.Hour); d.Reading.Error != word || d.Reading.Failures == 0 || d.Reading.Well.IsZero() {
				t.Errorf("%s: %+v", word, d.Reading)
			}
		}
		before := there.times("/flux")
		h.poll(hooks.PollEvery)
		if there.times("/flux") != before {
			t.Error("a feed that failed four times is asked again after two minutes")
		}
		there.serves("/flux", h.vigilance("seule"))
		if d := h.poll(time.Hour); d.Reading.Error != "" || h.launches() != 2 {
			t.Errorf("a message alone: %+v, %d alerts", d.Reading, h.launches())
		}
	})
}

// A feed reaches this machine no more than a webhook does.
func TestAFeedReachesNothingOfTheInside(t *testing.T) {
	t.Parallel()
	there := newService(t)
	there.serves("/", "secret")
	for _, inside := range []bool{false, true} {
		if body, err := carrier.New(nil).Fetch(t.Context(), strings.Replace(there.URL, "127.0.0.1", "localhost", 1)+"/", inside); err == nil || err.Error() != "inside" || len(body) > 0 {
			t.Errorf("inside %v: %q %v", inside, body, err)
		}
	}
	if len(there.asked) > 0 {
		t.Errorf("reached: %v", there.asked)
	}
}
