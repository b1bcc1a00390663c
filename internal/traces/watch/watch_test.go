package watch_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/rules"
	"tocsin/internal/traces/sigma"
	"tocsin/internal/traces/watch"
)

func nord() uuid.UUID { return uuid.MustParse("01900000-0000-7000-8000-000000000001") }
func sud() uuid.UUID  { return uuid.MustParse("01900000-0000-7000-8000-000000000002") }

// ears is a Detector that finds everything, and remembers what it was given.
type ears struct {
	mu   sync.Mutex
	seen []traces.Event
	rule string
	// counted is what it counted since it was last asked.
	counted map[traces.Count]traces.Share
	// late is told once, when nothing comes any more.
	late []traces.Hit
}

// TakeShares implements watch.Tallier.
func (e *ears) TakeShares() map[traces.Count]traces.Share {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := e.counted
	e.counted = nil
	return out
}

// Due implements watch.Later.
func (e *ears) Due(context.Context, int64) []traces.Hit {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := e.late
	e.late = nil
	return out
}

func (e *ears) Observe(_ context.Context, events []traces.Event) (out []traces.Hit, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range events {
		e.seen = append(e.seen, traces.Event{Organisation: x.Organisation, Class: x.Class, Message: x.Message})
		if e.counted == nil {
			e.counted = map[traces.Count]traces.Share{}
		}
		k := traces.Count{Organisation: x.Organisation}
		e.counted[k] = e.counted[k].Plus(traces.Share{Explained: 1})
		if x.Message != "" {
			out = append(out, traces.Hit{Organisation: x.Organisation, Rule: e.rule, Title: x.Message, Events: 1})
		}
	}
	return out, nil
}

func (e *ears) heard() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.seen)
}

// shelf is a Keeper that counts what it keeps in the table of figures, so that a
// transaction that is undone undoes it.
type shelf struct {
	mu   sync.Mutex
	open map[uuid.UUID]bool
	// fail has so many keeps fail after they wrote; failed is told each time.
	fail   int
	failed func()
}

func (s *shelf) InService(context.Context, *storage.Tx) (map[uuid.UUID]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, nil
}

func (s *shelf) Keep(ctx context.Context, tx *storage.Tx, _ time.Time, c watch.Catch) error {
	for _, h := range c.Hits {
		if _, err := tx.Exec(ctx, `INSERT INTO traces_hit_days (organisation_id, rule, day_us, kind, hits) VALUES ($1, $2, 0, 'system', $3)
			ON CONFLICT (organisation_id, rule, day_us) DO UPDATE SET hits = traces_hit_days.hits + 1`, h.Organisation, h.Rule+":"+h.Title, 1); err != nil {
			return err
		}
	}
	for k, n := range c.Shares {
		if _, err := tx.Exec(ctx, `INSERT INTO traces_shares (organisation_id, day, service, application, explained, unexplained, not_judged) VALUES ($1, 0, '', '', $2, 0, 0)
			ON CONFLICT (organisation_id, day, service, application) DO UPDATE SET explained = traces_shares.explained + excluded.explained`, k.Organisation, n.Explained); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		if s.failed != nil {
			s.failed()
		}
		return errors.New("power cut")
	}
	return nil
}

type stage struct {
	t     *testing.T
	db    *storage.DB
	dir   string
	spool *spool.Spool
	shelf *shelf
	// stored is told that a place was.
	stored chan struct{}
}

