//go:build linux

package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
	"tocsin/internal/traces/tracestest"
)

// october is where the court looks.
var october = partition{hospital, byte(traces.PatientAccess), 2026*12 + 9}

// change has a mutation done, and waits for it.
func change(t *testing.T, at *server, table, what string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(at.exec(t.Context(), "ALTER TABLE "+table+" "+what))
	for range 200 {
		r, err := at.query(t.Context(), "SELECT toInt64(count()) FROM system.mutations WHERE database = '"+at.at.Database+"' AND table = '"+table+"' AND NOT is_done")
		must(err)
		if r.int64() == 0 {
			return
		}
		pause(context.Background(), 20*time.Millisecond) // a mutation goes on by itself, and tells nobody
	}
	t.Fatalf("%s is not done", what)
}

// deeds are what is done to the accesses of october, by name: on events, or on
// blocks.
func deeds() map[string][]string {
	return map[string][]string{
		"a value":         {"events UPDATE account = 'durand' WHERE n = 120"},
		"an original":     {"events UPDATE raw = 'original 1' WHERE n >= 100"},
		"a row less":      {"events DELETE WHERE n = 3"},
		"a late row less": {"events DELETE WHERE n = 180"},
		"a block less":    {"blocks DELETE WHERE first = 0", "events DELETE WHERE n < 100"},
	}
}

func cheat(t *testing.T, base traces.Engine, what string) {
	t.Helper()
	e, ok := base.(*Engine)
	if !ok {
		t.Fatalf("%T", base)
	}
	if what == "a row more" {
		copied := lineColumns() + ", key_id, key, raw, "
		if err := e.at.exec(t.Context(), "INSERT INTO traces_events ("+copied+"n, salt, digest) SELECT "+copied+"toInt64(900), salt, digest FROM traces_events WHERE "+october.of()+" AND n = 3"); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(deeds()[what]) == 0 {
		t.Fatalf("no way to do %s", what)
	}
	for _, d := range deeds()[what] {
		table, do, _ := strings.Cut(d, " ")
		change(t, e.at, "traces_"+table, do+" AND "+october.of())
	}
}

func TestCourt(t *testing.T) {
	s := running(t)
	tracestest.Court(t, tracestest.Trial{
		Open: func(t *testing.T, dir string) traces.Engine {
			return openAt(t, addressFor(t, s, dir), uuid.NewSHA1(spoolID, []byte(dir)))
		}, Cheat: cheat,
		Keep: func(t *testing.T, dir string) (back, drop func()) {
			t.Helper()
			at := newServer(addressFor(t, s, dir))
			r, err := at.query(t.Context(), "SELECT max(n) FROM traces_events WHERE "+october.of())
			if err != nil {
				t.Fatal(err)
			}
			last := r.int64()
			after := func(n int64) func() {
				return func() {
					change(t, at, "traces_events", fmt.Sprintf("DELETE WHERE n > %d AND %s", n, october.of()))
					change(t, at, "traces_blocks", fmt.Sprintf("DELETE WHERE first > %d AND %s", n, october.of()))
				}
			}
			return after(last), after(-1)
		},
	})
}

// TestEveryValueIsSealed: whatever column is altered, its block shows it.
func TestEveryValueIsSealed(t *testing.T) {
	s := running(t)
	e := openAt(t, addressFor(t, s, t.Name()), spoolID)
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	events, end := toldEvents(0, 30)
	for i := range events {
		events[i].Class, events[i].Event.At, events[i].IPP, events[i].Extra = traces.PatientAccess, events[i].Received, "7", []traces.Pair{{Name: "a", Value: "b"}}
	}
	if err := e.Take(t.Context(), events, end); err != nil {
		t.Fatal(err)
	}
	reads := func() (as bool) {
		t.Helper()
		list, err := e.Blocks(t.Context(), hospital, traces.BlockQuery{Close: true, Read: true})
		if err != nil || len(list) != 1 || len(list[0].Blocks) != 1 {
			t.Fatalf("%+v %v", list, err)
		}
		return string(list[0].Blocks[0].Read) == string(list[0].Blocks[0].Root)
	}
	if !reads() {
		t.Fatal("nothing was altered, and the block shows it")
	}
	// One that the block before shows, then mended, then the next.
	for column, values := range map[string][2]string{
		"received": {"received + 1", "received - 1"}, "guessed": {"1", "0"}, "severity": {"3", "-1"}, "source": {"'durand'", own(dpi)}, "ipp": {"'8'", "'7'"},
		"message": {"concat(message, ' ')", "substring(message, 1, 6)"}, "extra": {"concat(extra, 'x')", "substring(extra, 1, length(extra) - 1)"}, "key": {"'x'", "'k6'"},
		"raw": {"''", "'original'"},
	} {
		change(t, e.at, eventsTable, "UPDATE "+column+" = "+values[0]+" WHERE n = 6")
		if reads() {
			t.Errorf("%s was altered, and the block reads as before", column)
		}
		change(t, e.at, eventsTable, "UPDATE "+column+" = "+values[1]+" WHERE n = 6")
		if !reads() {
			t.Errorf("%s was mended, and the block shows it", column)
		}
	}
	change(t, e.at, eventsTable, "UPDATE salt = toFixedString('seize octets ici', 16) WHERE n = 6")
	if reads() {
		t.Error("a salt was altered, and the block reads as before")
	}
}
