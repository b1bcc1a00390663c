package voice_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/wire/rtp"
	"tocsin/internal/wire/wav"
	peer "tocsin/test/peers/sip"
)

// notebook takes what is recorded, in memory.
type notebook struct {
	mu    sync.Mutex
	steps []channels.DictationStep
	sound []byte
	// refuses is what Keep answers.
	refuses error
	// over tells that nobody waits any more, from that step on.
	over channels.DictationStep
}

func (n *notebook) Step(_ context.Context, _ uuid.UUID, step channels.DictationStep) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.steps = append(n.steps, step)
	if step == n.over {
		return errors.New("nobody waits for it")
	}
	return nil
}

func (n *notebook) Keep(_ context.Context, _ uuid.UUID, sound []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuses == nil {
		n.sound = sound
	}
	return n.refuses
}

func (n *notebook) kept() []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sound
}

// A person records a text by telephone, and only what she decides to keep is kept:
// the sound is sipp's own voice, as it was sent.
func TestATextIsRecordedByTelephone(t *testing.T) {
	t.Parallel()
	const (
		ringing, guiding, recording = channels.DictationRinging, channels.DictationGuiding, channels.DictationRecording
		playing, left               = channels.DictationPlaying, channels.DictationGivenUp
	)
	for what, one := range map[string]struct {
		script  string
		hangsUp bool
		longest time.Duration
		book    *notebook
		steps   []channels.DictationStep
		kept    bool
		outcome channels.Outcome
	}{
		"kept": {script: ",#,v#,1", kept: true, steps: []channels.DictationStep{ringing, guiding, recording, playing}},
		"nothing, then another take, then given up": {script: ",#,,#,,#,v#2,#,v#3", steps: []channels.DictationStep{
			ringing, guiding, recording, guiding, recording, playing, guiding, recording, playing, left,
		}},
		"too long":              {script: ",#,v,,,1", longest: 6 * time.Second, kept: true, steps: []channels.DictationStep{ringing, guiding, recording, playing}},
		"hung up in the middle": {script: ",#,v", hangsUp: true, steps: []channels.DictationStep{ringing, guiding, recording}, outcome: channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey}},
		"hung up before the decision": {
			script: ",#,v#,", hangsUp: true, steps: []channels.DictationStep{ringing, guiding, recording, playing},
			outcome: channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey},
		},
		"refused by the store": {
			script: ",#,v#,1", book: &notebook{refuses: errors.New("too many")}, steps: []channels.DictationStep{ringing, guiding, recording, playing},
			outcome: channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey},
		},
		"wanted no more": {
			script: ",#,v", book: &notebook{over: recording}, steps: []channels.DictationStep{ringing, guiding, recording},
			outcome: channels.Outcome{State: channels.Refused, Reason: channels.ReasonInterrupted},
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			book := one.book
			if book == nil {
				book = &notebook{}
			}
			sipp := peer.Start(t, peer.Options{Scenario: peer.Speak(one.script, one.hangsUp)})
			b := openBy(t, newKind(), settings(sipp.Port, nil), channels.Opening{Dictations: book})
			m := message(1)
			if one.longest == 0 {
				one.longest = time.Minute
			}
			m.Answers, m.Dictation = nil, channels.Dictation{ID: m.ID, Longest: one.longest}
			if one.outcome.State == "" {
				one.outcome = channels.Outcome{State: channels.Accepted, Delivered: true}
			}
			if out := b.send(m); out.State != one.outcome.State || out.Reason != one.outcome.Reason || out.Delivered != one.outcome.Delivered {
				t.Errorf("outcome %+v", out)
			}
			if !slices.Equal(book.steps, one.steps) {
				t.Errorf("steps %v, want %v", book.steps, one.steps)
			}
			sound := rtp.PCMA.Decode(book.kept())
			if (len(sound) > 0) != one.kept {
				t.Errorf("%d samples were kept", len(sound))
			}
			if len(sound) == 0 {
				return
			}
			if length := time.Duration(len(sound)) * time.Second / rtp.Rate; length > one.longest || length < min(one.longest/2, 5*time.Second) {
				t.Errorf("kept %s", length)
			}
			if like := alike(sound, said(t)); like < 0.9 {
				t.Errorf("what was kept is what was said at %.2f", like)
			}
		})
	}
}

// A telephone that is busy, or that nobody picks up, is called once: who asked sees
// it and asks again.
func TestADictationCallsOnce(t *testing.T) {
	t.Parallel()
	for scenario, reason := range map[string]channels.Reason{peer.Refuse("486 Busy Here"): channels.ReasonBusy, peer.Ring(): channels.ReasonNoAnswer} {
		book := &notebook{}
		sipp := peer.Start(t, peer.Options{Scenario: scenario})
		b := openBy(t, newKind(), settings(sipp.Port, nil), channels.Opening{Dictations: book})
		m := message(1)
		m.Dictation = channels.Dictation{ID: m.ID, Longest: time.Minute}
		if out := b.send(m); out.State != channels.Refused || out.Reason != reason || book.kept() != nil {
			t.Errorf("%s: %+v", reason, out)
		}
	}
}

// A dictation ends like any call when it is taken back.
func TestADictationIsTakenBack(t *testing.T) {
	t.Parallel()
	book, leave := &notebook{}, &order{}
	sipp := peer.Start(t, peer.Options{Scenario: peer.Speak(",#,v", false)})
	b := openBy(t, newKind(), settings(sipp.Port, nil), channels.Opening{Dictations: book})
	m := message(1)
	m.Dictation, m.Leave = channels.Dictation{ID: m.ID, Longest: time.Minute}, leave
	outcome := make(chan channels.Outcome, 1)
	go func() { outcome <- b.send(m) }()
	channelstest.Eventually(t, "the person speaks", func() bool {
		book.mu.Lock()
		defer book.mu.Unlock()
		return slices.Contains(book.steps, channels.DictationRecording)
	})
	leave.recalled.Store(true)
	if out := <-outcome; out.State != channels.Refused || out.Reason != channels.ReasonInterrupted {
		t.Errorf("%+v", out)
	}
}

// said is the voice of sipp, as its packets hold it.
func said(t *testing.T) (out []int16) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(peer.Sounds, "g711a.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	const record, headers = 16, 14 + 20 + 8 // of a record; of Ethernet, IP and UDP
	for b = b[24:]; len(b) >= record; {
		size := int(binary.LittleEndian.Uint32(b[8:]))
		p, err := rtp.Parse(b[record+headers : record+size])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rtp.PCMA.Decode(p.Payload)...)
		b = b[record+size:]
	}
	return wav.Trim(out)
}

// alike is how much two sounds are the same over a second of their second half,
// whatever their loudness and the moment they begin: 1 is the same.
func alike(a, b []int16) (best float64) {
	from := len(a) / 2
	piece := a[from : from+rtp.Rate]
	for lag := max(from-rtp.Rate, 0); lag+len(piece) <= min(len(b), from+3*rtp.Rate); lag++ {
		var across, one, two float64
		for i := range piece {
			x, y := float64(piece[i]), float64(b[lag+i])
			across, one, two = across+x*y, one+x*x, two+y*y
		}
		best = max(best, across/math.Sqrt(one*two+1))
	}
	return best
}