func newStage(t *testing.T, opt spool.Options) *stage {
	t.Helper()
	s := &stage{t: t, db: storagetest.SQLite(t, []fs.FS{traces.Migrations}...), dir: t.TempDir(), shelf: &shelf{open: map[uuid.UUID]bool{}}, stored: make(chan struct{}, 1)}
	var err error
	if s.spool, err = spool.Open(s.dir, opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.spool.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stage) watch(detectors ...watch.Guarded) *watch.Watch {
	return watch.New(watch.Options{Flow: watch.Live, DB: s.db, Spool: s.spool, Dir: s.dir, Keeper: s.shelf, Detectors: detectors, Clock: clock.Real(), Log: slog.New(slog.DiscardHandler), Pause: func(context.Context, time.Duration) {}, MaxLag: 2000, Stored: func(watch.State) {
		select {
		case s.stored <- struct{}{}:
		default:
		}
	}})
}

func (s *stage) say(list ...traces.Event) spool.Position {
	s.t.Helper()
	var records [][]byte
	for i := range list {
		records = append(records, traces.AppendRecord(nil, &list[i]))
	}
	at, err := s.spool.Append(s.t.Context(), records...)
	if err != nil {
		s.t.Fatal(err)
	}
	return at
}

// run lets the watch run until it has stored a place, then stops it.
func (s *stage) run(w *watch.Watch, upTo spool.Position) {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for {
		state, err := watch.Read(s.t.Context(), s.db, watch.Live)
		if err != nil {
			s.t.Fatal(err)
		}
		if !state.At.Before(upTo) {
			break
		}
		select {
		case <-s.stored:
		case <-time.After(30 * time.Second):
			s.t.Fatalf("the watch is at %s, and not at %s", state.At, upTo)
		}
	}
	stop()
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
}

// hits are what is kept, by rule and message.
func (s *stage) hits() map[string]int {
	s.t.Helper()
	out := map[string]int{}
	err := s.db.Read(s.t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		return tx.Query(s.t.Context(), `SELECT rule, hits FROM traces_hit_days`, nil, func(row func(...any) error) error {
			var rule string
			var n int
			err := row(&rule, &n)
			out[rule] = n
			return err
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func event(organisation uuid.UUID, class traces.Class, message string) traces.Event {
	us := storage.Micros(time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC))
	return traces.Event{Organisation: organisation, Source: uuid.New(), Collector: "syslog", Class: class, At: us, Received: us, Message: message, Severity: -1}
}

func TestEachSeesWhatItMay(t *testing.T) {
	t.Parallel()
	s := newStage(t, spool.Options{})
	s.shelf.open[nord()] = true
	own := event(nord(), traces.PatientAccess, "look")
	own.Collector = traces.OwnFormat
	at := s.say(event(nord(), traces.PatientAccess, "a"), event(nord(), traces.System, "b"), event(sud(), traces.PatientAccess, "c"), event(sud(), traces.Authentication, "d"), own)
	behaviour, systems := &ears{rule: "behaviour"}, &ears{rule: "sigma"}
	s.run(s.watch(watch.Guarded{Detector: behaviour, Behaviour: true}, watch.Guarded{Detector: systems}), at)
	if got := fmt.Sprint(s.hits()); got != "map[behaviour:a:1 behaviour:b:1 sigma:a:1 sigma:b:1 sigma:d:1]" {
		t.Error(got)
	}
	state, err := watch.Read(t.Context(), s.db, watch.Live)
	if err != nil || state.Examined != 5 || state.Skipped != 0 {
		t.Errorf("%+v, %v", state, err)
	}
}

// What a power cut undoes is looked at again: nothing is lost, nothing twice.
func TestACrashBetweenTheHitAndThePlaceLosesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, spool.Options{})
	var at spool.Position
	for n := range 20 {
		at = s.say(event(nord(), traces.System, fmt.Sprint(n)))
	}
	s.shelf.fail = 3
	s.run(s.watch(watch.Guarded{Detector: &ears{rule: "r"}}), at)
	for n := range 20 {
		at = s.say(event(nord(), traces.System, fmt.Sprint(20+n)))
	}
	again := &ears{rule: "r"}
	s.run(s.watch(watch.Guarded{Detector: again}), at)
	hits := s.hits()
	for n := range 40 {
		if hits[fmt.Sprint("r:", n)] != 1 {
			t.Errorf("event %d was kept %d times", n, hits[fmt.Sprint("r:", n)])
		}
	}
	if again.heard() != 20 {
		t.Errorf("the second watch looked at %d events", again.heard())
	}
}

// What is judged and what is examined are of one transaction: whatever stops in
// between, a power cut or a database that refuses, each event is counted once.
func TestWhatIsJudgedIsCountedOnceWhateverStops(t *testing.T) {
	t.Parallel()
	s := newStage(t, spool.Options{})
	s.shelf.open[nord()] = true
	var at spool.Position
	for n := range 30 {
		at = s.say(event(nord(), traces.PatientAccess, fmt.Sprint(n)))
	}
	// The machine stops after the judgement, before the place is written down.
	ctx, stop := context.WithCancel(t.Context())
	s.shelf.fail, s.shelf.failed = 1<<20, stop
	if err := s.watch(watch.Guarded{Detector: &ears{rule: "r"}, Behaviour: true}).Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got := s.judged(); got != 0 {
		t.Fatalf("%d are judged, of none examined", got)
	}
	// Then the database refuses three times, under a watch that goes on.
	s.shelf.fail, s.shelf.failed = 3, nil
	s.run(s.watch(watch.Guarded{Detector: &ears{rule: "r"}, Behaviour: true}), at)
	state, err := watch.Read(t.Context(), s.db, watch.Live)
	if got := s.judged(); err != nil || got != 30 || state.Examined != 30 {
		t.Errorf("%d judged of %d examined, of 30, %v", got, state.Examined, err)
	}
}

// What a session gave once it was over is told once by its Detector: a database
// that refuses it for a moment does not lose it.
func TestWhatIsToldLateOutlivesADatabaseThatRefuses(t *testing.T) {
	t.Parallel()
	s := newStage(t, spool.Options{})
	at := s.say(event(nord(), traces.System, "a"))
	s.shelf.fail = 2
	s.run(s.watch(watch.Guarded{Detector: &ears{rule: "r", late: []traces.Hit{{Organisation: nord(), Rule: "session", Title: "over", Events: 1}}}}), at)
	if got := fmt.Sprint(s.hits()); got != "map[r:a:1 session:over:1]" {
		t.Error(got)
	}
}

// judged is how many events were counted as judged.
func (s *stage) judged() (n int64) {
	s.t.Helper()
	err := s.db.Read(s.t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		_, err := tx.Row(s.t.Context(), `SELECT COALESCE(SUM(explained), 0) FROM traces_shares`, nil, &n)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// A watch that lags holds the queue up to its bound, then lets go and says how much.
func TestAWatchThatLagsLetsGoAndSaysSo(t *testing.T) {
	t.Parallel()
	s := newStage(t, spool.Options{SegmentBytes: 400})
	if got := s.watch().Hold(spool.Position{Segment: 9}); got != (spool.Position{}) {
		t.Errorf("before it knows its place the watch lets %s go", got)
	}
	at := s.say(event(nord(), traces.System, "first"))
	w := s.watch(watch.Guarded{Detector: &ears{rule: "r"}})
	s.run(w, at)
	if got := w.Hold(at); got != at {
		t.Errorf("a watch that follows holds %s", got)
	}
	near := s.say(event(nord(), traces.System, "near"))
	if got := w.Hold(near); got != at {
		t.Errorf("the queue is not held: %s", got)
	}
	for range 30 {
		near = s.say(event(nord(), traces.System, "flood"))
	}
	if got := w.Hold(near); got != near {
		t.Fatalf("the queue is held for ever: %s", got)
	}
	if err := s.spool.Release(near); err != nil {
		t.Fatal(err)
	}
	if behind, _ := w.Behind(); behind != 0 {
		t.Errorf("%d bytes behind after letting go", behind)
	}
	last := s.say(event(nord(), traces.System, "last"))
	s.run(w, last)
	hits := s.hits()
	state, err := watch.Read(t.Context(), s.db, watch.Live)
	if err != nil || hits["r:last"] != 1 || hits["r:flood"] != 0 || state.Skipped < 2000 || state.SkippedAt.IsZero() {
		t.Errorf("%v %+v, %v", hits, state, err)
	}
}

func TestADamagedRecordStopsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, spool.Options{SegmentBytes: 150})
	s.say(event(nord(), traces.System, "a"))
	s.say(event(nord(), traces.System, "b"))
	at := s.say(event(nord(), traces.System, "c"))
	names, err := fs.Glob(os.DirFS(s.dir), "*.spool")
	if err != nil || len(names) < 2 {
		t.Fatal(names, err)
	}
	f, err := os.OpenFile(s.dir+"/"+names[0], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("XXXX"), 20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s.run(s.watch(watch.Guarded{Detector: &ears{rule: "r"}}), at)
	if hits := s.hits(); hits["r:c"] != 1 {
		t.Errorf("%v", hits)
	}
}

// TestRateOfTheLiveFlow prints how many events a second the whole road follows,
// from the queue to the cases, with as many rules as the public set has. The bar
// is that of the bench; here it only has to work.
func TestRateOfTheLiveFlow(t *testing.T) {
	if os.Getenv("TOCSIN_WATCH_RATE") == "" {
		t.Skip("TOCSIN_WATCH_RATE asks for the measure")
	}
	s := newStage(t, spool.Options{MaxBytes: 4 << 30})
	dir := t.TempDir()
	if from := os.Getenv("TOCSIN_SIGMA_DIR"); from != "" {
		dir = from
	} else {
		for i, text := range sigma.InventTexts(3700, 1) {
			if err := os.WriteFile(fmt.Sprintf("%s/%d.yml", dir, i), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	book := rules.New(rules.Options{DB: s.db, Guard: guard, Clock: clock.Real(), Log: slog.New(slog.DiscardHandler), Dir: dir})
	if err := book.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	const total = 200_000
	list := make([]traces.Event, 0, 1000)
	var at spool.Position
	for _, r := range sigma.Stream(nil, 20_000, 2) {
		e := event(nord(), traces.System, "")
		e.Collector = "bulk"
		for name, values := range r {
			e.Extra = append(e.Extra, traces.Pair{Name: name, Value: values[0].String()})
		}
		e.Raw = make([]byte, 370)
		if list = append(list, e); len(list) == 1000 {
			for range total / 20_000 {
				at = s.say(list...)
			}
			list = list[:0]
		}
	}
	begun := time.Now()
	s.run(s.watch(watch.Guarded{Detector: book.Detector()}), at)
	took := time.Since(begun)
	sheet, err := book.List(t.Context(), access.System(nord(), "test"))
	if err != nil || len(s.hits()) == 0 {
		t.Fatalf("no rule hit anything, %v", err)
	}
	t.Logf("%d rules, %d of them hit; %d events of %d bytes each: %.0f events/s", len(sheet.Rules), len(s.hits()), total, s.spool.Held()/total, total/took.Seconds())
}
