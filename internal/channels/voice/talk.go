package voice

import (
	"context"
	"errors"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/wire/rtp"
)

// The rhythm of a conversation.
const (
	breath     = 700 * time.Millisecond // between the moment somebody picks up and the first word
	recallLook = 100 * time.Millisecond // how often a stopped alert is looked for
	turnsMost  = 20                     // keys after which a call is ended: a child, a pocket
)

// errRecalled ends a call whose alert was stopped.
var errRecalled = errors.New("voice: the alert was stopped")

// script is what a call may have to say, spoken beforehand.
type script struct {
	whole, short, wrong, thanks, failed, heard []byte
	answers                                    []channels.Answer
	when                                       [][]byte
	confirm                                    map[confirmation][]byte
	// bridge is what is said around the conference; nil where no key leads to one.
	bridge *bridgeScript
	// gate is what is said before a reserved text; nil where nothing is.
	gate *gateScript
}

// confirmation is an answer, and minutes before arrival; −1 without.
type confirmation struct {
	answer, minutes int
}

// talk is one conversation.
type talk struct {
	sound *rtp.Stream
	// gone is closed when the other side hangs up.
	gone    <-chan struct{}
	message channels.Message
	script  *script
	repeats int
	// listen is how long a key is waited for, once the keys were proposed.
	listen time.Duration
	// longest bounds the conversation, once back from a conference.
	longest time.Duration
	// keep makes an answer durable.
	keep func(ctx context.Context, text string) error

	// door leads to the conference of the alert; nil where there is none.
	door *door

	// codes judges the code that a reserved text asks for; ours tells that we called.
	codes channels.Codes
	ours  bool
	// open tells that it was given; codeless that the addressee has none.
	open, codeless bool

	// human tells that a key was pressed; kept that an answer was confirmed.
	human, kept bool
	turns       int
}

// hold speaks and listens until the answer is known or nobody is there. The error
// is the reason for which it was cut short.
func (t *talk) hold(ctx context.Context) error {
	key, err := t.say(ctx, nil, breath)
	if err == nil && t.shut() {
		if err = t.unlock(ctx, key); err != nil || t.shut() {
			return err
		}
		key = 0
	}
	for range t.repeats {
		if key == 0 && err == nil {
			key, err = t.say(ctx, t.script.whole, t.listen)
		}
		for err == nil && key != 0 && t.turns < turnsMost {
			var done bool
			if done, err = t.pressed(ctx, key); done || err != nil {
				return err
			}
			key, err = t.say(ctx, t.script.whole, t.listen)
		}
		if err != nil {
			return err
		}
	}
	if t.human {
		return nil
	}
	// Nobody pressed anything: it is a voicemail, and this is what it keeps.
	_, err = t.say(ctx, t.script.short, 0)
	return err
}

// pressed does what a key of the menu asks; done ends the call.
func (t *talk) pressed(ctx context.Context, key byte) (done bool, err error) {
	if key == '*' {
		return false, nil
	}
	if t.script.bridge != nil && t.door != nil && key == t.script.bridge.key {
		return true, errConference
	}
	if len(t.script.answers) == 0 {
		_, err := t.say(ctx, t.script.heard, 0)
		t.kept = true
		return true, err
	}
	for i, a := range t.script.answers {
		if a.Key == string(key) {
			return t.choose(ctx, i, a)
		}
	}
	_, err = t.say(ctx, t.script.wrong, 0)
	return false, err
}

// choose asks for the delay of an answer, then for its confirmation.
func (t *talk) choose(ctx context.Context, i int, a channels.Answer) (done bool, err error) {
	c := confirmation{i, -1}
	switch len(a.Delays) {
	case 0:
	case 1:
		c.minutes = a.Delays[0]
	default:
		key, err := t.ask(ctx, t.script.when[i], func(key byte) bool { return key >= '1' && int(key-'1') < len(a.Delays) })
		if err != nil || key == 0 {
			return false, err
		}
		c.minutes = a.Delays[key-'1']
	}
	key, err := t.ask(ctx, t.script.confirm[c], func(key byte) bool { return key == '1' || key == '2' })
	if err != nil || key != '1' {
		return false, err
	}
	t.kept = true
	// The person may hang up now: what he said is kept all the same.
	if err := t.keep(context.WithoutCancel(ctx), reply(a, c.minutes)); err != nil {
		t.kept = false
		_, err := t.say(ctx, t.script.failed, 0)
		return true, err
	}
	_, err = t.say(ctx, t.script.thanks, 0)
	return true, err
}

// ask speaks until a key that fits is pressed, as often as the message itself;
// 0 is nobody, or * which goes back to the beginning.
func (t *talk) ask(ctx context.Context, sound []byte, fits func(key byte) bool) (byte, error) {
	for range t.repeats {
		key, err := t.say(ctx, sound, t.listen)
		for err == nil && key != 0 && t.turns < turnsMost {
			if key == '*' {
				return 0, nil
			}
			if fits(key) {
				return key, nil
			}
			if key, err = t.say(ctx, t.script.wrong, 0); err == nil && key == 0 {
				key, err = t.say(ctx, sound, t.listen)
			}
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// say plays a sound and listens for a while after it. A key cuts it short.
func (t *talk) say(ctx context.Context, sound []byte, after time.Duration) (byte, error) {
	stream := t.sound
	said := stream.Say(sound)
	defer stream.Hush()
	look := time.NewTicker(recallLook)
	defer look.Stop()
	var quiet <-chan time.Time
	for {
		select {
		case key := <-stream.Keys():
			if strings.IndexByte("0123456789*#", key) < 0 {
				continue
			}
			t.human = true
			t.turns++
			return key, nil
		case <-said:
			said = nil
			timer := time.NewTimer(after)
			defer timer.Stop()
			quiet = timer.C
		case <-quiet:
			return 0, nil
		case <-look.C:
			if t.message.Recalled() {
				return 0, errRecalled
			}
		case <-t.gone:
			return 0, errGone
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// errGone is the other side hanging up.
var errGone = errors.New("voice: the other side hung up")
