package mllp_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/hl7"
	"tocsin/internal/traces/mllp"
)

// post is a listener on a port of this machine.
type post struct {
	t       *testing.T
	address string
	traces  *traces.Service
	admin   access.Scope
	source  traces.Source
	log     *lines

	mu   sync.Mutex
	kept []string
	fail error
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newPost(t *testing.T, from string, change ...func(*mllp.Listener)) *post {
	t.Helper()
	db := storagetest.SQLite(t, []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations}...)
	guard, err := access.NewGuard()
	must(t, err)
	p := &post{t: t, log: &lines{}}
	log := slog.New(slog.NewTextHandler(p.log, nil))
	p.traces = traces.New(traces.Options{DB: db, Guard: guard, Clock: clock.Real(), Log: log, Formats: func(*time.Location) []traces.Format { return nil }, Feeds: []traces.Description{hl7.Describe()}})
	e, err := organisation.New(db, guard, clock.Real()).Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU"})
	must(t, err)
	p.admin = access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "x"}, true, access.Administrator)
	p.source, _, err = p.traces.Add(t.Context(), p.admin, traces.Wanted{Name: "GAM", Format: hl7.Name, Zone: "Europe/Paris", Addresses: from})
	must(t, err)
	l := &mllp.Listener{Service: p.traces, Log: log, Clock: clock.Real(), Format: hl7.Name, Read: read, Keep: p.keep}
	for _, c := range change {
		c(l)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	p.address = listener.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		must(t, <-done)
	})
	return p
}

func read(message []byte, zone *time.Location, received int64) (traces.News, mllp.Answer, error) {
	m, err := hl7.Parse(message)
	var n traces.News
	if err == nil {
		n, err = hl7.Read(m, zone, received)
	}
	return n, func(unread error, id string, now time.Time) []byte {
		if unread != nil {
			return hl7.Ack(m, hl7.Fail, unread.Error(), id, now)
		}
		return hl7.Ack(m, hl7.Accept, "", id, now)
	}, err
}

func (p *post) keep(_ context.Context, _, _ uuid.UUID, n traces.News) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	p.kept = append(p.kept, n.Control+" "+n.What)
	return nil
}

func (p *post) breaks(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

func (p *post) seen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.kept, ", ")
}

// line is one connection of a sender.
type line struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (p *post) dial() *line {
	p.t.Helper()
	var d net.Dialer
	c, err := d.DialContext(p.t.Context(), "tcp", p.address)
	must(p.t, err)
	p.t.Cleanup(func() { _ = c.Close() })
	must(p.t, c.SetDeadline(clock.Real().Now().Add(20*time.Second)))
	return &line{p.t, c, bufio.NewReader(c)}
}

func (l *line) say(text string) {
	l.t.Helper()
	_, err := io.WriteString(l, text)
	must(l.t, err)
}

// hear gives the next answer; closed tells that there is none.
func (l *line) hear() (answer string, closed bool) {
	l.t.Helper()
	text, err := l.r.ReadString('\r')
	for err == nil && !strings.HasSuffix(text, "\x1c\r") {
		var more string
		more, err = l.r.ReadString('\r')
		text += more
	}
	if err != nil {
		return text, true
	}
	if text[0] != 0x0b {
		l.t.Errorf("%q does not begin as a frame", text)
	}
	return text, false
}

func adt(control string) string {
	return "\x0bMSH|^~\\&|GAM|CHB|T|X|20261130||ADT^A31|" + control + "|P|2.5\rPID|||8001^^^X^PI\r\x1c\r"
}

func (l *line) want(code string) {
	l.t.Helper()
	answer, closed := l.hear()
	if closed || !strings.Contains(answer, "\rMSA|"+code+"|") {
		l.t.Errorf("%q (closed %v), want %s", answer, closed, code)
	}
}

