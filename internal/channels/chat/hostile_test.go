package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/chat"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/test/peers/matrixsim"
)

// posted opens a room that runs, and posts one message.
func posted(t *testing.T, s channels.Settings, m channels.Message) channels.Outcome {
	t.Helper()
	valid, err := chat.Room{}.Describe().Validate(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := chat.Room{Loopback: true}.Open(channels.Opening{Settings: valid, Inbox: channelstest.NewInbox(), Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
	if err != nil {
		t.Fatal(err)
	}
	runs(t, c)
	return c.Send(t.Context(), m)
}

func runs(t *testing.T, c channels.Channel) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- c.Run(t.Context()) }()
	t.Cleanup(func() { // the context of a test ends before its cleanups
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	channelstest.Eventually(t, "the channel is up", func() bool { return c.Health().Up })
}

func hostileText() string {
	return "Plan blanc \"}],\"channel\":\"#direction\",\"x\":[{\"{secret}{lien}\n@all <script> \\u0022 «é» 😀"
}

// What the products ask for, as their documents describe it: a body with a field
// that they do not know, or without one that they need, is refused.
func TestThePresetsWriteWhatTheProductsRead(t *testing.T) {
	type mattermost struct {
		Username string `json:"username"`
		Text     string `json:"text"`
	}
	type rocketchat struct {
		Alias string `json:"alias"`
		Text  string `json:"text"`
	}
	type block struct {
		Type   string `json:"type"`
		Size   string `json:"size,omitempty"`
		Weight string `json:"weight,omitempty"`
		Wrap   bool   `json:"wrap"`
		Text   string `json:"text"`
	}
	type teams struct {
		Type        string `json:"type"`
		Attachments []struct {
			ContentType string `json:"contentType"`
			Content     struct {
				Type    string  `json:"type"`
				Version string  `json:"version"`
				Body    []block `json:"body"`
			} `json:"content"`
		} `json:"attachments"`
	}
	m := channels.Message{ID: uuid.New(), To: "salon", Subject: "EXERCICE - Plan blanc", Text: hostileText(), Language: "fr"}
	for _, tt := range []struct {
		preset, answer string
		status         int
		read           func(*json.Decoder) (string, error)
	}{
		{"mattermost", "ok", 200, func(d *json.Decoder) (string, error) { var b mattermost; err := d.Decode(&b); return b.Text, err }},
		{"rocketchat", `{"success":true}`, 200, func(d *json.Decoder) (string, error) { var b rocketchat; err := d.Decode(&b); return b.Text, err }},
		{"teams", "", 202, func(d *json.Decoder) (string, error) {
			var b teams
			if err := d.Decode(&b); err != nil || b.Type != "message" || len(b.Attachments) != 1 || len(b.Attachments[0].Content.Body) != 2 ||
				b.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" || b.Attachments[0].Content.Body[0].Text != m.Subject {
				return "", fmt.Errorf("%+v, %w", b, err)
			}
			return strings.ReplaceAll(b.Attachments[0].Content.Body[1].Text, "\n\n", "\n"), nil
		}},
	} {
		t.Run(tt.preset, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				d := json.NewDecoder(r.Body)
				d.DisallowUnknownFields()
				if text, err := tt.read(d); err != nil || text != m.Text {
					t.Errorf("the product reads %q, %v", text, err)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
			}))
			defer server.Close()
			if out := posted(t, channels.Settings{"preset": tt.preset, "url": server.URL + "/hooks/x", "clear": "true"}, m); out.State != channels.Accepted {
				t.Errorf("outcome %+v", out)
			}
		})
	}
}

