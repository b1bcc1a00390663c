//go:build linux

package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

func numbered(in string, numbers ...int64) (out []pending) {
	for _, n := range numbers {
		out = append(out, pending{spool: in, n: n, happened: 100 + n, size: 10, digest: bytes.Repeat([]byte{byte(n)}, 32)})
	}
	return out
}

// TestBlocksAreMadeOfWhatIsThere, whatever is missing or double.
func TestBlocksAreMadeOfWhatIsThere(t *testing.T) {
	one, two := "0190cccc-0000-7000-8000-00000000000a", "0190cccc-0000-7000-8000-00000000000b"
	big := numbered(one, 0, 1, 2)
	big[1].size = bytesMost
	hour := holeAfter.Microseconds()
	for name, c := range map[string]struct {
		list []pending
		all  bool
		now  int64
		want string
	}{
		"all of it":                  {append(numbered(one, 0, 1, 2), numbered(two, 5, 6)...), true, 0, "7+3@0 10+2@5"},
		"what is full":               {big, false, 0, "7+2@0"},
		"what is full and the rest":  {big, true, 0, "7+2@0 9+1@2"},
		"a hole that may be filled":  {append(numbered(one, 0, 1, 3, 4), numbered(two, 5)...), true, hour - 1, "7+2@0 9+1@5"},
		"a hole that will not":       {numbered(one, 0, 1, 3), true, hour, "7+4@0"},
		"a hole that is no hole":     {numbered(one, 0, 1, 1<<40), true, hour, "7+2@0"},
		"a number that came before":  {numbered(one, -3, 0, 0, 1), true, hour, "7+2@0"},
		"nothing":                    {nil, true, hour, ""},
		"a spool that nobody writes": {numbered("x", 0, 1), true, hour, ""},
	} {
		m := maker{e: &Engine{opt: Options{Log: slog.New(slog.DiscardHandler)}}, known: ends{two: 5}, next: 7, now: c.now, all: c.all}
		for i := range c.list {
			m.add(&c.list[i])
		}
		m.end()
		got := ""
		for i, b := range m.made {
			if i > 0 {
				got += " "
			}
			got += fmt.Sprintf("%d+%d@%d", b.First, b.Events, b.start)
			if b.Lo < 100 || b.Hi < b.Lo || len(b.Root) != 32 {
				t.Errorf("%s: %+v", name, b)
			}
		}
		if got != c.want {
			t.Errorf("%s: blocks %s, want %s", name, got, c.want)
		}
	}
}

// TestTwoNodesSealOneBase: each closes what both stored, at the same time and in
// turn; whoever purges knows the blocks of the other.
func TestTwoNodesSealOneBase(t *testing.T) {
	s := running(t)
	a := addressFor(t, s, t.Name())
	var lock sync.Mutex
	node := func(in uuid.UUID) *Engine {
		o := options(a, in)
		o.Alone = func(ctx context.Context, _ string, work func(context.Context) error) (bool, error) {
			if !lock.TryLock() {
				return false, nil
			}
			defer lock.Unlock()
			return true, work(ctx)
		}
		e, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	one, two := node(uuid.NewSHA1(spoolID, []byte("one"))), node(uuid.NewSHA1(spoolID, []byte("two")))
	take := func(e *Engine, from, n int) {
		t.Helper()
		events, end := toldEvents(from, n)
		for i := range events {
			events[i].Class, events[i].Event.At, events[i].Key = traces.PatientAccess, events[i].Received, ""
		}
		if err := e.Take(t.Context(), events, end); err != nil {
			t.Fatal(err)
		}
	}
	blocks := func(e *Engine, q traces.BlockQuery, events, open int64) {
		t.Helper()
		list, err := e.Blocks(context.Background(), hospital, q)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v %v", list, err)
		}
		next := int64(0)
		for _, b := range list[0].Blocks {
			if b.First != next || q.Read && !bytes.Equal(b.Read, b.Root) {
				t.Errorf("block %+v, want it at %d", b, next)
			}
			next += b.Events
		}
		if next != events || list[0].Open != open || list[0].Strays != 0 {
			t.Errorf("%d events in blocks, %+v; want %d and %d open", next, list[0], events, open)
		}
	}
	for i := range 3 {
		take(one, i*20, 20)
		take(two, i*20, 20)
		var group sync.WaitGroup
		for _, e := range []*Engine{one, two, one, two} {
			group.Go(func() { blocks(e, traces.BlockQuery{Close: true}, int64(40*(i+1)), 0) })
		}
		group.Wait()
	}
	// What fills is closed without an hour passing.
	take(one, 60, 30)
	p := partition{hospital, byte(traces.PatientAccess), 2026*12 + 10}
	one.runs[p].open = openMost
	one.closeFull(t.Context())
	blocks(two, traces.BlockQuery{Read: true}, 120, 30) // thirty fill no block
	before := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC).UnixMicro() + 10
	if gone, err := two.Purge(t.Context(), hospital, traces.Purging{Class: traces.PatientAccess, Before: before}); err != nil || gone.Events != 20 {
		t.Errorf("purged %+v, %v", gone, err)
	}
	blocks(one, traces.BlockQuery{Read: true}, 150, 0)
	if err := errors.Join(one.Close(), two.Close()); err != nil {
		t.Error(err)
	}
}

// TestADatabaseOfBeforeIsRefused: its events have no seal.
func TestADatabaseOfBeforeIsRefused(t *testing.T) {
	s := running(t)
	a := addressFor(t, s, t.Name())
	if err := newServer(a).exec(t.Context(), "CREATE TABLE traces_events (organisation String, raw String) ENGINE = MergeTree PARTITION BY tuple() ORDER BY organisation"); err != nil {
		t.Fatal(err)
	}
	if e, err := Open(t.Context(), options(a, spoolID)); err == nil || e != nil {
		t.Errorf("opened a base of before: %v", err)
	}
}
