//go:build cgo

package duckdb

import (
	"context"
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/tracestest"
)

func TestConformance(t *testing.T) {
	tracestest.Run(t, func(t *testing.T, dir string) traces.Engine {
		t.Helper()
		e, aside, err := Open(context.Background(), dir, Options{Threads: 2, Files: 3})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range aside {
			t.Errorf("%s was put aside: %s", a.Path, a.Reason)
		}
		return e
	})
}
