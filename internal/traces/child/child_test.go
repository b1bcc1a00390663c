package child_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/child"
)

// toy is a base that keeps keys and the place in one file, replaced at once.
type toy struct {
	path string
	mu   sync.Mutex
	kept struct {
		At   spool.Position
		Keys []string
	}
}

func openToy(path string) (*toy, error) {
	e := &toy{path: path}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	return e, json.Unmarshal(b, &e.kept)
}

func (e *toy) Take(_ context.Context, batch []traces.Placed, upTo spool.Position) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range batch {
		if p.Key == "spoils" && !e.spoiled() {
			return errors.New("the base is broken from now on")
		}
	}
	for _, p := range batch {
		e.kept.Keys = append(e.kept.Keys, p.Key)
	}
	e.kept.At = upTo
	b, err := json.Marshal(e.kept)
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(e.path+".new", e.path)
}

// spoiled tells whether a process before this one was spoiled already: a base
// that breaks is whole again in the next.
func (e *toy) spoiled() bool {
	path := e.path + ".spoiled"
	b, err := os.ReadFile(path)
	if err == nil {
		return string(b) != strconv.Itoa(os.Getpid())
	}
	_ = os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())), 0o600)
	return false
}

func (e *toy) Applied(context.Context) (spool.Position, error) { return e.kept.At, nil }

