package email_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
	"tocsin/internal/clock"
)

const (
	replyDomain = "alerte.hopital.test"
	token       = "k3f9q2x7w1zt"
)

// patience is how long a test waits for a mail server.
const patience = 30 * time.Second

// settings returns valid settings for a relay on this machine; pairs change them.
func settings(t testing.TB, host string, port int, pairs ...string) channels.Settings {
	t.Helper()
	in := channels.Settings{
		"host": host, "port": strconv.Itoa(port), "tls": "none", "from": "alerte@hopital.test",
		"from_name": "CH de Valmont – Alerte", "reply_domain": replyDomain, "pool": "4", "timeout": "10",
	}
	for i := 0; i < len(pairs); i += 2 {
		in[pairs[i]] = pairs[i+1]
	}
	out, err := email.Kind{}.Describe().Validate(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func newClient(t testing.TB, s channels.Settings) *email.Client {
	t.Helper()
	c, err := email.NewClient(s, clock.Real().Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func newMessage(t testing.TB, to string) channels.Message {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return channels.Message{
		ID: id, To: to, Subject: "Plan blanc : venez à l’hôpital", Language: "fr", ReplyToken: token,
		Text: "Plan blanc déclenché. Répondez :\nhttps://alerte.hopital.test/r/abc\n\nMerci.",
		Link: "https://alerte.hopital.test/r/abc",
	}
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// inbox records what comes back; it fails while broken is set.
type inbox struct {
	mu       sync.Mutex
	broken   error
	refused  int
	receipts []channels.Receipt
	replies  []channels.Reply
	changed  chan struct{}
}

func newInbox() *inbox { return &inbox{changed: make(chan struct{}, 1)} }

func (b *inbox) Receipts(_ context.Context, items []channels.Receipt) error {
	return b.take(func() { b.receipts = append(b.receipts, items...) })
}

func (b *inbox) Replies(_ context.Context, items []channels.Reply) error {
	return b.take(func() { b.replies = append(b.replies, items...) })
}

func (b *inbox) take(record func()) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.signal()
	if b.broken != nil {
		b.refused++
		return b.broken
	}
	record()
	return nil
}

func (b *inbox) signal() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

func (b *inbox) setBroken(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = err
}

func (b *inbox) all() ([]channels.Receipt, []channels.Reply, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]channels.Receipt{}, b.receipts...), append([]channels.Reply{}, b.replies...), b.refused
}

// until waits for a condition on what came back.
func (b *inbox) until(t testing.TB, what string, log func() string, ok func([]channels.Receipt, []channels.Reply, int) bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		receipts, replies, refused := b.all()
		if ok(receipts, replies, refused) {
			return
		}
		select {
		case <-b.changed:
		case <-limit.C:
			t.Fatalf("%s: not in %v; receipts %+v, replies %+v, refused %d\n%s", what, patience, receipts, replies, refused, log())
		}
	}
}

// poll waits for a condition that nothing signals.
func poll(t testing.TB, what string, log func() string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("%s: not in %v\n%s", what, patience, log())
		}
	}
}

// listen starts an intake and returns its address; it ends with the test.
func listen(t testing.TB, b channels.Inbox, lmtp bool) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	l := &email.Listener{Domain: replyDomain, LMTP: lmtp, Inbox: b, Now: clock.Real().Now}
	go func() { done <- l.Serve(ctx, socket) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the intake did not stop cleanly: %v", err)
		}
	})
	return socket.Addr().String()
}

var errDisk = errors.New("disk full")
