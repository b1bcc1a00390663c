package sigma

import (
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestSpeedOfPublicRules prints how many events a second the public rules
// follow on this machine. It judges nothing but that a machine that is not
// worn out does it at all: the bar is that of the bench.
func TestSpeedOfPublicRules(t *testing.T) {
	dir := os.Getenv("TOCSIN_SIGMA_DIR")
	if dir == "" {
		t.Skip("TOCSIN_SIGMA_DIR names no checkout of the public rules")
	}
	corpus, err := ReadCorpus(os.DirFS(dir), Parser{})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	set, err := Compile(corpus.Rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	always, atoms := 0, 0
	for _, p := range set.programs {
		always += len(p.always)
		atoms += len(p.atoms)
	}
	t.Logf("compiled in %v: %d log sources, %d questions, %d rules that no value wakes", time.Since(start), len(set.programs), atoms, always)
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("index: %.1f MB", float64(after.HeapAlloc-before.HeapAlloc)/1e6)
	var suspicious []Record
	for _, trial := range corpus.Trials {
		suspicious = append(suspicious, trial.Events...)
	}
	events := Stream(suspicious, 20_000, 1)
	for _, workers := range []int{1, 2} {
		s := set.Measure(events, 3, workers, time.Now)
		t.Logf("%d rules, %d workers: %.0f events/s (%d events, %d hits)", s.Rules, s.Workers, s.PerSecond(), s.Events, s.Hits)
		if s.PerSecond() < 1000 {
			t.Errorf("%.0f events a second: the index does not serve", s.PerSecond())
		}
	}
	// What one processor does when others leave it alone for a moment: the best
	// of short measures.
	best := 0.0
	for range 20 {
		spent := processor(t)
		s := set.Measure(events[:4000], 1, 1, time.Now)
		spent = processor(t) - spent
		best = max(best, float64(s.Events)/spent.Seconds())
	}
	t.Logf("%d rules: %.0f events for each second of one processor, at best", len(corpus.Rules), best)
}

func TestInventedRulesAreFollowed(t *testing.T) {
	rules, err := Invent(3700, 1)
	if err != nil || len(rules) != 3700 {
		t.Fatal(len(rules), err)
	}
	set, err := Compile(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	events := Stream(nil, 2000, 2)
	spent := processor(t)
	s := set.Measure(events, 1, 1, time.Now)
	spent = processor(t) - spent
	t.Logf("%d invented rules: %.0f events/s, %d hits; %.0f a second of one processor", s.Rules, s.PerSecond(), s.Hits, float64(s.Events)/spent.Seconds())
	again, err := Invent(20, 1)
	if err != nil || again[7].Title != rules[7].Title || again[7].root.size != rules[7].root.size {
		t.Error("the same seed gives other rules")
	}
	if s.Hits == 0 {
		t.Error("no invented rule hits an ordinary day: the index is not tried")
	}
	m := set.NewMatcher()
	pairs := 0
	for _, e := range events[:60] {
		got := m.Match(e, nil)
		for i := 0; i < len(rules); i += 5 {
			if !m.Reads(int32(i), e) || len(e["NewProcessName"]) > 0 {
				continue
			}
			pairs++
			if slices.Contains(got, int32(i)) != naive(rules[i].root, e) {
				t.Fatalf("%s: the index and the reading differ", rules[i].Title)
			}
		}
	}
	if pairs < 1000 {
		t.Errorf("%d pairs", pairs)
	}
}

// processor is the time this program had a processor: what a machine that does
// other work changes little.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
