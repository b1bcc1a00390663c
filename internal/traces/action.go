package traces

import "slices"

// Action is what was done, in the words of the model. The values are stored.
type Action uint8

// The actions. Unsaid is for what a source does not tell.
const (
	Unsaid Action = iota
	Create
	Read
	Update
	Delete
	Execute
	Print
	Export
	BreakGlass
	Login
	Logout
	Search
	Send
	Receive
	Start
	Stop
	Configure
	Sign
)

// actionKeys are the names of actions in questions, files and translations.
var actionKeys = [...]string{
	"unsaid", "create", "read", "update", "delete", "execute", "print", "export", "break_glass", "login", "logout",
	"search", "send", "receive", "start", "stop", "configure", "sign",
}

// Actions lists them.
func Actions() []Action {
	out := make([]Action, len(actionKeys))
	for i := range out {
		out[i] = Action(i)
	}
	return out
}

// Known tells whether it is one of Actions.
func (a Action) Known() bool { return int(a) < len(actionKeys) }

// String is the key of the action, "unsaid" for an unknown one.
func (a Action) String() string {
	if !a.Known() {
		return actionKeys[Unsaid]
	}
	return actionKeys[a]
}

// ParseAction reads a key.
func ParseAction(key string) (Action, bool) {
	i := slices.Index(actionKeys[:], key)
	return Action(max(i, 0)), i >= 0
}

// Outcome is how it ended. The values are stored.
type Outcome uint8

// The outcomes.
const (
	OutcomeUnsaid Outcome = iota
	Success
	Failure // an error
	Denied  // a right was missing, a password wrong
)

var outcomeKeys = [...]string{"unsaid", "success", "failure", "denied"}

// Outcomes lists them.
func Outcomes() []Outcome { return []Outcome{OutcomeUnsaid, Success, Failure, Denied} }

// String is the key of the outcome, "unsaid" for an unknown one.
func (o Outcome) String() string {
	if int(o) >= len(outcomeKeys) {
		return outcomeKeys[OutcomeUnsaid]
	}
	return outcomeKeys[o]
}

// ParseOutcome reads a key.
func ParseOutcome(key string) (Outcome, bool) {
	i := slices.Index(outcomeKeys[:], key)
	return Outcome(max(i, 0)), i >= 0
}

// Class is the kind of trace that its duration of retention depends on. The
// values are stored.
type Class uint8

// The classes.
const (
	// System is what servers, networks and programs say of themselves.
	System Class = iota
	// PatientAccess is whatever touches the data of a patient: six rolling
	// months are the floor of its retention (CNIL, délibération 2021-122).
	PatientAccess
	// Authentication is logins, logouts and refusals.
	Authentication
	// Administration is rights, settings and accounts changed.
	Administration
	// Biomedical is what medical equipment and its gateways say.
	Biomedical
)

var classKeys = [...]string{"system", "patient", "authentication", "administration", "biomedical"}

// Classes lists them.
func Classes() []Class {
	return []Class{PatientAccess, Authentication, Administration, Biomedical, System}
}

// String is the key of the class, "system" for an unknown one.
func (c Class) String() string {
	if int(c) >= len(classKeys) {
		return classKeys[System]
	}
	return classKeys[c]
}

// ParseClass reads a key.
func ParseClass(key string) (Class, bool) {
	i := slices.Index(classKeys[:], key)
	return Class(max(i, 0)), i >= 0
}

// Classify gives the class of an event from what it says: a patient first, then
// what was done. A source may be declared biomedical; only then is what names
// no patient Biomedical.
func Classify(e *Event, biomedical bool) Class {
	switch {
	case e.IPP != "" || e.INS != "" || e.Stay != "":
		return PatientAccess
	case e.Action == Login || e.Action == Logout:
		return Authentication
	case e.Action == Configure:
		return Administration
	case biomedical:
		return Biomedical
	}
	return System
}
