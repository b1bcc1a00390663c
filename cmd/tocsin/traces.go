//go:build cgo && !notraces

package main

import (
	"context"
	"log/slog"

	"tocsin/internal/app"
	"tocsin/internal/traces"
	"tocsin/internal/traces/duckdb"
)

// parts are what this program was built with. The base of traces is C code: a
// program built without cgo, or with the tag notraces, has none and says so.
func parts() []app.Part {
	return []app.Part{app.WithTraces(func(ctx context.Context, dir string, log *slog.Logger) (traces.Engine, error) {
		engine, aside, err := duckdb.Open(ctx, dir, duckdb.Options{Log: log})
		for _, f := range aside {
			log.Error("a file of the base cannot be read and was put aside; the others serve", "file", f.Path, "establishment", f.Organisation, "class", f.Class, "month", f.Month, "reason", f.Reason)
		}
		if err != nil {
			return nil, err
		}
		return engine, nil
	})}
}
