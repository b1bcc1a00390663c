package stories_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/channels/voice"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers/sip"
)

// telephones tells a story on both engines with a trunk that leads to sipp.
func telephones(t *testing.T, scenario string, story func(t *testing.T, h *hospital, phones *sip.Sipp), more ...channels.Settings) {
	t.Helper()
	onOneDatabase(t, func(t *testing.T, database string) {
		phones := sip.Start(t, sip.Options{Scenario: scenario})
		h := build(t, night(), database, voice.New())
		h.trunk(phones, "4", more...)
		story(t, h, phones)
	})
}

// trunk adds a telephone line.
func (h *hospital) trunk(phones *sip.Sipp, lines string, more ...channels.Settings) {
	h.t.Helper()
	settings := channels.Settings{
		"host": "127.0.0.1", "port": strconv.Itoa(phones.Port), "caller": "0142000000", "channels": lines, "speed": "300", "repeats": "1", "format": "{national}",
		"local_port": strconv.Itoa(sip.FreePort(h.t)),
		"rate":       "0", // a pace is counted on the clock, and that of a story stands still
	}
	for _, m := range more {
		maps.Copy(settings, m)
	}
	if _, err := h.Dispatch.CreateGateway(h.t.Context(), access.System(h.scope.Organisation(), "story"), h.now(), dispatch.GatewayInput{
		Kind: "sip", Name: "ligne", Priority: 1, Enabled: true, Settings: settings,
	}); err != nil {
		h.t.Fatal(err)
	}
}

// listens is the port where the telephone line is called.
func (h *hospital) listens() int {
	h.t.Helper()
	list, err := h.Dispatch.Gateways(h.t.Context(), access.System(h.scope.Organisation(), "story"))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, g := range list {
		if g.Kind == "sip" {
			return g.Settings.Int("local_port")
		}
	}
	h.t.Fatal("no telephone line")
	return 0
}

// called makes every wave go from the SMS to the telephone, with words for it.
func called(d *alerting.Definition) {
	for i := range d.Waves {
		d.Waves[i].Media = []channels.Medium{channels.SMS, channels.Voice}
	}
	for use, word := range map[alerting.Use]string{alerting.UseAlert: "Venez", alerting.UseEnd: "Fin", alerting.UseStandDown: "Inutile"} {
		for _, lang := range []string{"fr", "en"} {
			d.Messages = append(d.Messages, alerting.Text{Use: use, Medium: channels.Voice, Language: lang, Body: word + " {lieu}. {etablissement}"})
		}
	}
}

// No answer to the SMS within five minutes: the telephone rings, and a key that is
// confirmed counts as the answer of the scenario.
func TestNoAnswerToTheSMSMeansACall(t *testing.T) {
	telephones(t, sip.Answer(time.Second, 2*time.Second, "1", "2", "1"), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		silent, prompt := h.agent("Silence", "ide"), h.agent("Prompte", "ide")
		fixed := h.agent("Fixe", "ide", func(p *directory.Person) {
			p.Contacts = []directory.ContactPoint{at(directory.Landline, "+33142999999")}
		})
		deaf := h.agent("Sourde", "ide", func(p *directory.Person) { p.Refused = []string{directory.Voice} })
		l := h.launch(recall(called))
		h.sms.answer(mobile(prompt), "2")
		h.settle()
		if got := h.person(l, fixed); got.Meaning != alerting.Coming || got.Minutes != 30 {
			t.Errorf("who has only a landline is called at once: %s in %d minutes", got.Meaning, got.Minutes)
		}
		if n := phones.Count("invite"); n != 1 {
			t.Errorf("%d calls before the five minutes", n)
		}
		h.pass(302 * time.Second)
		got := h.person(l, silent)
		if got.Meaning != alerting.Coming || got.Minutes != 30 || len(got.Attempts) != 3 {
			t.Errorf("the silent one: %s, %s in %d minutes, after %d messages (the SMS, the call, the thanks)", got.State, got.Meaning, got.Minutes, len(got.Attempts))
		}
		count(t, h.sms.received(mobile(silent)), 2, "SMS to the silent one: the alert, and what acknowledges the call")
		if n := phones.Count("invite"); n != 2 {
			t.Errorf("%d calls, want the landline and the silent one", n)
		}
		if got := h.person(l, deaf); got.Meaning != "" || len(got.Attempts) != 1 {
			t.Errorf("who refuses calls got %d messages", len(got.Attempts))
		}
	})
}

