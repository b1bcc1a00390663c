package listen

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"tocsin/internal/clock"
	"tocsin/internal/traces"
	"tocsin/internal/wire/framing"
)

const (
	// gatherMost is how many messages one write to the disk holds.
	gatherMost = 2000
	// gatherFor is how long the first of them waits for others, without a pause
	// in what comes.
	gatherFor = 50 * time.Millisecond
	// connectionsMost bounds those who speak at once.
	connectionsMost = 1000
	// idleMost is how long a connection may say nothing.
	idleMost = 30 * time.Minute
	// retryPause is how long a full disk is left alone.
	retryPause = time.Second
	// lastPatience is how long the last messages may take to be written.
	lastPatience = 5 * time.Second
	// strangerPause is how often one stranger is told.
	strangerPause = time.Hour
	strangersMost = 1000
	// datagramMost is the longest datagram of UDP.
	datagramMost = 65536
	// socketBuffer is what the system keeps for us while we write, bytes.
	socketBuffer = 8 << 20
)

// Listener hears the sources of some formats.
type Listener struct {
	Service *traces.Service
	Log     *slog.Logger
	Clock   clock.Clock
	// Reader is the format that messages are read as; Formats are those that the
	// sources of this listener may have been declared with.
	Reader  string
	Formats []string
	// Mode is how a stream is cut.
	Mode framing.Mode
	// Rest gives the event of what followed a message longer than the bound; nil
	// reads it as a message.
	Rest func(dst []traces.Event, part []byte, received int64) []traces.Event
	// Open gives, for datagrams, what puts the parts of a message together; nil
	// takes each datagram for a message.
	Open func() Gatherer
	// Most is how many connections may speak at once, connectionsMost when zero;
	// Patience is how long one may stop in the middle of a message or of a greeting,
	// frameMost and greetMost when zero.
	Most     int
	Patience time.Duration

	mu        sync.Mutex
	strangers map[netip.Addr]time.Time
}

// Gatherer puts the datagrams of one message together.
type Gatherer interface {
	// Add gives a whole message, or false when more is to come. now is UTC
	// microseconds.
	Add(from string, datagram []byte, now int64) (message []byte, ok bool)
	// GivenUp gives, once, the messages of which parts will not come any more.
	// Waits is how long a part may be waited for.
	GivenUp(now int64) []Remnant
	Waits() time.Duration
}

// Remnant is what came of a message of which a part is missing.
type Remnant struct {
	From string
	// Read adds the event that keeps it, and says what is missing.
	Read func(dst []traces.Event, received int64) ([]traces.Event, error)
}

// heard is what waits to be written, of one speaker.
type heard struct {
	from    traces.Speaker
	events  []traces.Event
	reasons []error
}

// add has a message parsed. The message is copied: what it was read in is used
// again.
func (l *Listener) add(h *heard, message []byte, received int64) {
	before := len(h.events)
	var unread error
	h.events, unread = l.Service.Reader(l.Reader, h.from).Parse(h.events, bytes.Clone(message), received)
	for range len(h.events) - before {
		h.reasons = append(h.reasons, unread)
	}
}

// keep writes what waits, again and again until the disk takes it or ctx ends.
// No message is read meanwhile: the system's buffers fill, then the senders wait.
func (l *Listener) keep(ctx context.Context, h *heard) error {
	for told := false; len(h.events) > 0; {
		err := l.Service.Take(ctx, h.from, h.events, h.reasons)
		switch {
		case err == nil:
			h.events, h.reasons = h.events[:0], h.reasons[:0]
		case ctx.Err() != nil:
			return err
		default:
			if !told {
				l.Log.Error("traces wait to be written", "source", h.from.Name, "err", err)
				told = true
			}
			select {
			case <-l.Clock.After(retryPause):
			case <-ctx.Done():
			}
		}
	}
	return nil
}

// keepLast writes what was read before an end, and does not wait for a full disk.
func (l *Listener) keepLast(ctx context.Context, h *heard) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPatience)
	defer cancel()
	return l.keep(ctx, h)
}

// who recognises a sender; a stranger is told in the log.
func (l *Listener) who(ctx context.Context, from netip.Addr) (traces.Speaker, bool) {
	s, err := l.Service.ByAddress(ctx, from, l.Formats...)
	if err == nil {
		return s, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Clock.Now()
	if last, known := l.strangers[from]; known && now.Sub(last) < strangerPause {
		return s, false
	}
	if l.strangers == nil || len(l.strangers) >= strangersMost {
		l.strangers = map[netip.Addr]time.Time{}
	}
	l.strangers[from] = now
	l.Log.Warn("traces of a stranger are not taken: give this address to a source", "address", from.String(), "formats", l.Formats, "err", err)
	return s, false
}

// Packets hears datagrams until ctx ends.
func (l *Listener) Packets(ctx context.Context, c *net.UDPConn) error {
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })()
	if err := c.SetReadBuffer(socketBuffer); err != nil {
		l.Log.Warn("traces: the system gives a small buffer for datagrams", "err", err)
	}
	var whole Gatherer
	if l.Open != nil {
		whole = l.Open()
	}
	p := packets{l: l, conn: c, whole: whole, buf: make([]byte, datagramMost), of: map[netip.Addr]*heard{}}
	for ctx.Err() == nil {
		if err := p.portion(ctx); err != nil {
			if ctx.Err() != nil {
				break
			}
			return errors.Join(fmt.Errorf("hear datagrams: %w", err), c.Close())
		}
	}
	// What still waits for a part will not get it: it is kept as it is.
	clear(p.of)
	p.remnants(context.WithoutCancel(ctx), math.MaxInt64)
	return errors.Join(p.keep(ctx), c.Close())
}

