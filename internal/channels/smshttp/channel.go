package smshttp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
)

// channel is one account at a provider.
type channel struct {
	config    config
	transport *http.Transport
	client    *http.Client
	limiter   *rate.Limiter
	inbox     channels.Inbox
	log       *slog.Logger
	now       func() time.Time
	pulse     *channels.Pulse
}

func newChannel(cfg config, o channels.Opening, loopback bool) *channel {
	c := &channel{config: cfg, inbox: o.Inbox, log: o.Log, now: o.Now, pulse: channels.NewPulse(o.Now), limiter: rate.NewLimiter(rate.Inf, 1)}
	if cfg.rate > 0 {
		c.limiter = rate.NewLimiter(rate.Limit(cfg.rate), max(1, cfg.rate/20))
	}
	c.transport = newTransport(&c.config, loopback)
	c.client = &http.Client{Transport: c.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c
}

// target is the machine that is called.
func (c *config) target() *url.URL {
	u, err := url.Parse(fillURL(c.url, c.constants()))
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
		c.transport.CloseIdleConnections()
	}()
	for {
		err := c.reach(ctx)
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
		c.pulse.Seen(channels.ReasonUnreachable, withoutAddress(err))
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
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: err.Error(), RetryAfter: throttleWait}
	}
	if out, held := c.pulse.Hold(m); held { // the rate may have held it past its end
		return out
	}
	return c.try(ctx, m)
}

func (c *channel) try(ctx context.Context, m channels.Message) channels.Outcome {
	v := c.config.valuesOf(m, c.now())
	text, err := c.config.body.encode(v)
	if err != nil {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonRejected, Detail: err.Error()}
	}
	address := fillURL(c.config.url, v)
	a := c.ask(ctx, c.config.method, address, text, v)
	if a.err != nil {
		return c.failure(a)
	}
	c.seen(nil)
	return c.config.outcome(a.status, a.header, a.text, c.now())
}

// answered is one exchange; wrote tells that the request left whole.
type answered struct {
	status int
	header http.Header
	text   string
	err    error
	wrote  bool
}

func (c *channel) ask(ctx context.Context, method, address, text string, v values) answered {
	ctx, cancel := context.WithTimeout(ctx, c.config.connect+c.config.response)
	defer cancel()
	// From the first octet on, the provider may have read a whole request.
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { wrote.Store(true) },
	})
	var carried io.Reader
	if method == http.MethodGet && text != "" {
		sep := "?"
		if strings.Contains(address, "?") {
			sep = "&"
		}
		address += sep + text
	} else if method != http.MethodGet {
		carried = strings.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, carried)
	if err != nil {
		return answered{err: err}
	}
	req.Header.Set("User-Agent", "tocsin")
	if carried != nil {
		req.Header.Set("Content-Type", map[string]string{formatForm: "application/x-www-form-urlencoded", formatJSON: "application/json"}[c.config.body.format])
	}
	for _, h := range c.config.headers {
		req.Header.Set(h.name, oneLine(v.fill(h.value)))
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return answered{err: err, wrote: wrote.Load()}
	}
	read, err := io.ReadAll(io.LimitReader(resp.Body, answerMost))
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	return answered{status: resp.StatusCode, header: resp.Header, text: string(read), err: err, wrote: true}
}

// failure is an exchange without an answer.
func (c *channel) failure(a answered) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: withoutAddress(a.err), Uncertain: a.wrote}
	ne, isNet := errors.AsType[net.Error](a.err)
	switch {
	case a.wrote && (isNet && ne.Timeout() || errors.Is(a.err, context.DeadlineExceeded) || errors.Is(a.err, context.Canceled)):
		out.Reason = channels.ReasonTimeout
	case a.wrote:
		// Cut in the middle: this message may have left, the gateway may well live.
	default:
		out.GatewayDown = true
		c.seen(a.err)
	}
	return out
}

// withoutAddress is the cause alone: the address called holds the text and the number.
func withoutAddress(err error) string {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	return err.Error()
}

// Check connects and, when the settings name an address for it, identifies.
func (c *channel) Check(ctx context.Context) error {
	host := c.config.target().Host
	if err := c.reach(ctx); err != nil {
		return faultOf(err, host)
	}
	if c.config.check == "" {
		return nil
	}
	v := c.config.constants()
	a := c.ask(ctx, http.MethodGet, fillURL(c.config.check, v), "", v)
	if a.err != nil {
		return faultOf(a.err, host)
	}
	switch {
	case a.status >= 200 && a.status < 300:
		return nil
	case usual(a.status) == verdictAuth:
		return fault.New(fault.Unavailable, "channels.smshttp.auth", "host", host)
	}
	return fault.New(fault.Unavailable, "channels.smshttp.status", "host", host, "status", a.status)
}

func faultOf(err error, host string) error {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, clear := errors.AsType[tls.RecordHeaderError](err)
	_, unknown := errors.AsType[*net.DNSError](err)
	key := "channels.smshttp.unreachable"
	switch {
	case errors.Is(err, errForbidden):
		key = "channels.smshttp.forbidden"
	case untrusted:
		key = "channels.smshttp.certificate"
	case clear:
		key = "channels.smshttp.not_tls"
	case unknown:
		key = "channels.smshttp.unknown_name"
	}
	return fault.New(fault.Unavailable, key, "host", host)
}

func handshake(ctx context.Context, conn net.Conn, cfg *tls.Config, name string) error {
	cfg = cfg.Clone()
	cfg.ServerName = name
	secured := tls.Client(conn, cfg)
	err := secured.HandshakeContext(ctx)
	return errors.Join(err, secured.Close())
}
