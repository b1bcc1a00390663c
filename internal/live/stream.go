package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"tocsin/internal/clock"
)

// Event is one server-sent event (HTML Living Standard, § 9.2).
type Event struct {
	// ID comes back as Last-Event-ID when the browser reconnects; may be empty.
	ID string
	// Name is the type the page listens to; "message" when empty.
	Name string
	Data []byte

	// body is Name and Data as they are written, once Ready made it.
	body []byte
}

// Ready returns the event written out once, for an event that many viewers are
// sent. Its Name and Data no longer change.
func Ready(e Event) Event {
	e.body = encodeBody(e)
	return e
}

// Options of a stream; a zero field takes the value in brackets.
type Options struct {
	// Heartbeat is the silence after which a comment keeps proxies from closing the link [15 s].
	Heartbeat time.Duration
	// WriteTimeout is how long one write may take before the viewer is dropped [10 s].
	WriteTimeout time.Duration
	// MaxAge ends the stream: the browser reconnects, and its rights are checked again [10 min].
	MaxAge time.Duration
	// Retry is what the browser waits before it reconnects [3 s].
	Retry time.Duration
	// Clock [the machine's].
	Clock clock.Clock
}

func (o Options) filled() Options {
	fill := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	fill(&o.Heartbeat, 15*time.Second)
	fill(&o.WriteTimeout, 10*time.Second)
	fill(&o.MaxAge, 10*time.Minute)
	fill(&o.Retry, 3*time.Second)
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	return o
}

// LastEventID returns the id of the last event that a browser which reconnects has seen.
func LastEventID(r *http.Request) string { return r.Header.Get("Last-Event-ID") }

// Stream writes what comes from the channel to the browser until the browser
// leaves, the channel closes or MaxAge is over; it then returns nil. It returns
// the error of a write that failed or took too long, or of render.
//
// An event that says the same as the one before, or that the browser has seen
// before it reconnected, is not written again. Compression must leave
// text/event-stream alone, and every http.ResponseWriter around w must have Unwrap.
func Stream[T any](w http.ResponseWriter, r *http.Request, o Options, from <-chan T, render func(T) (Event, error)) error {
	s := &stream{out: w, control: http.NewResponseController(w), options: o.filled(), seen: LastEventID(r)}
	if err := s.open(); err != nil {
		return err
	}
	end := s.options.Clock.After(s.options.MaxAge)
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-end:
			return nil
		case item, open := <-from:
			if !open {
				return nil
			}
			err = emit(s, item, render)
		case <-s.options.Clock.After(s.options.Heartbeat):
			err = s.write([]byte(":\n\n"))
		}
		if err != nil {
			return s.ending(r.Context(), err)
		}
	}
}

func emit[T any](s *stream, item T, render func(T) (Event, error)) error {
	event, err := render(item)
	if err != nil {
		return fmt.Errorf("live: render an event: %w", err)
	}
	return s.send(event)
}

// stream is one viewer's link.
type stream struct {
	out     http.ResponseWriter
	control *http.ResponseController
	options Options
	seen    string
	last    []byte
}

func (s *stream) open() error {
	// The server's own deadline for reading the request would end the link.
	if err := s.control.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("live: this response cannot be streamed: %w", err)
	}
	h := s.out.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep the events back
	return s.write(fmt.Appendf(nil, "retry: %d\n\n", s.options.Retry.Milliseconds()))
}

func (s *stream) send(e Event) error {
	if strings.ContainsAny(e.ID, "\r\n\x00") || strings.ContainsAny(e.Name, "\r\n\x00") {
		return fmt.Errorf("live: a line break in the id %q or the name %q of an event", e.ID, e.Name)
	}
	known := e.ID != "" && e.ID == s.seen
	s.seen = ""
	body := e.body
	if body == nil {
		body = encodeBody(e)
	}
	// The id alone is no news.
	if known || s.last != nil && bytes.Equal(body, s.last) {
		return nil
	}
	s.last = body
	if e.ID == "" {
		return s.write(body)
	}
	return s.write(append(fmt.Appendf(nil, "id: %s\n", e.ID), body...))
}

// encodeBody writes an event out, but its id.
func encodeBody(e Event) []byte {
	var b bytes.Buffer
	if e.Name != "" {
		fmt.Fprintf(&b, "event: %s\n", e.Name)
	}
	// A lone CR ends a line too.
	data := bytes.ReplaceAll(e.Data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		b.WriteString("data: ")
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func (s *stream) write(text []byte) error {
	deadline := s.options.Clock.Now().Add(s.options.WriteTimeout)
	if err := s.control.SetWriteDeadline(deadline); err != nil {
		return fmt.Errorf("live: this response cannot be streamed: %w", err)
	}
	if _, err := s.out.Write(text); err != nil {
		return fmt.Errorf("live: write to a viewer: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("live: write to a viewer: %w", err)
	}
	return nil
}

// ending says nothing of a write that failed because the browser had left. A
// viewer dropped for slowness is told: the server ends its context too.
func (s *stream) ending(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}
