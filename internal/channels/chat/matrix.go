package chat

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/wire/web"
)

// Matrix is the kind "matrix": people, one by one, on a homeserver of Matrix, of
// which Tchap is one (client–server API, v3). Their answers come back.
type Matrix struct {
	// Loopback lets the channel call this machine: tests and demonstrations only.
	Loopback bool
}

// Describe lists the settings of an account at a homeserver.
func (Matrix) Describe() channels.Description {
	return channels.Description{
		Kind:   "matrix",
		Medium: channels.Chat,
		Fields: []channels.Field{
			{Name: "server", Type: channels.Text, Required: true},
			{Name: "token", Type: channels.Secret, Required: true},
			{Name: "room_key", Type: channels.Secret, Drawn: true},
			{Name: "room_name", Type: channels.Text, Required: true, Default: "Alertes"},
			{Name: "clear", Type: channels.Bool, Default: "false"},
			{Name: "proxy", Type: channels.Text},
			{Name: "tls_ca", Type: channels.Text},
			{Name: "connections", Type: channels.Number, Required: true, Default: "8", Min: 1, Max: 64},
			{Name: "rate", Type: channels.Number, Required: true, Default: "0", Min: 0, Max: 60000},
			{Name: "connect_timeout", Type: channels.Number, Default: "10", Min: 1, Max: 120},
			{Name: "response_timeout", Type: channels.Number, Default: "15", Min: 1, Max: 120},
		},
		Concurrency: func(s channels.Settings) int { return max(1, s.Int("connections")) },
		Limits: func(s channels.Settings) channels.Limits {
			return channels.Limits{PerSecond: float64(s.Int("rate")) / 60}
		},
		Receipts: true,
		Replies:  true,
	}
}

// Complete draws the key by which the names of rooms are made: whoever could guess
// one could take it before us.
func (Matrix) Complete(s channels.Settings) (channels.Settings, error) {
	if s.Get("room_key") == "" {
		s["room_key"] = rand.Text()
	}
	return s, nil
}

// Open returns a channel to the homeserver; nothing is connected yet.
func (k Matrix) Open(o channels.Opening) (channels.Channel, error) {
	s := o.Settings
	server := strings.TrimRight(strings.TrimSpace(s.Get("server")), "/")
	if err := web.CheckURL(server, "server", nil, nil, s.Bool("clear")); err != nil {
		return nil, err
	}
	target, err := url.Parse(server)
	if err != nil || target.RawQuery != "" || target.Fragment != "" {
		return nil, fault.New(fault.Invalid, "web.bad_url").At("server")
	}
	c := &matrix{
		server: server, token: s.Get("token"), roomName: s.Get("room_name"), roomKey: s.Get("room_key"), target: target,
		inbox: o.Inbox, log: o.Log, now: o.Now, pulse: channels.NewPulse(o.Now), limiter: limiter(float64(s.Int("rate")) / 60), rooms: map[string]string{}, listens: make(chan struct{}),
	}
	if c.client, err = client(s, max(1, s.Int("connections")), k.Loopback); err != nil {
		return nil, err
	}
	c.listener, err = listener(s, k.Loopback)
	return c, err
}

// matrix is one account at a homeserver.
type matrix struct {
	server, token, roomName, roomKey string
	target                           *url.URL
	// client says things, listener waits for them.
	client, listener *web.Client
	limiter          *rate.Limiter
	inbox            channels.Inbox
	log              *slog.Logger
	now              func() time.Time
	pulse            *channels.Pulse
	// listens is closed by heed once what people say from then on is heard.
	listens chan struct{}
	heeded  sync.Once

	mu sync.Mutex
	// self is the account; empty until the homeserver said whose the token is.
	self string
	// rooms are those of people known to be in theirs, by their address.
	rooms map[string]string
}

// addressMost is the longest identifier that the specification allows.
const addressMost = 255

// person tells whether an address is the identifier of an account: @name:server.
func person(address string) bool {
	name, server, ok := strings.Cut(address, ":")
	return ok && len(address) <= addressMost && len(name) > 1 && name[0] == '@' && server != "" && !strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// Health is what the last exchange showed.
func (c *matrix) Health() channels.Health { return c.pulse.Health() }

// Send writes once in the room of the person. The transaction is the delivery: a
// message sent again after a crash is the same event.
func (c *matrix) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if !person(m.To) {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "not the identifier of an account"}
	}
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	if err := c.limiter.Wait(ctx); err != nil {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: err.Error(), RetryAfter: web.ThrottleWait}
	}
	c.awaitEar(ctx)
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	self, out, ok := c.account(ctx)
	if !ok {
		return c.told(out)
	}
	id, out, ok := c.roomOf(ctx, self, m.To)
	if !ok {
		return c.told(out)
	}
	if out, held := c.pulse.Hold(m); held { // finding the room took its time
		return out
	}
	return c.told(c.say(ctx, id, m.ID.String(), m.Text, m.To))
}

// earWait is how long the first messages of all wait until answers are heard.
const earWait = 2 * time.Second

// awaitEar lets the first look at the homeserver come in: an answer from before it
// would be nobody's. A homeserver that lets us speak and not listen delays nobody
// twice: that an alert leaves comes first.
func (c *matrix) awaitEar(ctx context.Context) {
	select {
	case <-c.listens:
	case <-ctx.Done():
	case <-clock.Real().After(earWait):
		c.heed()
	}
}

func (c *matrix) heed() { c.heeded.Do(func() { close(c.listens) }) }

// told notes what a try shows of the homeserver.
func (c *matrix) told(out channels.Outcome) channels.Outcome {
	switch {
	case out.GatewayDown:
		c.pulse.Seen(out.Reason, out.Detail)
	case out.State == channels.Accepted:
		c.pulse.Seen(channels.ReasonNone, "")
	}
	return out
}

// say writes a text in a room. A room that is no more is forgotten: the next try
// makes another.
func (c *matrix) say(ctx context.Context, id, transaction, text, to string) channels.Outcome {
	a := c.put(ctx, "/rooms/"+url.PathEscape(id)+"/send/m.room.message/"+url.PathEscape(transaction), map[string]string{"msgtype": "m.text", "body": text})
	if a.Err != nil {
		return channels.Unanswered(a.Answer)
	}
	var said struct {
		EventID string `json:"event_id"`
	}
	if !a.read(&said) || said.EventID == "" {
		if a.code == "M_FORBIDDEN" || a.code == "M_NOT_FOUND" {
			c.forget(to)
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: a.detail(), RetryAfter: web.ThrottleWait, Alone: true}
		}
		return c.outcome(a)
	}
	return channels.Outcome{State: channels.Accepted, ProviderIDs: []string{said.EventID}}
}

func (c *matrix) forget(person string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rooms, person)
}

// Check asks the homeserver whose the token is.
func (c *matrix) Check(ctx context.Context) error {
	a := c.get(ctx, "/account/whoami", nil)
	if a.Err != nil {
		return web.Unreachable(a.Err, c.target.Host)
	}
	var who struct {
		UserID string `json:"user_id"`
	}
	if err := a.Refused(c.target.Host); err != nil {
		return err
	}
	if !a.read(&who) || !person(who.UserID) {
		return fault.New(fault.Unavailable, "channels.matrix.not_matrix", "host", c.target.Host)
	}
	return nil
}
