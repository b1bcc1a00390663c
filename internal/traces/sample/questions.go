package sample

import (
	"strings"
	"time"

	"tocsin/internal/traces"
)

// Named is a question of the bars of `tocsin bench traces`.
type Named struct {
	Name string
	traces.Question
}

// Questions are those of the bars, about an event of the base that names a
// patient and an account, between two times in UTC microseconds.
func Questions(from, to int64, one *traces.Event) []Named {
	q := traces.Question{From: from, To: to, Zone: "Europe/Paris", Limit: 100}
	half := int64(time.Hour/time.Microsecond) / 2
	patient, person, top, distinct, text, hours := q, q, q, q, q, q
	patient.Where = []traces.Condition{{Field: traces.FieldPatient, Op: traces.Is, Values: []string{one.IPP}}}
	person.Where = []traces.Condition{{Field: traces.FieldAccount, Op: traces.Is, Values: []string{one.Account}}}
	person.From, person.To = one.At-half, one.At+half
	top.Group, top.Limit = []traces.Field{traces.FieldAccount}, 10
	distinct.Group, distinct.Distinct, distinct.Limit = []traces.Field{traces.FieldAccount}, traces.FieldPatient, 10
	text.Text = strings.ToLower(one.PatientName)
	hours.Group, hours.Limit = []traces.Field{traces.FieldHour}, 1000
	return []Named{
		{"patient_last100", patient},
		{"person_hour", person},
		{"top10", top},
		{"distinct_patients", distinct},
		{"text", text},
		{"by_hour", hours},
		{"last100", q},
	}
}
