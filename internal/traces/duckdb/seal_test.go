//go:build cgo

package duckdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tocsin/internal/traces"
)

const sealedFile = "patient-2026-10"

// sealed is a base of the 200 accesses among 1,000 events, its blocks closed.
func sealed(t *testing.T, dir string) (*Engine, map[string]traces.BlockFile) {
	t.Helper()
	e, _ := opened(t, dir)
	batch := slices.DeleteFunc(placed(0, 1000), func(p traces.Placed) bool { return p.Class != traces.PatientAccess })
	if err := e.Take(context.Background(), batch, placed(999, 1000)[0].At); err != nil {
		t.Fatal(err)
	}
	return e, blocks(t, e, traces.BlockQuery{Close: true})
}

func blocks(t *testing.T, e *Engine, q traces.BlockQuery) map[string]traces.BlockFile {
	t.Helper()
	list, err := e.Blocks(context.Background(), home, q)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]traces.BlockFile{}
	for _, f := range list {
		out[f.Name()] = f
	}
	return out
}

// altered lists what reads otherwise than it was sealed.
func altered(t *testing.T, e *Engine, was map[string]traces.BlockFile) (out []string) {
	t.Helper()
	now := blocks(t, e, traces.BlockQuery{Read: true})
	for name, f := range was {
		for _, b := range f.Blocks {
			i := slices.IndexFunc(now[name].Blocks, func(o traces.Block) bool { return o.First == b.First })
			switch {
			case i < 0:
				out = append(out, fmt.Sprintf("%s %d lost", name, b.First))
			case !bytes.Equal(now[name].Blocks[i].Read, b.Root):
				out = append(out, fmt.Sprintf("%s %d", name, b.First))
			}
		}
		if n := now[name].Strays; n > 0 {
			out = append(out, fmt.Sprintf("%s strays %d", name, n))
		}
	}
	slices.Sort(out)
	return out
}

func TestWhatIsDoneToABlockShows(t *testing.T) {
	for name, c := range map[string]struct {
		do   string
		want string
	}{
		"nothing":              {"SELECT 1", "[]"},
		"a value":              {"UPDATE @.events SET message = 'x' WHERE seq = 3", "[patient-2026-10 0]"},
		"a time":               {"UPDATE @.events SET happened = happened + 1 WHERE seq = 3", "[patient-2026-10 0]"},
		"no value":             {"UPDATE @.events SET account = NULL WHERE seq = 3", "[patient-2026-10 0]"},
		"a patient":            {"UPDATE @.identities SET ipp = '999' WHERE ipp = '5'", "[patient-2026-10 0]"},
		"another patient":      {"UPDATE @.events SET patient = patient + 1 WHERE seq = 3", "[patient-2026-10 0]"},
		"a row less":           {"DELETE FROM @.events WHERE seq = 3", "[patient-2026-10 0]"},
		"a row twice":          {"INSERT INTO @.events SELECT * FROM @.events WHERE seq = 3", "[patient-2026-10 0]"},
		"a row more":           {"INSERT INTO @.events SELECT * REPLACE (900 AS seq) FROM @.events WHERE seq = 3", "[patient-2026-10 strays 1]"},
		"rows swapped":         {"UPDATE @.events SET seq = 7 - seq WHERE seq IN (3, 4)", "[patient-2026-10 0]"},
		"a block less":         {"DELETE FROM @.raw", "[patient-2026-10 0 lost patient-2026-10 strays 200]"},
		"an original":          {"UPDATE @.slices SET data = $1", "[patient-2026-10 0]"},
		"originals damaged":    {"UPDATE @.slices SET data = 'rien'::BLOB", "[patient-2026-10 0]"},
		"originals less":       {"DELETE FROM @.slices", "[patient-2026-10 0]"},
		"a slice out of place": {"UPDATE @.slices SET place = 1000000000", "[patient-2026-10 0]"},
		"a salt":               {"UPDATE @.raw SET salt = 'seize octets ici'::BLOB", "[patient-2026-10 0]"},
		"a salt too short":     {"UPDATE @.raw SET salt = 'x'::BLOB", "[patient-2026-10 0]"},
		"cut":                  {"UPDATE @.raw SET cut = 'x'::BLOB", "[patient-2026-10 0]"},
	} {
		t.Run(name, func(t *testing.T) {
			e, was := sealed(t, t.TempDir())
			var args []any
			if name == "an original" {
				var frames []byte
				for i := range 200 {
					frames = appendFrame(frames, "", fmt.Appendf(nil, "original %d", 5*i+i/100))
				}
				args = append(args, e.pack.EncodeAll(frames, nil))
			}
			key := fileKey{home, traces.PatientAccess, 2026*12 + 9}
			f, err := e.hold(context.Background(), key)
			if err != nil {
				t.Fatal(err)
			}
			defer e.release(context.Background(), f)
			if err := e.exec(context.Background(), replaceAt(c.do, key), args...); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(altered(t, e, was)); got != c.want {
				t.Errorf("altered %s, want %s", got, c.want)
			}
		})
	}
}

