package proof

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/fault"
)

// Kind is what a campaign asks. The values are stored.
type Kind string

// The kinds of campaigns.
const (
	Verification Kind = "verification" // are your details right? by a personal link
	Test         Kind = "test"         // a short TEST: one key back
)

// State is where a campaign stands. The values are stored.
type State string

// The states of a campaign.
const (
	Planned State = "planned"
	Running State = "running"
	Ended   State = "ended"
	Stopped State = "stopped" // by a person
)

// Draft is what a person decides of a campaign.
type Draft struct {
	Kind  Kind
	Title string
	// Audience chooses whom it asks; empty is everybody who works here.
	Audience directory.Rule
	// Quota is how many messages may leave in a day, reminders included.
	Quota int
	// From is when it begins; Until is when it ends and nobody is asked any more.
	From, Until time.Time
	// RemindAfter is how many days the silent are left in peace, Reminders how often they are asked again.
	RemindAfter, Reminders int
	Hours                  Hours
	// EveryMonths begins the same campaign again so many months later; 0 does not.
	EveryMonths int
}

// Campaign is a draft that lives.
type Campaign struct {
	Draft
	ID      uuid.UUID
	State   State
	By      string
	Created time.Time
	// Closed is when it ended or was stopped; zero before.
	Closed time.Time

	frozen  bool
	day     string
	daySent int
}

// Open tells a campaign that may still write.
func (c Campaign) Open() bool { return c.State == Planned || c.State == Running }

// The limits of a draft.
const (
	quotaMost    = 20_000
	remindMost   = 5
	lifeMost     = 183 * 24 * time.Hour
	titleMost    = 120
	monthsMost   = 12
	quietDays    = 60
	defaultQuota = 200
)

// Defaults are what a new campaign of a kind proposes.
func Defaults(kind Kind, now time.Time) Draft {
	d := Draft{Kind: kind, Quota: defaultQuota, From: now, Until: now.AddDate(0, 0, 30), RemindAfter: 7, Reminders: 2, Hours: Hours{From: 9, To: 18}, EveryMonths: 3}
	if kind == Test {
		d.Until, d.RemindAfter, d.Reminders, d.EveryMonths = now.AddDate(0, 0, 14), 3, 1, 0
	}
	return d
}

func (d Draft) tidied(now time.Time) (Draft, error) {
	d.Title = strings.Join(strings.Fields(d.Title), " ")
	if d.From.Before(now) {
		d.From = now
	}
	switch {
	case d.Kind != Verification && d.Kind != Test:
		return d, fault.New(fault.Invalid, "directory.proof.kind").At("kind")
	case d.Title == "" || utf8.RuneCountInString(d.Title) > titleMost:
		return d, fault.New(fault.Invalid, "directory.proof.title", "limit", titleMost).At("title")
	case d.Quota < 1 || d.Quota > quotaMost:
		return d, fault.New(fault.Invalid, "directory.proof.quota", "most", quotaMost).At("quota")
	case !d.Until.After(d.From) || d.Until.Sub(d.From) > lifeMost:
		return d, fault.New(fault.Invalid, "directory.proof.until").At("until")
	case d.Reminders < 0 || d.Reminders > remindMost:
		return d, fault.New(fault.Invalid, "directory.proof.reminders", "most", remindMost).At("reminders")
	case d.RemindAfter < 1 || d.RemindAfter > quietDays:
		return d, fault.New(fault.Invalid, "directory.proof.remind_after", "most", quietDays).At("remind_after")
	case !d.Hours.decent():
		return d, fault.New(fault.Invalid, "directory.proof.hours", "first", hourFirst, "last", hourLast).At("hours")
	case d.EveryMonths < 0 || d.EveryMonths > monthsMost:
		return d, fault.New(fault.Invalid, "directory.proof.every", "most", monthsMost).At("every")
	}
	return d, nil
}

// next is the same campaign so many months later.
func (c Campaign) next() Draft {
	d := c.Draft
	life := d.Until.Sub(d.From)
	d.From = d.From.AddDate(0, d.EveryMonths, 0)
	d.Until = d.From.Add(life)
	return d
}

// Standing is what became of one person asked. The values are stored.
type Standing string

// The standings.
const (
	Waiting     Standing = "waiting"     // not asked yet
	Asked       Standing = "asked"       // asked, silent so far
	Confirmed   Standing = "confirmed"   // answered: the contact point is his, and proven
	Corrected   Standing = "corrected"   // gave another number or address
	NotMe       Standing = "not_me"      // says that it is not his
	Unclear     Standing = "unclear"     // answered something that says neither
	Unreachable Standing = "unreachable" // no contact point is left to try
)

// Standings lists them in the order they are shown.
func Standings() []Standing {
	return []Standing{Confirmed, Corrected, NotMe, Unclear, Asked, Unreachable, Waiting}
}

// settled tells the standings that nothing is sent to any more.
func (s Standing) settled() bool { return s != Waiting && s != Asked }

// Tally counts people by standing.
type Tally map[Standing]int

// People is how many there are.
func (t Tally) People() (n int) {
	for _, k := range t {
		n += k
	}
	return n
}

// Answered is how many proved a contact point.
func (t Tally) Answered() int { return t[Confirmed] + t[Corrected] }

// Share is Answered over those who were asked, from 0 to 1; 0 for nobody.
func (t Tally) Share() float64 {
	asked := t.People() - t[Waiting]
	if asked == 0 {
		return 0
	}
	return float64(t.Answered()) / float64(asked)
}

// ServiceTally is the tally of one service; Service is Nil for people who have none.
type ServiceTally struct {
	Tally
	Service    uuid.UUID
	Name, Site string
}

// View is a campaign with its figures, the services that answer least first.
type View struct {
	Campaign
	Tally    Tally
	Services []ServiceTally
	// Today is how many messages left today.
	Today int
	// Last is the day the quota lets everybody have been asked by; zero when all were, or when too far.
	Last time.Time
}

func (v *View) sort() {
	slices.SortFunc(v.Services, func(a, b ServiceTally) int {
		if a.Share() != b.Share() {
			return int((a.Share() - b.Share()) * 1e9)
		}
		return strings.Compare(a.Name, b.Name)
	})
}
