package atna_test

import (
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/atna"
)

func BenchmarkParse(b *testing.B) {
	message := []byte(consultation)
	var events []traces.Event
	b.ReportAllocs()
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		events, _ = atna.Format{}.Parse(events[:0], message, received)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
