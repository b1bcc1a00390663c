// Package fhir is « AuditEvent »: traces as HL7 FHIR R4 writes them, JSON and
// XML, alone or in a Bundle, what the French profile « Traçabilité des
// événements » demands of them, and the searches of IHE ITI-81.
//
// It promises that an event which breaks a rule is understood as far as it
// goes, and that each rule broken is told in one sentence that names the
// element.
//
// It never serves: bytes in, events or bytes out.
package fhir

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// Name is the key of the format.
const Name = "fhir"

// MaxEntries bounds the events of one Bundle.
const MaxEntries = 10000

// Format reads AuditEvent.
type Format struct {
	// Zone is that of dates without one; nil is UTC.
	Zone *time.Location
	// Strict demands the French profile of every event; without it, of those
	// that claim it in meta.profile.
	Strict bool
}

// Fits tells whether a content looks like an AuditEvent or a Bundle.
func Fits(content string) bool {
	head := content[:min(len(content), 512)]
	return strings.HasPrefix(head, "<") && (strings.Contains(head, "<AuditEvent") || strings.Contains(head, "<Bundle")) ||
		strings.HasPrefix(head, "{") && (strings.Contains(head, `"AuditEvent"`) || strings.Contains(head, `"Bundle"`))
}

// Describe says what is understood.
func (Format) Describe() traces.Description {
	return traces.Description{
		Name: Name, Standard: "HL7 FHIR R4 AuditEvent, IHE ITI-20 and ITI-81 (RESTful ATNA), ANS « Traçabilité des événements »",
		Maps: []traces.Mapping{
			{From: "id, Bundle.entry.fullUrl", To: "Key"},
			{From: "period.start, recorded", To: "At"},
			{From: "type, subtype, action", To: "Action"},
			{From: "subtype, type", To: "Verb, Extra event.type, event.subtype (system|code)"},
			{From: "outcome", To: "Outcome"},
			{From: "outcomeDesc", To: "Message"},
			{From: "purposeOfEvent, agent.purposeOfUse", To: "Purpose"},
			{From: "agent.altId, agent.who.identifier, agent.who.reference", To: "Account"},
			{From: "agent.name, agent.who.display", To: "Person"},
			{From: "agent.role", To: "Function"},
			{From: "agent.network", To: "Address, Workstation"},
			{From: "agent.location", To: "Service"},
			{From: "agent (others)", To: "Extra agent.*"},
			{From: "source.site", To: "Site"},
			{From: "source.observer", To: "Application"},
			{From: "entity (Patient, role 1)", To: "IPP, INS, PatientName"},
			{From: "entity (Encounter, EpisodeOfCare)", To: "Stay"},
			{From: "entity (DocumentReference, ImagingStudy…, role 3)", To: "Document"},
			{From: "entity (Device)", To: "Device"},
			{From: "entity.query", To: "Parameter"},
			{From: "entity (other)", To: "Object"},
			{From: "entity.detail, entity.description", To: "Extra detail.*"},
		},
	}
}

// Parse reads an AuditEvent or a Bundle of them. The error joins the faults of
// all events, each naming its element: Faults lists them.
func (f Format) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	if len(message) > 64*traces.MaxRaw {
		return append(dst, traces.Unread(Name, message, received)), fault.New(fault.Invalid, "traces.fhir.long")
	}
	b := batch{f: f, dst: dst, received: received}
	var err error
	content := bytes.TrimLeft(bytes.TrimPrefix(message, []byte("\ufeff")), " \r\n\t")
	if len(content) > 0 && content[0] == '<' {
		err = b.xml(message)
	} else {
		err = b.json(content)
	}
	if err != nil && len(b.dst) == len(dst) {
		return append(dst, traces.Unread(Name, message, received)), err
	}
	if err != nil {
		b.faults = append(b.faults, err)
	}
	return b.dst, errors.Join(b.faults...)
}

// Faults lists what an error of Parse says, a sentence each.
func Faults(err error) []*fault.Error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*fault.Error
		for _, e := range joined.Unwrap() {
			out = append(out, Faults(e)...)
		}
		return out
	}
	if f := fault.As(err); f != nil {
		return []*fault.Error{f}
	}
	return nil
}

// batch is what one message gives.
type batch struct {
	f        Format
	dst      []traces.Event
	received int64
	faults   []error
}

