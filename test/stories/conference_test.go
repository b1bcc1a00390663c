package stories_test

import (
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers/sip"
)

// bridged calls by telephone first, and opens the conference of the cell.
func bridged(d *alerting.Definition) {
	d.Conference = true
	d.Waves[0].Media = []channels.Medium{channels.Voice}
}

// conference is who is in the conference of an alert, as the follow-up tells it.
func (h *hospital) conference(l alerting.Launch) dispatch.Conference {
	h.t.Helper()
	return h.board(l).Media.Conference
}

// Three people press 9: their messages are settled while they talk, they hold their
// lines, the last line still calls, and the end of the alert hangs up.
func TestTheConferenceOfTheCellEndsWithItsAlert(t *testing.T) {
	telephones(t, sip.Answer(1200*time.Millisecond, 200*time.Millisecond, "9"), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		for range 3 {
			h.agent("Appelée", "ide", func(p *directory.Person) { p.Contacts = p.Contacts[:1] })
		}
		l := h.launch(recall(called, bridged))
		if got := h.conference(l); got.Present() != 3 || got.Joins != 3 || len(got.Rooms) != 1 {
			t.Errorf("in the conference: %+v", got)
		}
		if n := h.journalled("dispatch.conference.open"); n != 1 {
			t.Errorf("opened %d times", n)
		}
		if b := h.board(l); b.Counters.Reached != 3 || phones.Count("bye") != 0 {
			t.Errorf("%d are reached, %d calls have ended", b.Counters.Reached, phones.Count("bye"))
		}
		h.end(l)
		storagetest.Eventually(t, patience, "all of them are hung up", func() bool { return phones.Count("bye") == 3 })
		h.settle()
		storagetest.Eventually(t, patience, "nobody is in", func() bool { return h.conference(l).Present() == 0 })
		if got := h.conference(l); got.Joins != 3 || h.journalled("dispatch.conference.close") != 1 {
			t.Errorf("afterwards: %+v, closed %d times", got, h.journalled("dispatch.conference.close"))
		}
	})
}

// The kill switch hangs up on those who talk, at once.
func TestTheKillSwitchEndsTheConference(t *testing.T) {
	telephones(t, sip.Answer(1200*time.Millisecond, 200*time.Millisecond, "9"), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		h.agent("Appelée", "ide", func(p *directory.Person) { p.Contacts = p.Contacts[:1] })
		l := h.launch(recall(called, bridged))
		if got := h.conference(l); got.Present() != 1 {
			t.Fatalf("in the conference: %+v", got)
		}
		if err := h.Alerting.Kill(t.Context(), h.scope, h.now(), l.ID, "erreur"); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, patience, "the call is hung up", func() bool { return phones.Count("bye") == 1 })
	})
}

// Without the option the key is not proposed, and leads nowhere.
func TestNoConferenceUnlessTheScenarioSaysSo(t *testing.T) {
	telephones(t, sip.Answer(1200*time.Millisecond, 2*time.Second, "9", "2", "1"), func(t *testing.T, h *hospital, _ *sip.Sipp) {
		a := h.agent("Appelée", "ide", func(p *directory.Person) { p.Contacts = p.Contacts[:1] })
		l := h.launch(recall(called, bridged, func(d *alerting.Definition) { d.Conference = false }))
		h.settle()
		if got := h.person(l, a); got.Meaning != alerting.Unavailable || h.conference(l).Joins != 0 {
			t.Errorf("%s, %+v", got.Meaning, h.conference(l))
		}
	})
}
