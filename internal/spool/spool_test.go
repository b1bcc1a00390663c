package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/fault"
)

// readAll gives what a reader finds, and the damage on its way.
func readAll(t *testing.T, dir string, from, upTo Position) (out []string, damage []*Damage) {
	t.Helper()
	r := NewReader(dir, from)
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	for {
		b, err := r.Next(upTo)
		var d *Damage
		switch {
		case errors.Is(err, io.EOF):
			return out, damage
		case errors.As(err, &d):
			damage = append(damage, d)
		case err != nil:
			t.Fatal(err)
		default:
			out = append(out, string(b))
		}
	}
}

func open(t *testing.T, dir string, opt Options) *Spool {
	t.Helper()
	s, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func appendOne(t *testing.T, s *Spool, record string) Position {
	t.Helper()
	p, err := s.Append(t.Context(), []byte(record))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestManyWritersOneOrder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{SegmentBytes: 4 << 10})
	var group sync.WaitGroup
	for w := range 20 {
		group.Go(func() {
			for i := range 50 {
				if _, err := s.Append(context.Background(), fmt.Appendf(nil, "%d/%d", w, i), []byte("second")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	got, damage := readAll(t, dir, Position{}, s.Durable())
	if len(got) != 2000 || len(damage) > 0 {
		t.Fatalf("read %d records of 2000, damage %v", len(got), damage)
	}
	next := map[string]int{}
	for i := 0; i < len(got); i += 2 {
		writer, rank, _ := strings.Cut(got[i], "/")
		if want := fmt.Sprint(next[writer]); rank != want || got[i+1] != "second" {
			t.Fatalf("record %d is %s then %s: each writer's order must hold, wanted rank %s", i, got[i], got[i+1], want)
		}
		next[writer]++
	}
}

// A wake without records, as the last of several that one write served leaves,
// must not give one memory to two writes.
func TestAWakeForNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	long := strings.Repeat("x", 1000)
	for i := range 200 {
		appendOne(t, s, long+strconv.Itoa(i))
		s.wake <- struct{}{}
		var group sync.WaitGroup
		for j := range 4 {
			group.Go(func() {
				if _, err := s.Append(context.Background(), []byte(strings.Repeat(strconv.Itoa(j), 500+i))); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if got, damage := readAll(t, dir, Position{}, s.Durable()); len(got) != 1000 || len(damage) > 0 {
		t.Fatalf("read %d of 1000, damage %v", len(got), damage)
	}
}

func TestPositionsLeadBackToTheNextRecord(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{SegmentBytes: 100})
	var places []Position
	for i := range 30 {
		places = append(places, appendOne(t, s, fmt.Sprintf("record %02d", i)))
	}
	for i, p := range places {
		got, _ := readAll(t, dir, p, s.Durable())
		if len(got) != 29-i || (len(got) > 0 && got[0] != fmt.Sprintf("record %02d", i+1)) {
			t.Fatalf("from the place after record %d: %q", i, got)
		}
		if i > 0 && !places[i-1].Before(p) {
			t.Fatalf("places do not grow: %s then %s", places[i-1], p)
		}
	}
}

func TestNoPlaceIsGivenTwice(t *testing.T) {
	dir := t.TempDir()
	seen := map[Position]bool{}
	for range 5 {
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := appendOne(t, s, "x")
		if seen[p] {
			t.Fatalf("%s was given twice", p)
		}
		seen[p] = true
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFolderThatWasLostDoesNotBeginAgain(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{First: 1000})
	if err != nil {
		t.Fatal(err)
	}
	before := appendOne(t, s, "x")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if after := appendOne(t, open(t, dir, Options{First: 1001}), "y"); !before.Before(after) {
		t.Fatalf("%s before the loss, %s after", before, after)
	}
}

func TestReleaseForgetsWhatWasReadAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{SegmentBytes: 100})
	var middle Position
	for i := range 40 {
		if p := appendOne(t, s, fmt.Sprintf("record %02d", i)); i == 19 {
			middle = p
		}
	}
	before := s.Held()
	if err := s.Release(middle); err != nil {
		t.Fatal(err)
	}
	if s.Held() >= before {
		t.Fatalf("held %d bytes before and %d after a release", before, s.Held())
	}
	if got, _ := readAll(t, dir, middle, s.Durable()); len(got) != 20 || got[0] != "record 20" {
		t.Fatalf("after the release: %q", got)
	}
	if err := s.Release(s.Durable()); err != nil {
		t.Fatal(err)
	}
	if p := appendOne(t, s, "after"); !middle.Before(p) {
		t.Fatalf("a record after a whole release is at %s", p)
	}
}

func TestBehindCountsWhatLiesAfterAPlace(t *testing.T) {
	s := open(t, t.TempDir(), Options{SegmentBytes: 100})
	middle, after := Position{}, int64(0)
	for i := range 40 {
		p := appendOne(t, s, fmt.Sprintf("record %02d", i))
		if after += frameHeader + int64(len("record 00")); i == 19 {
			middle, after = p, 0
		}
	}
	if got := s.Behind(middle); got != after {
		t.Errorf("%d bytes after the middle, want %d", got, after)
	}
	if all, end := s.Behind(Position{}), s.Behind(s.Durable()); all != s.Held() || end != 0 {
		t.Errorf("%d bytes in all of %d held, %d after the end", all, s.Held(), end)
	}
}

func TestAFullSpoolRefusesAndLosesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{MaxBytes: 1000, SegmentBytes: 200})
	kept := 0
	for {
		_, err := s.Append(t.Context(), []byte(strings.Repeat("a", 92)))
		if err != nil {
			if !errors.Is(err, ErrFull) || !fault.Is(err, fault.Unavailable) {
				t.Fatal(err)
			}
			break
		}
		kept++
	}
	if got, _ := readAll(t, dir, Position{}, s.Durable()); len(got) != kept || kept != 10 {
		t.Fatalf("kept %d, read %d, wanted 10", kept, len(got))
	}
	if err := s.Release(s.Durable()); err != nil {
		t.Fatal(err)
	}
	appendOne(t, s, "room again")
}

// A write that fails in the middle is taken back: its half is never read, and
// the next record follows the last acknowledged one.
func TestAFailedWriteIsTakenBack(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	appendOne(t, s, "first")
	whole := s.file
	broken, err := os.Open(whole.Name()) // read only: every write fails
	if err != nil {
		t.Fatal(err)
	}
	s.file = broken
	if _, err := s.Append(t.Context(), []byte("refused")); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a write that the disk refuses gave %v", err)
	}
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	appendOne(t, s, "second")
	if got, damage := readAll(t, dir, Position{}, s.Durable()); fmt.Sprint(got) != "[first second]" || len(damage) > 0 {
		t.Fatalf("read %q, damage %v", got, damage)
	}
}

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrTaken) {
		t.Fatalf("a second writer got %v", err)
	}
}

func TestClosed(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	appendOne(t, s, "x")
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), []byte("y")); !errors.Is(err, ErrClosed) {
		t.Fatalf("a closed spool gave %v", err)
	}
}

