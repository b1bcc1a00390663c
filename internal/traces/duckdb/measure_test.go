//go:build cgo

package duckdb

import (
	"context"
	"os"
	"strconv"
	"testing"

	"tocsin/internal/clock"
)

// TestItIsMeasured fills a small base; TOCSIN_TEST_TRACES gives the number of
// events of a real measurement.
func TestItIsMeasured(t *testing.T) {
	load := Load{Events: 30000, Batch: 5000, Repeats: 2, Options: Options{Threads: 2}}
	if n, err := strconv.ParseInt(os.Getenv("TOCSIN_TEST_TRACES"), 10, 64); err == nil {
		load = Load{Events: n, Options: Options{Threads: 2}}
	}
	m, err := Measure(context.Background(), t.TempDir(), clock.Real(), load)
	if err != nil {
		t.Fatal(err)
	}
	if m.BareEPS <= 0 || m.TakeEPS <= 0 || m.ParsedBytes <= 0 || m.RawBytes <= 0 || len(m.Questions) != 7 {
		t.Errorf("measured %+v", m)
	}
	t.Logf("bare %.0f/s, take %.0f/s (%.2f), parsed %.1f and raw %.1f bytes an event", m.BareEPS, m.TakeEPS, m.TakeEPS/m.BareEPS, m.ParsedBytes, m.RawBytes)
	for _, q := range m.Questions {
		t.Logf("%s: %s, %d", q.Name, q.P95, q.Total)
		if q.Total == 0 {
			t.Errorf("%s found nothing", q.Name)
		}
	}
	if status, err := os.ReadFile("/proc/self/status"); err == nil && load.Repeats == 0 {
		t.Logf("%s", status)
	}
}
