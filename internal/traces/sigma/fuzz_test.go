package sigma

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tocsin/internal/fault"
)

// FuzzRule: whatever is read is a rule or one clear refusal, in bounded time;
// and a rule that is read can be asked.
func FuzzRule(f *testing.F) {
	f.Add([]byte(ruleText("s:\n  A|contains|windash: '-x'\n  B|re|i: 'a.*b'\n  C: null\n'k':\n  - mot\ncondition: s and not 1 of k*\n")))
	f.Add([]byte("title: C\ncorrelation:\n  type: value_count\n  rules: [a]\n  group-by: [U]\n  timespan: 5m\n  condition: {gte: 3, field: X}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte(ruleText("s:\n  A|cidr: 10.0.0.0/8\n  B|base64offset|contains: é\n  D|hour: 3\n  E|fieldref|startswith: A\n  F|exists: false\n  G|lt: -1.5\ncondition: all of them\n")))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 {
			return
		}
		start := time.Now()
		c, err := Parser{}.Parse("f.yml", text)
		if took := time.Since(start); took > 20*time.Second {
			t.Fatalf("%d bytes took %v", len(text), took)
		}
		if err != nil {
			if fault.As(err) == nil {
				t.Fatalf("%v is no fault", err)
			}
			return
		}
		if len(c.Rules) > 50 {
			return
		}
		set, err := Compile(c.Rules, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := set.NewMatcher()
		e := Record{"A": {Text("x"), Null()}, "B": {Integer(3)}}
		for _, r := range c.Rules {
			for _, w := range ownWords(r.Source) {
				e[w.field] = []Value{Text(w.values[0])}
			}
		}
		m.Match(e, nil)
		if k, err := NewCorrelator(set, c.Correlations, DefaultBounds()); err == nil {
			k.Observe(time.Unix(0, 0), nil, e)
		}
	})
}

// FuzzMatch: the index answers as the naive reading does, whatever the texts of
// the rule and of the event.
func FuzzMatch(f *testing.F) {
	f.Add("*a?b*", "xaxbx", "fo+", byte(0))
	f.Add(`\*é\\`, "*É\\", "[a-z]", byte(3))
	f.Add("-x /y", "–X ―Y", "K", byte(4))
	f.Add("\u212A", "k", "k", byte(1))
	f.Fuzz(func(t *testing.T, value, text, expr string, how byte) {
		if len(value) > 200 || len(text) > 2000 || len(expr) > 100 || !utf8.ValidString(value) || !utf8.ValidString(text) || !utf8.ValidString(expr) {
			return
		}
		modifiers := [][]string{{}, {"contains"}, {"startswith"}, {"endswith"}, {"windash"}, {"cased"}, {"contains", "cased"}, {"base64offset", "contains"}}[how%8]
		b := &builder{values: maxValues}
		c := &chain{builder: b, field: "F", values: [][]operand{{{raw: value, pattern: parsePattern(value)}}}}
		for _, m := range modifiers {
			if c.apply(m) != nil {
				return
			}
		}
		n, err := c.node()
		if err != nil {
			return
		}
		x := &chain{builder: b, field: "F", values: [][]operand{{{raw: expr, pattern: parsePattern(expr)}}}}
		rules := []*Rule{{Source: LogSource{Category: "c"}, root: n}, {Source: LogSource{Category: "c"}, root: not(n)}}
		if x.apply("re") == nil {
			if xn, err := x.node(); err == nil {
				rules = append(rules, &Rule{Source: LogSource{Category: "c"}, root: join(opAnd, []*node{xn, n})}, &Rule{Source: LogSource{Category: "c"}, root: xn})
			}
		}
		set, err := Compile(rules, nil)
		if err != nil {
			t.Fatal(err)
		}
		e := Record{"F": {Text(text)}, FieldCategory: {Text("c")}}
		got := map[int32]bool{}
		for _, h := range set.NewMatcher().Match(e, nil) {
			got[h] = true
		}
		for i, r := range rules {
			if want := naive(r.root, e); got[int32(i)] != want {
				t.Fatalf("rule %d: %v, want %v: %q in %q", i, got[int32(i)], want, value, text)
			}
		}
	})
}

// TestAutomatonFindsEveryPlace holds the automaton against a plain search,
// with and without states beyond its full rows.
func TestAutomatonFindsEveryPlace(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
		letters := []string{"ab", "abc", "\x00\xff\xfe", "abcdefghijklmnopqrstuvwxyz0123456789"}[seed%4]
		word := func(n int) string {
			var b strings.Builder
			for range r.IntN(n) + 1 {
				b.WriteByte(letters[r.IntN(len(letters))])
			}
			return b.String()
		}
		distinct := map[string]bool{}
		count := 40
		if seed%4 == 3 {
			count = 3000 // more states than full rows
		}
		for range count {
			distinct[word(8)] = true
		}
		var list []string
		for w := range distinct {
			list = append(list, w)
		}
		a := newAutomaton(list)
		text := []byte(word(300) + "Z" + word(300))
		found := map[[2]int]bool{}
		s := int32(0)
		for i, c := range text {
			s = a.next(s, a.class[c]) &^ ending
			for e := a.report[s]; e != 0; e = a.shorter[e] {
				found[[2]int{int(a.ends[e]), i + 1}] = true
			}
		}
		places := 0
		for id, w := range list {
			for i := range text {
				if bytes.HasPrefix(text[i:], []byte(w)) {
					places++
					if !found[[2]int{id, i + len(w)}] {
						t.Fatalf("seed %d: %q not found at %d", seed, w, i)
					}
				}
			}
		}
		if places != len(found) {
			t.Fatalf("seed %d: %d places found, %d there", seed, len(found), places)
		}
	}
}
