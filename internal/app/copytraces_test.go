package app_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/app"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// filed is a base of one file, which holds all of its queue.
type filed struct {
	traces.Engine
	content string
}

func (filed) Applied(context.Context) (spool.Position, error) {
	return spool.Position{Segment: 1 << 40}, nil
}

func (filed) Close() error { return nil }

func (b filed) Copy(_ context.Context, _ traces.CopyQuery, to traces.CopySink) error {
	f := traces.CopiedFile{Name: uuid.Max.String() + "/patient-2026-11.duckdb", Size: int64(len(b.content)), Modified: int64(len(b.content))}
	if err := to.Begin([]traces.CopiedFile{f}); err != nil {
		return err
	}
	return to.Take(f, strings.NewReader(b.content))
}

func TestTracesAreCopiedAndPutBackFromTheCommandLine(t *testing.T) {
	folder := t.TempDir()
	data, key := filepath.Join(folder, "data"), filepath.Join(folder, "tocsin.key")
	establish(t, data, key)
	t.Setenv("LC_ALL", "en_US.UTF-8")
	t.Setenv("TOCSIN_BACKUP_PASSPHRASE", "phrase secrète de l’essai")
	base := filed{content: "first"}
	run := func(want int, words string, args ...string) {
		t.Helper()
		var said bytes.Buffer
		open := func(context.Context, string, *slog.Logger) (traces.Engine, error) { return base, nil }
		got := app.Main(append(append([]string{"traces"}, args...), "--data", data, "--key-file", key, "--log-level", "error"), strings.NewReader(""), &said, &said, app.WithTraces(open, nil))
		if got != want || !strings.Contains(said.String(), words) {
			t.Fatalf("%v: exit %d, want %d, want %q in %s", args, got, want, words, &said)
		}
	}
	copied, held := filepath.Join(folder, "copies"), filepath.Join(data, "traces", "base", uuid.Max.String(), "patient-2026-11.duckdb")
	run(1, "no base of traces in", "copy", copied)
	put := func(content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(held), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(held, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("fuller than the copy")
	run(0, "1 of them written", "copy", copied)
	run(0, "read whole and intact", "restore", copied, "--check")
	run(1, "There is a base of traces in", "restore", copied)
	is(t, held, "fuller than the copy")
	run(0, "is put aside", "restore", copied, "--replace")
	is(t, held, "first")
	aside, err := filepath.Glob(filepath.Join(data, "traces", "base.avant-*", uuid.Max.String(), "*"))
	if err != nil || len(aside) != 1 {
		t.Fatalf("aside: %s %v", aside, err)
	}
	is(t, aside[0], "fuller than the copy")
	// A program that serves is not disturbed.
	queue, err := spool.Open(filepath.Join(data, "traces", "spool"), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run(1, "Tocsin serves on this machine", "restore", copied, "--replace")
	// What waits in the queue of another base is not passed over.
	if _, err := queue.Append(t.Context(), []byte("a trace")); err != nil {
		t.Fatal(err)
	}
	if err := queue.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "traces", "base-id"), []byte(uuid.NewString()), 0o600); err != nil {
		t.Fatal(err)
	}
	run(1, "Another base was held here", "restore", copied, "--replace")
	is(t, held, "first")
}

// is reads a file.
func is(t *testing.T, path, want string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := io.ReadAll(file); err != nil || string(got) != want {
		t.Errorf("%s holds %q, want %q: %v", path, got, want, err)
	}
}
