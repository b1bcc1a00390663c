package jsonl_test

import (
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/jsonl"
)

// flat is an event of 370 bytes as an application that knows our names sends it.
const flat = `{"at":"2026-11-30T14:05:06.123Z","key":"0193a7c2-4b1e-7c60-9a34-1f2e3d4c5b6a","account":"a.martin","person":"MARTIN Alice","function":"Medecin","action":"read","ipp":"8000012345","stay":"S26118012","document":"D-778812","application":"DPI","workstation":"W-2310-04","address":"10.1.2.3","service":"2310","outcome":"success","message":"Consultation du compte rendu operatoire"}`

func BenchmarkParse(b *testing.B) {
	for name, in := range map[string][]byte{"flat": []byte(flat), "ecs": []byte(ecs)} {
		b.Run(name, func(b *testing.B) {
			f := jsonl.New(nil, nil)
			var events []traces.Event
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				events, _ = f.Parse(events[:0], in, received)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
