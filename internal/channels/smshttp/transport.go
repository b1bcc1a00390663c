package smshttp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// errForbidden means that a name leads to a machine that is no provider.
var errForbidden = errors.New("smshttp: this address is not allowed")

// answerMost bounds what is read of an answer.
const answerMost = 64 << 10

// newTransport dials only what may be a provider, whatever the name resolves to
// at that moment. A GET is made on a connection of its own: on a kept one the
// standard library could repeat it by itself.
func newTransport(c *config, loopback bool) *http.Transport {
	dialer := &net.Dialer{Timeout: c.connect, Control: func(_, address string, _ syscall.RawConn) error {
		return allowed(address, loopback)
	}}
	t := &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: c.tls.Clone(), TLSHandshakeTimeout: c.connect, ResponseHeaderTimeout: c.response,
		MaxIdleConnsPerHost: c.connections, MaxConnsPerHost: 2 * c.connections, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: answerMost,
		DisableKeepAlives: c.method == http.MethodGet, DisableCompression: true, ForceAttemptHTTP2: true,
	}
	if c.proxy != nil {
		t.Proxy = http.ProxyURL(c.proxy)
	}
	return t
}

// allowed refuses this machine, the link's own addresses (where clouds keep
// their secrets) and what is no single machine. A private address is allowed:
// a gateway on the hospital's own network is an ordinary thing.
func allowed(address string, loopback bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errForbidden
	}
	ip := at.Addr().Unmap()
	switch {
	case ip.IsLoopback() && loopback:
		return nil
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return errForbidden
	}
	return nil
}

// reach connects without asking anything.
func (c *channel) reach(ctx context.Context) error {
	u := c.config.target()
	if c.config.proxy != nil {
		u = c.config.proxy
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.connect)
	defer cancel()
	dial := c.transport.DialContext
	conn, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	if u.Scheme != "https" {
		return conn.Close()
	}
	return handshake(ctx, conn, c.config.tls, u.Hostname())
}
