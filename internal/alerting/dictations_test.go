package alerting_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/wire/rtp"
	"tocsin/internal/wire/wav"
)

// exchange is a hospital whose outbox calls telephones, each played by the test.
type exchange struct {
	*hospital
	out      *dispatch.Dispatch
	scenario alerting.Scenario
	french   alerting.Spoken
}

// newExchange starts one. What a telephone does is a function of the message.
func newExchange(t *testing.T, h *hospital, picks func(e *exchange, m channels.Message) channels.Outcome) *exchange {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	line := dispatchtest.NewAir(channels.Voice)
	e := &exchange{hospital: h, french: alerting.Spoken{Use: alerting.UseAlert, Language: "fr"}}
	e.out = dispatchtest.Outbox(t, h.db, h.clock, nil, line)
	h.Service = alerting.New(alerting.Options{DB: h.db, Guard: guard, Directory: h.dir, Dispatch: e.out, Organisation: h.org, LinkBase: "https://t.example/r/"})
	def := recall()
	spoken(&def, "Venez {lieu}")
	if e.scenario, err = h.CreateScenario(t.Context(), h.scope, night, def); err != nil {
		t.Fatal(err)
	}
	_, err = h.Dictate(t.Context(), h.scope, night, e.scenario.ID, e.french, "06 39 98 01 00")
	refusedAs(t, "no line", err, "alerting.dictation.no_voice")
	dispatchtest.Gateway(t, e.out, access.System(h.scope.Organisation(), "test"), night, line, 1, channels.Settings{})
	line.Answer(func(m channels.Message) channels.Outcome { return picks(e, m) })
	e.out.Tell(h.Service)
	e.out.Dictate(h.Service)
	if err := e.out.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.out.Stop)
	return e
}

// ask asks for the French alert by telephone.
func (e *exchange) ask() alerting.Dictation {
	e.t.Helper()
	d, err := e.Dictate(e.t.Context(), e.scope, e.now(), e.scenario.ID, e.french, "06 39 98 01 00")
	if err != nil {
		e.t.Fatal(err)
	}
	return d
}

// ends waits for the end of the last dictation.
func (e *exchange) ends(what string) (d alerting.Dictation) {
	e.t.Helper()
	storagetest.Eventually(e.t, 10*time.Second, what, func() bool {
		list, err := e.Dictations(e.t.Context(), e.scope, e.now(), e.scenario.ID)
		if err != nil || len(list) != 1 {
			e.t.Fatalf("%+v %v", list, err)
		}
		d = list[0]
		return d.Over()
	})
	return d
}

// system is the scope of the line that calls.
func (e *exchange) system() access.Scope { return access.System(e.scope.Organisation(), "dispatch") }

// voice is what a telephone recorded, in seconds.
func voiceOf(seconds int) []byte {
	samples, _, err := wav.Read(sound(seconds))
	if err != nil {
		panic(err)
	}
	return rtp.PCMA.Encode(samples)
}

func accepted() channels.Outcome {
	return channels.Outcome{State: channels.Accepted, Delivered: true, ProviderIDs: []string{uuid.NewString()}}
}

// What a person decides on the telephone is what happens: kept, it passes for a file
// that was sent; anything else keeps nothing.
func TestATextIsRecordedByTelephone(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		ctx := t.Context()
		kept := func(e *exchange, seconds int) func(m channels.Message) channels.Outcome {
			return func(m channels.Message) channels.Outcome {
				for _, step := range []channels.DictationStep{channels.DictationRinging, channels.DictationGuiding, channels.DictationRecording, channels.DictationPlaying} {
					if err := e.DictationStep(ctx, e.system(), e.now(), m.Dictation.ID, step); err != nil {
						t.Error(err)
					}
				}
				if err := e.KeepDictation(ctx, e.system(), e.now(), m.Dictation.ID, voiceOf(seconds)); err != nil {
					return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey}
				}
				return accepted()
			}
		}
		var telephone func(m channels.Message) channels.Outcome
		e := newExchange(t, h, func(_ *exchange, m channels.Message) channels.Outcome {
			if m.To != "+33639980100" || m.Dictation.ID != m.ID || m.Dictation.Longest != alerting.RecordingLongest || m.Language != "fr" {
				t.Errorf("the line got %+v", m)
			}
			return telephone(m)
		})
		for _, one := range []struct {
			what      string
			telephone func(m channels.Message) channels.Outcome
			state     alerting.DictationState
			why       string
			version   int
		}{
			{"kept", kept(e, 2), alerting.DictationKept, "", 2},
			{"too short", kept(e, 0), alerting.DictationRefused, "short", 2},
			{"too long", kept(e, 91), alerting.DictationRefused, "long", 2},
			{"busy", func(channels.Message) channels.Outcome {
				return channels.Outcome{State: channels.Refused, Reason: channels.ReasonBusy}
			}, alerting.DictationUnanswered, string(channels.ReasonBusy), 2},
			{"hung up in the middle", func(m channels.Message) channels.Outcome {
				if err := e.DictationStep(ctx, e.system(), e.now(), m.Dictation.ID, channels.DictationRecording); err != nil {
					t.Error(err)
				}
				return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey}
			}, alerting.DictationUnanswered, string(channels.ReasonNoKey), 2},
			{"given up", func(m channels.Message) channels.Outcome {
				if err := e.DictationStep(ctx, e.system(), e.now(), m.Dictation.ID, channels.DictationGivenUp); err != nil {
					t.Error(err)
				}
				return accepted()
			}, alerting.DictationGivenUp, "", 2},
			{"kept again", kept(e, 3), alerting.DictationKept, "", 3},
		} {
			h.clock.Advance(time.Second)
			telephone = one.telephone
			e.ask()
			if d := e.ends(one.what); d.State != one.state || !strings.Contains(d.Why, one.why) {
				t.Errorf("%s: %s %q", one.what, d.State, d.Why)
			}
			if sc, _, err := h.Scenario(ctx, h.scope, e.scenario.ID); err != nil || sc.Version != one.version {
				t.Errorf("%s: version %d, %v", one.what, sc.Version, err)
			}
		}
		file, err := h.Recording(ctx, h.scope, e.scenario.ID, e.french)
		if err != nil || len(file) != len(sound(3)) {
			t.Errorf("%d octets are heard, %v", len(file), err)
		}
		if n := h.count(`SELECT COUNT(*) FROM dispatch_recordings WHERE organisation_id = $1`); n != 1 {
			t.Errorf("%d recordings are kept", n)
		}
		if n := h.count(`SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action = 'scenario.record.telephone' AND actor_name = 'Mme Garde'`); n != 2 {
			t.Errorf("the journal says %d times that a telephone recorded", n)
		}
	})
}

