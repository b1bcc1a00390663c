package pager_test

import (
	"strconv"
	"sync"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/pager"
	"tocsin/test/peers/hylafax"
)

// peer plugs HylaFAX into the suite.
type peer struct {
	t *testing.T
	*hylafax.Server
	// cut ends the power cut that is awaited.
	cut *sync.WaitGroup
}

func (p peer) Settings() channels.Settings {
	return channels.Settings{
		"host": "127.0.0.1", "port": strconv.Itoa(p.Port), "user": hylafax.User, "password": hylafax.Password,
		"command": "SITE JQUEUE yes", "letters": "utf8", "length": "2000", "timeout": "2", "level": "1", "caller": "Tocsin",
	}
}

func (p peer) Behave(b channelstest.Behaviour) {
	switch b {
	case channelstest.Accept:
		p.cut.Wait()
		p.Launch()
	case channelstest.Silent:
		p.Freeze()
	case channelstest.Cut:
		p.Freeze()
		before := p.Submitting()
		p.cut.Go(func() { // the power goes once the page was written down
			channelstest.Eventually(p.t, "a page is being submitted", func() bool { return p.Submitting() > before })
			p.Kill()
		})
	case channelstest.Down:
		p.Kill()
	}
}

func (p peer) Tell(channelstest.News) { p.t.Error("a pager tells nothing") }

func (p peer) State() channelstest.State {
	var out channelstest.State
	for _, page := range p.Queued() {
		out.Received = append(out.Received, channelstest.Received{To: page.To, Text: page.Text})
	}
	return out
}

func TestConformance(t *testing.T) {
	channelstest.Run(t, channelstest.Suite{
		Kind: pager.Kind{}, Locales: pager.Locales,
		Start:      func(t *testing.T) channelstest.Peer { return peer{t, hylafax.Start(t), new(sync.WaitGroup)} },
		Address:    func(n int) string { return strconv.Itoa(70000 + n) },
		BadAddress: "99999",
		WrongCredentials: func(s channels.Settings) channels.Settings {
			s["password"] = "faux"
			return s
		},
		UncertainWhenCut: true, // SEND was written
		Unknown:          []channelstest.Behaviour{channelstest.Throttle},
		Longest:          110,
		Many:             20,
	})
}
