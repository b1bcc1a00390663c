package listen_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/gelf"
	"tocsin/internal/traces/listen"
	"tocsin/internal/traces/syslog"
	"tocsin/internal/wire/framing"
)

// post is a listener on a port of this machine, with its queue.
type post struct {
	t       *testing.T
	dir     string
	queue   *spool.Spool
	address string
	log     *lines
	source  traces.Source
	// end stops listening, and waits until what was heard is written.
	end func()
}

// chunks puts GELF together as the program does.
type chunks struct{ *gelf.Assembler }

func (chunks) Waits() time.Duration { return gelf.Patience }

func (c chunks) GivenUp(now int64) (out []listen.Remnant) {
	for _, p := range c.Assembler.GivenUp(now) {
		out = append(out, listen.Remnant{From: p.From, Read: func(dst []traces.Event, received int64) ([]traces.Event, error) {
			return gelf.Format{}.Incomplete(dst, p, received)
		}})
	}
	return out
}

// lines is a log that a test may read.
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

// newPost opens a post for a source that speaks from an address.
func newPost(t *testing.T, from, format string, opt spool.Options) *post {
	t.Helper()
	return newSecurePost(t, from, format, opt, nil)
}

// newSecurePost is a post whose connections are over TLS; nil: they are not.
func newSecurePost(t *testing.T, from, format string, opt spool.Options, secure *tls.Config, change ...func(*listen.Listener)) *post {
	t.Helper()
	var p *post
	rooms := []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations}
	db := storagetest.SQLite(t, rooms...)
	p = &post{t: t, dir: filepath.Join(t.TempDir(), "spool"), log: &lines{}}
	var err error
	p.queue, err = spool.Open(p.dir, opt)
	must(t, err)
	guard, err := access.NewGuard()
	must(t, err)
	log := slog.New(slog.NewTextHandler(p.log, nil))
	s := traces.New(traces.Options{DB: db, Guard: guard, Clock: clock.Real(), Log: log, Formats: func(zone *time.Location) []traces.Format {
		return []traces.Format{syslog.Format{Zone: zone}, gelf.Format{}}
	}})
	s.Connect(p.queue, nobody{})
	e, err := organisation.New(db, guard, clock.Real()).Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU"})
	must(t, err)
	scope := access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "x"}, true, access.Administrator)
	p.source, _, err = s.Add(t.Context(), scope, traces.Wanted{Name: "Serveurs", Format: format, Zone: "Europe/Paris", Addresses: from})
	must(t, err)
	l := &listen.Listener{Service: s, Log: log, Clock: clock.Real(), Mode: framing.Syslog, Reader: format, Formats: []string{format}}
	if format == syslog.Name {
		l.Rest = syslog.Format{}.Rest
	}
	if format == gelf.Name {
		l.Mode, l.Open = framing.NULs, func() listen.Gatherer { return chunks{gelf.NewAssembler()} }
	}
	for _, c := range change {
		c(l)
	}
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p.address = stream.Addr().String()
	if secure != nil {
		stream = tls.NewListener(stream, secure)
	}
	packets, err := net.ListenPacket("udp", p.address)
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := l.Streams(ctx, stream); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		if err := l.Packets(ctx, packets.(*net.UDPConn)); err != nil {
			t.Error(err)
		}
	})
	p.end = func() {
		stop()
		running.Wait()
	}
	t.Cleanup(func() {
		p.end()
		must(t, p.queue.Close())
	})
	return p
}

// nobody is a base that is never asked.
type nobody struct{ traces.Base }

// heard waits until so many events are in the queue.
func (p *post) heard(want int) []traces.Event {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	var out []traces.Event
	r := spool.NewReader(p.dir, spool.Position{})
	defer func() { must(p.t, r.Close()) }()
	for len(out) < want {
		b, err := r.Next(p.queue.Durable())
		if err != nil {
			if _, err := p.queue.Wait(ctx, p.queue.Durable()); err != nil {
				p.t.Fatalf("heard %d of %d: %v", len(out), want, err)
			}
			continue
		}
		var e traces.Event
		must(p.t, traces.ReadRecord(bytes.Clone(b), &e))
		out = append(out, e)
	}
	return out
}

