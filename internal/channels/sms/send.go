package sms

import (
	"context"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/wire/smpp"
)

// partTries is how many times the part of a long message is tried when the
// gateway throttles it after taking other parts: leaving the message cut, or
// sending the parts taken once more, would both be worse.
const partTries = 8

// Send tries once. A long message is one try of several parts, in order.
func (c *channel) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if c.expired(m) {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonExpired}
	}
	to, ok := c.config.destination(m.To)
	if !ok {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "not a telephone number"}
	}
	parts, err := c.config.compose(m, to)
	if err != nil {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonRejected, Detail: err.Error()}
	}
	if down, waited := c.waitFirst(ctx); !waited {
		return down
	}
	sent := make([]string, 0, len(parts))
	for n := range parts {
		out := c.sendPart(ctx, m, &parts[n], n > 0)
		sent = append(sent, out.ProviderIDs...)
		if out.State != channels.Accepted {
			// Parts that left may still be shown by some telephones.
			out.ProviderIDs, out.Uncertain = sent, out.Uncertain || n > 0
			return out
		}
	}
	return channels.Outcome{State: channels.Accepted, ProviderIDs: sent}
}

// Weight is the number of segments: contracts count them one by one.
func (c *channel) Weight(m channels.Message) int {
	to, ok := c.config.destination(m.To)
	if !ok {
		return 1
	}
	parts, err := c.config.compose(m, to)
	if err != nil {
		return 1
	}
	return len(parts)
}

func (c *channel) expired(m channels.Message) bool {
	return !m.ExpiresAt.IsZero() && !c.now().Before(m.ExpiresAt)
}

// waitFirst waits for the first bind to be tried, when the channel has just started.
func (c *channel) waitFirst(ctx context.Context) (channels.Outcome, bool) {
	select {
	case <-c.first:
		return channels.Outcome{}, true
	default:
	}
	timer := time.NewTimer(c.config.connect)
	defer timer.Stop()
	select {
	case <-c.first:
		return channels.Outcome{}, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return c.down(), false
}

// down is the outcome when there is no session.
func (c *channel) down() channels.Outcome {
	h := c.Health()
	if h.Reason == channels.ReasonNone || h.Reason == channels.ReasonTimeout {
		h.Reason = channels.ReasonUnreachable // a bind without answer: no connection, and nothing left
	}
	return channels.Outcome{State: channels.Retry, Reason: h.Reason, Detail: h.Detail, GatewayDown: true}
}

// sendPart sends one submit_sm. Only a part that follows others is tried again
// when the gateway throttles.
func (c *channel) sendPart(ctx context.Context, m channels.Message, part *smpp.Message, insist bool) channels.Outcome {
	var out channels.Outcome
	for try := 1; ; try++ {
		out = c.submit(ctx, m, part)
		if out.Reason != channels.ReasonThrottled || !insist || try == partTries {
			return out
		}
		timer := time.NewTimer(out.RetryAfter)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return out
		}
	}
}

func (c *channel) submit(ctx context.Context, m channels.Message, part *smpp.Message) channels.Outcome {
	if left, err := c.pace.wait(ctx); err != nil {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: err.Error(), RetryAfter: max(left, time.Millisecond)}
	}
	// The pace may have held the message past its end.
	if c.expired(m) {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonExpired}
	}
	if !m.MayLeave() {
		return channels.Withheld()
	}
	client := c.pick()
	if client == nil {
		return c.down()
	}
	part.ValidityPeriod = c.config.validityOf(m.ExpiresAt, c.now())
	answer, err := client.Submit(ctx, part)
	if err != nil {
		return failureOf(err)
	}
	out := outcomeOf(answer.Status)
	switch {
	case out.State == channels.Accepted:
		c.pace.accepted()
		if id := canonical(answer.ID); id != "" {
			out.ProviderIDs = []string{id}
		}
	case out.Reason == channels.ReasonThrottled:
		out.RetryAfter = max(c.pace.throttled(), time.Millisecond)
	}
	return out
}
