package voice_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	peer "tocsin/test/peers/sip"
)

// missed is a switchboard that knows one number.
type missed struct {
	number string
	m      channels.Message

	mu    sync.Mutex
	asked [][]string
	held  int
}

func (m *missed) Missed(ctx context.Context, addresses []string) (channels.Message, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, addresses)
	if !slices.Contains(addresses, m.number) {
		return channels.Message{}, false, nil
	}
	m.held++
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.held--
	})
	return m.m, true, nil
}

func (m *missed) holds() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held
}

const called = "+33639981001"

// reception opens a trunk that answers, and gives the port where it listens.
func reception(t *testing.T, more channels.Settings) (*bench, *missed, int) {
	t.Helper()
	exchange := peer.Start(t, peer.Options{Scenario: peer.Ring()}) // it answers OPTIONS
	known := &missed{number: called, m: message(1)}
	local := peer.FreePort(t)
	s := channels.Settings{"local_port": strconv.Itoa(local), "answer": "true", "reserve": "2"}
	for k, v := range more {
		s[k] = v
	}
	return openWith(t, settings(exchange.Port, s), nil, known), known, local
}

// Who calls the presented number back hears what he was called for and answers by
// keys, as if we had called; it is proven that a person did.
func TestWhoCallsBackAnswersByKeys(t *testing.T) {
	t.Parallel()
	b, known, local := reception(t, nil)
	caller := peer.Call(t, peer.Calling{Port: local, From: "0639981001", Wait: time.Second, Between: 900 * time.Millisecond, Keys: []string{"1", "2", "1"}})
	if got := caller.Ended(t); got != "answered bye" {
		t.Errorf("the call: %s", got)
	}
	got := b.replies()
	if len(got) != 1 || got[0].Text != "1 30" || got[0].Token != known.m.ReplyToken || got[0].From != called {
		t.Errorf("replies %+v", got)
	}
	receipts, _ := b.inbox.Kept()
	if len(receipts) != 1 || receipts[0].MessageID != known.m.ID || !receipts[0].Delivered || !receipts[0].Final {
		t.Errorf("receipts %+v", receipts)
	}
	channelstest.Eventually(t, "the message is let go of", func() bool { return known.holds() == 0 })
}

// What the network vouches for counts more than what a telephone says of itself.
func TestTheNetworkVouchesForTheCaller(t *testing.T) {
	t.Parallel()
	b, _, local := reception(t, nil)
	forged := peer.Call(t, peer.Calling{Port: local, From: "0639981001", Asserted: "+33799999999", Wait: time.Second, Between: 900 * time.Millisecond, Keys: []string{"2", "1"}})
	if got := forged.Ended(t); got != "answered bye" {
		t.Errorf("the forged call: %s", got)
	}
	if got := b.replies(); len(got) != 0 {
		t.Errorf("a forged caller answered: %+v", got)
	}
	vouched := peer.Call(t, peer.Calling{Port: local, From: "anonymous", Asserted: called, Wait: time.Second, Between: 900 * time.Millisecond, Keys: []string{"2", "1"}})
	if got := vouched.Ended(t); got != "answered bye" {
		t.Errorf("the vouched call: %s", got)
	}
	if got := b.replies(); len(got) != 1 || got[0].Text != "2" {
		t.Errorf("replies %+v", got)
	}
}

// A stranger is answered, whatever keys he presses nothing comes of it, and he
// takes half of the lines at most; beyond the lines a caller hears that they are busy.
func TestStrangersLeaveALine(t *testing.T) {
	t.Parallel()
	b, known, local := reception(t, nil)
	stranger := peer.Call(t, peer.Calling{Port: local, From: "0799999999", Wait: 500 * time.Millisecond, Between: 300 * time.Millisecond, Keys: []string{"1"}})
	channelstest.Eventually(t, "the stranger is answered", func() bool { return strings.Contains(strings.Join(stranger.Steps(), " "), "answered") })
	second := peer.Call(t, peer.Calling{Port: local, From: "anonymous", Refused: "486"})
	if got := second.Ended(t); got != "refused" {
		t.Errorf("a second stranger: %s", got)
	}
	caller := peer.Call(t, peer.Calling{Port: local, From: "+33639981001", Wait: 500 * time.Millisecond, Between: 900 * time.Millisecond, Keys: []string{"2", "1"}})
	if got := caller.Ended(t); got != "answered bye" {
		t.Errorf("who was called: %s", got)
	}
	if got := stranger.Ended(t); got != "answered bye" {
		t.Errorf("the stranger: %s", got)
	}
	if got := b.replies(); len(got) != 1 || got[0].From != known.m.To {
		t.Errorf("replies %+v", got)
	}
}

// The other side hangs up, or describes no sound: the line is free again, and
// nothing was said to anybody.
func TestACallBackThatEndsEarlyFreesTheLine(t *testing.T) {
	t.Parallel()
	b, known, local := reception(t, channels.Settings{"reserve": "1"})
	for range 3 {
		gone := peer.Call(t, peer.Calling{Port: local, From: "0639981001", Wait: 200 * time.Millisecond, HangUp: true})
		if got := gone.Ended(t); got != "answered hungup" {
			t.Errorf("who hangs up: %s", got)
		}
		channelstest.Eventually(t, "the line is free", func() bool { return known.holds() == 0 })
		mute := peer.Call(t, peer.Calling{Port: local, From: "0639981001", Refused: "488", Lines: "v=0\n      m=video 9 RTP/AVP 96\n\n"})
		if got := mute.Ended(t); got != "refused" {
			t.Errorf("no sound: %s", got)
		}
		channelstest.Eventually(t, "the line is free", func() bool { return known.holds() == 0 })
	}
	if got := b.replies(); len(got) != 0 {
		t.Errorf("replies %+v", got)
	}
}

// An alert that is stopped hangs up on those who call back too.
func TestAStoppedAlertHangsUpOnWhoCallsBack(t *testing.T) {
	t.Parallel()
	b, known, local := reception(t, nil)
	alert := &order{}
	known.mu.Lock()
	known.m.Leave = alert
	known.mu.Unlock()
	caller := peer.Call(t, peer.Calling{Port: local, From: "0639981001"})
	channelstest.Eventually(t, "the call is answered", func() bool { return slices.Contains(caller.Steps(), "answered") })
	alert.recalled.Store(true)
	if got := caller.Ended(t); got != "answered bye" {
		t.Errorf("the call: %s", got)
	}
	if got := b.replies(); len(got) != 0 {
		t.Errorf("replies %+v", got)
	}
}
