package cases

import (
	"strings"

	"tocsin/internal/i18n"
	"tocsin/internal/traces"
)

// Title names a rule: in the words of the author of a Sigma rule, or in ours.
func (s *Service) Title(loc *i18n.Localizer, rule, title string) string {
	if title != "" {
		return title
	}
	if s.opt.TitleKey != nil {
		if key := s.opt.TitleKey(rule); key != "" && loc.Has(key) {
			return loc.T(key)
		}
	}
	return loc.T("traces.cases.title.unusual")
}

// Said puts a reason in words. One whose sentence the catalogue does not hold, of
// a rule that is gone, is shown by its values.
func Said(loc *i18n.Localizer, e traces.Evidence) string {
	if !loc.Has(e.Key) {
		var values []string
		for name, value := range e.Args {
			values = append(values, name+" "+value)
		}
		return loc.T("traces.cases.reason.gone", "values", strings.Join(values, ", "))
	}
	var pairs []any
	for name, value := range e.Args {
		pairs = append(pairs, name, value)
	}
	return loc.T(e.Key, pairs...)
}

// sentenceReasons is how many reasons a sentence says; the rest are listed.
const sentenceReasons = 3

// Sentence says in one sentence what stands out: who, on what, how many times,
// and why. It names the patient: it is for the sheet, whose look is traced.
func (s *Service) Sentence(loc *i18n.Localizer, sheet Sheet) string {
	who := Who(loc, sheet.Case)
	what := s.Title(loc, sheet.Rule, sheet.Title)
	var why []string
	for _, r := range sheet.Reasons {
		if words := strings.TrimSuffix(Said(loc, r.Evidence), "."); len(why) < sentenceReasons && words != "" {
			why = append(why, words)
		}
	}
	key := "traces.cases.sentence.system"
	args := []any{"who", who, "what", what, "patient", patientWord(sheet.Case)}
	if sheet.Kind == Patient {
		key = "traces.cases.sentence.person"
		if patientWord(sheet.Case) != "" {
			key = "traces.cases.sentence.patient"
		}
	}
	sentence := loc.N(key, int(sheet.Hits), args...)
	if len(why) == 0 {
		return sentence + "."
	}
	return loc.T("traces.cases.sentence.why", "sentence", sentence, "why", strings.Join(why, loc.T("traces.cases.sentence.and")))
}

// Who says who acts, or else where; never a patient.
func Who(loc *i18n.Localizer, c Case) string {
	name := c.Account
	switch {
	case c.Person != "" && c.Account != "":
		name = c.Person + " (" + c.Account + ")"
	case c.Person != "":
		name = c.Person
	case c.Account == "":
		for _, place := range []string{c.Workstation, c.Device, c.Application} {
			if place != "" {
				return place
			}
		}
		return loc.T("traces.cases.who.unknown")
	}
	var rest []string
	for _, part := range []string{c.Function, c.Service} {
		if part != "" {
			rest = append(rest, part)
		}
	}
	if len(rest) > 0 {
		name += ", " + strings.Join(rest, ", ")
	}
	return name
}

// patientWord names the patient by what is known: name, then number.
func patientWord(c Case) string {
	number := c.IPP
	if number == "" {
		number = c.INS
	}
	switch {
	case c.PatientName != "" && number != "":
		return c.PatientName + " (" + number + ")"
	case c.PatientName != "":
		return c.PatientName
	}
	return number
}