// A voicemail picks up and presses nothing: the person is not reached.
func TestAVoicemailReachesNobody(t *testing.T) {
	telephones(t, sip.Answer(0, 0), func(t *testing.T, h *hospital, _ *sip.Sipp) {
		away := h.agent("Absente", "ide", func(p *directory.Person) {
			p.Contacts = []directory.ContactPoint{at(directory.Landline, "+33142999999")}
		})
		l := h.launch(recall(called))
		got := h.person(l, away)
		if got.State != alerting.Exhausted || len(got.Attempts) != 1 || got.Attempts[0].Reason != channels.ReasonNoKey || got.Attempts[0].State != alerting.AttemptFailed {
			t.Errorf("%s after %+v", got.State, got.Attempts)
		}
	})
}

// A line that is busy is called three times, a minute apart, then the next address.
func TestABusyLineIsCalledAgain(t *testing.T) {
	telephones(t, sip.Refuse("486 Busy Here"), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		busy := h.agent("Occupée", "ide", func(p *directory.Person) {
			p.Contacts = []directory.ContactPoint{at(directory.Landline, "+33142999999")}
		})
		l := h.launch(recall(called))
		for want := 1; want <= 3; want++ {
			if n := phones.Count("invite"); n != want {
				t.Errorf("%d calls after %d minutes", n, want-1)
			}
			h.pass(75 * time.Second)
		}
		if got := h.person(l, busy); got.State != alerting.Exhausted || got.Attempts[0].Reason != channels.ReasonBusy {
			t.Errorf("%s after %+v", got.State, got.Attempts)
		}
	})
}

// The kill switch hangs up: nobody goes on hearing an alert that was stopped.
func TestTheKillSwitchHangsUp(t *testing.T) {
	telephones(t, sip.Answer(0, 0), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		for range 6 {
			h.agent("Appelée", "ide", func(p *directory.Person) { p.Contacts = p.Contacts[:1] })
		}
		l, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now(), draft(h.scenario(recall(called, func(d *alerting.Definition) {
			d.Waves[0].Media = []channels.Medium{channels.Voice}
		}))))
		if err != nil {
			t.Fatal(err)
		}
		h.work()
		storagetest.Eventually(t, patience, "four telephones are picked up", func() bool {
			h.Dispatch.Wake()
			return phones.Count("ack") == 4
		})
		if err := h.Alerting.Kill(t.Context(), h.scope, h.now(), l.ID, "erreur"); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, patience, "all of them are hung up", func() bool { return phones.Count("bye") == 4 })
		h.settle()
		if n := phones.Count("invite"); n != 4 {
			t.Errorf("%d calls, want the four that rang before the alert was stopped", n)
		}
	})
}

// Who wrote STOP to the SMS is not deaf: the operator blocks the messages, and the
// telephone still rings.
func TestAStopBySMSDoesNotStopTheTelephone(t *testing.T) {
	telephones(t, sip.Answer(500*time.Millisecond, 2*time.Second, "2", "1"), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		tired := h.agent("Lasse", "ide", func(p *directory.Person) { p.Contacts = p.Contacts[:1] })
		l := h.launch(recall(called))
		h.sms.answer(mobile(tired), "STOP")
		h.settle()
		if got := h.person(l, tired); got.Meaning != alerting.Unavailable || phones.Count("invite") != 1 {
			t.Errorf("%s, %d calls", got.Meaning, phones.Count("invite"))
		}
	})
}

