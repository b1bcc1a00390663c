package exports

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Kind is for whom traces leave.
type Kind string

// The kinds.
const (
	Justice Kind = "justice" // a requisition: everything, with the originals
	Patient Kind = "patient" // his right of access: the names of staff are masked
)

// State is where a request stands.
type State string

// The states.
const (
	Asked    State = "asked"
	Refused  State = "refused"
	Expired  State = "expired"
	Approved State = "approved"
	Making   State = "making"
	Ready    State = "ready"
	Failed   State = "failed"
	Removed  State = "removed"
)

// The bounds.
const (
	// EventsMost is how many events an archive may hold.
	EventsMost = 20000
	// AnswerWithin is how long a request waits for its approval, and KeptFor how
	// long an archive is kept.
	AnswerWithin = 14 * 24 * time.Hour
	KeptFor      = 30 * 24 * time.Hour

	wordsMost = 1000
	triesMost = 3
)

// Selection says which events leave. At least a patient or an account.
type Selection struct {
	// Patient is an IPP or an INS.
	Patient string `json:"patient,omitempty"`
	Account string `json:"account,omitempty"`
	// From and To bound the events, To excluded.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Zone is in which the times are written.
	Zone string `json:"zone"`
	// Where narrows it further: the conditions of a question that was put.
	Where []traces.Condition `json:"where,omitempty"`
}

// Question is the selection as it is asked of the base, the oldest first.
func (s Selection) Question(limit, skip int) traces.Question {
	q := traces.Question{From: storage.Micros(s.From), To: storage.Micros(s.To), Zone: s.Zone, Oldest: true, Limit: limit, Skip: skip}
	if s.Patient != "" {
		q.Where = append(q.Where, traces.Condition{Field: traces.FieldPatient, Op: traces.Is, Values: []string{s.Patient}})
	}
	if s.Account != "" {
		q.Where = append(q.Where, traces.Condition{Field: traces.FieldAccount, Op: traces.Is, Values: []string{s.Account}})
	}
	q.Where = append(q.Where, s.Where...)
	return q
}

// Wanted is what somebody asks for.
type Wanted struct {
	Kind Kind
	// Authority asks by Reference, for justice.
	Authority, Reference string
	// Identity says how it was checked that the patient is who asks.
	Identity string
	Reason   string
	// Exception says why a patient is to receive the names of staff; empty masks them.
	Exception string
	Selection
}

// check tells what is wrong. Errors: Invalid with its field.
func (w *Wanted) check(now time.Time) error {
	for _, text := range []*string{&w.Authority, &w.Reference, &w.Identity, &w.Reason, &w.Exception, &w.Patient, &w.Account} {
		*text = strings.TrimSpace(*text)
		if utf8.RuneCountInString(*text) > wordsMost || strings.ContainsRune(*text, 0) || !utf8.ValidString(*text) {
			return fault.New(fault.Invalid, "traces.exports.long", "most", wordsMost).At("motif")
		}
	}
	switch w.Kind {
	case Justice:
		w.Identity, w.Exception = "", ""
		if w.Authority == "" || w.Reference == "" {
			return fault.New(fault.Invalid, "traces.exports.requisition").At("autorite")
		}
		if w.Patient == "" && w.Account == "" {
			return fault.New(fault.Invalid, "traces.exports.everything").At("patient")
		}
	case Patient:
		w.Authority, w.Reference = "", ""
		if w.Identity == "" {
			return fault.New(fault.Invalid, "traces.exports.identity").At("identite")
		}
		if w.Patient == "" {
			return fault.New(fault.Invalid, "traces.exports.patient").At("patient")
		}
		if w.Account != "" || len(w.Where) > 0 {
			return fault.New(fault.Invalid, "traces.exports.patient.only").At("compte")
		}
	default:
		return fault.New(fault.Invalid, "traces.exports.kind").At("nature")
	}
	if w.Reason == "" {
		return fault.New(fault.Invalid, "traces.exports.reason").At("motif")
	}
	if w.To.After(now) {
		w.To = now
	}
	q := w.Question(1, 0)
	return q.Check()
}

// Request is one, with what became of it.
type Request struct {
	ID uuid.UUID
	Wanted
	// Found is how many events there were when it was asked for.
	Found   int64
	State   State
	Asker   uuid.UUID
	AskedBy string
	Asked   time.Time
	// Expires is when it lapses, while nobody has decided.
	Expires  time.Time
	Decider  uuid.UUID
	Decided  time.Time
	By       string
	Decision string
	tries    int
	// Events, Bytes and SHA256 are those of the archive, once there is one.
	Events int64
	Bytes  int64
	SHA256 string
	Done   time.Time
	Until  time.Time
	// Problem is a fault as kept; empty when none.
	Problem string
	Taken   int64
	TakenAt time.Time
}

// Masked tells whether the names of staff are left out.
func (r Request) Masked() bool { return r.Kind == Patient && r.Exception == "" }

// FileName is that of the archive.
func (r Request) FileName() string { return "tocsin-traces-" + r.ID.String() + ".zip" }