func TestAMessageIsAnsweredOnceItIsKept(t *testing.T) {
	t.Parallel()
	p := newPost(t, "127.0.0.0/8")
	l := p.dial()
	l.say("\r\n" + adt("C1")[:20])
	l.say(adt("C1")[20:] + adt("C2") + "\n" + strings.Replace(adt("C3"), "8001", "80\x1c01", 1))
	for range 3 {
		l.want("AA")
	}
	if got := p.seen(); got != "C1 ADT^A31, C2 ADT^A31, C3 ADT^A31" {
		t.Error(got)
	}
	// One that cannot be read is answered with a sentence, and kept as a sample.
	l.say("\x0bMSH|^~\\&|GAM|CHB|T|X|20261130||ADT^A01|C4|P|2.5\rPID|||\r\x1c\r\x0bhello\x1c\r")
	l.want("AE")
	l.want("AE")
	must(t, p.traces.WriteDown(t.Context(), clock.Real().Now()))
	sheet, err := p.traces.Sheet(t.Context(), p.admin, p.source.ID)
	must(t, err)
	if sheet.Events != 5 || sheet.Failures != 2 || len(sheet.Samples) != 2 || !strings.Contains(sheet.Samples[0].Reason+sheet.Samples[1].Reason, "traces.hl7.no_patient") {
		t.Errorf("%d messages, %d not read, %+v", sheet.Events, sheet.Failures, sheet.Samples)
	}
	if log := p.log.String(); strings.Contains(log, "8001") || strings.Contains(log, "PID") {
		t.Errorf("the log names a patient: %s", log)
	}
}

func TestWhatIsNotKeptIsNotAnswered(t *testing.T) {
	t.Parallel()
	p := newPost(t, "127.0.0.1")
	p.breaks(errors.New("the disk is full"))
	l := p.dial()
	l.say(adt("C1"))
	if answer, closed := l.hear(); !closed {
		t.Errorf("answered %q", answer)
	}
	p.breaks(nil)
	l = p.dial() // the sender has it still
	l.say(adt("C1"))
	l.want("AA")
	p.breaks(fault.New(fault.Invalid, "traces.care.nobody"))
	l.say(adt("C2"))
	l.want("AE")
}

func TestAStrangerAndATalkerAreLeft(t *testing.T) {
	t.Parallel()
	p := newPost(t, "192.0.2.0/24")
	l := p.dial()
	if answer, closed := l.hear(); !closed {
		t.Errorf("a stranger is answered %q", answer)
	}
	if !strings.Contains(p.log.String(), "stranger") {
		t.Error("the stranger is not told in the log")
	}
	p = newPost(t, "127.0.0.1")
	for _, text := range []string{strings.Repeat("x", 4096), "\x0bMSH|" + strings.Repeat("y", 2<<20)} {
		l = p.dial()
		_, err := io.WriteString(l, text)
		if _, closed := l.hear(); err == nil && !closed {
			t.Errorf("%.10q is listened to without end", text)
		}
	}
	if p.seen() != "" {
		t.Error(p.seen())
	}
}

// Whoever stops in the middle of a message is cut, and its place serves another; a
// quiet one is left alone.
func TestAHangingSenderIsCut(t *testing.T) {
	t.Parallel()
	p := newPost(t, "127.0.0.0/8", func(l *mllp.Listener) { l.Most, l.Patience = 1, 100*time.Millisecond })
	hanging := p.dial()
	hanging.say(adt("C1")[:40])
	if answer, closed := hanging.hear(); !closed || answer != "" {
		t.Errorf("answered %q", answer)
	}
	for {
		other := p.dial()
		other.say(adt("C2"))
		if answer, closed := other.hear(); !closed {
			if !strings.Contains(answer, "\rMSA|AA|") {
				t.Errorf("answered %q", answer)
			}
			must(t, other.SetReadDeadline(clock.Real().Now().Add(300*time.Millisecond)))
			if _, err := other.r.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a quiet sender is cut: %v", err)
			}
			break
		}
	}
	if got := p.seen(); got != "C2 ADT^A31" {
		t.Errorf("kept %q", got)
	}
}
