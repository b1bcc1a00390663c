//go:build cgo

package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/clock"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/sample"
	"tocsin/internal/traces/terms"
)

// Load says what Measure takes in.
type Load struct {
	Events  int64
	Batch   int // events of one Take, 20,000 when zero
	Repeats int // times each question is asked, 20 when zero
	Options Options
}

// Measured is what the base did on this machine.
type Measured struct {
	// BareEPS is what the appender of DuckDB takes of the same rows, already
	// parsed, in transactions of the same size; TakeEPS what Take does, in events
	// a second.
	BareEPS, TakeEPS float64
	// ParsedBytes and RawBytes are what an event and its original take on the
	// disk.
	ParsedBytes, RawBytes float64
	// SmallTake is how long a Take of twenty events lasts, on the mean of two
	// hundred: what a quiet hour costs.
	SmallTake time.Duration
	// SealPct is what the seal costs of Take, in hundredths of its time; VerifyMBps
	// how much is verified in a second, in the megabytes of the rows and originals
	// that are hashed.
	SealPct, VerifyMBps float64
	Questions           []Latency
}

// Latency is how long a question takes, warm: the 95th percentile.
type Latency struct {
	Name string
	P95  time.Duration
	// Times are all that were measured, the shortest first.
	Times []time.Duration
	// Total is what the question found.
	Total int64
}

