package fhir_test

import (
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/fhir"
)

func BenchmarkParse(b *testing.B) {
	for name, in := range map[string]string{"JSON": consultation, "XML": consultationXML} {
		b.Run(name, func(b *testing.B) {
			var events []traces.Event
			b.ReportAllocs()
			for b.Loop() {
				events, _ = fhir.Format{}.Parse(events[:0], []byte(in), received)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
