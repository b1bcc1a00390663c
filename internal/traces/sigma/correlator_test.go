package sigma

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// three rules, each hit by an event whose field R is its name.
const threeRules = `title: A
name: a
id: 11111111-1111-4111-8111-111111111111
logsource: {category: c}
detection:
  s: {R: a}
  condition: s
---
title: B
name: b
logsource: {category: c}
detection:
  s: {R: [b, ab]}
  condition: s
---
title: A2
name: a2
logsource: {category: c}
detection:
  s: {R: ab}
  condition: s
`

var epoch = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)

// workbench is a correlator and the means to tell it events in few words.
type workbench struct {
	t   *testing.T
	m   *Matcher
	c   *Correlator
	got []int32
}

func newBench(t *testing.T, bounds Bounds, correlations string) *workbench {
	t.Helper()
	c, err := Parser{}.Parse("c.yml", []byte(threeRules+correlations))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Compile(c.Rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, err := NewCorrelator(set, c.Correlations, bounds)
	if err != nil {
		t.Fatal(err)
	}
	return &workbench{t: t, m: set.NewMatcher(), c: k}
}

// at tells an event « rule field=value … » so many seconds after the epoch, and
// returns the titles of the correlations that hold.
func (w *workbench) at(seconds float64, event string) string {
	w.t.Helper()
	e := Record{FieldCategory: {Text("c")}}
	words := strings.Fields(event)
	e["R"] = []Value{Text(words[0])}
	for _, f := range words[1:] {
		name, value, _ := strings.Cut(f, "=")
		e[name] = []Value{Text(value)}
	}
	w.got = w.m.Match(e, w.got)
	return said(w.c.Observe(epoch.Add(time.Duration(seconds*float64(time.Second))), w.got, e))
}

func (w *workbench) advance(seconds float64) string {
	return said(w.c.Advance(epoch.Add(time.Duration(seconds * float64(time.Second)))))
}

func said(found []Correlated) string {
	var out []string
	for _, f := range found {
		out = append(out, fmt.Sprintf("%s:%g", f.Correlation.Title, f.Count))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func correlationText(title, body string) string {
	return "---\ntitle: " + title + "\nname: " + strings.ToLower(title) + "\ncorrelation:\n" + indent(body)
}

var noLate = Bounds{Groups: 1000, Entries: 1000}

// stepAt is an event and what must hold after it.
type stepAt struct {
	at    float64
	event string
	want  string
}

func play(t *testing.T, bounds Bounds, correlations string, steps ...stepAt) *workbench {
	t.Helper()
	w := newBench(t, bounds, correlations)
	for i, s := range steps {
		got := ""
		if s.event == "" {
			got = w.advance(s.at)
		} else {
			got = w.at(s.at, s.event)
		}
		if got != s.want {
			t.Fatalf("step %d, %gs, %q: %q holds, want %q", i, s.at, s.event, got, s.want)
		}
	}
	return w
}

func TestEventCount(t *testing.T) {
	t.Parallel()
	text := correlationText("N", "type: event_count\nrules: [a]\ngroup-by: [U]\ntimespan: 10s\ncondition: {gte: 3}\n")
	w := play(t, noLate, text,
		stepAt{0, "a U=x", ""}, stepAt{1, "a U=X", ""}, stepAt{2, "a U=y", ""},
		stepAt{10, "a U=x", "N:3"},                                                                              // the tenth second is still in
		stepAt{11, "a U=x", ""},                                                                                 // it counts anew once told
		stepAt{12, "b U=x", ""},                                                                                 // another rule
		stepAt{30, "a U=x", ""}, stepAt{35, "a U=x", ""}, stepAt{40.5, "a U=x", ""}, stepAt{45, "a U=x", "N:3"}, // a window slides
		stepAt{50, "a", ""}, // without the field it is grouped by
	)
	if d := w.c.Dropped(); d.NoGroup != 1 || d.Groups != 0 || d.Late != 0 {
		t.Errorf("%+v", d)
	}
	// Several rules count together; gt is more than.
	play(t, noLate, correlationText("N", "type: event_count\nrules: [a, b]\ntimespan: 1m\ncondition: {gt: 2}\n"),
		stepAt{0, "a", ""}, stepAt{1, "b", ""}, stepAt{2, "a", "N:3"})
	// By id as well as by name.
	play(t, noLate, correlationText("N", "type: event_count\nrules: [11111111-1111-4111-8111-111111111111]\ntimespan: 1m\ncondition: {gte: 1}\n"),
		stepAt{0, "a", "N:1"})
}

func TestConditionsJudgedAtTheEnd(t *testing.T) {
	t.Parallel()
	few := correlationText("Peu", "type: event_count\nrules: [a]\ngroup-by: [U]\ntimespan: 10s\ncondition: {lt: 3}\n")
	play(t, noLate, few,
		stepAt{0, "a U=x", ""}, stepAt{1, "a U=x", ""}, stepAt{2, "a U=y", ""}, stepAt{3, "a U=y", ""}, stepAt{4, "a U=y", ""},
		stepAt{10, "", ""}, stepAt{10.1, "", "Peu:2"}, stepAt{60, "", ""})
	between := correlationText("E", "type: event_count\nrules: [a]\ntimespan: 10s\ncondition: {gt: 1, lte: 3}\n")
	play(t, noLate, between,
		stepAt{1, "a", ""}, stepAt{2, "a", ""}, stepAt{11, "a", "E:2"}, // told when the next window begins
		stepAt{12, "a", ""}, stepAt{13, "a", ""}, stepAt{14, "a", ""}, stepAt{30, "", ""})
	exact := correlationText("X", "type: event_count\nrules: [a]\ntimespan: 10s\ncondition: {eq: 2}\n")
	play(t, noLate, exact, stepAt{1, "a", ""}, stepAt{2, "a", ""}, stepAt{3, "a", ""}, stepAt{21, "a", ""}, stepAt{22, "a", ""}, stepAt{40, "", "X:2"})
	play(t, noLate, correlationText("X", "type: event_count\nrules: [a]\ntimespan: 10s\ncondition: {neq: 2}\n"),
		stepAt{1, "a", ""}, stepAt{20, "", "X:1"})
	// Late events are still of their window.
	play(t, Bounds{Groups: 10, Entries: 10, Late: 20 * time.Second}, exact,
		stepAt{1, "a", ""}, stepAt{25, "a", ""}, stepAt{9, "a", ""}, stepAt{31, "", "X:2"})
}

func TestValueCount(t *testing.T) {
	t.Parallel()
	text := correlationText("V", "type: value_count\nrules: [a]\ngroup-by: [U]\ntimespan: 10s\ncondition: {gte: 3, field: P}\n")
	w := play(t, noLate, text,
		stepAt{0, "a U=x P=1", ""}, stepAt{1, "a U=x P=1", ""}, stepAt{2, "a U=x P=2", ""}, stepAt{3, "a U=x P=2", ""},
		stepAt{4, "a U=x P=3", "V:3"},
		stepAt{20, "a U=x P=1", ""}, stepAt{25, "a U=x P=2", ""}, stepAt{29, "a U=x P=1", ""}, stepAt{34, "a U=x P=3", "V:3"}, // seen again, 1 is still in
		stepAt{40, "a U=x", ""},
	)
	if w.c.Dropped().NoGroup != 1 {
		t.Errorf("%+v", w.c.Dropped())
	}
	play(t, noLate, correlationText("V", "type: value_count\nrules: [a]\ntimespan: 10s\ncondition:\n  gte: 2\n  field: [P, Q]\n"),
		stepAt{0, "a P=1 Q=1", ""}, stepAt{1, "a P=1 Q=1", ""}, stepAt{2, "a P=1 Q=2", "V:2"})
	play(t, noLate, correlationText("V", "type: value_count\nrules: [a]\ntimespan: 10s\ncondition: {lte: 1, field: P}\n"),
		stepAt{0, "a P=1", ""}, stepAt{1, "a P=1", ""}, stepAt{20, "", "V:1"})
}

func TestFigures(t *testing.T) {
	t.Parallel()
	play(t, noLate, correlationText("S", "type: value_sum\nrules: [a]\ntimespan: 10s\ncondition: {gt: 100, field: N}\n"),
		stepAt{0, "a N=60", ""}, stepAt{11, "a N=60", ""}, stepAt{12, "a N=x", ""}, stepAt{12, "a N=40.5", "S:100.5"})
	play(t, noLate, correlationText("M", "type: value_avg\nrules: [a]\ntimespan: 10s\ncondition: {gt: 5, field: N}\n"),
		stepAt{0, "a N=9", ""}, stepAt{1, "a N=3", ""}, stepAt{20, "", "M:6"}, stepAt{21, "a N=5", ""}, stepAt{40, "", ""})
	play(t, noLate, correlationText("P", "type: value_percentile\nrules: [a]\ntimespan: 10s\ncondition: {lte: 3, field: N, percentile: 50}\n"),
		stepAt{0, "a N=1", ""}, stepAt{1, "a N=9", ""}, stepAt{2, "a N=3", ""}, stepAt{3, "a N=2", ""}, stepAt{20, "", "P:2"})
	g := &group{plan: &plan{Correlation: &Correlation{Type: ValuePercentile, Percentile: 90}}}
	for i := range 100_000 {
		g.collect(entryAt{number: float64(i % 1000)})
	}
	if v := g.figure(); len(g.entries) > keptNumbers || v < 880 || v > 920 {
		t.Errorf("the 90th percentile of 0…999 is %g, of %d numbers kept", v, len(g.entries))
	}
}

func TestTemporal(t *testing.T) {
	t.Parallel()
	text := correlationText("T", "type: temporal\nrules: [a, b]\ngroup-by: [U]\ntimespan: 10s\n")
	play(t, noLate, text,
		stepAt{0, "b U=x", ""}, stepAt{5, "a U=y", ""}, stepAt{10, "a U=x", "T:2"},
		stepAt{11, "b U=x", ""}, stepAt{22, "a U=x", ""}, stepAt{23, "b U=x", "T:2"})
	// Any two of three; one event may be two things at once.
	play(t, noLate, correlationText("T", "type: temporal\nrules: [a, b, a2]\ntimespan: 10s\ncondition: {gte: 2}\n"),
		stepAt{0, "a", ""}, stepAt{20, "ab", "T:2"})
	// A flood of one rule does not hide the other.
	w := newBench(t, noLate, text)
	w.at(0, "b U=x")
	for i := range 500 {
		w.at(0.001*float64(i), "b U=x")
	}
	if got := w.at(9, "a U=x"); got != "T:2" {
		t.Errorf("%q after a flood", got)
	}
	play(t, noLate, correlationText("T", "type: temporal\nrules: [a, b]\ntimespan: 10s\ncondition: {eq: 2}\n"), stepAt{0, "a", ""}, stepAt{1, "b", "T:2"})
}

func TestTemporalOrdered(t *testing.T) {
	t.Parallel()
	text := correlationText("O", "type: temporal_ordered\nrules: [a, b]\ngroup-by: [U]\ntimespan: 10s\n")
	play(t, noLate, text,
		stepAt{0, "b U=x", ""}, stepAt{1, "a U=x", ""}, stepAt{2, "b U=y", ""}, stepAt{11, "b U=x", "O:2"},
		stepAt{20, "a U=x", ""}, stepAt{31, "b U=x", ""},
		stepAt{40, "a U=x", ""}, stepAt{40, "b U=x", "O:2"}) // the same instant, in this order
	// One event is not two steps, and a new start replaces an old one.
	play(t, noLate, correlationText("O", "type: temporal_ordered\nrules: [a2, b]\ntimespan: 10s\n"), stepAt{0, "ab", ""}, stepAt{1, "b", "O:2"})
	play(t, noLate, correlationText("O", "type: temporal_ordered\nrules: [b, a2]\ntimespan: 10s\n"), stepAt{0, "ab", ""}, stepAt{1, "ab", "O:2"})
	play(t, noLate, correlationText("O", "type: temporal_ordered\nrules: [b, a2]\ntimespan: 10s\n"), stepAt{0, "b", ""}, stepAt{5, "b", ""}, stepAt{12, "ab", "O:2"})
	play(t, noLate, text, stepAt{0, "a U=x", ""}, stepAt{8, "a U=x", ""}, stepAt{15, "b U=x", "O:2"})
	w := newBench(t, noLate, text)
	w.at(0, "a U=x")
	for i := range 1000 {
		w.at(0.001*float64(i), "a U=x")
	}
	if _, entries := w.c.Size(); entries > 2 {
		t.Errorf("%d entries of one run", entries)
	}
	if got := w.at(9, "b U=x"); got != "O:2" {
		t.Errorf("%q after a flood", got)
	}
}

func TestAliases(t *testing.T) {
	t.Parallel()
	text := correlationText("Al", "type: temporal\nrules: [a, b]\ngroup-by: [ip]\ntimespan: 10s\naliases:\n  ip:\n    a: src\n    b: dst\n")
	play(t, noLate, text, stepAt{0, "a src=1 dst=2", ""}, stepAt{1, "b src=1 dst=2", ""}, stepAt{2, "b src=9 dst=1", "Al:2"})
	w := newBench(t, noLate, text)
	w.at(0, "a src=Un")
	w.at(1, "b dst=un")
	found := w.c.found
	if len(found) != 1 || found[0].Group["ip"] != "Un" || !found[0].At.Equal(epoch.Add(time.Second)) {
		t.Errorf("%+v", found)
	}
}

// TestChains is the example of the specification: many failures, then a success.
func TestChains(t *testing.T) {
	t.Parallel()
	text := correlationText("Suite", "type: temporal_ordered\nrules: [echecs, b]\ngroup-by: [U]\ntimespan: 10m\n") +
		correlationText("Echecs", "type: event_count\nrules: [a]\ngroup-by: [U, PC]\ntimespan: 1m\ncondition: {gte: 3}\n")
	w := play(t, noLate, text,
		stepAt{0, "b U=x PC=1", ""}, stepAt{1, "a U=x PC=1", ""}, stepAt{2, "a U=x PC=1", ""}, stepAt{3, "a U=x PC=1", "Echecs:3"},
		stepAt{4, "b U=y PC=1", ""}, stepAt{5, "b U=x PC=2", "Suite:2"})
	if w.c.Alone(0) || w.c.Alone(1) || !w.c.Alone(2) {
		t.Error("rules that correlations count hit by themselves, or others do not")
	}
	w = newBench(t, noLate, correlationText("N", "type: event_count\nrules: [a]\ntimespan: 1m\ngenerate: true\ncondition: {gte: 3}\n"))
	if !w.c.Alone(0) {
		t.Error("« generate » leaves rules silent")
	}
}

func TestLateEvents(t *testing.T) {
	t.Parallel()
	late := Bounds{Groups: 100, Entries: 1000, Late: time.Minute}
	w := play(t, late, correlationText("N", "type: event_count\nrules: [a]\ngroup-by: [U]\ntimespan: 10s\ncondition: {gte: 3}\n"),
		stepAt{100, "a U=x", ""}, stepAt{130, "a U=y", ""}, stepAt{95, "a U=x", ""}, stepAt{105, "a U=x", "N:3"},
		stepAt{69, "a U=x", ""}, stepAt{200, "a U=z", ""}, stepAt{139, "a U=z", ""})
	if d := w.c.Dropped(); d.Late != 2 {
		t.Errorf("%+v: what is older than the bound is counted", d)
	}
	play(t, late, correlationText("O", "type: temporal_ordered\nrules: [a, b]\ntimespan: 10s\n"),
		stepAt{100, "b", ""}, stepAt{95, "a", "O:2"})
	play(t, late, correlationText("O", "type: temporal_ordered\nrules: [a, b]\ntimespan: 10s\n"),
		stepAt{100, "b", ""}, stepAt{105, "a", ""})
	play(t, late, correlationText("T", "type: temporal\nrules: [a, b]\ntimespan: 10s\n"),
		stepAt{100, "b", ""}, stepAt{140, "b", ""}, stepAt{95, "a", "T:2"})
}

func TestMemoryOfTheCorrelatorIsBounded(t *testing.T) {
	t.Parallel()
	bounds := Bounds{Groups: 50, Entries: 200}
	w := newBench(t, bounds, correlationText("N", "type: event_count\nrules: [a]\ngroup-by: [U]\ntimespan: 1h\ncondition: {gte: 1000}\n")+
		correlationText("V", "type: value_count\nrules: [a]\ngroup-by: [U]\ntimespan: 1h\ncondition: {lt: 5, field: P}\n"))
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	for i := range 3000 {
		w.at(float64(i)/10, fmt.Sprintf("a U=%d P=%d", r.IntN(300), r.IntN(50)))
		groups, entries := w.c.Size()
		if groups > bounds.Groups || entries > bounds.Entries {
			t.Fatalf("%d groups, %d entries", groups, entries)
		}
	}
	if w.c.Dropped().Groups == 0 {
		t.Error("nothing was dropped, or it is not known")
	}
	if len(w.c.groups) != w.c.recent.Len() {
		t.Errorf("%d groups, %d in order", len(w.c.groups), w.c.recent.Len())
	}
	// What is over is dropped without being missed.
	w = newBench(t, Bounds{Groups: 1, Entries: 10}, correlationText("N", "type: event_count\nrules: [a]\ngroup-by: [U]\ntimespan: 10s\ncondition: {gte: 3}\n"))
	w.at(0, "a U=x")
	w.at(60, "a U=y")
	if d := w.c.Dropped(); d.Groups != 0 {
		t.Errorf("%+v", d)
	}
	w = newBench(t, Bounds{Groups: 2, Entries: 100}, correlationText("N", "type: event_count\nrules: [a]\ngroup-by: [U]\ntimespan: 1h\ncondition: {gte: 3}\n"))
	w.at(0, "a U=x")
	w.at(1, "a U=y")
	w.at(2, "a U=x")
	w.at(3, "a U=z") // y goes: x was touched since
	if got := w.at(4, "a U=x"); got != "N:3" {
		t.Errorf("%q: the group in use was forgotten", got)
	}
	// The least recent group goes first.
	w = newBench(t, Bounds{Groups: 2, Entries: 100}, correlationText("N", "type: event_count\nrules: [a]\ngroup-by: [U]\ntimespan: 1h\ncondition: {gte: 2}\n"))
	w.at(0, "a U=x")
	w.at(1, "a U=y")
	w.at(2, "a U=z")
	if got := w.at(3, "a U=x"); got != "" || w.c.Dropped().Groups != 2 {
		t.Errorf("%q, %+v", got, w.c.Dropped())
	}
	if got := w.at(4, "a U=z"); got != "N:2" {
		t.Errorf("%q", got)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, key string }{
		{correlationText("N", "type: event_count\nrules: [zz]\ntimespan: 1m\ncondition: {gte: 1}\n"), "traces.sigma.ref_unknown"},
		{correlationText("A", "type: event_count\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1}\n"), "traces.sigma.ref_twice"},
		{correlationText("N", "type: event_count\nrules: [n]\ntimespan: 1m\ncondition: {gte: 1}\n"), "traces.sigma.ref_circle"},
		{correlationText("N", "type: event_count\nrules: [m]\ntimespan: 1m\ncondition: {gte: 1}\n") + correlationText("M", "type: event_count\nrules: [n]\ntimespan: 1m\ncondition: {gte: 1}\n"), "traces.sigma.ref_circle"},
	} {
		got, err := Parser{}.Parse("c.yml", []byte(threeRules+c.text))
		if err != nil {
			t.Fatal(err)
		}
		set, err := Compile(got.Rules, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewCorrelator(set, got.Correlations, DefaultBounds())
		wantKey(t, err, c.key)
	}
}
