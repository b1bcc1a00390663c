package hl7

import "tocsin/internal/traces"

// Name is the key of the format, stored with sources.
const Name = "hl7"

// Describe tells what the format is, for the pages and the guide. It gives no
// traces: what it says is kept by traces/care.
func Describe() traces.Description {
	return traces.Description{Name: Name, Standard: "HL7 v2.3 – 2.5.1, IHE PAM (ITI-30, ITI-31), PAM.fr 2.11, SIU, ORM/OMG/OML/OMP"}
}
