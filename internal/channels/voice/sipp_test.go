package voice_test

import (
	"context"
	"flag"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/voice"
	"tocsin/internal/clock"
	peer "tocsin/test/peers/sip"
)

const text = "Plan blanc. Rejoignez l’hôpital."

// The stories wait much and work little: they are told side by side, and what they
// leave running is looked for at the end of all.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// bench is a trunk at work before a telephone.
type bench struct {
	t       *testing.T
	inbox   *channelstest.Inbox
	channel channels.Channel
	log     *lines
}

// lines is a log that any goroutine may write.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// studio is shared by the tests: what it made once it need not make again.
var studio = voice.NewStudio()

func settings(port int, more channels.Settings) channels.Settings {
	s := channels.Settings{"host": "127.0.0.1", "port": strconv.Itoa(port), "caller": "0142000000", "repeats": "1", "ring": "5", "listen": "1", "speed": "300", "channels": "4"}
	maps.Copy(s, more)
	return s
}

func newKind() voice.Kind {
	kind := voice.New()
	kind.Studio = studio
	return kind
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func now() time.Time { return clock.Real().Now() }

func open(t *testing.T, s channels.Settings, links channels.Links) *bench {
	t.Helper()
	return openWith(t, s, links, nil)
}

func openWith(t *testing.T, s channels.Settings, links channels.Links, known channels.Switchboard) *bench {
	t.Helper()
	return openBy(t, newKind(), s, channels.Opening{Links: links, Switchboard: known})
}

func openBy(t *testing.T, kind voice.Kind, s channels.Settings, o channels.Opening) *bench {
	t.Helper()
	valid, err := kind.Describe().Validate(s)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, inbox: channelstest.NewInbox(), log: &lines{}}
	o.Settings, o.Inbox, o.Now = valid, b.inbox, clock.Real().Now
	o.Log = slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.channel, err = kind.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.channel.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		for what, secret := range map[string]string{"number": "639980", "text": "Plan blanc", "password": "secret"} {
			if strings.Contains(b.log.String(), secret) {
				t.Errorf("the log holds the %s:\n%s", what, b.log.String())
			}
		}
	})
	channelstest.Eventually(t, "the trunk is up", func() bool { return b.channel.Health().Up })
	return b
}

func message(n int) channels.Message {
	return channels.Message{
		ID: uuid.New(), To: "+3363998" + strconv.Itoa(1000+n), Text: text, Language: "fr", ReplyToken: "abcdefghij",
		Answers: []channels.Answer{
			{Key: "1", Label: "je viens", Delays: []int{15, 30}},
			{Key: "2", Label: "je ne peux pas"},
		},
	}
}

func (b *bench) send(m channels.Message) channels.Outcome {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	return b.channel.Send(ctx, m)
}

func (b *bench) replies() []channels.Reply {
	_, replies := b.inbox.Kept()
	return replies
}

func TestAKeyConfirmedIsAnAnswer(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(500*time.Millisecond, 900*time.Millisecond, "2", "1")})
	b := open(t, settings(sipp.Port, nil), nil)
	m := message(1)
	out := b.send(m)
	if out.State != channels.Accepted || !out.Delivered || len(out.ProviderIDs) != 1 {
		t.Fatalf("outcome %+v", out)
	}
	got := b.replies()
	if len(got) != 1 || got[0].Text != "2" || got[0].From != m.To || got[0].Token != m.ReplyToken || got[0].PeerID == "" {
		t.Errorf("replies %+v", got)
	}
	channelstest.Eventually(t, "sipp saw the call end", func() bool { return sipp.Count("bye") == 1 })
}

