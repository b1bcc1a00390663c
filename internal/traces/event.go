package traces

import "github.com/google/uuid"

// Event is one thing that happened, as a source told it, in one model for all
// formats: who, did what, on what, with what, where, when, why, with which
// outcome. A text is empty when the source did not say. The fields follow
// IHE ATNA (DICOM PS3.15 A.5), FHIR R4 AuditEvent and the French profile
// « Traçabilité des événements »; docs/guides/traces.md maps every format.
type Event struct {
	// Organisation is the establishment, Source the source that spoke.
	Organisation, Source uuid.UUID
	// Collector names the format it was read by.
	Collector string
	// Key is the id that the protocol gave to the event, at most 200 bytes; two
	// events of one source with the same key are one. Empty: none was given.
	Key string
	// At is when it happened by the clock of the source, Received when it
	// reached us: UTC, microseconds. AtGuessed tells that the source gave no
	// readable time and At is Received.
	At, Received int64
	AtGuessed    bool
	Class        Class

	// Account is the login as written; Person the name given with it; Function
	// the profession or role; Delegate on whose behalf.
	Account, Person, Function, Delegate string

	Action Action
	// Verb is the word of the source for the action, as written.
	Verb string

	// IPP is the patient's number in the establishment, INS the national
	// identity (15 characters), PatientName as written.
	IPP, INS, PatientName string
	// Stay is the number of the stay or encounter, Document an id of what was
	// opened, Object words or a kind for it, Parameter what was asked or set,
	// Device the equipment that was used on the patient.
	Stay, Document, Object, Parameter, Device string

	// Application, Workstation and Address are what it was done with.
	Application, Workstation, Address string
	// Site and Service are where, in the words of the source.
	Site, Service string
	// Purpose is why (PurposeOfUse, motive); Relation is the care relation.
	Purpose, Relation string

	Outcome Outcome
	// Severity is that of syslog, 0 (emergency) to 7 (debug); -1 when not said.
	Severity int8
	// Message is the sentence of the source, when it wrote one.
	Message string
	// Extra is what the model has no place for; it stays searchable.
	Extra []Pair

	// Raw is the original, byte for byte.
	Raw []byte
}

// Pair is a name and a value.
type Pair struct{ Name, Value string }

// Stored is an event with its place in the base.
type Stored struct {
	Event
	// Ref names the event in the base; opaque, at most 64 bytes, stable until it
	// is purged.
	Ref string
}

// Limits of one event. What is longer is kept raw up to MaxRaw and its fields
// are cut at MaxText, with an Extra that says so: nothing is dropped.
const (
	MaxRaw   = 1 << 20 // bytes
	MaxText  = 4096    // bytes of one field
	MaxExtra = 200     // pairs
	MaxKey   = 200     // bytes
)
