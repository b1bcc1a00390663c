package voice_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/fault"
	"tocsin/internal/wire/rtp"
	peer "tocsin/test/peers/sip"
)

// shelf has one recording, of a tone.
type shelf struct {
	id    uuid.UUID
	reads atomic.Int64
}

func (s *shelf) Recording(_ context.Context, id uuid.UUID) ([]byte, error) {
	s.reads.Add(1)
	if id != s.id {
		return nil, fault.New(fault.NotFound, "dispatch.recording.unknown")
	}
	return rtp.PCMA.Encode(tone(700, 0, 4*rtp.Rate)), nil
}

// A recording is heard in place of the synthetic voice, in the codec of the trunk,
// and read once; where it is gone the text is spoken and the call goes on.
func TestARecordingIsHeard(t *testing.T) {
	t.Parallel()
	kept := &shelf{id: uuid.New()}
	for what, id := range map[string]uuid.UUID{"kept": kept.id, "gone": uuid.New()} {
		t.Run(what, func(t *testing.T) {
			base, heard := ears(t, 4)
			sipp := peer.Start(t, peer.Options{Scenario: peer.Answer(4*time.Second, 900*time.Millisecond, "2", "1"), MediaPort: base})
			b := openBy(t, newKind(), settings(sipp.Port, nil), channels.Opening{Recordings: kept})
			m := message(1)
			m.Recording = channels.Recording{ID: id, Before: "EXERCICE"}
			outcome := make(chan channels.Outcome, 1)
			go func() { outcome <- b.send(m) }()
			if id == kept.id {
				channelstest.Eventually(t, "the recording is heard", func() bool {
					return slices.ContainsFunc(heard, func(e *ear) bool { return e.loud(700) > strength*3/4 })
				})
			}
			if out := <-outcome; out.State != channels.Accepted || len(b.replies()) != 1 {
				t.Errorf("outcome %+v, replies %+v", out, b.replies())
			}
		})
	}
	if n := kept.reads.Load(); n > 2 {
		t.Errorf("read %d times", n)
	}
}
