package channelstest

import (
	"io/fs"
	"testing"
	"time"

	"tocsin/internal/channels"
)

// Peer is the other side of a channel, as the suite drives it. Its methods end
// the test by themselves when the peer cannot be driven.
type Peer interface {
	// Settings reach the peer with the right credentials; deadlines are short
	// (a second or two), so that silence is noticed soon.
	Settings() channels.Settings
	// Behave says how the peer treats the messages that come from now on.
	Behave(Behaviour)
	// Tell has the peer send the news, and send it again until the channel
	// acknowledges it. It does not wait for that.
	Tell(News)
	// State is what the peer saw so far.
	State() State
}

// Behaviour is how a peer treats a message.
type Behaviour string

// The behaviours. A peer starts with Accept.
const (
	// Accept takes every message but the ones for Suite.BadAddress, which it
	// refuses in every behaviour.
	Accept Behaviour = "accept"
	// Throttle asks to slow down, message after message.
	Throttle Behaviour = "throttle"
	// Silent takes the message and never answers.
	Silent Behaviour = "silent"
	// Cut takes the message and drops the connection instead of answering. It
	// accepts new connections.
	Cut Behaviour = "cut"
	// Down drops the connections and accepts none.
	Down Behaviour = "down"
)

// News is what a peer says on its own: a receipt for a message it accepted, or a reply.
type News struct {
	// About is the message the news is about. A reply comes from its address.
	About Received
	// Reply is the text sent back; empty for a receipt.
	Reply string
	// Undelivered makes the receipt a failure.
	Undelivered bool
}

// Received is a message as the peer took it, its parts joined.
type Received struct {
	To, Text string
	// Subject is empty for the media without one.
	Subject string
	// ProviderID is the id the peer gave, as the channel reports it.
	ProviderID string
	// Raw is what the peer needs to find the message again for Tell.
	Raw string
	// ReplyToken is the token a reply is to carry, for the media that have one.
	ReplyToken string
	// ExpiresAt is the expiry the message carried, zero when it carried none.
	ExpiresAt time.Time
}

// State is what a peer saw.
type State struct {
	// Received are the messages taken, complete ones only, in order.
	Received []Received
	// Unacknowledged counts the news not acknowledged by the channel yet.
	Unacknowledged int
	// Refusals counts the times the channel refused news for now.
	Refusals int
}

// Suite describes a channel to the tests.
type Suite struct {
	Kind channels.Kind
	// Locales are the channel's own catalogues.
	Locales fs.FS
	// Start starts a fresh peer that ends with the test.
	Start func(t *testing.T) Peer
	// Devices knows the devices that the addresses name; nil for media without.
	Devices channels.Devices
	// Address returns the nth valid address, different for each n, in a range
	// reserved for fiction.
	Address func(n int) string
	// BadAddress is well written, and refused by the peer.
	BadAddress string
	// WrongCredentials returns the settings with a wrong password; nil when the
	// medium has none.
	WrongCredentials func(channels.Settings) channels.Settings
	// CarriesExpiry is true when the protocol tells the peer until when a
	// message is worth delivering.
	CarriesExpiry bool
	// UncertainWhenCut is what a cut in the middle proves: true when the peer
	// may have kept the message.
	UncertainWhenCut bool
	// Unknown are the behaviours that no peer of this medium has: a modem, say, asks
	// nobody to slow down.
	Unknown []Behaviour
	// OnlyGood is true for a medium whose receipts only ever tell of success.
	OnlyGood bool
	// Spoken is a medium whose text is said: the peer hears no words, and a person
	// answers by keys during the message. The peer presses 2, then 1.
	Spoken bool
	// Longest is how many letters of a long message the peer takes; without limit when zero.
	Longest int
	// Many is how many messages the test of concurrency sends; 200 when zero.
	Many int
}
