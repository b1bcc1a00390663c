package traces

import (
	"slices"

	"tocsin/internal/fault"
)

// Field names something that can be asked of events. The values travel in
// addresses of pages and in saved questions.
type Field string

// The fields. Person, PatientName, Message and Extra are as the source wrote.
const (
	FieldSource      Field = "source" // the id of the source
	FieldCollector   Field = "format"
	FieldClass       Field = "class"
	FieldAccount     Field = "account"
	FieldPerson      Field = "person"
	FieldFunction    Field = "function"
	FieldDelegate    Field = "delegate"
	FieldAction      Field = "action"
	FieldVerb        Field = "verb"
	FieldPatient     Field = "patient" // an IPP or an INS: either finds the one patient
	FieldPatientName Field = "patient_name"
	FieldStay        Field = "stay"
	FieldDocument    Field = "document"
	FieldObject      Field = "object"
	FieldParameter   Field = "parameter"
	FieldDevice      Field = "device"
	FieldApplication Field = "application"
	FieldWorkstation Field = "workstation"
	FieldAddress     Field = "address"
	FieldSite        Field = "site"
	FieldService     Field = "service"
	FieldPurpose     Field = "purpose"
	FieldRelation    Field = "relation"
	FieldOutcome     Field = "outcome"
	FieldSeverity    Field = "severity"
	FieldMessage     Field = "message"

	// What is made of the time of the event, in the zone of the question.
	FieldHour      Field = "hour"        // "2026-11-30T14"
	FieldDay       Field = "day"         // "2026-11-30"
	FieldWeekday   Field = "weekday"     // "1" Monday to "7" Sunday
	FieldHourOfDay Field = "hour_of_day" // "00" to "23"
)

// Fields lists what can be asked, in the order of the model.
func Fields() []Field {
	return []Field{
		FieldAccount, FieldPerson, FieldFunction, FieldDelegate, FieldAction, FieldVerb,
		FieldPatient, FieldPatientName, FieldStay, FieldDocument, FieldObject, FieldParameter, FieldDevice,
		FieldApplication, FieldWorkstation, FieldAddress, FieldSite, FieldService, FieldPurpose, FieldRelation,
		FieldOutcome, FieldSeverity, FieldMessage, FieldSource, FieldCollector, FieldClass,
		FieldHour, FieldDay, FieldWeekday, FieldHourOfDay,
	}
}

// Known tells whether it is one of Fields.
func (f Field) Known() bool { return slices.Contains(Fields(), f) }

// Op compares a field with values.
type Op string

// The comparisons. Texts are compared without regard to case; accents count.
const (
	Is       Op = "is"       // one of the values
	IsNot    Op = "is_not"   // none of the values
	Contains Op = "contains" // one of the values is inside
	Begins   Op = "begins"   // begins with one of the values
	Empty    Op = "empty"    // the source did not say; no values
	NotEmpty Op = "not_empty"
)

// Condition is one demand on events.
type Condition struct {
	Field  Field    `json:"field"`
	Op     Op       `json:"op"`
	Values []string `json:"values,omitempty"`
}

// Question is what is asked of the base: a small tree of typed values that each
// engine compiles. All conditions hold together. Its zero value is not valid.
type Question struct {
	// From and To bound the time of events, UTC microseconds, To excluded.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Zone is the IANA zone in which hours and days are counted.
	Zone  string      `json:"zone"`
	Where []Condition `json:"where,omitempty"`
	// Text is words that must all stand somewhere in the event: in a field, in
	// the message or in what the model has no place for. No regard to case.
	Text string `json:"text,omitempty"`
	// Group counts instead of listing: one line for each set of values.
	Group []Field `json:"group,omitempty"`
	// Distinct counts the different values of a field instead of events.
	Distinct Field `json:"distinct,omitempty"`
	// Oldest lists the oldest first, or the smallest count first.
	Oldest bool `json:"oldest,omitempty"`
	// Limit bounds the lines of the answer, 1 to MaxLimit; Skip passes the first.
	Limit int `json:"limit"`
	Skip  int `json:"skip,omitempty"`
}

// Bounds of a question.
const (
	MaxLimit      = 10000
	MaxSkip       = 1000000
	MaxConditions = 30
	MaxValues     = 500
	MaxGroup      = 4
	MaxWords      = 10
	MaxSpan       = 10 * 366 * 24 * 3600 * 1000000 // ten years, µs
)

// Check tells what is wrong with a question. Errors: Invalid, naming the part.
func (q *Question) Check() error {
	switch {
	case q.From >= q.To || q.To-q.From > MaxSpan:
		return fault.New(fault.Invalid, "traces.error.period").At("from")
	case q.Limit < 1 || q.Limit > MaxLimit || q.Skip < 0 || q.Skip > MaxSkip:
		return fault.New(fault.Invalid, "traces.error.limit", "max", MaxLimit).At("limit")
	case len(q.Where) > MaxConditions || len(q.Group) > MaxGroup || len(words(q.Text)) > MaxWords || len(q.Text) > MaxText:
		return fault.New(fault.Invalid, "traces.error.too_wide").At("where")
	case q.Distinct != "" && !q.Distinct.Known():
		return fault.New(fault.Invalid, "traces.error.field", "field", string(q.Distinct)).At("distinct")
	}
	if _, err := zone(q.Zone); err != nil {
		return err
	}
	for _, f := range q.Group {
		if !f.Known() {
			return fault.New(fault.Invalid, "traces.error.field", "field", string(f)).At("group")
		}
	}
	for _, c := range q.Where {
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Condition) check() error {
	if !c.Field.Known() {
		return fault.New(fault.Invalid, "traces.error.field", "field", string(c.Field)).At("where")
	}
	switch c.Op {
	case Is, IsNot, Contains, Begins:
		if len(c.Values) == 0 || len(c.Values) > MaxValues {
			return fault.New(fault.Invalid, "traces.error.values", "field", string(c.Field), "max", MaxValues).At("where")
		}
	case Empty, NotEmpty:
		if len(c.Values) > 0 {
			return fault.New(fault.Invalid, "traces.error.no_values", "field", string(c.Field)).At("where")
		}
	default:
		return fault.New(fault.Invalid, "traces.error.op", "op", string(c.Op)).At("where")
	}
	return nil
}
