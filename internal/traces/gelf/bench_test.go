package gelf_test

import (
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/gelf"
)

func BenchmarkParse(b *testing.B) {
	in := []byte(message)
	var events []traces.Event
	b.ReportAllocs()
	for b.Loop() {
		events, _ = gelf.Format{}.Parse(events[:0], in, received)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