// Who may not, what is not one telephone, two at once, another establishment, words
// that changed meanwhile, and a call given up from the page.
func TestDictationsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		ctx := t.Context()
		ringing, goOn := make(chan channels.Message, 4), make(chan struct{})
		e := newExchange(t, h, func(_ *exchange, m channels.Message) channels.Outcome {
			ringing <- m
			<-goOn
			return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey}
		})
		defer close(goOn)
		for _, number := range []string{"", "15", "06 39 98 01 00 / 06 39 98 01 01", "sip:x@y", "<script>"} {
			_, err := h.Dictate(ctx, h.scope, night, e.scenario.ID, e.french, number)
			refusedAs(t, "number "+number, err, "alerting.dictation.number")
		}
		_, err := h.Dictate(ctx, person(h.scope.Organisation(), access.Reader), night, e.scenario.ID, e.french, "4512")
		if !fault.Is(err, fault.Denied) {
			t.Errorf("a reader records: %v", err)
		}
		there := h.establishment("CH de Brumeval")
		if _, err := h.Dictate(ctx, there, night, e.scenario.ID, e.french, "4512"); err == nil {
			t.Error("another establishment records")
		}
		_, err = h.Dictate(ctx, h.scope, night, e.scenario.ID, alerting.Spoken{Use: alerting.UseProgress, Language: "de"}, "4512")
		refusedAs(t, "no such text", err, "alerting.recording.no_text")

		d := e.ask()
		m := <-ringing
		_, err = h.Dictate(ctx, h.scope, night, e.scenario.ID, e.french, "4512")
		refusedAs(t, "twice", err, "alerting.dictation.already")
		if list, err := h.Dictations(ctx, there, night, e.scenario.ID); err != nil || len(list) != 0 {
			t.Errorf("another establishment sees %v %v", list, err)
		}
		elsewhere := access.System(there.Organisation(), "dispatch")
		for what, err := range map[string]error{
			"cancels": h.CancelDictation(ctx, there, night, e.scenario.ID, d.ID),
			"steps":   h.DictationStep(ctx, elsewhere, night, d.ID, channels.DictationRecording),
			"keeps":   h.KeepDictation(ctx, elsewhere, night, d.ID, voiceOf(2)),
		} {
			if err == nil {
				t.Errorf("another establishment %s it", what)
			}
		}

		_, def, err := h.Scenario(ctx, h.scope, e.scenario.ID)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(def.Messages, func(t alerting.Text) bool {
			return t.Medium == channels.Voice && t.Use == e.french.Use && t.Language == "fr"
		})
		before := def.Messages[at].Body
		say := func(words string) {
			t.Helper()
			if err := h.db.Write(ctx, h.scope, func(tx *storage.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE alerting_dictations SET words = $2 WHERE organisation_id = $1`, h.scope.Organisation(), words)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		say("d’autres mots")
		refusedAs(t, "other words", h.KeepDictation(ctx, e.system(), night, m.Dictation.ID, voiceOf(2)), "alerting.dictation.other_words")
		if d := e.ends("refused"); d.State != alerting.DictationRefused || d.Why == "" {
			t.Errorf("%s %q", d.State, d.Why)
		}
		say(before)

		goOn <- struct{}{}
		h.clock.Advance(time.Second)
		d = e.ask()
		m = <-ringing
		if err := h.CancelDictation(ctx, h.scope, h.now(), e.scenario.ID, d.ID); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, 10*time.Second, "the call is told", m.Recalled)
		if err := h.KeepDictation(ctx, e.system(), night, d.ID, voiceOf(2)); !fault.Is(err, fault.Conflict) {
			t.Errorf("kept once given up: %v", err)
		}
		goOn <- struct{}{}
		if d := e.ends("cancelled"); d.State != alerting.DictationCancelled {
			t.Errorf("%s", d.State)
		}
		if n := h.count(`SELECT COUNT(*) FROM dispatch_recordings WHERE organisation_id = $1`); n != 0 {
			t.Errorf("%d recordings are kept", n)
		}

		h.clock.Advance(25 * time.Hour)
		if _, err := h.Purge(ctx, access.Instance("alerting"), h.now()); err != nil {
			t.Fatal(err)
		}
		if n := h.count(`SELECT COUNT(*) FROM alerting_dictations WHERE organisation_id = $1`) + h.count(`SELECT COUNT(*) FROM dispatch_deliveries WHERE organisation_id = $1 AND address <> ''`); n != 0 {
			t.Errorf("%d numbers are still known a day later", n)
		}
	})
}
