package dispatch

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// MediumView is what one medium of a campaign has done so far.
type MediumView struct {
	Medium channels.Medium
	// Queued counts what waits, Sending what a gateway holds right now.
	Queued, Sending, Accepted, Delivered, Failed int64
	Expired, Withdrawn, Guarded, Merged          int64
	// Doubles counts deliveries that may have left twice.
	Doubles int64
	// PerSecond is the mean of what gateways accepted over the last ten seconds; of the
	// calls that ended over the last minute.
	PerSecond float64
	// Lines are those of the telephone gateways that carry it, Busy those in use by
	// any alert; 0 for the media without lines.
	Lines, Busy int64
	// OldestQueued is since when the oldest waiting delivery could have left; zero when none waits.
	OldestQueued time.Time
	// EstimatedEnd is when the queue is empty at this rate; zero when unknown or done.
	EstimatedEnd time.Time
}

// GatewayView is one way out, as an operator would say it.
type GatewayView struct {
	ID     uuid.UUID
	Name   string
	Medium channels.Medium
	// Running is false when this node does not drive the gateway (disabled, or not started).
	Running bool
	// Carrying is true for a gateway that takes messages now; false when it stands by
	// behind a better one, or is paused.
	Carrying bool
	// Lines are the calls its contract allows at once, and Busy those under way from any
	// node; 0 for what has no lines.
	Lines, Busy int64
	// Routes are the destinations it carries, when it does not carry them all.
	Routes []string
	Health channels.Health
}

// CampaignView is the progress of a campaign; it costs the same at 100 and at
// 100,000 deliveries.
type CampaignView struct {
	// StoppedAt is when the campaign was killed; zero when it runs.
	StoppedAt time.Time
	Spending  Spending
	Media     []MediumView
	Gateways  []GatewayView
	// Conference is who is in its audio conference.
	Conference Conference
}

// Attempt is one try to send one delivery, or what became of it without one.
type Attempt struct {
	Delivery uuid.UUID
	Medium   channels.Medium
	Address  string
	Purpose  string
	Wave     int
	// Gateway is its name; empty when no gateway was involved.
	Gateway string
	State   State
	Reason  channels.Reason
	// Detail is what the peer said, for the operator.
	Detail string
	// Double is true when the delivery may have left twice.
	Double bool
	At     time.Time
}
