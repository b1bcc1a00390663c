package espa

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
)

// channel is one line. Run owns it: what is to be called is handed over to Run.
type channel struct {
	config config
	links  channels.Links
	pulse  *channels.Pulse
	jobs   chan job
}

// job is one call, and where its outcome goes.
type job struct {
	m    channels.Message
	done chan channels.Outcome
}

const (
	// lookEvery is how often an idle server is asked whether it is there.
	lookEvery = 15 * time.Second
	// unpolledMost is how long a server may ask for nothing before it counts as down.
	unpolledMost = time.Minute
	// pauseMost is the longest wait before another connection.
	pauseMost = 15 * time.Second
)

// Run holds the line until ctx ends, and takes it again when it drops.
func (c *channel) Run(ctx context.Context) error {
	defer c.pulse.Begin()()
	pause := time.Second
	for ctx.Err() == nil {
		link, giveBack, err := c.take(ctx)
		if err == nil {
			var held bool
			held, err = c.hold(link)
			giveBack()
			if held {
				pause = time.Second
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		c.pulse.Seen(channels.ReasonUnreachable, err.Error())
		c.rest(ctx, pause, down(err))
		pause = min(2*pause, pauseMost)
	}
	return nil
}

// take waits for the right to the line: one node has it at a time, among those where
// it is plugged in.
func (c *channel) take(ctx context.Context) (context.Context, func(), error) {
	if c.config.device != "" {
		if _, err := os.Stat(c.config.device); err != nil {
			return nil, nil, cause(err)
		}
	}
	if c.links == nil {
		return ctx, func() {}, nil
	}
	return c.links.Take(ctx)
}

// rest waits before another try, and says at once of what is to be called that there
// is no line; that ends the wait, so that the next one finds a line sooner.
func (c *channel) rest(ctx context.Context, pause time.Duration, out channels.Outcome) {
	after := clock.Real().After(pause)
	select {
	case <-ctx.Done():
	case <-after:
	case j := <-c.jobs:
		j.done <- out
	}
}

// hold serves one connection until it drops; held tells that it was made.
func (c *channel) hold(ctx context.Context) (held bool, err error) {
	l, err := c.config.dial(ctx)
	if err != nil {
		return false, err
	}
	defer l.close()
	if c.config.polled {
		return true, c.answerPolls(ctx, l)
	}
	return true, c.control(ctx, l)
}

// control is the life of the station that controls the line.
func (c *channel) control(ctx context.Context, l *line) error {
	if err := l.poll(c.config.server); err != nil {
		return err
	}
	c.pulse.Seen(channels.ReasonNone, "")
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-clock.Real().After(lookEvery):
			if err := l.poll(c.config.server); err != nil {
				return err
			}
		case j := <-c.jobs:
			out, err := c.call(l, j.m, []byte{c.config.own, enq, c.config.server, enq})
			j.done <- out
			if err != nil {
				return err
			}
		}
		c.pulse.Seen(channels.ReasonNone, "")
	}
}

// answerPolls is the life of a station that is asked: it has a call, or says EOT.
func (c *channel) answerPolls(ctx context.Context, l *line) error {
	for {
		if err := l.awaitPoll(c.config.own); err != nil {
			return err
		}
		c.pulse.Seen(channels.ReasonNone, "")
		select {
		case <-ctx.Done():
			return ctx.Err()
		case j := <-c.jobs:
			out, err := c.call(l, j.m, []byte{c.config.server, enq})
			j.done <- out
			if err != nil {
				return err
			}
		default:
			if err := l.write(eot); err != nil {
				return err
			}
		}
	}
}

// Health is what the last call or the last look showed.
func (c *channel) Health() channels.Health { return c.pulse.Health() }

// Check tells whether the line answers. A line that is held was looked at; another
// one is tried, and nobody is called.
func (c *channel) Check(ctx context.Context) error {
	if c.pulse.Health().Up {
		return nil
	}
	l, err := c.config.dial(ctx)
	if err == nil {
		if c.config.polled {
			err = l.awaitPoll(c.config.own)
		} else {
			err = l.poll(c.config.server)
		}
		l.close()
	}
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "channels.espa.unreachable", "host", c.config.name)
	}
	return nil
}

// Send hands one call over to the owner of the line.
func (c *channel) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if len(m.To) < 1 || len(m.To) > addressMost || strings.Trim(m.To, "0123456789") != "" {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "not a handset's number"}
	}
	if out, held := c.pulse.Hold(m); held {
		return out
	}
	j := job{m, make(chan channels.Outcome, 1)}
	// Another node may hold the line, or the server asks seldom: the call waits a
	// little here, then comes again.
	select {
	case <-ctx.Done():
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: "no line yet", RetryAfter: time.Second}
	case <-clock.Real().After(2 * c.config.timeout):
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: "no line yet", RetryAfter: time.Second}
	case c.jobs <- j:
		return <-j.done
	}
}

// down is what is said of a call when there is no line.
func down(err error) channels.Outcome {
	return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: err.Error(), GatewayDown: true}
}

// tries is how often a selection or a block is said, the first time included.
const tries = 3

// call selects the server and gives it a block. The error means that the line is lost.
func (c *channel) call(l *line, m channels.Message, selecting []byte) (channels.Outcome, error) {
	for n := 0; ; n++ {
		a, err := l.ask(selecting)
		if err != nil {
			return down(err), err
		}
		if a.word == ack {
			break
		}
		if n+1 == tries {
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: "the server is busy", RetryAfter: time.Second}, l.write(eot)
		}
	}
	// The selection took its time: the permit is asked at the last moment.
	if out, held := c.pulse.Hold(m); held {
		return out, l.write(eot)
	}
	out, err := c.block(l, c.config.call(m.To, m.Text))
	if err != nil {
		return out, err
	}
	return out, l.write(eot)
}

// block gives the block, again when it arrived damaged.
func (c *channel) block(l *line, block []byte) (channels.Outcome, error) {
	for range tries {
		a, err := l.ask(block)
		switch {
		case err != nil && timeout(err):
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout, Detail: err.Error(), Uncertain: true}, err
		case err != nil:
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: err.Error(), Uncertain: true}, err
		case a.word == ack:
			return channels.Outcome{State: channels.Accepted}, nil
		case a.word == nak && a.digit == '2':
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: "2 NAK: busy", RetryAfter: time.Second}, nil
		case a.word == nak && a.digit == '3': // an invalid call: of a call of ours only the number can be
			return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "3 NAK: invalid"}, nil
		case a.word != nak:
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: "the server ended the call"}, nil
		}
	}
	return channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: "NAK: damaged on the line"}, nil
}

func timeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}