func replaceAt(q string, key fileKey) string {
	return string(bytes.ReplaceAll([]byte(q), []byte("@"), []byte(key.alias())))
}

// TestTheOpenEndIsSealedFromTheStart: what is altered, or lost, between the commit
// of an event and the block that it enters shows as much.
func TestTheOpenEndIsSealedFromTheStart(t *testing.T) {
	dir := t.TempDir()
	e, _ := opened(t, dir)
	take := func(from, to int) {
		t.Helper()
		if err := e.Take(context.Background(), placed(from, to), placed(to-1, to)[0].At); err != nil {
			t.Fatal(err)
		}
	}
	take(0, 300)
	take(300, 500)
	key := fileKey{home, traces.PatientAccess, 2026*12 + 9}
	if err := e.exec(context.Background(), replaceAt("UPDATE @.events SET message = 'x' WHERE seq = 3", key)); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, _ = opened(t, dir)
	take(500, 1000)
	was := blocks(t, e, traces.BlockQuery{Close: true})
	if f := was[sealedFile]; len(f.Blocks) != 1 || f.Blocks[0].Events != 200 || f.Open != 0 {
		t.Fatalf("%+v", f)
	}
	if got := fmt.Sprint(altered(t, e, was)); got != "[patient-2026-10 0]" {
		t.Errorf("altered %s", got)
	}
}

// TestABlockIsCutByAPurge: what stays is verified against the root of before.
func TestABlockIsCutByAPurge(t *testing.T) {
	dir := t.TempDir()
	e, was := sealed(t, dir)
	if err := e.Take(context.Background(), placed(1000, 1500), placed(1499, 1500)[0].At); err != nil {
		t.Fatal(err)
	}
	for _, before := range []int{250, 700} {
		if _, err := e.Purge(context.Background(), home, traces.Purging{Class: traces.PatientAccess, Before: event(before).At}); err != nil {
			t.Fatal(err)
		}
		now := blocks(t, e, traces.BlockQuery{Read: true})[sealedFile]
		if b := now.Blocks[0]; b.Removed != int64(before/5) || len(b.Cut) == 0 || len(now.Blocks) != 2 || now.Blocks[1].Removed != 0 || now.Open != 0 {
			t.Fatalf("after the purge: %+v", now)
		}
		if got := altered(t, e, was); len(got) > 0 {
			t.Errorf("altered %s", got)
		}
		list, err := e.Block(context.Background(), home, traces.PatientAccess, "2026-10", 0)
		if err != nil || list[before/5-1].Record != nil || list[before/5].Record == nil {
			t.Fatalf("%v %v", list, err)
		}
	}
	key := fileKey{home, traces.PatientAccess, 2026*12 + 9}
	if err := e.exec(context.Background(), replaceAt("DELETE FROM @.events WHERE seq = 150", key)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(altered(t, e, was)); got != "[patient-2026-10 0]" {
		t.Errorf("altered %s", got)
	}
	if _, err := e.Purge(context.Background(), home, traces.Purging{Class: traces.PatientAccess, Before: event(1000).At}); err != nil {
		t.Fatal(err)
	}
	if now := blocks(t, e, traces.BlockQuery{Read: true})[sealedFile]; len(now.Blocks) != 1 || now.Blocks[0].First != 200 {
		t.Errorf("a block of which all is purged: %+v", now)
	}
}

// TestFilesSwappedAndReplayed: what is moved between months, and what is put back
// from before, is not what was sealed there.
func TestFilesSwappedAndReplayed(t *testing.T) {
	dir := t.TempDir()
	e, early := sealed(t, dir)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, home.String(), sealedFile+".duckdb")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e, _ = opened(t, dir)
	if err := e.Take(context.Background(), append(placed(1000, 1100), placed(150000, 150100)...), placed(150099, 150100)[0].At); err != nil {
		t.Fatal(err)
	}
	was := blocks(t, e, traces.BlockQuery{Close: true})
	if len(was) != 10 || len(was[sealedFile].Blocks) != 2 {
		t.Fatalf("%d files", len(was))
	}
	if got := altered(t, e, was); len(got) > 0 {
		t.Fatalf("altered %s", got)
	}
	if err := errors.Join(e.Close(), os.WriteFile(path, old, 0o600)); err != nil {
		t.Fatal(err)
	}
	e, _ = opened(t, dir)
	if got := fmt.Sprint(altered(t, e, was)); got != "[patient-2026-10 200 lost]" {
		t.Errorf("altered %s", got)
	}
	if got := altered(t, e, early); len(got) > 0 {
		t.Errorf("altered %s", got)
	}
	other := filepath.Join(dir, home.String(), "system-2026-11.duckdb")
	if err := errors.Join(e.Close(), os.Rename(path, path+".x"), os.Rename(other, path), os.Rename(path+".x", other)); err != nil {
		t.Fatal(err)
	}
	e, _ = opened(t, dir)
	if got := fmt.Sprint(altered(t, e, was)); got != "[patient-2026-10 0 patient-2026-10 200 lost system-2026-11 0]" {
		t.Errorf("altered %s", got)
	}
}
