package traces

import (
	"context"

	"github.com/google/uuid"
)

// This file is what the parts of detection say to each other. Who cares for
// whom (traces/care), what stands out (traces/detect, traces/sigma) and what
// becomes of it (traces/cases) know this file and not one another.

// RelationKind is a reason for which a person may open the record of a patient.
type RelationKind string

// The reasons, in the order in which they explain.
const (
	RelationStay         RelationKind = "stay"         // the patient stays, or stayed, in the service
	RelationAppointment  RelationKind = "appointment"  // seen in the service, or to be seen
	RelationPrescription RelationKind = "prescription" // the service or the person prescribed, or carries out
	RelationOnCall       RelationKind = "on_call"      // the person was on call for the service
	RelationTeam         RelationKind = "team"         // the person is of the team that cares
)

// Relation links a patient to a service, or to one person of it, for a time.
type Relation struct {
	Kind RelationKind
	// Service is the code or name of the service as the messages wrote it, folded
	// (storage.Fold); Account names one person only; one of both is set.
	Service, Account string
	// From and To bound it, UTC microseconds; To is zero while it lasts.
	From, To int64
}

// Patient is what is known of a patient from the messages of the hospital.
// Names and address are folded (storage.Fold); empty when not known.
type Patient struct {
	IPP, INS               string
	Surname, BirthName     string
	Given, Address, Postal string
	WellKnown              bool   // named by the DPO: a look at the record is always told
	StaffAccount           string // the account of the member of the staff that the patient is, when said
	Relations              []Relation
}

// Carer tells what is known of a patient.
type Carer interface {
	// Patient gives the patient of an IPP, an INS or both with the relations
	// that touch a time ± 30 days; found is false when no message spoke of them.
	Patient(ctx context.Context, organisation uuid.UUID, ipp, ins string, at int64) (p Patient, found bool, err error)
	// Covered tells whether the establishment gives messages of care at all:
	// without them nothing is unexplained, and nothing is said to be.
	Covered(ctx context.Context, organisation uuid.UUID) (bool, error)
}

// Member is what is known of whoever acts under an account. Names, address and
// services are folded (storage.Fold).
type Member struct {
	Account         string
	Person          uuid.UUID // in the directory; nil when the account is tied to nobody
	Name            string    // as shown
	Surname, Given  string
	Address, Postal string
	Function        string
	Services        []string // where the person works, codes and names
	Left            int64    // when the person left, UTC microseconds; zero for those who work
	Shared          bool     // an account of several people
	Machine         bool     // an account of a program: nobody acts under it
	IPP             string   // the person's own number as a patient, when said
}

// Staff tells who acts.
type Staff interface {
	// Member gives whoever has an account; found is false for one that is tied to nobody.
	Member(ctx context.Context, organisation uuid.UUID, account string) (m Member, found bool, err error)
	// OnCall tells whether the person was on call or on duty for a service at a time.
	OnCall(ctx context.Context, organisation uuid.UUID, person uuid.UUID, service string, at int64) (bool, error)
}

// Hit is something that stands out. It accuses nobody: it is what a person
// looks at.
type Hit struct {
	Organisation uuid.UUID
	// Rule is its key: one of those of traces/detect, or "sigma:" and the id of a rule.
	Rule string
	// Title is the title of a Sigma rule, as its author wrote it; empty for ours,
	// whose titles are sentences of the catalog.
	Title string
	// Score is 1 to 100: how unlikely it is that nothing is wrong.
	Score int
	// Account and Person act; Function and Service as said.
	Account, Person, Function, Service string
	// IPP, INS and PatientName are the patient, when one is meant; Application,
	// Workstation and Device with what.
	IPP, INS, PatientName            string
	Application, Workstation, Device string
	Source                           uuid.UUID
	// First and Last bound the events, UTC microseconds; Events counts them.
	First, Last int64
	Events      int64
	// Evidence says why, in the order of weight.
	Evidence []Evidence
}

// Evidence is one reason, as a sentence of the catalog: Key with its values.
type Evidence struct {
	Key  string            `json:"key"`
	Args map[string]string `json:"args,omitempty"`
}

// Count names accesses to records that are counted together.
type Count struct {
	Organisation uuid.UUID
	// Day is that of the reception, in days since 1 January 1970, UTC.
	Day int
	// Service and Application as the events name them, the service folded.
	Service, Application string
}

// Share tells how many accesses the care explained.
type Share struct {
	Explained, Unexplained int64
	// NotJudged could not be held against the care: nothing gives it, or it could
	// not be read.
	NotJudged int64
}

// Plus adds up two shares of the same.
func (s Share) Plus(o Share) Share {
	return Share{s.Explained + o.Explained, s.Unexplained + o.Unexplained, s.NotJudged + o.NotJudged}
}

// Detector looks at events in the order in which they came.
type Detector interface {
	// Observe looks at events of any establishments, and tells what stands out.
	// The events and their bytes are the caller's again when it returns. What a
	// Detector remembers may be lost with the process: a hit may then come late,
	// or once more, and never by another name.
	Observe(ctx context.Context, events []Event) ([]Hit, error)
}