// packets is one socket of datagrams.
type packets struct {
	l     *Listener
	conn  *net.UDPConn
	whole Gatherer
	buf   []byte
	of    map[netip.Addr]*heard
}

// portion waits for a datagram, reads those behind it, and has them all kept.
func (p *packets) portion(ctx context.Context) error {
	clear(p.of)
	var end time.Time
	if p.whole != nil { // a part that does not come is noticed without another
		end = p.l.Clock.Now().Add(p.whole.Waits())
	}
	for n := 0; n < gatherMost; n++ {
		if err := p.conn.SetReadDeadline(end); err != nil {
			return fmt.Errorf("set deadline: %w", err)
		}
		if ctx.Err() != nil { // its end may have come before our deadline
			return context.Cause(ctx)
		}
		size, from, err := p.conn.ReadFromUDPAddrPort(p.buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return fmt.Errorf("read datagram: %w", err)
		}
		if n == 0 {
			end = p.l.Clock.Now().Add(gatherFor)
		}
		p.hear(ctx, from.Addr().Unmap(), p.buf[:size])
	}
	p.remnants(ctx, p.l.Clock.Now().UnixMicro())
	return p.keep(ctx)
}

// keep writes what was heard.
func (p *packets) keep(ctx context.Context) error {
	var errs []error
	for _, h := range p.of {
		if ctx.Err() != nil {
			errs = append(errs, p.l.keepLast(ctx, h))
			continue
		}
		errs = append(errs, p.l.keep(ctx, h))
	}
	return errors.Join(errs...)
}

func (p *packets) hear(ctx context.Context, from netip.Addr, datagram []byte) {
	now := p.l.Clock.Now().UnixMicro()
	if p.whole != nil {
		var ok bool
		if datagram, ok = p.whole.Add(from.String(), datagram, now); !ok {
			return
		}
	}
	if h := p.speaker(ctx, from); h != nil {
		p.l.add(h, datagram, now)
	}
}

// speaker is what waits to be written of a sender; nil for a stranger.
func (p *packets) speaker(ctx context.Context, from netip.Addr) *heard {
	h := p.of[from]
	if h == nil {
		s, known := p.l.who(ctx, from)
		if !known {
			return nil
		}
		h = &heard{from: s}
		p.of[from] = h
	}
	return h
}

// remnants lays what will not be whole any more with what was heard.
func (p *packets) remnants(ctx context.Context, now int64) {
	if p.whole == nil {
		return
	}
	received := p.l.Clock.Now().UnixMicro()
	for _, r := range p.whole.GivenUp(now) {
		from, err := netip.ParseAddr(r.From)
		if err != nil {
			continue // it was never written by us
		}
		if h := p.speaker(ctx, from); h != nil {
			var missing error
			h.events, missing = r.Read(h.events, received)
			h.reasons = append(h.reasons, missing)
		}
	}
}

// Streams hears connections until ctx ends, then lets those open finish what
// they read.
func (l *Listener) Streams(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	var open sync.WaitGroup
	defer open.Wait()
	most := cmp.Or(l.Most, connectionsMost)
	slots := make(chan struct{}, most)
	for {
		c, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				return c.Close()
			}
			return nil
		case err != nil:
			var temporary net.Error
			if errors.As(err, &temporary) && temporary.Timeout() {
				continue
			}
			return fmt.Errorf("hear connections: %w", err)
		}
		select {
		case slots <- struct{}{}:
			open.Go(func() {
				defer func() { <-slots }()
				l.stream(ctx, c)
			})
		default:
			l.Log.Warn("traces: too many connections at once", "most", most)
			_ = c.Close()
		}
	}
}

// stream hears one connection to its end.
func (l *Listener) stream(ctx context.Context, c net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	defer func() { _ = c.Close() }()
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return
	}
	if !l.greet(ctx, c) {
		return
	}
	if err := l.read(ctx, c, from.Addr().Unmap()); err != nil && ctx.Err() == nil {
		l.Log.Info("a connection of traces ended", "from", from.Addr().String(), "err", err)
	}
}

// read cuts a stream in messages and has them kept, as many at once as came.
func (l *Listener) read(ctx context.Context, c net.Conn, from netip.Addr) error {
	s, known := l.who(ctx, from)
	if !known {
		return nil
	}
	h := heard{from: s}
	unhurried := &paced{ctx: ctx, conn: c, clock: l.Clock, most: cmp.Or(l.Patience, frameMost)}
	scanner := framing.NewScanner(unhurried, l.Mode, traces.MaxRaw)
	unhurried.within = scanner.Within
	for {
		if ctx.Err() != nil {
			return l.keepLast(ctx, &h)
		}
		f, err := scanner.Next()
		unhurried.since = time.Time{}
		if err != nil {
			// What came before the end is kept, whatever the end was.
			kept := l.keepLast(ctx, &h)
			if errors.Is(err, io.EOF) {
				return kept
			}
			return errors.Join(err, kept)
		}
		switch {
		case len(f.Message) == 0:
		case f.Continues && l.Rest != nil:
			h.events = l.Rest(h.events, bytes.Clone(f.Message), l.Clock.Now().UnixMicro())
			h.reasons = append(h.reasons, nil)
		default:
			l.add(&h, f.Message, l.Clock.Now().UnixMicro())
		}
		if len(h.events) >= gatherMost || (len(h.events) > 0 && !scanner.Buffered()) {
			if err := l.keep(ctx, &h); err != nil {
				return err
			}
		}
	}
}