// Ask lists the keys; a question about "slow" waits to be given up.
func (e *toy) Ask(ctx context.Context, organisation uuid.UUID, q traces.Question) (out traces.Answer, err error) {
	if q.Text == "slow" {
		if err := os.WriteFile(e.path+".begun", []byte("yes"), 0o600); err != nil {
			return out, err
		}
		<-ctx.Done()
		return out, os.WriteFile(e.path+".givenup", []byte("yes"), 0o600)
	}
	if err := q.Check(); err != nil {
		return out, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, k := range e.kept.Keys {
		out.Events = append(out.Events, traces.Stored{Event: traces.Event{Organisation: organisation, Key: k, Raw: []byte{0, 255}}, Ref: k})
	}
	out.Total = int64(len(out.Events))
	return out, nil
}

func (e *toy) Get(_ context.Context, _ uuid.UUID, ref string) (traces.Stored, error) {
	return traces.Stored{}, fault.New(fault.NotFound, "traces.source.unknown").At(ref)
}

func (e *toy) Purge(_ context.Context, _ uuid.UUID, p traces.Purging) (traces.Purged, error) {
	return traces.Purged{Events: int64(p.Class), First: p.Before, Held: int64(len(p.Held))}, nil
}

func (e *toy) Close() error { return nil }

// TestMain is also the process of the base, when it is started as one.
func TestMain(m *testing.M) {
	dir := os.Getenv("TOCSIN_TOY")
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := beToy(dir, os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func beToy(dir, socket string) error {
	if err := os.WriteFile(filepath.Join(dir, "pid"), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return err
	}
	ctx, l, err := child.Listen(context.Background(), socket, os.Stdin)
	if err != nil {
		return err
	}
	e, err := openToy(filepath.Join(dir, "base"))
	if err != nil {
		return err
	}
	s := child.Server{Engine: e, Spool: filepath.Join(dir, "spool"), Log: slog.New(slog.DiscardHandler), Now: time.Now}
	return s.Serve(ctx, l)
}

// yard is a supervised base with its queue.
type yard struct {
	t      *testing.T
	dir    string
	queue  *spool.Spool
	keeper *child.Supervisor
	base   *child.Client
}

// shortly waits a little, or for the end of ctx: tests do not wait as long as
// the product does.
func shortly(ctx context.Context, _ time.Duration) {
	select {
	case <-time.After(5 * time.Millisecond):
	case <-ctx.Done():
	}
}

func newYard(t *testing.T) *yard {
	t.Helper()
	dir := t.TempDir()
	queue, err := spool.Open(filepath.Join(dir, "spool"), spool.Options{SegmentBytes: 32 << 10})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	keeper := &child.Supervisor{Command: []string{os.Args[0]}, Env: []string{"TOCSIN_TOY=" + dir}, Dir: dir, Err: io.Discard, Log: log, Now: time.Now, Pause: shortly}
	socket, err := keeper.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	y := &yard{t, dir, queue, keeper, child.NewClient(socket)}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	feeder := child.Feeder{Spool: queue, Base: y.base, Log: log, Pause: shortly}
	for _, run := range []func(context.Context) error{keeper.Run, feeder.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		running.Wait()
		y.base.Close()
		if err := queue.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Dir(socket)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder of the socket stays: %v", err)
		}
	})
	return y
}

func (y *yard) put(key string) spool.Position {
	y.t.Helper()
	p, err := y.queue.Append(y.t.Context(), traces.AppendRecord(nil, &traces.Event{Key: key}))
	if err != nil {
		y.t.Fatal(err)
	}
	return p
}

func whole() traces.Question { return traces.Question{From: 1, To: 2, Zone: "UTC", Limit: 10} }

// keys asks until the base holds as many as wanted.
func (y *yard) keys(want int) []string {
	y.t.Helper()
	ctx, cancel := context.WithTimeout(y.t.Context(), time.Minute)
	defer cancel()
	for {
		a, err := y.base.Ask(ctx, uuid.Nil, whole())
		if err == nil && len(a.Events) >= want {
			var out []string
			for _, e := range a.Events {
				out = append(out, e.Key)
			}
			return out
		}
		if ctx.Err() != nil {
			y.t.Fatalf("the base holds %d of %d: %v", len(a.Events), want, err)
		}
		shortly(ctx, 0)
	}
}

// kill ends the process of the base without warning.
func (y *yard) kill() {
	y.t.Helper()
	b, err := os.ReadFile(filepath.Join(y.dir, "pid"))
	if err != nil {
		y.t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(b))
	if err != nil {
		y.t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		y.t.Fatal(err)
	}
}

func TestTheBaseIsKilledAndNothingIsMissingNorTwice(t *testing.T) {
	y := newYard(t)
	const each, kills = 300, 4
	n := 0
	for range kills {
		for range each {
			y.put(strconv.Itoa(n))
			n++
		}
		y.keys(n - each/2) // part of it is stored, part of it waits
		y.kill()
	}
	for i, k := range y.keys(n) {
		if k != strconv.Itoa(i) {
			t.Fatalf("event %d is %q: each must be there once, in order", i, k)
		}
	}
	if got := y.keeper.Starts(); got < kills {
		t.Fatalf("started %d times after %d kills", got, kills)
	}
}

// A base that breaks inside and stores no more ends, and the next one stores.
func TestABrokenBaseIsStartedAnew(t *testing.T) {
	y := newYard(t)
	y.put("one")
	y.keys(1)
	y.put("spoils")
	y.put("three")
	if got := y.keys(3); got[1] != "spoils" || got[2] != "three" {
		t.Fatalf("stored %q", got)
	}
	if y.keeper.Starts() < 2 {
		t.Fatal("it was never started anew")
	}
}

// TestManyBatchesAreStoredInOrder: while one batch is stored the next is read.
func TestManyBatchesAreStoredInOrder(t *testing.T) {
	dir := t.TempDir()
	queue, err := spool.Open(filepath.Join(dir, "spool"), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer queue.Close()
	const events = 25_000 // three batches
	var records [][]byte
	for n := range events {
		records = append(records, traces.AppendRecord(nil, &traces.Event{Key: strconv.Itoa(n)}))
	}
	upTo, err := queue.Append(t.Context(), records...)
	if err != nil {
		t.Fatal(err)
	}
	e, err := openToy(filepath.Join(dir, "base"))
	if err != nil {
		t.Fatal(err)
	}
	s := child.Server{Engine: e, Spool: filepath.Join(dir, "spool"), Log: slog.New(slog.DiscardHandler), Now: time.Now}
	taken, err := s.Take(t.Context(), upTo)
	if err != nil || taken.Events != events || taken.Applied != upTo || len(e.kept.Keys) != events {
		t.Fatalf("%d taken, %d stored up to %v of %v: %v", taken.Events, len(e.kept.Keys), taken.Applied, upTo, err)
	}
	for n, key := range e.kept.Keys {
		if key != strconv.Itoa(n) {
			t.Fatalf("event %s is stored in the place of %d", key, n)
		}
	}
}

func TestTheQueueForgetsWhatIsStored(t *testing.T) {
	y := newYard(t)
	for i := range 3000 {
		y.put(strconv.Itoa(i))
	}
	y.keys(3000)
	y.put("last")
	y.keys(3001)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for y.queue.Held() > 64<<10 {
		if ctx.Err() != nil {
			t.Fatalf("the queue still holds %d bytes", y.queue.Held())
		}
		shortly(ctx, 0)
	}
}

func TestWhatGoesAcross(t *testing.T) {
	y := newYard(t)
	y.put("one")
	y.keys(1)
	organisation := uuid.New()
	a, err := y.base.Ask(t.Context(), organisation, whole())
	if err != nil || a.Events[0].Organisation != organisation || string(a.Events[0].Raw) != "\x00\xff" || a.Events[0].Ref != "one" {
		t.Errorf("answer %+v, %v", a, err)
	}
	bad := whole()
	bad.To = 0
	if _, err := y.base.Ask(t.Context(), organisation, bad); !fault.Is(err, fault.Invalid) || fault.As(err).Key != "traces.error.period" || fault.As(err).Field != "from" {
		t.Errorf("a bad question: %v", err)
	}
	if _, err := y.base.Get(t.Context(), organisation, "x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown event: %v", err)
	}
	p, err := y.base.Purge(t.Context(), organisation, traces.Purging{Class: traces.Biomedical, Before: 42, Held: []traces.Question{{From: 1, To: 2}}})
	if err != nil || p.Events != int64(traces.Biomedical) || p.First != 42 || p.Held != 1 {
		t.Errorf("purge %+v, %v", p, err)
	}
}

func TestAQuestionGivenUpIsGivenUpThere(t *testing.T) {
	y := newYard(t)
	y.put("one")
	y.keys(1)
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan error)
	go func() {
		_, err := y.base.Ask(ctx, uuid.Nil, traces.Question{Text: "slow"})
		asked <- err
	}()
	y.appears("base.begun")
	cancel()
	if err := <-asked; !errors.Is(err, context.Canceled) {
		t.Fatalf("given up: %v", err)
	}
	y.appears("base.givenup")
}

// appears waits for a file that the process of the base writes.
func (y *yard) appears(name string) {
	y.t.Helper()
	wait, stop := context.WithTimeout(y.t.Context(), 20*time.Second)
	defer stop()
	for {
		if _, err := os.Stat(filepath.Join(y.dir, name)); err == nil {
			return
		}
		if wait.Err() != nil {
			y.t.Fatalf("%s never appears", name)
		}
		shortly(wait, 0)
	}
}

func TestWithoutABase(t *testing.T) {
	c := child.NewClient(filepath.Join(t.TempDir(), "nobody.sock"))
	if _, err := c.Ask(t.Context(), uuid.Nil, whole()); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("nobody listens: %v", err)
	}
}
