package alerting

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
)

// State is where a person stands in an alert.
type State string

// The states of a recipient. The values are stored.
const (
	Waiting     State = "waiting"     // his wave has not left
	Called      State = "called"      // a message is on its way
	Reached     State = "reached"     // a message was delivered, no answer
	Answered    State = "answered"    // see his Meaning
	Arrived     State = "arrived"     // ticked at the door
	Unconfirmed State = "unconfirmed" // every address was used and a message left; nothing says whether it arrived
	Exhausted   State = "exhausted"   // every message to every address is known to be lost
	LeftAside   State = "left_aside"  // not called; see LeftOut
)

// States lists them in the order they are shown.
func States() []State {
	return []State{Waiting, Called, Reached, Answered, Arrived, Unconfirmed, Exhausted, LeftAside}
}

// Board is one snapshot of an alert for the dashboard.
type Board struct {
	Launch   Launch
	At       time.Time
	Counters Counters
	Quotas   []QuotaLine
	Waves    []WaveView
	// NextWave is when the next wave leaves; zero when none will by the clock.
	NextWave time.Time
	Media    dispatch.CampaignView
	// Curve has one point a minute from the launch, at most CurvePoints.
	Curve    []CurvePoint
	Timeline []Event
	// Unmatched counts the replies of unknown senders since the launch.
	Unmatched int
	// Roll is what the services said of who was there already.
	Roll RollCall
	// Expected is what the last rehearsal before the launch showed.
	Expected Expected
	// Rest is due before a relief counts somebody who came before.
	Rest time.Duration
}

// CurvePoints bounds the curve of a board: six hours.
const CurvePoints = 360

// Counters are people, not messages. Reached and Answered count everyone to whom
// it happened, whatever followed; Called and Waiting those who are still there.
type Counters struct {
	People, Waiting, Called, Reached, Answered int
	Coming, OnSite, Unavailable, CallMe        int
	Arrived, LeftOut, Stopped                  int
	// Left are those who came and are gone; Orders those who got a recall order.
	Left, Orders int
	// Unconfirmed may have read a message and may still answer; Exhausted cannot: nothing arrived.
	Unconfirmed, Exhausted int
	// Unread counts people whose answer nobody could read, Late the answers after
	// the end, Guarded the messages a runaway limit held back.
	Unread, Late, Guarded int
}

// QuotaLine is what is needed, announced and there for one line.
type QuotaLine struct {
	Line     int
	Skill    string
	Site     uuid.UUID
	SiteName string
	From, To time.Duration
	Needed   int
	// Show is the share of those announced who come.
	Show Show
	// Relief is the beginning of the slot of a relief; zero for those called now.
	Relief time.Duration
	// Resting came now for the same skill: a relief does not count them before their rest.
	Resting int
	// Keep is how many are kept back for the line of a relief, known on the sheet.
	Keep Keep
	// Coming are announced and not overdue; Arrived are there; Overdue announced and did not come in time.
	Coming, Arrived, Overdue int
}

// Missing is how many must still say they come.
func (q QuotaLine) Missing() int { return max(0, q.Awaited()-q.Coming) }

// Awaited is how many must be announced beside those who are there: more than the
// posts still open when not everyone who says he comes does.
func (q QuotaLine) Awaited() int { return booked(q.Needed-q.Arrived, q.Show.Rate) }

// WaveState is the life of a wave.
type WaveState string

// The states of a wave. The values are stored.
const (
	WavePending WaveState = "pending" // waits for its hour or its condition
	WaveOpen    WaveState = "open"    // leaves, or has left
	WaveHeld    WaveState = "held"    // the quotas are reached
	WaveStopped WaveState = "stopped" // by a person
)

// WaveView is a wave of a board.
type WaveView struct {
	Number int
	Name   Localized
	State  WaveState
	When   Condition
	People int
	DueAt  time.Time
	// Relief is when the slot begins of a wave that is kept back; zero for one called now.
	Relief   time.Time
	OpenedAt time.Time
}

// CurvePoint is the state of the alert at a minute; the figures accumulate.
type CurvePoint struct {
	Minute                             int
	Reached, Answered, Coming, Arrived int
}

// EventKind is what happened in an alert.
type EventKind string

// The kinds of events; see Key. The values are stored.
const (
	EventLaunched    EventKind = "launched"
	EventTwin        EventKind = "twin" // a second launch of the same thing, merged into this one
	EventWaveOpened  EventKind = "wave_opened"
	EventWaveStopped EventKind = "wave_stopped"
	EventQuotaMet    EventKind = "quota_met"
	EventReopened    EventKind = "reopened"
	EventReliefMet   EventKind = "relief_met"  // the relief of a wave has its people
	EventReliefOpen  EventKind = "relief_open" // it misses some again
	EventKeptBack    EventKind = "kept_back"   // those of a relief were told so
	EventStandDown   EventKind = "stand_down"
	EventRepeated    EventKind = "repeated"
	EventProgress    EventKind = "progress"
	EventExtended    EventKind = "extended"
	EventManualCall  EventKind = "manual_call"
	EventArrival     EventKind = "arrival"
	EventDeparture   EventKind = "departure"
	EventRoll        EventKind = "roll" // a service said who was there already
	EventAttached    EventKind = "attached"
	EventStop        EventKind = "stop"
	EventGuarded     EventKind = "guarded"
	EventEnded       EventKind = "ended"
	EventKilled      EventKind = "killed"
	EventConfirmed   EventKind = "confirmed"  // a second person let it leave
	EventOverridden  EventKind = "overridden" // nobody did, and the first one launched alone
	// The money of the alert: eight tenths of its ceiling are spent; the ceiling is
	// reached and what has a price waits; it is passed and nothing waits, since lives
	// are at stake; a person lifted it.
	EventBudgetNear    EventKind = "budget_near"
	EventBudgetReached EventKind = "budget_reached"
	EventBudgetPassed  EventKind = "budget_passed"
	EventBudgetLifted  EventKind = "budget_lifted"
	EventLinksSilent   EventKind = "links_silent" // nobody answers by link: the isolated mode was set
	EventLinksBack     EventKind = "links_back"   // somebody does: it ended
)

