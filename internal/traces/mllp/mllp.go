package mllp

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

const (
	// connectionsMost bounds those who speak at once.
	connectionsMost = 200
	// idleMost is how long a connection may say nothing: a quiet night of a small
	// establishment.
	idleMost = 4 * time.Hour
	// frameTime is how long one message may take to come, and an answer to leave.
	frameTime = 30 * time.Second
	// greetMost is how long the two sides may take to agree on a key.
	greetMost = 10 * time.Second
	// retryPause is how long a sender waits who could not be answered.
	retryPause    = time.Second
	strangerPause = time.Hour
	strangersMost = 1000
)

// Answer writes what the sender is told: err is nil when the message was kept.
type Answer func(err error, id string, now time.Time) []byte

// Listener hears the sources of one format of care.
type Listener struct {
	Service *traces.Service
	Log     *slog.Logger
	Clock   clock.Clock
	// Format is what the sources of this listener were declared with.
	Format string
	// Read understands a message, of a source whose times are of a zone, and gives
	// what answers it, also when it could not be understood. Errors: Invalid.
	Read func(message []byte, zone *time.Location, received int64) (traces.News, Answer, error)
	// Keep writes what it says; nil once it is on the disk.
	Keep func(ctx context.Context, organisation, source uuid.UUID, n traces.News) error

	// Most is how many connections may speak at once, connectionsMost when zero;
	// Patience is how long one may stop in the middle of a message or of a greeting,
	// frameTime and greetMost when zero.
	Most     int
	Patience time.Duration

	mu        sync.Mutex
	strangers map[netip.Addr]time.Time
}

// Serve hears connections until ctx ends, then lets those open finish the message
// under way.
func (l *Listener) Serve(ctx context.Context, listener net.Listener) error {
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
			return fmt.Errorf("hear messages of care: %w", err)
		}
		select {
		case slots <- struct{}{}:
			open.Go(func() {
				defer func() { <-slots }()
				l.hear(ctx, c)
			})
		default:
			l.Log.Warn("care: too many connections at once", "most", most)
			_ = c.Close()
		}
	}
}

// hear listens to one connection to its end.
func (l *Listener) hear(ctx context.Context, c net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	defer func() { _ = c.Close() }()
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return
	}
	if err := l.converse(ctx, c, from.Addr().Unmap()); err != nil && ctx.Err() == nil && !errors.Is(err, io.EOF) {
		l.Log.Info("a connection of care ended", "from", from.Addr().String(), "err", err)
	}
}

// converse reads messages and answers each, one after the other.
func (l *Listener) converse(ctx context.Context, c net.Conn, from netip.Addr) error {
	// A stranger is sent away before he says anything.
	if _, known := l.who(ctx, from); !known {
		return nil
	}
	if err := l.greet(ctx, c); err != nil {
		return err
	}
	r := bufio.NewReaderSize(c, 16<<10)
	var buf []byte
	for {
		if err := l.deadline(ctx, c, idleMost); err != nil {
			return err
		}
		if err := skip(r); err != nil {
			return err
		}
		if err := l.deadline(ctx, c, cmp.Or(l.Patience, frameTime)); err != nil {
			return err
		}
		var err error
		if buf, err = frame(r, buf); err != nil {
			return err
		}
		// The source may have been retired or given another address meanwhile.
		s, known := l.who(ctx, from)
		if !known {
			return nil
		}
		answer, err := l.take(ctx, s, buf)
		if err != nil {
			return err
		}
		if err := c.SetWriteDeadline(l.Clock.Now().Add(frameTime)); err != nil {
			return err
		}
		if _, err := c.Write(framed(answer)); err != nil {
			return err
		}
	}
}

// greet has a connection of TLS agree on its key; a peer that hangs meanwhile is left.
func (l *Listener) greet(ctx context.Context, c net.Conn) error {
	secure, ok := c.(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(l.Patience, greetMost))
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("agree on a key: %w", err)
	}
	return nil
}

// deadline sets how long the peer may take; a stop has set it in the past.
func (l *Listener) deadline(ctx context.Context, c net.Conn, d time.Duration) error {
	if err := c.SetReadDeadline(l.Clock.Now().Add(d)); err != nil {
		return err
	}
	return ctx.Err()
}

// take keeps a message and gives the answer. An error is for one that could not
// be kept: nothing is answered, and the sender has it still.
func (l *Listener) take(ctx context.Context, from traces.Speaker, message []byte) ([]byte, error) {
	now := l.Clock.Now()
	received := now.UnixMicro()
	zone, err := time.LoadLocation(from.Zone)
	if err != nil {
		zone = time.UTC
	}
	news, answer, unread := l.Read(message, zone, received)
	if unread == nil {
		keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), frameTime)
		defer cancel()
		err := l.Keep(keeping, from.Organisation(), from.ID, news)
		if f := fault.As(err); err != nil && (f == nil || f.Kind != fault.Invalid) {
			l.Log.Error("a message of care could not be kept: its sender has it still", "source", from.Name, "err", err)
			select { // a sender that tries again at once would not leave the disk alone
			case <-l.Clock.After(retryPause):
			case <-ctx.Done():
			}
			return nil, fmt.Errorf("keep a message of care: %w", err)
		}
		unread = err
	}
	l.Service.Heard(from, bytes.Clone(message), received, unread)
	return answer(unread, storage.NewID(now).String()[:18], now), nil
}

// who recognises a sender; a stranger is told in the log.
func (l *Listener) who(ctx context.Context, from netip.Addr) (traces.Speaker, bool) {
	s, err := l.Service.ByAddress(ctx, from, l.Format)
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
	l.Log.Warn("messages of care of a stranger are not taken: give this address to a source", "address", from.String(), "err", err)
	return s, false
}