func TestTheDelayIsChosenByKey(t *testing.T) {
	t.Parallel()
	// A key nobody proposes, star to hear again, then: I come, in 30 minutes, yes.
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(900*time.Millisecond, 700*time.Millisecond, "7", "*", "1", "2", "1")})
	b := open(t, settings(sipp.Port, nil), nil)
	if out := b.send(message(1)); out.State != channels.Accepted || !out.Delivered {
		t.Fatalf("outcome %+v", out)
	}
	if got := b.replies(); len(got) != 1 || got[0].Text != "1 30" {
		t.Errorf("replies %+v", got)
	}
}

func TestAKeyWithoutConfirmationReachesButDoesNotAnswer(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(900*time.Millisecond, 700*time.Millisecond, "2")})
	b := open(t, settings(sipp.Port, channels.Settings{"longest": "30"}), nil)
	if out := b.send(message(1)); out.State != channels.Accepted || !out.Delivered {
		t.Errorf("outcome %+v", out)
	}
	if got := b.replies(); len(got) != 0 {
		t.Errorf("replies %+v", got)
	}
}

func TestAVoicemailIsNobody(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(time.Second, 0)})
	b := open(t, settings(sipp.Port, nil), nil)
	m := message(1)
	m.Answers = nil
	if out := b.send(m); out.State != channels.Refused || out.Reason != channels.ReasonNoKey || out.Delivered {
		t.Errorf("outcome %+v", out)
	}
}

func TestWhoHangsUpIsNobody(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.HangUp(300 * time.Millisecond)})
	b := open(t, settings(sipp.Port, nil), nil)
	if out := b.send(message(1)); out.State != channels.Refused || out.Reason != channels.ReasonNoKey {
		t.Errorf("outcome %+v", out)
	}
}

func TestEveryRefusalHasItsOutcome(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]channels.Outcome{
		"486 Busy Here":               {State: channels.Retry, Reason: channels.ReasonBusy},
		"600 Busy Everywhere":         {State: channels.Retry, Reason: channels.ReasonBusy},
		"480 Temporarily Unavailable": {State: channels.Retry, Reason: channels.ReasonNoAnswer},
		"603 Decline":                 {State: channels.Refused, Reason: channels.ReasonDeclined},
		"404 Not Found":               {State: channels.Refused, Reason: channels.ReasonInvalidAddress},
		"484 Address Incomplete":      {State: channels.Refused, Reason: channels.ReasonInvalidAddress},
		"503 Service Unavailable":     {State: channels.Retry, Reason: channels.ReasonCongestion, Alone: true},
		"403 Forbidden":               {State: channels.Retry, Reason: channels.ReasonPeerError},
		"407 Proxy Authentication":    {State: channels.Retry, Reason: channels.ReasonAuth, GatewayDown: true},
	} {
		t.Run(status[:3], func(t *testing.T) {
			sipp := peer.Start(t, peer.Options{Scenario: peer.Refuse(status)})
			b := open(t, settings(sipp.Port, nil), nil)
			out := b.send(message(1))
			out.Detail, out.RetryAfter = "", 0
			if !sameOutcome(out, want) {
				t.Errorf("outcome %+v, want %+v", out, want)
			}
		})
	}
}

func sameOutcome(a, b channels.Outcome) bool {
	return a.State == b.State && a.Reason == b.Reason && a.Alone == b.Alone && a.GatewayDown == b.GatewayDown && a.Uncertain == b.Uncertain && a.Withheld == b.Withheld
}

func TestATrunkThatRefusesEverythingIsDown(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Refuse("503 Service Unavailable")})
	b := open(t, settings(sipp.Port, nil), nil)
	for n := range 5 {
		if out := b.send(message(n)); out.GatewayDown != (n == 4) {
			t.Errorf("call %d: %+v", n+1, out)
		}
	}
}

func TestNobodyPicksUp(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Ring()})
	b := open(t, settings(sipp.Port, nil), nil)
	if out := b.send(message(1)); out.State != channels.Retry || out.Reason != channels.ReasonNoAnswer || out.Uncertain || out.GatewayDown {
		t.Errorf("outcome %+v", out)
	}
	channelstest.Eventually(t, "sipp saw the call given up", func() bool { return sipp.Count("cancel") == 1 })
}

