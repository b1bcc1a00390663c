package atna

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"tocsin/internal/traces"
	"tocsin/internal/wire/xmlscan"
)

// participant is one who took part: a person, a program or a machine.
type participant struct {
	id, alternative, name string
	role                  code
	point, pointKind      string
	requestor             bool
}

func (r *reader) participant() {
	x := &r.x
	var p participant
	for _, a := range x.Attrs() {
		switch a.Name {
		case "UserID":
			p.id = a.Value
		case "AlternativeUserID":
			p.alternative = a.Value
		case "UserName":
			p.name = a.Value
		case "UserIsRequestor":
			p.requestor = a.Value == "true" || a.Value == "1"
		case "NetworkAccessPointID":
			p.point = a.Value
		case "NetworkAccessPointTypeCode":
			p.pointKind = a.Value
		}
	}
	r.children(func(name string) {
		switch name {
		case "RoleIDCode":
			if c := readCode(x); p.role == (code{}) {
				p.role = c
			} else {
				r.e.Add("participant.role", c.said())
			}
		case "MediaIdentifier":
			r.children(func(string) { r.e.Add("participant.media", readCode(x).said()) })
		}
	})
	r.place(p)
}

// place tells who did it from what it was done with: who asked, and is no
// program nor machine by his role (DCM 110150 to 110155), comes first.
func (r *reader) place(p participant) {
	score := 1
	switch p.role.value {
	case "110150", "110153":
	case "110152", "110154", "110155":
		score = 0
	default:
		score += 4
	}
	if p.requestor {
		score += 2
	}
	if score <= r.score && r.met {
		r.beside(p)
		return
	}
	if r.met {
		r.beside(r.best)
	}
	r.best, r.score, r.met = p, score, true
}

// beside keeps a participant who is not the one who did it.
func (r *reader) beside(p participant) {
	name := "participant"
	switch p.role.value {
	case "110150":
		name = "participant.application"
	case "110151":
		name = "participant.launcher"
	case "110152":
		name = "participant.destination"
	case "110153":
		name = "participant.source"
	case "110154", "110155":
		name = "participant.media"
	}
	r.e.Add(name, p.id)
	if p.name != p.id {
		r.e.Add(name+".name", p.name)
	}
	r.e.Add(name+".alternative", p.alternative)
	r.e.Add(name+".point", p.point)
	if p.role.value == "110150" || p.role.value == "110153" {
		r.from = p
	}
}

// people fills who, and with what.
func (r *reader) people() {
	e, p := &r.e, r.best
	e.Account, e.Person = p.id, p.name
	switch p.role.value {
	case "110150", "110151", "110152", "110153", "110154", "110155":
		e.Add("participant.role", p.role.said())
	default:
		e.Function = p.role.said()
	}
	e.Add("participant.alternative", p.alternative)
	r.point(p)
	if p.point == "" {
		r.point(r.from)
	}
	if e.Application == "" {
		e.Application = r.from.id
	}
}

func (r *reader) point(p participant) {
	switch p.pointKind {
	case "2":
		r.e.Address = p.point
	case "1":
		r.e.Workstation = p.point
	default:
		r.e.Add("participant.point", p.point)
	}
}

// thing is one object of the event.
type thing struct{ id, kind, role, cycle, sensitivity, name, query string }

func (r *reader) object() {
	x, e := &r.x, &r.e
	var o thing
	for _, a := range x.Attrs() {
		switch a.Name {
		case "ParticipantObjectID":
			o.id = a.Value
		case "ParticipantObjectTypeCode":
			o.kind = a.Value
		case "ParticipantObjectTypeCodeRole":
			o.role = a.Value
		case "ParticipantObjectDataLifeCycle":
			o.cycle = a.Value
		case "ParticipantObjectSensitivity":
			o.sensitivity = a.Value
		}
	}
	var idKind code
	r.children(func(name string) {
		switch name {
		case "ParticipantObjectIDTypeCode":
			idKind = readCode(x)
		case "ParticipantObjectName":
			o.name = x.Content()
		case "ParticipantObjectQuery":
			o.query = decoded(x.Content())
		case "ParticipantObjectDetail":
			e.Add("detail."+x.Attr("type"), decoded(x.Attr("value")))
		case "ParticipantObjectDescription":
			r.described()
		default:
			r.descriptor(name)
		}
	})
	e.Add("object.sensitivity", o.sensitivity)
	r.cycle(o.cycle)
	r.file(o, idKind)
}

// described reads the words or the elements of a description.
func (r *reader) described() {
	x := &r.x
	for depth := x.Depth(); ; {
		switch x.Next() {
		case xmlscan.Done:
			return
		case xmlscan.Start:
			r.descriptor(x.Name())
		case xmlscan.Text:
			r.e.Add("detail.description", strings.TrimSpace(x.Text()))
		case xmlscan.End:
			if x.Depth() < depth {
				return
			}
		}
	}
}

// descriptor keeps MPPS, Accession, SOPClass… of DICOM, whose values are attributes.
func (r *reader) descriptor(name string) {
	for _, a := range r.x.Attrs() {
		r.e.Add("detail."+name+"."+a.Name, a.Value)
	}
}

// cycle tells what the letter of the event does not: that data left.
func (r *reader) cycle(cycle string) {
	r.e.Add("object.lifecycle", cycle)
	if cycle == "10" || cycle == "11" {
		if a := r.e.Action; a == traces.Unsaid && (r.action == 'R' || r.action == 0) {
			r.e.Action = traces.Export
		}
	}
}

// file puts an object where the model has a place for it.
func (r *reader) file(o thing, idKind code) {
	e := &r.e
	switch {
	case o.role == "1" || o.kind == "1" && (idKind.value == "1" || idKind.value == "2"):
		e.Patient(o.id, "")
		e.Fill(&e.PatientName, "patient_name", o.name)
	case idKind.value == "3":
		e.Fill(&e.Stay, "stay", o.id)
	case o.query != "" || o.role == "24":
		e.Fill(&e.Parameter, "parameter", o.query)
		e.Fill(&e.Object, "object", o.name)
		e.Add("object.id", o.id)
	case idKind.value == "110180" || idKind.value == "9" || o.role == "3":
		e.Fill(&e.Document, "document", o.id)
		e.Fill(&e.Object, "object", o.name)
		e.Add("object.id_type", idKind.said())
	case o.kind == "1":
		e.Add("object.person", o.id)
		e.Add("object.person.name", o.name)
	default:
		said := o.name
		if said == "" {
			said = o.id
		} else {
			e.Add("object.id", o.id)
		}
		e.Fill(&e.Object, "object", said)
	}
}

// decoded gives what base64 hides when it is text, and the value otherwise.
func decoded(value string) string {
	compact := value
	if strings.ContainsAny(value, " \n\r\t") {
		compact = strings.Join(strings.Fields(value), "")
	}
	if len(compact)%4 != 0 || len(compact) == 0 {
		return value
	}
	b, err := base64.StdEncoding.DecodeString(compact)
	if err != nil || !utf8.Valid(b) || strings.IndexFunc(string(b), unreadable) >= 0 {
		return value
	}
	return string(b)
}

func unreadable(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }
