//go:build cgo

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// october is a purge of all that happened before November, one patient held.
func october(ipp string) traces.Purging {
	to := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	q := traces.Question{From: event(0).At, To: to, Zone: "UTC", Limit: 1, Where: []traces.Condition{{Field: traces.FieldPatient, Op: traces.Is, Values: []string{ipp}}}}
	return traces.Purging{Class: traces.PatientAccess, Before: to, Held: []traces.Question{q}}
}

// left wants the events of the patient in October, each once, and their originals.
func left(t *testing.T, e *Engine, ipp string, want int64) {
	t.Helper()
	q := october(ipp).Held[0]
	q.Limit = 1000
	a, err := e.Ask(context.Background(), home, q)
	if err != nil || a.Total != want {
		t.Fatalf("%d events are left, %v, want %d", a.Total, err, want)
	}
	q.Distinct = traces.FieldMessage
	if d, err := e.Ask(context.Background(), home, q); err != nil || want > 0 && d.Groups[0].Count != want {
		t.Fatalf("%+v of them different, %v", d.Groups, err)
	}
	for _, s := range a.Events {
		if got, err := e.Get(context.Background(), home, s.Ref); err != nil || string(got.Raw) != "original "+got.Message {
			t.Errorf("event %s has the original %q, %v", got.Message, got.Raw, err)
		}
	}
}

// TestKilledWhileHeldTracesAreCopied: a process dies after the copy, another once
// the copy stands in the place of the file; nothing is lost, nothing is twice.
func TestKilledWhileHeldTracesAreCopied(t *testing.T) {
	if dir := os.Getenv("TOCSIN_TRACES_PURGER"); dir != "" {
		purger(t, dir, os.Getenv("TOCSIN_TRACES_STAGE"))
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for stage, there := range map[string]int64{"copied": 200, "swapped": 10} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			e, was := sealed(t, dir)
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(self, "-test.run", "^TestKilledWhileHeldTracesAreCopied$")
			cmd.Env = append(os.Environ(), "TOCSIN_TRACES_PURGER="+dir, "TOCSIN_TRACES_STAGE="+stage)
			out, err := cmd.StdoutPipe()
			if err = errors.Join(err, cmd.Start()); err != nil {
				t.Fatal(err)
			}
			said := make([]byte, 1)
			if _, err := io.ReadFull(out, said); err != nil || said[0] != '!' {
				t.Fatalf("the purge did not come to this: %q, %v", said, err)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if cmd.Wait() == nil {
				t.Fatal("it was not killed")
			}
			e, aside := opened(t, dir)
			if len(aside) > 0 {
				t.Fatalf("put aside: %+v", aside)
			}
			left(t, e, "15", 10)
			if f := blocks(t, e, traces.BlockQuery{})[sealedFile]; f.Held != there {
				t.Errorf("the file has %d events, want %d", f.Held, there)
			}
			got, err := e.Purge(context.Background(), home, october("15"))
			if err != nil || got.Held != 10 || got.Events != there-10 {
				t.Errorf("purged again: %+v, %v", got, err)
			}
			left(t, e, "15", 10)
			if got := altered(t, e, was); len(got) > 0 {
				t.Errorf("altered %s", got)
			}
			files, err := filepath.Glob(filepath.Join(dir, home.String(), "*"+copyEnd+"*"))
			if err != nil || len(files) > 0 {
				t.Errorf("left behind: %s, %v", files, err)
			}
		})
	}
}

// purger dies in the middle of a purge.
func purger(t *testing.T, dir, stage string) {
	e, _ := opened(t, dir)
	e.staged = func(now string) error {
		if now == stage {
			fmt.Print("!")
			select {}
		}
		return nil
	}
	_, err := e.Purge(context.Background(), home, october("15"))
	t.Error("it lived", err)
}

// TestAPurgeThatCannotCopyDropsNothing, and the next does.
func TestAPurgeThatCannotCopyDropsNothing(t *testing.T) {
	dir := t.TempDir()
	e, was := sealed(t, dir)
	full := errors.New("no space left on device")
	path := filepath.Join(dir, home.String(), sealedFile+".duckdb"+copyEnd)
	for name, spoil := range map[string]func() error{
		"the copy cannot be written": func() error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) },
		"the disk is full": func() error {
			e.staged = func(string) error { return full }
			return os.RemoveAll(path)
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if got, err := e.Purge(context.Background(), home, october("15")); err == nil || got != (traces.Purged{}) {
			t.Errorf("%s: purged %+v, %v", name, got, err)
		}
		left(t, e, "15", 10)
		left(t, e, "20", 10)
		e.staged = nil
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	// What comes meanwhile is kept.
	if err := e.Take(context.Background(), placed(1000, 1010), placed(1009, 1010)[0].At); err != nil {
		t.Fatal(err)
	}
	if got, err := e.Purge(context.Background(), home, october("15")); err != nil || got.Events != 192 || got.Held != 10 {
		t.Fatalf("%+v, %v", got, err)
	}
	left(t, e, "15", 10)
	left(t, e, "20", 0)
	if got := altered(t, e, was); len(got) > 0 {
		t.Errorf("altered %s", got)
	}
}

