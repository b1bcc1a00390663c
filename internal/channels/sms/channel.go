package sms

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/wire/smpp"
)

// The waits between two tries of a bind: doubled each time, and jittered so
// that several binds, or several hospitals, do not come back at once.
const (
	firstBackoff = 250 * time.Millisecond
	maxBackoff   = 10 * time.Second
	// authBackoff is for a gateway that refuses who we are: operators lock an
	// account that insists.
	authBackoff = 30 * time.Second
	// steady is how long a session lasts to be called a success.
	steady = 10 * time.Second
	// drainPatience bounds the goodbye: what is in flight, then what is to acknowledge.
	drainPatience = 5 * time.Second
	// lostPatience is for a bind that another node may open in its place.
	lostPatience = 500 * time.Millisecond
)

// channel is one gateway: its binds, its pace and its way in.
type channel struct {
	config config
	log    *slog.Logger
	now    func() time.Time
	clock  clock.Clock
	pace   *pace
	ids    *ids
	// first is closed once the first bind was tried: until then a Send waits
	// rather than call the gateway down.
	first     chan struct{}
	firstOnce sync.Once

	mu        sync.Mutex
	senders   []*Client
	receivers int
	health    channels.Health
	opening   channels.Opening
}

func newChannel(cfg config, o channels.Opening) *channel {
	machine := clock.Real()
	return &channel{
		config: cfg, log: o.Log, now: o.Now, clock: machine, opening: o,
		pace: newPace(cfg.rate, machine), ids: newIDs(cfg.idFormat), first: make(chan struct{}),
		health: channels.Health{Since: o.Now(), Reason: channels.ReasonUnreachable},
	}
}

// options of a session of the given mode.
func (c *channel) options(mode smpp.Command, in *inbound) ClientOptions {
	o := ClientOptions{
		Address: c.config.address, TLS: c.config.tls, Mode: mode, Bind: c.config.bind, Window: c.config.window,
		Connect: c.config.connect, Response: c.config.response, Enquire: c.config.enquire,
	}
	if in != nil {
		o.Deliver, o.Accepted = in.take, c.ids.remember
	}
	return o
}

// Check binds and unbinds, or tests the link when the channel is up: gateways
// count the binds of an account.
func (c *channel) Check(ctx context.Context) error {
	if client := c.pick(); client != nil {
		if err := client.Enquire(ctx); err != nil {
			return faultOf(err, c.config.address)
		}
		return nil
	}
	mode := smpp.BindTransceiver
	if c.config.separate {
		mode = smpp.BindTransmitter
	}
	client, err := Dial(ctx, c.options(mode, nil))
	if err != nil {
		return faultOf(err, c.config.address)
	}
	if err := client.Close(ctx); err != nil {
		c.log.Debug("smpp: the check did not end in good order", "error", err)
	}
	return nil
}

// Run keeps every bind alive until ctx ends.
func (c *channel) Run(ctx context.Context) error {
	in := newInbound(c.opening, c.ids)
	var group sync.WaitGroup
	for range max(c.config.binds, 1) {
		group.Go(func() { c.hold(ctx, in) })
	}
	group.Wait()
	in.close()
	c.firstOnce.Do(func() { close(c.first) })
	return nil
}

// hold keeps one bind alive whenever this node has the right to it.
func (c *channel) hold(ctx context.Context, in *inbound) {
	for ctx.Err() == nil {
		mine, giveBack := ctx, func() {}
		if c.opening.Links != nil {
			var err error
			if mine, giveBack, err = c.opening.Links.Take(ctx); err != nil {
				return
			}
		}
		if c.config.separate {
			var pair sync.WaitGroup
			pair.Go(func() { c.keep(mine, smpp.BindTransmitter, in) })
			pair.Go(func() { c.keep(mine, smpp.BindReceiver, in) })
			pair.Wait()
		} else {
			c.keep(mine, smpp.BindTransceiver, in)
		}
		giveBack()
	}
}

