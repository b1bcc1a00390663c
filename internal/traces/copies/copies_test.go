package copies_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/copies"
)

const phrase = "phrase de l’essai"

// shelf is a base of some files.
type shelf struct {
	names   []string
	files   map[string][]byte
	written map[string]int64
	given   []string // with their content
	fail    string   // the file in the middle of which the base stops
}

func newShelf() *shelf { return &shelf{files: map[string][]byte{}, written: map[string]int64{}} }

func (b *shelf) put(name string, content []byte) {
	if _, known := b.files[name]; !known {
		b.names = append(b.names, name)
	}
	b.files[name] = content
	b.written[name]++
}

// Copy implements traces.Copier.
func (b *shelf) Copy(_ context.Context, q traces.CopyQuery, to traces.CopySink) error {
	b.given = nil
	var all []traces.CopiedFile
	for _, name := range b.names {
		all = append(all, traces.CopiedFile{Name: name, Size: int64(len(b.files[name])), Modified: b.written[name]})
	}
	if err := to.Begin(all); err != nil {
		return err
	}
	for _, f := range all {
		if k := q.Known[f.Name]; k.Modified == f.Modified && k.Size == f.Size {
			f.SHA256 = k.SHA256
			if err := to.Take(f, nil); err != nil {
				return err
			}
			continue
		}
		b.given = append(b.given, f.Name)
		content := io.Reader(bytes.NewReader(b.files[f.Name]))
		if f.Name == b.fail {
			content = io.MultiReader(io.LimitReader(content, f.Size/2), broken{})
		}
		if err := to.Take(f, content); err != nil {
			return err
		}
	}
	return nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the base stopped") }

func order(minute int) copies.Order {
	return copies.Order{
		Now: time.Date(2026, 12, 1, 2, minute, 0, 0, time.UTC), Program: "essai", Base: uuid.Max,
		Ledger: func(w io.Writer) error { _, err := fmt.Fprintf(w, "registre %d", minute); return err },
		Room:   func(int, int64, int64) error { return nil },
	}
}

func begin(t *testing.T, dir string) *copies.Folder {
	t.Helper()
	f, err := copies.Begin(dir, phrase)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// is says which fault an error must be.
func is(t *testing.T, err error, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Key != key {
		t.Fatalf("%v, want %s", err, key)
	}
}

func stocked() *shelf {
	b := newShelf()
	b.put("applied", []byte("1 2 x"))
	b.put("e/patient-2026-10.duckdb", bytes.Repeat([]byte("octobre"), 40_000))
	b.put("e/patient-2026-11.duckdb", bytes.Repeat([]byte("novembre"), 10))
	b.put("e/patients.duckdb", nil)
	return b
}

func TestACopyComesBackAsItWas(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "copies")
	f, b := begin(t, dir), stocked()
	done := int64(0)
	o := order(0)
	o.Progress = func(n, total int64) {
		if done = n; n > total {
			t.Errorf("%d of %d", n, total)
		}
	}
	s, err := f.Make(t.Context(), b, o)
	must(t, err)
	if s.Files != 4 || s.Fresh != 4 || done != s.Bytes {
		t.Errorf("%+v, %d told", s, done)
	}
	c, err := f.Read("")
	must(t, err)
	to := filepath.Join(t.TempDir(), "base")
	must(t, f.Put(t.Context(), c, to, nil))
	for _, name := range b.names {
		got, err := os.ReadFile(filepath.Join(to, name))
		must(t, err)
		if !bytes.Equal(got, b.files[name]) {
			t.Errorf("%s is not what was copied", name)
		}
	}
	must(t, f.Ledger(c, func(r io.Reader) error {
		text, err := io.ReadAll(r)
		if string(text) != "registre 0" {
			t.Errorf("ledger %q", text)
		}
		return err
	}))
	for _, path := range objects(t, dir) {
		text, err := os.ReadFile(path)
		must(t, err)
		if bytes.Contains(text, []byte("octobre")) || bytes.Contains(text, []byte("registre")) {
			t.Errorf("%s can be read without the passphrase", path)
		}
	}
}

func objects(t *testing.T, dir string) []string {
	t.Helper()
	out, err := filepath.Glob(filepath.Join(dir, "objects", "*"))
	must(t, err)
	return out
}

func TestWhatDidNotChangeIsThereOnce(t *testing.T) {
	dir := t.TempDir()
	f, b := begin(t, dir), stocked()
	_, err := f.Make(t.Context(), b, order(0))
	must(t, err)
	old := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, path := range objects(t, dir) {
		must(t, os.Chtimes(path, old, old))
	}
	b.put("e/patient-2026-11.duckdb", []byte("novembre va plus loin"))
	s, err := f.Make(t.Context(), b, order(1))
	must(t, err)
	if fmt.Sprint(b.given) != "[e/patient-2026-11.duckdb]" || s.Fresh != 1 {
		t.Errorf("given again: %s, %+v", b.given, s)
	}
	// Four files, one of them twice, and two logs.
	if n := len(objects(t, dir)); n != 7 {
		t.Errorf("%d objects", n)
	}
	must(t, f.Prune(1))
	names, err := f.Names()
	must(t, err)
	if left := objects(t, dir); fmt.Sprint(names) != "[20261201T020100Z]" || len(left) != 5 {
		t.Errorf("kept %s and %d objects", names, len(left))
	}
	for _, path := range objects(t, dir) {
		info, err := os.Stat(path)
		must(t, err)
		if info.ModTime().Equal(old) {
			t.Error("a rule of age would delete what the last copy needs")
		}
	}
	c, err := f.Read("")
	must(t, err)
	must(t, f.Check(t.Context(), c, nil))
	// What somebody deleted is written again.
	must(t, os.Remove(filepath.Join(dir, "objects", c.Files[1].Object)))
	is(t, f.Check(t.Context(), c, nil), "traces.copy.damaged")
	_, err = f.Make(t.Context(), b, order(2))
	must(t, err)
	c, err = f.Read("")
	must(t, err)
	must(t, f.Check(t.Context(), c, nil))
}

func TestWhatFailsLeavesNothingUnderAName(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b *shelf, o *copies.Order, ctx *context.Context)
		want   string
	}{
		"the base stops": {func(b *shelf, _ *copies.Order, _ *context.Context) { b.fail = b.names[1] }, "traces.copy.cut"},
		"no room": {func(_ *shelf, o *copies.Order, _ *context.Context) {
			o.Room = func(files int, total, fresh int64) error {
				if files != 4 || fresh <= total {
					return fmt.Errorf("%d files, %d bytes, %d fresh", files, total, fresh)
				}
				return fault.New(fault.Unavailable, "full")
			}
		}, "full"},
		"interrupted": {func(_ *shelf, _ *copies.Order, ctx *context.Context) {
			gone, cancel := context.WithCancel(*ctx)
			cancel()
			*ctx = gone
		}, ""},
		"no log": {func(_ *shelf, o *copies.Order, _ *context.Context) {
			o.Ledger = func(io.Writer) error { return fault.New(fault.Unavailable, "no log") }
		}, "no log"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f, b, o, ctx := begin(t, dir), stocked(), order(0), t.Context()
			c.change(b, &o, &ctx)
			_, err := f.Make(ctx, b, o)
			if c.want != "" {
				is(t, err, c.want)
			} else if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			names, err := f.Names()
			must(t, err)
			inside, err := os.ReadDir(dir)
			must(t, err)
			if len(names) > 0 || len(inside) != 2 {
				t.Errorf("copies %s, files %v", names, inside)
			}
			must(t, f.Prune(0))
			if left := objects(t, dir); len(left) > 0 {
				t.Errorf("left: %s", left)
			}
		})
	}
}

