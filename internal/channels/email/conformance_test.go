package email_test

import (
	"fmt"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/email"
)

// joinedKind does in a test what app does in the program: it gives the intake
// the inbox of the channel.
type joinedKind struct {
	email.Kind
	inbox *switchedInbox
}

func (k joinedKind) Open(o channels.Opening) (channels.Channel, error) {
	k.inbox.join(o.Inbox)
	return k.Kind.Open(o)
}

func TestConformance(t *testing.T) {
	joined := &switchedInbox{}
	channelstest.Run(t, channelstest.Suite{
		Kind:       joinedKind{inbox: joined},
		Locales:    email.Locales,
		Start:      func(t *testing.T) channelstest.Peer { return startRelay(t, joined) },
		Address:    func(n int) string { return fmt.Sprintf("agent%d@hopital.test", n) },
		BadAddress: badBox + "@hopital.test",
		WrongCredentials: func(s channels.Settings) channels.Settings {
			s["password"] = "faux"
			return s
		},
		CarriesExpiry:    true,
		UncertainWhenCut: true,
	})
}
