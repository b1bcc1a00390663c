package syslog_test

import (
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/syslog"
)

func BenchmarkParse(b *testing.B) {
	lines := [][]byte{
		[]byte(`<165>1 2026-11-30T14:05:06.003Z dpi.chu.fr dpi 8710 CONSULT [chu@32473 ipp="8000012345" user="a.martin" uf="2310"] Consultation du dossier par a.martin depuis le poste W-2310-04, onglet prescriptions`),
		[]byte(`<86>Nov 30 14:05:06 srv-pacs-01 sshd[12345]: Accepted publickey for a.martin from 10.1.2.4 port 55122 ssh2: ED25519 SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEF`),
		[]byte(`<189>000045: Nov 30 13:59:45.123 UTC: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.1.2.3)`),
	}
	f := syslog.Format{Zone: paris(b)}
	var events []traces.Event
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		events, _ = f.Parse(events[:0], lines[i%len(lines)], received)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
