package fhir

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"tocsin/internal/traces"
	"tocsin/internal/wire/stamp"
)

// fill puts a resource into the model.
func (f Format) fill(e *traces.Event, r *auditEvent) {
	f.when(e, r)
	e.Message = string(r.OutcomeDesc)
	f.what(e, r)
	for _, p := range r.Purpose {
		e.Fill(&e.Purpose, "purpose", p.said())
		if p.has("BTG") {
			e.Action = traces.BreakGlass
		}
	}
	who(e, r.Agent)
	if s := r.Source; s != nil {
		e.Site = string(s.Site)
		if s.Observer != nil {
			e.Application = said(s.Observer)
			if id := s.Observer.id(); id != e.Application {
				e.Add("source.observer", id)
			}
		}
		for _, t := range s.Type {
			e.Add("source.type", t.said())
		}
	}
	for i := range r.Entity {
		object(e, &r.Entity[i])
	}
	if e.Action == traces.Login && e.Outcome == traces.Failure {
		e.Outcome = traces.Denied
	}
}

func (f Format) when(e *traces.Event, r *auditEvent) {
	recorded, dated := stamp.Parse(string(r.Recorded), f.Zone)
	if dated {
		e.Happened(recorded)
	}
	if r.Period == nil {
		return
	}
	if at, ok := stamp.Parse(string(r.Period.Start), f.Zone); ok {
		e.Happened(at)
		if dated && at != recorded {
			e.Add("recorded", string(r.Recorded))
		}
	}
	e.Add("period.end", string(r.Period.End))
}

func (f Format) what(e *traces.Event, r *auditEvent) {
	switch r.Outcome {
	case "0":
		e.Outcome = traces.Success
	case "4", "8", "12":
		e.Outcome = traces.Failure
		e.Add("outcome", string(r.Outcome))
	default:
		e.Add("outcome", string(r.Outcome))
	}
	if r.Type != nil {
		e.Verb = r.Type.said()
		e.Action = actionOf(r.Type.Code)
		e.Add("event.type", r.Type.full())
	}
	for i, s := range r.Subtype {
		if i == 0 && s.said() != "" {
			e.Verb = s.said()
		}
		if a := actionOf(s.Code); a != traces.Unsaid {
			e.Action = a
		}
		e.Add("event.subtype", s.full())
	}
	letter := traces.Unsaid
	if len(r.Action) == 1 {
		letter = traces.ActionOf(string(r.Action))
	}
	// "operation" says less than the letter; the letter E says less than "search".
	if e.Action == traces.Unsaid || e.Action == traces.Execute && letter != traces.Unsaid {
		e.Action = letter
	}
}

// actionOf reads codes of DICOM (DCM), of RESTful interactions and of the
// ISO 21089 lifecycle; what they do not tell is Unsaid.
func actionOf(code text) traces.Action {
	switch code {
	case "110122", "110126", "login":
		return traces.Login
	case "110123", "logout":
		return traces.Logout
	case "110127":
		return traces.BreakGlass
	case "110120", "110124", "110134":
		return traces.Start
	case "110121", "110125", "110133":
		return traces.Stop
	case "110128", "110129", "110130", "110131", "110135", "110136", "110137":
		return traces.Configure
	case "110102", "110104", "transmit":
		return traces.Send
	case "110105", "delete", "destroy":
		return traces.Delete
	case "110106", "disclose":
		return traces.Export
	case "110107", "receive":
		return traces.Receive
	case "110112", "search", "search-type", "search-system":
		return traces.Search
	case "read", "vread", "history", "history-instance", "history-type", "access", "110101":
		return traces.Read
	case "create", "originate":
		return traces.Create
	case "update", "patch", "amend":
		return traces.Update
	case "operation", "transaction", "batch":
		return traces.Execute
	case "attest", "verify":
		return traces.Sign
	}
	return traces.Unsaid
}

// said gives the words of a reference, or what it refers to.
func said(r *reference) string {
	if r.Display != "" {
		return string(r.Display)
	}
	return r.id()
}

// who tells the one who did it from programs and machines: who asked, and is
// neither source nor destination (DCM 110150 to 110155), comes first.
func who(e *traces.Event, agents []agent) {
	best, most := -1, -1
	for i, a := range agents {
		score := 1
		switch {
		case a.is("110152", "110154", "110155"):
			score = 0
		case a.is("110150", "110153"):
		default:
			score += 4
		}
		if a.Requestor.True {
			score += 2
		}
		if score > most {
			best, most = i, score
		}
	}
	for i := range agents {
		if i == best {
			agents[i].did(e)
		} else {
			agents[i].beside(e)
		}
	}
}

