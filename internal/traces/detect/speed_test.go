package detect_test

import (
	"os"
	"testing"

	"tocsin/internal/clock"
	"tocsin/internal/traces/detect"
)

// TestSpeedOfTheBar prints what the load of the bar costs on this machine: 4,300
// people and 200,000 patients. It judges nothing: the bar is that of the bench.
func TestSpeedOfTheBar(t *testing.T) {
	if os.Getenv("TOCSIN_DETECT_SPEED") == "" {
		t.Skip("TOCSIN_DETECT_SPEED is not set")
	}
	s, err := detect.Measure(t.Context(), clock.Real(), detect.Load{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f events/s, %.3f %% of a core at 100 a second, %.1f MB held, %.1f MB kept, %d hits", s.PerSecond(), s.CorePercent(100), float64(s.Heap)/1e6, float64(s.Snapshot)/1e6, s.Hits)
}
