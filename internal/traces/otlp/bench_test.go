package otlp_test

import (
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/otlp"
)

func BenchmarkParse(b *testing.B) {
	for name, in := range map[string][]byte{"protobuf": request(), "JSON": []byte(requestJSON)} {
		b.Run(name, func(b *testing.B) {
			var events []traces.Event
			b.ReportAllocs()
			for b.Loop() {
				events, _ = otlp.Format{}.Parse(events[:0], in, received)
			}
			b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
