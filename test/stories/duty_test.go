package stories_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/document/table"
)

// rostered puts a planning in use. The story begins on Sunday 22 November 2026
// at 3 a.m. in Paris.
func (h *hospital) rostered(text string) {
	h.t.Helper()
	if err := h.Directory.ConfirmRoster(h.t.Context(), access.System(h.scope.Organisation(), "story"), h.staged(text).ID); err != nil {
		h.t.Fatal(err)
	}
}

// staged reads a planning that nobody confirmed yet.
func (h *hospital) staged(text string) directory.Roster {
	h.t.Helper()
	rows, err := table.Open(strings.NewReader(text), int64(len(text)), "planning.csv", table.DefaultLimits())
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() {
		if err := rows.Close(); err != nil {
			h.t.Error(err)
		}
	}()
	r, err := h.Directory.StageRoster(h.t.Context(), access.System(h.scope.Organisation(), "story"), rows, directory.File{Name: "planning-tilleuls.csv"})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func numbered(matricule string) func(*directory.Person) {
	return func(p *directory.Person) { p.Matricule = matricule }
}

const thatNight = "Matricule;Date;Horaire\n" +
	"1;21/11/2026;19:00-07:00\n" + // works now
	"2;21/11/2026;13:45-21:15\n" + // went home at a quarter past nine
	"3;22/11/2026;repos\n"

// crew is one of each: at work, just back home, off for the day, in no planning.
func (h *hospital) crew() (there, resting, free, unknown directory.Person) {
	there, resting = h.agent("Veille", "ide", numbered("1")), h.agent("Rentre", "ide", numbered("2"))
	free, unknown = h.agent("Libre", "ide", numbered("3")), h.agent("Inconnu", "ide")
	h.rostered(thatNight)
	return there, resting, free, unknown
}

func asks(d directory.Duty) func(*alerting.Definition) {
	return func(def *alerting.Definition) { def.Audience.Include.Duty = d }
}

// A recall wakes those who are off duty: not those who work already, nor those
// who must sleep, unless the scenario says why.
func TestARecallLeavesThoseAtWorkAndThoseAtRest(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		there, resting, free, unknown := h.crew()
		l := h.launch(recall(asks(directory.OffDuty)))
		for _, c := range []struct {
			who  directory.Person
			want int
			why  alerting.LeftOut
		}{{there, 0, alerting.LeftOnDuty}, {resting, 0, alerting.LeftResting}, {free, 1, ""}, {unknown, 1, ""}} {
			count(t, h.sms.received(mobile(c.who)), c.want, "SMS to "+c.who.LastName)
			if got := h.person(l, c.who).LeftOut; got != c.why {
				t.Errorf("%s is left out for %q, want %q", c.who.LastName, got, c.why)
			}
		}
		h.launch(recall(asks(directory.OffDuty), func(d *alerting.Definition) {
			d.Title["fr"], d.Audience.IgnoreRest, d.Audience.RestReason = "Vies en danger", true, alerting.Localized{"fr": "Vies en danger", "en": "Lives at stake"}
		}))
		count(t, h.sms.received(mobile(resting)), 1, "SMS to who rests, when the scenario says why")
		count(t, h.sms.received(mobile(there)), 0, "SMS to who is at work")
	})
}

// A broadcast speaks to everyone on site, again and again until the end.
func TestABroadcastSpeaksToThoseOnSiteUntilTheEnd(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		there, resting, free, unknown := h.crew()
		l := h.launch(recall(asks(directory.OnDuty), func(d *alerting.Definition) {
			d.Profile, d.Limits.RepeatEvery, d.Waves[0].Escalate = alerting.Diffusion, minutes(10), 0
		}))
		h.pass(25 * time.Minute)
		count(t, h.sms.received(mobile(there)), 3, "SMS to who is there: the first and two repetitions")
		count(t, h.sms.received(mobile(unknown)), 3, "SMS to who may be there")
		count(t, h.sms.received(mobile(free)), 0, "SMS to who is off")
		if got := h.person(l, resting).LeftOut; got != alerting.LeftOffDuty {
			t.Errorf("who went home is left out for %q", got)
		}
	})
}

// An attack: those inside are told to hide, those outside not to come, even asleep.
func TestADiscreetAlertTellsThoseOutsideNotToCome(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		there, resting, free, unknown := h.crew()
		h.launch(recall(func(d *alerting.Definition) {
			d.Profile, d.Waves[0].Escalate = alerting.Discret, 0
			d.Audience.IgnoreRest, d.Audience.RestReason = true, alerting.Localized{"fr": "Ne pas venir", "en": "Do not come"}
			d.Waves[0].Who.Duty = directory.OnDuty
			away := d.Waves[0]
			away.Who, away.Use = directory.Rule{}, alerting.UseStayAway
			d.Waves = append(d.Waves, away)
		}))
		for _, c := range []struct {
			who  directory.Person
			says string
		}{{there, "VENEZ"}, {unknown, "VENEZ"}, {free, "RESTEZ"}, {resting, "RESTEZ"}} {
			got := h.sms.received(mobile(c.who))
			count(t, got, 1, "SMS to "+c.who.LastName)
			if len(got) == 1 && !strings.Contains(got[0].Text, c.says) {
				t.Errorf("%s reads %q, want %q in it", c.who.LastName, got[0].Text, c.says)
			}
		}
	})
}
