package voice_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/voice"
	peer "tocsin/test/peers/sip"
)

// exchange is a sipp over TCP, another one for each behaviour, on the same port.
type exchange struct {
	t    *testing.T
	port int

	mu    sync.Mutex
	sipps []*peer.Sipp
}

// nobody is the end of the number that does not exist.
const nobody = "9999"

func newExchange(t *testing.T) channelstest.Peer {
	e := &exchange{t: t, port: peer.FreePort(t)}
	e.Behave(channelstest.Accept)
	return e
}

func (e *exchange) Settings() channels.Settings {
	return settings(e.port, channels.Settings{"transport": "tcp", "response_timeout": "2"})
}

func (e *exchange) Behave(b channelstest.Behaviour) {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.sipps); n > 0 {
		e.sipps[n-1].Stop()
	}
	scenario := peer.Exchange(nobody, 1200*time.Millisecond, 900*time.Millisecond, "2", "1")
	switch b {
	case channelstest.Down:
		return
	case channelstest.Silent:
		scenario = peer.Mute()
	}
	e.sipps = append(e.sipps, peer.Start(e.t, peer.Options{Scenario: scenario, TCP: true, Port: e.port}))
}

// Tell has nothing to say: who answers does so during the call.
func (e *exchange) Tell(channelstest.News) { e.t.Error("nothing comes back after a call") }

func (e *exchange) State() (s channelstest.State) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.sipps {
		for _, step := range one.Steps() {
			if to, ok := strings.CutPrefix(step, "to="); ok {
				s.Received = append(s.Received, channelstest.Received{To: strings.TrimSuffix(to, "@")})
			}
		}
	}
	return s
}

func TestConformance(t *testing.T) {
	channelstest.Run(t, channelstest.Suite{
		Kind: newKind(), Locales: voice.Locales, Start: newExchange, Spoken: true,
		Address:    func(n int) string { return "+3363998" + strconv.Itoa(1000+n) },
		BadAddress: "+3363998" + nobody,
		// A telephone network asks nobody to slow down, it has no way for now; and a
		// connection that is cut in the middle of a call is a call that is silent.
		Unknown: []channelstest.Behaviour{channelstest.Throttle, channelstest.Cut},
		Many:    12,
	})
}
