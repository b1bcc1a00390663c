package voice

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/i18n"
	"tocsin/internal/wire/rtp"
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
	conversation, err := t.prepare(ctx, m)
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
	return t.verdict(conversation(line, a, number, giveBack))
}

// conversation is a call from its first ring to its end, and calls ended once the
// trunk no longer counts it.
type conversation func(line context.Context, a *agent, number string, ended func()) channels.Outcome

// prepare speaks beforehand what the call may have to say: no line waits for it.
func (t *trunk) prepare(ctx context.Context, m channels.Message) (conversation, error) {
	if m.Dictation.ID != uuid.Nil && t.opening.Dictations != nil {
		s, err := t.studioOf(ctx, m)
		return func(line context.Context, a *agent, number string, ended func()) channels.Outcome {
			return t.dictate(line, a, m, number, s, ended)
		}, err
	}
	s, err := t.write(ctx, m)
	return func(line context.Context, a *agent, number string, ended func()) channels.Outcome {
		return t.call(line, a, m, number, s, ended)
	}, err
}

// callID names a call of a message at the trunk: another one for each try.
func callID(m channels.Message) string { return m.ID.String() + "-" + uuid.NewString()[:8] }

func (t *trunk) expired(m channels.Message) bool {
	return !m.ExpiresAt.IsZero() && !t.now().Before(m.ExpiresAt)
}

// call rings, speaks and hangs up. Who asks for the conference stays on the line
// after it returned: what the call brought is known, and the message is settled.
func (t *trunk) call(line context.Context, a *agent, m channels.Message, number string, s *script, ended func()) channels.Outcome {
	patient, cancel := context.WithTimeout(line, t.config.ring+t.lasts(m))
	defer cancel()
	ringing, stop := context.WithCancelCause(patient)
	watching := make(chan struct{})
	go func() { // a telephone that rings for nothing is worse than one that does not ring
		defer close(watching)
		watchRecall(ringing, m, stop)
	}()
	c, err := a.place(ringing, callID(m), number)
	stop(nil)
	<-watching
	if err != nil {
		defer c.hangUp(ended)
		return t.unanswered(line, c, err)
	}
	k := t.talkOf(&c.end, m, s, c.dialog.Context().Done(), c.id)
	k.ours = true
	speaking, end := context.WithTimeout(patient, t.lasts(m))
	defer end()
	err = k.hold(speaking)
	if !errors.Is(err, errConference) {
		defer c.hangUp(ended)
		return k.outcome(c.id, err)
	}
	t.using.Add(1)
	go func() {
		defer t.using.Done()
		defer c.hangUp(ended)
		t.stayed(k.stay(line))
	}()
	return k.outcome(c.id, nil)
}

// talkOf is a conversation about a message, whoever called; its answers are kept
// under an identifier of the call.
func (t *trunk) talkOf(e *end, m channels.Message, s *script, gone <-chan struct{}, id string) *talk {
	k := &talk{
		sound: e.sound, gone: gone, message: m, script: s, repeats: t.config.repeats, listen: t.config.listen, longest: t.config.longest, codes: t.opening.Codes,
		keep: func(ctx context.Context, text string) error { return t.keepReply(ctx, m, id, text) },
	}
	if s.bridge != nil {
		k.door = &door{id: m.Conference, rooms: t.kind.rooms, register: t.opening.Conferences, admit: func() (func(), bool) { return func() {}, true }}
	}
	return k
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
func (t *trunk) unanswered(line context.Context, c *call, err error) channels.Outcome {
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
	case errors.Is(err, errUnsent) && line.Err() == nil:
		t.seen(err)
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonUnreachable, Detail: err.Error(), GatewayDown: true}
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
	ended := err == nil || errors.Is(err, errGone) || errors.Is(err, context.DeadlineExceeded)
	switch {
	case k.human && !k.shut():
		return channels.Outcome{State: channels.Accepted, ProviderIDs: []string{id}, Delivered: true}
	case errors.Is(err, errRecalled):
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInterrupted}
	case ended && k.codeless:
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoCode}
	case ended && k.human:
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonWrongCode}
	case ended:
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

// recorded is the message as a person recorded it, with what is said around it; nil
// when it is to be spoken.
func (t *trunk) recorded(ctx context.Context, m channels.Message, say func(string) []byte) []byte {
	if m.Recording.ID == uuid.Nil || t.opening.Recordings == nil {
		return nil
	}
	sound, err := t.kind.Studio.Record(ctx, m.Recording.ID, t.config.codec, t.opening.Recordings.Recording)
	if err != nil {
		t.log.Warn("sip: a recording cannot be read; its text is spoken", "recording", m.Recording.ID, "error", err)
		return nil
	}
	pause := bytes.Repeat([]byte{t.config.codec.Silence()}, recordedPause)
	return slices.Concat(say(sentence(m.Recording.Before)), sound, pause, say(sentence(m.Recording.After)))
}

// recordedPause is what stands between a recording and the menu: 400 ms.
const recordedPause = rtp.Rate * 2 / 5

// write speaks everything the call may have to say.
func (t *trunk) write(ctx context.Context, m channels.Message) (*script, error) {
	w := words{t.catalog.For(i18n.Language(m.Language))}
	said := told(m)
	text := spoken(said.Text, m.Link)
	answers, key := t.bridged(m)
	s := &script{answers: answers, when: make([][]byte, len(answers)), confirm: make(map[confirmation][]byte)}
	var failed error
	say := func(text string) []byte {
		sound, err := t.kind.Studio.Say(ctx, text, m.Language, t.config.speed, t.config.codec)
		if failed == nil {
			failed = err
		}
		return sound
	}
	if recorded := t.recorded(ctx, said, say); recorded != nil {
		s.whole = slices.Concat(recorded, say(w.menu(answers, key)))
		s.short = slices.Concat(recorded, say(w.join(w.loc.T("channels.sip.say.voicemail"))))
	} else {
		s.whole = say(w.join(text, w.menu(answers, key)))
		s.short = say(w.join(text, w.loc.T("channels.sip.say.voicemail")))
	}
	if m.Reserved.Text != "" {
		s.gate, s.short = gateOf(w, m, say), say(w.join(m.Text, w.loc.T("channels.sip.say.code_read")))
	}
	s.wrong = say(w.join(w.loc.T("channels.sip.say.wrong")))
	s.thanks = say(w.join(w.loc.T("channels.sip.say.thanks")))
	s.failed = say(w.join(w.loc.T("channels.sip.say.failed")))
	s.heard = say(w.join(w.loc.T("channels.sip.say.thanks_heard")))
	if key != 0 {
		s.bridge = t.bridgeOf(w, m, key, say)
	}
	for i, a := range answers {
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
