package fhir_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/fhir"
)

const received = int64(1796047506000000) // 2026-11-30T14:05:06Z

func at(text string) int64 {
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return when.UnixMicro()
}

// consultation follows the French profile; it was written for this test.
const consultation = `{
 "resourceType": "AuditEvent", "id": "tr-1",
 "meta": {"profile": ["https://interop.esante.gouv.fr/ig/fhir/tde/StructureDefinition/tde-auditevent"]},
 "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest", "display": "RESTful Operation"},
 "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "read", "display": "lecture"}],
 "action": "R", "recorded": "2026-11-30T14:05:00Z", "outcome": "0", "outcomeDesc": "dossier ouvert",
 "period": {"start": "2026-11-30T15:04:59.5+01:00", "end": "2026-11-30T14:05:00Z"},
 "purposeOfEvent": [{"coding": [{"code": "TREAT", "display": "soins"}]}],
 "agent": [
  {"who": {"identifier": {"system": "https://rpps.esante.gouv.fr", "value": "10001234567"}, "display": "MARTIN Alice"}, "altId": "a.martin", "requestor": true,
   "role": [{"text": "Médecin"}], "location": {"display": "Cardiologie"}, "network": {"address": "10.1.2.3", "type": "2"}},
  {"type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110153"}]}, "who": {"reference": "Device/dpi"}, "requestor": false}
 ],
 "source": {"site": "CHU-NORD", "observer": {"reference": "Device/dpi", "display": "DPI"}, "type": [{"code": "4"}]},
 "entity": [
  {"what": {"reference": "Patient/8000012345"}, "type": {"system": "s", "code": "1"}, "role": {"system": "s", "code": "1"}, "name": "DUPONT Zoé"},
  {"what": {"type": "Patient", "identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "255069934312309"}}},
  {"what": {"reference": "https://h/fhir/Encounter/S26/_history/2"}},
  {"what": {"reference": "DocumentReference/D7"}, "name": "Compte rendu"},
  {"query": "bm9tPURVUE9OVA==", "detail": [{"type": "page", "valueString": "2"}]}
 ]
}`

const consultationXML = `<?xml version="1.0" encoding="UTF-8"?>
<AuditEvent xmlns="http://hl7.org/fhir">
 <id value="tr-1"/>
 <meta><profile value="https://interop.esante.gouv.fr/ig/fhir/tde/StructureDefinition/tde-auditevent"/></meta>
 <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><b>x</b></div></text>
 <type><system value="http://terminology.hl7.org/CodeSystem/audit-event-type"/><code value="rest"/><display value="RESTful Operation"/></type>
 <subtype><system value="http://hl7.org/fhir/restful-interaction"/><code value="read"/><display value="lecture"/></subtype>
 <action value="R"/><period><start value="2026-11-30T15:04:59.5+01:00"/><end value="2026-11-30T14:05:00Z"/></period>
 <recorded value="2026-11-30T14:05:00Z"/><outcome value="0"/><outcomeDesc value="dossier ouvert"/>
 <purposeOfEvent><coding><code value="TREAT"/><display value="soins"/></coding></purposeOfEvent>
 <agent><role><text value="Médecin"/></role><who><identifier><system value="https://rpps.esante.gouv.fr"/><value value="10001234567"/></identifier><display value="MARTIN Alice"/></who><altId value="a.martin"/><requestor value="true"/><location><display value="Cardiologie"/></location><network><address value="10.1.2.3"/><type value="2"/></network></agent>
 <agent><type><coding><system value="http://dicom.nema.org/resources/ontology/DCM"/><code value="110153"/></coding></type><who><reference value="Device/dpi"/></who><requestor value="false"/></agent>
 <source><site value="CHU-NORD"/><observer><reference value="Device/dpi"/><display value="DPI"/></observer><type><code value="4"/></type></source>
 <entity><what><reference value="Patient/8000012345"/></what><type><system value="s"/><code value="1"/></type><role><system value="s"/><code value="1"/></role><name value="DUPONT Zoé"/></entity>
 <entity><what><type value="Patient"/><identifier><system value="urn:oid:1.2.250.1.213.1.4.8"/><value value="255069934312309"/></identifier></what></entity>
 <entity><what><reference value="https://h/fhir/Encounter/S26/_history/2"/></what></entity>
 <entity><what><reference value="DocumentReference/D7"/></what><name value="Compte rendu"/></entity>
 <entity><query value="bm9tPURVUE9OVA=="/><detail><type value="page"/><valueString value="2"/></detail></entity>
</AuditEvent>`

