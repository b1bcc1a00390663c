package traces

// News is what one message, or one line of a file, says of the care of a
// patient. Formats of care (traces/hl7) write it, traces/care keeps it. Texts
// are as written; whoever keeps them folds them.
type News struct {
	// Control is the id that the sender gave to the message, at most MaxKey
	// bytes; the same message sent again has the same. Empty: none was given.
	Control string
	// What names the kind of message: "ADT^A01", or the kind of a file.
	What string
	// Sent is when it was said, UTC microseconds.
	Sent    int64
	Patient Identity
	// Prior are identities that turned out to be of this patient.
	Prior []Identity
	// Moves are arrivals, moves and departures of a stay.
	Moves []Move
	// Dates are appointments, prescriptions and teams.
	Dates []Date
}

// Empty tells that a message concerns no care that is kept.
func (n News) Empty() bool {
	return len(n.Patient.IPP) == 0 && n.Patient.INS == ""
}

// Identity is who a patient is.
type Identity struct {
	// IPP are the numbers in the establishment, the main one first.
	IPP []string
	INS string
	// Surname is the name used, BirthName the one at birth.
	Surname, BirthName, Given string
	// Address is the street, Postal the code.
	Address, Postal string
}

// MoveKind is what a move does to a stay. The values are stored.
type MoveKind string

// The kinds of moves.
const (
	MoveIn   MoveKind = "in"   // arrives, or changes service
	MoveOut  MoveKind = "out"  // leaves the establishment
	MovePlan MoveKind = "plan" // will arrive
)

// StayClass tells how a stay ends when nobody says so. The values are stored.
type StayClass string

// The classes of stays, those of PV1-2.
const (
	Inpatient  StayClass = "I"
	Outpatient StayClass = "O"
	Emergency  StayClass = "E"
	Recurring  StayClass = "R" // sessions: dialysis, chemotherapy
)

// Move is one movement of a stay.
type Move struct {
	// Visit is the number of the stay; ID that of the movement, empty when the
	// sender has none: a cancellation then takes the last of its kind away.
	Visit, ID string
	Kind      MoveKind
	Cancelled bool
	// Missing only adds the movement when nothing is known of the stay.
	Missing bool
	Class   StayClass
	// At is when, UTC microseconds.
	At int64
	// Services are the codes and names of those who care; none keeps the services
	// of the movement before.
	Services []string
	People   []Professional
}

// Date is a reason to open a record that is no stay.
type Date struct {
	Kind      RelationKind
	ID        string
	Cancelled bool
	// From and To bound it, UTC microseconds; To is zero while it lasts.
	From, To int64
	Services []string
	People   []Professional
}

// Professional is somebody named by a message.
type Professional struct {
	// RPPS is the national number; ID what the establishment calls him: a login or
	// a number of the staff.
	RPPS, ID string
}
