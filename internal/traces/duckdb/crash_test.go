//go:build cgo

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

var home = uuid.MustParse("0190aaaa-0000-7000-8000-000000000001")

func opened(t *testing.T, dir string) (*Engine, []Aside) {
	t.Helper()
	e, aside, err := Open(context.Background(), dir, Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, aside
}

// event is the n-th of a day, over every class and two months, of a hundred
// patients.
func event(n int) traces.Event {
	at := time.Date(2026, 10, 31, 20, 0, 0, 0, time.UTC).UnixMicro() + int64(n)*100_000
	e := traces.Event{Organisation: home, At: at, Received: at, Severity: -1, Message: fmt.Sprint(n), Class: traces.Classes()[n%5], Raw: fmt.Appendf(nil, "original %d", n)}
	if e.Class == traces.PatientAccess {
		e.IPP = fmt.Sprint(n % 100)
	}
	return e
}

func placed(from, to int) []traces.Placed {
	var out []traces.Placed
	for n := from; n < to; n++ {
		out = append(out, traces.Placed{Event: event(n), At: spool.Position{Segment: 1, Offset: int64(n+1) * 10}})
	}
	return out
}

func whole(t *testing.T, e *Engine, want int64) {
	t.Helper()
	q := traces.Question{From: event(0).At, To: event(1 << 24).At, Zone: "UTC", Limit: 10}
	a, err := e.Ask(context.Background(), home, q)
	if err != nil {
		t.Fatal(err)
	}
	q.Distinct = traces.FieldMessage
	d, err := e.Ask(context.Background(), home, q)
	if err != nil {
		t.Fatal(err)
	}
	if a.Total != want || len(d.Groups) != 1 || d.Groups[0].Count != want {
		t.Fatalf("%d events, %+v of them different, want %d", a.Total, d.Groups, want)
	}
	for _, s := range a.Events {
		got, err := e.Get(context.Background(), home, s.Ref)
		if err != nil || string(got.Raw) != "original "+got.Message {
			t.Errorf("event %s has the original %q, %v", got.Message, got.Raw, err)
		}
	}
}

// TestABatchThatReachedSomeFilesOnly: the process died when the first of the
// files had committed.
func TestABatchThatReachedSomeFilesOnly(t *testing.T) {
	dir := t.TempDir()
	batch := placed(0, 1000)
	last := batch[len(batch)-1].At
	var some []traces.Placed
	for _, p := range batch {
		if p.Class == traces.PatientAccess || p.Class == traces.Biomedical {
			some = append(some, p)
		}
	}
	e, _ := opened(t, dir)
	if err := e.Take(context.Background(), some, last); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Close(), os.Remove(filepath.Join(dir, "applied"))); err != nil {
		t.Fatal(err)
	}
	e, _ = opened(t, dir)
	if at, err := e.Applied(context.Background()); err != nil || at != (spool.Position{}) {
		t.Fatalf("without its mark the spool is read from %v, %v", at, err)
	}
	if err := e.Take(context.Background(), batch, last); err != nil {
		t.Fatal(err)
	}
	whole(t, e, 1000)
}

// TestKilledInTheMiddle: a process takes events from a real spool and is killed
// again and again; each event is there once.
func TestKilledInTheMiddle(t *testing.T) {
	if dir := os.Getenv("TOCSIN_TRACES_CHILD"); dir != "" {
		child(t, dir)
		return
	}
	const events = 200000
	dir := t.TempDir()
	fillSpool(t, filepath.Join(dir, "spool"), events)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ended := false
	for round := 0; !ended; round++ {
		cmd := exec.Command(self, "-test.run", "^TestKilledInTheMiddle$")
		cmd.Env = append(os.Environ(), "TOCSIN_TRACES_CHILD="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if round < 5 {
			ended = killSoon(t, cmd, out)
		} else {
			text, err := io.ReadAll(out)
			if err := errors.Join(err, cmd.Wait()); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			ended = true
		}
	}
	e, aside := opened(t, filepath.Join(dir, "base"))
	if len(aside) > 0 {
		t.Errorf("files put aside after a kill: %+v", aside)
	}
	whole(t, e, events)
	if got := altered(t, e, blocks(t, e, traces.BlockQuery{Close: true})); len(got) > 0 {
		t.Errorf("after a kill these are not as they were sealed: %s", got)
	}
}

// killSoon kills a child some batches after its first; true when it had ended.
func killSoon(t *testing.T, cmd *exec.Cmd, out io.Reader) bool {
	t.Helper()
	batches := rand.IntN(4)
	buf := make([]byte, 1)
	for seen := 0; seen <= batches; {
		if _, err := out.Read(buf); err != nil {
			break
		}
		if buf[0] == '.' {
			seen++
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Log(err)
	}
	return cmd.Wait() == nil
}

func fillSpool(t *testing.T, dir string, events int) {
	t.Helper()
	s, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var records [][]byte
	for n := range events {
		e := event(n)
		records = append(records, traces.AppendRecord(nil, &e))
	}
	for len(records) > 0 {
		n := min(len(records), 5000)
		if _, err := s.Append(context.Background(), records[:n]...); err != nil {
			t.Fatal(err)
		}
		records = records[n:]
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// child reads the spool from where the base says, a point on its output after
// each batch.
func child(t *testing.T, dir string) {
	e, _, err := Open(context.Background(), filepath.Join(dir, "base"), Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	from, err := e.Applied(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	r := spool.NewReader(filepath.Join(dir, "spool"), from)
	end := spool.Position{Segment: 1 << 40}
	for {
		var batch []traces.Placed
		for len(batch) < 10000 {
			record, err := r.Next(end)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			var p traces.Placed
			if err := traces.ReadRecord([]byte(strings.Clone(string(record))), &p.Event); err != nil {
				t.Fatal(err)
			}
			p.At = r.At()
			batch = append(batch, p)
		}
		if len(batch) == 0 {
			break
		}
		if err := e.Take(context.Background(), batch, r.At()); err != nil {
			t.Fatal(err)
		}
		fmt.Print(".")
	}
	if err := errors.Join(r.Close(), e.Close()); err != nil {
		t.Fatal(err)
	}
}
