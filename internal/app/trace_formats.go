package app

import (
	"time"

	"tocsin/internal/traces"
	"tocsin/internal/traces/atna"
	"tocsin/internal/traces/bulk"
	"tocsin/internal/traces/cef"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/fhir"
	"tocsin/internal/traces/gelf"
	"tocsin/internal/traces/jsonl"
	"tocsin/internal/traces/otlp"
	"tocsin/internal/traces/syslog"
	"tocsin/internal/traces/winevent"
)

// TraceFormats are the formats of traces for a source in a zone, joined: a
// message of syslog that carries another format is read by it. Adding a format
// is a folder and a line here.
func TraceFormats(zone *time.Location) []traces.Format {
	audit, event, security, graylog, object := atna.Format{Zone: zone}, winevent.Format{}, cef.Format{Zone: zone}, gelf.Format{}, jsonl.New(nil, zone)
	return []traces.Format{
		syslog.Format{Zone: zone, Inner: []syslog.Inner{
			{Fits: atna.Fits, Format: audit},
			{Fits: winevent.Fits, Format: event},
			{Fits: cef.Fits, Format: security},
			{Fits: fhir.Fits, Format: fhir.Format{Zone: zone}},
			{Fits: gelf.Fits, Format: graylog},
			{Fits: jsonl.Fits, Format: object},
		}},
		audit,
		fhir.Format{Zone: zone},
		object,
		bulk.Format{Documents: object},
		otlp.Format{},
		graylog,
		security,
		event,
		columns.Format{Name: columns.Files},
		columns.Format{Name: columns.Pull},
	}
}
