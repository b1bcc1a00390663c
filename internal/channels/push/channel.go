package push

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	webpush "github.com/SherClockHolmes/webpush-go"
	"golang.org/x/time/rate"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
)

const (
	// answerMost bounds what is read of an answer.
	answerMost = 16 << 10
	// throttleWait is the wait when a service asks to slow down and names none.
	throttleWait = 5 * time.Second
	// lookEvery is how often a service that did not answer is looked at.
	lookEvery = 15 * time.Second
)

var errForbidden = errors.New("push: this address is not allowed")

// channel speaks to push services under one pair of keys.
type channel struct {
	config  config
	devices channels.Devices
	// outside reaches the services of browsers, named those an administrator named.
	outside, named *http.Client
	limiter        *rate.Limiter
	log            *slog.Logger
	now            func() time.Time

	pulse *channels.Pulse

	mu sync.Mutex
	// lost is the service that did not answer last; nil when all do.
	lost      *url.URL
	lostNamed bool
}

func newChannel(cfg config, o channels.Opening) *channel {
	c := &channel{config: cfg, devices: o.Devices, log: o.Log, now: o.Now, limiter: rate.NewLimiter(rate.Inf, 1), pulse: channels.NewPulse(o.Now)}
	if cfg.rate > 0 {
		c.limiter = rate.NewLimiter(rate.Limit(cfg.rate), max(1, int(cfg.rate/20)))
	}
	c.outside, c.named = c.client(false), c.client(true)
	return c
}

// client dials only what may be a push service, whatever the name resolves to at
// that moment: a name of the outside never leads inside.
func (c *channel) client(named bool) *http.Client {
	dialer := &net.Dialer{Timeout: c.config.timeout, Control: func(_, address string, _ syscall.RawConn) error {
		return reachable(address, named, c.config.loopback)
	}}
	return &http.Client{
		Timeout: c.config.timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: c.config.timeout, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			MaxIdleConnsPerHost: c.config.connections, MaxConnsPerHost: c.config.connections, IdleConnTimeout: time.Minute,
			MaxResponseHeaderBytes: answerMost, DisableCompression: true, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func reachable(address string, named, loopback bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errForbidden
	}
	ip := at.Addr().Unmap()
	switch {
	case ip.IsLoopback() && loopback:
		return nil
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), !named && (ip.IsPrivate() || !ip.IsGlobalUnicast()):
		return errForbidden
	}
	return nil
}

// Run looks at the service that did not answer until ctx ends.
func (c *channel) Run(ctx context.Context) error {
	defer c.pulse.Begin()()
	c.pulse.Seen(channels.ReasonNone, "") // services are many, and none is asked before there is something to say
	defer func() {
		c.outside.CloseIdleConnections()
		c.named.CloseIdleConnections()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-clock.Real().After(lookEvery):
		}
		c.mu.Lock()
		lost, named := c.lost, c.lostNamed
		c.mu.Unlock()
		if lost != nil && c.dial(ctx, lost, named) == nil {
			c.seen(lost, named, nil)
		}
	}
}

// seen notes whether a service answered.
func (c *channel) seen(service *url.URL, named bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.lost, c.lostNamed = service, named
		c.pulse.Seen(channels.ReasonUnreachable, withoutAddress(err))
	case c.lost == nil || c.lost.Host == service.Host:
		c.lost = nil
		c.pulse.Seen(channels.ReasonNone, "")
	}
}

// Health is what the last exchange showed.
func (c *channel) Health() channels.Health { return c.pulse.Health() }

// Send notifies the devices of a person, once each.
func (c *channel) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	if err := c.limiter.Wait(ctx); err != nil {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: err.Error(), RetryAfter: throttleWait}
	}
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	if c.devices == nil {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "nobody knows the devices"}
	}
	list, err := c.devices.Devices(ctx, m.To)
	if err != nil {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: "the devices could not be looked up"}
	}
	all := channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "every device was taken back"}
	for i, d := range list {
		one := c.notify(ctx, m, d)
		if i == 0 {
			all = one
		} else {
			all = better(all, one)
		}
	}
	return all
}

// better is the outcome for a person of whose devices one did this and others
// that: one that has the message is enough, one that may have it later is hope.
func better(a, b channels.Outcome) channels.Outcome {
	rank := func(o channels.Outcome) int {
		return map[channels.State]int{channels.Accepted: 2, channels.Retry: 1}[o.State]
	}
	if rank(b) > rank(a) {
		a, b = b, a
	}
	if b.State == channels.Accepted {
		a.ProviderIDs = append(a.ProviderIDs, b.ProviderIDs...)
	}
	a.Uncertain = a.Uncertain || b.Uncertain
	return a
}

// notify sends to one device.
func (c *channel) notify(ctx context.Context, m channels.Message, d channels.Device) channels.Outcome {
	u, named, ok := c.config.allowed(d.Endpoint)
	if !ok {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonPolicy, Detail: "not the address of a known push service"}
	}
	if !m.MayLeave() {
		return channels.Withheld()
	}
	out := c.try(ctx, m, d, u, named)
	if out.State == channels.Refused && out.Reason != channels.ReasonPolicy {
		if err := c.devices.Gone(ctx, d.ID); err != nil {
			c.log.Warn("a device that is gone could not be noted", "error", err)
		}
	}
	return out
}