func TestADigestIsGiven(t *testing.T) {
	t.Parallel()
	for status, header := range map[string]string{"401 Unauthorized": "WWW-Authenticate", "407 Proxy Authentication Required": "Proxy-Authenticate"} {
		t.Run(status[:3], func(t *testing.T) {
			sipp := peer.Start(t, peer.Options{Scenario: peer.Challenge(status, header, "2", "1")})
			b := open(t, settings(sipp.Port, channels.Settings{"user": "tocsin", "password": "secret"}), nil)
			if out := b.send(message(1)); out.State != channels.Accepted || len(b.replies()) != 1 {
				t.Errorf("outcome %+v, replies %+v", out, b.replies())
			}
		})
	}
	t.Run("wrong", func(t *testing.T) {
		sipp := peer.Start(t, peer.Options{Scenario: peer.Challenge("401 Unauthorized", "WWW-Authenticate")})
		b := open(t, settings(sipp.Port, channels.Settings{"user": "tocsin", "password": "faux"}), nil)
		if out := b.send(message(1)); out.State != channels.Retry || out.Delivered {
			t.Errorf("outcome %+v", out)
		}
	})
}

func TestTCP(t *testing.T) {
	t.Parallel()
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(500*time.Millisecond, 900*time.Millisecond, "2", "1"), TCP: true})
	b := open(t, settings(sipp.Port, channels.Settings{"transport": "tcp"}), nil)
	if out := b.send(message(1)); out.State != channels.Accepted || len(b.replies()) != 1 {
		t.Errorf("outcome %+v, replies %+v", out, b.replies())
	}
}

// order is a permit that an alert can take back.
type order struct{ recalled atomic.Bool }

func (o *order) MayLeave() bool { return !o.recalled.Load() }
func (o *order) Recalled() bool { return o.recalled.Load() }

func TestAStoppedAlertHangsUp(t *testing.T) {
	t.Parallel()
	t.Run("while it speaks", func(t *testing.T) {
		sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(0, 0)})
		b := open(t, settings(sipp.Port, nil), nil)
		m, o := message(1), &order{}
		m.Leave = o
		outcome := make(chan channels.Outcome, 1)
		go func() { outcome <- b.send(m) }()
		channelstest.Eventually(t, "the call is picked up", func() bool { return sipp.Count("ack") == 1 })
		o.recalled.Store(true)
		stopped := time.NewTimer(5 * time.Second)
		defer stopped.Stop()
		select {
		case out := <-outcome:
			if out.State == channels.Accepted || out.State == channels.Retry && !out.Withheld {
				t.Errorf("outcome %+v", out)
			}
		case <-stopped.C:
			t.Error("the call goes on")
		}
	})
	t.Run("while it rings", func(t *testing.T) {
		sipp := peer.Start(t, peer.Options{Scenario: peer.Ring()})
		b := open(t, settings(sipp.Port, channels.Settings{"ring": "60"}), nil)
		m, o := message(1), &order{}
		m.Leave = o
		outcome := make(chan channels.Outcome, 1)
		go func() { outcome <- b.send(m) }()
		channelstest.Eventually(t, "it rings", func() bool { return sipp.Count("invite") == 1 })
		o.recalled.Store(true)
		if out := <-outcome; !out.Withheld {
			t.Errorf("outcome %+v", out)
		}
	})
	t.Run("before it leaves", func(t *testing.T) {
		sipp := peer.Start(t, peer.Options{Scenario: peer.Ring()})
		b := open(t, settings(sipp.Port, nil), nil)
		m, o := message(1), &order{}
		m.Leave = o
		o.recalled.Store(true)
		if out := b.send(m); !out.Withheld || sipp.Count("invite") != 0 {
			t.Errorf("outcome %+v", out)
		}
	})
}
