package email

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tocsin/internal/channels"
)

// maxPause is how long Send waits for its turn under the limit of rate; a
// longer wait is given back to the caller, who has other things to do.
const maxPause = 2 * time.Second

// The rhythm of Run.
const (
	sweepEvery = 5 * time.Second
	probeEvery = time.Minute
	minBackoff = time.Second
	maxBackoff = 30 * time.Second
)

// channel adds to the client a limit of rate, validity and health.
type channel struct {
	client  *Client
	limiter *rate.Limiter
	domains *domains
	log     *slog.Logger
	now     func() time.Time
	// fell wakes Run when a message finds the relay down.
	fell chan struct{}

	mu     sync.Mutex
	health channels.Health
	seen   time.Time
	// stopped is true once Run has ended; a channel does not start again.
	stopped bool
}

func newChannel(client *Client, log *slog.Logger, now func() time.Time) *channel {
	limit := rate.Inf
	if n := client.cfg.perMinute; n > 0 {
		limit = rate.Limit(float64(n) / 60)
	}
	return &channel{
		client: client, log: log, now: now, fell: make(chan struct{}, 1),
		// One second's worth at once, so that a small limit is not a burst.
		limiter: rate.NewLimiter(limit, max(1, client.cfg.perMinute/60)),
		domains: newDomains(now),
		health:  channels.Health{Since: now()},
	}
}

// Send tries once. A message past its validity is refused without a word to
// the relay.
func (c *channel) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if out, stop := c.pause(ctx, m); stop {
		return out
	}
	if wait := c.domains.turn(m.To); wait > 0 {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: "the pace of its provider", RetryAfter: wait, Alone: true}
	}
	out := c.client.Send(ctx, m)
	c.domains.heard(m.To, out)
	switch {
	case out.GatewayDown:
		c.setHealth(channels.Health{Reason: out.Reason, Detail: out.Detail})
	case out.State == channels.Accepted:
		c.setHealth(channels.Health{Up: true})
	}
	return out
}

// pause waits for the limit of rate; true means that the message does not
// leave now.
func (c *channel) pause(ctx context.Context, m channels.Message) (channels.Outcome, bool) {
	c.mu.Lock()
	stopped := c.stopped
	c.mu.Unlock()
	switch {
	case stopped:
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: "channel stopped"}, true
	case isExpired(m, c.now()):
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonExpired}, true
	}
	turn := c.limiter.Reserve()
	wait := turn.Delay()
	if wait == 0 {
		return channels.Outcome{}, false
	}
	throttled := channels.Outcome{
		State: channels.Retry, Reason: channels.ReasonThrottled, Detail: "our own limit of rate", RetryAfter: wait,
	}
	if wait > maxPause {
		turn.Cancel()
		return throttled, true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return channels.Outcome{}, false
	case <-ctx.Done():
		turn.Cancel()
		return throttled, true
	}
}

// Check connects and authenticates without sending anything.
func (c *channel) Check(ctx context.Context) error { return c.client.Check(ctx) }

// Health is the last known state of the relay.
func (c *channel) Health() channels.Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health
}

// Run probes the relay when nothing else does, closes idle connections, and
// finds out when a relay that was down is back.
func (c *channel) Run(ctx context.Context) error {
	defer c.end()
	backoff := minBackoff
	for {
		wait := sweepEvery
		if c.due() {
			c.probe(ctx)
		}
		if c.Health().Up {
			backoff = minBackoff
		} else {
			wait, backoff = backoff, min(2*backoff, maxBackoff)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-c.fell:
			timer.Stop()
		case <-timer.C:
		}
		c.client.sweep()
	}
}

func (c *channel) end() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.client.Close()
	c.setHealth(channels.Health{Reason: channels.ReasonUnreachable, Detail: "channel stopped"})
}

// due tells whether the state of the relay is unknown or old.
func (c *channel) due() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.health.Up || c.now().Sub(c.seen) >= probeEvery
}

func (c *channel) probe(ctx context.Context) {
	err := c.client.warm(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		c.setHealth(channels.Health{Reason: dialReason(err), Detail: scrub(err.Error())})
		return
	}
	c.setHealth(channels.Health{Up: true})
}

func (c *channel) setHealth(h channels.Health) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	was := c.health
	h.Since = now
	if was.Up == h.Up {
		h.Since = was.Since
	}
	if c.stopped {
		h.Up = false
	}
	c.health, c.seen = h, now
	switch {
	case c.stopped:
	case was.Up && !h.Up:
		c.log.Warn("mail relay down", "reason", string(h.Reason), "detail", h.Detail)
		select {
		case c.fell <- struct{}{}:
		default:
		}
	case !was.Up && h.Up:
		c.log.Info("mail relay up")
	}
}