// maxFaults bounds what is said of one message: the rest is the same again.
const maxFaults = 100

func (b *batch) fault(err *fault.Error) {
	if len(b.faults) < maxFaults {
		b.faults = append(b.faults, err)
	}
}

func (b *batch) json(content []byte) error {
	var head struct {
		ResourceType string `json:"resourceType"`
		Entry        []struct {
			FullURL  string          `json:"fullUrl"`
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(content, &head); err != nil {
		return fault.Wrap(err, fault.Invalid, "traces.fhir.json")
	}
	switch head.ResourceType {
	case "AuditEvent":
		return b.resource(content, "")
	case "Bundle":
	default:
		return fault.New(fault.Invalid, "traces.fhir.other", "type", traces.Cut(head.ResourceType, 64)).At("resourceType")
	}
	if len(head.Entry) > MaxEntries {
		return fault.New(fault.Invalid, "traces.fhir.entries", "max", MaxEntries).At("Bundle.entry")
	}
	if len(head.Entry) == 0 {
		return fault.New(fault.Invalid, "traces.fhir.empty").At("Bundle.entry")
	}
	for _, entry := range head.Entry {
		if err := b.resource(entry.Resource, entry.FullURL); err != nil {
			b.dst = append(b.dst, traces.Unread(Name, entry.Resource, b.received))
			b.faults = append(b.faults, err)
		}
	}
	return nil
}

func (b *batch) resource(raw []byte, fullURL string) error {
	var r auditEvent
	// A NUL, which no base likes, is read as U+FFFD, as in every format.
	if err := json.Unmarshal(bytes.ReplaceAll(raw, []byte(`\u0000`), []byte(`\ufffd`)), &r); err != nil {
		return fault.Wrap(err, fault.Invalid, "traces.fhir.json")
	}
	if r.ResourceType != "AuditEvent" {
		return fault.New(fault.Invalid, "traces.fhir.other", "type", traces.Cut(string(r.ResourceType), 64)).At("resourceType")
	}
	b.take(&r, raw, fullURL)
	return nil
}

// xml finds every AuditEvent of a document. A document type is refused; the
// decoder knows no entity but the five of XML.
func (b *batch) xml(message []byte) error {
	doc := traces.Readable(message)
	same := len(doc) == len(message)
	d := xml.NewDecoder(strings.NewReader(doc))
	// Readable made it UTF-8, whatever the first line claims.
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	found, fullURL := 0, text("")
	for {
		before := d.InputOffset()
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && found > 0:
			return nil
		case errors.Is(err, io.EOF):
			return fault.New(fault.Invalid, "traces.fhir.other", "type", "").At("resourceType")
		case err != nil:
			return fault.Wrap(err, fault.Invalid, "traces.fhir.xml")
		}
		switch t := token.(type) {
		case xml.Directive:
			return fault.New(fault.Invalid, "traces.fhir.doctype")
		case xml.StartElement:
			switch t.Name.Local {
			case "fullUrl":
				if err := fullURL.UnmarshalXML(d, t); err != nil {
					return fault.Wrap(err, fault.Invalid, "traces.fhir.xml")
				}
			case "AuditEvent":
				if found++; found > MaxEntries {
					return fault.New(fault.Invalid, "traces.fhir.entries", "max", MaxEntries).At("Bundle.entry")
				}
				var r auditEvent
				if err := d.DecodeElement(&r, &t); err != nil {
					return fault.Wrap(err, fault.Invalid, "traces.fhir.xml")
				}
				raw := message
				if same && !alone(doc[:before]) {
					raw = message[before:d.InputOffset()]
				}
				b.take(&r, raw, string(fullURL))
				fullURL = ""
			}
		}
	}
}

// alone tells from what stands before an event that it is no entry of a Bundle.
func alone(before string) bool {
	head := before[:min(len(before), 4096)]
	return !strings.Contains(head, "<Bundle") && !strings.Contains(head, ":Bundle")
}

func (b *batch) take(r *auditEvent, raw []byte, fullURL string) {
	e := traces.Begin(Name, raw, b.received)
	e.Key = string(r.ID)
	if e.Key == "" {
		e.Key = strings.TrimPrefix(fullURL, "urn:uuid:")
	}
	b.f.fill(&e, r)
	e.Bound(len(raw))
	b.dst = append(b.dst, e)
	b.f.check(r, b.fault)
}