func faults(err error) []string {
	var out []string
	for _, f := range fhir.Faults(err) {
		out = append(out, strings.TrimPrefix(f.Key, "traces.fhir.")+" "+f.Field)
	}
	return out
}

func TestAConsultation(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{"JSON": consultation, "XML": consultationXML} {
		events, err := fhir.Format{}.Parse(nil, []byte(in), received)
		if err != nil || len(events) != 1 {
			t.Fatal(name, err, len(events))
		}
		e := events[0]
		got := fmt.Sprint([]any{
			e.Key, e.Account, e.Person, e.Function, e.Service, e.Address, e.Action, e.Verb, e.Outcome, e.Message, e.Purpose,
			e.IPP, e.INS, e.PatientName, e.Stay, e.Document, e.Object, e.Parameter, e.Application, e.Site, e.AtGuessed,
		})
		want := "[tr-1 a.martin MARTIN Alice Médecin Cardiologie 10.1.2.3 read lecture success dossier ouvert soins 8000012345 255069934312309 DUPONT Zoé S26 D7 Compte rendu nom=DUPONT DPI CHU-NORD false]"
		if got != want || e.At != at("2026-11-30T14:04:59.5Z") || string(e.Raw) != in {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		for _, p := range []traces.Pair{
			{Name: "agent.identifier", Value: "10001234567"},
			{Name: "agent.source", Value: "dpi"},
			{Name: "event.type", Value: "http://terminology.hl7.org/CodeSystem/audit-event-type|rest"},
			{Name: "recorded", Value: "2026-11-30T14:05:00Z"},
			{Name: "detail.page", Value: "2"},
		} {
			if !slices.Contains(e.Extra, p) {
				t.Errorf("%s: no %v in %v", name, p, e.Extra)
			}
		}
	}
}

// TestWhatTheRulesDemand removes or breaks one element after another.
func TestWhatTheRulesDemand(t *testing.T) {
	t.Parallel()
	cases := []struct{ from, to, want string }{
		{`"recorded": "2026-11-30T14:05:00Z", `, ``, "missing AuditEvent.recorded"},
		{`"recorded": "2026-11-30T14:05:00Z"`, `"recorded": "2026-11-30"`, "value AuditEvent.recorded"},
		{`"recorded": "2026-11-30T14:05:00Z"`, `"recorded": "2026-11-30T14:05:00"`, "value AuditEvent.recorded"},
		{`"action": "R"`, `"action": "X"`, "value AuditEvent.action"},
		{`"outcome": "0"`, `"outcome": "1"`, "value AuditEvent.outcome"},
		{`"start": "2026-11-30T15:04:59.5+01:00", `, ``, "missing AuditEvent.period.start"},
		{`"requestor": true,`, ``, "missing AuditEvent.agent[0].requestor"},
		{`"who": {"reference": "Device/dpi"}, `, ``, "missing AuditEvent.agent[1].who"},
		{`"observer": {"reference": "Device/dpi", "display": "DPI"}, `, ``, "missing AuditEvent.source.observer"},
		{`"type": "2"}}`, `"type": "9"}}`, "value AuditEvent.agent[0].network.type"},
		{`"display": "lecture"}]`, `"display": "lecture"}, {"code": "vread"}]`, "many AuditEvent.subtype"},
		{`"agent": [`, `"agent": [{"who": {"display": "x"}, "requestor": false},`, "many AuditEvent.agent"},
		{`"query"`, `"name": "n", "query"`, "name_or_query AuditEvent.entity[4]"},
		{`"type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest", "display": "RESTful Operation"},`, ``, "missing AuditEvent.type"},
	}
	for _, c := range cases {
		in := strings.Replace(consultation, c.from, c.to, 1)
		if in == consultation {
			t.Fatalf("%q is not in the example", c.from)
		}
		events, err := fhir.Format{}.Parse(nil, []byte(in), received)
		if got := faults(err); len(got) != 1 || got[0] != c.want {
			t.Errorf("%q: %q, want %q", c.from, got, c.want)
		}
		if len(events) != 1 || events[0].Account != "a.martin" || string(events[0].Raw) != in {
			t.Errorf("%q: what could be understood was lost", c.from)
		}
	}
	// What the profile alone demands is demanded of who claims it, or of all.
	plain := strings.Replace(strings.Replace(consultation, fhir.Profile, "x", 1), `"start": "2026-11-30T15:04:59.5+01:00", `, ``, 1)
	if _, err := (fhir.Format{}).Parse(nil, []byte(plain), received); err != nil {
		t.Error(err)
	}
	if _, err := (fhir.Format{Strict: true}).Parse(nil, []byte(plain), received); len(faults(err)) != 1 {
		t.Error(err)
	}
}

func TestBundles(t *testing.T) {
	t.Parallel()
	noID := strings.Replace(consultation, `"id": "tr-1",`, "", 1)
	in := `{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:u-1","resource":` + noID + `},{"resource":{"resourceType":"Patient"}},{"resource":` + consultation + `}]}`
	events, err := fhir.Format{}.Parse(nil, []byte(in), received)
	if len(events) != 3 || events[0].Key != "u-1" || string(events[0].Raw) != noID || events[2].Key != "tr-1" || !events[1].AtGuessed || len(faults(err)) != 1 {
		t.Errorf("%d events, %v", len(events), err)
	}
	body := consultationXML[strings.Index(consultationXML, "<AuditEvent"):]
	in = `<Bundle xmlns="http://hl7.org/fhir"><entry><fullUrl value="urn:uuid:u-1"/><resource>` + strings.Replace(body, `<id value="tr-1"/>`, "", 1) + `</resource></entry><entry><resource>` + body + `</resource></entry></Bundle>`
	events, err = fhir.Format{}.Parse(nil, []byte(in), received)
	if err != nil || len(events) != 2 || events[0].Key != "u-1" || string(events[1].Raw) != body {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestANULIsNoText(t *testing.T) {
	t.Parallel()
	in := strings.Replace(consultation, "dossier ouvert", `dossier\u0000ouvert`, 1)
	events, err := fhir.Format{}.Parse(nil, []byte(in), received)
	if err != nil || events[0].Message != "dossier\ufffdouvert" || string(events[0].Raw) != in {
		t.Errorf("%q %v", events[0].Message, err)
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`"type":{"code":"110114"},"subtype":[{"code":"110122"}],"action":"E","outcome":"8"`:    "login denied",
		`"type":{"code":"rest"},"subtype":[{"code":"search-type"}],"action":"E"`:               "search unsaid",
		`"type":{"code":"rest"},"subtype":[{"code":"operation"}],"action":"R"`:                 "read unsaid",
		`"type":{"code":"110110"},"action":"U"`:                                                "update unsaid",
		`"type":{"code":"110110"},"action":"R","purposeOfEvent":[{"coding":[{"code":"BTG"}]}]`: "break_glass unsaid",
		`"type":{"code":"110110"},"action":"R","entity":[{"lifecycle":{"code":"10"}}]`:         "export unsaid",
	}
	for body, want := range cases {
		events, _ := fhir.Format{}.Parse(nil, []byte(`{"resourceType":"AuditEvent",`+body+`}`), received)
		if got := fmt.Sprint(events[0].Action, " ", events[0].Outcome); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`<!DOCTYPE a [<!ENTITY a "ha">]><AuditEvent><id value="&a;"/></AuditEvent>`: "doctype ",
		`<AuditEvent><id value="&a;"/></AuditEvent>`:                                "xml ",
		`<AuditEvent>` + strings.Repeat("<a>", 1<<20):                               "xml ",
		`<Patient/>`:                   "other resourceType",
		`{"resourceType":"Patient"}`:   "other resourceType",
		`{"resourceType":"Bundle"}`:    "empty Bundle.entry",
		`{`:                            "json ",
		``:                             "json ",
		strings.Repeat(`{"a":`, 1<<18): "json ",
		`{"resourceType":"AuditEvent","agent":"x"}`: "json ",
		`[]`: "json ",
		consultationXML[:len(consultationXML)-200]:                                             "xml ",
		`{"resourceType":"Bundle","entry":[` + strings.Repeat(`{},`, fhir.MaxEntries) + `{}]}`: "entries Bundle.entry",
	}
	for in, want := range cases {
		events, err := fhir.Format{}.Parse(nil, []byte(in), received)
		if got := faults(err); len(got) == 0 || got[0] != want {
			t.Errorf("%.60q: %q, want %q (%v)", in, got, want, err)
		}
		if len(events) != 1 || string(events[0].Raw) != in[:min(len(in), traces.MaxRaw)] || !events[0].AtGuessed {
			t.Errorf("%.60q: %d events", in, len(events))
		}
	}
}

// TestTheWayBack writes what was read and reads it again.
func TestTheWayBack(t *testing.T) {
	t.Parallel()
	f := fhir.Format{Strict: true}
	events, err := f.Parse(nil, []byte(consultation), received)
	if err != nil {
		t.Fatal(err)
	}
	s := traces.Stored{Event: events[0], Ref: "p_2026/12:7"}
	out, err := fhir.Resource(&s)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Parse(nil, out, received)
	if err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	a, b := events[0], again[0]
	if fhir.Ref(b.Key) != s.Ref {
		t.Errorf("id %q", b.Key)
	}
	for _, p := range traces.Places() {
		if x, y := a.Text(p), b.Text(p); x != nil && p != traces.PlaceKey && *x != *y {
			t.Errorf("%s: %q became %q", p, *x, *y)
		}
	}
	if a.At != b.At || a.Action != b.Action || a.Outcome != b.Outcome {
		t.Errorf("%v %v %v became %v %v %v", a.At, a.Action, a.Outcome, b.At, b.Action, b.Outcome)
	}
	// Whatever came by another format is a sound AuditEvent too.
	bare := traces.Stored{Event: traces.Unread("syslog", []byte("x"), received), Ref: "1"}
	for _, action := range traces.Actions() {
		bare.Action = action
		out, err := fhir.Resource(&bare)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Parse(nil, out, received); err != nil {
			t.Errorf("%s: %v", out, err)
		}
	}
}

func TestBundleAndOutcome(t *testing.T) {
	t.Parallel()
	out, err := fhir.Bundle("https://h/fhir", "https://h/fhir/AuditEvent?date=ge2026", "https://h/n", 12, []traces.Stored{{Ref: "7"}})
	if err != nil {
		t.Fatal(err)
	}
	var b struct {
		Total int
		Link  []struct{ Relation, URL string }
		Entry []struct{ FullURL string }
	}
	if err := json.Unmarshal(out, &b); err != nil || b.Total != 12 || len(b.Link) != 2 || b.Entry[0].FullURL != "https://h/fhir/AuditEvent/7" {
		t.Errorf("%s: %v", out, err)
	}
	_, err = fhir.ParseSearch(nil, received, nil)
	out, err = fhir.Outcome(fhir.Faults(err), func(f *fault.Error) string { return f.Key })
	if err != nil || string(out) != `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"required","diagnostics":"traces.fhir.date_needed","expression":["date"]}]}` {
		t.Errorf("%s: %v", out, err)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", fhir.Locales)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(consultation))
	f.Add([]byte(consultationXML))
	f.Add([]byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"AuditEvent"}}]}`))
	f.Add([]byte(`<Bundle><entry><resource><AuditEvent/></resource></entry></Bundle>`))
	f.Fuzz(func(t *testing.T, in []byte) {
		events, err := fhir.Format{}.Parse(nil, in, received)
		if len(events) == 0 {
			t.Fatalf("%q: nothing, %v", in, err)
		}
		for _, e := range events {
			if !bytes.Contains(in, e.Raw) {
				t.Fatalf("%q: raw %q", in, e.Raw)
			}
		}
		if err != nil && len(fhir.Faults(err)) == 0 {
			t.Fatalf("%q: %v", in, err)
		}
	})
}
