package bench

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// The line of the issue: 50 kbit/s and 1 s of latency, taken as the round trip,
// half of it each way.
const (
	lineRate  = 50_000 / 8 // octets per second
	roundTrip = time.Second
)

// throttled is a TCP relay as slow as a bad telephone line: each direction
// carries lineRate octets per second and delays them by half a round trip.
type throttled struct {
	listener net.Listener
	target   string
	delay    time.Duration
	rate     float64
	group    sync.WaitGroup
}

// throttle starts a relay to target on a free port of this machine.
func throttle(target string, delay time.Duration, rate float64) (*throttled, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &throttled{listener: l, target: target, delay: delay, rate: rate}
	t.group.Go(t.accept)
	return t, nil
}

func (t *throttled) address() string { return t.listener.Addr().String() }

// close ends the relay once its connections have ended.
func (t *throttled) close() error {
	err := t.listener.Close()
	t.group.Wait()
	return err
}

func (t *throttled) accept() {
	for {
		near, err := t.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", t.target)
		if err != nil {
			hangUp(near)
			continue
		}
		t.group.Go(func() {
			var both sync.WaitGroup
			both.Go(func() { t.carry(far, near) })
			both.Go(func() { t.carry(near, far) })
			both.Wait()
		})
	}
}

// parcel is what was read at once, and when it may arrive.
type parcel struct {
	data []byte
	at   time.Time
}

// carry copies one direction: the line is busy while a parcel passes, then the
// parcel travels.
func (t *throttled) carry(to, from net.Conn) {
	line := make(chan parcel, 1024)
	var writer sync.WaitGroup
	writer.Go(func() {
		for p := range line {
			time.Sleep(time.Until(p.at))
			if _, err := to.Write(p.data); err != nil {
				hangUp(from)
			}
		}
		hangUp(to)
	})
	free := time.Now()
	for {
		data := make([]byte, 512) // a page arrives little by little, not at once
		n, err := from.Read(data)
		if n > 0 {
			now := time.Now()
			if free.Before(now) {
				free = now
			}
			free = free.Add(time.Duration(float64(n) / t.rate * float64(time.Second)))
			line <- parcel{data[:n], free.Add(t.delay)}
		}
		if err != nil {
			break
		}
	}
	close(line)
	writer.Wait()
}

func hangUp(c io.Closer) {
	if err := c.Close(); err != nil {
		return // already closed
	}
}

// dialThrough connects as through the relay: the handshake of TCP itself costs
// a round trip, which a relay on this machine cannot delay.
func dialThrough(t *throttled, read *counter) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, t.address())
		if err != nil {
			return nil, err
		}
		select {
		case <-time.After(2 * t.delay):
		case <-ctx.Done():
			hangUp(conn)
			return nil, ctx.Err()
		}
		return &counted{conn, read}, nil
	}
}

// counter counts octets.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
}

func (c *counter) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// counted is a connection whose octets received are counted, headers included.
type counted struct {
	net.Conn
	read *counter
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.add(n)
	return n, err
}
