package sms_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/sms"
	"tocsin/internal/clock"
	"tocsin/internal/wire/smpp"
	peer "tocsin/test/peers/smpp"
)

// running is a channel at work.
type running struct {
	channels.Channel
	t     *testing.T
	inbox *channelstest.Inbox
	// stop ends it before the test does.
	stop func()
}

// run opens a channel and runs it until the test ends.
func run(t *testing.T, in channels.Settings) running {
	t.Helper()
	return runWith(t, in, channelstest.NewInbox())
}

func runWith(t *testing.T, in channels.Settings, inbox *channelstest.Inbox) running {
	t.Helper()
	channel := open(t, in, inbox)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- channel.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return running{channel, t, inbox, stop}
}

func open(t *testing.T, in channels.Settings, inbox channels.Inbox) channels.Channel {
	t.Helper()
	s, err := sms.Kind{}.Describe().Validate(in)
	if err != nil {
		t.Fatal(err)
	}
	channel, err := sms.Kind{}.Open(channels.Opening{
		Settings: s, Inbox: inbox, Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return channel
}

func (r running) send(n int, text string) channels.Outcome {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return r.Send(ctx, channels.Message{ID: uuid.New(), To: number(n), Text: text})
}

func (r running) accepted(n int, text string) channels.Outcome {
	r.t.Helper()
	out := r.send(n, text)
	if out.State != channels.Accepted {
		r.t.Fatalf("outcome %+v", out)
	}
	return out
}

func (r running) up() {
	r.t.Helper()
	channelstest.Eventually(r.t, "the channel is up", func() bool { return r.Health().Up })
}

// receipts waits for n of them.
func (r running) receipts(n int) []channels.Receipt {
	r.t.Helper()
	channelstest.Eventually(r.t, fmt.Sprintf("%d receipts arrive", n), func() bool {
		got, _ := r.inbox.Kept()
		return len(got) >= n
	})
	got, _ := r.inbox.Kept()
	return got
}

func ptr[T any](v T) *T { return &v }

func TestReceiptsNameTheMessageInAnyBase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ ids, form, format string }{
		"decimal, text, auto":            {"decimal", "text", "auto"},
		"decimal, options, auto":         {"decimal", "tlv", "auto"},
		"hexadecimal response, auto":     {"hex", "text", "auto"},
		"hexadecimal response, told":     {"hex", "text", "hex"},
		"hexadecimal response, options":  {"hex", "both", "hex"},
		"hexadecimal twice, auto":        {"both", "text", "auto"},
		"hexadecimal twice, told":        {"both", "both", "same"},
		"decimal, told the same":         {"decimal", "text", "same"},
		"hexadecimal, options, the same": {"hex", "tlv", "same"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := peer.StartNode(t, peer.Options{IDs: c.ids, Form: c.form})
			node.Behave(peer.Behaviour{Receipts: ptr(true)})
			r := run(t, settings(node, channels.Settings{"id_format": c.format}))
			want := make(map[string]bool)
			for n := range 40 {
				want[r.accepted(n, "Plan blanc").ProviderIDs[0]] = true
			}
			for _, got := range r.receipts(40) {
				if !want[got.ProviderID] || !got.Delivered || !got.Final || got.Reason != channels.ReasonNone {
					t.Errorf("receipt %+v names no message sent", got)
				}
			}
		})
	}
}

func TestReceiptBeforeTheResponse(t *testing.T) {
	t.Parallel()
	node := peer.StartNode(t, peer.Options{IDs: "hex"})
	node.Behave(peer.Behaviour{Early: ptr(true)})
	r := run(t, settings(node, channels.Settings{"id_format": "hex"}))
	out := r.accepted(1, "Plan blanc")
	if got := r.receipts(1); got[0].ProviderID != out.ProviderIDs[0] {
		t.Errorf("receipt %+v, outcome %+v", got[0], out)
	}
}