// Event is one line of the timeline.
type Event struct {
	ID     uuid.UUID
	At     time.Time
	Kind   EventKind
	By     string
	Wave   int
	People int
	// Text is what a person wrote: a progress message, a name.
	Text string
}

// RecipientFilter chooses recipients of an alert; zero fields choose everyone.
type RecipientFilter struct {
	State   State
	Meaning Meaning
	LeftOut LeftOut
	// Wave is 1 for the first wave; 0 means every wave.
	Wave          int
	Site, Service uuid.UUID
	Skill         string
	// Text is looked for in names.
	Text string
	// Stopped chooses those who wrote STOP, Unread those with an answer nobody could read.
	Stopped, Unread bool
}

// Page asks for a part of a list: after the id of the last line seen.
type Page struct {
	After uuid.UUID
	// Limit is 1 to 500; 0 means 50.
	Limit int
}

// Recipient is a person of an alert.
type Recipient struct {
	ID, Person            uuid.UUID
	LastName, FirstName   string
	Metier                string
	Qualifications        []string
	Language              string
	SiteName, ServiceName string
	Wave                  int
	State                 State
	LeftOut               LeftOut
	Meaning               Meaning
	// Minutes is the announced delay, -1 when not said.
	Minutes                                int
	ETA                                    time.Time
	CalledAt, ReachedAt, AnsweredAt, Came  time.Time
	NextAt                                 time.Time
	Sent                                   int
	Stopped, Unread, StoodDown, WentByHand bool
	Attempts                               []Attempt
	Answers                                []Answer
	// Stays are what the door noted, the oldest first; lists leave them out.
	Stays []Stay
}

// Attempt is one message to a person.
type Attempt struct {
	ID      uuid.UUID
	Medium  channels.Medium
	Purpose Use
	// Address is masked unless the reader may see numbers.
	Address string
	State   AttemptState
	Reason  channels.Reason
	// At is when it was queued; the others are zero until they happen.
	At, SubmittedAt, DeliveredAt, FailedAt time.Time
	Doubled                                bool
}

// AttemptState is what became of a message.
type AttemptState string

// The states of a message. The values are stored.
const (
	AttemptQueued    AttemptState = "queued"
	AttemptSubmitted AttemptState = "submitted"
	AttemptDelivered AttemptState = "delivered"
	AttemptFailed    AttemptState = "failed"
	AttemptExpired   AttemptState = "expired"
	AttemptWithdrawn AttemptState = "withdrawn"
	AttemptGuarded   AttemptState = "guarded"
)

// Answer is one answer as it was given.
type Answer struct {
	ID        uuid.UUID
	Recipient uuid.UUID
	At        time.Time
	Source    Source
	// Meaning is empty when nobody could read it, "stop" for a STOP.
	Meaning Meaning
	Minutes int
	// Text is what was written; empty from the link.
	Text string
	// By is who noted it, for a call by hand.
	By   string
	Late bool
	// Received is when it reached us, for one that waited for a network; zero otherwise.
	Received time.Time
}

// Source is how an answer came.
type Source string

// The sources of answers. The values are stored.
const (
	BySMS   Source = "sms"
	ByEmail Source = "email"
	ByChat  Source = "chat"
	ByVoice Source = "voice" // a key of the telephone, confirmed by a second one
	ByLink  Source = "link"
	BySpace Source = "space" // in his own space, or from a button of a notification
	ByHand  Source = "hand"  // noted by the cell after a call
)

// UnmatchedReply is a reply from a sender no alert wrote to.
type UnmatchedReply struct {
	ID     uuid.UUID
	At     time.Time
	Medium channels.Medium
	From   string
	Text   string
	// Meaning is what the parser read.
	Meaning Meaning
	Minutes int
}

// Link is what the answer page of an agent shows.
type Link struct {
	// Found is false for an unknown or expired code; the page says so without more.
	Found          bool
	Establishment  string
	Title          string
	Mode           Mode
	Profile        Profile
	State          LaunchState
	Language       string
	FirstName      string
	Message        string
	WhereToGo      string
	WhatToBring    string
	Answers        []Option
	Given          Meaning
	GivenMinutes   int
	GivenAt        time.Time
	LaunchedAt     time.Time
	Zone           *time.Location
	AcceptsAnswers bool
	// Recalled tells that an order waits for him beside this page.
	Recalled bool
}