func (c *channel) try(ctx context.Context, m channels.Message, d channels.Device, u *url.URL, named bool) channels.Outcome {
	text, err := payload(m)
	if err != nil {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonPolicy, Detail: err.Error()}
	}
	client := c.outside
	if named {
		client = c.named
	}
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	answer, err := webpush.SendNotificationWithContext(ctx, text, &webpush.Subscription{
		Endpoint: d.Endpoint, Keys: webpush.Keys{P256dh: d.Key, Auth: d.Secret},
	}, &webpush.Options{
		HTTPClient: client, Subscriber: c.config.contact, VAPIDPublicKey: c.config.public, VAPIDPrivateKey: c.config.private,
		TTL: c.life(m), Urgency: webpush.UrgencyHigh, RecordSize: recordOf(len(text)),
	})
	if err != nil {
		return c.failure(err, u, named, wrote.Load())
	}
	// A connection is used again once what it said was read.
	_, readErr := io.Copy(io.Discard, io.LimitReader(answer.Body, answerMost))
	if err := errors.Join(readErr, answer.Body.Close()); err != nil {
		c.log.Debug("answer of a push service", "error", withoutAddress(err))
	}
	c.seen(u, named, nil)
	return c.outcome(answer)
}

// recordOf is what a message is padded to: a service that carries it learns one of
// three sizes, and a telephone on a bad network does not wait for four thousand empty octets.
func recordOf(length int) uint32 {
	const around = 150 // the header of RFC 8188, the key, the tag
	for _, size := range []uint32{1024, 2048} {
		if length+around <= int(size) {
			return size
		}
	}
	return webpush.MaxRecordSize
}

// life is how long a service keeps the message for a telephone that is off, in seconds.
func (c *channel) life(m channels.Message) int {
	if m.ExpiresAt.IsZero() {
		return int((4 * time.Hour).Seconds())
	}
	return max(1, int(m.ExpiresAt.Sub(c.now()).Seconds()))
}

// outcome reads the status of RFC 8030, § 5 to 7.
func (c *channel) outcome(a *http.Response) channels.Outcome {
	detail := "status " + strconv.Itoa(a.StatusCode)
	switch {
	case a.StatusCode >= 200 && a.StatusCode < 300:
		out := channels.Outcome{State: channels.Accepted}
		if at, err := a.Location(); err == nil {
			out.ProviderIDs = []string{at.String()}
		}
		return out
	case a.StatusCode == http.StatusNotFound, a.StatusCode == http.StatusGone:
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: detail}
	case a.StatusCode == http.StatusTooManyRequests:
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: detail, RetryAfter: c.asked(a, throttleWait), Alone: true}
	case a.StatusCode >= 500:
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: detail, RetryAfter: c.asked(a, throttleWait), Alone: true}
	}
	if a.StatusCode == http.StatusBadRequest || a.StatusCode == http.StatusRequestEntityTooLarge {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonPolicy, Detail: detail}
	}
	// 401 and 403 too: the browser subscribed under another key, and must again.
	return channels.Outcome{State: channels.Refused, Reason: channels.ReasonRejected, Detail: detail}
}

// asked is the wait a service asks for, between a second and an hour.
func (c *channel) asked(a *http.Response, otherwise time.Duration) time.Duration {
	said := a.Header.Get("Retry-After")
	if n, err := strconv.Atoi(said); err == nil && n > 0 {
		return min(time.Duration(n)*time.Second, time.Hour)
	}
	if at, err := http.ParseTime(said); err == nil {
		return min(max(at.Sub(c.now()), time.Second), time.Hour)
	}
	return otherwise
}

// failure is an exchange without an answer, or a device whose keys are no keys.
func (c *channel) failure(err error, u *url.URL, named, wrote bool) channels.Outcome {
	var ue *url.Error
	if !errors.As(err, &ue) {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "the keys of the device are no keys"}
	}
	out := channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: withoutAddress(err), Uncertain: wrote}
	switch {
	case errors.Is(err, errForbidden):
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonPolicy, Detail: "the name leads inside"}
	case wrote && ue.Timeout():
		out.Reason = channels.ReasonTimeout
	case !wrote:
		out.GatewayDown = true
		c.seen(u, named, err)
	}
	return out
}

// withoutAddress is the cause alone: the address of a device is its secret.
func withoutAddress(err error) string {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return err.Error()
}

// dial connects, and says nothing.
func (c *channel) dial(ctx context.Context, u *url.URL, named bool) error {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	transport := c.outside.Transport
	if named {
		transport = c.named.Transport
	}
	t, ok := transport.(*http.Transport)
	if !ok {
		return errForbidden
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.timeout)
	defer cancel()
	conn, err := t.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	return conn.Close()
}

// Check connects to the first service that an administrator named, or else to
// that of a browser.
func (c *channel) Check(ctx context.Context) error {
	host, named := browsers()[0], false
	if len(c.config.services) > 0 {
		host, named = c.config.services[0], true
	}
	if err := c.dial(ctx, &url.URL{Scheme: "https", Host: host}, named); err != nil {
		return fault.Wrap(err, fault.Unavailable, "channels.webpush.unreachable", "host", host)
	}
	return nil
}
