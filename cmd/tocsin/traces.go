//go:build cgo && !notraces

package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/app"
	"tocsin/internal/bench"
	"tocsin/internal/clock"
	"tocsin/internal/traces"
	"tocsin/internal/traces/duckdb"
)

// parts are what this program was built with. The base of traces is C code: a
// program built without cgo, or with the tag notraces, has none and says so.
func parts() []app.Part {
	return []app.Part{app.WithTraces(openBase, &bench.TraceBase{Bare: bareBase, Held: heldBase})}
}

func openBase(ctx context.Context, dir string, log *slog.Logger) (traces.Engine, error) {
	engine, aside, err := duckdb.Open(ctx, dir, duckdb.Options{Log: log})
	for _, f := range aside {
		log.Error("a file of the base cannot be read and was put aside; the others serve", "file", f.Path, "establishment", f.Organisation, "class", f.Class, "month", f.Month, "reason", f.Reason)
	}
	if err != nil {
		return nil, err
	}
	return engine, nil
}

func bareBase(ctx context.Context, dir string, events int64) (float64, error) {
	return duckdb.MeasureBare(ctx, dir, clock.Real(), duckdb.Load{Events: events})
}

func heldBase(ctx context.Context, dir string, organisation uuid.UUID, start time.Time, repeats int) (bench.Held, error) {
	m, err := duckdb.MeasureHeld(ctx, dir, clock.Real(), organisation, start, repeats)
	if err != nil {
		return bench.Held{}, err
	}
	out := bench.Held{Parsed: m.ParsedBytes, Raw: m.RawBytes, VerifyMBps: m.VerifyMBps, Times: map[string][]time.Duration{}}
	for _, q := range m.Questions {
		out.Times[q.Name] = q.Times
	}
	out.Sealing, err = duckdb.MeasureSealing(clock.Real(), 300_000)
	return out, err
}