func TestLongMessages(t *testing.T) {
	t.Parallel()
	long := strings.TrimSpace(strings.Repeat("Rejoignez l'entrée Sud, porte n° 3. ", 6) + strings.Repeat("Plan blanc, étage 2. ", 6))
	for mode, c := range map[string]struct{ parts, ref int }{
		"udh8": {6, 0xCD}, "udh16": {6, 0xABCD}, "payload": {1, 0},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			node := peer.StartNode(t, peer.Options{})
			r := run(t, settings(node, channels.Settings{"long": mode}))
			id := uuid.New()
			id[14], id[15] = 0xAB, 0xCD
			// Twice with one id, as after a crash: the parts bear the same reference.
			for range 2 {
				out := r.Send(context.Background(), channels.Message{ID: id, To: number(1), Text: long})
				if out.State != channels.Accepted || len(out.ProviderIDs) != c.parts {
					t.Fatalf("outcome %+v", out)
				}
			}
			got := node.State().Received
			if len(got) != 2 {
				t.Fatalf("received %+v", got)
			}
			for _, m := range got {
				if m.Text != long || m.Parts != c.parts || m.Ref != c.ref || m.Payload != (mode == "payload") || m.Coding != smpp.CodingUCS2 {
					t.Errorf("received %+v", m)
				}
			}
		})
	}
}

func TestThrottledInTheMiddleOfALongMessage(t *testing.T) {
	t.Parallel()
	node := peer.StartNode(t, peer.Options{})
	node.Behave(peer.Behaviour{ThrottleAfter: ptr(1)})
	r := run(t, settings(node, nil))
	r.up()
	time.AfterFunc(400*time.Millisecond, func() { node.Behave(peer.Behaviour{ThrottleAfter: ptr(-1)}) })
	out := r.accepted(1, strings.Repeat("Plan blanc. ", 30))
	got := node.State()
	if len(got.Received) != 1 || got.Received[0].Parts != 3 || len(out.ProviderIDs) != 3 || got.Parts < 4 {
		t.Errorf("state %+v, outcome %+v", got, out)
	}
}

func TestAddressesAndReceiptsAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		more       channels.Settings
		ton        [4]int
		source     string
		registered int
	}{
		"international":  {nil, [4]int{1, 1, 1, 1}, "33639980000", 1},
		"short code":     {channels.Settings{"source": "36000"}, [4]int{3, 0, 1, 1}, "36000", 1},
		"name":           {channels.Settings{"source": "CHU Nord"}, [4]int{5, 0, 1, 1}, "CHU Nord", 1},
		"none":           {channels.Settings{"source": "", "receipts": "none"}, [4]int{0, 0, 1, 1}, "", 0},
		"told otherwise": {channels.Settings{"source_ton": "2", "source_npi": "8", "dest_ton": "0", "dest_npi": "9", "receipts": "failures"}, [4]int{2, 8, 0, 9}, "33639980000", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := peer.StartNode(t, peer.Options{})
			in := settings(node, c.more)
			r := run(t, in)
			r.accepted(1, "Plan blanc")
			got := node.State().Received[0]
			if [4]int(got.TON) != c.ton || got.Source != c.source || got.Registered != c.registered || got.To != number(1)[1:] {
				t.Errorf("received %+v", got)
			}
		})
	}
}

func TestValidity(t *testing.T) {
	t.Parallel()
	for mode, carried := range map[string]bool{"relative": true, "absolute": true, "none": false} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			node := peer.StartNode(t, peer.Options{})
			r := run(t, settings(node, channels.Settings{"validity": mode}))
			end := clock.Real().Now().Add(42 * time.Minute)
			out := r.Send(context.Background(), channels.Message{ID: uuid.New(), To: number(1), Text: "x", ExpiresAt: end})
			if out.State != channels.Accepted {
				t.Fatalf("outcome %+v", out)
			}
			got := node.State().Received[0].ExpiresAt()
			if carried && got.Sub(end).Abs() > 5*time.Second || !carried && !got.IsZero() {
				t.Errorf("carried %s, want %s", got, end)
			}
		})
	}
}

