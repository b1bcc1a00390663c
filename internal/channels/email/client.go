package email

import (
	"context"
	"errors"
	"sync"
	"time"

	"tocsin/internal/channels"
)

// Client is the bare SMTP client: a pool of kept connections, no limit of
// rate, no health, no database. The channel is built on it, and a benchmark
// compares the product with it.
type Client struct {
	cfg      config
	composer *composer
	now      func() time.Time
	// slots bounds the connections open at once.
	slots chan struct{}

	mu     sync.Mutex
	idle   []*connection
	closed bool
}

// NewClient returns a client for validated settings (see Kind.Describe); it
// connects at the first Send. now stamps messages and ages connections.
func NewClient(s channels.Settings, now func() time.Time) (*Client, error) {
	cfg, err := parseConfig(s)
	if err != nil {
		return nil, err
	}
	composer, err := newComposer(cfg)
	if err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, composer: composer, now: now, slots: make(chan struct{}, cfg.pool)}, nil
}

// Send tries once, on a kept connection when there is one. It may be called by
// any number of goroutines; those beyond the pool size wait for their turn.
func (c *Client) Send(ctx context.Context, m channels.Message) channels.Outcome {
	msg, err := c.composer.compose(m, c.now())
	if err != nil {
		reason := channels.ReasonRejected
		if errors.Is(err, errAddress) {
			reason = channels.ReasonInvalidAddress
		}
		return channels.Outcome{State: channels.Refused, Reason: reason, Detail: scrub(err.Error())}
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: "no free connection in time"}
	}
	for {
		k, reused, err := c.take(ctx)
		if err != nil {
			return dialOutcome(err)
		}
		if isExpired(m, c.now()) {
			c.giveBack(k, nil)
			return channels.Outcome{State: channels.Refused, Reason: channels.ReasonExpired}
		}
		if !m.MayLeave() {
			c.giveBack(k, nil)
			return channels.Withheld()
		}
		err = k.send(ctx, msg)
		if err != nil && reused && isStale(err) && ctx.Err() == nil {
			// The peer closed the connection while it was idle; nothing left, so
			// this is still the first try.
			k.drop()
			continue
		}
		out := sendOutcome(err)
		c.giveBack(k, err)
		if out.State == channels.Accepted {
			out.ProviderIDs = []string{messageID(m.ID, c.composer.domain)}
		}
		return out
	}
}

// isExpired tells whether nobody may receive m any more.
func isExpired(m channels.Message, now time.Time) bool {
	return !m.ExpiresAt.IsZero() && !now.Before(m.ExpiresAt)
}

// Check connects and authenticates, then says goodbye.
func (c *Client) Check(ctx context.Context) error {
	k, err := c.cfg.dial(ctx)
	if err != nil {
		return checkFault(c.cfg, err)
	}
	k.quit()
	return nil
}

// Close ends the idle connections at once and the busy ones after their
// message. Send still works afterwards, without keeping connections.
func (c *Client) Close() {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	c.mu.Unlock()
	for _, k := range idle {
		k.quit()
	}
}

// take returns the most recently used idle connection, or a new one; the rest
// grow old and are swept.
func (c *Client) take(ctx context.Context) (k *connection, reused bool, err error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		k = c.idle[n-1]
		c.idle = c.idle[:n-1]
	}
	c.mu.Unlock()
	if k != nil && c.now().Sub(k.usedAt) < idleClose {
		return k, true, nil
	}
	if k != nil {
		k.drop()
	}
	k, err = c.cfg.dial(ctx)
	return k, false, err
}

func (c *Client) giveBack(k *connection, err error) {
	if err != nil && !isAlive(err) {
		k.drop()
		return
	}
	k.usedAt = c.now()
	c.mu.Lock()
	keep := !c.closed && k.sent < perConnection
	if keep {
		c.idle = append(c.idle, k)
	}
	c.mu.Unlock()
	if !keep {
		k.quit()
	}
}

// sweep closes the connections idle for too long.
func (c *Client) sweep() {
	limit := c.now().Add(-idleClose)
	c.mu.Lock()
	var old, kept []*connection
	for _, k := range c.idle {
		if k.usedAt.Before(limit) {
			old = append(old, k)
		} else {
			kept = append(kept, k)
		}
	}
	c.idle = kept
	c.mu.Unlock()
	for _, k := range old {
		k.quit()
	}
}

// isStale tells whether err is what a connection closed by the peer answers
// to the first command.
func isStale(err error) bool {
	e, ok := errors.AsType[*passError](err)
	if !ok || e.step != stepSender {
		return false
	}
	a := e.answer()
	return a == nil || a.Code == 421
}

// isAlive tells whether the connection can carry another message after err:
// the peer answered, and not to say goodbye.
func isAlive(err error) bool {
	e, ok := errors.AsType[*passError](err)
	if !ok {
		return false
	}
	a := e.answer()
	return e.step == stepWrite || a != nil && a.Code != 421
}

// warm opens one connection and keeps it for the next message.
func (c *Client) warm(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	default:
		// Every connection is busy: that is proof enough that the relay is there,
		// and their outcomes will say more.
		return nil
	}
	k, err := c.cfg.dial(ctx)
	if err != nil {
		return err
	}
	c.giveBack(k, nil)
	return nil
}
