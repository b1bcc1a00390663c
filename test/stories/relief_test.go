package stories_test

import (
	"slices"
	"testing"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
)

// relieved adds a relief: so many of a skill from the eighth to the sixteenth hour,
// told now, called an hour and a half before.
func relieved(n int, skill string) func(*alerting.Definition) {
	return func(d *alerting.Definition) {
		d.Quotas = append(d.Quotas, alerting.Quota{Skill: skill, Needed: n, From: minutes(8 * 60), To: minutes(16 * 60)})
		for i := range d.Quotas {
			if d.Quotas[i].From == 0 {
				d.Quotas[i].To = minutes(8 * 60)
			}
		}
		d.Waves = append(d.Waves, alerting.Wave{
			Name: alerting.Localized{"fr": "Relève"}, After: minutes(390), When: alerting.QuotaMissing, Relief: minutes(8 * 60), Notice: true,
			Media: []channels.Medium{channels.SMS, channels.Email}, Escalate: minutes(5),
		})
		for use, word := range map[alerting.Use]string{alerting.UseKeptBack: "GARDE", alerting.UseRelief: "RELEVE"} {
			for _, m := range []channels.Medium{channels.SMS, channels.Email} {
				for _, lang := range []string{"fr", "en"} {
					text := alerting.Text{Use: use, Medium: m, Language: lang, Body: word + " {releve} {lieu}. {lien}"}
					if m == channels.Email {
						text.Subject = word
					}
					d.Messages = append(d.Messages, text)
				}
			}
		}
	}
}

// The relief is kept back: those of it are told when to come and are not called now,
// the quota of the first hours stops its own calls and not theirs, and who came first
// is not counted among them before his rest.
func TestTheReliefIsKeptBackAndLeavesByItself(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		var all []directory.Person
		for _, name := range []string{"Un", "Deux", "Trois", "Quatre", "Cinq", "Six", "Sept", "Huit"} {
			all = append(all, h.agent(name, "iade"))
		}
		// He has just worked: he cannot come now, and is rested at the eleventh hour of the morning.
		tired := h.agent("Repos", "iade", func(p *directory.Person) { p.RestUntil = h.now().Add(6 * time.Hour) })
		l := h.launch(recall(needs(2, "iade"), relieved(2, "iade")))
		h.settle()

		kept, called := h.sms.all("GARDE 11:00"), h.sms.all("VENEZ")
		count(t, kept, 5, "people told that they are kept back: him who rests and half of the others")
		count(t, called, 4, "people called now")
		if !slices.ContainsFunc(kept, func(m letter) bool { return m.To == mobile(tired) }) {
			t.Error("who rests now and not at eleven was not kept for the relief")
		}
		for _, m := range called {
			if slices.ContainsFunc(kept, func(k letter) bool { return k.To == m.To }) {
				t.Errorf("%s is called and kept back", m.To)
			}
		}

		first, second := who(all, called[0].To), who(all, called[1].To)
		h.sms.answer(mobile(first), "1 30")
		h.sms.answer(mobile(second), "1 30")
		b := h.board(l)
		if b.Launch.QuotaMet.IsZero() || b.Quotas[0].Missing() != 0 || b.Quotas[1].Missing() != 2 || b.Quotas[1].Resting != 2 {
			t.Fatalf("two came of two: met %s, lines %+v", b.Launch.QuotaMet, b.Quotas)
		}
		if b.Waves[1].State != alerting.WavePending {
			t.Errorf("the quota of the first hours made the relief %s", b.Waves[1].State)
		}
		h.sleep(35 * time.Minute)
		count(t, h.sms.all("INUTILE"), 2, "stand-downs, all to those called")
		for _, p := range []directory.Person{first, second} {
			if err := h.Alerting.Arrive(t.Context(), h.scope, h.now(), l.ID, h.person(l, p).ID, true); err != nil {
				t.Fatal(err)
			}
		}

		// One of the relief answers at once: he is expected at its hour, not in half an hour.
		early := who(all, kept[0].To)
		if early.ID == tired.ID || early.LastName == "" {
			early = who(all, kept[1].To)
		}
		h.sms.answer(mobile(early), "1 30")
		if b = h.board(l); b.Quotas[1].Coming != 1 || b.Quotas[0].Coming+b.Quotas[0].Arrived != 2 {
			t.Fatalf("one of the relief says he comes: %+v", b.Quotas)
		}

		h.sleep(6*time.Hour + 30*time.Minute - h.now().Sub(l.LaunchedAt))
		count(t, h.sms.all("RELEVE 11:00"), 4, "calls of the relief, less him who had answered")
		h.sms.answer(mobile(tired), "1 60")
		b = h.board(l)
		if b.Quotas[1].Missing() != 0 || b.Waves[1].State != alerting.WaveOpen {
			t.Errorf("the relief has its two: %+v, wave %s", b.Quotas[1], b.Waves[1].State)
		}
		if !slices.ContainsFunc(b.Timeline, func(e alerting.Event) bool { return e.Kind == alerting.EventReliefMet && e.Wave == 2 }) {
			t.Error("the timeline does not say that the relief is complete")
		}

		// One of the first team goes home at the eighth hour and comes back six hours later: too soon.
		h.sleep(8*time.Hour - h.now().Sub(l.LaunchedAt))
		if err := h.Alerting.Leave(t.Context(), h.scope, h.now(), l.ID, h.person(l, first).ID, true); err != nil {
			t.Fatal(err)
		}
		h.sleep(6 * time.Hour)
		if err := h.Alerting.Arrive(t.Context(), h.scope, h.now(), l.ID, h.person(l, first).ID, true); err != nil {
			t.Fatal(err)
		}
		if b = h.board(l); b.Quotas[1].Arrived != 0 || b.Quotas[0].Arrived != 2 {
			t.Errorf("who came back without rest: %+v", b.Quotas)
		}
	})
}

// who finds a person by a telephone.
func who(list []directory.Person, number string) directory.Person {
	for _, p := range list {
		if mobile(p) == number {
			return p
		}
	}
	return directory.Person{}
}
