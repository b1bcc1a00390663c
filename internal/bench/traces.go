package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces/sample"
)

// traceMeasurements are those of the traces.
func traceMeasurements() []measurement {
	return []measurement{
		{"http10m", []string{
			"eps", "ratio", "rss_mb", "disk.parsed_bytes", "disk.raw_bytes",
			"q.patient_last100_ms", "q.person_hour_ms", "q.top10_ms", "q.distinct_patients_ms", "q.text_ms", ".visible_s", "seal.cost_pct", "seal.verify_mbps",
		}, (*bench).http10m},
		{"sigma3700", []string{"eps"}, (*bench).sigma3700},
		{"sigma", []string{"regression_hits"}, (*bench).sigmaRegression},
		{"volume", []string{"core_pct"}, (*bench).volume},
		{"detect", []string{"recall_at_1_per_1000", "baseline_recall"}, (*bench).detection},
		{"syslog", []string{"eps"}, (*bench).syslogEPS},
		{"atna", []string{"eps"}, (*bench).atnaEPS},
		{"crash", []string{"missing", "doubled_idempotent"}, (*bench).crashTraces},
	}
}

// TraceIDs lists every figure of the traces.
func TraceIDs() []string { return idsOf(traceMeasurements()) }

// RunTraces is Run for the traces.
func RunTraces(ctx context.Context, o Options) ([]Result, error) {
	return measure(ctx, o, traceMeasurements())
}

// traceStart is the time of the first event of every measurement.
func traceStart() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }

// hospital gives the events of the measurements.
func hospital(events int) *sample.Hospital {
	return sample.New(sample.Options{Organisation: uuid.Max, Events: int64(events), Start: traceStart(), Keys: false})
}

// http10m sends events as JSON until all are found by a question, weighs the
// base and asks it the questions of the bars.
func (b *bench) http10m(ctx context.Context) (out []Result, err error) {
	bare, err := b.bareTraces(ctx)
	if err != nil {
		return nil, err
	}
	p, err := b.openTraces(ctx, "http10m", traceRequest{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.leave(ctx)) }()
	n := b.Sizes.Traces
	began := time.Now()
	if err := p.post(ctx, p.Tokens["jsonl"], n); err != nil {
		return nil, err
	}
	b.note("http10m: %d events acknowledged in %.1f s", n, time.Since(began).Seconds())
	if err := p.found(ctx, "jsonl", n); err != nil {
		return nil, err
	}
	eps := float64(n) / time.Since(began).Seconds()
	memory, processes := p.memory()
	b.note("http10m: %.0f events/s until the last was found; %.0f MB at most (%s)", eps, memory, processes)
	seen, err := b.visible(ctx, p)
	if err != nil {
		return nil, err
	}
	var asked, alone answered
	if err := p.ask(ctx, traceOrder{Bars: true, Repeats: b.Sizes.Repeats}, &asked); err != nil {
		return nil, err
	}
	if err := p.stop(ctx); err != nil {
		return nil, err
	}
	if err := b.do(ctx, "held-traces", heldRequest{Dir: p.base(), Establishment: p.Establishment, Repeats: b.Sizes.Repeats}, &alone); err != nil {
		return nil, err
	}
	reference := "the appender of DuckDB on the same rows, parsed, in the same process, events/s"
	out = []Result{
		samples{eps}.result("http10m.eps", "events/s", bare, reference),
		samples{eps / bare.median()}.result("http10m.ratio", "", bare, reference),
		samples{memory}.result("http10m.rss_mb", "MB", samples{ownPeakMB()}, "the client that sends, MB"),
		samples{alone.ParsedBytes}.result("disk.parsed_bytes", "bytes/event", samples{alone.RowBytes}, "an original as it came, bytes"),
		samples{alone.RawBytes}.result("disk.raw_bytes", "bytes/event", samples{alone.RowBytes}, "an original as it came, bytes"),
	}
	out = append(
		append(out, questionFigures(asked, alone)...),
		samples{100 * alone.SealingS * eps}.result("seal.cost_pct", "% of a core", samples{eps}, "events sealed a second as they come in"),
		samples{alone.VerifyMBps}.result("seal.verify_mbps", "MB/s", samples{hashRate()}, "SHA-256 of the same bytes in memory, one core, MB/s"),
	)
	return append(out, seen), nil
}

