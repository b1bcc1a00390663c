package fhir

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// Systems of codes that are written.
const (
	dcm        = "http://dicom.nema.org/resources/ontology/DCM"
	objectType = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	objectRole = "http://terminology.hl7.org/CodeSystem/object-role"
	insSystem  = "urn:oid:1.2.250.1.213.1.4.8"
)

// ID gives the id of a resource for a place in the base: as it is when it fits
// the rule of FHIR (letters, digits, "-" and ".", 64 at most), in hexadecimal
// otherwise. Ref is the way back.
func ID(ref string) string {
	if fitsID(ref) && !strings.HasPrefix(ref, "x.") {
		return ref
	}
	return "x." + hex.EncodeToString([]byte(ref))
}

// Ref gives the place in the base that ID named.
func Ref(id string) string {
	if digits, ok := strings.CutPrefix(id, "x."); ok {
		if ref, err := hex.DecodeString(digits); err == nil {
			return string(ref)
		}
	}
	return id
}

func fitsID(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.':
		default:
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// Resource writes an event as an AuditEvent, in JSON, whatever format it came
// by. What FHIR has no place for becomes details of an entity.
func Resource(e *traces.Stored) ([]byte, error) { return json.Marshal(resourceOf(e)) }

func resourceOf(e *traces.Stored) *auditEvent {
	r := &auditEvent{
		ResourceType: "AuditEvent", ID: text(ID(e.Ref)), Meta: &meta{Profile: []text{Profile}},
		Recorded: instant(e.Received), Period: &period{Start: instant(e.At)},
		OutcomeDesc: text(e.Message), Action: letterOf(e.Action), Outcome: outcomeOf(e.Outcome),
	}
	typed(r, e)
	if e.Purpose != "" {
		r.Purpose = []concept{{Text: text(e.Purpose)}}
	}
	r.Agent = agentsOf(e)
	observer := e.Application
	if observer == "" {
		observer = e.Source.String()
	}
	r.Source = &source{Site: text(e.Site), Observer: &reference{Type: "Device", Display: text(observer), Identifier: &identifier{System: "urn:ietf:rfc:3986", Value: text("urn:uuid:" + e.Source.String())}}}
	r.Entity = entitiesOf(e)
	return r
}

func instant(at int64) text {
	return text(time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.000000Z"))
}

func letterOf(a traces.Action) text {
	switch a {
	case traces.Unsaid:
		return ""
	case traces.Create:
		return "C"
	case traces.Read, traces.Print, traces.Export:
		return "R"
	case traces.Update, traces.Sign:
		return "U"
	case traces.Delete:
		return "D"
	}
	return "E"
}

func outcomeOf(o traces.Outcome) text {
	switch o {
	case traces.Success:
		return "0"
	case traces.Failure:
		return "4"
	case traces.Denied:
		return "8"
	}
	return ""
}

// typed writes the type and the subtype: those that were said, or those of
// DICOM for the action.
func typed(r *auditEvent, e *traces.Stored) {
	r.Type = &coding{System: dcm, Code: "110100", Display: "Application Activity"}
	sub := coding{}
	switch e.Action {
	case traces.Login:
		r.Type, sub = &coding{System: dcm, Code: "110114", Display: "User Authentication"}, coding{System: dcm, Code: "110122", Display: "Login"}
	case traces.Logout:
		r.Type, sub = &coding{System: dcm, Code: "110114", Display: "User Authentication"}, coding{System: dcm, Code: "110123", Display: "Logout"}
	case traces.BreakGlass:
		r.Type, sub = &coding{System: dcm, Code: "110113", Display: "Security Alert"}, coding{System: dcm, Code: "110127", Display: "Emergency Override Started"}
	case traces.Configure:
		r.Type = &coding{System: dcm, Code: "110113", Display: "Security Alert"}
	case traces.Search:
		r.Type = &coding{System: dcm, Code: "110112", Display: "Query"}
	case traces.Export:
		r.Type = &coding{System: dcm, Code: "110106", Display: "Export"}
	case traces.Receive:
		r.Type = &coding{System: dcm, Code: "110107", Display: "Import"}
	default:
		if e.Class == traces.PatientAccess {
			r.Type = &coding{System: dcm, Code: "110110", Display: "Patient Record"}
		}
	}
	for _, p := range e.Extra {
		system, code, ok := strings.Cut(p.Value, "|")
		switch {
		case !ok:
		case p.Name == "event.type":
			r.Type = &coding{System: text(system), Code: text(code)}
		case p.Name == "event.subtype" && sub.Code == "":
			sub = coding{System: text(system), Code: text(code)}
		}
	}
	if e.Verb != "" && sub.Display == "" {
		sub.Display = text(e.Verb)
	}
	if sub != (coding{}) {
		r.Subtype = []coding{sub}
	}
}

func agentsOf(e *traces.Stored) []agent {
	account := e.Account
	if account == "" {
		account = e.Person
	}
	if account == "" {
		account = "inconnu"
	}
	a := agent{
		Who:   &reference{Identifier: &identifier{Value: text(account)}, Display: text(e.Person)},
		AltID: text(e.Account), Name: text(e.Person), Requestor: truth{true, true},
	}
	if e.Function != "" {
		a.Role = []concept{{Text: text(e.Function)}}
	}
	if e.Service != "" {
		a.Location = &reference{Display: text(e.Service)}
	}
	switch {
	case e.Address != "":
		a.Network = &network{Address: text(e.Address), Type: "2"}
	case e.Workstation != "":
		a.Network = &network{Address: text(e.Workstation), Type: "1"}
	}
	out := []agent{a}
	if e.Delegate != "" {
		out = append(out, agent{Who: &reference{Display: text(e.Delegate)}, Name: text(e.Delegate), Role: []concept{{Text: "delegator"}}, Requestor: truth{Said: true}})
	}
	return out
}

func entitiesOf(e *traces.Stored) []entity {
	var out []entity
	patient := func(id, system string) {
		out = append(out, entity{
			What: &reference{Type: "Patient", Identifier: &identifier{System: text(system), Value: text(id)}, Display: text(e.PatientName)},
			Type: &coding{System: objectType, Code: "1"}, Role: &coding{System: objectRole, Code: "1"},
		})
	}
	other := func(kind, id, role string) {
		o := entity{What: &reference{Type: text(kind), Identifier: &identifier{Value: text(id)}}, Type: &coding{System: objectType, Code: "2"}}
		if role != "" {
			o.Role = &coding{System: objectRole, Code: text(role)}
		}
		out = append(out, o)
	}
	if e.IPP != "" {
		patient(e.IPP, "")
	}
	if e.INS != "" {
		patient(e.INS, insSystem)
	}
	if e.Stay != "" {
		other("Encounter", e.Stay, "")
	}
	if e.Document != "" {
		other("DocumentReference", e.Document, "3")
	}
	if e.Device != "" {
		other("Device", e.Device, "")
	}
	if e.Parameter != "" {
		out = append(out, entity{Query: text(base64.StdEncoding.EncodeToString([]byte(e.Parameter))), Type: &coding{System: objectType, Code: "2"}, Role: &coding{System: objectRole, Code: "24"}})
	}
	if details := detailsOf(e); e.Object != "" || len(details) > 0 {
		out = append(out, entity{Name: text(e.Object), Type: &coding{System: objectType, Code: "4"}, Detail: details})
	}
	return out
}

func detailsOf(e *traces.Stored) []detail {
	var out []detail
	for _, p := range append([]traces.Pair{{Name: "relation", Value: e.Relation}}, e.Extra...) {
		if p.Value != "" && p.Name != "event.type" && p.Name != "event.subtype" {
			out = append(out, detail{Type: text(p.Name), String: text(p.Value)})
		}
	}
	return out
}

type link struct {
	Relation string `json:"relation"`
	URL      string `json:"url"`
}

type entry struct {
	FullURL  string      `json:"fullUrl"`
	Resource *auditEvent `json:"resource"`
	Search   struct {
		Mode string `json:"mode"`
	} `json:"search"`
}

// Bundle writes what a search found. base is the address of the server, self
// that of the search, next that of the page after, "" when there is none.
func Bundle(base, self, next string, total int64, found []traces.Stored) ([]byte, error) {
	b := struct {
		ResourceType string  `json:"resourceType"`
		Type         string  `json:"type"`
		Total        int64   `json:"total"`
		Link         []link  `json:"link"`
		Entry        []entry `json:"entry,omitempty"`
	}{ResourceType: "Bundle", Type: "searchset", Total: total, Link: []link{{"self", self}}}
	if next != "" {
		b.Link = append(b.Link, link{"next", next})
	}
	for i := range found {
		n := entry{FullURL: base + "/AuditEvent/" + ID(found[i].Ref), Resource: resourceOf(&found[i])}
		n.Search.Mode = "match"
		b.Entry = append(b.Entry, n)
	}
	return json.Marshal(b)
}

// Outcome writes an OperationOutcome: one issue for each fault, in the words
// that sentence gives, with the code of FHIR for its kind. Without a fault it
// says that all went well.
func Outcome(faults []*fault.Error, sentence func(*fault.Error) string) ([]byte, error) {
	type issue struct {
		Severity    string   `json:"severity"`
		Code        string   `json:"code"`
		Diagnostics string   `json:"diagnostics,omitempty"`
		Expression  []string `json:"expression,omitempty"`
	}
	o := struct {
		ResourceType string  `json:"resourceType"`
		Issue        []issue `json:"issue"`
	}{ResourceType: "OperationOutcome"}
	for _, f := range faults {
		i := issue{Severity: "error", Code: issueCode(f), Diagnostics: sentence(f)}
		if f.Field != "" {
			i.Expression = []string{f.Field}
		}
		o.Issue = append(o.Issue, i)
	}
	if len(o.Issue) == 0 {
		o.Issue = []issue{{Severity: "information", Code: "informational"}}
	}
	return json.Marshal(o)
}

// issueCode gives the code of http://hl7.org/fhir/issue-type.
func issueCode(f *fault.Error) string {
	switch f.Key {
	case "traces.fhir.missing", "traces.fhir.date_needed":
		return "required"
	case "traces.fhir.value", "traces.fhir.search_value", "traces.fhir.search_date":
		return "value"
	case "traces.fhir.many", "traces.fhir.name_or_query":
		return "invariant"
	case "traces.fhir.search_unknown", "traces.fhir.search_modifier", "traces.fhir.search_several", "traces.fhir.only_json":
		return "not-supported"
	case "traces.fhir.long", "traces.fhir.entries":
		return "too-long"
	case "traces.consumer.slow":
		return "too-costly"
	}
	switch f.Kind {
	case fault.Denied:
		return "forbidden"
	case fault.Unauthenticated:
		return "login"
	case fault.NotFound:
		return "not-found"
	case fault.TooMany:
		return "throttled"
	case fault.Unavailable:
		return "transient"
	case fault.Internal:
		return "exception"
	case fault.Conflict:
		return "conflict"
	}
	return "invalid"
}
