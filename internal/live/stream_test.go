package live_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/live"
)

// tape is a response that a stream can be written to and read from in a test.
type tape struct {
	mu       sync.Mutex
	text     bytes.Buffer
	header   http.Header
	deadline time.Time
	fail     error
}

func (w *tape) Header() http.Header { return w.header }
func (w *tape) WriteHeader(int)     {}
func (w *tape) Flush()              {}
func (w *tape) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return 0, w.fail
	}
	return w.text.Write(p)
}
func (w *tape) SetReadDeadline(time.Time) error { return nil }
func (w *tape) SetWriteDeadline(t time.Time) error {
	w.deadline = t
	return nil
}

func (w *tape) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func newTape() *tape { return &tape{header: http.Header{}} }

// words makes each text an event of the name "word".
func words(text string) (live.Event, error) {
	return live.Event{Name: "word", Data: []byte(text)}, nil
}

func request(ctx context.Context, lastEventID string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/suivi", nil)
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	return r
}

func TestStreamWritesEventsAndHeartbeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, from, done := newTape(), make(chan string), make(chan error)
		go func() { done <- live.Stream(w, request(t.Context(), ""), live.Options{}, from, words) }()
		from <- "un\ndeux\r\ntrois\rquatre"
		pass(31 * time.Second)
		from <- "un\ndeux\r\ntrois\rquatre" // nothing new to say
		from <- ""
		close(from)
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := "retry: 3000\n\n" +
			"event: word\ndata: un\ndata: deux\ndata: trois\ndata: quatre\n\n" +
			":\n\n:\n\n" +
			"event: word\ndata: \n\n"
		if got := w.String(); got != want {
			t.Errorf("wrote %q, want %q", got, want)
		}
		if got := w.header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
			t.Errorf("content type %q", got)
		}
		if left := time.Until(w.deadline); left != 10*time.Second {
			t.Errorf("the last write may take %v, want 10 s", left)
		}
	})
}

func TestStreamEndsSoThatRightsAreCheckedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := live.Stream(newTape(), request(t.Context(), ""), live.Options{MaxAge: time.Minute}, make(chan string), words)
		if lasted := time.Since(start); err != nil || lasted != time.Minute {
			t.Errorf("ended after %v with %v", lasted, err)
		}
	})
}

func TestStreamKnowsWhatTheBrowserHasSeen(t *testing.T) {
	t.Parallel()
	from := make(chan string, 3)
	from <- "7"
	from <- "8"
	from <- "7"
	close(from)
	w := newTape()
	err := live.Stream(w, request(t.Context(), "7"), live.Options{}, from, func(id string) (live.Event, error) {
		return live.Event{ID: id, Data: []byte("état " + id)}, nil
	})
	want := "retry: 3000\n\nid: 8\ndata: état 8\n\nid: 7\ndata: état 7\n\n"
	if got := w.String(); err != nil || got != want {
		t.Errorf("wrote %q, %v; want %q", got, err, want)
	}
}

func TestStreamRefusesWhatWouldForgeEvents(t *testing.T) {
	t.Parallel()
	for _, e := range []live.Event{{ID: "1\ndata: x"}, {Name: "a\rb"}, {ID: "\x00"}} {
		from := make(chan live.Event, 1)
		from <- e
		w := newTape()
		err := live.Stream(w, request(t.Context(), ""), live.Options{}, from, func(e live.Event) (live.Event, error) { return e, nil })
		if err == nil || strings.Contains(w.String(), "data") {
			t.Errorf("%q: %v, wrote %q", e, err, w.String())
		}
	}
}

func TestStreamReportsItsFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	from := make(chan string, 1)
	from <- "x"
	err := live.Stream(newTape(), request(t.Context(), ""), live.Options{}, from, func(string) (live.Event, error) { return live.Event{}, broken })
	if !errors.Is(err, broken) {
		t.Errorf("render: %v", err)
	}
	w := newTape()
	w.fail = broken
	if err := live.Stream(w, request(t.Context(), ""), live.Options{}, from, words); !errors.Is(err, broken) {
		t.Errorf("write: %v", err)
	}
	// A response behind a middleware without Unwrap cannot keep the promise.
	if err := live.Stream(httptest.NewRecorder(), request(t.Context(), ""), live.Options{}, from, words); !errors.Is(err, http.ErrNotSupported) {
		t.Errorf("no deadline: %v", err)
	}
}

func TestStreamEndsQuietlyWhenTheBrowserLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- live.Stream(newTape(), request(ctx, ""), live.Options{}, make(chan string), words) }()
		synctest.Wait()
		leave()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestSlowViewerIsDroppedAndDelaysNobody runs on real connections: one viewer
// does not read at all, another reads everything.
func TestSlowViewerIsDroppedAndDelaysNobody(t *testing.T) {
	t.Parallel()
	hub := live.NewHub()
	board := live.NewBoard[int](hub, pace(20*time.Millisecond, 0))
	defer board.Close()
	reading := 0
	load := func(context.Context) (int, error) { reading++; return reading, nil }
	big := strings.Repeat("x", 256<<10) // soon more than the buffers of a connection
	dropped := make(chan error, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := live.Options{WriteTimeout: 2 * time.Second}
		err := live.Stream(w, r, o, board.Watch(r.Context(), "x", load), func(s live.Snapshot[int]) (live.Event, error) {
			return live.Event{ID: fmt.Sprint(s.Value), Data: []byte(fmt.Sprint(s.Value) + big)}, nil
		})
		if r.URL.Path == "/slow" {
			dropped <- err
		}
	}))
	server.Config.ReadTimeout = time.Second // must not end a stream
	server.Start()
	defer server.Close()

	slow, err := server.Client().Get(server.URL + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Body.Close()
	quick, err := server.Client().Get(server.URL + "/quick")
	if err != nil {
		t.Fatal(err)
	}
	defer quick.Body.Close()
	lines, events := bufio.NewReaderSize(quick.Body, 1<<20), 0
	deadline := time.After(time.Minute)
	for isDropped := false; !isDropped; {
		hub.Notify("x")
		for line := ""; !strings.HasPrefix(line, "data: "); {
			if line, err = lines.ReadString('\n'); err != nil {
				t.Fatalf("the quick viewer lost its link after %d events: %v", events, err)
			}
		}
		events++
		hub.Notify("x")
		select {
		case err := <-dropped:
			isDropped = true
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("dropped with %v, want a deadline", err)
			}
		case <-deadline:
			t.Fatalf("the slow viewer is still there after %d events", events)
		default:
		}
	}
	if events < 5 {
		t.Errorf("the quick viewer saw %d events only", events)
	}
}
