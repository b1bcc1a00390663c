package terms

import "tocsin/internal/traces"

// Column is a text of an event with the column that keeps it.
type Column struct {
	Name  string
	Field traces.Field
	Of    func(*traces.Event) *string
}

// Columns are the texts of an event in the order of the tables. Names of columns
// come from here and nowhere else.
func Columns() []Column { return columns[:] }

var columns = [...]Column{
	{"collector", traces.FieldCollector, func(e *traces.Event) *string { return &e.Collector }},
	{"account", traces.FieldAccount, func(e *traces.Event) *string { return &e.Account }},
	{"person", traces.FieldPerson, func(e *traces.Event) *string { return &e.Person }},
	{"func", traces.FieldFunction, func(e *traces.Event) *string { return &e.Function }},
	{"delegate", traces.FieldDelegate, func(e *traces.Event) *string { return &e.Delegate }},
	{"verb", traces.FieldVerb, func(e *traces.Event) *string { return &e.Verb }},
	{"patient_name", traces.FieldPatientName, func(e *traces.Event) *string { return &e.PatientName }},
	{"stay", traces.FieldStay, func(e *traces.Event) *string { return &e.Stay }},
	{"document", traces.FieldDocument, func(e *traces.Event) *string { return &e.Document }},
	{"object", traces.FieldObject, func(e *traces.Event) *string { return &e.Object }},
	{"parameter", traces.FieldParameter, func(e *traces.Event) *string { return &e.Parameter }},
	{"device", traces.FieldDevice, func(e *traces.Event) *string { return &e.Device }},
	{"application", traces.FieldApplication, func(e *traces.Event) *string { return &e.Application }},
	{"workstation", traces.FieldWorkstation, func(e *traces.Event) *string { return &e.Workstation }},
	{"address", traces.FieldAddress, func(e *traces.Event) *string { return &e.Address }},
	{"site", traces.FieldSite, func(e *traces.Event) *string { return &e.Site }},
	{"service", traces.FieldService, func(e *traces.Event) *string { return &e.Service }},
	{"purpose", traces.FieldPurpose, func(e *traces.Event) *string { return &e.Purpose }},
	{"relation", traces.FieldRelation, func(e *traces.Event) *string { return &e.Relation }},
	{"message", traces.FieldMessage, func(e *traces.Event) *string { return &e.Message }},
}

// Tidy makes of an event one that the base keeps.
func Tidy(e *traces.Event) {
	for _, c := range columns {
		if s := c.Of(e); *s != "" {
			*s = Clean(*s)
		}
	}
	e.IPP, e.INS, e.Key = Clean(e.IPP), Clean(e.INS), Clean(e.Key)
	if !e.Action.Known() {
		e.Action = traces.Unsaid
	}
	if e.Outcome > traces.Denied {
		e.Outcome = traces.OutcomeUnsaid
	}
	if e.Class > traces.Biomedical {
		e.Class = traces.System
	}
	if e.Severity < 0 || e.Severity > 7 {
		e.Severity = -1
	}
}
