package alerting_test

import (
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/storage/storagetest"
)

func TestKillStopsEverything(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "iade")
		h.agent("Deux", "ide")
		l := h.launch(recall(byMetier("iade", "ide")))
		if err := h.Kill(t.Context(), person(h.scope.Organisation(), access.Reader), h.now(), l.ID, ""); !fault.Is(err, fault.Denied) {
			t.Errorf("a reader stopped it: %v", err)
		}
		if err := h.Kill(t.Context(), person(h.scope.Organisation(), access.Administrator), h.now(), l.ID, "lancé par erreur"); err != nil {
			t.Fatal(err)
		}
		before := len(h.queue(l.ID))
		h.pass(30 * time.Minute)
		if n := len(h.queue(l.ID)); n != before {
			t.Errorf("%d messages after the kill switch", n-before)
		}
		// What is still queued stays where it is: the campaign is stopped in dispatch.
		if v, err := h.out.View(t.Context(), h.scope, l.ID, h.now()); err != nil || v.StoppedAt.IsZero() {
			t.Errorf("dispatch goes on: %+v %v", v, err)
		}
		wantFault(t, h.Kill(t.Context(), h.scope, h.now(), l.ID, ""), "alerting.alert.over")
		wantFault(t, h.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "x"}), "alerting.alert.over")
		if got := h.journal("alert.kill"); len(got) != 1 || !contains(got[0].After, "erreur") {
			t.Errorf("journal: %+v", got)
		}
		h.reply(l.ID, h.queue(l.ID)[0], "1")
		if n := len(h.queue(l.ID)); n != before {
			t.Error("a killed alert acknowledges nobody")
		}
	})
}

func TestProgressGoesToThoseChosen(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("A vient", "iade")
		h.agent("B refuse", "iade")
		h.agent("C muet", "iade")
		l := h.launch(recall())
		first := h.deliver(l.ID)
		h.reply(l.ID, first[0], "1 15")
		h.reply(l.ID, first[1], "non")
		h.deliver(l.ID)
		for _, c := range []struct {
			to   alerting.To
			want int
		}{{alerting.ToAll, 3}, {alerting.ToComing, 1}, {alerting.ToUnanswered, 1}} {
			h.clock.Advance(time.Second)
			if err := h.Progress(t.Context(), h.scope, h.now(), l.ID, c.to, alerting.Localized{"fr": "Parking sud ouvert à {heure}."}); err != nil {
				t.Fatal(err)
			}
			h.tick()
			list := h.deliver(l.ID)
			if len(list) != c.want {
				t.Errorf("to %s: %d messages, want %d", c.to, len(list), c.want)
			}
			for _, m := range list {
				if m.Purpose != alerting.UseProgress || m.Text != "EXERCICE - Parking sud ouvert à 03:00."+signed(m.Medium) {
					t.Errorf("%q", m.Text)
				}
			}
		}
		wantFault(t, h.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"en": "only English"}), "alerting.progress.empty")
		wantFault(t, h.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "Au {parking}"}), "alerting.render.unfilled")
	})
}

func TestExtendCallsOnlyNewPeople(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Déjà", "iade")
		for range 40 {
			h.agent("Renfort", "ide")
		}
		h.agent("Repos", "ide", func(p *directory.Person) { p.RestUntil = night.Add(5 * time.Hour) })
		l := h.launch(recall(func(d *alerting.Definition) { d.Audience.Include.Metiers = []string{"iade"} }))
		h.deliver(l.ID)
		added, err := h.Extend(t.Context(), person(h.scope.Organisation(), access.CrisisCell), h.now(), l.ID, directory.Rule{})
		if err != nil || added != 40 {
			t.Fatalf("%d added: %v", added, err)
		}
		if list := h.deliver(l.ID); len(list) != 40 {
			t.Errorf("%d messages to the newcomers", len(list))
		}
		_, err = h.Extend(t.Context(), h.scope, h.now(), l.ID, directory.Rule{})
		wantFault(t, err, "alerting.extend.nobody")
		b, err := h.Board(t.Context(), h.scope, l.ID, h.now())
		if err != nil || b.Counters.People != 41 || b.Launch.People != 41 || b.Launch.LeftOut != 1 || b.Waves[0].People != 41 || b.Counters.Guarded != 0 {
			t.Errorf("%+v %+v %v", b.Counters, b.Launch, err)
		}
		h.pass(5*time.Minute + time.Second)
		if n := count(h.fresh(l.ID), of(alerting.UseReminder, channels.Email)); n != 41 {
			t.Errorf("%d reminders: newcomers escalate like the others", n)
		}
	})
}

