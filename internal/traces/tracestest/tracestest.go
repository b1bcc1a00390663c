// Package tracestest is « Les bases à l'examen »: what every base of traces
// answers, whichever engine keeps it. An engine passes Run or is not one.
//
// It promises that the same events and the same question have the same answer on
// every engine. It is for tests only.
package tracestest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// Run examines an engine. open opens the base of a folder, which a test may close
// and open again; the test closes it.
func Run(t *testing.T, open func(t *testing.T, dir string) traces.Engine) {
	for _, c := range []struct {
		name string
		test func(*bench)
	}{
		{"every field comes back", fieldsComeBack},
		{"hostile texts are texts", hostileTexts},
		{"what is longer than memory's usual lines", longTexts},
		{"every comparison on every text", textComparisons},
		{"comparisons on codes", codeComparisons},
		{"comparisons on times", timeComparisons},
		{"hours of Paris across the change to summer", parisSpring},
		{"hours of Paris across the change to winter", parisAutumn},
		{"hours of La Réunion", reunion},
		{"groups", groups},
		{"groups without regard to case", groupsFold},
		{"different values", distinct},
		{"order and pages", pages},
		{"pages of groups", groupPages},
		{"words", words},
		{"another establishment sees nothing", isolation},
		{"a patient under two numbers is one", onePatient},
		{"an id is stored once", keysOnce},
		{"a batch told again", toldAgain},
		{"a batch broken off", brokenOff},
		{"borders of months", monthBorders},
		{"clocks that are wrong by years", wrongClocks},
		{"purge", purge},
		{"purge of a part", purgePart},
		{"purge of what is not held", purgeHeld},
		{"purge of a part of what is held", purgePartHeld},
		{"events are sealed in blocks", sealedBlocks},
		{"what is told again is sealed once", sealedTwiceTold},
		{"a witness climbs to its block", witnesses},
		{"a block is cut by a purge", cutByPurge},
		{"an end to waiting", cancellation},
		{"a large batch", largeBatch},
		{"questions that do not fit", badQuestions},
		{"an empty base", emptyBase},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{T: t, open: open, dir: t.TempDir(), organisation: uuid.MustParse("0190aaaa-0000-7000-8000-000000000001"), other: uuid.MustParse("0190aaaa-0000-7000-8000-000000000002")}
			b.reopen()
			defer func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			}()
			c.test(b)
		})
	}
}

// bench is one base under examination.
type bench struct {
	*testing.T
	traces.Engine
	open                func(*testing.T, string) traces.Engine
	dir                 string
	organisation, other uuid.UUID
	at                  spool.Position
}

var source = uuid.MustParse("0190bbbb-0000-7000-8000-000000000001")

// Noon is the time of events that say none: 2026-11-03T12:00:00Z.
var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func us(t time.Time) int64 { return t.UnixMicro() }

func (b *bench) reopen() {
	b.Helper()
	if b.Engine != nil {
		if err := b.Engine.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.Engine = b.open(b.T, b.dir)
}

// event is one of the establishment, some seconds after noon.
func (b *bench) event(seconds int, with func(*traces.Event)) traces.Event {
	at := us(noon.Add(time.Duration(seconds) * time.Second))
	e := traces.Event{Organisation: b.organisation, Source: source, Collector: "json", At: at, Received: at, Severity: -1}
	if with != nil {
		with(&e)
	}
	return e
}

// place gives events places in a spool, one after the other.
func (b *bench) place(events ...traces.Event) []traces.Placed {
	out := make([]traces.Placed, len(events))
	for i, e := range events {
		b.at = spool.Position{Segment: 1, Offset: b.at.Offset + 100}
		out[i] = traces.Placed{Event: e, At: b.at}
	}
	return out
}

func (b *bench) take(events ...traces.Event) {
	b.Helper()
	b.taken(b.place(events...))
}

func (b *bench) taken(placed []traces.Placed) {
	b.Helper()
	if err := b.Take(context.Background(), placed, b.at); err != nil {
		b.Fatal(err)
	}
	at, err := b.Applied(context.Background())
	if err != nil || at != b.at {
		b.Fatalf("applied is %v (%v), want %v", at, err, b.at)
	}
}

// all is the question of all events of 2026.
func all() traces.Question {
	return traces.Question{From: us(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), To: us(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)), Zone: "Europe/Paris", Limit: 1000}
}

func where(f traces.Field, op traces.Op, values ...string) traces.Question {
	q := all()
	q.Where = []traces.Condition{{Field: f, Op: op, Values: values}}
	return q
}

func (b *bench) ask(q traces.Question) traces.Answer {
	b.Helper()
	a, err := b.Ask(context.Background(), b.organisation, q)
	if err != nil {
		b.Fatalf("%+v: %v", q, err)
	}
	if len(q.Group) == 0 && q.Distinct == "" && q.Skip == 0 && !a.More && a.Total != int64(len(a.Events)) {
		b.Errorf("%+v: total %d, %d events and no more", q, a.Total, len(a.Events))
	}
	return a
}

// messages are those of the events of an answer, in order.
func messages(a traces.Answer) []string {
	out := []string{}
	for _, e := range a.Events {
		out = append(out, e.Message)
	}
	return out
}

// finds wants the events with these messages, the newest first.
func (b *bench) finds(q traces.Question, want ...string) {
	b.Helper()
	if got := messages(b.ask(q)); !slices.Equal(got, want) {
		b.Errorf("%s %v: found %q, want %q", q.Text, q.Where, got, want)
	}
}

// counts wants these groups, written key/key=count, in order.
func (b *bench) counts(q traces.Question, want ...string) {
	b.Helper()
	a := b.ask(q)
	got := []string{}
	for _, g := range a.Groups {
		line := ""
		for i, k := range g.Keys {
			if i > 0 {
				line += "/"
			}
			line += k
		}
		got = append(got, fmt.Sprintf("%s=%d", line, g.Count))
		if g.First > g.Last || g.First < q.From || g.Last >= q.To {
			b.Errorf("group %v is from %d to %d", g.Keys, g.First, g.Last)
		}
	}
	if !slices.Equal(got, want) {
		b.Errorf("grouped by %v (distinct %q): %q, want %q", q.Group, q.Distinct, got, want)
	}
}

// same compares an event with what came back; original tells whether its key and
// original are to be there.
func (b *bench) same(got traces.Stored, want traces.Event, original bool) {
	b.Helper()
	if !original {
		want.Key, want.Raw = "", nil
	}
	if len(want.Raw) == 0 && len(got.Raw) == 0 {
		want.Raw, got.Raw = nil, nil
	}
	if len(want.Extra) == 0 && len(got.Extra) == 0 {
		want.Extra, got.Extra = nil, nil
	}
	if !reflect.DeepEqual(got.Event, want) {
		b.Errorf("came back:\n%+v\nwant:\n%+v", got.Event, want)
	}
	if got.Ref == "" || len(got.Ref) > 64 {
		b.Errorf("reference %q", got.Ref)
	}
}

// get reads one event whole.
func (b *bench) get(ref string) traces.Stored {
	b.Helper()
	s, err := b.Get(context.Background(), b.organisation, ref)
	if err != nil {
		b.Fatal(err)
	}
	return s
}
