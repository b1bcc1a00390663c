package dispatch

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// Campaign is one alert (or one mailing of another room): what a kill stops,
// and what the runaway limits count.
type Campaign struct {
	ID uuid.UUID
	// Mode is kept for the operator ("reel", "exercice", "test"); dispatch does not read it.
	Mode string
	// MaxPerSubject and MaxTotal bound the deliveries of one subject and of the
	// whole campaign; 0 means no limit.
	MaxPerSubject, MaxTotal int
	// Ceiling is what the campaign may cost, in millionths of a euro; 0 means no
	// limit. CeilingStops makes messages with a price wait once it is reached.
	Ceiling      int64
	CeilingStops bool
}

// Content is a text shared by many deliveries. In Subject and Text, "{lien}" is
// replaced by the delivery's Link and "{jeton}" by its Token when it leaves.
type Content struct {
	ID       uuid.UUID
	Medium   channels.Medium
	Language string
	Subject  string
	Text     string
	// Linkless is Text as it leaves in isolated mode; empty is Text without its link.
	Linkless string
	// Answers are what a medium with keys proposes.
	Answers []channels.Answer
	// Recording is said in place of Text by a medium that speaks.
	Recording channels.Recording
	// Reserved is told after the addressee's code by a medium that speaks; Text is then
	// for anybody.
	Reserved channels.Reserved
}

// Order is one message for one address. ID is the delivery's id: the same ID
// twice is one delivery.
type Order struct {
	ID       uuid.UUID
	Campaign uuid.UUID
	// Subject is who it is for, as the ordering room knows them.
	Subject uuid.UUID
	Content uuid.UUID
	Medium  channels.Medium
	Address string
	Link    string
	Token   string
	// Purpose says why in the words of the ordering room ("call", "progress", "end").
	// The same content for the same purpose and wave goes to an address once.
	Purpose string
	Wave    int
	// Priority 0 leaves first; within a priority, low waves first.
	Priority int
	// NotBefore is the first instant it may leave; zero means now.
	NotBefore time.Time
	// ExpiresAt is the instant after which it must not leave; zero means never.
	ExpiresAt time.Time
	Quiet     bool
}

// Selection says which queued deliveries of a campaign are meant. An empty
// field selects everything.
type Selection struct {
	Subjects []uuid.UUID
	Purposes []string
	Waves    []int
	Medium   channels.Medium
}

// State is where a delivery stands. The values are stored.
type State string

// The states of a delivery.
const (
	Queued    State = "queued"    // waits, or is in flight
	Accepted  State = "accepted"  // a gateway took the responsibility
	Delivered State = "delivered" // the peer says that it arrived, all parts
	Failed    State = "failed"    // refused for good, before or after acceptance
	Expired   State = "expired"   // its time passed before it could leave
	Withdrawn State = "withdrawn" // taken back, or stopped by a kill
	Guarded   State = "guarded"   // over a runaway limit: kept, not sent
	Merged    State = "merged"    // the same text already goes to this address
)