// A webhook that was closed is the gateway's fault; a redirection is not followed; an
// answer without end is read to a bound.
func TestAWebhookThatLies(t *testing.T) {
	followed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer elsewhere.Close()
	for name, tt := range map[string]struct {
		preset string
		answer func(w http.ResponseWriter)
		right  func(channels.Outcome) bool
	}{
		"redirected": {"custom", func(w http.ResponseWriter) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, func(o channels.Outcome) bool { return o.State == channels.Retry && o.GatewayDown }},
		"closed": {"mattermost", func(w http.ResponseWriter) {
			http.Error(w, `{"id":"web.incoming_webhook.invalid.app_error","status_code":400}`, http.StatusBadRequest)
		}, func(o channels.Outcome) bool {
			return o.State == channels.Retry && o.GatewayDown && o.Reason == channels.ReasonAuth
		}},
		"endless": {"custom", func(w http.ResponseWriter) { _, _ = io.WriteString(w, strings.Repeat("x", 4<<20)) }, func(o channels.Outcome) bool { return o.State == channels.Accepted }},
		"a page that is no answer": {"rocketchat", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") }, func(o channels.Outcome) bool {
			return o.State == channels.Retry && !o.GatewayDown
		}},
		"too long": {"mattermost", func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestEntityTooLarge) }, func(o channels.Outcome) bool {
			return o.State == channels.Refused && o.Reason == channels.ReasonRejected
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { tt.answer(w) }))
			defer server.Close()
			if out := posted(t, channels.Settings{"preset": tt.preset, "url": server.URL + "/x", "clear": "true"}, channels.Message{ID: uuid.New(), Text: "Plan blanc"}); !tt.right(out) {
				t.Errorf("outcome %+v", out)
			}
		})
	}
	if followed {
		t.Error("the redirection was followed")
	}
}

