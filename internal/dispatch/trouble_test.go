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
	refuse := func(reason channels.Reason, state channels.State, down bool, retry time.Duration) func(channels.Message) channels.Outcome {
		return func(channels.Message) channels.Outcome {
			return channels.Outcome{State: state, Reason: reason, GatewayDown: down, Detail: "said by the peer", RetryAfter: retry}
		}
	}
	for name, tt := range map[string]struct {
		answer func(channels.Message) channels.Outcome
		lasts  time.Duration
		want   channels.Reason
	}{
		"a wrong password":        {refuse(channels.ReasonAuth, channels.Retry, true, 0), 2 * time.Minute, channels.ReasonAuth},
		"a suspended account":     {refuse(channels.ReasonSuspended, channels.Retry, true, 0), 2 * time.Minute, channels.ReasonSuspended},
		"a policy that blocks us": {refuse(channels.ReasonPolicy, channels.Refused, false, 0), 2 * time.Minute, channels.ReasonPolicy},
		"a brake that lasts":      {refuse(channels.ReasonThrottled, channels.Retry, false, time.Second), 13 * time.Minute, channels.ReasonThrottled},
		"a number that is wrong":  {refuse(channels.ReasonInvalidAddress, channels.Refused, false, 0), 2 * time.Minute, channels.ReasonNone},
		"an operator that sleeps": {refuse(channels.ReasonUnreachable, channels.Retry, true, 0), 2 * time.Minute, channels.ReasonNone},
		"a brake that passes":     {refuse(channels.ReasonThrottled, channels.Retry, false, time.Second), 5 * time.Minute, channels.ReasonNone},
	} {
		t.Run(name, func(t *testing.T) {
			h := lite(t, channels.SMS)
			watch := &nightWatch{}
			h.d.Warn(watch)
			h.air.Answer(tt.answer)
			h.open(nil)
			h.post(8)
			h.within("the peer was asked", func() bool {
				h.clock.Advance(time.Second)
				return h.air.Count() >= 8 || h.air.Count() > 0 && tt.want != channels.ReasonPolicy
			})
			look := func() {
				t.Helper()
				if err := h.d.LookForTroubles(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			// Refusals are counted once the clerk has them back.
			h.within("the outcomes are known", func() bool { return h.settled(tt.want) })
			for range int(tt.lasts / (10 * time.Second)) {
				look()
				h.clock.Advance(10 * time.Second)
			}
			look()
			said := watch.heard()
			if tt.want == channels.ReasonNone {
				if len(said) != 0 {
					t.Errorf("told %+v", said)
				}
				return
			}
			if len(said) != 1 || said[0].Reason != tt.want || said[0].Over || said[0].Medium != channels.SMS || said[0].Name == "" {
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

// settled tells that the node has seen what the peer answered: what is refused for
// one address fails, and what is refused altogether shuts the gateway.
func (h *house) settled(reason channels.Reason) bool {
	h.t.Helper()
	if reason == channels.ReasonPolicy {
		return len(h.sink.Of(dispatch.FactFailed)) >= 8
	}
	panels, err := h.d.Panels(h.t.Context(), h.scope)
	if err != nil {
		h.t.Fatal(err)
	}
	return !panels[0].View.Carrying || !panels[0].View.Health.Up || len(h.sink.Of(dispatch.FactFailed)) > 0
}