// TestQuestionsGoOnWhileAFileIsReplaced: each sees the file before, or the one after.
func TestQuestionsGoOnWhileAFileIsReplaced(t *testing.T) {
	e, _ := sealed(t, t.TempDir())
	done := make(chan error, 4)
	stop := make(chan struct{})
	for range cap(done) {
		go func() {
			q := october("15").Held[0]
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				if a, err := e.Ask(context.Background(), home, q); err != nil || a.Total != 10 {
					done <- fmt.Errorf("%d events, %w", a.Total, err)
					return
				}
			}
		}()
	}
	_, err := e.Purge(context.Background(), home, october("15"))
	close(stop)
	for range cap(done) {
		err = errors.Join(err, <-done)
	}
	if err != nil {
		t.Error(err)
	}
}

// keeper is a person who may place and lift holds.
func keeper(name string) access.Scope {
	return access.For(home, access.Actor{Kind: access.Person, ID: uuid.New(), Name: name}, true, access.DataProtection)
}

// ofPatient is a hold of a patient over October and November.
func (c *court) ofPatient(ipp string) traces.HoldWanted {
	return traces.HoldWanted{Authority: "TJ de Bordeaux", Reference: "26/1042", RequestedBy: "OPJ Martin", Reason: "réquisition", HoldSelection: traces.HoldSelection{Patient: ipp, From: storage.Time(event(0).At), To: storage.Time(event(0).At).AddDate(0, 1, 0)}}
}

func (c *court) purgeAt(n int) {
	c.t.Helper()
	c.clock.Advance(storage.Time(event(n).At).AddDate(1, 0, 0).Sub(c.clock.Now()))
	_, err := c.s.Purge(context.Background(), c.clock.Now())
	c.must(err)
}

// TestWhatIsHeldIsProvenAfterPurges, lawfully gone once its hold is lifted, and named
// when it is destroyed, whatever purges come after.
func TestWhatIsHeldIsProvenAfterPurges(t *testing.T) {
	c := newCourt(t)
	c.take(home, 0, 70)
	c.hour()
	c.take(home, 70, 120)
	c.hour()
	c.take(home, 120, 200)
	c.must(c.s.Decide(context.Background(), c.scope, traces.PatientAccess, 12))
	for i, ipp := range []string{"3", "4"} { // the second in the last block only
		w := c.ofPatient(ipp)
		w.From = storage.Time(event(120 * i).At)
		h, err := c.s.PlaceHold(context.Background(), keeper("Mme Roy"), w)
		c.must(err)
		c.holds = append(c.holds, h)
	}
	c.purgeAt(100)
	c.purgeAt(150)
	c.purgeAt(20000)
	c.want("40 events as sealed, 160 purged, 0 not in the log yet")
	c.lift(0) // two of three blocks were held by it alone
	c.purgeAt(30000)
	c.want("11 events as sealed, 189 purged, 0 not in the log yet")
	records, err := c.s.Purges(context.Background(), c.scope)
	c.must(err)
	var told []string
	for _, r := range records {
		told = append(told, fmt.Sprintf("%d/%d", r.Events, r.Held))
	}
	if got := fmt.Sprint(told); got != "[29/11 35/40 39/25 86/14]" {
		t.Errorf("the purges tell %s", got)
	}
	c.tamper("DELETE FROM @.events")
	c.tamper("DELETE FROM @.raw")
	c.take(home, 20010, 20020)
	c.purgeAt(40000)
	c.want("lost 2026-10 120-199")
}

// lift lifts a hold, as two people.
func (c *court) lift(n int) {
	c.t.Helper()
	_, err := c.s.AskLift(context.Background(), keeper("Mme Roy"), c.holds[n].ID, "main levée")
	c.must(err)
	_, err = c.s.Lift(context.Background(), keeper("M. Petit"), c.holds[n].ID)
	c.must(err)
}
