// Package atna is « L'audit des logiciels de soins »: audit messages of IHE ATNA
// and DICOM (PS3.15 A.5, csd-code) and of RFC 3881 (code).
//
// It promises one walk over the document, no tree of it, and an end in bounded
// time for hostile XML, whose original is kept all the same.
//
// It never resolves an entity, a document type or an address.
package atna

import (
	"errors"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/wire/stamp"
	"tocsin/internal/wire/xmlscan"
)

// Name is the key of the format.
const Name = "atna"

// Format reads audit messages. Its zero value reads times without a zone as UTC.
type Format struct {
	// Zone is that of the source, for times that name none; nil is UTC.
	Zone *time.Location
}

// Fits tells whether a content looks like an audit message.
func Fits(content string) bool {
	return strings.HasPrefix(content, "<") && strings.Contains(content[:min(len(content), 1024)], "AuditMessage")
}

// Describe says what is understood.
func (Format) Describe() traces.Description {
	return traces.Description{
		Name: Name, Standard: "IHE ITI TF-2 3.20 (ATNA), DICOM PS3.15 A.5, RFC 3881",
		Maps: []traces.Mapping{
			{From: "EventIdentification/@EventDateTime", To: "At"},
			{From: "EventIdentification/@EventActionCode, EventID, EventTypeCode", To: "Action"},
			{From: "EventTypeCode, EventID", To: "Verb, Extra event.type, event.subtype (system|code)"},
			{From: "EventIdentification/@EventOutcomeIndicator", To: "Outcome"},
			{From: "EventOutcomeDescription", To: "Message"},
			{From: "PurposeOfUse", To: "Purpose"},
			{From: "ActiveParticipant/@UserID (human requestor)", To: "Account"},
			{From: "ActiveParticipant/@UserName", To: "Person"},
			{From: "ActiveParticipant/RoleIDCode", To: "Function"},
			{From: "ActiveParticipant/@AlternativeUserID", To: "Extra participant.alternative"},
			{From: "ActiveParticipant/@NetworkAccessPointID", To: "Address, Workstation"},
			{From: "ActiveParticipant (110150, 110153…)", To: "Application, Extra participant.*"},
			{From: "AuditSourceIdentification/@AuditSourceID", To: "Application"},
			{From: "AuditSourceIdentification/@AuditEnterpriseSiteID", To: "Site"},
			{From: "ParticipantObject (patient)", To: "IPP, INS, PatientName"},
			{From: "ParticipantObject (encounter)", To: "Stay"},
			{From: "ParticipantObject (report, study, document)", To: "Document"},
			{From: "ParticipantObject/ParticipantObjectQuery", To: "Parameter"},
			{From: "ParticipantObject (other)", To: "Object"},
			{From: "ParticipantObjectDetail, Description", To: "Extra detail.*"},
		},
	}
}

// Parse reads one audit message.
func (f Format) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	if len(message) > traces.MaxRaw {
		return append(dst, traces.Unread(Name, message, received)), fault.New(fault.Invalid, "traces.atna.long")
	}
	r := reader{zone: f.Zone, e: traces.Begin(Name, message, received)}
	r.x.Reset(traces.Readable(message))
	if err := r.read(); err != nil {
		return append(dst, traces.Unread(Name, message, received)), problem(err)
	}
	r.settle()
	r.e.Bound(len(message))
	dst = append(dst, r.e)
	if !r.identified {
		return dst, fault.New(fault.Invalid, "traces.atna.no_event").At("EventIdentification")
	}
	if r.e.AtGuessed {
		return dst, fault.New(fault.Invalid, "traces.atna.no_time").At("EventDateTime")
	}
	return dst, nil
}

var errOther = errors.New("no audit message")

func problem(err error) error {
	switch {
	case errors.Is(err, errOther):
		return fault.New(fault.Invalid, "traces.atna.other")
	case errors.Is(err, xmlscan.ErrDoctype):
		return fault.Wrap(err, fault.Invalid, "traces.atna.doctype")
	case errors.Is(err, xmlscan.ErrDeep):
		return fault.Wrap(err, fault.Invalid, "traces.atna.deep")
	case errors.Is(err, xmlscan.ErrCut):
		return fault.Wrap(err, fault.Invalid, "traces.atna.cut")
	}
	return fault.Wrap(err, fault.Invalid, "traces.atna.xml")
}

// code is a coded value: csd-code of DICOM or code of RFC 3881, and its words.
type code struct{ value, system, words string }

func readCode(x *xmlscan.Scanner) code {
	c := code{value: x.Attr("csd-code"), system: x.Attr("codeSystemName"), words: x.Attr("originalText")}
	if c.value == "" {
		c.value = x.Attr("code")
	}
	if shown := x.Attr("displayName"); shown != "" && c.words == "" {
		c.words = shown
	}
	return c
}

// said gives the words, or the code when there are none.
func (c code) said() string {
	if c.words != "" {
		return c.words
	}
	return c.value
}

// full is the system and the code, as a search of FHIR names them.
func (c code) full() string {
	if c.value == "" {
		return ""
	}
	return c.system + "|" + c.value
}

