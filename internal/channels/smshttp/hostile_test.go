package smshttp_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/smshttp"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
)

// sign makes a call as Standard Webhooks signs it.
func sign(secret, id string, at time.Time, body []byte) channels.Call {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	return channels.Call{Method: http.MethodPost, Body: body, Header: map[string][]string{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {stamp},
		"Webhook-Signature": {"v1,AAAA v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}}
}

// opened is a channel at work before a server of ours.
func opened(t *testing.T, settings channels.Settings, inbox channels.Inbox, now func() time.Time) channels.Channel {
	t.Helper()
	return openedAt(t, settings, inbox, now, "https://mycompany.com/myapp.php")
}

func openedAt(t *testing.T, settings channels.Settings, inbox channels.Inbox, now func() time.Time, callback string) channels.Channel {
	t.Helper()
	k := smshttp.Kind{Loopback: true}
	valid, err := k.Describe().Validate(settings)
	if err != nil {
		t.Fatal(err)
	}
	c, err := k.Open(channels.Opening{Settings: valid, Inbox: inbox, Callback: callback, Log: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := c.Run(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { <-ended })
	return c
}

func sent(t *testing.T, c channels.Channel, text string) channels.Outcome {
	t.Helper()
	channelstest.Eventually(t, "the channel is up", func() bool { return c.Health().Up })
	return c.Send(t.Context(), channels.Message{ID: uuid.New(), To: phoneOf(1), Text: text})
}

// hostileTexts try to leave the place a template gave them.
func hostileTexts() []string {
	return []string{
		`"},"to":"+33600000000","x":{"y":"`, "a\r\nX-Injected: 1\r\n\r\nbody", "x&to=+33600000000&text=y", "{mot_de_passe} {numero} {retour}", `\u0022,"to":"0"`,
		"100% prêt ; ? # / \\ 😀 \x00\x1b é", "&amp;%26%00", "]]></a>", strings.Repeat("ç", 500),
	}
}

func TestATextNeverLeavesItsPlace(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "form", "get"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			var got map[string]string
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = read(t, format, r)
			}))
			t.Cleanup(server.Close)
			s := channels.Settings{"preset": "custom", "url": server.URL + "/x?fixe=1", "clear": "true", "password": "secret", "headers": "X-Texte: {texte}", "answers": "ok 200"}
			switch format {
			case "json":
				s["body"] = `{"to":"{numero}","text":"{texte}"}`
			case "form":
				s["format"], s["body"] = "form", "to={numero}\ntext={texte}"
			case "get":
				s["format"], s["method"], s["body"] = "form", "GET", "to={numero}\ntext={texte}"
			}
			c := opened(t, s, channelstest.NewInbox(), clock.Real().Now)
			for _, text := range hostileTexts() {
				got = nil
				if out := sent(t, c, text); out.State != channels.Accepted {
					t.Fatalf("%q: %+v", text, out)
				}
				if len(got) != 2 || got["to"] != phoneOf(1) || got["text"] != text {
					t.Errorf("%q arrived as %q", text, got)
				}
			}
		})
	}
}

func read(t *testing.T, format string, r *http.Request) map[string]string {
	t.Helper()
	if r.Header.Get("X-Injected") != "" {
		t.Error("a text made a header")
	}
	content, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	out := map[string]string{}
	if format == "json" {
		if err := json.Unmarshal(content, &out); err != nil {
			t.Error(err)
		}
		return out
	}
	query := string(content)
	if format == "get" {
		query = strings.TrimPrefix(r.URL.RawQuery, "fixe=1&")
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Error(err)
	}
	for name, list := range q {
		if len(list) != 1 {
			t.Errorf("%s came %d times", name, len(list))
		}
		out[name] = list[0]
	}
	return out
}

func TestNoRedirectionIsFollowed(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirection was followed") }))
	t.Cleanup(inside.Close)
	server := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	c := opened(t, channels.Settings{"url": server.URL, "clear": "true"}, channelstest.NewInbox(), clock.Real().Now)
	if out := sent(t, c, "x"); out.State != channels.Retry || !out.GatewayDown || out.Uncertain {
		t.Errorf("%+v", out)
	}
}

func TestAnswersAreToldApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		state  channels.State
		reason channels.Reason
		down   bool
	}{
		{200, `{"status":100,"smsIds":["7"]}`, channels.Accepted, "", false},
		{200, `{"status":401}`, channels.Retry, channels.ReasonAuth, true},
		{200, `{"status":201,"message":"Invalid receiver"}`, channels.Refused, channels.ReasonInvalidAddress, false},
		{200, "", channels.Retry, channels.ReasonPeerError, false},
		{200, strings.Repeat("x", 1<<20), channels.Retry, channels.ReasonPeerError, false},
		{503, "", channels.Retry, channels.ReasonThrottled, false},
		{500, "", channels.Retry, channels.ReasonPeerError, false},
		{404, "", channels.Retry, channels.ReasonPeerError, true},
		{403, "", channels.Retry, channels.ReasonSuspended, true},
		{402, "", channels.Retry, channels.ReasonSuspended, true},
		{401, "", channels.Retry, channels.ReasonAuth, true},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(c.status)
			if _, err := io.WriteString(w, c.body); err != nil {
				return
			}
		}))
		ch := opened(t, channels.Settings{"preset": "ovh", "url": server.URL, "clear": "true", "account": "sms-1", "user": "u", "password": "p"}, channelstest.NewInbox(), clock.Real().Now)
		out := sent(t, ch, "x")
		server.Close()
		if out.State != c.state || out.Reason != c.reason || out.GatewayDown != c.down || out.Uncertain {
			t.Errorf("%d %.40s: %+v", c.status, c.body, out)
		}
		if c.state == channels.Accepted && (len(out.ProviderIDs) != 1 || out.ProviderIDs[0] != "7") {
			t.Errorf("ids %v", out.ProviderIDs)
		}
		if c.reason == channels.ReasonThrottled && out.RetryAfter != 7*time.Second {
			t.Errorf("retry after %s", out.RetryAfter)
		}
	}
}

