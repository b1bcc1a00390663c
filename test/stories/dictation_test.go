package stories_test

import (
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers/sip"
)

// A text is recorded from a telephone: somebody picks up, speaks after the beep,
// hears it again and keeps it; from then on it is what people hear.
func TestATextIsRecordedFromATelephone(t *testing.T) {
	telephones(t, sip.Speak(",#,v#,1", false), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		sc := h.scenario(recall(called))
		of := alerting.Spoken{Use: alerting.UseAlert, Language: "fr"}
		if _, err := h.Alerting.Dictate(t.Context(), h.scope, h.now(), sc.ID, of, "06 39 98 01 00"); err != nil {
			t.Fatal(err)
		}
		state := func() alerting.Dictation {
			list, err := h.Alerting.Dictations(t.Context(), h.scope, h.now(), sc.ID)
			if err != nil || len(list) != 1 {
				t.Fatalf("%v %v", list, err)
			}
			return list[0]
		}
		storagetest.Eventually(t, patience, "the person speaks", func() bool { return state().State == alerting.DictationState(channels.DictationRecording) })
		storagetest.Eventually(t, patience, "it is kept", func() bool { return state().Over() })
		if d := state(); d.State != alerting.DictationKept {
			t.Fatalf("%s: %s", d.State, d.Why)
		}
		file, err := h.Alerting.Recording(t.Context(), h.scope, sc.ID, of)
		if seconds := time.Duration(len(file)/2) * time.Second / 8000; err != nil || seconds < 5*time.Second || seconds > 9*time.Second {
			t.Errorf("%s are heard: %v", seconds, err)
		}
		if n := h.journalled("scenario.dictate") + h.journalled("scenario.record.telephone"); n != 2 {
			t.Errorf("the journal says %d things of two", n)
		}
		storagetest.Eventually(t, patience, "the call has ended", func() bool { return phones.Count("bye") == 1 })
	})
}
