package syslog_test

import (
	"fmt"
	"testing"

	"tocsin/internal/traces"
	"tocsin/internal/traces/atna"
	"tocsin/internal/traces/cef"
	"tocsin/internal/traces/jsonl"
	"tocsin/internal/traces/syslog"
)

// TestWhatTravelsInside reads through syslog what hospitals send by it: an audit
// message on several lines, as the French profile shows it, CEF, LEEF and JSON;
// and two lines as logger of util-linux writes them.
func TestWhatTravelsInside(t *testing.T) {
	t.Parallel()
	f := syslog.Format{Inner: []syslog.Inner{
		{Fits: atna.Fits, Format: atna.Format{}},
		{Fits: cef.Fits, Format: cef.Format{}},
		{Fits: jsonl.Fits, Format: jsonl.New(nil, nil)},
	}}
	cases := []struct{ in, want string }{
		{
			"<110>1 2026-11-30T14:05:06.024+00:00 DPI-WEB INFRA - IHE+RFC-3881 - \n<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\n<AuditMessage>\n\t<EventIdentification EventActionCode=\"R\" EventDateTime=\"2026-11-30T14:05:05.0236367Z\" EventOutcomeIndicator=\"0\">\n\t\t<EventID codeSystemName=\"DCM\" originalText=\"Patient Record\" csd-code=\"110110\" />\n\t</EventIdentification>\n\t<ActiveParticipant UserID=\"a.martin\" UserIsRequestor=\"true\" />\n\t<ParticipantObjectIdentification ParticipantObjectID=\"8001\" ParticipantObjectTypeCode=\"1\" ParticipantObjectTypeCodeRole=\"1\" />\n</AuditMessage>\n",
			"atna read a.martin 8001 1796047505023636 6 DPI-WEB",
		},
		{"<134>Nov 30 14:05:06 bastion CEF:0|W|Bastion|1|7|Session|3|suser=a.martin act=login", "cef login a.martin  1796047506000000 6 bastion"},
		{"<134>1 2026-11-30T14:05:06Z pare-feu SNS - - - LEEF:1.0|S|SNS|4|auth|usrName=a.martin\tcat=logout", "cef logout a.martin  1796047506000000 6 pare-feu"},
		{`<14>Nov 30 14:05:06 srv dpi[77]: {"user":"a.martin","action":"print","ipp":"8001"}`, "jsonl print a.martin 8001 1796047506000000 6 srv"},
		{`<13>1 2026-11-30T14:05:06.759368+00:00 vm dpi - CONSULT [timeQuality tzKnown="1" isSynced="0"][chu@32473 ipp="8001"] dossier ouvert, été`, "syslog unsaid   1796047506759368 5 "},
		{`<13>Nov 30 14:05:06 vm dpi[25372]: dossier ouvert`, "syslog unsaid   1796047506000000 5 "},
	}
	for _, c := range cases {
		events, err := f.Parse(nil, []byte(c.in), received)
		if err != nil || len(events) != 1 || string(events[0].Raw) != c.in {
			t.Fatalf("%.60q: %d events, %v", c.in, len(events), err)
		}
		e := events[0]
		if got := fmt.Sprint(e.Collector, " ", e.Action, " ", e.Account, " ", e.IPP, " ", e.At, " ", e.Severity, " ", extra(e, "syslog.host")); got != c.want {
			t.Errorf("%.60q:\n got %s\nwant %s", c.in, got, c.want)
		}
	}
	if events, _ := f.Parse(nil, []byte("<14>Nov 30 14:05:06 srv dpi[77]: {oops"), received); events[0].Collector != syslog.Name || traces.Classify(&events[0], false) != traces.System {
		t.Errorf("%+v", events[0])
	}
}
