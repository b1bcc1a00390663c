package sigma

import (
	"os"
	"runtime"
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
	t.Logf("compiled in %v", time.Since(start))
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
}
