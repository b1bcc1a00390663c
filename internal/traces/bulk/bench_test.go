package bulk_test

import (
	"strings"
	"testing"

	"tocsin/internal/traces"
)

func BenchmarkItems(b *testing.B) {
	pair := `{"create":{"_index":"filebeat-8"}}` + "\n" + `{"@timestamp":"2026-11-30T14:05:06.123Z","user":{"name":"a.martin","full_name":"MARTIN Alice"},"event":{"action":"consultation","outcome":"success"},"patient":{"ipp":"8000012345"},"host":{"name":"W-2310-04"},"source":{"ip":"10.1.2.3"},"service":{"name":"DPI"},"uf":"2310","document":"D-778812","message":"Consultation du compte rendu"}` + "\n"
	body := []byte(strings.Repeat(pair, 1000))
	f := format()
	var events []traces.Event
	b.ReportAllocs()
	for b.Loop() {
		events, _, _ = f.Items(events[:0], body, "", received)
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