func (p *post) dial(network string) net.Conn {
	p.t.Helper()
	c, err := net.Dial(network, p.address)
	must(p.t, err)
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestLogger hears the logger of util-linux, in each of its ways.
func TestLogger(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("logger")
	must(t, err)
	p := newPost(t, "127.0.0.1", syslog.Name, spool.Options{})
	host, port, err := net.SplitHostPort(p.address)
	must(t, err)
	for i, way := range [][]string{{"-d"}, {"-d", "--rfc3164"}, {"-T"}, {"-T", "--octet-count"}, {"-T", "--rfc3164"}} {
		args := append([]string{"-n", host, "-P", port, "-t", "dpi", "-p", "auth.warning"}, way...)
		out, err := exec.CommandContext(t.Context(), program, append(args, fmt.Sprintf("essai numéro %d", i))...).CombinedOutput()
		if err != nil {
			t.Fatalf("logger %v: %v %s", way, err, out)
		}
		got := p.heard(i + 1)[i]
		if got.Message != fmt.Sprintf("essai numéro %d", i) || got.Application != "dpi" || got.Severity != 4 || got.Source != p.source.ID || got.AtGuessed {
			t.Errorf("logger %v: %+v", way, got)
		}
	}
}

func TestWhatManySayAtOnceIsHeardWhole(t *testing.T) {
	t.Parallel()
	p := newPost(t, "127.0.0.0/8", syslog.Name, spool.Options{})
	const each = 500
	var all sync.WaitGroup
	for n := range 8 {
		c := p.dial("tcp")
		all.Go(func() {
			for i := range each {
				if _, err := fmt.Fprintf(c, "<13>1 2026-11-30T12:00:00Z h app - - - %d/%d\n", n, i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, e := range p.heard(8 * each) {
		seen[e.Message] = true
	}
	if len(seen) != 8*each {
		t.Fatalf("%d different messages of %d", len(seen), 8*each)
	}
}

// A stranger is not taken, and is told once.
func TestStrangers(t *testing.T) {
	t.Parallel()
	p := newPost(t, "192.0.2.7", syslog.Name, spool.Options{})
	c := p.dial("udp")
	for range 20 {
		_, err := fmt.Fprint(c, "<13>Nov 30 12:00:00 h app: faux")
		must(t, err)
	}
	s := p.dial("tcp")
	_, err := fmt.Fprint(s, "<13>1 - - - - - faux\n")
	must(t, err)
	// The post ends the connection of a stranger: then all was heard.
	if _, err := s.Read(make([]byte, 1)); err == nil {
		t.Fatal("a stranger was answered")
	}
	if got := p.queue.Durable(); got.Offset > 0 {
		t.Fatalf("a stranger was taken: %s", got)
	}
	if n := strings.Count(p.log.String(), "stranger"); n != 1 {
		t.Fatalf("a stranger is told %d times: %s", n, p.log.String())
	}
}

// A line without end is cut in parts, and the post goes on.
func TestALineWithoutEnd(t *testing.T) {
	t.Parallel()
	p := newPost(t, "127.0.0.1", syslog.Name, spool.Options{})
	c := p.dial("tcp")
	part := bytes.Repeat([]byte("a"), 64<<10)
	_, err := fmt.Fprint(c, "<13>")
	must(t, err)
	for range 3 * traces.MaxRaw / len(part) {
		_, err := c.Write(part)
		must(t, err)
	}
	_, err = fmt.Fprint(c, "\n<13>1 - - - - - fin\n")
	must(t, err)
	whole, rest := 0, 0
	var last traces.Event
	for _, e := range p.heard(5) {
		whole += len(e.Raw)
		for _, x := range e.Extra {
			if x.Name == "tocsin.continues" {
				rest++
			}
		}
		last = e
	}
	if last.Message != "fin" || whole < 3*traces.MaxRaw || rest != 3 {
		t.Fatalf("heard %d bytes, %d parts that continue, the last %q", whole, rest, last.Message)
	}
}

// A full disk makes the sender wait: what was read is kept once there is room.
func TestAFullDiskIsAQueue(t *testing.T) {
	t.Parallel()
	p := newPost(t, "127.0.0.1", syslog.Name, spool.Options{MaxBytes: 2 << 20, SegmentBytes: 64 << 10})
	c := p.dial("tcp")
	const all = 12000
	go func() {
		for i := range all {
			if _, err := fmt.Fprintf(c, "<13>1 - - - - - %s %d\n", strings.Repeat("x", 100), i); err != nil {
				t.Error(err)
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := spool.NewReader(p.dir, spool.Position{})
	for next := 0; next < all; {
		b, err := r.Next(p.queue.Durable())
		if err != nil {
			must(t, p.queue.Release(r.At()))
			if _, err := p.queue.Wait(ctx, p.queue.Durable()); err != nil {
				t.Fatalf("%d of %d: %v", next, all, err)
			}
			continue
		}
		var e traces.Event
		must(t, traces.ReadRecord(bytes.Clone(b), &e))
		if !strings.HasSuffix(e.Message, fmt.Sprintf(" %d", next)) {
			t.Fatalf("message %d is %q", next, e.Message)
		}
		next++
	}
	must(t, r.Close())
}

func TestGELFInChunks(t *testing.T) {
	t.Parallel()
	p := newPost(t, "127.0.0.1", gelf.Name, spool.Options{})
	c := p.dial("udp")
	message := `{"version":"1.1","host":"srv","short_message":"` + strings.Repeat("é", 400) + `"}`
	half := len(message) / 2
	for i, part := range []string{message[:half], message[half:]} {
		_, err := c.Write(append([]byte{0x1e, 0x0f, 1, 2, 3, 4, 5, 6, 7, 8, byte(i), 2}, part...))
		must(t, err)
	}
	s := p.dial("tcp")
	_, err := fmt.Fprint(s, `{"version":"1.1","host":"srv","short_message":"par TCP"}`+"\x00")
	must(t, err)
	got := map[string]bool{}
	for _, e := range p.heard(2) {
		got[e.Message] = true
	}
	if !got["par TCP"] || !got[strings.Repeat("é", 400)] {
		t.Fatalf("heard %v", got)
	}
	// A chunk whose fellow never comes is kept as it is, at the end at the latest.
	_, err = c.Write(append([]byte{0x1e, 0x0f, 8, 7, 6, 5, 4, 3, 2, 1, 0, 2}, message[:half]...))
	must(t, err)
	_, err = fmt.Fprint(c, `{"version":"1.1","host":"srv","short_message":"ensuite"}`)
	must(t, err)
	p.heard(3)
	p.end()
	all := p.heard(4)
	if !slices.ContainsFunc(all, func(e traces.Event) bool { return string(e.Raw) == message[:half] }) {
		t.Fatalf("the lone chunk is lost: %v", all)
	}
}

// Whoever stops in the middle of a message is cut, its place serves another, and what
// came of the message is kept as it came.
func TestAHangingPeerIsCut(t *testing.T) {
	t.Parallel()
	hurried := func(l *listen.Listener) { l.Most, l.Patience = 1, 100*time.Millisecond }
	for name, c := range map[string]struct {
		format, begins, next string
		secure               bool
		kept                 int
	}{
		"a count":     {syslog.Name, "100 <34>1 2026-11-30T12:00:00Z", "<34>1 2026-11-30T12:00:00Z pc app - - - entier\n", false, 1},
		"a line":      {syslog.Name, "<34>1 2026-11-30T12:00:00Z", "<34>1 2026-11-30T12:00:00Z pc app - - - entier\n", false, 1},
		"GELF":        {gelf.Name, `{"version":"1.1","host":"pc`, `{"version":"1.1","host":"pc","short_message":"entier"}` + "\x00", false, 1},
		"a handshake": {syslog.Name, "\x16\x03\x01", "", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var secure *tls.Config
			if c.secure {
				secure = newAuthority(t).server()
			}
			p := newSecurePost(t, "127.0.0.1", c.format, spool.Options{}, secure, hurried)
			hanging := p.dial("tcp")
			_, err := hanging.Write([]byte(c.begins))
			must(t, err)
			must(t, hanging.SetReadDeadline(clock.Real().Now().Add(20*time.Second)))
			if _, err := hanging.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("it was not cut: %v", err)
			}
			if c.next == "" {
				return
			}
			storagetest.Eventually(t, 20*time.Second, "its place serves another", func() bool {
				other := p.dial("tcp")
				if _, err := other.Write([]byte(c.next)); err != nil {
					return false
				}
				must(t, other.SetReadDeadline(clock.Real().Now().Add(20*time.Millisecond)))
				_, err := other.Read(make([]byte, 1)) // refused at once, or listened to
				return errors.Is(err, os.ErrDeadlineExceeded)
			})
			if got := p.heard(c.kept + 1); !strings.Contains(string(got[0].Raw), strings.TrimLeft(c.begins, "0123456789 ")) || !strings.Contains(string(got[c.kept].Raw), "entier") {
				t.Errorf("kept %q and %q", got[0].Raw, got[c.kept].Raw)
			}
		})
	}
}

// Between two messages a peer may be silent for as long as it likes.
func TestAQuietPeerIsNotCut(t *testing.T) {
	t.Parallel()
	p := newSecurePost(t, "127.0.0.1", syslog.Name, spool.Options{}, nil, func(l *listen.Listener) { l.Patience = 50 * time.Millisecond })
	quiet := p.dial("tcp")
	for n := range 2 {
		_, err := fmt.Fprintf(quiet, "<34>1 2026-11-30T12:00:00Z pc app - - - message %d\n", n)
		must(t, err)
		p.heard(n + 1)
		must(t, quiet.SetReadDeadline(clock.Real().Now().Add(200*time.Millisecond)))
		if _, err := quiet.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("it was cut: %v", err)
		}
	}
}
