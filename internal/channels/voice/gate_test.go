package voice_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/fault"
	peer "tocsin/test/peers/sip"
)

// keypad knows one code, none when it is empty.
type keypad struct {
	code string
	// refuses answers every code.
	refuses error

	mu    sync.Mutex
	tried []string
	ours  []bool
}

func (k *keypad) Has(context.Context, uuid.UUID) (bool, error) { return k.code != "", nil }

func (k *keypad) Judge(_ context.Context, _ uuid.UUID, code string, ours bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried, k.ours = append(k.tried, code), append(k.ours, ours)
	switch {
	case k.refuses != nil:
		return k.refuses
	case code != k.code:
		return fault.New(fault.Invalid, "space.code.wrong")
	}
	return nil
}

func (k *keypad) tries() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.tried)
}

// reserved is a message that anybody may hear, and behind it a tone.
func reserved(id uuid.UUID) channels.Message {
	m := message(1)
	m.Text = "CHU. Un message vous attend."
	m.Reserved = channels.Reserved{Text: text, Recording: channels.Recording{ID: id}}
	return m
}

// keys are those of a script, none of an empty one.
func keys(script string) []string { return strings.Split(script, "") }

// secret is how loud the tone of a reserved message was at most, until ended.
func secret(heard []*ear, ended func() bool) (loudest float64) {
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for !ended() {
		<-tick.C
		for _, e := range heard {
			loudest = max(loudest, e.loud(700))
		}
	}
	return loudest
}

// What is reserved is heard by who gives the code of its addressee, and by nobody
// else: not by a voicemail, not by who tries three codes, not by who hangs up or has
// none. Each end has its outcome.
func TestAReservedTextIsHeardAfterTheCode(t *testing.T) {
	t.Parallel()
	const between = 450 * time.Millisecond
	refused := func(r channels.Reason) channels.Outcome {
		return channels.Outcome{State: channels.Refused, Reason: r}
	}
	for what, want := range map[string]struct {
		pad    *keypad
		script string
		out    channels.Outcome
		tried  []string
	}{
		"the code":                        {&keypad{code: "482957"}, "482957#", channels.Outcome{State: channels.Accepted}, []string{"482957"}},
		"begun again":                     {&keypad{code: "482957"}, "11*482957#", channels.Outcome{State: channels.Accepted}, []string{"482957"}},
		"the second time":                 {&keypad{code: "482957"}, "482958#482957#", channels.Outcome{State: channels.Accepted}, []string{"482958", "482957"}},
		"without a hash":                  {&keypad{code: "48295713"}, "48295713", channels.Outcome{State: channels.Accepted}, []string{"48295713"}},
		"three wrong ones":                {&keypad{code: "482957"}, "1#2#3#482957#", refused(channels.ReasonWrongCode), []string{"1", "2", "3"}},
		"the keys of the answer":          {&keypad{code: "482957"}, "21", refused(channels.ReasonWrongCode), []string{"21"}},
		"a voicemail":                     {&keypad{code: "482957"}, "", refused(channels.ReasonNoKey), nil},
		"who has none":                    {&keypad{}, "1", refused(channels.ReasonNoCode), nil},
		"a voicemail of one who has none": {&keypad{}, "", refused(channels.ReasonNoCode), nil},
		"who must wait":                   {&keypad{code: "482957", refuses: fault.New(fault.TooMany, "space.code.wait")}, "482957#", refused(channels.ReasonWrongCode), []string{"482957"}},
		"nobody can judge":                {&keypad{code: "482957", refuses: errors.New("no database")}, "482957#", channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout}, []string{"482957"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			kept, pad := &shelf{id: uuid.New()}, want.pad
			base, heard := ears(t, 4)
			sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(900*time.Millisecond, between, keys(want.script)...), MediaPort: base})
			b := openBy(t, newKind(), settings(sipp.Port, nil), channels.Opening{Recordings: kept, Codes: pad})
			outcome := make(chan channels.Outcome, 1)
			go func() { outcome <- b.send(reserved(kept.id)) }()
			loudest := secret(heard, func() bool { return len(outcome) == 1 })
			out := <-outcome
			if out.State != want.out.State || out.Reason != want.out.Reason || out.Delivered != (want.out.State == channels.Accepted) {
				t.Errorf("outcome %+v", out)
			}
			if said := loudest > strength*3/4; said != out.Delivered {
				t.Errorf("the reserved text was heard: %v (%.0f)", said, loudest)
			}
			if got := pad.tries(); !slices.Equal(got, want.tried) {
				t.Errorf("tried %q", got)
			}
			if got := b.replies(); len(got) != 0 {
				t.Errorf("replies %+v", got)
			}
			if strings.Contains(b.log.String(), "4829") {
				t.Error("the log holds a code")
			}
		})
	}
}

// Without anybody to judge codes nothing reserved is said, whatever is typed.
func TestNothingReservedIsSaidWithoutAJudge(t *testing.T) {
	t.Parallel()
	kept := &shelf{id: uuid.New()}
	base, heard := ears(t, 4)
	sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(900*time.Millisecond, 450*time.Millisecond, keys("482957#")...), MediaPort: base})
	b := openBy(t, newKind(), settings(sipp.Port, nil), channels.Opening{Recordings: kept})
	outcome := make(chan channels.Outcome, 1)
	go func() { outcome <- b.send(reserved(kept.id)) }()
	loudest := secret(heard, func() bool { return len(outcome) == 1 })
	if out := <-outcome; out.State != channels.Refused || out.Reason != channels.ReasonNoCode || loudest > strength*3/4 {
		t.Errorf("outcome %+v, heard %.0f", out, loudest)
	}
}

// Who calls back gives the code too, which is judged as a stranger's; then he answers.
func TestWhoCallsBackGivesTheCode(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]struct {
		script   string
		answered bool
	}{"right": {"482957#,2,1", true}, "wrong": {"1#,2#,3#", false}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			exchange := peer.Start(t, peer.Options{Scenario: peer.Ring()})
			pad, known := &keypad{code: "482957"}, &missed{number: called, m: reserved(uuid.Nil)}
			known.m.Reserved.Recording = channels.Recording{}
			local := peer.FreePort(t)
			b := openBy(t, newKind(), settings(exchange.Port, channels.Settings{"local_port": strconv.Itoa(local), "answer": "true", "reserve": "2", "listen": "4"}),
				channels.Opening{Switchboard: known, Codes: pad})
			caller := peer.Call(t, peer.Calling{Port: local, From: "0639981001", Wait: time.Second, Script: want.script})
			if got := caller.Ended(t); got != "answered bye" {
				t.Errorf("the call: %s", got)
			}
			channelstest.Eventually(t, "the message is let go of", func() bool { return known.holds() == 0 })
			receipts, _ := b.inbox.Kept()
			if replies := b.replies(); want.answered != (len(replies) == 1 && replies[0].Text == "2") || want.answered != (len(receipts) == 1) {
				t.Errorf("replies %+v, receipts %+v", replies, receipts)
			}
			pad.mu.Lock()
			defer pad.mu.Unlock()
			if len(pad.ours) == 0 || slices.Contains(pad.ours, true) {
				t.Errorf("judged as ours: %v", pad.ours)
			}
		})
	}
}
