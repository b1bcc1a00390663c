package app

import (
	"time"

	"tocsin/internal/traces"
	"tocsin/internal/traces/atna"
	"tocsin/internal/traces/bulk"
	"tocsin/internal/traces/cef"
	"tocsin/internal/traces/fhir"
	"tocsin/internal/traces/gelf"
	"tocsin/internal/traces/jsonl"
	"tocsin/internal/traces/otlp"
	"tocsin/internal/traces/syslog"
	"tocsin/internal/traces/winevent"
)

// formats are the ways of writing traces that the product reads.
func formats(zone *time.Location) []traces.Format {
	objects := jsonl.New(jsonl.Default(), zone)
	audit, records := atna.Format{Zone: zone}, cef.Format{Zone: zone}
	inner := []syslog.Inner{
		{Fits: cef.Fits, Format: records}, {Fits: atna.Fits, Format: audit}, {Fits: fhir.Fits, Format: fhir.Format{Zone: zone}},
		{Fits: winevent.Fits, Format: winevent.Format{}}, {Fits: jsonl.Fits, Format: objects},
	}
	return []traces.Format{
		syslog.Format{Zone: zone, Inner: inner}, objects, audit, fhir.Format{Zone: zone}, bulk.Format{Documents: objects},
		gelf.Format{}, records, winevent.Format{}, otlp.Format{},
	}
}
