package channelstest

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
)

// text has accents inside and outside the short alphabets.
const text = "Plan blanc déclenché : venez à l'hôpital. Répondez 1 si vous venez."

// Run runs the whole suite. Call it from one test of the channel.
func Run(t *testing.T, s Suite) {
	t.Helper()
	t.Run("describes itself", s.describes)
	t.Run("accepts", s.accepts)
	t.Run("long message", s.acceptsLong)
	t.Run("refuses an address for ever", s.refuses)
	for _, e := range []struct {
		when Behaviour
		name string
		test func(*testing.T)
	}{
		{Throttle, "throttled is later", s.throttled},
		{Silent, "silence is uncertain", s.silence},
		{Cut, "cut in the middle, then reconnects", s.cut},
	} {
		if !slices.Contains(s.Unknown, e.when) {
			t.Run(e.name, e.test)
		}
	}
	t.Run("peer down is the gateway's fault", s.down)
	t.Run("expired never leaves", s.expired)
	t.Run("withheld never leaves", s.withheld)
	t.Run("check", s.check)
	t.Run("concurrency", s.concurrency)
	t.Run("stops without a trace", s.stops)
	if s.Kind.Describe().Receipts {
		t.Run("receipts", s.receipts)
		t.Run("receipt acknowledged once durable", s.durable)
	}
	switch {
	case s.Spoken:
		t.Run("answers by keys", s.keys)
	case s.Kind.Describe().Replies:
		t.Run("replies", s.replies)
	}
}

// bench is one channel at work before its peer.
type bench struct {
	t       *testing.T
	suite   Suite
	peer    Peer
	inbox   *Inbox
	channel channels.Channel
	stop    func()
}

// open starts a peer and a channel that runs; both end with the test, and the
// log is searched for what it must not hold.
func (s Suite) open(t *testing.T) *bench {
	t.Helper()
	return s.openWith(t, s.Start(t), NewInbox())
}

func (s Suite) openWith(t *testing.T, peer Peer, inbox *Inbox) *bench {
	t.Helper()
	log := new(safeBuffer)
	settings := s.validate(t, peer.Settings())
	channel, err := s.Kind.Open(channels.Opening{
		Settings: settings,
		Inbox:    inbox,
		Log:      slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:      clock.Real().Now,
		Devices:  s.Devices,
	})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- channel.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run returned %v after a clean stop", err)
			}
		case <-time.After(patience):
			t.Errorf("Run did not end within %s", patience)
		}
		s.searchLog(t, log.String(), settings)
	})
	t.Cleanup(stop)
	return &bench{t, s, peer, inbox, channel, stop}
}

func (s Suite) validate(t *testing.T, in channels.Settings) channels.Settings {
	t.Helper()
	out, err := s.Kind.Describe().Validate(in)
	if err != nil {
		t.Fatalf("the peer's settings are refused: %v", err)
	}
	return out
}

// searchLog fails on an address, a text or a secret in the log.
func (s Suite) searchLog(t *testing.T, log string, settings channels.Settings) {
	t.Helper()
	secrets := map[string]string{"text": "Plan blanc", "bad address": s.BadAddress}
	for n := range 5 {
		secrets["address"] = strings.TrimPrefix(s.Address(n), "+")
		for what, secret := range secrets {
			if strings.Contains(log, strings.TrimPrefix(secret, "+")) {
				t.Errorf("the log holds the %s:\n%s", what, log)
				return
			}
		}
	}
	for _, f := range s.Kind.Describe().Fields {
		if v := settings.Get(f.Name); f.Type == channels.Secret && v != "" && strings.Contains(log, v) {
			t.Errorf("the log holds the secret %s", f.Name)
		}
	}
}

// message returns a message for the nth address.
func (s Suite) message(n int) channels.Message {
	return channels.Message{
		ID:         uuid.New(),
		To:         s.Address(n),
		Subject:    "Plan blanc",
		Text:       text,
		Language:   "fr",
		ReplyToken: "abcdefghij" + string(rune('a'+n%26)),
	}
}

// send sends with a deadline that only a hung channel meets.
func (b *bench) send(m channels.Message) channels.Outcome {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return b.channel.Send(ctx, m)
}

// accepted sends a message until it is accepted, as the dispatcher would: a
// channel that has just started or lost its peer may ask to wait.
func (b *bench) accepted(m channels.Message) channels.Outcome {
	b.t.Helper()
	var out channels.Outcome
	Eventually(b.t, "the message is accepted", func() bool {
		out = b.send(m)
		if out.State == channels.Refused {
			b.t.Fatalf("refused: %+v", out)
		}
		return out.State == channels.Accepted
	})
	return out
}

func (b *bench) waitUp() {
	b.t.Helper()
	Eventually(b.t, "the channel is up", func() bool { return b.channel.Health().Up })
}

// leaks fails the test when goroutines outlive it; call it first, so that it
// runs after every other cleanup.
func leaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// safeBuffer is a buffer that any goroutine may write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
