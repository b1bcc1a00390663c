package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/app"
	"tocsin/internal/traces"
	"tocsin/internal/traces/child"
)

// held is a base that answers for its blocks alone.
type held struct {
	traces.Engine
	traces.Sealer
	files []traces.BlockFile
}

func (b held) Blocks(context.Context, uuid.UUID, traces.BlockQuery) ([]traces.BlockFile, error) {
	return b.files, nil
}

func (held) Close() error { return nil }

// verifies runs tocsin traces verify on a base.
func verifies(t *testing.T, want int, base held, args ...string) string {
	t.Helper()
	t.Setenv("LC_ALL", "en_US.UTF-8")
	var out, errs bytes.Buffer
	open := func(context.Context, string, *slog.Logger) (traces.Engine, error) { return base, nil }
	if got := app.Main(append([]string{"traces", "verify"}, args...), strings.NewReader(""), &out, &errs, app.WithTraces(open, nil)); got != want {
		t.Fatalf("%v: exit %d, want %d: %s%s", args, got, want, &out, &errs)
	}
	return out.String() + errs.String()
}

func TestTracesAreVerifiedFromTheCommandLine(t *testing.T) {
	folder := t.TempDir()
	data, key := filepath.Join(folder, "data"), filepath.Join(folder, "tocsin.key")
	establish(t, data, key)
	at := []string{"--data", data, "--key-file", key, "--log-level", "error"}
	sound := held{files: []traces.BlockFile{{Class: traces.PatientAccess, Month: "2026-11", Blocks: []traces.Block{{Events: 5, Root: []byte("a"), Read: []byte("a")}}}}}
	if said := verifies(t, 1, sound, at...); !strings.Contains(said, "no base of traces in "+data) {
		t.Errorf("without a base: %s", said)
	}
	if err := os.MkdirAll(filepath.Join(data, "traces", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if said := verifies(t, 0, sound, at...); !strings.Contains(said, "No checkpoint has been signed yet.") || !strings.Contains(said, "5 events that came since") {
		t.Errorf("said %s", said)
	}
	altered := held{files: []traces.BlockFile{{Class: traces.PatientAccess, Month: "2026-11", Strays: 2, Blocks: []traces.Block{{Events: 5, Root: []byte("a"), Read: []byte("b")}}}}}
	said := verifies(t, 1, altered, at...)
	for _, want := range []string{"ALTERED: ", "2026-11, events 0 to 4", "2 rows belong to no block", "2 alterations"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
	var v traces.Verdict
	said = verifies(t, 1, altered, append(at, "--json", "--month", "2026-11")...)
	if err := json.Unmarshal([]byte(strings.SplitN(said, "\n", 2)[0]), &v); err != nil || len(v.Flaws) != 2 || v.Open != 5 {
		t.Errorf("%v: %s", err, said)
	}
	if said := verifies(t, 1, sound, append(at, "--month", "novembre")...); !strings.Contains(said, "2026-11") {
		t.Errorf("said %s", said)
	}
	if said := verifies(t, 1, sound, append(at, "--public-key", key)...); !strings.Contains(said, "no Ed25519 public key") {
		t.Errorf("said %s", said)
	}
	if said := verifies(t, 0, sound, append(at, "--month", "2026-10")...); strings.Contains(said, "not in the log") {
		t.Errorf("another month: %s", said)
	}
}

// A base that a running program holds is asked through its socket.
var _ traces.Sealer = (*child.Client)(nil)