func TestThisMachineIsNoProvider(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254", "[::ffff:127.0.0.1]", "[fe80::1]", "224.0.0.1"} {
		k := smshttp.Kind{}
		s, err := k.Describe().Validate(channels.Settings{"url": "http://" + host + ":9/x", "clear": "true", "connect_timeout": "1"})
		if err != nil {
			t.Fatal(err)
		}
		c, err := k.Open(channels.Opening{Settings: s, Inbox: channelstest.NewInbox(), Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
		if err != nil {
			t.Fatal(err)
		}
		if f := fault.As(c.Check(t.Context())); f == nil || f.Key != "web.forbidden" {
			t.Errorf("%s: %v", host, f)
		}
	}
}

func TestSettingsThatCannotDo(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]channels.Settings{
		"url":            {"preset": "kannel"},
		"url clear":      {"url": "http://x.example/"},
		"url host":       {"url": "https://{numero}.example/"},
		"url user":       {"url": "https://a:b@x.example/"},
		"url file":       {"url": "file:///etc/passwd"},
		"body":           {"url": "https://x.example/", "body": `{"a":{texte}}`},
		"body word":      {"url": "https://x.example/", "body": `{"a":"{txt}"}`},
		"headers":        {"url": "https://x.example/", "headers": "Host: y.example"},
		"answers":        {"url": "https://x.example/", "answers": "bien 200"},
		"answers re":     {"url": "https://x.example/", "answers": "ok 200 ~ ("},
		"inbound":        {"url": "https://x.example/", "inbound": "nom = x"},
		"inbound_secret": {"url": "https://x.example/", "inbound_auth": "hmac"},
		"account":        {"preset": "twilio", "password": "x"},
		"format":         {"url": "https://x.example/", "method": "GET"},
	} {
		k := smshttp.Kind{}
		valid, err := k.Describe().Validate(s)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.Open(channels.Opening{Settings: valid, Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
		at, _, _ := strings.Cut(want, " ")
		if f := fault.As(err); f == nil || f.Field != at || f.Kind != fault.Invalid {
			t.Errorf("%s: %v", want, err)
		}
	}
	for _, preset := range []string{"ovh", "orange", "smsmode", "twilio"} {
		k := smshttp.Kind{}
		valid, err := k.Describe().Validate(channels.Settings{"preset": preset, "account": "c", "user": "u", "password": "p", "source": "CHU"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Open(channels.Opening{Settings: valid, Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now}); err != nil {
			t.Errorf("the preset %s does not open: %v", preset, err)
		}
	}
}

func TestForgedAndReplayedCallsAreRefused(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	inbox := channelstest.NewInbox()
	c := opened(t, channels.Settings{
		"url": "https://x.invalid/", "connect_timeout": "1", "inbound_auth": "hmac", "inbound_secret": hookKey,
		"inbound": "id = id\nstatus = status\ndelivered = ^ok$\nfrom = from\ntext = text",
	}, inbox, func() time.Time { return now }).(channels.Called)
	good := body(`{"from":"33639980001","text":"oui"}`)
	forged := sign(hookKey, "e1", now, good)
	forged.Body = body(`{"from":"33639980002","text":"oui"}`)
	renamed := sign(hookKey, "e1", now, good)
	renamed.Header["Webhook-Id"] = []string{"e2"}
	unsigned := sign(hookKey, "e1", now, good)
	delete(unsigned.Header, "Webhook-Signature")
	for what, call := range map[string]channels.Call{
		"another body": forged, "another id": renamed, "no signature": unsigned, "another key": sign("autre", "e1", now, good),
		"six minutes late": sign(hookKey, "e1", now.Add(-6*time.Minute), good), "six minutes early": sign(hookKey, "e1", now.Add(6*time.Minute), good),
		"nothing at all": {Method: http.MethodPost, Body: good},
	} {
		if got := c.Call(t.Context(), call).Status; got != http.StatusForbidden {
			t.Errorf("%s: %d", what, got)
		}
	}
	for range 2 { // the provider may not have heard our answer
		if got := c.Call(t.Context(), sign(hookKey, "e1", now, good)).Status; got != http.StatusOK {
			t.Errorf("a right call: %d", got)
		}
	}
	_, replies := inbox.Kept()
	if len(replies) != 2 || replies[0].PeerID != "e1" || replies[1].PeerID != "e1" || replies[0].From != "+33639980001" {
		t.Errorf("a replay must carry the same id, by which it is recognised: %+v", replies)
	}
	if got := c.Call(t.Context(), sign(hookKey, "e3", now, body(`{"autre":1}`))).Status; got != http.StatusUnprocessableEntity {
		t.Errorf("a call that says nothing: %d", got)
	}
}

// TestTwilioSigns uses the example of Twilio's documentation.
func TestTwilioSigns(t *testing.T) {
	t.Parallel()
	inbox := channelstest.NewInbox()
	c := opened(t, channels.Settings{
		"preset": "twilio", "url": "https://x.invalid/{compte}", "check_url": "https://x.invalid/", "account": "AC1", "user": "AC1", "password": "12345", "connect_timeout": "1",
		"inbound": "id = CallSid\nstatus = Digits\ndelivered = ^1234$",
	}, inbox, clock.Real().Now).(channels.Called)
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	call := channels.Call{Method: http.MethodPost, Query: "foo=1&bar=2", Body: []byte(form.Encode()), Header: map[string][]string{
		"Content-Type": {"application/x-www-form-urlencoded"}, "X-Twilio-Signature": {"RSOYDt4T1cUTdK1PDd93/VVr8B8="},
	}}
	if got := c.Call(t.Context(), call).Status; got != http.StatusOK {
		t.Fatalf("the example of the documentation is refused: %d", got)
	}
	form.Set("Digits", "4321")
	call.Body = []byte(form.Encode())
	if got := c.Call(t.Context(), call).Status; got != http.StatusForbidden {
		t.Errorf("another form under the same signature: %d", got)
	}
	if receipts, _ := inbox.Kept(); len(receipts) != 1 || !receipts[0].Delivered {
		t.Errorf("%+v", receipts)
	}
}