// Neither kind calls this machine or the metadata of a cloud, and neither says an address in its errors.
func TestNothingInsideIsCalled(t *testing.T) {
	for _, host := range []string{"127.0.0.1:1", "169.254.169.254", "[::1]:1"} {
		for _, k := range []channels.Kind{chat.Room{}, chat.Matrix{}} {
			s := channels.Settings{"url": "http://" + host + "/x"}
			if k.Describe().Kind == "matrix" {
				s = channels.Settings{"server": "http://" + host, "token": "t"}
			}
			s["clear"] = "true"
			valid, err := k.Describe().Validate(s)
			if err != nil {
				t.Fatal(err)
			}
			c, err := k.Open(channels.Opening{Settings: valid, Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
			if err != nil {
				t.Fatal(err)
			}
			if f := fault.As(c.Check(t.Context())); f == nil || f.Key != "web.forbidden" {
				t.Errorf("%s, %s: %v", k.Describe().Kind, host, f)
			}
		}
	}
	for at, s := range map[string]channels.Settings{
		"url":     {"url": "http://chat.hopital.example/x"},
		"body":    {"url": "https://chat.hopital.example/x", "body": `{"text": {texte}}`},
		"headers": {"url": "https://chat.hopital.example/x", "headers": "Host: ailleurs"},
		"answers": {"url": "https://chat.hopital.example/x", "answers": "peut-être 200"},
	} {
		valid, err := chat.Room{}.Describe().Validate(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (chat.Room{}).Open(channels.Opening{Settings: valid, Now: clock.Real().Now}); fault.As(err) == nil || fault.As(err).Field != at {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// joined opens a channel to a simulated homeserver, and writes once to a person.
func joined(t *testing.T) (*matrixsim.Server, channels.Channel, *channelstest.Inbox) {
	t.Helper()
	server := matrixsim.Start(t)
	c, inbox := listening(t, server)
	if out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: agent(1), Text: "Plan blanc"}); out.State != channels.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	return server, c, inbox
}

// listening is a channel that runs at a homeserver.
func listening(t *testing.T, server *matrixsim.Server) (channels.Channel, *channelstest.Inbox) {
	t.Helper()
	inbox := channelstest.NewInbox()
	valid, err := chat.Matrix{}.Describe().Validate(peer{t, server}.Settings())
	if err != nil {
		t.Fatal(err)
	}
	c, err := chat.Matrix{Loopback: true}.Open(channels.Opening{Settings: valid, Inbox: inbox, Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
	if err != nil {
		t.Fatal(err)
	}
	runs(t, c)
	return c, inbox
}

// The first message waits until answers are heard: what is said before our first look
// is nobody's answer. A homeserver that never lets us look takes messages all the same.
func TestNobodyIsAskedBeforeAnswersAreHeard(t *testing.T) {
	t.Parallel()
	server := matrixsim.Start(t)
	hear := server.Deafen()
	t.Cleanup(hear)
	c, inbox := listening(t, server)
	m := channels.Message{ID: uuid.New(), To: agent(1), Text: "Plan blanc"}
	soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if out := c.Send(soon, m); out.State == channels.Accepted || len(server.Messages()) > 0 {
		t.Fatalf("asked before anybody is heard: %+v", out)
	}
	hear()
	if out := c.Send(t.Context(), m); out.State != channels.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	server.Say(agent(1), agent(1), matrixsim.Text("1"))
	channelstest.Eventually(t, "the answer is kept", func() bool {
		_, replies := inbox.Kept()
		return len(replies) == 1
	})

	other := matrixsim.Start(t)
	t.Cleanup(other.Deafen())
	c, _ = listening(t, other)
	if out := c.Send(t.Context(), m); out.State != channels.Accepted {
		t.Errorf("a homeserver that lets us speak and not listen: %+v", out)
	}
}

// An answer counts for its author, whatever room he wrote it in; an edit corrects it;
// a notice, a picture or an empty text is no answer; and who wrote encrypted is told.
func TestWhatIsSaidIsTakenForItsAuthor(t *testing.T) {
	server, _, inbox := joined(t)
	forged := server.Say(agent(1), "@intrus:"+matrixsim.Name, matrixsim.Text("1"))
	server.Say(agent(1), agent(1), map[string]any{"msgtype": "m.notice", "body": "1"})
	server.Say(agent(1), agent(1), map[string]any{"msgtype": "m.image", "body": "1"})
	server.Say(agent(1), agent(1), map[string]any{"msgtype": "m.text", "body": map[string]any{"x": 1}})
	server.Say(agent(1), agent(1), matrixsim.Text("  "))
	server.Say(agent(1), agent(1), map[string]any{"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AAAA"})
	edited := server.Say(agent(1), agent(1), map[string]any{
		"msgtype": "m.text", "body": "* 2", "m.new_content": map[string]any{"msgtype": "m.text", "body": "2"}, "m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": "$e1"},
	})
	channelstest.Eventually(t, "both are kept, and who wrote encrypted is told", func() bool {
		_, replies := inbox.Kept()
		return len(replies) >= 2 && len(server.Messages()) >= 2
	})
	_, replies := inbox.Kept()
	if len(replies) != 2 || replies[0].From != "@intrus:"+matrixsim.Name || replies[0].PeerID != forged || replies[1].From != agent(1) || replies[1].Text != "2" || replies[1].PeerID != edited {
		t.Errorf("replies %+v", replies)
	}
	if said := server.Messages(); len(said) != 2 || !strings.Contains(said[1].Text, "chiffré") {
		t.Errorf("said %+v", said)
	}
}

// A flood in a room, and answers too long to be read, hide nobody's answer.
func TestAFloodHidesNoAnswer(t *testing.T) {
	server, c, inbox := joined(t)
	if out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: agent(2), Text: "Plan blanc"}); out.State != channels.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	server.Bloat()
	for n := range 120 {
		server.Say(agent(2), agent(2), matrixsim.Text(fmt.Sprint("bavardage ", n)))
	}
	server.Say(agent(1), agent(1), matrixsim.Text("1"))
	channelstest.Eventually(t, "the answer is kept, and all that was said before", func() bool {
		_, replies := inbox.Kept()
		found := map[string]bool{}
		for _, r := range replies {
			found[r.Text] = true
		}
		return found["1"] && len(found) == 121
	})
}

// Who leaves is asked back; who banned us refuses us; two nodes share one room.
func TestOneRoomForAPerson(t *testing.T) {
	server, c, _ := joined(t)
	other, stop := running(t, peer{t, server}.Settings(), channelstest.NewInbox())
	defer stop()
	send := func(c channels.Channel) channels.Outcome {
		return c.Send(t.Context(), channels.Message{ID: uuid.New(), To: agent(1), Text: "Plan blanc"})
	}
	if out := send(other); out.State != channels.Accepted || server.Rooms() != 1 {
		t.Errorf("outcome %+v, %d rooms", out, server.Rooms())
	}
	server.Leave(agent(1), "ban")
	channelstest.Eventually(t, "who banned us refuses us", func() bool {
		out := send(c)
		return out.State == channels.Refused && out.Reason == channels.ReasonBlocked
	})
	for _, address := range []string{"+33639980001", "agent", "@:x", "@a b:x", "!salon:x", "@a:", "@" + strings.Repeat("a", 300) + ":x"} {
		if out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: address, Text: "?"}); out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress {
			t.Errorf("%q: %+v", address, out)
		}
	}
}

// The server says how long to wait in its own words.
func TestTheServerSaysHowLongToWait(t *testing.T) {
	server, c, _ := joined(t)
	server.Behave(matrixsim.Throttle)
	if out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: agent(1), Text: "?"}); out.RetryAfter != 2*time.Second || out.GatewayDown {
		t.Errorf("outcome %+v", out)
	}
}
