package alerting_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/alerting"
)

// Twice in one night for the same posts: who said he cannot is left alone, who was
// stood down is called last, and no name tells which. The next day, for lives, in
// another mode or by choice of the scenario, everybody is called.
func TestNobodyIsCalledTwiceInANightForNothing(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		refuses, comes := h.agent("Refuse", "iade"), h.agent("Vient", "iade")
		h.agent("Decommande", "iade")
		h.agent("Autre", "ide")
		def := recall(byMetier("iade", "ide"), needs(1, "iade"))
		first := h.launch(def)
		for _, m := range h.deliver(first.ID) {
			switch m.Address {
			case refuses.Contacts[0].Address:
				h.reply(first.ID, m, "2")
			case comes.Contacts[0].Address:
				h.reply(first.ID, m, "1 30")
			}
		}
		h.pass(2 * time.Minute)
		h.end(first)
		h.clock.Advance(time.Hour)
		sheet := func(change ...func(*alerting.Definition)) alerting.Sheet {
			t.Helper()
			s, err := h.Prepare(t.Context(), h.scope, h.now(), h.draft(h.scenario(recall(append([]func(*alerting.Definition){byMetier("iade", "ide"), needs(1, "iade")}, change...)...))))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := sheet()
		if s.LeftOut[alerting.LeftAsked] != 1 || s.Messaged != 3 || s.ByWave[0].People != 1 || s.ByWave[1].People != 2 {
			t.Errorf("the same night: left out %v, waves %+v", s.LeftOut, s.ByWave)
		}
		if len(s.Missing) != 0 {
			t.Errorf("the sheet names who refused: %+v", s.Missing)
		}
		said := false
		for _, w := range s.Warnings {
			said = said || strings.HasSuffix(w.Key, "warning.asked")
		}
		if !said {
			t.Errorf("the sheet does not say it: %v", s.Warnings)
		}
		everybody := func(why string, s alerting.Sheet) {
			t.Helper()
			if s.LeftOut[alerting.LeftAsked] != 0 || s.Messaged != 4 || s.ByWave[0].People != 3 {
				t.Errorf("%s: left out %v, waves %+v", why, s.LeftOut, s.ByWave)
			}
		}
		everybody("for lives", sheet(func(d *alerting.Definition) { d.LifeSafety = true }))
		everybody("by choice of the scenario", sheet(func(d *alerting.Definition) { d.Limits.AskAgain = true }))
		everybody("for another need", sheet(func(d *alerting.Definition) { d.Quotas[0].Skill = "ide" }))
		draft := h.draft(h.scenario(def))
		draft.Mode = alerting.Real
		real, err := h.Prepare(t.Context(), h.scope, h.now(), draft)
		if err != nil {
			t.Fatal(err)
		}
		everybody("a true alert after an exercise", real)
		h.clock.Advance(alerting.AskedWithin)
		everybody("the next day", sheet())
	})
}
