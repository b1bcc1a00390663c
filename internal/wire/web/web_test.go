package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/wire/web"
)

func client(loopback bool) *web.Client {
	return web.New(web.Options{Connect: time.Second, Response: time.Second, Connections: 1, Loopback: loopback})
}

// A call is made once: no redirection, no more than the bound, no address of this machine.
func TestACallIsMadeOnce(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.URL.Path == "/loin" {
			http.Redirect(w, r, "/ailleurs", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(strings.Repeat("x", 2*web.AnswerMost)))
	}))
	defer server.Close()
	c := client(true)
	defer c.Close()
	if a := c.Ask(t.Context(), web.Request{Method: "POST", URL: server.URL + "/loin"}); a.Status != http.StatusFound || calls != 1 || !a.Wrote {
		t.Errorf("%d calls, %+v", calls, a.Status)
	}
	if a := c.Ask(t.Context(), web.Request{Method: "GET", URL: server.URL}); !a.Over || len(a.Text) != web.AnswerMost {
		t.Errorf("read %d octets, over %v", len(a.Text), a.Over)
	}
	a := client(false).Ask(t.Context(), web.Request{Method: "GET", URL: server.URL + "/secret"})
	if !errors.Is(a.Err, web.ErrForbidden) || a.Wrote || calls != 2 {
		t.Errorf("%d calls, %v", calls, a.Err)
	}
	if text := web.WithoutAddress(a.Err); strings.Contains(text, "secret") {
		t.Errorf("the error holds the address: %s", text)
	}
	u, err := url.Parse("http://169.254.169.254/latest")
	if err != nil {
		t.Fatal(err)
	}
	if err := client(true).Reach(t.Context(), u); !errors.Is(err, web.ErrForbidden) || fault.As(web.Unreachable(err, u.Host)).Key != "web.forbidden" {
		t.Errorf("the metadata: %v", err)
	}
}

// A value stays where the template put it.
func TestAValueStaysInItsPlace(t *testing.T) {
	names := []string{"texte", "id"}
	v := web.Values{"texte": `"}, {id} & ? / #` + "\n", "id": "42"}
	b, err := web.ParseBody(web.JSON, `{"a":["{texte}"],"id":"n-{id}"}`, names)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Encode(v); err != nil || got != `{"a":["\"}, {id} \u0026 ? / #\n"],"id":"n-42"}` {
		t.Errorf("%s, %v", got, err)
	}
	if got := web.FillURL("https://x.example/{texte}?t={texte}", v); got != "https://x.example/%22%7D%2C%20%7Bid%7D%20&%20%3F%20%2F%20%23%0A?t=%22%7D%2C+%7Bid%7D+%26+%3F+%2F+%23%0A" {
		t.Error(got)
	}
	for _, bad := range []string{`{"a":"{nom}"}`, `{"a":{texte}}`, `{} {}`} {
		if _, err := web.ParseBody(web.JSON, bad, names); fault.As(err) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// The first rule that fits decides; without one, nothing is final.
func TestAnAnswerIsJudged(t *testing.T) {
	rules, err := web.ParseRules("ok 200 state ~ ^queued$\ninvalid 400 code ~ ^unknown\nrejected 4*")
	if err == nil || fault.As(err).Field != "answers" {
		t.Errorf("a rule that is none: %v, %v", rules, err)
	}
	if rules, err = web.ParseRules("ok 200 state ~ ^queued$\ninvalid 400 code ~ ^unknown"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		status int
		text   string
		want   web.Verdict
	}{
		{200, `{"state":"queued"}`, web.OK},
		{200, `{"state":"late"}`, web.Later},
		{400, `{"code":"unknown_number"}`, web.Invalid},
		{400, `{}`, web.Later},
		{302, "", web.Down},
		{401, "", web.Auth},
		{403, "", web.Suspended},
		{404, "", web.Down},
		{429, "", web.Throttled},
		{500, "", web.Later},
		{503, "", web.Throttled},
	} {
		l := web.Leaves{}
		l.AddJSON([]byte(tt.text))
		if got := web.Judge(rules, tt.status, tt.text, l); got != tt.want {
			t.Errorf("%d %s: %s, want %s", tt.status, tt.text, got, tt.want)
		}
	}
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{"": time.Second, "7": 7 * time.Second, "-1": time.Second, "999999": 5 * time.Minute, "Mon, 30 Nov 2026 03:00:09 GMT": 9 * time.Second} {
		if got := web.RetryAfter(http.Header{"Retry-After": {v}}, now); got != want {
			t.Errorf("%q: %s", v, got)
		}
	}
}
