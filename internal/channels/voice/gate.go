package voice

import (
	"context"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// The bounds of a personal code in a call: how often it is tried, how many keys are
// listened to, what it adds to the longest call, and how long it is judged.
const (
	codeTries = 3
	codeKeys  = 60
	codeFor   = 45 * time.Second
	judgeFor  = 5 * time.Second
)

// gateScript is what is said before a reserved text.
type gateScript struct {
	// ask says who calls and asks for the code; again asks after a wrong one.
	ask, again []byte
	// refused, wait and without end the call.
	refused, wait, without []byte
}

// told is the message as its addressee hears it: what is reserved, where something is.
func told(m channels.Message) channels.Message {
	if m.Reserved.Text != "" {
		m.Text, m.Recording = m.Reserved.Text, m.Reserved.Recording
	}
	return m
}

func gateOf(w words, m channels.Message, say func(string) []byte) *gateScript {
	read := w.loc.T("channels.sip.say.code_read")
	return &gateScript{
		ask:     say(w.join(m.Text, w.loc.T("channels.sip.say.code"))),
		again:   say(w.join(w.loc.T("channels.sip.say.code_wrong"))),
		refused: say(w.join(w.loc.T("channels.sip.say.code_refused"), read)),
		wait:    say(w.join(w.loc.T("channels.sip.say.code_wait"), read)),
		without: say(w.join(m.Text, w.loc.T("channels.sip.say.code_none"), read)),
	}
}

// lasts bounds the conversation about a message.
func (t *trunk) lasts(m channels.Message) time.Duration {
	if m.Reserved.Text == "" {
		return t.config.longest
	}
	return t.config.longest + codeFor
}

// shut tells that the text is reserved, and that its addressee is not known to be there.
func (t *talk) shut() bool { return t.script.gate != nil && !t.open }

// unlock asks for the code of the addressee; first is a key typed already. Without
// an error the text may be said if it is no longer shut; else the call ends, and
// a voicemail keeps what anybody may hear.
func (t *talk) unlock(ctx context.Context, first byte) error {
	if has, err := t.hasCode(ctx); err != nil || !has {
		return err
	}
	gate := t.script.gate
	sound, silent, wrong := gate.ask, 0, 0
	for silent < t.repeats && t.turns < codeKeys {
		code, err := t.typed(ctx, first, sound)
		if first = 0; err != nil {
			return err
		}
		if code == "" {
			silent++
			continue
		}
		switch err := t.judge(ctx, code); {
		case err == nil:
			t.open, t.turns = true, 0
			return nil
		case fault.Is(err, fault.TooMany):
			return t.farewell(ctx, gate.wait)
		case !fault.Is(err, fault.Invalid):
			return err
		}
		if wrong++; wrong == codeTries {
			return t.farewell(ctx, gate.refused)
		}
		sound = gate.again
	}
	if t.human {
		return t.farewell(ctx, gate.refused)
	}
	return t.farewell(ctx, t.script.short)
}

// hasCode tells whether the addressee chose a code. Who has none hears how to read
// the message, as often as he would hear it.
func (t *talk) hasCode(ctx context.Context) (has bool, err error) {
	if t.codes != nil {
		within, cancel := context.WithTimeout(ctx, judgeFor)
		defer cancel()
		if has, err = t.codes.Has(within, t.message.ID); err != nil || has {
			return has, err
		}
	}
	t.codeless = true
	for said := 0; said < t.repeats && t.turns < turnsMost; {
		key, err := t.say(ctx, t.script.gate.without, t.listen)
		if err != nil {
			return false, err
		}
		if key == 0 { // whoever pressed one cut it short, and hears it again
			said++
		}
	}
	return false, nil
}

func (t *talk) judge(ctx context.Context, code string) error {
	within, cancel := context.WithTimeout(ctx, judgeFor)
	defer cancel()
	return t.codes.Judge(within, t.message.ID, code, t.ours)
}

// typed asks for digits, ended by # or by a silence; * begins again. None is nobody.
func (t *talk) typed(ctx context.Context, key byte, sound []byte) (string, error) {
	var digits []byte
	var err error
	if key == 0 {
		key, err = t.say(ctx, sound, t.listen)
	}
	for err == nil && key != 0 && key != '#' && t.turns < codeKeys {
		switch {
		case key != '*':
			digits = append(digits, key)
		case len(digits) == 0: // it is asked again
			return "", nil
		default:
			digits = nil
		}
		if len(digits) == channels.CodeMost {
			break
		}
		key, err = t.say(ctx, nil, t.listen)
	}
	return string(digits), err
}
