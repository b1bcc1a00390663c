package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"tocsin/internal/fault"
)

// ErrForbidden means that a name leads to a machine that may not be called.
var ErrForbidden = errors.New("web: this address is not allowed")

// AnswerMost bounds what is read of an answer, unless Options say otherwise.
const AnswerMost = 64 << 10

// Options say how a Client calls.
type Options struct {
	TLS *tls.Config
	// Proxy is the only one used; nil calls directly.
	Proxy *url.URL
	// Connect and Response bound the two waits of a call.
	Connect, Response time.Duration
	// Connections is how many are kept open to one machine.
	Connections int
	// AnswerMost bounds what is read of an answer; 0 is the constant of that name.
	AnswerMost int64
	// Fresh makes every call on a connection of its own: the standard library could
	// repeat a GET by itself on a kept one.
	Fresh bool
	// Loopback lets it call this machine: tests and demonstrations only.
	Loopback bool
}

// Client calls one service.
type Client struct {
	options   Options
	transport *http.Transport
	client    *http.Client
}

// New returns a client that dials only what may be a service, whatever the name
// resolves to at that moment.
func New(o Options) *Client {
	if o.AnswerMost == 0 {
		o.AnswerMost = AnswerMost
	}
	if o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	dialer := &net.Dialer{Timeout: o.Connect, Control: func(_, address string, _ syscall.RawConn) error {
		return allowed(address, o.Loopback)
	}}
	t := &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: o.TLS.Clone(), TLSHandshakeTimeout: o.Connect, ResponseHeaderTimeout: o.Response,
		MaxIdleConnsPerHost: o.Connections, MaxConnsPerHost: 2 * o.Connections, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: AnswerMost,
		DisableKeepAlives: o.Fresh, DisableCompression: true, ForceAttemptHTTP2: true,
	}
	if o.Proxy != nil {
		t.Proxy = http.ProxyURL(o.Proxy)
	}
	return &Client{o, t, &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Close ends the connections that nobody uses.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// allowed refuses this machine, the link's own addresses (where clouds keep
// their secrets) and what is no single machine. A private address is allowed:
// a service on the hospital's own network is an ordinary thing.
func allowed(address string, loopback bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrForbidden
	}
	ip := at.Addr().Unmap()
	switch {
	case ip.IsLoopback() && loopback:
		return nil
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return ErrForbidden
	}
	return nil
}

// Request is one call.
type Request struct {
	Method, URL string
	// Body is what a request other than GET carries.
	Body, ContentType string
	Header            []Pair
}

// Answer is one exchange.
type Answer struct {
	Status int
	Header http.Header
	// Text is what was read, within the bound; Over tells that there was more.
	Text string
	Over bool
	// Err is why there was no answer.
	Err error
	// Wrote tells that the request may have been read whole: from its first octet on.
	Wrote bool
}

// TimedOut tells that the service took the request and said nothing in time.
func (a Answer) TimedOut() bool {
	ne, isNet := errors.AsType[net.Error](a.Err)
	return a.Wrote && (isNet && ne.Timeout() || errors.Is(a.Err, context.DeadlineExceeded) || errors.Is(a.Err, context.Canceled))
}

// Ask calls once.
func (c *Client) Ask(ctx context.Context, r Request) Answer {
	ctx, cancel := context.WithTimeout(ctx, c.options.Connect+c.options.Response)
	defer cancel()
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { wrote.Store(true) },
	})
	var carried io.Reader
	if r.Method != http.MethodGet {
		carried = strings.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, carried)
	if err != nil {
		return Answer{Err: err}
	}
	req.Header.Set("User-Agent", "tocsin")
	if carried != nil && r.ContentType != "" {
		req.Header.Set("Content-Type", r.ContentType)
	}
	for _, h := range r.Header {
		req.Header.Set(h.Name, OneLine(h.Value))
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return Answer{Err: err, Wrote: wrote.Load()}
	}
	read, err := io.ReadAll(io.LimitReader(resp.Body, c.options.AnswerMost+1))
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Text: string(read), Err: err, Wrote: true}
	if int64(len(read)) > c.options.AnswerMost {
		a.Text, a.Over = a.Text[:c.options.AnswerMost], true
	}
	return a
}

// Reach connects to the machine of an address, or to the proxy, without asking anything.
func (c *Client) Reach(ctx context.Context, u *url.URL) error {
	if c.options.Proxy != nil {
		u = c.options.Proxy
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Connect)
	defer cancel()
	conn, err := c.transport.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	if u.Scheme != "https" {
		return conn.Close()
	}
	return handshake(ctx, conn, c.options.TLS, u.Hostname())
}

func handshake(ctx context.Context, conn net.Conn, cfg *tls.Config, name string) error {
	cfg = cfg.Clone()
	cfg.ServerName = name
	secured := tls.Client(conn, cfg)
	err := secured.HandshakeContext(ctx)
	return errors.Join(err, secured.Close())
}

// WithoutAddress is the cause alone: the address called may hold a text, a number, a secret.
func WithoutAddress(err error) string {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	return err.Error()
}

// Unreachable is the sentence of why a machine could not be called.
func Unreachable(err error, host string) error {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, clear := errors.AsType[tls.RecordHeaderError](err)
	_, unknown := errors.AsType[*net.DNSError](err)
	key := "web.unreachable"
	switch {
	case errors.Is(err, ErrForbidden):
		key = "web.forbidden"
	case untrusted:
		key = "web.certificate"
	case clear:
		key = "web.not_tls"
	case unknown:
		key = "web.unknown_name"
	}
	return fault.New(fault.Unavailable, key, "host", host)
}

// Refused is the sentence of what a trial was answered; nil for a success.
func (a Answer) Refused(host string) error {
	switch {
	case a.Status >= 200 && a.Status < 300:
		return nil
	case Usual(a.Status) == Auth:
		return fault.New(fault.Unavailable, "web.auth", "host", host)
	}
	return fault.New(fault.Unavailable, "web.status", "host", host, "status", a.Status)
}
