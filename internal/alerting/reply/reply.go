package reply

import "time"

// Kind is what an answer says.
type Kind string

// The kinds of answers.
const (
	// Unknown is said when nothing was understood, or only a digit was typed (see Key).
	Unknown Kind = ""
	// Coming comes, in Minutes when he said so.
	Coming Kind = "coming"
	// OnSite is already there.
	OnSite Kind = "on_site"
	// Unavailable does not come, whatever the reason.
	Unavailable Kind = "unavailable"
	// CallMe wants to be called.
	CallMe Kind = "call_me"
	// Stop asked the operator for no more messages: many gateways bar the number on this word.
	Stop Kind = "stop"
)

// Result is what was understood of a text.
type Result struct {
	Kind Kind
	// Minutes before arrival, 0 to 1,440; -1 when not said, and for every kind but Coming.
	Minutes int
	// Key is the digit typed as an answer, empty when none was or when words say
	// more than it. Its meaning is the scenario's and goes before Kind.
	Key string
}

// MaxRunes is how much of a text is read.
const MaxRunes = 2000

// Parse is ParseAt for a text whose hour is not known: an hour of the day
// ("vers 14h") then gives no Minutes.
func Parse(text string) Result { return ParseAt(text, time.Time{}, nil) }

// ParseAt reads an answer written at now by someone in zone (UTC when nil),
// which only serve to count the minutes until an hour of the day.
//
// Where people are ambiguous it holds to these rules. The last decisive clause
// counts, and a decisive verb ("j'arrive", "je ne peux pas") goes before a reason
// ("en congés"), which goes before a bare "oui", "ok" or "non". A reason after a
// "mais" undoes a promise without making it a refusal. A refusal "avant 2h" is an
// arrival in two hours. A promise for another day does not undo a refusal, and
// alone it counts up to a day ahead. "Peut-être", conditions and questions say
// nothing; nor does what is said of someone else, or an hour among other words
// ("j'ai rendez-vous à 9h"). "Ok merci" and "bien reçu" acknowledge without
// promising. Who is on duty elsewhere is not on site. Of a range the later bound
// is kept. Up to five hours "2h" is a delay, beyond it is an hour of the day,
// unless "dans" or "vers" decides. "1.30" is digit 1 and 30 minutes, "1h30" and
// "1:30" are 90 minutes.
func ParseAt(text string, now time.Time, zone *time.Location) Result {
	if zone == nil {
		zone = time.UTC
	}
	return understand(read(clean(text)), clock{now: now, zone: zone})
}
