package channels

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// Medium is the kind of road a message takes to a person. The value is stored
// and shown, so it never changes.
type Medium string

// The media known so far; a medium exists here once a channel carries it.
const (
	SMS   Medium = "sms"
	Voice Medium = "voice"
	Email Medium = "email"
	Pager Medium = "pager"
	Push  Medium = "push"
	// Chat is a person on an instant messaging service.
	Chat Medium = "chat"
	// Room is the room of a team, told by its own gateway: the address is the gateway.
	Room Medium = "room"
)

// Answer is one way to answer that a medium with keys proposes.
type Answer struct {
	// Key is the digit to press.
	Key string `json:"key"`
	// Label is what it says, in the language of the message.
	Label string `json:"label"`
	// Delays are the minutes before arrival to choose among; none asks for no delay.
	Delays []int `json:"delays,omitempty"`
	// Action is the answer as our own pages post it, for the media whose buttons are ours.
	Action string `json:"action,omitempty"`
	// Conference makes the key no answer: it leads to the conference of the alert.
	Conference bool `json:"conference,omitempty"`
}

// Message is one text for one address. All its fields are final: every
// variable is already filled in.
type Message struct {
	// ID is the delivery's id. It stays the same when the message is sent again
	// after a crash: a provider that takes an idempotency key receives it.
	ID uuid.UUID
	// To is an E.164 number for SMS and voice, which also takes the digits of an
	// extension; an address for e-mail; the digits of a pager.
	To string
	// Subject is used by the media that have one.
	Subject string
	// Text is the plain text, in UTF-8.
	Text string
	// Link is the personal answer link, already part of Text; e-mail may show it as a button.
	Link string
	// Language is "fr" or "en".
	Language string
	// Answers are what voice proposes by keys; none asks only for a key that
	// proves that a person listened.
	Answers []Answer
	// Recording is said in place of Text by the media that speak; without one, or
	// where it is gone, Text is.
	Recording Recording
	// Reserved is told in place of Text and Recording once the addressee gave his code:
	// Text is then what anybody who picks up may hear.
	Reserved Reserved
	// Conference is the audio conference that a key of Answers leads to; Nil is none.
	Conference uuid.UUID
	// Dictation is the recording that this call is made for: the person says a text
	// instead of hearing one.
	Dictation Dictation
	// ReplyToken identifies the recipient in a reply (e-mail plus-address); 10 to 32 characters of [a-z0-9].
	ReplyToken string
	// ExpiresAt is the instant after which nobody may receive the message any
	// more; zero means no limit.
	ExpiresAt time.Time
	// Leave is asked just before the message, and each part of it, is handed to
	// the peer, after every wait of the channel; nil means always. When the
	// answer is no, nothing more is handed over and the outcome is Withheld.
	Leave Permit
	// Quiet asks the medium to make no more noise than it must (profile
	// "discret"). An SMS cannot: the telephone decides whether it rings.
	Quiet bool
}

// Permit tells whether a message may leave at this very moment: between the
// order and the peer there are waits, and an alert can be stopped meanwhile.
type Permit interface {
	MayLeave() bool
	// Recalled tells that the alert was stopped: what is under way ends at once.
	Recalled() bool
}

// MayLeave asks the permit of the message.
func (m Message) MayLeave() bool { return m.Leave == nil || m.Leave.MayLeave() }

// Recalled asks whether what is under way must end at once; a call can, an SMS cannot.
func (m Message) Recalled() bool { return m.Leave != nil && m.Leave.Recalled() }

// State is what a channel knows after one try.
type State string

// The three answers of a try.
const (
	// Accepted means that the peer took the responsibility for the message.
	Accepted State = "accepted"
	// Retry means that nothing proves the message left; try later.
	Retry State = "retry"
	// Refused means never with this message and this address.
	Refused State = "refused"
)

// Reason is why a try or a delivery did not succeed. Each has a sentence in
// the catalogues under "channels.reason.".
type Reason string

// The closed list of reasons.
const (
	ReasonNone           Reason = ""
	ReasonThrottled      Reason = "throttled"       // the peer asks us to slow down
	ReasonUnreachable    Reason = "unreachable"     // no connection to the peer
	ReasonTimeout        Reason = "timeout"         // the peer did not answer in time: unknown whether it took the message
	ReasonAuth           Reason = "auth"            // the peer refuses our credentials
	ReasonInvalidAddress Reason = "invalid_address" // the number or mailbox does not exist
	ReasonBlocked        Reason = "blocked"         // the address refuses us (STOP, blacklist)
	ReasonMailboxFull    Reason = "mailbox_full"
	ReasonExpired        Reason = "expired"
	ReasonRejected       Reason = "rejected" // any other final refusal
	ReasonPeerError      Reason = "peer_error"
	ReasonSuspended      Reason = "suspended" // the provider closed our account, or wants to be paid
	ReasonPolicy         Reason = "policy"    // the peer refuses us, whoever the message is for
	// ReasonBudget is said of a message that waits: its alert has reached its ceiling of cost.
	ReasonBudget Reason = "budget"

	ReasonBusy        Reason = "busy"        // the line is taken
	ReasonNoAnswer    Reason = "no_answer"   // nobody picked up
	ReasonDeclined    Reason = "declined"    // the person refused the call
	ReasonNoKey       Reason = "no_key"      // somebody or a voicemail picked up, and no key was pressed
	ReasonNoCode      Reason = "no_code"     // the text is reserved, and the person chose no code
	ReasonWrongCode   Reason = "wrong_code"  // the text is reserved, and the code was not given
	ReasonCongestion  Reason = "congestion"  // the telephone network has no way for now
	ReasonInterrupted Reason = "interrupted" // the alert was stopped during the call
)

