package fhir

import "encoding/json"

// Of the French guide « Traçabilité des événements », version 2.
const (
	guide       = "https://interop.esante.gouv.fr/ig/fhir/tde"
	manager     = guide + "/CapabilityStatement/TdEGestionnaire"
	periodStart = guide + "/SearchParameter/TDE-AuditEvent-period-start"
	ofAudit     = "http://hl7.org/fhir/SearchParameter/AuditEvent-"
	// stated is when this statement last changed.
	stated = "2026-12-01"
)

// parameter is one that ParseSearch understands, as it is told.
type parameter struct {
	Name          string `json:"name"`
	Definition    string `json:"definition,omitempty"`
	Type          string `json:"type"`
	Documentation string `json:"documentation,omitempty"`
}

func parameters() []parameter {
	return []parameter{
		{"date", ofAudit + "date", "date", "Mandatory, unless a parameter of the period stands for it. Compared with the time of the event: period.start, or recorded where the source gave no period. Prefixes eq, ge, gt, le, lt, sa, eb, ap."},
		{"TDE_AuditEvent_period-start", periodStart, "date", "As date."},
		{"period-start", periodStart, "date", "As date."},
		{"recorded", "", "date", "As date: its name in version 1.2 of the French specification."},
		{"type", ofAudit + "type", "token", "One value."},
		{"subtype", ofAudit + "subtype", "token", "One value."},
		{"action", ofAudit + "action", "token", ""},
		{"outcome", ofAudit + "outcome", "token", "4, 8 and 12 are not told apart: each finds every failure."},
		{"agent", ofAudit + "agent", "reference", "The account, by its id."},
		{"agent-name", ofAudit + "agent-name", "string", "Modifiers :exact and :contains."},
		{"agent-role", ofAudit + "agent-role", "token", "The function of who acts, by its code or text."},
		{"agent.identifier", "", "token", "IHE ITI-81: the account."},
		{"altid", ofAudit + "altid", "token", "The account."},
		{"altId", ofAudit + "altid", "token", "As altid: its name in the French guide."},
		{"user", "", "token", "IHE ITI-81: the account."},
		{"address", ofAudit + "address", "string", ""},
		{"patient", ofAudit + "patient", "reference", "By the IPP or the INS: either finds the one patient."},
		{"patient.identifier", "", "token", "IHE ITI-81."},
		{"entity", ofAudit + "entity", "reference", "Patient, Encounter, EpisodeOfCare, Device or a document, by its id."},
		{"entity.identifier", "", "token", "IHE ITI-81: a patient."},
		{"entity-name", ofAudit + "entity-name", "string", ""},
		{"entity-role", ofAudit + "entity-role", "token", "1, 3 or 24."},
		{"entity-type", ofAudit + "entity-type", "token", "1."},
		{"source", ofAudit + "source", "reference", "The application, by its name."},
		{"source.identifier", "", "token", "As source."},
		{"site", ofAudit + "site", "token", ""},
	}
}

// Parameters names the search parameters that the statement tells.
func Parameters() []string {
	var out []string
	for _, p := range parameters() {
		out = append(out, p.Name)
	}
	return out
}

// Capability writes the CapabilityStatement of a server at base: what it does,
// and no more.
func Capability(base string) ([]byte, error) {
	type named = map[string]any
	return json.Marshal(named{
		"resourceType": "CapabilityStatement", "status": "active", "date": stated, "kind": "instance",
		"instantiates": []string{manager}, "implementationGuide": []string{guide},
		"software":       named{"name": "Tocsin"},
		"implementation": named{"description": "Gestionnaire de traces", "url": base},
		"fhirVersion":    "4.0.1", "format": []string{"application/fhir+json"},
		"rest": []named{{
			"mode":          "server",
			"documentation": "IHE ITI-20 (create, also a Bundle at the root; JSON or XML) and ITI-81 (search and read; JSON only). Every search and read is itself recorded. A page is found by its link: follow “next”; new events come first unless _sort=date.",
			"security":      named{"cors": false, "description": "Authorization: Bearer, with the token of a source to create, of an admitted application to search and read."},
			"resource": []named{{
				"type": "AuditEvent", "supportedProfile": []string{Profile}, "versioning": "no-version",
				"interaction": []named{{"code": "create"}, {"code": "read"}, {"code": "search-type"}},
				"searchParam": parameters(),
			}},
		}},
	})
}