func TestSeveralBindsShareTheLoadAndComeBack(t *testing.T) {
	t.Parallel()
	for mode, sessions := range map[string]int{"transceiver": 3, "separate": 6} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			node := peer.StartNode(t, peer.Options{})
			r := run(t, settings(node, channels.Settings{"bind_mode": mode, "binds": "3", "window": "5"}))
			all := func() bool { return node.State().Sessions == sessions }
			channelstest.Eventually(t, "every bind is made", all)
			r.up()
			many(r, 120)
			node.Behave(peer.Behaviour{Receipts: ptr(true)})
			r.accepted(500, "Plan blanc")
			r.receipts(1)
			if n := node.State().MostInFlight; n > 5 {
				t.Errorf("%d requests in flight on a session, the window is 5", n)
			}
			node.Unbind()
			channelstest.Eventually(t, "every bind comes back after the peer's unbind", func() bool { return node.State().Binds == 2*sessions && all() })
			node.Drop()
			channelstest.Eventually(t, "every bind comes back after a cut", func() bool { return node.State().Binds == 3*sessions && all() })
			r.up()
			r.accepted(501, "Plan blanc")
		})
	}
}

// many sends n messages at once.
func many(r running, n int) {
	r.t.Helper()
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			if out := r.send(i, "Plan blanc"); out.State != channels.Accepted {
				r.t.Errorf("message %d: %+v", i, out)
			}
		})
	}
	group.Wait()
}

func TestRateIsHeld(t *testing.T) {
	t.Parallel()
	node := peer.StartNode(t, peer.Options{})
	r := run(t, settings(node, channels.Settings{"rate": "40"}))
	r.up()
	start := clock.Real().Now()
	many(r, 42)
	// 42 segments at 40 a second, less the burst of 50 ms.
	if took := clock.Real().Now().Sub(start); took < 900*time.Millisecond || took > 10*time.Second {
		t.Errorf("42 messages at 40 a second took %s", took)
	}
}

func TestWrongPasswordIsTheGatewaysFault(t *testing.T) {
	t.Parallel()
	node := peer.StartNode(t, peer.Options{})
	r := run(t, settings(node, channels.Settings{"password": "faux"}))
	out := r.send(1, "Plan blanc")
	if out.State != channels.Retry || out.Reason != channels.ReasonAuth || !out.GatewayDown || out.Uncertain {
		t.Errorf("outcome %+v", out)
	}
	if h := r.Health(); h.Up || h.Reason != channels.ReasonAuth {
		t.Errorf("health %+v", h)
	}
}

func TestStatusesAsTheGatewaySendsThem(t *testing.T) {
	t.Parallel()
	node := peer.StartNode(t, peer.Options{})
	r := run(t, settings(node, nil))
	r.up()
	for status, want := range map[smpp.Status]channels.Outcome{
		smpp.StatusInvalidSource:      {State: channels.Retry, Reason: channels.ReasonPeerError, GatewayDown: true},
		smpp.StatusSystemError:        {State: channels.Retry, Reason: channels.ReasonPeerError},
		smpp.StatusInvalidDestination: {State: channels.Refused, Reason: channels.ReasonInvalidAddress},
		smpp.StatusReceiverPermanent:  {State: channels.Refused, Reason: channels.ReasonRejected},
		smpp.Status(0x455):            {State: channels.Retry, Reason: channels.ReasonPeerError},
	} {
		node.Behave(peer.Behaviour{Mode: "status", Status: ptr(int(status))})
		got := r.send(1, "Plan blanc")
		if got.State != want.State || got.Reason != want.Reason || got.GatewayDown != want.GatewayDown || got.Detail != status.String() {
			t.Errorf("%s: got %+v", status, got)
		}
	}
	node.Behave(peer.Behaviour{Mode: "full"})
	if got := r.send(1, "Plan blanc"); got.State != channels.Retry || got.Reason != channels.ReasonThrottled || got.RetryAfter <= 0 {
		t.Errorf("queue full: got %+v", got)
	}
}
