package fhir

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// Search is what the parameters of ITI-81 ask for.
type Search struct {
	Question traces.Question
	// Count asks for the total only (_summary=count, or _count=0).
	Count bool
}

// Bounds of a page of a search.
const (
	DefaultCount = 100
	MaxCount     = 1000
)

// ParseSearch reads the parameters of a search of AuditEvent: those of FHIR R4,
// of IHE ITI-81 and of the French profile. A period is mandatory; date, recorded
// and period-start all bound the time of the event. What it does not understand is
// refused: a demand that is passed over would widen the answer. now, UTC
// microseconds, bounds what has no end; zone reads dates that name none. Errors:
// Invalid, one for each fault, joined (Faults).
func ParseSearch(query url.Values, now int64, zone *time.Location) (Search, error) {
	if zone == nil {
		zone = time.UTC
	}
	s := search{period: always(zone)}
	s.q = traces.Question{Zone: zone.String(), Limit: DefaultCount}
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range query[name] {
			s.param(name, value)
		}
	}
	if !s.period.said {
		s.say(fault.New(fault.Invalid, "traces.fhir.date_needed").At("date"))
	}
	s.q.From, s.q.To = s.period.within(now)
	if len(s.faults) > 0 {
		return Search{}, joined(s.faults)
	}
	if s.count {
		s.q.Limit = 1
	}
	s.q.Text = strings.Join(s.text, " ")
	if err := s.q.Check(); err != nil {
		return Search{}, err
	}
	return Search{Question: s.q, Count: s.count}, nil
}

// joined is several faults as one error.
type joined []*fault.Error

// Error is for the log.
func (j joined) Error() string {
	parts := make([]string, len(j))
	for i, f := range j {
		parts[i] = f.Error()
	}
	return strings.Join(parts, "\n")
}

// Unwrap gives each fault.
func (j joined) Unwrap() []error {
	out := make([]error, len(j))
	for i, f := range j {
		out[i] = f
	}
	return out
}

type search struct {
	q      traces.Question
	period window
	count  bool
	text   []string
	faults []*fault.Error
}

func (s *search) say(f *fault.Error) {
	if len(s.faults) < maxFaults {
		s.faults = append(s.faults, f)
	}
}

// fields lists the parameters whose values are compared with one field, and
// how: a string begins, a token or an identifier is the whole.
var fields = map[string]struct {
	field traces.Field
	op    traces.Op
}{
	"agent-name":         {traces.FieldPerson, traces.Begins},
	"entity-name":        {traces.FieldObject, traces.Begins},
	"address":            {traces.FieldAddress, traces.Begins},
	"agent":              {traces.FieldAccount, traces.Is},
	"agent.identifier":   {traces.FieldAccount, traces.Is},
	"altid":              {traces.FieldAccount, traces.Is},
	"altId":              {traces.FieldAccount, traces.Is},
	"user":               {traces.FieldAccount, traces.Is},
	"agent-role":         {traces.FieldFunction, traces.Is},
	"patient":            {traces.FieldPatient, traces.Is},
	"patient.identifier": {traces.FieldPatient, traces.Is},
	"source":             {traces.FieldApplication, traces.Is},
	"source.identifier":  {traces.FieldApplication, traces.Is},
	"site":               {traces.FieldSite, traces.Is},
}

func (s *search) param(name, value string) {
	base, modifier, modified := strings.Cut(name, ":")
	if known, ok := fields[base]; ok {
		op := known.op
		switch {
		case !modified:
		case modifier == "exact" && op == traces.Begins:
			op = traces.Is
		case modifier == "contains" && op == traces.Begins:
			op = traces.Contains
		case modifier == "Patient" && base == "entity", modifier == "Practitioner" && base == "agent", modifier == "identifier" && op == traces.Is:
		default:
			s.say(fault.New(fault.Invalid, "traces.fhir.search_modifier", "name", traces.Cut(name, 64)).At(name))
			return
		}
		s.where(name, known.field, op, value)
		return
	}
	if modified {
		s.say(fault.New(fault.Invalid, "traces.fhir.search_modifier", "name", traces.Cut(name, 64)).At(name))
		return
	}
	switch base {
	case "date", "recorded", "period-start", "TDE_AuditEvent_period-start":
		if !s.period.narrow(value) {
			s.say(fault.New(fault.Invalid, "traces.fhir.search_date", "name", name, "value", traces.Cut(value, 100)).At(name))
		}
	case "action":
		s.action(value)
	case "outcome":
		s.outcome(value)
	case "type", "subtype":
		s.kind(name, value)
	case "entity", "entity.identifier":
		s.entity(name, value)
	case "entity-role", "entity-type":
		s.role(name, value)
	case "_count", "_offset", "_summary", "_sort", "_format", "_pretty":
		s.page(base, value)
	default:
		s.say(fault.New(fault.Invalid, "traces.fhir.search_unknown", "name", traces.Cut(name, 64)).At(name))
	}
}

