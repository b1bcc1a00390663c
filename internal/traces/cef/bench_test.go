package cef_test

import (
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/cef"
)

func BenchmarkParse(b *testing.B) {
	in := []byte(`CEF:0|Wallix|Bastion|10.0|100|Session opened|7|rt=1796047500000 suser=a.martin src=10.1.2.3 shost=W-2310-04 act=login outcome=success msg=session ouverte sur la cible cs1Label=Cible cs1=srv-dpi-1 dst=10.9.9.9 dpt=22`)
	var events []traces.Event
	b.ReportAllocs()
	for b.Loop() {
		events, _ = cef.Format{}.Parse(events[:0], in, received)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
