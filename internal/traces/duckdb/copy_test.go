//go:build cgo

package duckdb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// tray receives a copy into a folder.
type tray struct {
	dir   string
	begun func() error
	held  map[string]traces.CopiedFile
	given []string
}

func newTray(t *testing.T) *tray {
	t.Helper()
	return &tray{dir: t.TempDir(), held: map[string]traces.CopiedFile{}}
}

func (r *tray) Begin([]traces.CopiedFile) error {
	r.given = nil
	if r.begun != nil {
		return r.begun()
	}
	return nil
}

func (r *tray) Take(f traces.CopiedFile, content io.Reader) error {
	if content == nil {
		if !bytes.Equal(f.SHA256, r.held[f.Name].SHA256) {
			return fmt.Errorf("%s is not the one known", f.Name)
		}
		return nil
	}
	text, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if int64(len(text)) != f.Size {
		return fmt.Errorf("%s has %d bytes of %d", f.Name, len(text), f.Size)
	}
	sum := sha256.Sum256(text)
	f.SHA256 = sum[:]
	r.held[f.Name], r.given = f, append(r.given, f.Name)
	path := filepath.Join(r.dir, f.Name)
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600))
}

// Intake goes on while a copy is made; whatever was stored before it began is in it,
// and it verifies with the log of that moment.
func TestACopyMadeDuringIntakeVerifies(t *testing.T) {
	c := newCourt(t)
	c.take(home, 0, 3000)
	c.hour()
	c.take(home, 3000, 4000)
	c.take(away, 0, 50)
	r := newTray(t)
	var ledger, ledgerAway bytes.Buffer
	r.begun = func() error {
		return errors.Join(c.s.WriteLedger(context.Background(), c.scope, &ledger), c.s.WriteLedger(context.Background(), c.scope.Within(away), &ledgerAway))
	}
	stop, stopped := make(chan struct{}), make(chan error, 1)
	began := c.offset
	go func() {
		var err error
		for n := 4000; err == nil; n += 50 {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				err = c.brings(home, n, n+50)
			}
		}
		stopped <- err
	}()
	err := c.base.Copy(context.Background(), traces.CopyQuery{After: spool.Position{Segment: 1, Offset: began}}, r)
	close(stop)
	c.must(errors.Join(err, <-stopped))
	c.hour() // the log of the original goes on

	back := anotherCourt(t)
	c.must(back.base.Close())
	back.dir, back.vault = r.dir, c.vault
	back.s = traces.New(optionsOf(back))
	back.restart()
	for _, l := range []*bytes.Buffer{&ledger, &ledgerAway} {
		_, err = back.s.ReadLedger(context.Background(), back.scope, bytes.NewReader(l.Bytes()))
		back.must(err)
	}
	v, err := back.s.Verify(context.Background(), back.scope, back.clock.Now(), traces.Check{})
	back.must(err)
	if !v.Holds() || v.Events != 3000 || v.Open < 1000 {
		t.Errorf("%+v", v)
	}
	q := traces.Question{From: event(0).At, To: event(1 << 20).At, Zone: "UTC", Limit: 1}
	a, err := back.base.Ask(context.Background(), home, q)
	back.must(err)
	if a.Total < 4000 {
		t.Errorf("%d events, 4000 were stored before the copy began", a.Total)
	}
	if a, err = back.base.Ask(context.Background(), away, q); err != nil || a.Total != 50 {
		t.Errorf("%d events of the other establishment: %v", a.Total, err)
	}
	// The log goes on from there, and the original, which knows more, is not changed by it.
	back.hour() // that of the copy
	back.hour()
	if v, err = back.s.Verify(context.Background(), back.scope, back.clock.Now(), traces.Check{}); err != nil || !v.Holds() || v.Open != 0 {
		t.Errorf("%+v %v", v, err)
	}
	if n, err := c.s.ReadLedger(context.Background(), c.scope, bytes.NewReader(ledger.Bytes())); err != nil || n != 0 {
		t.Errorf("the original learnt %d entries: %v", n, err)
	}
	var fork bytes.Buffer
	back.must(back.s.WriteLedger(context.Background(), back.scope, &fork))
	_, err = c.s.ReadLedger(context.Background(), c.scope, &fork)
	if f := fault.As(err); f == nil || f.Key != "traces.copy.other_ledger" {
		t.Errorf("a log that went on otherwise: %v", err)
	}
}

func TestWhatDidNotChangeIsNotGivenAgain(t *testing.T) {
	dir := t.TempDir()
	e, _ := opened(t, dir)
	take := func(from, to int) {
		t.Helper()
		if err := e.Take(context.Background(), placed(from, to), placed(to-1, to)[0].At); err != nil {
			t.Fatal(err)
		}
	}
	copied := func(r *tray) {
		t.Helper()
		if err := e.Copy(context.Background(), traces.CopyQuery{Known: r.held}, r); err != nil {
			t.Fatal(err)
		}
	}
	take(0, 20_000) // of October
	take(160_000, 161_000)
	r := newTray(t)
	copied(r)
	take(161_000, 162_000) // of November
	copied(r)
	for _, name := range r.given {
		if strings.Contains(name, "2026-10") {
			t.Errorf("%s was given again", name)
		}
	}
	// Altered behind our back, with the marks of the system as they were.
	path := filepath.Join(dir, home.String(), "patient-2026-10.duckdb.wal")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := errors.Join(os.WriteFile(path, text, 0o600), os.Chtimes(path, time.Time{}, info.ModTime())); err != nil {
		t.Fatal(err)
	}
	copied(r)
	if got := strings.Join(r.given, " "); !strings.Contains(got, "patient-2026-10.duckdb.wal") {
		t.Errorf("a file that was altered is taken for the one known: %s", got)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsPurgedDuringACopy(t *testing.T) {
	e, _ := opened(t, t.TempDir())
	if err := e.Take(context.Background(), placed(0, 1000), placed(999, 1000)[0].At); err != nil {
		t.Fatal(err)
	}
	r := newTray(t)
	r.begun = func() error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := e.Purge(ctx, home, traces.Purging{Class: traces.PatientAccess, Before: event(1 << 20).At}); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("a purge during a copy: %w", err)
		}
		return nil
	}
	err := e.Copy(context.Background(), traces.CopyQuery{After: spool.Position{Segment: 2}}, r)
	if f := fault.As(err); f == nil || f.Key != "traces.copy.behind" {
		t.Fatalf("a base that lags behind: %v", err)
	}
	if err := e.Copy(context.Background(), traces.CopyQuery{}, r); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Purge(context.Background(), home, traces.Purging{Class: traces.PatientAccess, Before: event(1 << 20).At}); err != nil {
		t.Error(err)
	}
}
