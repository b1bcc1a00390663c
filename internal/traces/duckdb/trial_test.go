//go:build cgo

package duckdb

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/tracestest"
)

// TestCourt: what is proven with this base, and what is done to its files.
func TestCourt(t *testing.T) {
	deeds := map[string]string{
		"a value":         "UPDATE @.events SET account = 'durand' WHERE seq = 120",
		"an original":     "DELETE FROM @.slices WHERE first = 100; INSERT INTO @.slices SELECT 100, place, data FROM @.slices WHERE first = 0",
		"a row less":      "DELETE FROM @.events WHERE seq = 3",
		"a late row less": "DELETE FROM @.events WHERE seq = 180",
		"a block less":    "DELETE FROM @.raw WHERE first = 0; DELETE FROM @.events WHERE seq < 100",
		"a row more":      "INSERT INTO @.events SELECT * REPLACE (900 AS seq) FROM @.events WHERE seq = 3",
	}
	cheat := func(t *testing.T, base traces.Engine, what string) {
		t.Helper()
		e, ok := base.(*Engine)
		if !ok || deeds[what] == "" {
			t.Fatalf("no way to do %s to %T", what, base)
		}
		key := fileKey{home, traces.PatientAccess, 2026*12 + 9}
		f, err := e.hold(context.Background(), key)
		if err != nil {
			t.Fatal(err)
		}
		defer e.release(context.Background(), f)
		for _, q := range strings.Split(deeds[what], "; ") {
			if err := e.exec(context.Background(), replaceAt(q, key)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tracestest.Court(t, tracestest.Trial{Open: openedWhole, Cheat: cheat, Keep: keepFile})
}

// keepFile keeps a copy of the file of the court.
func keepFile(t *testing.T, dir string) (back, drop func()) {
	t.Helper()
	path := filepath.Join(dir, home.String(), sealedFile+".duckdb")
	old, err := os.ReadFile(path)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	return func() { must(os.WriteFile(path, old, 0o600)) }, func() { must(os.Remove(path)) }
}

// openedWhole opens a base of which no file is put aside.
func openedWhole(t *testing.T, dir string) traces.Engine {
	t.Helper()
	e, aside, err := Open(context.Background(), dir, Options{Threads: 2, Files: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range aside {
		t.Errorf("%s was put aside: %s", a.Path, a.Reason)
	}
	return e
}