// Outcome is the truth about one try.
type Outcome struct {
	State  State
	Reason Reason
	// ProviderIDs are the peer's identifiers, one per part sent; receipts name them.
	ProviderIDs []string
	// Delivered is true when the try itself proves that a person has the message: a
	// key pressed during a call.
	Delivered bool
	// Detail is what the peer said, for the log and the operator; never shown as is to an agent.
	Detail string
	// RetryAfter is the shortest wait the peer asks for; zero lets the caller choose.
	RetryAfter time.Duration
	// Alone is true when RetryAfter concerns the destination of this message only:
	// others may pass by the same gateway meanwhile.
	Alone bool
	// Uncertain is true when the message may have left although no answer came back.
	Uncertain bool
	// Withheld is true when the permit of the message was refused: what had not
	// left by then did not leave.
	Withheld bool
	// GatewayDown is true when the cause is the gateway and not the message: no other
	// message will pass either until it recovers.
	GatewayDown bool
}

// Withheld is the outcome of a message whose permit was refused.
func Withheld() Outcome { return Outcome{State: Retry, Withheld: true} }

// Receipt is what the peer tells later about a message it accepted.
type Receipt struct {
	ProviderID string
	// MessageID is set instead of ProviderID by media whose reports carry our own id (e-mail bounces).
	MessageID uuid.UUID
	Delivered bool
	// Final is false for intermediate news (enroute, delayed).
	Final  bool
	Reason Reason
	Detail string
	At     time.Time
}

// Reply is what a person sent back.
type Reply struct {
	// PeerID identifies the reply at the peer, to recognise it when it comes twice; may be empty.
	PeerID string
	From   string
	To     string
	// Token is the ReplyToken found in the reply, when the medium carries one.
	Token string
	Text  string
	At    time.Time
}

// Inbox takes what comes back from a peer. Its methods return nil only once
// the items are durable; a channel acknowledges them to its peer after that and
// never before.
type Inbox interface {
	Receipts(ctx context.Context, items []Receipt) error
	Replies(ctx context.Context, items []Reply) error
}

// Channel is one configured way out: a bind to an SMSC, a pool to a relay.
type Channel interface {
	// Send tries once and returns the truth about it. It is called by up to
	// Description.Concurrency goroutines at once. What it took of Links may outlive it
	// (somebody stays in a conference), as long as ctx.
	Send(ctx context.Context, m Message) Outcome
	// Check connects and authenticates without sending anything; the error is a fault
	// with one clear sentence.
	Check(ctx context.Context) error
	// Run keeps the channel alive (connections, listeners) until ctx ends; it
	// reconnects by itself and returns nil after a clean stop.
	Run(ctx context.Context) error
	// Health is a snapshot for the dashboard.
	Health() Health
}

// Health is the state of a channel as an operator would say it.
type Health struct {
	Up bool
	// Since is when Up last changed.
	Since time.Time
	// Reason and Detail say why it is not up.
	Reason Reason
	Detail string
}

// Opening is what a Kind needs to open a channel.
type Opening struct {
	Settings Settings
	Inbox    Inbox
	// Callback is the address at which the peer may call this channel back by
	// HTTP, secret included; empty where nothing listens.
	Callback string
	Log      *slog.Logger
	Now      func() time.Time
	// Switchboard tells what somebody who calls us back may hear; nil knows nobody.
	Switchboard Switchboard
	// Operator talks with those who pilot by telephone; nil talks with nobody.
	Operator Operator
	// Recordings gives the sound of recordings; nil where there are none.
	Recordings Recordings
	// Dictations takes what is recorded by telephone; nil takes nothing.
	Dictations Dictations
	// Codes judges the codes that reserved texts ask for; without it none is right.
	Codes Codes
	// Conferences is the register of the audio conferences; nil has none.
	Conferences Conferences
	// Links says how many connections (or calls) this node may hold; nil means all
	// that the settings name. A kind whose Limits have Links asks it.
	Links Links
	// Devices knows the devices of people; nil where there are none.
	Devices Devices
}

// Links gives the right to connections that the peer counts.
type Links interface {
	// Take waits for the right to one connection. mine ends when the right does,
	// by ErrLinkLost: the channel then closes the connection. giveBack is called
	// once it is closed.
	Take(ctx context.Context) (mine context.Context, giveBack func(), err error)
}

// ErrLinkLost is the cause of the end of a right to a connection.
var ErrLinkLost = errors.New("channels: the connection is another node's now")

// Weigher is a channel for whose contract some messages count more than one.
type Weigher interface {
	// Weight is how many messages of the contract m is.
	Weight(m Message) int
}