func (a *agent) is(codes ...text) bool {
	if a.Type != nil && a.Type.has(codes...) {
		return true
	}
	for _, r := range a.Role {
		if r.has(codes...) {
			return true
		}
	}
	return false
}

func (a *agent) did(e *traces.Event) {
	e.Account, e.Person = string(a.AltID), string(a.Name)
	if a.Who != nil {
		e.Fill(&e.Account, "agent.identifier", a.Who.id())
		e.Fill(&e.Person, "agent.display", string(a.Who.Display))
		e.Add("agent.system", a.Who.system())
	}
	for _, r := range a.Role {
		e.Fill(&e.Function, "agent.role", r.said())
	}
	if a.Type != nil {
		e.Add("agent.type", a.Type.said())
	}
	if a.Location != nil {
		e.Service = said(a.Location)
	}
	a.point(e)
	for _, p := range a.PurposeUse {
		e.Fill(&e.Purpose, "purpose", p.said())
		if p.has("BTG") {
			e.Action = traces.BreakGlass
		}
	}
}

func (a *agent) point(e *traces.Event) {
	if a.Network == nil {
		return
	}
	switch a.Network.Type {
	case "1":
		e.Fill(&e.Workstation, "agent.network", string(a.Network.Address))
	case "2":
		e.Fill(&e.Address, "agent.network", string(a.Network.Address))
	default:
		e.Add("agent.network", string(a.Network.Address))
	}
}

func (a *agent) beside(e *traces.Event) {
	name := "agent"
	switch {
	case a.is("110152"):
		name = "agent.destination"
	case a.is("110153"):
		name = "agent.source"
	case a.is("110150"):
		name = "agent.application"
	}
	e.Add(name, string(a.AltID))
	if a.Who != nil {
		if id := a.Who.id(); id != string(a.AltID) {
			e.Add(name, id)
		}
		e.Add(name+".name", string(a.Who.Display))
	}
	e.Add(name+".name", string(a.Name))
	for _, r := range a.Role {
		e.Add(name+".role", r.said())
	}
	if a.Network != nil {
		e.Add(name+".network", string(a.Network.Address))
	}
}

// object puts an entity where the model has a place for it.
func object(e *traces.Event, o *entity) {
	kind, id, system, role := "", "", "", text("")
	words := string(o.Name)
	if o.What != nil {
		kind, id, system = o.What.kind(), o.What.id(), o.What.system()
		if words == "" {
			words = string(o.What.Display)
		}
	}
	if o.Role != nil {
		role = o.Role.Code
	}
	switch {
	case o.Query != "":
		e.Fill(&e.Parameter, "parameter", decoded(string(o.Query)))
		e.Fill(&e.Object, "object", words)
		e.Add("entity.id", id)
	case kind == "Patient", kind == "" && role == "1":
		e.Patient(id, system)
		e.Fill(&e.PatientName, "patient_name", words)
	case kind == "Encounter", kind == "EpisodeOfCare":
		e.Fill(&e.Stay, "stay", id)
	case kind == "Device", kind == "DeviceMetric":
		e.Fill(&e.Device, "device", id)
		e.Add("device.name", words)
	case kind == "DocumentReference", kind == "DocumentManifest", kind == "DiagnosticReport", kind == "Composition", kind == "ImagingStudy", kind == "Binary", kind == "Media", role == "3":
		e.Fill(&e.Document, "document", id)
		e.Fill(&e.Object, "object", words)
	default:
		if words == "" {
			words = string(strings.TrimPrefix(kind+"/"+id, "/"))
		} else {
			e.Add("entity.id", id)
		}
		e.Fill(&e.Object, "object", strings.TrimSuffix(words, "/"))
	}
	if o.Type != nil {
		e.Add("entity.type", o.Type.full())
	}
	if role != "" {
		e.Add("entity.role", o.Role.full())
	}
	if o.Lifecycle != nil {
		e.Add("entity.lifecycle", o.Lifecycle.full())
		if c := o.Lifecycle.Code; (c == "10" || c == "11") && e.Action == traces.Read {
			e.Action = traces.Export
		}
	}
	e.Add("detail.description", string(o.Description))
	for _, d := range o.Detail {
		value := string(d.String)
		if d.Base64 != "" {
			value = decoded(string(d.Base64))
		}
		e.Add("detail."+string(d.Type), value)
	}
}

// decoded gives what base64 hides when it is text, and the value otherwise.
func decoded(value string) string {
	b, err := base64.StdEncoding.DecodeString(value)
	if err != nil || !utf8.Valid(b) || strings.IndexByte(string(b), 0) >= 0 {
		return value
	}
	return string(b)
}
