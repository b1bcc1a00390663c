package atna_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/atna"
)

const received = int64(1796047506000000) // 2026-11-30T14:05:06Z

// consultation is a report read by a physician, as DICOM PS3.15 writes it.
const consultation = `<?xml version="1.0" encoding="UTF-8"?>
<AuditMessage xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <EventIdentification EventActionCode="R" EventDateTime="2026-11-30T15:04:05.123+01:00" EventOutcomeIndicator="0">
  <EventID csd-code="110110" codeSystemName="DCM" originalText="Patient Record"/>
  <EventTypeCode csd-code="CONSULT" codeSystemName="CHU" originalText="Consultation du dossier"/>
  <EventOutcomeDescription>Lecture &amp; affichage</EventOutcomeDescription>
  <PurposeOfUse csd-code="TREAT" codeSystemName="ActReason" originalText="soins"/>
 </EventIdentification>
 <ActiveParticipant UserID="DPI_PROD" AlternativeUserID="4412" UserIsRequestor="false" NetworkAccessPointID="10.0.0.7" NetworkAccessPointTypeCode="2">
  <RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="Source Role ID"/>
 </ActiveParticipant>
 <ActiveParticipant UserID="a.martin" AlternativeUserID="10001234567" UserName="MARTIN Alice" UserIsRequestor="true" NetworkAccessPointID="W-2310-04" NetworkAccessPointTypeCode="1">
  <RoleIDCode csd-code="10" codeSystemName="1.2.250.1.71.1.2.7" originalText="Médecin"/>
 </ActiveParticipant>
 <AuditSourceIdentification AuditEnterpriseSiteID="CHU-NORD" AuditSourceID="DPI"><AuditSourceTypeCode csd-code="4"/></AuditSourceIdentification>
 <ParticipantObjectIdentification ParticipantObjectID="8000012345^^^CHU&amp;1.2.250.1.999&amp;ISO" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1" ParticipantObjectDataLifeCycle="6">
  <ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" originalText="Patient Number"/>
  <ParticipantObjectName>DUPONT Zoé</ParticipantObjectName>
 </ParticipantObjectIdentification>
 <ParticipantObjectIdentification ParticipantObjectID="S26-1180" ParticipantObjectTypeCode="2">
  <ParticipantObjectIDTypeCode csd-code="3" codeSystemName="RFC-3881" originalText="Encounter Number"/>
  <ParticipantObjectName>séjour</ParticipantObjectName>
 </ParticipantObjectIdentification>
 <ParticipantObjectIdentification ParticipantObjectID="1.2.3.4" ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="3">
  <ParticipantObjectIDTypeCode csd-code="110180" codeSystemName="DCM" originalText="Study Instance UID"/>
  <ParticipantObjectName>Scanner</ParticipantObjectName>
  <ParticipantObjectDetail type="langue" value="ZnI="/>
  <ParticipantObjectDescription><Accession Number="A1"/><SOPClass UID="1.2.840" NumberOfInstances="3"/></ParticipantObjectDescription>
 </ParticipantObjectIdentification>
</AuditMessage>`

func parse(t testing.TB, message string) (traces.Event, error) {
	t.Helper()
	events, err := atna.Format{}.Parse(nil, []byte(message), received)
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	e := events[0]
	if string(e.Raw) != message[:min(len(message), traces.MaxRaw)] || e.Received != received || e.Collector != "atna" {
		t.Errorf("raw %.60q", e.Raw)
	}
	return e, err
}

func at(text string) int64 {
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return when.UnixMicro()
}

func has(e traces.Event, name, value string) bool {
	return slices.Contains(e.Extra, traces.Pair{Name: name, Value: value})
}

func TestAConsultation(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{"DICOM": consultation, "RFC 3881": strings.ReplaceAll(consultation, "csd-code", "code")} {
		e, err := parse(t, message)
		if err != nil {
			t.Fatal(name, err)
		}
		got := fmt.Sprint([]any{
			e.Account, e.Person, e.Function, e.Action, e.Verb, e.Outcome, e.IPP, e.PatientName, e.Stay, e.Document, e.Object,
			e.Application, e.Site, e.Workstation, e.Address, e.Purpose, e.Message, e.AtGuessed,
		})
		want := "[a.martin MARTIN Alice Médecin read Consultation du dossier success 8000012345 DUPONT Zoé S26-1180 1.2.3.4 Scanner DPI CHU-NORD W-2310-04  soins Lecture & affichage false]"
		if got != want || e.At != at("2026-11-30T14:04:05.123Z") {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		for _, p := range []traces.Pair{
			{Name: "participant.source", Value: "DPI_PROD"},
			{Name: "participant.alternative", Value: "10001234567"},
			{Name: "detail.langue", Value: "fr"},
			{Name: "detail.Accession.Number", Value: "A1"},
			{Name: "event.type", Value: "DCM|110110"},
			{Name: "object.lifecycle", Value: "6"},
		} {
			if !slices.Contains(e.Extra, p) {
				t.Errorf("%s: no %v in %v", name, p, e.Extra)
			}
		}
		if traces.Classify(&e, false) != traces.PatientAccess {
			t.Error("not an access to a patient")
		}
	}
}

// message writes a short one.
func message(event, people, objects string) string {
	return `<AuditMessage><EventIdentification EventDateTime="2026-11-30T14:00:00Z" ` + event + `</EventIdentification>` + people + `<AuditSourceIdentification AuditSourceID="S"/>` + objects + `</AuditMessage>`
}

func TestActions(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`EventActionCode="E" EventOutcomeIndicator="8"><EventID csd-code="110114"/><EventTypeCode csd-code="110122" originalText="Login"/>`: "login denied Login",
		`EventActionCode="E" EventOutcomeIndicator="0"><EventID csd-code="110114"/><EventTypeCode csd-code="110123"/>`:                      "logout success 110123",
		`EventActionCode="E" EventOutcomeIndicator="0"><EventID csd-code="110113"/><EventTypeCode csd-code="110127"/>`:                      "break_glass success 110127",
		`EventActionCode="R" EventOutcomeIndicator="0"><EventID csd-code="110110"/><PurposeOfUse csd-code="BTG" originalText="urgence"/>`:   "break_glass success 110110",
		`EventActionCode="E" EventOutcomeIndicator="4"><EventID csd-code="110112"/><EventTypeCode csd-code="ITI-18" originalText="Query"/>`: "search failure ITI-18 Query",
		`EventActionCode="R" EventOutcomeIndicator="0"><EventID csd-code="110106"/>`:                                                        "export success 110106",
		`EventActionCode="U"><EventID csd-code="110137"/>`:                                                                                  "update unsaid 110137",
		`EventActionCode="E"><EventID csd-code="110113"/><EventTypeCode csd-code="110137"/>`:                                                "configure unsaid 110137",
		`><EventID csd-code="110100"/><EventTypeCode csd-code="110120"/>`:                                                                   "start unsaid 110120",
		`EventActionCode="D"><EventID csd-code="110110"/>`:                                                                                  "delete unsaid 110110",
		`EventActionCode="?"><EventID csd-code="x"/>`:                                                                                       "unsaid unsaid x",
	}
	for event, want := range cases {
		e, err := parse(t, message(event, "", ""))
		if got := fmt.Sprint(e.Action, " ", e.Outcome, " ", e.Verb); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", event, got, err, want)
		}
	}
}

