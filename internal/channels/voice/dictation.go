package voice

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/i18n"
	"tocsin/internal/wire/rtp"
	"tocsin/internal/wire/wav"
)

// The bounds of a dictation: the whole call once it rings, how often it is begun
// anew, and how long what the person decided may take to be kept.
const (
	dictationFor = 8 * time.Minute
	takesMost    = 5
	noteFor      = 10 * time.Second
	ringFor      = 2 * time.Second // the answer of the telephone waits behind it
)

// The beep after which the person speaks.
const (
	beepFor   = rtp.Rate * 3 / 10
	beepPitch = 800.0
)

// errUnwanted ends a call whose recording nobody waits for any more.
var errUnwanted = errors.New("voice: the recording is no longer wanted")

// The keys that judge what was recorded.
const (
	keyKeep  = '1'
	keyAgain = '2'
	keyLeave = '3'
)

// dictationScript is what a call that records says.
type dictationScript struct {
	guide, beep, nothing, full, menu, wrong, kept, failed, left []byte
}

// dictation is the conversation in which a person records a text.
type dictation struct {
	*talk
	codec rtp.Codec
	says  dictationScript
	to    channels.Dictations
}

// studioOf prepares a call that records; nothing is said by the text of the message.
func (t *trunk) studioOf(ctx context.Context, m channels.Message) (s dictationScript, err error) {
	w := words{t.catalog.For(i18n.Language(m.Language))}
	say := func(key string, pairs ...any) []byte {
		sound, failed := t.kind.Studio.Say(ctx, w.join(w.loc.T("channels.sip.say.dictation_"+key, pairs...)), m.Language, t.config.speed, t.config.codec)
		err = errors.Join(err, failed)
		return sound
	}
	pause := bytes.Repeat([]byte{t.config.codec.Silence()}, recordedPause)
	s = dictationScript{
		guide: say("guide"), beep: t.config.codec.Encode(beep()), nothing: say("nothing"), full: say("full", "seconds", int(m.Dictation.Longest.Seconds())),
		menu: slices.Concat(pause, say("menu")), wrong: say("wrong"), kept: say("kept"), failed: say("failed"), left: say("left"),
	}
	return s, err
}

// beep is a tone that begins and ends softly.
func beep() []int16 {
	out := make([]int16, beepFor)
	for i := range out {
		soft := min(float64(min(i, beepFor-i))/(rtp.Rate/100), 1)
		out[i] = int16(8000 * soft * math.Sin(2*math.Pi*beepPitch*float64(i)/rtp.Rate))
	}
	return out
}

// dictate rings, lets the person speak and hear, and hangs up. It is tried once: who
// asked for it sees what became of it, and asks again.
func (t *trunk) dictate(line context.Context, a *agent, m channels.Message, number string, s dictationScript, ended func()) channels.Outcome {
	patient, cancel := context.WithTimeout(line, t.config.ring+dictationFor)
	defer cancel()
	ringing, stop := context.WithCancelCause(patient)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		watchRecall(ringing, m, stop)
	}()
	k := &dictation{codec: t.config.codec, says: s, to: t.opening.Dictations}
	c, err := a.placing(ringing, callID(m), number, func() { t.rings(ringing, k, m) })
	stop(nil)
	<-watching
	defer c.hangUp(ended)
	if err != nil {
		return once(t.unanswered(line, c, err))
	}
	k.talk = &talk{sound: c.sound, gone: c.dialog.Context().Done(), message: m, repeats: t.config.repeats, listen: max(t.config.listen, dictationListen)}
	speaking, end := context.WithTimeout(patient, dictationFor)
	defer end()
	return k.result(c.id, k.hold(speaking))
}

// dictationListen is how long a key is waited for, at least: the person takes the
// telephone from her ear to find it.
const dictationListen = 8 * time.Second

// rings tells that the telephone rings. It is only told: no call ends for it.
func (t *trunk) rings(ctx context.Context, k *dictation, m channels.Message) {
	within, cancel := context.WithTimeout(ctx, ringFor)
	defer cancel()
	if err := k.to.Step(within, m.Dictation.ID, channels.DictationRinging); err != nil {
		t.log.Debug("sip: it could not be told that a telephone rings", "error", err)
	}
}

// once makes an outcome final, unless the trunk itself is at fault.
func once(o channels.Outcome) channels.Outcome {
	if o.State == channels.Retry && !o.GatewayDown && !o.Withheld {
		o.State = channels.Refused
	}
	return o
}

// result is the truth about a dictation that was picked up.
func (d *dictation) result(id string, err error) channels.Outcome {
	switch {
	case d.kept, err == nil:
		return channels.Outcome{State: channels.Accepted, ProviderIDs: []string{id}, Delivered: true}
	case errors.Is(err, errRecalled), errors.Is(err, errUnwanted):
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInterrupted}
	}
	return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey, Detail: err.Error()}
}

// hold guides the person until a recording is kept, or given up. An error is a call
// that ended before: nothing of it is kept.
func (d *dictation) hold(ctx context.Context) error {
	if _, err := d.say(ctx, nil, breath); err != nil {
		return err
	}
	for range takesMost {
		sound, err := d.take(ctx)
		if err != nil {
			return err
		}
		if len(sound) == 0 {
			if _, err := d.say(ctx, d.says.nothing, 0); err != nil {
				return err
			}
			continue
		}
		key, err := d.judge(ctx, sound)
		switch {
		case err != nil:
			return err
		case key == keyKeep:
			return d.keep(ctx, sound)
		case key != keyAgain:
			return d.leave(ctx)
		}
	}
	return d.leave(ctx)
}

// take guides, beeps and listens; no samples when nobody spoke.
func (d *dictation) take(ctx context.Context) ([]int16, error) {
	if err := d.step(ctx, channels.DictationGuiding); err != nil {
		return nil, err
	}
	if _, err := d.say(ctx, d.says.guide, 0); err != nil {
		return nil, err
	}
	if err := d.step(ctx, channels.DictationRecording); err != nil {
		return nil, err
	}
	if _, err := d.say(ctx, d.says.beep, 0); err != nil {
		return nil, err
	}
	d.sound.Record(int(d.message.Dictation.Longest.Seconds()) * rtp.Rate)
	defer d.sound.Recorded()
	full := time.NewTimer(d.message.Dictation.Longest)
	defer full.Stop()
	look := time.NewTicker(recallLook)
	defer look.Stop()
	for {
		select {
		case key := <-d.sound.Keys():
			if key == '#' {
				return wav.Level(wav.Trim(d.sound.Recorded())), nil
			}
		case <-full.C:
			said := wav.Level(wav.Trim(d.sound.Recorded()))
			_, err := d.say(ctx, d.says.full, 0)
			return said, err
		case <-look.C:
			if d.message.Recalled() {
				return nil, errRecalled
			}
		case <-d.gone:
			return nil, errGone
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// judge plays what was recorded and asks what to do with it; 0 is nobody.
func (d *dictation) judge(ctx context.Context, samples []int16) (byte, error) {
	if err := d.step(ctx, channels.DictationPlaying); err != nil {
		return 0, err
	}
	again := slices.Concat(d.codec.Encode(samples), d.says.menu)
	for range d.repeats {
		key, err := d.say(ctx, again, d.listen)
		for err == nil && key != 0 && d.turns < turnsMost {
			if strings.IndexByte("123", key) >= 0 {
				return key, nil
			}
			sound := d.says.menu
			if key == '*' {
				sound = again
			} else {
				sound = slices.Concat(d.says.wrong, sound)
			}
			key, err = d.say(ctx, sound, d.listen)
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// keep hands the recording over; the person may hang up meanwhile: she has decided.
func (d *dictation) keep(ctx context.Context, samples []int16) error {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteFor)
	defer cancel()
	if err := d.to.Keep(within, d.message.Dictation.ID, rtp.PCMA.Encode(samples)); err != nil {
		_, saying := d.say(ctx, d.says.failed, 0)
		return errors.Join(err, saying)
	}
	d.talk.kept = true
	_, err := d.say(ctx, d.says.kept, 0)
	return err
}

func (d *dictation) leave(ctx context.Context) error {
	if err := d.step(ctx, channels.DictationGivenUp); err != nil {
		return err
	}
	_, err := d.say(ctx, d.says.left, 0)
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// step tells where the call stands. A store that does not answer ends it: what would
// be recorded could not be kept either.
func (d *dictation) step(ctx context.Context, step channels.DictationStep) error {
	within, cancel := context.WithTimeout(ctx, noteFor)
	defer cancel()
	if err := d.to.Step(within, d.message.Dictation.ID, step); err != nil {
		return errors.Join(errUnwanted, err)
	}
	return nil
}
