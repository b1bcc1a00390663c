package app

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"tocsin/internal/clock"
)

// certificate reads its files again when they change, so that a renewal needs
// no restart in the middle of an alert.
type certificate struct {
	cert, key string
	clock     clock.Clock

	mu      sync.Mutex
	checked time.Time
	stamp   time.Time
	pair    *tls.Certificate
}

func newCertificate(cert, key string, c clock.Clock) *certificate {
	return &certificate{cert: cert, key: key, clock: c}
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.get() }}
}

// get looks at the files at most once a minute. A renewal that cannot be read
// leaves the previous pair in use.
func (c *certificate) get() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	if c.pair != nil && now.Sub(c.checked) < time.Minute {
		return c.pair, nil
	}
	c.checked = now
	info, err := os.Stat(c.cert)
	if err == nil && c.pair != nil && info.ModTime().Equal(c.stamp) {
		return c.pair, nil
	}
	pair, loadErr := tls.LoadX509KeyPair(c.cert, c.key)
	if loadErr != nil {
		if c.pair != nil {
			return c.pair, nil
		}
		return nil, fmt.Errorf("certificate: %w", loadErr)
	}
	if err == nil {
		c.stamp = info.ModTime()
	}
	c.pair = &pair
	return c.pair, nil
}
