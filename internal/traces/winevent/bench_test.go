package winevent_test

import (
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/winevent"
)

func BenchmarkParse(b *testing.B) {
	in := []byte(event("4624", passed, data("SubjectUserName", "-", "TargetUserName", "a.martin", "TargetDomainName", "CHU", "LogonType", "3", "WorkstationName", "W-2310-04", "IpAddress", "10.1.2.3", "AuthenticationPackageName", "NTLM", "ProcessName", "-")))
	var events []traces.Event
	b.ReportAllocs()
	for b.Loop() {
		events, _ = winevent.Format{}.Parse(events[:0], in, received)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
