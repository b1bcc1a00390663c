package listen

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"tocsin/internal/clock"
)

const (
	// frameMost is how long a message may take once its first bytes came: who stops
	// in the middle of one does not keep a place from others.
	frameMost = 2 * time.Minute
	// greetMost is how long the two sides may take to agree on a key.
	greetMost = 10 * time.Second
)

// greet has a connection of TLS agree on its key; a peer that hangs meanwhile is left.
func (l *Listener) greet(ctx context.Context, c net.Conn) bool {
	secure, ok := c.(*tls.Conn)
	if !ok {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(l.Patience, greetMost))
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		l.Log.Info("a connection of traces ended", "from", c.RemoteAddr().String(), "err", err)
		return false
	}
	return true
}

// paced is a connection that may say nothing for long between two messages, and not
// in the middle of one.
type paced struct {
	ctx    context.Context //nolint:containedctx // a reader has no other way to be told
	conn   net.Conn
	clock  clock.Clock
	within func() bool
	most   time.Duration
	// since is when a message was first waited for; zero between two.
	since time.Time
}

// Read implements io.Reader.
func (p *paced) Read(b []byte) (int, error) {
	now := p.clock.Now()
	end := now.Add(idleMost)
	if p.within() {
		if p.since.IsZero() {
			p.since = now
		}
		end = p.since.Add(p.most)
	}
	if err := p.conn.SetReadDeadline(end); err != nil {
		return 0, fmt.Errorf("set deadline: %w", err)
	}
	if p.ctx.Err() != nil { // its end may have come before our deadline
		return 0, context.Cause(p.ctx)
	}
	return p.conn.Read(b) //nolint:wrapcheck // it is a reader
}