func (s *search) where(name string, field traces.Field, op traces.Op, value string) {
	var values []string
	for _, v := range alternatives(value) {
		// A token is system|code, a reference ends with its id.
		if op == traces.Is {
			v = v[strings.LastIndexByte(v, '|')+1:]
			if field != traces.FieldSite && field != traces.FieldFunction {
				v = v[strings.LastIndexByte(v, '/')+1:]
			}
		}
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		s.bad(name, value)
		return
	}
	s.q.Where = append(s.q.Where, traces.Condition{Field: field, Op: op, Values: values})
}

func (s *search) bad(name, value string) {
	s.say(fault.New(fault.Invalid, "traces.fhir.search_value", "name", name, "value", traces.Cut(value, 100)).At(name))
}

// alternatives cuts a value at its commas; "\," is a comma of the value.
func alternatives(value string) []string {
	var out []string
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] == '\\' && i+1 < len(value) && strings.IndexByte(`\,|$`, value[i+1]) >= 0:
			i++
			b.WriteByte(value[i])
		case value[i] == ',':
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteByte(value[i])
		}
	}
	return append(out, b.String())
}

func (s *search) action(value string) {
	var keys []string
	for _, v := range alternatives(value) {
		letter := text(v[strings.LastIndexByte(v, '|')+1:])
		before := len(keys)
		for _, a := range traces.Actions() {
			if letter != "" && letterOf(a) == letter {
				keys = append(keys, a.String())
			}
		}
		if len(keys) == before {
			s.bad("action", value)
			return
		}
	}
	s.q.Where = append(s.q.Where, traces.Condition{Field: traces.FieldAction, Op: traces.Is, Values: keys})
}

func (s *search) outcome(value string) {
	var keys []string
	for _, v := range alternatives(value) {
		switch v[strings.LastIndexByte(v, '|')+1:] {
		case "0":
			keys = append(keys, traces.Success.String())
		case "4", "8", "12":
			keys = append(keys, traces.Failure.String(), traces.Denied.String())
		default:
			s.bad("outcome", value)
			return
		}
	}
	s.q.Where = append(s.q.Where, traces.Condition{Field: traces.FieldOutcome, Op: traces.Is, Values: keys})
}

// kind reads type and subtype: the code as ATNA and FHIR events keep it,
// "system|code", is a word of the event.
func (s *search) kind(name, value string) {
	values := alternatives(value)
	if len(values) > 1 {
		s.say(fault.New(fault.Invalid, "traces.fhir.search_several", "name", name).At(name))
		return
	}
	code := strings.TrimSpace(values[0])
	if code == "" || strings.HasSuffix(code, "|") || strings.ContainsAny(code, " \t\n") {
		s.bad(name, value)
		return
	}
	if !strings.Contains(code, "|") {
		code = "|" + code
	}
	s.text = append(s.text, code)
}

func (s *search) entity(name, value string) {
	field := traces.FieldPatient
	first := alternatives(value)[0]
	if name == "entity" {
		switch (&reference{Reference: text(first)}).kind() {
		case "Patient":
		case "Encounter", "EpisodeOfCare":
			field = traces.FieldStay
		case "Device":
			field = traces.FieldDevice
		case "DocumentReference", "DocumentManifest", "DiagnosticReport", "Composition", "ImagingStudy", "Binary", "Media":
			field = traces.FieldDocument
		default:
			s.bad(name, value)
			return
		}
	}
	s.where(name, field, traces.Is, value)
}

// role reads entity-role and entity-type: an event has such an entity when the
// field it fills says something.
func (s *search) role(name, value string) {
	code := value[strings.LastIndexByte(value, '|')+1:]
	var field traces.Field
	switch {
	case code == "1":
		field = traces.FieldPatient
	case name == "entity-role" && code == "3":
		field = traces.FieldDocument
	case name == "entity-role" && code == "24":
		field = traces.FieldParameter
	default:
		s.bad(name, value)
		return
	}
	s.q.Where = append(s.q.Where, traces.Condition{Field: field, Op: traces.NotEmpty})
}

func (s *search) page(name, value string) {
	switch name {
	case "_format":
		if value != "" && !strings.Contains(value, "json") {
			s.bad(name, value)
		}
	case "_summary":
		switch value {
		case "count":
			s.count = true
		case "false":
		default:
			s.bad(name, value)
		}
	case "_sort":
		switch value {
		case "date", "period-start":
			s.q.Oldest = true
		case "-date", "-period-start":
		default:
			s.bad(name, value)
		}
	case "_count", "_offset":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || name == "_offset" && n > traces.MaxSkip {
			s.bad(name, value)
			return
		}
		if name == "_offset" {
			s.q.Skip = n
		} else if s.count = s.count || n == 0; n > 0 {
			s.q.Limit = min(n, MaxCount)
		}
	}
}
