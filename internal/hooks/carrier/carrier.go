// Package carrier is « Le facteur »: it takes a message to another program over
// HTTPS.
//
// It promises to look at the address that is dialled, after the name was
// resolved: a name that leads inside is refused however it is written; to
// follow no redirection; to wait and to read little.
//
// It never sends a cookie, never uses a proxy of the environment, never keeps
// what was answered.
package carrier

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"tocsin/internal/hooks"
)

// The reasons why nobody answered, as they are stored and shown.
var (
	errInside   = errors.New("inside")   // the name leads to an address that is not allowed
	errRedirect = errors.New("redirect") // the receiver sends elsewhere
	errTimeout  = errors.New("timeout")
	errNetwork  = errors.New("network")
	errStatus   = errors.New("status") // another answer than 200
	errBig      = errors.New("big")    // more than we read
)

// answerLimit is how much of an answer is read, to use the connection again.
const answerLimit = 16 << 10

// fetchLimit is the most that is read of an address, unpacked.
const fetchLimit = 1 << 20

// Carrier sends messages.
type Carrier struct {
	outside, inside *http.Client
}

// New returns a carrier. allow, when not nil, replaces the rule of addresses of
// the inside: tests listen on this machine.
func New(allow func(net.IP) bool) *Carrier {
	if allow == nil {
		allow = hooks.Reachable
	}
	return &Carrier{outside: client(hooks.Outside), inside: client(allow)}
}

func client(allowed func(net.IP) bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return errInside
		}
		if ip := net.ParseIP(host); ip == nil || !allowed(ip) {
			return errInside
		}
		return nil
	}}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second, MaxResponseHeaderBytes: 32 << 10,
			MaxConnsPerHost: 8, MaxIdleConns: 32, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
}

// Carry sends one message.
func (c *Carrier) Carry(ctx context.Context, p hooks.Parcel) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(p.Body))
	if err != nil {
		return 0, errNetwork
	}
	for name, value := range p.Header {
		r.Header.Set(name, value)
	}
	answer, err := c.client(p.Inside).Do(r)
	if err != nil {
		return statusOf(answer), reason(ctx, err)
	}
	_, readErr := io.Copy(io.Discard, io.LimitReader(answer.Body, answerLimit))
	if err := errors.Join(readErr, answer.Body.Close()); err != nil && answer.StatusCode >= 300 {
		return answer.StatusCode, reason(ctx, err)
	}
	return answer.StatusCode, nil
}

// Fetch reads an address, 1 MiB of it at most.
func (c *Carrier) Fetch(ctx context.Context, address string, inside bool) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errNetwork
	}
	r.Header.Set("User-Agent", "Tocsin")
	r.Header.Set("Accept", "application/cap+xml, application/atom+xml, application/rss+xml, application/xml, text/xml")
	answer, err := c.client(inside).Do(r)
	if err != nil {
		return nil, reason(ctx, err)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, fetchLimit+1))
	switch err = errors.Join(err, answer.Body.Close()); {
	case answer.StatusCode != http.StatusOK:
		return nil, errStatus
	case err != nil:
		return nil, reason(ctx, err)
	case len(body) > fetchLimit:
		return nil, errBig
	}
	return body, nil
}

func (c *Carrier) client(inside bool) *http.Client {
	if inside {
		return c.inside
	}
	return c.outside
}

// statusOf is the status of an answer that was refused, as a redirection is.
func statusOf(answer *http.Response) int {
	if answer == nil {
		return 0
	}
	return answer.StatusCode
}

// reason is one of our words: an address may be a secret, and errors name it.
func reason(ctx context.Context, err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errInside):
		return errInside
	case errors.Is(err, errRedirect):
		return errRedirect
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return errTimeout
	}
	return errNetwork
}
