package voice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/i18n"
)

// Send makes one call and stays on the line until it ends.
func (t *trunk) Send(ctx context.Context, m channels.Message) channels.Outcome {
	if t.expired(m) {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonExpired}
	}
	number, ok := t.config.dial(m.To)
	if !ok {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: "not a telephone number"}
	}
	a := t.enter()
	if a == nil {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: "not started", GatewayDown: true}
	}
	defer t.using.Done()
	s, err := t.write(ctx, m)
	if err != nil {
		// Nothing can be said: that is this machine's fault, for every call.
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: err.Error(), GatewayDown: true}
	}
	line, giveBack := ctx, func() {}
	if t.opening.Links != nil {
		if line, giveBack, err = t.opening.Links.Take(ctx); err != nil {
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: err.Error(), RetryAfter: time.Second}
		}
	}
	if err := t.pace.Wait(line); err != nil {
		giveBack()
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, Detail: err.Error(), RetryAfter: time.Second}
	}
	switch {
	case t.expired(m): // the lines may have held it past its end
		giveBack()
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonExpired}
	case !m.MayLeave():
		giveBack()
		return channels.Withheld()
	}
	return t.verdict(t.call(line, a, m, number, s, giveBack))
}

func (t *trunk) expired(m channels.Message) bool {
	return !m.ExpiresAt.IsZero() && !t.now().Before(m.ExpiresAt)
}

// call rings, speaks and hangs up.
func (t *trunk) call(line context.Context, a *agent, m channels.Message, number string, s *script, ended func()) channels.Outcome {
	line, cancel := context.WithTimeout(line, t.config.ring+t.config.longest)
	defer cancel()
	ringing, stop := context.WithCancelCause(line)
	watching := make(chan struct{})
	go func() { // a telephone that rings for nothing is worse than one that does not ring
		defer close(watching)
		watchRecall(ringing, m, stop)
	}()
	c, err := a.place(ringing, m.ID.String()+"-"+uuid.NewString()[:8], number)
	stop(nil)
	<-watching
	defer c.hangUp(ended)
	if err != nil {
		return t.unanswered(c, err)
	}
	k := t.talkOf(&c.end, m, s, c.dialog.Context().Done(), c.id)
	speaking, end := context.WithTimeout(line, t.config.longest)
	defer end()
	return k.outcome(c.id, k.hold(speaking))
}

// talkOf is a conversation about a message, whoever called; its answers are kept
// under an identifier of the call.
func (t *trunk) talkOf(e *end, m channels.Message, s *script, gone <-chan struct{}, id string) *talk {
	return &talk{
		sound: e.sound, gone: gone, message: m, script: s, repeats: t.config.repeats, listen: t.config.listen,
		keep: func(ctx context.Context, text string) error { return t.keepReply(ctx, m, id, text) },
	}
}

// watchRecall ends a call that rings when its alert is stopped.
func watchRecall(ringing context.Context, m channels.Message, stop context.CancelCauseFunc) {
	look := time.NewTicker(recallLook)
	defer look.Stop()
	for {
		select {
		case <-ringing.Done():
			return
		case <-look.C:
			if m.Recalled() {
				stop(errRecalled)
				return
			}
		}
	}
}

// unanswered is the outcome of a call that nobody took.
func (t *trunk) unanswered(c *call, err error) channels.Outcome {
	refused, isStatus := errors.AsType[*statusError](err)
	switch {
	case errors.Is(err, errRecalled):
		return channels.Withheld()
	case isStatus:
		return outcomeOf(refused.status)
	case errors.Is(err, errRinging):
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonNoAnswer, Detail: "not picked up"}
	case errors.Is(err, errSound):
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: err.Error(), Uncertain: true}
	case errors.Is(err, errSilent):
		out := channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout, Detail: err.Error(), Uncertain: true, GatewayDown: true}
		t.seen(err)
		return out
	}
	// The line was taken back, or this node stops: the telephone may have rung.
	return channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout, Detail: err.Error(), Uncertain: c.rang.Load()}
}

// outcome is the truth about a call that was picked up.
func (k *talk) outcome(id string, err error) channels.Outcome {
	switch {
	case k.human:
		return channels.Outcome{State: channels.Accepted, ProviderIDs: []string{id}, Delivered: true}
	case errors.Is(err, errRecalled):
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInterrupted}
	case err == nil, errors.Is(err, errGone), errors.Is(err, context.DeadlineExceeded):
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey}
	}
	return channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout, Detail: err.Error(), Uncertain: true}
}

// keepReply makes an answer durable while the person is on the line.
func (t *trunk) keepReply(ctx context.Context, m channels.Message, id, text string) error {
	var err error
	for try := range keepTries {
		within, cancel := context.WithTimeout(ctx, keepFor)
		err = t.opening.Inbox.Replies(within, []channels.Reply{{
			PeerID: id, From: m.To, Token: m.ReplyToken, Text: text, At: t.now(),
		}})
		cancel()
		if err == nil {
			return nil
		}
		t.log.Warn("sip: an answer by key could not be kept", "try", try+1, "error", err)
	}
	return err
}

// write speaks everything the call may have to say.
func (t *trunk) write(ctx context.Context, m channels.Message) (*script, error) {
	w := words{t.catalog.For(i18n.Language(m.Language))}
	text := spoken(m.Text, m.Link)
	s := &script{answers: slices.Clone(m.Answers), when: make([][]byte, len(m.Answers)), confirm: make(map[confirmation][]byte)}
	var failed error
	say := func(text string) []byte {
		sound, err := t.kind.Studio.Say(ctx, text, m.Language, t.config.speed, t.config.codec)
		if failed == nil {
			failed = err
		}
		return sound
	}
	s.whole = say(w.join(text, w.menu(m.Answers)))
	s.short = say(w.join(text, w.loc.T("channels.sip.say.voicemail")))
	s.wrong = say(w.join(w.loc.T("channels.sip.say.wrong")))
	s.thanks = say(w.join(w.loc.T("channels.sip.say.thanks")))
	s.failed = say(w.join(w.loc.T("channels.sip.say.failed")))
	s.heard = say(w.join(w.loc.T("channels.sip.say.thanks_heard")))
	for i, a := range m.Answers {
		delays := a.Delays
		if len(delays) > 1 {
			delays = delays[:min(len(delays), 9)]
			s.answers[i].Delays = delays
			s.when[i] = say(w.delays(s.answers[i]))
		}
		if len(delays) == 0 {
			delays = []int{-1}
		}
		for _, minutes := range delays {
			s.confirm[confirmation{i, minutes}] = say(w.confirm(a, minutes))
		}
	}
	return s, failed
}
