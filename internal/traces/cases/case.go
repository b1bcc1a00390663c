package cases

import (
	"crypto/sha256"
	"encoding/hex"
	"math/bits"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Kind is whose a case is. The values are stored.
type Kind string

// The kinds.
const (
	Patient Kind = "patient" // the record of a patient, or how people open records: the DPO
	System  Kind = "system"  // what servers and networks say: the security officer
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Patient, System} }

// need is what one needs to see and handle cases of a kind.
func (k Kind) need() access.Action {
	if k == System {
		return access.TracesCasesSystem
	}
	return access.TracesCasesPatient
}

// Role is who answers for cases of a kind.
func (k Kind) Role() access.Role {
	if k == System {
		return access.SecurityOfficer
	}
	return access.DataProtection
}

// settles is what one needs to say when cases of a kind open and alert.
func (k Kind) settles() access.Action {
	if k == System {
		return access.TracesRules
	}
	return access.TracesGovern
}

// State is where a case is. The values are stored.
type State string

// The states.
const (
	Waiting   State = "new"
	Assigned  State = "assigned"
	Justified State = "justified" // there was a reason: the same weighs less for a time
	Confirmed State = "confirmed" // it should not have been, and something follows
	Dismissed State = "dismissed" // nothing: the rule saw wrong
)

// States lists them in the order of a case.
func States() []State { return []State{Waiting, Assigned, Justified, Confirmed, Dismissed} }

// Open tells a case that waits for somebody.
func (s State) Open() bool { return s == Waiting || s == Assigned }

// Case is what stood out, and what became of it.
type Case struct {
	ID   uuid.UUID
	Kind Kind
	// Rule is the heaviest, Title its title when it is a Sigma rule; Rules are all
	// that saw it.
	Rule, Title string
	Rules       []string
	State       State
	// Weight is how much it asks to be looked at, 1 to 100.
	Weight int
	// Hits is how many times it was seen.
	Hits                             int64
	Account, Person                  string
	Function, Service                string
	IPP, INS, PatientName            string
	Application, Workstation, Device string
	Source                           uuid.UUID
	First, Last                      time.Time
	Opened, Changed                  time.Time
	AssignedID                       uuid.UUID
	AssignedName                     string
	Closed                           time.Time
	ClosedBy, Reason, Followed       string
	// Repeats came after the justification and opened nothing, Repeated the last.
	Repeats  int64
	Repeated time.Time
	// Earlier is a case of the same that was justified at EarlierAt.
	Earlier   uuid.UUID
	EarlierAt time.Time
	Alert     Alert
	AlertAt   time.Time
	// AlertError is why no alert could be launched: the key of a sentence.
	AlertError string
	Launch     uuid.UUID

	organisation uuid.UUID
	grouping     string
	heaviest     int
}

// Alert is what became of the alert of a case. The values are stored.
type Alert string

// The alerts.
const (
	NoAlert  Alert = ""
	Due      Alert = "due"      // it leaves at the next turn
	Launched Alert = "launched" // it left
	Held     Alert = "held"     // too many within the hour: the case waits on the page
	Failed   Alert = "failed"   // the scenario refused
)

// Reason is why a case stands out.
type Reason struct {
	traces.Evidence
	Rule        string
	Hits        int64
	First, Last time.Time
}

// Step is something that was done to a case.
type Step struct {
	At   time.Time
	By   string
	Act  string
	Said string
}

const sigmaPrefix = "sigma:"

// kindOf says whose a hit is: a rule of system logs that names no patient is the
// security officer's, all else the data protection officer's.
func kindOf(h *traces.Hit) Kind {
	if strings.HasPrefix(h.Rule, sigmaPrefix) && h.IPP == "" && h.INS == "" && h.PatientName == "" {
		return System
	}
	return Patient
}

// family is what rules of one kind see together: all that is said of somebody and
// one record is one case; a rule of system logs is its own; other rules are one
// by the word before their first point (volume.hour, volume.day).
func family(h *traces.Hit) string {
	if strings.HasPrefix(h.Rule, sigmaPrefix) {
		return h.Rule
	}
	if about(h) != "" {
		return "record"
	}
	name, _, _ := strings.Cut(h.Rule, ".")
	return name
}

// about is the patient of a hit; empty for none.
func about(h *traces.Hit) string {
	for _, s := range []string{h.IPP, h.INS, storage.Fold(h.PatientName)} {
		if s != "" {
			return s
		}
	}
	return ""
}

// actor is who a hit is about, or else where.
func actor(h *traces.Hit) string {
	for _, s := range []string{h.Account, h.Person, h.Workstation, h.Device, h.Application} {
		if s != "" {
			return storage.Fold(s)
		}
	}
	return h.Source.String()
}

// groupingOf is a digest of what makes hits one case: it is compared only.
func groupingOf(h *traces.Hit) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{family(h), actor(h), about(h)}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// weigh is the weight of a case: its heaviest hit, ten for each further rule that
// sees it, and two for each doubling of the times it was seen; 100 at most.
func weigh(heaviest, rules int, hits int64) int {
	doublings := max(bits.Len64(uint64(max(hits, 1)))-1, 0)
	return min(heaviest+10*max(rules-1, 0)+2*min(doublings, 10), 100)
}