// reader is one message on its way into an event.
type reader struct {
	x          xmlscan.Scanner
	zone       *time.Location
	e          traces.Event
	identified bool
	action     byte
	id, kind   code
	best       participant // who did it, by what is known so far
	score      int
	met        bool
	from       participant // the program or machine it was done with
}

func (r *reader) read() error {
	x := &r.x
	if x.Next() != xmlscan.Start || x.Name() != "AuditMessage" {
		if err := x.Err(); err != nil {
			return err
		}
		return errOther
	}
	for k := x.Next(); k != xmlscan.Done; k = x.Next() {
		if k != xmlscan.Start {
			continue
		}
		switch x.Name() {
		case "EventIdentification":
			r.event()
		case "ActiveParticipant":
			r.participant()
		case "AuditSourceIdentification":
			r.source()
		case "ParticipantObjectIdentification":
			r.object()
		default:
			x.Skip()
		}
	}
	return x.Err()
}

// children calls do on each element inside the one that has just started.
func (r *reader) children(do func(name string)) {
	x := &r.x
	for depth := x.Depth(); ; {
		switch x.Next() {
		case xmlscan.Done:
			return
		case xmlscan.Start:
			inside := x.Depth()
			do(x.Name())
			for x.Depth() >= inside {
				if x.Next() == xmlscan.Done {
					return
				}
			}
		case xmlscan.End:
			if x.Depth() < depth {
				return
			}
		}
	}
}

func (r *reader) event() {
	x, e := &r.x, &r.e
	r.identified = true
	for _, a := range x.Attrs() {
		switch a.Name {
		case "EventActionCode":
			if a.Value != "" {
				r.action = a.Value[0]
			}
		case "EventDateTime":
			if at, ok := stamp.Parse(a.Value, r.zone); ok {
				e.Happened(at)
			} else {
				e.Add("event.time", a.Value)
			}
		case "EventOutcomeIndicator":
			r.outcome(a.Value)
		}
	}
	r.children(func(name string) {
		switch name {
		case "EventID":
			r.id = readCode(x)
		case "EventTypeCode":
			if c := readCode(x); r.kind == (code{}) {
				r.kind = c
			} else {
				e.Add("event.subtype", c.full())
			}
		case "EventOutcomeDescription":
			e.Message = x.Content()
		case "PurposeOfUse":
			c := readCode(x)
			e.Fill(&e.Purpose, "purpose", c.said())
			if c.value == "BTG" {
				e.Action = traces.BreakGlass
			}
		}
	})
}

func (r *reader) outcome(indicator string) {
	switch indicator {
	case "0":
		r.e.Outcome = traces.Success
	case "4", "8", "12":
		r.e.Outcome = traces.Failure
		r.e.Add("event.outcome", indicator)
	default:
		r.e.Add("event.outcome", indicator)
	}
}

func (r *reader) source() {
	x, e := &r.x, &r.e
	for _, a := range x.Attrs() {
		switch a.Name {
		case "AuditSourceID":
			e.Fill(&e.Application, "source", a.Value)
		case "AuditEnterpriseSiteID":
			e.Fill(&e.Site, "site", a.Value)
		case "code", "csd-code":
			e.Add("source.type", a.Value)
		}
	}
	r.children(func(name string) {
		if name == "AuditSourceTypeCode" {
			e.Add("source.type", readCode(x).said())
		}
	})
}

// settle fills what only the whole message tells.
func (r *reader) settle() {
	e := &r.e
	e.Add("event.type", r.id.full())
	e.Add("event.subtype", r.kind.full())
	e.Verb = r.kind.said()
	switch {
	case e.Verb == "":
		e.Verb = r.id.said()
	case r.kind.words != "" && strings.HasPrefix(r.kind.value, "ITI-"):
		e.Verb = r.kind.value + " " + r.kind.words
	}
	if e.Action == traces.Unsaid {
		e.Action = actionOf(r.id.value, r.kind.value, r.action)
	}
	if e.Action == traces.Login && e.Outcome == traces.Failure {
		e.Outcome = traces.Denied
	}
	r.people()
}

// actionOf reads the event (DCM, PS3.16 CID 400 and 401), then the letter.
func actionOf(id, kind string, letter byte) traces.Action {
	switch kind {
	case "110120", "110124", "110134":
		return traces.Start
	case "110121", "110125", "110133":
		return traces.Stop
	case "110122", "110126":
		return traces.Login
	case "110123":
		return traces.Logout
	case "110127":
		return traces.BreakGlass
	case "110128", "110129", "110130", "110131", "110135", "110136", "110137", "110140", "110141":
		return traces.Configure
	}
	switch id {
	case "110102", "110104":
		return traces.Send
	case "110105":
		return traces.Delete
	case "110106":
		return traces.Export
	case "110107":
		return traces.Receive
	case "110112":
		return traces.Search
	case "110101":
		return traces.Read
	}
	switch letter {
	case 'C':
		return traces.Create
	case 'R':
		return traces.Read
	case 'U':
		return traces.Update
	case 'D':
		return traces.Delete
	case 'E':
		return traces.Execute
	}
	return traces.Unsaid
}