func TestStopWave(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "iade")
		h.agent("Deux", "ide")
		l := h.launch(recall(byMetier("iade", "ide")))
		if err := h.StopWave(t.Context(), h.scope, h.now(), l.ID, 2); err != nil {
			t.Fatal(err)
		}
		h.deliver(l.ID)
		if err := h.StopWave(t.Context(), h.scope, h.now(), l.ID, 1); err != nil {
			t.Fatal(err)
		}
		h.pass(30 * time.Minute)
		if list := h.fresh(l.ID); len(list) != 0 {
			t.Errorf("stopped waves leave and escalate: %+v", list)
		}
		wantFault(t, h.StopWave(t.Context(), h.scope, h.now(), l.ID, 2), "alerting.wave.stopped")
		wantFault(t, h.StopWave(t.Context(), h.scope, h.now(), l.ID, 9), "alerting.wave.stopped")
	})
}

func TestManualCallAndArrival(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Appelée", "iade")
		l := h.launch(recall(needs(1, "iade")))
		h.deliver(l.ID)
		who := h.one(l.ID)
		ctx := t.Context()
		if err := h.ManualCall(ctx, h.scope, h.now(), l.ID, who.ID, "", -1, "messagerie"); err != nil {
			t.Fatal(err)
		}
		if who = h.one(l.ID); who.State != alerting.Reached || !who.WentByHand || len(who.Answers) != 1 || who.Answers[0].By != "Mme Garde" {
			t.Errorf("nobody answered the call: %+v", who)
		}
		if err := h.ManualCall(ctx, h.scope, h.now(), l.ID, who.ID, alerting.Coming, 20, "arrive"); err != nil {
			t.Fatal(err)
		}
		if b := h.board(l); b.Quotas[0].Coming != 1 || b.Counters.Coming != 1 {
			t.Errorf("announced: %+v", b.Quotas)
		}
		for range 2 { // ticked twice
			if err := h.Arrive(ctx, h.scope, h.now(), l.ID, who.ID, true); err != nil {
				t.Fatal(err)
			}
		}
		if b := h.board(l); b.Quotas[0].Arrived != 1 || b.Quotas[0].Coming != 0 || b.Counters.Arrived != 1 {
			t.Errorf("there: %+v %+v", b.Quotas, b.Counters)
		}
		if err := h.Arrive(ctx, h.scope, h.now(), l.ID, who.ID, false); err != nil {
			t.Fatal(err)
		}
		if b := h.board(l); b.Quotas[0].Arrived != 0 || b.Quotas[0].Coming != 1 || b.Counters.Arrived != 0 || h.one(l.ID).State != alerting.Answered {
			t.Errorf("the tick was taken back: %+v %+v", b.Quotas, b.Counters)
		}
		if n := len(h.journal("alert.arrival")); n != 2 {
			t.Errorf("%d arrivals in the journal, want the tick and its return", n)
		}
	})
}

func (h *hospital) board(l alerting.Launch) alerting.Board {
	h.t.Helper()
	b, err := h.Board(h.t.Context(), h.scope, l.ID, h.now())
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

func TestEndTellsThoseWhoWereCalled(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "iade")
		h.agent("Jamais", "ide")
		l := h.launch(recall(byMetier("iade", "ide")))
		first := h.deliver(l.ID)
		if err := h.End(t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
			t.Fatal(err)
		}
		h.tick()
		list := h.fresh(l.ID)
		if len(list) != 1 || list[0].Purpose != alerting.UseEnd || list[0].Subject != first[0].Subject {
			t.Errorf("%+v", list)
		}
		h.deliver(l.ID)
		h.pass(20 * time.Minute)
		if list := h.fresh(l.ID); len(list) != 0 {
			t.Errorf("after the end: %+v", list)
		}
		wantFault(t, h.End(t.Context(), h.scope, h.now(), l.ID, nil), "alerting.alert.over")
		if active, err := h.Active(t.Context(), h.scope); err != nil || len(active) != 0 {
			t.Errorf("%d alerts run: %v", len(active), err)
		}
	})
}

func TestDiffusionRepeatsUntilTheEnd(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		h.agent("Deux", "ide")
		l := h.launch(recall(func(d *alerting.Definition) {
			d.Profile, d.Family, d.Limits.RepeatEvery, d.Limits.StandDown = alerting.Diffusion, "confinement", minutes(3), false
		}))
		first := h.deliver(l.ID)
		h.reply(l.ID, first[0], "3")
		h.deliver(l.ID)
		h.pass(3*time.Minute + time.Second)
		list := h.deliver(l.ID)
		if len(list) != 1 || list[0].Purpose != alerting.UseReminder || list[0].Medium != channels.SMS || list[0].Subject != first[1].Subject {
			t.Fatalf("first repetition: %+v", list)
		}
		h.pass(3 * time.Minute)
		if list := h.deliver(l.ID); len(list) != 1 {
			t.Fatalf("second repetition: %+v", list)
		}
		if err := h.End(t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
			t.Fatal(err)
		}
		h.pass(10 * time.Minute)
		if n := count(h.fresh(l.ID), of(alerting.UseReminder, channels.SMS)); n != 0 {
			t.Error("repeated after the end")
		}
	})
}

