package smpp

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"time"

	"tocsin/internal/clock"
)

// ErrClosed is returned by a Conn that was closed.
var ErrClosed = errors.New("smpp: connection closed")

// maxPending bounds what waits to be written: beyond it Write blocks, until
// the peer reads or the write deadline passes.
const maxPending = 256 << 10

// Conn reads and writes PDUs on a connection, on either side. One goroutine
// reads; any number write. What is written while the network is busy leaves
// together in one system call.
type Conn struct {
	net    net.Conn
	reader *Reader
	write  time.Duration
	clock  clock.Clock

	mu      sync.Mutex
	wake    sync.Cond
	pending []byte
	closed  bool
	err     error
	done    chan struct{}
}

// Limits bound a connection. A zero Read or Write never expires; a zero
// MaxLength is DefaultMaxLength.
type Limits struct {
	// Read is how long the peer may stay silent, Write how long it may take to
	// read what is written.
	Read, Write time.Duration
	MaxLength   int
}

// NewConn takes over a connection; Close ends its writer.
func NewConn(c net.Conn, limits Limits) *Conn {
	conn := &Conn{net: c, write: limits.Write, clock: clock.Real(), done: make(chan struct{})}
	conn.wake.L = &conn.mu
	conn.reader = NewReader(bufio.NewReaderSize(&patientReader{c, limits.Read, conn.clock}, 64<<10), limits.MaxLength)
	go conn.flush()
	return conn
}

// patientReader gives each read its deadline.
type patientReader struct {
	net   net.Conn
	limit time.Duration
	clock clock.Clock
}

func (r *patientReader) Read(p []byte) (int, error) {
	if r.limit > 0 {
		if err := r.net.SetReadDeadline(r.clock.Now().Add(r.limit)); err != nil {
			return 0, err
		}
	}
	return r.net.Read(p)
}

// Next returns the next PDU; its body is valid until the next call.
func (c *Conn) Next() (Frame, error) { return c.reader.Next() }

// RemoteAddr is the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.net.RemoteAddr() }

// Write queues what appendPDU appends. It returns before the octets leave; an
// error of the network is returned by the calls that follow, and by Next. On an
// error of appendPDU nothing is queued.
func (c *Conn) Write(appendPDU func(dst []byte) ([]byte, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) >= maxPending && c.err == nil && !c.closed {
		c.wake.Wait()
	}
	if c.err != nil {
		return c.err
	}
	if c.closed {
		return ErrClosed
	}
	before := len(c.pending)
	out, err := appendPDU(c.pending)
	if err != nil {
		return err
	}
	c.pending = out
	if before == 0 {
		c.wake.Broadcast()
	}
	return nil
}

// Empty queues a PDU without body.
func (c *Conn) Empty(command Command, status Status, sequence uint32) error {
	return c.Write(func(dst []byte) ([]byte, error) {
		return AppendEmpty(dst, command, status, sequence), nil
	})
}

// flush is the only writer to the network.
func (c *Conn) flush() {
	defer close(c.done)
	var spare []byte
	for {
		batch, ok := c.take(spare)
		if !ok {
			return
		}
		if err := c.send(batch); err != nil {
			c.fail(err)
			return
		}
		spare = batch[:0]
	}
}

// take waits for something to write and leaves spare in its place.
func (c *Conn) take(spare []byte) ([]byte, bool) {
	c.mu.Lock()
	for len(c.pending) == 0 {
		if c.closed {
			c.mu.Unlock()
			return nil, false
		}
		c.wake.Wait()
	}
	c.mu.Unlock()
	// Let the other senders that are ready add theirs before the system call.
	runtime.Gosched()
	c.mu.Lock()
	defer c.mu.Unlock()
	batch := c.pending
	c.pending = spare
	c.wake.Broadcast()
	return batch, true
}

func (c *Conn) send(batch []byte) error {
	if c.write > 0 {
		if err := c.net.SetWriteDeadline(c.clock.Now().Add(c.write)); err != nil {
			return err
		}
	}
	_, err := c.net.Write(batch)
	return err
}

func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = fmt.Errorf("smpp: write: %w", err)
	c.wake.Broadcast()
	if closing := c.net.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
		c.err = errors.Join(c.err, closing)
	}
}

// Close writes what is queued, then closes the connection and waits for the writer.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.wake.Broadcast()
	c.mu.Unlock()
	<-c.done
	return ignoreClosed(c.net.Close())
}

// Abort closes at once, whatever is queued.
func (c *Conn) Abort() error {
	c.mu.Lock()
	c.closed = true
	c.pending = nil
	c.wake.Broadcast()
	c.mu.Unlock()
	err := ignoreClosed(c.net.Close())
	<-c.done
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