// Measure fills a base in an empty folder with the events of sample and asks it
// questions. Only the base is timed: not the making of events.
func Measure(ctx context.Context, dir string, c clock.Clock, load Load) (Measured, error) {
	if load.Batch == 0 {
		load.Batch = 20000
	}
	if load.Repeats == 0 {
		load.Repeats = 20
	}
	var m Measured
	organisation := uuid.MustParse("0190aaaa-0000-7000-8000-00000000000f")
	opt := sample.Options{Organisation: organisation, Events: load.Events, Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	bare, err := openNew(ctx, filepath.Join(dir, "bare"), load.Options)
	if err != nil {
		return m, err
	}
	m.BareEPS, err = bare.measureBare(ctx, c, sample.New(opt), load)
	if err := errors.Join(err, bare.Close(), os.RemoveAll(filepath.Join(dir, "bare"))); err != nil {
		return m, err
	}
	e, err := openNew(ctx, filepath.Join(dir, "base"), load.Options)
	if err != nil {
		return m, err
	}
	m.TakeEPS, err = e.measureTake(ctx, c, sample.New(opt), load)
	if err == nil {
		m.ParsedBytes, m.RawBytes, err = e.measureDisk(ctx, organisation)
	}
	if err == nil {
		m.Questions, err = e.measureQuestions(ctx, c, organisation, opt.Start, load.Repeats)
	}
	if err == nil {
		m.SealPct, err = measureSeal(c, sample.New(opt), load, m.TakeEPS)
	}
	if err == nil {
		m.VerifyMBps, err = e.measureVerify(ctx, c, organisation)
	}
	if err == nil {
		small := Load{Events: 200 * 20, Batch: 20}
		opt.Events, opt.Start, opt.Seed = small.Events, opt.Start.AddDate(0, 1, 0), 1
		var spent time.Duration
		spent, err = batches(c, sample.New(opt), spool.Position{Segment: 2}, small, func(placed []traces.Placed, upTo spool.Position) error { return e.Take(ctx, placed, upTo) })
		m.SmallTake = spent / 200
	}
	return m, errors.Join(err, e.Close())
}

// MeasureBare tells how many of the same rows, already parsed, the appender of
// DuckDB takes a second in an empty folder, which it empties.
func MeasureBare(ctx context.Context, dir string, c clock.Clock, load Load) (eps float64, err error) {
	if load.Batch == 0 {
		load.Batch = 20000
	}
	if load.Options.Threads == 0 {
		load.Options.Threads = runtime.GOMAXPROCS(0) // as DuckDB has it by itself
	}
	e, err := openNew(ctx, filepath.Join(dir, "bare"), load.Options)
	if err != nil {
		return 0, err
	}
	eps, err = e.measureBare(ctx, c, sample.New(sample.Options{Events: load.Events, Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}), load)
	return eps, errors.Join(err, e.Close(), os.RemoveAll(filepath.Join(dir, "bare")))
}

// MeasureHeld weighs what a base holds of an establishment, and puts it the
// questions of the bars: nobody else may have the folder.
func MeasureHeld(ctx context.Context, dir string, c clock.Clock, organisation uuid.UUID, start time.Time, repeats int) (m Measured, err error) {
	e, err := openNew(ctx, dir, Options{})
	if err != nil {
		return m, err
	}
	if m.ParsedBytes, m.RawBytes, err = e.measureDisk(ctx, organisation); err == nil {
		m.Questions, err = e.measureQuestions(ctx, c, organisation, start, repeats)
	}
	if err == nil {
		m.VerifyMBps, err = e.measureVerify(ctx, c, organisation)
	}
	return m, errors.Join(err, e.Close())
}

// MeasureSealing is how long the seal of one event takes.
func MeasureSealing(c clock.Clock, events int64) (time.Duration, error) {
	percent, err := measureSeal(c, sample.New(sample.Options{Events: events, Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}), Load{Events: events, Batch: 20000}, 1)
	return time.Duration(percent / 100 * float64(time.Second)), err
}

// openNew opens a folder that is new.
func openNew(ctx context.Context, dir string, opt Options) (*Engine, error) {
	e, _, err := Open(ctx, dir, opt)
	return e, err
}

// batches makes events and gives them to take, whose time it sums; the events of
// a batch hold until the next.
func batches(c clock.Clock, h *sample.Hospital, at spool.Position, load Load, take func([]traces.Placed, spool.Position) error) (time.Duration, error) {
	var spent time.Duration
	var raw []byte
	for left := load.Events; left > 0; {
		n := min(left, int64(load.Batch))
		left -= n
		placed := make([]traces.Placed, n)
		raw = raw[:0]
		for i := range placed {
			h.Next(&placed[i].Event)
			start := len(raw)
			raw = append(raw, placed[i].Raw...)
			placed[i].Raw = raw[start:]
			at.Offset += int64(len(placed[i].Raw))
			placed[i].At = at
		}
		watch := clock.Stopwatch(c)
		if err := take(placed, at); err != nil {
			return 0, err
		}
		spent += watch()
	}
	return spent, nil
}

func rate(events int64, spent time.Duration) float64 { return float64(events) / spent.Seconds() }

// measureBare appends the columns of events, and their originals in none.
func (e *Engine) measureBare(ctx context.Context, c clock.Clock, h *sample.Hospital, load Load) (float64, error) {
	if err := e.attachPath(ctx, filepath.Join(e.dir, "bare.duckdb"), "bare", fileSchema("bare")); err != nil {
		return 0, err
	}
	seq := int64(0)
	spent, err := batches(c, h, spool.Position{Segment: 1}, load, func(placed []traces.Placed, _ spool.Position) error {
		s := shareOf(&file{next: seq})
		s.patient, s.hash = make([]int32, len(placed)), make([]uint64, len(placed))
		for i := range placed {
			s.events = append(s.events, &placed[i].Event)
			s.patient[i] = int32(len(placed[i].IPP)) * int32(i)
			s.extra = append(s.extra, terms.JoinPairs(placed[i].Extra))
		}
		seq += int64(len(placed))
		return e.transaction(ctx, func() error {
			return e.append("bare", "events", len(placed), func(i int) []driver.Value { return e.rowOf(s, i) })
		})
	})
	return rate(load.Events, spent), err
}

func (e *Engine) measureTake(ctx context.Context, c clock.Clock, h *sample.Hospital, load Load) (float64, error) {
	spent, err := batches(c, h, spool.Position{Segment: 1}, load, func(placed []traces.Placed, upTo spool.Position) error { return e.Take(ctx, placed, upTo) })
	return rate(load.Events, spent), err
}

// measureSeal seals the events of sample in blocks, as storeOriginals does, and
// nothing else.
func measureSeal(c clock.Clock, h *sample.Hospital, load Load, eps float64) (float64, error) {
	var t tail
	var s *salter
	spent, err := batches(c, h, spool.Position{Segment: 1}, load, func(placed []traces.Placed, _ spool.Position) error {
		for i := range placed {
			ev := &placed[i].Event
			if t.events == 0 {
				t.begin(0)
				var err error
				if s, err = newSalter(t.salt); err != nil {
					return err
				}
			}
			t.digests = s.digest(t.digests, int(t.events), ev, "")
			t.events++
			if t.hi += int64(len(ev.Raw)); t.hi >= blockBytes {
				traces.BlockRoot(t.digests)
				t.events = 0
			}
		}
		return nil
	})
	return 100 * spent.Seconds() / (float64(load.Events) / eps), err
}

func (e *Engine) measureVerify(ctx context.Context, c clock.Clock, organisation uuid.UUID) (float64, error) {
	watch := clock.Stopwatch(c)
	files, err := e.Blocks(ctx, organisation, traces.BlockQuery{Close: true, Read: true})
	spent := watch()
	total := int64(0)
	for _, f := range files {
		total += f.Bytes
		for _, b := range f.Blocks {
			if !slices.Equal(b.Root, b.Read) {
				return 0, fmt.Errorf("block %d of %s is not as it was sealed", b.First, f.Name())
			}
		}
	}
	return float64(total) / 1e6 / spent.Seconds(), err
}

// measureDisk divides the bytes of the files between the originals, whose blocks
// are stored as they are, and all the rest.
func (e *Engine) measureDisk(ctx context.Context, organisation uuid.UUID) (parsed, raw float64, err error) {
	var all, originals, events int64
	for key, f := range e.files {
		if err := e.exec(ctx, "CHECKPOINT "+key.alias()); err != nil {
			return 0, 0, err
		}
		info, err := os.Stat(e.path(key))
		if err != nil {
			return 0, 0, fmt.Errorf("measure the disk: %w", err)
		}
		var bytes int64
		if err := e.db.QueryRowContext(ctx, "SELECT (SELECT coalesce(sum(octet_length(data)), 0) FROM "+key.alias()+".slices)::BIGINT + (SELECT coalesce(sum(octet_length(data)), 0) FROM "+
			key.alias()+".tail)::BIGINT").Scan(&bytes); err != nil {
			return 0, 0, fmt.Errorf("measure the disk: %w", err)
		}
		all, originals, events = all+info.Size(), originals+bytes, events+f.events
	}
	if err := e.exec(ctx, "CHECKPOINT "+peopleAlias(organisation)); err != nil {
		return 0, 0, err
	}
	info, err := os.Stat(e.peoplePath(organisation))
	if err != nil {
		return 0, 0, fmt.Errorf("measure the disk: %w", err)
	}
	return float64(all+info.Size()-originals) / float64(events), float64(originals) / float64(events), nil
}

// measureQuestions asks the questions of the bars.
func (e *Engine) measureQuestions(ctx context.Context, c clock.Clock, organisation uuid.UUID, start time.Time, repeats int) ([]Latency, error) {
	from := start.UnixMicro()
	q := traces.Question{From: from - day, To: from + 31*day, Zone: "Europe/Paris", Limit: 100}
	some, err := e.Ask(ctx, organisation, traces.Question{From: q.From, To: q.To, Zone: q.Zone, Limit: 1, Skip: 100, Where: []traces.Condition{{Field: traces.FieldPatient, Op: traces.NotEmpty}}})
	if err != nil || len(some.Events) == 0 {
		return nil, errors.Join(errors.New("no event to ask about"), err)
	}
	var out []Latency
	for _, ask := range sample.Questions(q.From, q.To, &some.Events[0].Event) {
		var times []time.Duration
		l := Latency{Name: ask.Name}
		for range repeats {
			watch := clock.Stopwatch(c)
			a, err := e.Ask(ctx, organisation, ask.Question)
			if err != nil {
				return nil, fmt.Errorf("ask %s: %w", ask.Name, err)
			}
			times = append(times, watch())
			l.Total = a.Total
		}
		slices.Sort(times)
		l.Times, l.P95 = times, times[min(len(times)-1, len(times)*95/100)]
		out = append(out, l)
	}
	return out, nil
}