func TestDiscretTellsPeopleToStayAway(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Présent", "ide")
		h.agent("Chez lui", "iade")
		l := h.launch(recall(byMetier("ide", "iade"), func(d *alerting.Definition) {
			d.Profile, d.Family = alerting.Discret, "intrusion"
			d.Waves[1].Use, d.Waves[1].After, d.Waves[1].When = alerting.UseStayAway, 0, alerting.Always
		}))
		h.tick()
		list := h.fresh(l.ID)
		if n := count(list, of(alerting.UseAlert, channels.SMS)); n != 1 {
			t.Errorf("%d alerts", n)
		}
		if n := count(list, of(alerting.UseStayAway, channels.SMS)); n != 1 {
			t.Errorf("%d told to stay away", n)
		}
		var ringing int
		if err := h.db.Read(t.Context(), h.scope, countRows(t, &ringing, `SELECT COUNT(*) FROM dispatch_lots WHERE organisation_id = $1 AND NOT quiet`, h.scope.Organisation())); err != nil {
			t.Fatal(err)
		}
		if ringing != 0 {
			t.Errorf("%d lots would ring", ringing)
		}
	})
}

func TestRunawayGuard(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Limite", "ide")
		l := h.launch(recall(func(d *alerting.Definition) { d.Limits.PerPerson = 1 }))
		h.deliver(l.ID)
		h.pass(5*time.Minute + time.Second)
		held := count(h.queue(l.ID), func(m message) bool { return m.State == "guarded" })
		if held != 1 {
			t.Fatalf("%d messages held back: %+v", held, h.queue(l.ID))
		}
		h.tell(l.ID, h.queue(l.ID)[1:], "", dispatch.FactGuarded)
		h.pass(6 * time.Minute)
		b := h.board(l)
		if b.Counters.Guarded != 1 || !hasEvent(b.Timeline, alerting.EventGuarded) {
			t.Errorf("%+v", b.Counters)
		}
		if n := len(h.queue(l.ID)); n != 2 {
			t.Errorf("%d messages: the engine must not insist", n)
		}
	})
}

// TestTheNightOfTheChangeOfHour: at 3 a.m. the clocks of Paris go back to 2 a.m. Waits are
// counted in instants: the second wave leaves one real hour after the launch, and the
// message says the hour on the wall.
func TestTheNightOfTheChangeOfHour(t *testing.T) {
	t.Parallel()
	storagetestEachAt(t, time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), func(t *testing.T, h *hospital) {
		h.agent("Un", "iade")
		h.agent("Zoé", "ide")
		l := h.launch(recall(byMetier("iade", "ide"), func(d *alerting.Definition) { d.Waves[1].After = minutes(60) }))
		first := h.deliver(l.ID)
		if !contains(first[0].Text, " 02:30 ") {
			t.Errorf("the wall clock says 2:30, summer time: %q", first[0].Text)
		}
		h.reply(l.ID, first[0], "1 90")
		h.deliver(l.ID)
		if who := h.one(l.ID); who.ETA.Sub(h.now()) != 90*time.Minute {
			t.Errorf("announced in %s", who.ETA.Sub(h.now()))
		}
		h.pass(59*time.Minute + 59*time.Second)
		if list := h.fresh(l.ID); len(list) != 0 {
			t.Fatalf("the second wave leaves an hour of wall clock too early: %+v", list)
		}
		h.pass(2 * time.Second)
		if n := count(h.deliver(l.ID), of(alerting.UseAlert, channels.SMS)); n != 1 {
			t.Fatalf("%d calls of the second wave after one hour", n)
		}
		h.pass(5*time.Minute - 2*time.Second)
		if list := h.fresh(l.ID); len(list) != 0 {
			t.Fatalf("escalates early: %+v", list)
		}
		h.pass(4 * time.Second)
		if n := count(h.fresh(l.ID), of(alerting.UseReminder, channels.Email)); n != 1 {
			t.Errorf("%d reminders", n)
		}
	})
}

// TestOneAlertInTroubleDoesNotHoldTheOthers breaks one alert's scenario in the database.
func TestOneAlertInTroubleDoesNotHoldTheOthers(t *testing.T) {
	db := storagetest.SQLite(t, rooms()...)
	h := newHospital(t, db, night)
	h.agent("Un", "iade")
	h.agent("Deux", "ide")
	broken := h.launch(recall(func(d *alerting.Definition) { d.Title["fr"] = "Cassé" }))
	sound := h.launch(recall(byMetier("iade", "ide")))
	if err := h.db.Write(t.Context(), h.scope, execRow(t, `UPDATE alerting_versions SET definition_json = '{' WHERE organisation_id = $1 AND scenario_id = $2`,
		h.scope.Organisation(), broken.Scenario)); err != nil {
		t.Fatal(err)
	}
	fresh := newHospitalOver(h) // another node, which has not read the plans yet
	h.clock.Advance(11 * time.Minute)
	for range 4 { // a wave opens in one turn and leaves in the next ones
		if _, err := fresh.Tick(t.Context(), h.now()); err == nil {
			t.Error("the broken alert must be told")
		}
	}
	if n := count(h.queue(sound.ID), of(alerting.UseAlert, channels.SMS)); n != 2 {
		t.Errorf("%d calls of the sound alert, want its two waves", n)
	}
}
