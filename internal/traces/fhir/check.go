package fhir

import (
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/wire/stamp"
)

// Profile is the French profile of a trace.
const Profile = "https://interop.esante.gouv.fr/ig/fhir/tde/StructureDefinition/tde-auditevent"

// check holds an event against the rules of R4, then those of the profile when
// it claims it or when all must.
func (f Format) check(r *auditEvent, say func(*fault.Error)) {
	missing := func(element string) {
		say(fault.New(fault.Invalid, "traces.fhir.missing", "element", element).At(element))
	}
	wrong := func(element, value string) {
		say(fault.New(fault.Invalid, "traces.fhir.value", "element", element, "value", value).At(element))
	}
	if r.Type == nil || r.Type.Code == "" && r.Type.Display == "" {
		missing("AuditEvent.type")
	}
	if r.Recorded == "" {
		missing("AuditEvent.recorded")
	} else if _, n := stamp.ISO(string(r.Recorded), nil); n != len(r.Recorded) || n < len("2026-11-30T14:05:06Z") {
		wrong("AuditEvent.recorded", string(r.Recorded))
	}
	if r.Action != "" && !slices.Contains([]text{"C", "R", "U", "D", "E"}, r.Action) {
		wrong("AuditEvent.action", string(r.Action))
	}
	if r.Outcome != "" && !slices.Contains([]text{"0", "4", "8", "12"}, r.Outcome) {
		wrong("AuditEvent.outcome", string(r.Outcome))
	}
	if len(r.Agent) == 0 {
		missing("AuditEvent.agent")
	}
	for i, a := range r.Agent {
		if !a.Requestor.Said {
			missing(fmt.Sprintf("AuditEvent.agent[%d].requestor", i))
		}
		if a.Network != nil && a.Network.Type != "" && !slices.Contains([]text{"1", "2", "3", "4", "5"}, a.Network.Type) {
			wrong(fmt.Sprintf("AuditEvent.agent[%d].network.type", i), string(a.Network.Type))
		}
	}
	switch {
	case r.Source == nil:
		missing("AuditEvent.source")
	case r.Source.Observer == nil || *r.Source.Observer == (reference{}):
		missing("AuditEvent.source.observer")
	}
	for i, o := range r.Entity {
		if o.Name != "" && o.Query != "" {
			say(fault.New(fault.Invalid, "traces.fhir.name_or_query", "element", fmt.Sprintf("AuditEvent.entity[%d]", i)).At(fmt.Sprintf("AuditEvent.entity[%d]", i)))
		}
	}
	if f.Strict || r.Meta != nil && slices.ContainsFunc(r.Meta.Profile, func(p text) bool { return strings.HasPrefix(string(p), Profile) }) {
		checkProfile(r, say, missing)
	}
}

// checkProfile holds the rules of tde-auditevent.
func checkProfile(r *auditEvent, say func(*fault.Error), missing func(string)) {
	many := func(element string, max int) {
		say(fault.New(fault.Invalid, "traces.fhir.many", "element", element, "max", max).At(element))
	}
	if len(r.Subtype) > 1 {
		many("AuditEvent.subtype", 1)
	}
	if len(r.Agent) > 2 {
		many("AuditEvent.agent", 2)
	}
	if r.Period == nil || r.Period.Start == "" {
		missing("AuditEvent.period.start")
	}
	for i, a := range r.Agent {
		if a.Who == nil || *a.Who == (reference{}) {
			missing(fmt.Sprintf("AuditEvent.agent[%d].who", i))
		}
	}
}
