package sigma

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestEventCountIsTheNaiveCount holds the sliding window against a plain count
// of the past, on random events that come in any order within the bound.
func TestEventCountIsTheNaiveCount(t *testing.T) {
	t.Parallel()
	text := correlationText("N", "type: event_count\nrules: [a]\ntimespan: 10s\ncondition: {gte: 4}\n")
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // a test
		w := newBench(t, Bounds{Groups: 10, Entries: 1000, Late: 8 * time.Second}, text)
		var past []float64
		now := 100.0
		for range 60 {
			now += float64(r.IntN(6))
			at := now - float64(r.IntN(9))
			past = append(past, at)
			want := ""
			// A window of ten seconds, with the new event, that holds four.
			for _, start := range past {
				n := 0
				for _, o := range past {
					if o >= start && o <= start+10 {
						n++
					}
				}
				if at >= start && at <= start+10 && n >= 4 {
					want = "N"
				}
			}
			got, _, _ := strings.Cut(w.at(at, "a"), ":")
			if got != want {
				t.Fatalf("seed %d: %q at %g, want %q, of %v", seed, got, at, want, past)
			}
			if want != "" {
				past = past[:0]
			}
		}
	}
}

// TestOrderedIsTheNaiveSearch holds ordered series of three against a search of
// every triple, on random events in order.
func TestOrderedIsTheNaiveSearch(t *testing.T) {
	t.Parallel()
	text := correlationText("O", "type: temporal_ordered\nrules: [a, b, a2]\ntimespan: 10s\n")
	type told struct {
		at    float64
		event string
	}
	is := func(e told, rule string) bool { return e.event == rule || e.event == "ab" && rule != "a" }
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // a test
		w := newBench(t, noLate, text)
		var past []told
		now := 0.0
		for range 60 {
			now += float64(r.IntN(7))
			e := told{now, []string{"a", "b", "ab", "c"}[r.IntN(4)]}
			past = append(past, e)
			want := ""
			for i := range past {
				for j := i + 1; j < len(past); j++ {
					for k := j + 1; k < len(past); k++ {
						if is(past[i], "a") && is(past[j], "b") && is(past[k], "a2") && past[k].at-past[i].at <= 10 {
							want = "O:3"
						}
					}
				}
			}
			if got := w.at(e.at, e.event); got != want {
				t.Fatalf("seed %d: %q, want %q, of %v", seed, got, want, past)
			}
			if want != "" {
				past = past[:0]
			}
		}
	}
}
