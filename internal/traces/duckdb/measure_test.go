//go:build cgo

package duckdb

import (
	"context"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/clock"
)

// TestItIsMeasured fills a small base; TOCSIN_TEST_TRACES gives the number of
// events of a real measurement.
func TestItIsMeasured(t *testing.T) {
	load := Load{Events: 30000, Batch: 5000, Repeats: 2, Options: Options{Threads: 2}}
	if n, err := strconv.ParseInt(os.Getenv("TOCSIN_TEST_TRACES"), 10, 64); err == nil {
		load = Load{Events: n, Options: Options{Threads: 2}}
	}
	c := clock.Real()
	if os.Getenv("TOCSIN_TEST_CPU") != "" {
		c = processor{c}
	}
	m, err := Measure(context.Background(), t.TempDir(), c, load)
	if err != nil {
		t.Fatal(err)
	}
	if m.BareEPS <= 0 || m.TakeEPS <= 0 || m.ParsedBytes <= 0 || m.RawBytes <= 0 || m.SmallTake <= 0 || len(m.Questions) != 7 {
		t.Errorf("measured %+v", m)
	}
	t.Logf("bare %.0f/s, take %.0f/s (%.2f), parsed %.1f and raw %.1f bytes an event, a small one in %s", m.BareEPS, m.TakeEPS, m.TakeEPS/m.BareEPS, m.ParsedBytes, m.RawBytes, m.SmallTake)
	t.Logf("the seal is %.1f %% of take, verified at %.0f MB/s", m.SealPct, m.VerifyMBps)
	if m.SealPct <= 0 || m.VerifyMBps <= 0 {
		t.Errorf("seal measured %+v", m)
	}
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

// processor is a clock of the time that the processor gave to this process, for
// measurements beside others on a busy machine.
type processor struct{ clock.Clock }

func (processor) Now() time.Time {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return time.Time{}
	}
	return time.Unix(0, u.Utime.Nano()+u.Stime.Nano())
}