func TestAFullDiskLeavesNothingHalfMade(t *testing.T) {
	dir := small(t)
	f, b := begin(t, filepath.Join(dir, "copies")), stocked()
	b.put("e/grand-2026-11.duckdb", make([]byte, 4<<20))
	_, err := f.Make(t.Context(), b, order(0))
	is(t, err, "traces.copy.unwritable")
	inside, err := os.ReadDir(filepath.Join(dir, "copies"))
	must(t, err)
	if slices.ContainsFunc(inside, func(e os.DirEntry) bool { return e.Name() != "objects" && e.Name() != "tocsin-traces.json" }) {
		t.Errorf("left: %v", inside)
	}
	// A copy elsewhere is not put back onto it in half either.
	other := begin(t, filepath.Join(t.TempDir(), "copies"))
	_, err = other.Make(t.Context(), b, order(0))
	must(t, err)
	c, err := other.Read("")
	must(t, err)
	is(t, other.Put(t.Context(), c, filepath.Join(dir, "base"), nil), "traces.copy.unwritable")
	if _, err := os.Stat(filepath.Join(dir, "base")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a base is left in half: %v", err)
	}
}

func TestWhatCannotBeTrustedIsRefused(t *testing.T) {
	dir := t.TempDir()
	f, b := begin(t, dir), stocked()
	_, err := f.Make(t.Context(), b, order(0))
	must(t, err)
	_, err = copies.Open(dir, phrase)
	is(t, err, "traces.copy.taken")
	_, err = copies.Open(dir, "une autre phrase")
	is(t, err, "traces.copy.passphrase")
	_, err = copies.Open(t.TempDir(), phrase)
	is(t, err, "traces.copy.no_folder")
	full := t.TempDir()
	must(t, os.WriteFile(filepath.Join(full, "thèse.odt"), []byte("x"), 0o600))
	_, err = copies.Begin(full, phrase)
	is(t, err, "traces.copy.not_empty")
	_, err = f.Read("20200101T000000Z")
	is(t, err, "traces.copy.unknown")
	_, err = f.Make(t.Context(), b, order(0))
	is(t, err, "traces.copy.exists")

	c, err := f.Read("")
	must(t, err)
	// An older copy under a younger name.
	text, err := os.ReadFile(filepath.Join(dir, c.Name()+".copie"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "20270101T000000Z.copie"), text, 0o600))
	_, err = f.Read("20270101T000000Z")
	is(t, err, "traces.copy.damaged")
	for name, spoil := range map[string]func([]byte) []byte{
		"a bit":      func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut":        func(b []byte) []byte { return b[:len(b)-1] },
		"a piece":    func(b []byte) []byte { return b[:32+64<<10+16] },
		"nothing":    func([]byte) []byte { return nil },
		"one byte":   func(b []byte) []byte { return append(b, 0) },
		"an other's": func([]byte) []byte { return text },
	} {
		path := filepath.Join(dir, "objects", c.Files[1].Object)
		was, err := os.ReadFile(path)
		must(t, err)
		must(t, os.WriteFile(path, spoil(bytes.Clone(was)), 0o600))
		to := filepath.Join(t.TempDir(), "base")
		err = f.Put(t.Context(), c, to, nil)
		if f := fault.As(err); f == nil || f.Key != "traces.copy.damaged" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a folder is left", name)
		}
		must(t, os.WriteFile(path, was, 0o600))
	}
	must(t, f.Check(t.Context(), c, nil))
}

func TestWhatAnInterruptionLeftIsSwept(t *testing.T) {
	dir := t.TempDir()
	must(t, begin(t, dir).Close())
	left := filepath.Join(dir, ".partiel-123")
	must(t, os.WriteFile(left, []byte("x"), 0o600))
	f := begin(t, dir)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is there still: %v", err)
	}
	_, err := f.Read("")
	is(t, err, "traces.copy.none")
	if strings.Contains(dir, "objects") || !copies.Exists(dir) {
		t.Error("the folder does not say what it is")
	}
}