// keep dials, serves and dials again.
func (c *channel) keep(ctx context.Context, mode smpp.Command, in *inbound) {
	failures := 0
	for ctx.Err() == nil {
		started := c.clock.Now()
		err := c.session(ctx, mode, in)
		if ctx.Err() != nil {
			break
		}
		if c.clock.Now().Sub(started) > steady {
			failures = 0
		}
		c.lost(mode, err)
		select {
		case <-time.After(backoff(failures, reasonOf(err))):
		case <-ctx.Done():
		}
		failures++
	}
	c.stopped()
}

// backoff is the wait before the next try, with a jitter of half.
func backoff(failures int, reason channels.Reason) time.Duration {
	wait := min(firstBackoff<<min(failures, 10), maxBackoff)
	if reason == channels.ReasonAuth {
		wait = min(4*firstBackoff<<min(failures, 10), authBackoff)
	}
	return wait/2 + rand.N(wait/2)
}

// session lives from a bind to its end, and says why it ended.
func (c *channel) session(ctx context.Context, mode smpp.Command, in *inbound) error {
	client, err := Dial(ctx, c.options(mode, in))
	if err != nil {
		return err
	}
	c.bound(client, mode)
	c.log.Info("smpp: bound", "mode", mode.String(), "gateway", c.config.address)
	select {
	case <-client.Done():
		c.unbound(client, mode)
		return errors.Join(client.Err(), client.Abort())
	case <-ctx.Done():
	}
	c.unbound(client, mode)
	patience := drainPatience
	if errors.Is(context.Cause(ctx), channels.ErrLinkLost) {
		patience = lostPatience
	}
	goodbye, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client.Drain(goodbye)
	in.drain(goodbye)
	if err := client.Close(goodbye); err != nil {
		c.log.Debug("smpp: the session did not end in good order", "error", err)
	}
	return nil
}

func (c *channel) bound(client *Client, mode smpp.Command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if mode != smpp.BindReceiver {
		c.senders = append(c.senders, client)
	}
	if mode != smpp.BindTransmitter {
		c.receivers++
	}
	c.judge(channels.ReasonNone, "")
	if mode != smpp.BindReceiver {
		c.firstOnce.Do(func() { close(c.first) })
	}
}

func (c *channel) unbound(client *Client, mode smpp.Command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.senders = slices.DeleteFunc(c.senders, func(other *Client) bool { return other == client })
	if mode != smpp.BindTransmitter {
		c.receivers--
	}
	c.judge(channels.ReasonUnreachable, "")
}

func (c *channel) lost(mode smpp.Command, err error) {
	c.log.Warn("smpp: no session; trying again", "mode", mode.String(), "gateway", c.config.address, "error", err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.judge(reasonOf(err), err.Error())
	if mode != smpp.BindReceiver {
		c.firstOnce.Do(func() { close(c.first) })
	}
}

func (c *channel) stopped() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.judge(channels.ReasonUnreachable, "stopped")
}

// judge renews the health; the reason counts only when something is missing.
// Up means that messages leave and that news come back.
func (c *channel) judge(reason channels.Reason, detail string) {
	up := len(c.senders) > 0 && c.receivers > 0
	if up {
		reason, detail = channels.ReasonNone, ""
	} else if reason == channels.ReasonNone {
		reason = channels.ReasonUnreachable
	}
	if up != c.health.Up {
		c.health.Since = c.now()
	}
	c.health.Up, c.health.Reason, c.health.Detail = up, reason, detail
}

// Health is the state of the binds.
func (c *channel) Health() channels.Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health
}

// pick returns the session with the most room, nil when there is none.
func (c *channel) pick() *Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	var best *Client
	load := 0
	for _, client := range c.senders {
		if l := client.Load(); best == nil || l < load {
			best, load = client, l
		}
	}
	return best
}
