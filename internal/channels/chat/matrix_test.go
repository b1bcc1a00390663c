package chat_test

import (
	"fmt"
	"maps"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/chat"
	"tocsin/test/peers/matrixsim"
)

func agent(n int) string { return fmt.Sprintf("@agent%04d:%s", n, matrixsim.Name) }

// peer drives the simulated homeserver for the suite.
type peer struct {
	t *testing.T
	*matrixsim.Server
}

func (p peer) Settings() channels.Settings {
	return channels.Settings{"server": p.URL(), "token": matrixsim.Token, "clear": "true", "room_key": "clef-des-salons", "connect_timeout": "1", "response_timeout": "1"}
}

func (p peer) Behave(b channelstest.Behaviour) {
	p.Server.Behave(map[channelstest.Behaviour]matrixsim.Manner{
		channelstest.Accept: matrixsim.Accept, channelstest.Throttle: matrixsim.Throttle, channelstest.Silent: matrixsim.Silent,
		channelstest.Cut: matrixsim.Cut, channelstest.Down: matrixsim.Down,
	}[b])
}

func (p peer) State() channelstest.State {
	var out channelstest.State
	for _, m := range p.Messages() {
		out.Received = append(out.Received, channelstest.Received{To: m.To, Text: m.Text, ProviderID: m.EventID, Raw: m.Room})
	}
	out.Unacknowledged, out.Refusals = p.Unread()
	return out
}

func (p peer) Tell(n channelstest.News) {
	if n.Reply == "" {
		p.Read(n.About.To, n.About.ProviderID)
		return
	}
	p.Say(n.About.To, n.About.To, matrixsim.Text(n.Reply))
}

func TestMatrixConformance(t *testing.T) {
	channelstest.Run(t, channelstest.Suite{
		Kind:       chat.Matrix{Loopback: true},
		Locales:    chat.Locales,
		Start:      func(t *testing.T) channelstest.Peer { return peer{t, matrixsim.Start(t)} },
		Address:    agent,
		BadAddress: matrixsim.Stranger + ":" + matrixsim.Name,
		WrongCredentials: func(s channels.Settings) channels.Settings {
			wrong := maps.Clone(s)
			wrong["token"] = "faux"
			return wrong
		},
		UncertainWhenCut: true,
		OnlyGood:         true,
	})
}
