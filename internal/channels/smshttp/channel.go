package smshttp

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/wire/web"
)

// channel is one account at a provider.
type channel struct {
	config  config
	client  *web.Client
	limiter *rate.Limiter
	inbox   channels.Inbox
	log     *slog.Logger
	now     func() time.Time
	pulse   *channels.Pulse
}

func newChannel(cfg config, o channels.Opening, loopback bool) *channel {
	c := &channel{config: cfg, inbox: o.Inbox, log: o.Log, now: o.Now, pulse: channels.NewPulse(o.Now), limiter: rate.NewLimiter(rate.Inf, 1)}
	if cfg.rate > 0 {
		c.limiter = rate.NewLimiter(rate.Limit(cfg.rate), max(1, cfg.rate/20))
	}
	c.client = web.New(web.Options{
		TLS: cfg.tls, Proxy: cfg.proxy, Connect: cfg.connect, Response: cfg.response, Connections: cfg.connections, Fresh: cfg.method == http.MethodGet, Loopback: loopback,
	})
	return c
}

// target is the machine that is called.
func (c *config) target() *url.URL {
	u, err := url.Parse(web.FillURL(c.url, c.constants()))
	if err != nil { // checked when the settings were read
		return &url.URL{}
	}
	return u
}

// lookEvery is how often a provider that carries nothing is looked at.
const lookEvery = 30 * time.Second

// Run looks whether the provider can be reached until ctx ends.
func (c *channel) Run(ctx context.Context) error {
	end := c.pulse.Begin()
	defer func() {
		end()
		c.client.Close()
	}()
	for {
		err := c.client.Reach(ctx, c.config.target())
		if ctx.Err() != nil {
			return nil
		}
		c.seen(err)
		select {
		case <-ctx.Done():
			return nil
		case <-clock.Real().After(lookEvery):
		}
	}
}

// seen notes whether the provider could be reached.
func (c *channel) seen(err error) {
	if err != nil {
		c.pulse.Seen(channels.ReasonUnreachable, web.WithoutAddress(err))
		return
	}
	c.pulse.Seen(channels.ReasonNone, "")
}

// Health is what the last call or the last look showed.
func (c *channel) Health() channels.Health { return c.pulse.Health() }

// Send calls the provider once.
func (c *channel) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if !strings.HasPrefix(m.To, "+") || len(m.To) > 20 || strings.Trim(m.To[1:], "0123456789") != "" {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "not a telephone number"}
	}
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	if err := c.limiter.Wait(ctx); err != nil {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: err.Error(), RetryAfter: web.ThrottleWait}
	}
	if out, held := c.pulse.Hold(m); held { // the rate may have held it past its end
		return out
	}
	return c.try(ctx, m)
}

func (c *channel) try(ctx context.Context, m channels.Message) channels.Outcome {
	v := c.config.valuesOf(m, c.now())
	text, err := c.config.body.Encode(v)
	if err != nil {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonRejected, Detail: err.Error()}
	}
	address := web.FillURL(c.config.url, v)
	if c.config.method == http.MethodGet && text != "" {
		sep := "?"
		if strings.Contains(address, "?") {
			sep = "&"
		}
		address += sep + text
	}
	a := c.client.Ask(ctx, web.Request{Method: c.config.method, URL: address, Body: text, ContentType: c.config.body.ContentType(), Header: c.config.head(v)})
	if a.Err != nil {
		out := channels.Unanswered(a)
		if out.GatewayDown {
			c.seen(a.Err)
		}
		return out
	}
	c.seen(nil)
	return c.config.outcome(a, c.now())
}

// Check connects and, when the settings name an address for it, identifies.
func (c *channel) Check(ctx context.Context) error {
	target := c.config.target()
	if err := c.client.Reach(ctx, target); err != nil {
		return web.Unreachable(err, target.Host)
	}
	if c.config.check == "" {
		return nil
	}
	v := c.config.constants()
	a := c.client.Ask(ctx, web.Request{Method: http.MethodGet, URL: web.FillURL(c.config.check, v), Header: c.config.head(v)})
	if a.Err != nil {
		return web.Unreachable(a.Err, target.Host)
	}
	return a.Refused(target.Host)
}
