package dispatch

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
)

// FactKind is what happened to a delivery.
type FactKind string

// The kinds of facts. The values are stored.
const (
	FactAccepted       FactKind = "accepted"
	FactDelivered      FactKind = "delivered"
	FactFailed         FactKind = "failed"
	FactExpired        FactKind = "expired"
	FactWithdrawn      FactKind = "withdrawn"
	FactGuarded        FactKind = "guarded"
	FactMerged         FactKind = "merged"          // another delivery carries the same text to this address
	FactDoublePossible FactKind = "double_possible" // it may have left already and is sent again
)

// Fact is one thing that happened to one delivery. Its ID never changes, so
// that a fact passed twice is recognised: it is derived from Delivery and Kind.
type Fact struct {
	ID       uuid.UUID
	Campaign uuid.UUID
	Subject  uuid.UUID
	Delivery uuid.UUID
	Medium   channels.Medium
	Address  string
	Kind     FactKind
	Reason   channels.Reason
	Purpose  string
	Wave     int
	At       time.Time
}

// Reply is what a person sent back, with whom it is taken for: by its token,
// else by the newest delivery sent to that address. Campaign and Subject are
// Nil when nobody matches.
type Reply struct {
	ID       uuid.UUID
	Medium   channels.Medium
	From     string
	Text     string
	Token    string
	At       time.Time
	Campaign uuid.UUID
	Subject  uuid.UUID
}

// Sink hears what happened. Calls are made one at a time for an establishment,
// carry at most 1,000 items of that establishment, and are repeated until the
// sink returns nil: it must recognise an item by its ID. A receipt may be told
// before the acceptance it follows.
type Sink interface {
	Facts(ctx context.Context, scope access.Scope, now time.Time, facts []Fact) error
	Replies(ctx context.Context, scope access.Scope, now time.Time, replies []Reply) error
}

// Verdict is what a fact says of an address, whoever sent to it.
type Verdict string

// The verdicts. The faults of a gateway say nothing of the address.
const (
	VerdictNone    Verdict = ""
	VerdictReached Verdict = "reached"
	VerdictFailed  Verdict = "failed"  // not this time
	VerdictUnknown Verdict = "unknown" // no such number, no such mailbox
	VerdictBlocked Verdict = "blocked" // the operator refuses it
)

// Verdict tells what the fact teaches about its address.
func (f Fact) Verdict() Verdict {
	if f.Kind == FactDelivered {
		return VerdictReached
	}
	if f.Kind != FactFailed {
		return VerdictNone
	}
	switch f.Reason {
	case channels.ReasonInvalidAddress:
		return VerdictUnknown
	case channels.ReasonBlocked:
		return VerdictBlocked
	case channels.ReasonMailboxFull, channels.ReasonRejected, channels.ReasonExpired:
		return VerdictFailed
	}
	return VerdictNone
}