func TestWaitWakesOnTheNextRecord(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	read := s.Durable()
	got := make(chan Position)
	go func() {
		p, err := s.Wait(context.Background(), read)
		if err != nil {
			t.Error(err)
		}
		got <- p
	}()
	end := appendOne(t, s, "x")
	if p := <-got; p != end {
		t.Fatalf("woken at %s, wanted %s", p, end)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Wait(ctx, end); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("nothing new, and Wait gave %v", err)
	}
}

// The tail of a crash is cut; damage between sound records is told, and the
// segments after it are read.
func TestTailAndDamage(t *testing.T) {
	write := func(t *testing.T, dir string) {
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			appendOne(t, s, fmt.Sprintf("record %d", i))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	const frame = frameHeader + len("record 0")
	for name, c := range map[string]struct {
		spoil  func(b []byte) []byte
		want   int
		damage int
	}{
		"torn record":      {func(b []byte) []byte { return b[:len(b)-3] }, 4, 0},
		"torn header":      {func(b []byte) []byte { return b[:4*frame+5] }, 4, 0},
		"zeros at end":     {func(b []byte) []byte { return append(b, make([]byte, 64)...) }, 5, 0},
		"noise at end":     {func(b []byte) []byte { return append(b, "\xff\xff\xff\xff noise of the disk"...) }, 5, 0},
		"bit in the midst": {func(b []byte) []byte { b[2*frame+frameHeader+1] ^= 4; return b }, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir)
			path := segmentPath(dir, 1)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.spoil(b), 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, dir, Options{})
			appendOne(t, s, "after")
			got, damage := readAll(t, dir, Position{}, s.Durable())
			if len(got) != c.want+1 || len(damage) != c.damage || got[len(got)-1] != "after" {
				t.Fatalf("read %q, damage %v", got, damage)
			}
			if c.damage > 0 && damage[0].Bytes != int64(3*frame) {
				t.Fatalf("damage tells %d bytes, wanted %d", damage[0].Bytes, 3*frame)
			}
		})
	}
}

// TestKill writes in a process that is killed without warning, many times: what
// it was told to be on the disk is read, once, in order.
func TestKill(t *testing.T) {
	if dir := os.Getenv("TOCSIN_SPOOL_DIR"); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for range 5 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "TOCSIN_SPOOL_DIR="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		heard := make([]byte, 2000+rand.IntN(20000))
		n, _ := io.ReadFull(out, heard)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(out)
		_ = cmd.Wait() // it was killed
		lines := strings.SplitAfter(string(heard[:n])+string(rest), "\n")
		for _, l := range lines {
			if r, whole := strings.CutSuffix(l, "\n"); whole {
				acknowledged[r] = true
			}
		}
	}
	s := open(t, dir, Options{})
	got, damage := readAll(t, dir, Position{}, s.Durable())
	if len(damage) > 0 {
		t.Fatalf("damage: %v", damage)
	}
	seen := map[string]bool{}
	for _, r := range got {
		if seen[r] {
			t.Fatalf("%s twice", r)
		}
		seen[r] = true
	}
	for r := range acknowledged {
		if !seen[r] {
			t.Fatalf("%s was acknowledged and is missing", r)
		}
	}
	if len(acknowledged) < 100 {
		t.Fatalf("only %d records before the kills: nothing was tried", len(acknowledged))
	}
}

func writeUntilKilled(t *testing.T, dir string) {
	s := open(t, dir, Options{SegmentBytes: 10 << 10})
	for i := 0; ; i++ {
		r := fmt.Sprintf("%d-%d", os.Getpid(), i)
		appendOne(t, s, r)
		fmt.Println(r)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendFrame(appendFrame(nil, []byte("one")), []byte("two")))
	f.Add([]byte{255, 255, 255, 255, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(segmentPath(dir, 1), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, Options{})
		appendOne(t, s, "after")
		got, _ := readAll(t, dir, Position{}, s.Durable())
		if len(got) == 0 || got[len(got)-1] != "after" {
			t.Fatalf("read %q", got)
		}
	})
}