// A call-out of the library rings after the SMS where the establishment has a line,
// and only there; what hides or informs never rings.
func TestTheLibraryRingsWhereThereIsALine(t *testing.T) {
	t.Parallel()
	h := build(t, night(), "", voice.New())
	rings := func(family string) bool {
		t.Helper()
		sc, err := h.Alerting.CopyFromLibrary(t.Context(), h.scope, h.now(), family)
		if err != nil {
			t.Fatal(err)
		}
		_, def, err := h.Alerting.Scenario(t.Context(), h.scope, sc.ID)
		if err != nil || len(def.Check()) > 0 {
			t.Fatalf("%s: %v %v", family, err, def.Check())
		}
		for _, w := range def.Waves {
			if at := slices.Index(w.Media, channels.Voice); at >= 0 {
				return w.Media[at-1] == channels.SMS && w.Media[at+1] == channels.Email
			}
		}
		return false
	}
	if rings("plan_blanc") {
		t.Error("without a line, people wait for a call that never comes")
	}
	phones := sip.Start(t, sip.Options{Scenario: sip.Ring()})
	h.trunk(phones, "4")
	for family, want := range map[string]bool{"plan_blanc": true, "rappel_service": true, "intrusion": false, "evacuation": false} {
		if got := rings(family); got != want {
			t.Errorf("%s rings: %t", family, got)
		}
	}
}

// Who did not pick up calls the presented number back, hears the alert and answers;
// who calls after the end, or was never called, is told nothing.
func TestWhoMissedTheCallCallsBack(t *testing.T) {
	landline := func(number string) func(p *directory.Person) {
		return func(p *directory.Person) { p.Contacts = []directory.ContactPoint{at(directory.Landline, number)} }
	}
	telephones(t, sip.Refuse("486 Busy Here"), func(t *testing.T, h *hospital, phones *sip.Sipp) {
		local := h.listens()
		busy := h.agent("Occupée", "ide", landline("+33142999999"))
		mute := h.agent("Muette", "ide", landline("+33142888888"))
		l := h.launch(recall(called))
		if got := h.person(l, busy); got.Meaning != "" || !got.ReachedAt.IsZero() {
			t.Fatalf("before the call back: %s", got.Meaning)
		}
		answers := func(from string) sip.Calling {
			return sip.Calling{Port: local, From: from, Wait: time.Second, Between: 900 * time.Millisecond, Keys: []string{"1", "2", "1"}}
		}
		if got := sip.Call(t, answers("0142999999")).Ended(t); got != "answered bye" {
			t.Errorf("the call back: %s", got)
		}
		h.settle()
		if got := h.person(l, busy); got.Meaning != alerting.Coming || got.Minutes != 30 {
			t.Errorf("who called back: %s, in %d minutes", got.Meaning, got.Minutes)
		}
		before := phones.Count("invite")
		h.pass(75 * time.Second)
		if n := phones.Count("invite") - before; n != 1 {
			t.Errorf("%d calls a minute later, want only the one to whom nothing is known of", n)
		}
		sip.Call(t, answers("0142777777")).Ended(t)
		if err := h.Alerting.End(t.Context(), h.scope, h.now(), l.ID, alerting.Localized{}); err != nil {
			t.Fatal(err)
		}
		h.settle()
		sip.Call(t, answers("0142888888")).Ended(t)
		h.settle()
		if got := h.person(l, mute); got.Meaning != "" {
			t.Errorf("who calls after the end: %s", got.Meaning)
		}
		if list, err := h.Alerting.Unmatched(t.Context(), h.scope, time.Time{}); err != nil || len(list) != 0 {
			t.Errorf("a stranger left %+v, %v", list, err)
		}
	}, channels.Settings{"answer": "true", "reserve": "1", "channels": "5"})
}
