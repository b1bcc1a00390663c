package dispatch_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
)

// night is who is told of troubles.
type nightWatch struct {
	mu   sync.Mutex
	said []dispatch.Trouble
}

func (w *nightWatch) Troubled(_ context.Context, _ *storage.Tx, _ access.Scope, _ time.Time, t dispatch.Trouble) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, t)
	return nil
}

func (w *nightWatch) heard() []dispatch.Trouble {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.said)
}

// A provider that refuses us is told once it has lasted, once, and so is its
// end; what is no matter of the provider is not.
func TestAProviderThatRefusesUs(t *testing.T) {
	for name, tt := range map[string]struct {
		says  channels.Reason
		state channels.State
		down  bool
		lasts time.Duration
		told  bool
	}{
		"a wrong password":        {channels.ReasonAuth, channels.Retry, true, 2 * time.Minute, true},
		"a suspended account":     {channels.ReasonSuspended, channels.Retry, true, 2 * time.Minute, true},
		"a policy that blocks us": {channels.ReasonPolicy, channels.Refused, false, 2 * time.Minute, true},
		"a brake that lasts":      {channels.ReasonThrottled, channels.Retry, false, 13 * time.Minute, true},
		"a number that is wrong":  {channels.ReasonInvalidAddress, channels.Refused, false, 2 * time.Minute, false},
		"an operator that sleeps": {channels.ReasonUnreachable, channels.Retry, true, 2 * time.Minute, false},
		"a brake that passes":     {channels.ReasonThrottled, channels.Retry, false, 5 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := lite(t, channels.SMS)
			watch := &nightWatch{}
			h.d.Warn(watch)
			h.air.Answer(func(channels.Message) channels.Outcome {
				return channels.Outcome{State: tt.state, Reason: tt.says, GatewayDown: tt.down, Detail: "said by the peer", RetryAfter: time.Second}
			})
			h.open(nil)
			h.post(8)
			h.within("the peer was asked", func() bool {
				h.clock.Advance(time.Second)
				return h.air.Count() >= 8 || h.air.Count() > 0 && tt.says != channels.ReasonPolicy
			})
			look := func() {
				t.Helper()
				if err := h.d.LookForTroubles(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			// Refusals are counted once the clerk has them back.
			h.within("the outcomes are known", func() bool { return h.settled(tt.says) })
			for range int(tt.lasts / (10 * time.Second)) {
				look()
				h.clock.Advance(10 * time.Second)
			}
			look()
			if tt.told { // a busy machine sees the answer after the clock has moved
				h.within("it is told", func() bool {
					look()
					h.clock.Advance(10 * time.Second)
					return len(watch.heard()) > 0
				})
			}
			said := watch.heard()
			if !tt.told {
				if len(said) != 0 {
					t.Errorf("told %+v", said)
				}
				return
			}
			if len(said) != 1 || said[0].Reason != tt.says || said[0].Over || said[0].Medium != channels.SMS || said[0].Name == "" {
				t.Fatalf("told %+v", said)
			}
			panels, err := h.d.Panels(t.Context(), h.scope)
			if err != nil || panels[0].Trouble == nil || panels[0].Trouble.Told.IsZero() {
				t.Errorf("the page says %+v, %v", panels, err)
			}

			h.air.Answer(dispatchtest.Accept)
			c, _ := h.post(1)
			h.within("a message passes", func() bool { h.clock.Advance(time.Second); return h.view(c).Accepted == 1 })
			h.within("the end is told", func() bool { look(); return len(watch.heard()) == 2 })
			if said = watch.heard(); !said[1].Over || said[1].ID != said[0].ID {
				t.Errorf("the end is %+v", said[1])
			}
			look()
			if n := len(watch.heard()); n != 2 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// settled tells that the node has seen what the peer answered, where it shows: what
// is refused for one address fails, and what is refused altogether shuts the gateway.
func (h *house) settled(reason channels.Reason) bool {
	h.t.Helper()
	if reason == channels.ReasonPolicy {
		return len(h.sink.Of(dispatch.FactFailed)) >= 8
	}
	return reason == channels.ReasonThrottled || !h.panel().Health.Up || len(h.sink.Of(dispatch.FactFailed)) > 0
}

func (h *house) panel() dispatch.GatewayView {
	h.t.Helper()
	panels, err := h.d.Panels(h.t.Context(), h.scope)
	if err != nil {
		h.t.Fatal(err)
	}
	return panels[0].View
}
