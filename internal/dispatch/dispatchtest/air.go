package dispatchtest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// Air is a medium in memory. Its zero value is not usable; see NewAir.
type Air struct {
	medium channels.Medium
	next   atomic.Int64

	mu       sync.Mutex
	sent     []channels.Message
	outcome  func(channels.Message) channels.Outcome
	keep     bool
	channels map[string]*Channel
}

// NewAir returns a medium whose peer accepts everything.
func NewAir(m channels.Medium) *Air {
	return &Air{medium: m, keep: true, channels: make(map[string]*Channel)}
}

// Forgetful makes Sent stay empty: for benchmarks.
func (a *Air) Forgetful() *Air { a.keep = false; return a }

// Describe implements channels.Kind: the kind is "air-" and the medium, and
// has a peer's name, a secret, and the number of sends at once.
func (a *Air) Describe() channels.Description {
	return channels.Description{
		Kind: "air-" + string(a.medium), Medium: a.medium, Receipts: true, Replies: true,
		Fields: []channels.Field{
			{Name: "peer", Type: channels.Text, Default: "main"},
			{Name: "password", Type: channels.Secret},
			{Name: "senders", Type: channels.Number, Default: "8", Min: 1, Max: 500},
		},
		Concurrency: func(s channels.Settings) int { return s.Int("senders") },
	}
}

// Open implements channels.Kind.
func (a *Air) Open(o channels.Opening) (channels.Channel, error) {
	c := &Channel{air: a, inbox: o.Inbox, now: o.Now, password: o.Settings.Get("password"), peer: o.Settings.Get("peer")}
	c.since = o.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.channels[c.peer] = c
	return c, nil
}

// Answer sets what the peer answers from now on; nil accepts everything. The
// function may block: that is a slow peer.
func (a *Air) Answer(f func(channels.Message) channels.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outcome = f
}

// Sent are the messages the peer received, in order, refused ones included.
func (a *Air) Sent() []channels.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]channels.Message(nil), a.sent...)
}

// Count is how many messages the peer received.
func (a *Air) Count() int { return len(a.Sent()) }

// Times counts how often each delivery was received.
func (a *Air) Times() map[uuid.UUID]int {
	out := make(map[uuid.UUID]int)
	for _, m := range a.Sent() {
		out[m.ID]++
	}
	return out
}

// Channel returns the channel last opened for a peer, or nil.
func (a *Air) Channel(peer string) *Channel {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.channels[peer]
}

// Reply brings an answer from an address through the peer "main".
func (a *Air) Reply(ctx context.Context, from, text string) error {
	c := a.Channel("main")
	if c == nil {
		return errors.New("dispatchtest: no open channel")
	}
	return c.inbox.Replies(ctx, []channels.Reply{{PeerID: "r" + strconv.FormatInt(a.next.Add(1), 10), From: from, Text: text, At: c.now()}})
}

// Receipt tells that a message arrived, or why not, through the peer "main".
func (a *Air) Receipt(ctx context.Context, id uuid.UUID, delivered bool, reason channels.Reason) error {
	c := a.Channel("main")
	if c == nil {
		return errors.New("dispatchtest: no open channel")
	}
	return c.inbox.Receipts(ctx, []channels.Receipt{{ProviderID: ProviderID(id), Delivered: delivered, Final: true, Reason: reason, At: c.now()}})
}

// ProviderID is the identifier the peer gives to a delivery it accepts.
func ProviderID(delivery uuid.UUID) string {
	return "p-" + strings.ReplaceAll(delivery.String(), "-", "")
}

// Accept is the outcome of a message the peer takes.
func Accept(m channels.Message) channels.Outcome {
	return channels.Outcome{State: channels.Accepted, ProviderIDs: []string{ProviderID(m.ID)}}
}

// Down is the outcome of a gateway that does not answer.
func Down(channels.Message) channels.Outcome {
	return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, GatewayDown: true}
}

// Channel is one open way to a peer.
type Channel struct {
	air      *Air
	inbox    channels.Inbox
	now      func() time.Time
	peer     string
	password string

	mu    sync.Mutex
	down  bool
	since time.Time
}

// Cut makes every send fail until Mend.
func (c *Channel) Cut() { c.set(true) }

// Mend ends a Cut.
func (c *Channel) Mend() { c.set(false) }

func (c *Channel) set(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down, c.since = down, c.now()
}

// Inbox is where the channel brings what its peer sends.
func (c *Channel) Inbox() channels.Inbox { return c.inbox }

// Password is the secret the channel was opened with.
func (c *Channel) Password() string { return c.password }

// Send implements channels.Channel.
func (c *Channel) Send(_ context.Context, m channels.Message) channels.Outcome {
	if !c.Health().Up {
		return Down(m)
	}
	c.air.mu.Lock()
	answer := c.air.outcome
	if c.air.keep {
		c.air.sent = append(c.air.sent, m)
	}
	c.air.mu.Unlock()
	if answer == nil {
		return Accept(m)
	}
	return answer(m)
}

// Check implements channels.Channel.
func (c *Channel) Check(context.Context) error {
	if !c.Health().Up {
		return errors.New("dispatchtest: the peer is cut off")
	}
	return nil
}

// Run implements channels.Channel.
func (c *Channel) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Health implements channels.Channel.
func (c *Channel) Health() channels.Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := channels.Health{Up: !c.down, Since: c.since}
	if c.down {
		h.Reason = channels.ReasonUnreachable
	}
	return h
}