func TestAQueryAndANationalIdentity(t *testing.T) {
	t.Parallel()
	e, err := parse(t, message(`EventActionCode="E"><EventID csd-code="110112"/>`,
		`<ActiveParticipant UserID="dest" UserIsRequestor="false"><RoleIDCode csd-code="110152"/></ActiveParticipant><ActiveParticipant UserID="app" UserIsRequestor="true" NetworkAccessPointID="10.1.1.1" NetworkAccessPointTypeCode="2"><RoleIDCode csd-code="110153"/></ActiveParticipant>`,
		`<ParticipantObjectIdentification ParticipantObjectID="255069934312309^^^&amp;1.2.250.1.213.1.4.8&amp;ISO" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"/><ParticipantObjectIdentification ParticipantObjectID="q" ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="24"><ParticipantObjectQuery>bm9tPURV
UE9OVA==</ParticipantObjectQuery></ParticipantObjectIdentification>`))
	if err != nil || e.INS != "255069934312309" || e.IPP != "" || e.Parameter != "nom=DUPONT" || e.Account != "app" || e.Function != "" || e.Address != "10.1.1.1" || !has(e, "participant.destination", "dest") {
		t.Errorf("%+v %v", e, err)
	}
}

// TestHostile holds that what is refused is refused at once, and kept.
func TestHostile(t *testing.T) {
	t.Parallel()
	laughs := `<!DOCTYPE a [<!ENTITY a "ha">` + strings.Repeat(`<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">`, 9) + `]><AuditMessage>&b;</AuditMessage>`
	cases := map[string]string{
		laughs: "doctype",
		`<!DOCTYPE a SYSTEM "file:///etc/passwd"><AuditMessage/>`:                     "doctype",
		`<AuditMessage><EventIdentification>&x;</EventIdentification></AuditMessage>`: "doctype",
		`<AuditMessage>` + strings.Repeat("<a>", 100000):                              "deep",
		`<AuditMessage><EventIdentification` + strings.Repeat(` a="1"`, 1000) + `/>`:  "deep",
		consultation[:len(consultation)/2]:                                            "cut",
		`<AuditMessage><EventIdentification></AuditMessage>`:                          "xml",
		`<Autre/>`:                   "other",
		`{"AuditMessage":1}`:         "xml",
		``:                           "cut",
		`<AuditMessage/>`:            "no_event",
		strings.Repeat("<", 1<<20+1): "long",
		`<AuditMessage><EventIdentification EventDateTime="hier"/></AuditMessage>`:                 "no_time",
		`<AuditMessage><EventIdentification EventDateTime="2026-02-30T00:00:00Z"/></AuditMessage>`: "no_time",
	}
	for in, want := range cases {
		e, err := parse(t, in)
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Key != "traces.atna."+want {
			t.Errorf("%.60q: %v, want %s", in, err, want)
		}
		if !e.AtGuessed || e.At != received {
			t.Errorf("%.60q: at %d", in, e.At)
		}
	}
}

func TestLatin1(t *testing.T) {
	t.Parallel()
	in := message(`><EventID csd-code="1"/>`, `<ActiveParticipant UserID="zo`+"\xe9"+`"/>`, "")
	e, err := parse(t, in)
	if err != nil || e.Account != "zoé" {
		t.Error(e.Account, err)
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	if !atna.Fits(consultation) || atna.Fits("<a/>") || atna.Fits("AuditMessage") {
		t.Error("what fits is not told")
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", atna.Locales)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(consultation))
	f.Add([]byte(`<AuditMessage><EventIdentification EventDateTime="2026-11-30"/><ActiveParticipant/></AuditMessage>`))
	f.Add([]byte("<AuditMessage><ParticipantObjectIdentification><ParticipantObjectDescription>x<A B='1'/></ParticipantObjectDescription></ParticipantObjectIdentification></AuditMessage>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		events, err := atna.Format{}.Parse(nil, in, received)
		if len(events) != 1 || !bytes.Equal(events[0].Raw, before) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %d events, %v", in, len(events), err)
		}
	})
}
