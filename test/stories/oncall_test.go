package stories_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
)

// climbs calls a function level by level, five minutes apart, until one comes.
func climbs(f oncall.Function) func(*alerting.Definition) {
	return func(d *alerting.Definition) {
		ids := []uuid.UUID{f.ID}
		d.Audience.Include = directory.Rule{OnCall: ids, OnCallLevels: []int{1, 2}}
		d.Quotas = []alerting.Quota{{Needed: 1}}
		d.Waves = nil
		for level := 1; level <= 2; level++ {
			w := alerting.Wave{
				Name: alerting.Localized{"fr": "Niveau"}, Who: directory.Rule{OnCall: ids, OnCallLevels: []int{level}}, After: minutes(5 * (level - 1)),
				Media: []channels.Medium{channels.SMS}, Escalate: minutes(60), When: alerting.QuotaMissing,
			}
			if level == 1 {
				w.When = alerting.Always
			}
			d.Waves = append(d.Waves, w)
		}
	}
}

// guarded is a function that somebody holds this night, though he worked until a
// quarter past nine, and that a second person backs.
func (h *hospital) guarded() (f oncall.Function, holder, second, relief directory.Person) {
	h.t.Helper()
	holder, second, relief = h.agent("Garde", "ide", numbered("2")), h.agent("Second", "ide"), h.agent("Relève", "ide")
	h.rostered("Matricule;Date;Horaire\n2;21/11/2026;13:45-21:15\n")
	f, err := h.OnCall.Save(h.t.Context(), access.System(h.scope.Organisation(), "story"), oncall.Function{Name: "Cadre de garde", Roster: oncall.Roster{
		Rotations: []oncall.Rotation{{Start: oncall.DayOf(h.now(), time.UTC) - 1, Handover: 8 * 60, Every: 1, Unit: oncall.Daily, Members: []uuid.UUID{holder.ID, relief.ID}}},
		Chain:     []oncall.Step{{Kind: oncall.ToPerson, ID: second.ID}},
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	return f, holder, second, relief
}

// Nobody answers for five minutes: the alert climbs to the next level of the chain.
func TestAnAlertToAFunctionClimbsItsChain(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		f, holder, second, relief := h.guarded()
		h.launch(recall(climbs(f)))
		count(t, h.sms.received(mobile(holder)), 1, "SMS to who holds the function, at rest or not")
		count(t, h.sms.received(mobile(second)), 0, "SMS to the second level at once")
		h.pass(302 * time.Second)
		count(t, h.sms.received(mobile(second)), 1, "SMS to the second level after five minutes")
		count(t, h.sms.received(mobile(relief)), 0, "SMS to who holds it tomorrow")
	})
}

// He comes: the second level sleeps on.
func TestAnAnswerOfTheHolderLeavesTheChainAlone(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		f, holder, second, _ := h.guarded()
		h.launch(recall(climbs(f)))
		h.sms.answer(mobile(holder), "1 15")
		h.pass(10 * time.Minute)
		count(t, h.sms.received(mobile(second)), 0, "SMS to the second level")
	})
}

// The sheet says by name whom a function will call, and warns when it calls nobody.
func TestTheSheetNamesWhoHoldsTheFunction(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		f, holder, second, relief := h.guarded()
		sc := h.scenario(recall(climbs(f)))
		sheet := func() alerting.Sheet {
			s, err := h.Alerting.Prepare(t.Context(), h.scope, h.now(), alerting.Draft{Scenario: sc.ID, Mode: alerting.Real, Values: map[string]string{"lieu": "ici"}, OrderedBy: "Dr Ordre"})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := sheet()
		if !slices.Equal(s.ByWave[0].Named, []string{holder.Name()}) || !slices.Equal(s.ByWave[1].Named, []string{second.Name()}) {
			t.Errorf("the waves name %v and %v", s.ByWave[0].Named, s.ByWave[1].Named)
		}
		// Who would delete the function is told which scenarios it leaves without anybody.
		other := h.establishment("Clinique voisine", "voisine")
		keeper := access.System(h.scope.Organisation(), "story")
		if called, err := h.OnCall.CalledBy(t.Context(), keeper, f.ID, "fr"); err != nil || !slices.Equal(called, []string{sc.Title.In("fr")}) {
			t.Errorf("called by %v, %v", called, err)
		}
		for _, scope := range []access.Scope{access.System(other.Organisation(), "story"), access.For(h.scope.Organisation(), access.Actor{Kind: access.Person}, true, access.Reader)} {
			if called, err := h.OnCall.CalledBy(t.Context(), scope, f.ID, "fr"); len(called) != 0 {
				t.Errorf("told to somebody else: %v, %v", called, err)
			}
		}
		h.sleep(6 * time.Hour)
		if s = sheet(); !slices.Equal(s.ByWave[0].Named, []string{relief.Name()}) {
			t.Errorf("after the handover the first wave names %v", s.ByWave[0].Named)
		}
		if err := h.Directory.Depart(t.Context(), access.System(h.scope.Organisation(), "story"), relief.ID); err != nil {
			t.Fatal(err)
		}
		if s = sheet(); !slices.ContainsFunc(s.Warnings, func(w alerting.Warning) bool { return w.Key == "alerting.warning.oncall_nobody" }) {
			t.Errorf("nobody holds it and nothing is said: %v", s.Warnings)
		}
	})
}
