package directory

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/dispatch"
)

// The kinds of contact points. The values are stored.
const (
	Mobile    = "mobile"
	Landline  = "landline"
	Extension = "extension"
	Email     = "email"
	Pager     = "pager"
	// Chat is an account on Matrix or Tchap.
	Chat = "chat"
	// Device stands for the devices of a person that receive notifications, all
	// together; it is in no file and on no sheet.
	Device = "device"
)

// Kinds lists the contact points that files and sheets hold, in the order of
// preference of an ordinary night: a mobile first.
func Kinds() []string { return []string{Mobile, Landline, Extension, Email, Chat, Pager} }

// The media a person may refuse, and those of a ContactEvent. The values are stored.
const (
	SMS   = "sms"
	Voice = "voice"
	Mail  = "email"
	Beep  = "pager"
	Talk  = "chat"
)

// ContactState is the last thing known of a contact point, the strongest first
// kept: who disowns it outweighs an operator's stop, a stop a bounce, a bounce a failure, an answer a delivery.
type ContactState string

// The states of a contact point.
const (
	NeverTried ContactState = "never"
	Delivered  ContactState = "delivered" // a live number, not yet a proven one
	Answered   ContactState = "answered"  // its owner answered from it: the only proof
	Failed     ContactState = "failed"    // failed since it last worked
	Bounced    ContactState = "bounced"   // refused for good: unknown number, unknown mailbox
	Stopped    ContactState = "stopped"   // the operator blocks it since its owner wrote STOP
	Foreign    ContactState = "foreign"   // who answered says that it is somebody else's
)

// Contact is one way to reach a person.
type Contact struct {
	ID uuid.UUID
	// Kind is one of Kinds, or Device.
	Kind string
	// Address is E.164, the digits of an extension, the digits of a pager, an e-mail address, or the identifier of an account (@name:server).
	Address string
	// Private contact points serve alerts only and are masked on lists.
	Private bool
	// Shared contact points pass from hand to hand (a DECT handset): an answer does not prove who gave it.
	Shared bool
	State  ContactState
	// Rank is the order of preference, from 0.
	Rank int
}

// Usable tells whether a message may be tried on this contact point.
func (c Contact) Usable() bool {
	return c.State != Stopped && c.State != Bounced && c.State != Foreign
}

// Target is a person as an alert needs him: frozen at the instant of Resolve.
type Target struct {
	// Person is the row of this establishment; Human is the same for the rows
	// of one human being on the lists of several establishments.
	Person, Human                         uuid.UUID
	LastName, FirstName, Language, Metier string
	Qualifications                        []string
	// Service and Site are nodes of the organisation; Nil when unknown.
	Service, Site                   uuid.UUID
	ServiceName, SiteName, SiteZone string
	// Contacts are in order of preference; stopped and bounced ones are kept with their state.
	Contacts []Contact
	// Refused lists the media the person refuses: SMS, Voice, Mail, Beep, Talk.
	Refused []string
	// First is the medium by which he asks to be called first at that hour; empty follows the alert.
	First string
	// Absent people are on leave at that instant: never called by an alert.
	Absent bool
	// RestUntil is the end of the rest time, set by hand or opened by the last shift; zero when none.
	RestUntil time.Time
	// Duty is what the plannings say of that instant.
	Duty Duty
	// Protected people (SAMU regulation, exchange operators) stay out of mass waves.
	Protected bool
}

// EventKind is what happened on a contact point.
type EventKind string

// The events of a contact point.
const (
	EventDelivered EventKind = "delivered"
	EventAnswered  EventKind = "answered"
	EventFailed    EventKind = "failed"
	EventBounced   EventKind = "bounced"
	EventStopped   EventKind = "stopped"
)

// ContactEvent tells the directory what an alert learnt of an address.
type ContactEvent struct {
	// Address is as Contact.Address.
	Address string
	// Medium is SMS, Voice, Mail, Beep or Talk.
	Medium string
	Kind   EventKind
	At     time.Time
}

// EventOf is what a fact of the outbox teaches about its address; ok is false
// when it teaches nothing.
func EventOf(f dispatch.Fact) (e ContactEvent, ok bool) {
	e = ContactEvent{Address: f.Address, Medium: string(f.Medium), At: f.At}
	switch f.Verdict() {
	case dispatch.VerdictReached:
		e.Kind = EventDelivered
	case dispatch.VerdictFailed:
		e.Kind = EventFailed
	case dispatch.VerdictUnknown:
		e.Kind = EventBounced
	case dispatch.VerdictBlocked:
		e.Kind = EventStopped
	case dispatch.VerdictNone:
		return e, false
	}
	return e, true
}
