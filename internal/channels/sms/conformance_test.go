package sms_test

import (
	"fmt"
	"maps"
	"strconv"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/sms"
	peer "tocsin/test/peers/smpp"
)

// badNumber is a number the peer refuses, in the range reserved for fiction.
const badNumber = "+33639989999"

// number returns the nth number of the range reserved for fiction (06 39 98).
func number(n int) string { return fmt.Sprintf("+3363998%04d", n) }

// nodePeer plugs the npm gateway into the suite.
type nodePeer struct{ *peer.Node }

func (p nodePeer) Settings() channels.Settings {
	return settings(p.Node, channels.Settings{"response_timeout": "2", "connect_timeout": "2", "enquire_link": "1"})
}

func (p nodePeer) Behave(b channelstest.Behaviour) {
	p.Node.Behave(peer.Behaviour{Mode: string(b)})
}

func (p nodePeer) Tell(n channelstest.News) {
	index, err := strconv.Atoi(n.About.Raw)
	if err != nil {
		panic(err)
	}
	p.Node.Tell(peer.News{About: index, Undelivered: n.Undelivered, Reply: n.Reply})
}

func (p nodePeer) State() channelstest.State {
	s := p.Node.State()
	out := channelstest.State{Unacknowledged: s.Unacknowledged, Refusals: s.Refusals}
	for _, m := range s.Received {
		out.Received = append(out.Received, channelstest.Received{
			To: m.To, Text: m.Text, ProviderID: m.ID, Raw: strconv.Itoa(m.Index), ExpiresAt: m.ExpiresAt(),
		})
	}
	return out
}

// settings reach a gateway; more adds to them.
func settings(n *peer.Node, more channels.Settings) channels.Settings {
	s := channels.Settings{
		"host": "127.0.0.1", "port": strconv.Itoa(n.Port), "system_id": "hopital", "password": "secret",
		"source": "+33639980000",
	}
	maps.Copy(s, more)
	return s
}

func TestConformance(t *testing.T) {
	channelstest.Run(t, channelstest.Suite{
		Kind:    sms.Kind{},
		Locales: sms.Locales,
		Start: func(t *testing.T) channelstest.Peer {
			return nodePeer{peer.StartNode(t, peer.Options{Refuse: []string{badNumber[1:]}})}
		},
		Address:    number,
		BadAddress: badNumber,
		WrongCredentials: func(s channels.Settings) channels.Settings {
			wrong := maps.Clone(s)
			wrong["password"] = "faux"
			return wrong
		},
		CarriesExpiry:    true,
		UncertainWhenCut: true,
	})
}