// questionFigures sets each question put to the product beside the same put to
// the bare engine.
func questionFigures(asked, alone answered) (out []Result) {
	for _, name := range []string{"patient_last100", "person_hour", "top10", "distinct_patients", "text"} {
		product, engine := asked.Times[name], alone.Times[name]
		out = append(out, Result{
			ID: "q." + name + "_ms", Value: round(samples(product).percentile(95)), Unit: "ms", Min: round(samples(product).min()), Max: round(samples(product).max()), Runs: len(product),
			Reference: round(samples(engine).percentile(95)), ReferenceName: "the engine alone, in one process, p95, ms",
		})
	}
	return out
}

// visible is how long an acknowledged event waits until a question finds it.
func (b *bench) visible(ctx context.Context, p *tracesHouse) (Result, error) {
	var waits, disk samples
	for range max(b.Sizes.Repeats, 5) {
		n := p.sent["bulk"] + 1
		if err := p.postBulk(ctx, n-1, 1); err != nil {
			return Result{}, err
		}
		acknowledged := time.Now()
		if err := p.found(ctx, "bulk", n); err != nil {
			return Result{}, err
		}
		waits = append(waits, time.Since(acknowledged).Seconds())
		t, err := syncTime(b.folder)
		if err != nil {
			return Result{}, err
		}
		disk = append(disk, t)
	}
	return waits.worst("visible_s", "s", disk, "the same bytes written and synced to this disk, s"), nil
}

// syncTime is how long an event takes to reach the disk, s.
func syncTime(folder string) (seconds float64, err error) {
	f, err := os.CreateTemp(folder, "sync-")
	if err != nil {
		return 0, err
	}
	began := time.Now()
	_, err = f.Write(make([]byte, 370))
	if err == nil {
		err = f.Sync()
	}
	seconds = time.Since(began).Seconds()
	return seconds, errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// bareTraces measures the appender.
func (b *bench) bareTraces(ctx context.Context) (out samples, err error) {
	n := min(b.Sizes.Traces, 1_000_000)
	for i := range b.Runs {
		var a answered
		if err := b.do(ctx, "bare-traces", heldRequest{Dir: filepath.Join(b.folder, fmt.Sprintf("bare-%d", i)), Events: n}, &a); err != nil {
			return nil, err
		}
		out = append(out, a.EPS)
	}
	return out, nil
}

// syslogEPS sends lines of syslog over TCP, each with an object of JSON.
func (b *bench) syslogEPS(ctx context.Context) ([]Result, error) {
	return b.stream(ctx, "syslog", b.Sizes.Traces/5, syslogLines)
}

// atnaEPS sends audit messages in XML over syslog.
func (b *bench) atnaEPS(ctx context.Context) ([]Result, error) {
	return b.stream(ctx, "atna", b.Sizes.Traces/10, atnaMessages)
}

// stream sends frames to the listener of syslog until all are found.
func (b *bench) stream(ctx context.Context, format string, n int, frames func(int, func([]byte) error) error) (out []Result, err error) {
	bare, err := b.bareTraces(ctx)
	if err != nil {
		return nil, err
	}
	p, err := b.openTraces(ctx, format, traceRequest{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.leave(ctx)) }()
	began := time.Now()
	if err := p.pour(ctx, format, n, frames); err != nil {
		return nil, err
	}
	b.note("%s: %d messages left in %.1f s", format, n, time.Since(began).Seconds())
	if err := p.found(ctx, format, n); err != nil {
		return nil, err
	}
	eps := float64(n) / time.Since(began).Seconds()
	return []Result{samples{eps}.result(format+".eps", "events/s", bare, "the appender of DuckDB on rows already parsed, events/s")}, p.stop(ctx)
}

// millis gives durations in ms, the shortest first.
func millis(times []time.Duration) (out samples) {
	for _, t := range times {
		out = append(out, float64(t.Microseconds())/1000)
	}
	slices.Sort(out)
	return out
}
