package cap

import (
	"slices"
	"strings"
	"time"
)

// Namespace is that of version 1.2.
const Namespace = "urn:oasis:names:tc:emergency:cap:1.2"

// MediaType is what a message is served as.
const MediaType = "application/cap+xml"

// The values of Status that this program knows what to do with.
const (
	Actual   = "Actual"
	Exercise = "Exercise"
	Test     = "Test"
)

// The values of Kind ("msgType") that say something of an event.
const (
	Alerting  = "Alert"
	Updating  = "Update"
	Canceling = "Cancel"
)

// Statuses lists the values of status, in the order of the schema.
func Statuses() []string { return []string{Actual, Exercise, "System", Test, "Draft"} }

// Kinds lists the values of msgType.
func Kinds() []string { return []string{Alerting, Updating, Canceling, "Ack", "Error"} }

// Scopes lists the values of scope.
func Scopes() []string { return []string{"Public", "Restricted", "Private"} }

// Categories lists the values of category.
func Categories() []string {
	return []string{"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}
}

// Responses lists the values of responseType.
func Responses() []string {
	return []string{"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"}
}

// Urgencies lists the values of urgency, the most urgent first.
func Urgencies() []string { return []string{"Immediate", "Expected", "Future", "Past", "Unknown"} }

// Severities lists the values of severity, the worst first.
func Severities() []string { return []string{"Extreme", "Severe", "Moderate", "Minor", "Unknown"} }

// Certainties lists the values of certainty, the surest first.
func Certainties() []string { return []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"} }

// AtLeast tells that a value of such a list is as strong as another, or
// stronger. Empty asks for nothing.
func AtLeast(list []string, value, least string) bool {
	at := slices.Index(list, value)
	return least == "" || at >= 0 && at <= slices.Index(list, least)
}

// Alert is a message.
type Alert struct {
	// Identifier and Sender hold no space, no comma, no < and no & (§ 3.2.1).
	Identifier, Sender string
	Sent               time.Time
	Status, Kind       string
	Source, Scope      string
	Note               string
	References         []Reference
	Infos              []Info
}

// Reference names another message.
type Reference struct {
	Sender, Identifier string
	Sent               time.Time
}

// Name is how others refer to the message.
func (a Alert) Name() Reference { return Reference{a.Sender, a.Identifier, a.Sent} }

// String is a reference as it is written: sender,identifier,sent.
func (r Reference) String() string { return r.Sender + "," + r.Identifier + "," + stamp(r.Sent) }

// Info is what is said of the event, in one language.
type Info struct {
	// Language is that of RFC 3066; empty means en-US.
	Language                     string
	Categories                   []string
	Event                        string
	Responses                    []string
	Urgency, Severity, Certainty string
	// Onset and Expires are zero when nothing is said.
	Onset, Expires                                          time.Time
	SenderName, Headline, Description, Instruction, Contact string
	Areas                                                   []Area
}

// Area is where.
type Area struct {
	Description string
	Geocodes    []Geocode
}

// Geocode is a code of a place in a list of codes: "INSEE", "59350".
type Geocode struct{ Name, Value string }

// In is the block of a language, the first one otherwise.
func (a Alert) In(language string) Info {
	for _, i := range a.Infos {
		if strings.HasPrefix(strings.ToLower(i.Language), language) {
			return i
		}
	}
	if len(a.Infos) == 0 {
		return Info{}
	}
	return a.Infos[0]
}

// Expires is when the last of its blocks does; zero when one of them never does.
func (a Alert) Expires() time.Time {
	var last time.Time
	for _, i := range a.Infos {
		if i.Expires.IsZero() {
			return time.Time{}
		}
		if i.Expires.After(last) {
			last = i.Expires
		}
	}
	return last
}

// stamp writes a time as the schema wants it: seconds, and ±hh:mm, never Z.
func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05-07:00") }
