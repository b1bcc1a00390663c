package pager

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
)

// channel is one paging server.
type channel struct {
	config config
	links  channels.Links
	pulse  *channels.Pulse
}

// lookEvery is how often a server that carries nothing is looked at.
const lookEvery = 30 * time.Second

// Run looks whether the server answers, until ctx ends.
func (c *channel) Run(ctx context.Context) error {
	defer c.pulse.Begin()()
	for {
		if link, giveBack, err := c.take(ctx); err == nil {
			s, err := c.config.dial(link)
			c.seen(err)
			if err == nil {
				s.quit()
			}
			giveBack()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-clock.Real().After(lookEvery):
		}
	}
}

// take waits for the right to one connection.
func (c *channel) take(ctx context.Context) (context.Context, func(), error) {
	if c.links == nil {
		return ctx, func() {}, nil
	}
	return c.links.Take(ctx)
}

func (c *channel) seen(err error) {
	refused, isRefusal := errors.AsType[refusal](err)
	switch {
	case err == nil:
		c.pulse.Seen(channels.ReasonNone, "")
	case isRefusal:
		c.pulse.Seen(channels.ReasonAuth, refused.Error())
	default:
		c.pulse.Seen(channels.ReasonUnreachable, err.Error())
	}
}

// Health is what the last page or the last look showed.
func (c *channel) Health() channels.Health { return c.pulse.Health() }

// Check connects and identifies, and pages nobody.
func (c *channel) Check(ctx context.Context) error {
	s, err := c.config.dial(ctx)
	if err == nil {
		s.quit()
		return nil
	}
	key := "channels.snpp.unreachable"
	if _, refused := errors.AsType[refusal](err); refused {
		key = "channels.snpp.refused"
	}
	return fault.Wrap(err, fault.Unavailable, key, "host", c.config.host)
}

// Send pages once, on a connection of its own.
func (c *channel) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if !identifier(m.To) {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "not a pager's number"}
	}
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	link, giveBack, err := c.take(ctx)
	if err != nil {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: err.Error(), RetryAfter: time.Second}
	}
	defer giveBack()
	s, err := c.config.dial(link)
	c.seen(err)
	if err != nil {
		return down(err)
	}
	defer s.quit()
	return c.page(s, m)
}

// page submits one message in a session. Until SEND is written, nothing has left.
func (c *channel) page(s *session, m channels.Message) channels.Outcome {
	commands := append(slices.Clone(c.config.before), "PAGE "+m.To, "MESS "+c.config.words(m.Text))
	for n, command := range commands {
		r, err := s.ask(command)
		switch {
		case err != nil:
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: err.Error()}
		case n < len(c.config.before) && r.code != 421:
			// A server of level 1 knows none of these: the page matters more.
		case r.code/100 != 2:
			return r.refused(command[:4])
		}
	}
	// The session took its time: the permit is asked at the last moment.
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	r, err := s.ask("SEND")
	switch {
	case err != nil && timeout(err):
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout, Detail: err.Error(), Uncertain: true}
	case err != nil:
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: err.Error(), Uncertain: true}
	case r.code/100 == 2 || r.code/100 == 8 || r.code/100 == 9: // 860 delivered, 960 queued
		return channels.Outcome{State: channels.Accepted}
	}
	return r.refused("SEND")
}

// down is a server that did not let us in.
func down(err error) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: err.Error(), GatewayDown: true}
	if _, refused := errors.AsType[refusal](err); refused {
		out.Reason = channels.ReasonAuth
	}
	return out
}

// refused is what a reply of failure means. RFC 1861: 421 and 554 are the server's
// troubles, 550 and 552 concern the page.
func (r reply) refused(command string) channels.Outcome {
	out := channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: command + " " + r.String()}
	switch {
	case r.code == 550 && command == "PAGE":
		out.State, out.Reason = channels.Refused, channels.ReasonInvalidAddress
	case r.code == 550 && command != "SEND", r.code == 552:
		out.State, out.Reason = channels.Refused, channels.ReasonRejected
	case r.code == 530:
		out.Reason, out.GatewayDown = channels.ReasonAuth, true
	case r.code == 421:
		out.GatewayDown = true
	}
	return out
}

func timeout(err error) bool {
	ne, isNet := errors.AsType[net.Error](err)
	return isNet && ne.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// identifier tells what may follow PAGE: the digits of a pager.
func identifier(to string) bool {
	return len(to) >= 1 && len(to) <= 20 && strings.Trim(to, "0123456789") == ""
}

// words are the text on one line, in letters that the pagers show, cut where they end.
func (c config) words(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return control(r) || r == ' ' || r == '\u00a0' || r == '\u202f' }), " ")
	if c.plain {
		text = channels.ASCII(text)
	}
	if letters := []rune(text); len(letters) > c.length {
		return string(letters[:c.length-3]) + "..."
	}
	return text
}
