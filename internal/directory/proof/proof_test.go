package proof_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/directory/proof"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
	"tocsin/internal/wire/gsm"
)

func TestADiscreetTestAsksForOneKeyAndProvesIt(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		c := w.create(proof.Test)
		w.tick()
		list := w.queue(c.ID)
		if len(list) != 1 || list[0].Medium != channels.SMS || !strings.HasPrefix(list[0].Text, "TEST CHU de Valbrume") || list[0].Mode != "test" {
			t.Fatalf("%+v", list)
		}
		if !gsm.Fits(list[0].Text) || len([]rune(list[0].Text)) > 120 {
			t.Errorf("the SMS costs two: %q", list[0].Text)
		}
		w.tell(c.ID, dispatch.FactDelivered, "", list...)
		if k := w.person(who.ID).Contacts[0]; k.State != directory.Delivered {
			t.Errorf("a receipt proves nothing: %s", k.State)
		}
		w.reply(list[0], "1 merci")
		if k := w.person(who.ID).Contacts[0]; k.State != directory.Answered || !k.Answered.Equal(w.now()) {
			t.Errorf("after the answer: %s %v", k.State, k.Answered)
		}
		v, found, err := w.LastTest(t.Context(), w.scope)
		if err != nil || !found || v.Tally[proof.Confirmed] != 1 || v.Tally.Share() != 1 {
			t.Errorf("%+v %v %v", v.Tally, found, err)
		}
	})
}

func TestNothingLeavesAtNightOnSundaysOnHolidaysOrDuringAnAlert(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		for n := range 3 {
			w.agent(n)
		}
		w.clock.Advance(9 * time.Hour) // Monday, 19:00
		c := w.create(proof.Test, func(d *proof.Draft) { d.Until = d.Until.AddDate(0, 1, 0) })
		w.pass(2 * time.Hour)
		if n := len(w.queue(c.ID)); n != 0 {
			t.Fatalf("%d messages after the closing hour", n)
		}
		for _, at := range []time.Time{
			time.Date(2026, 11, 24, 7, 45, 0, 0, time.UTC),  // Tuesday 8:45
			time.Date(2026, 11, 28, 11, 0, 0, 0, time.UTC),  // Saturday
			time.Date(2026, 11, 29, 11, 0, 0, 0, time.UTC),  // Sunday
			time.Date(2026, 12, 25, 11, 0, 0, 0, time.UTC),  // Christmas, a Friday
			time.Date(2026, 12, 14, 23, 30, 0, 0, time.UTC), // Monday night
		} {
			if _, err := w.Tick(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			if n := len(w.queue(c.ID)); n != 0 {
				t.Fatalf("%d messages at %v", n, at)
			}
		}
		w.alerted = true
		if _, err := w.Tick(t.Context(), time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC)); err != nil || len(w.queue(c.ID)) != 0 {
			t.Fatalf("an answer would be taken for one to the alert: %d, %v", len(w.queue(c.ID)), err)
		}
		w.alerted = false
		if _, err := w.Tick(t.Context(), time.Date(2026, 11, 24, 16, 55, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		list := w.queue(c.ID)
		if len(list) != 3 || !list[0].Expires.Equal(time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)) {
			t.Errorf("%d messages, the first expires %v", len(list), list)
		}
	})
}

func TestEachSiteHasItsOwnHours(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		e, err := w.org.Get(t.Context(), w.system())
		if err != nil {
			t.Fatal(err)
		}
		e.Zone = "Indian/Reunion" // 13:00 there
		if _, err := w.org.Update(t.Context(), access.System(e.ID, "test"), e); err != nil {
			t.Fatal(err)
		}
		w.agent(1)
		w.clock.Advance(6 * time.Hour) // 16:00 in Paris, 19:00 in Réunion
		c := w.create(proof.Test)
		w.tick()
		if n := len(w.queue(c.ID)); n != 0 {
			t.Errorf("%d messages after the closing hour there", n)
		}
	})
}

func TestTheQuotaOfADayIsKeptAndSpread(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		for n := range 30 {
			w.agent(n)
		}
		c := w.create(proof.Test, func(d *proof.Draft) { d.Quota, d.Reminders = 10, 0 })
		w.tick()
		if n := len(w.queue(c.ID)); n < 1 || n > 3 {
			t.Errorf("%d messages in the second hour of the day: they must be spread", n)
		}
		w.pass(8 * time.Hour)
		if n := len(w.queue(c.ID)); n != 10 {
			t.Errorf("%d messages on the first day", n)
		}
		if v := w.view(c.ID); v.Today != 10 || v.Tally[proof.Waiting] != 20 || v.Last.IsZero() {
			t.Errorf("%+v", v)
		}
		w.pass(24 * time.Hour)
		if n := len(w.queue(c.ID)); n != 20 {
			t.Errorf("%d messages on the second day", n)
		}
	})
}

func TestTheSilentAreRemindedThenLeftInPeace(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		w.agent(1)
		c := w.create(proof.Verification, func(d *proof.Draft) { d.RemindAfter, d.Reminders = 2, 2 })
		w.tick()
		for day := range 12 {
			w.tell(c.ID, dispatch.FactDelivered, "", w.queue(c.ID)...)
			w.pass(24 * time.Hour)
			_ = day
		}
		if n := len(w.told) + len(w.queue(c.ID)); n != 3 {
			t.Errorf("%d messages to somebody silent, want the first and two reminders", n)
		}
		w.clock.Advance(60 * 24 * time.Hour)
		w.tick()
		v := w.view(c.ID)
		if v.State != proof.Ended || v.Tally[proof.Asked] != 1 {
			t.Errorf("%s %+v", v.State, v.Tally)
		}
		all, err := w.Campaigns(t.Context(), w.scope)
		if err != nil || len(all) != 2 || all[0].State != proof.Planned || all[0].Draft.Title != c.Title {
			t.Errorf("the next quarter must be planned: %d %v", len(all), err)
		}
	})
}

func TestAFailureTriesTheNextContactPointAndAGatewayTheSameOne(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		c := w.create(proof.Test)
		w.tick()
		w.tell(c.ID, dispatch.FactExpired, channels.ReasonExpired, w.queue(c.ID)...)
		w.pass(4 * time.Hour)
		again := w.queue(c.ID)
		if len(again) != 1 || again[0].Medium != channels.SMS {
			t.Fatalf("the gateway was at fault: %+v", again)
		}
		w.tell(c.ID, dispatch.FactFailed, channels.ReasonInvalidAddress, again...)
		w.tick()
		mail := w.queue(c.ID)
		if len(mail) != 1 || mail[0].Medium != channels.Email {
			t.Fatalf("the mailbox is next: %+v", mail)
		}
		if k := w.person(who.ID).Contacts[0]; k.State != directory.Bounced {
			t.Errorf("the directory must know: %s", k.State)
		}
		w.tell(c.ID, dispatch.FactFailed, channels.ReasonInvalidAddress, mail...)
		w.tick()
		if v := w.view(c.ID); v.Tally[proof.Unreachable] != 1 {
			t.Errorf("%+v", v.Tally)
		}
	})
}

func TestStopHoldsBackWhatWaits(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		for n := range 5 {
			w.agent(n)
		}
		c := w.create(proof.Test)
		w.tick()
		list := w.queue(c.ID)
		if err := w.Stop(t.Context(), w.scope, c.ID); err != nil {
			t.Fatal(err)
		}
		w.pass(24 * time.Hour)
		if n := len(w.queue(c.ID)); n > len(list) {
			t.Errorf("%d messages, %d before the stop", n, len(list))
		}
		stopped := 0
		if err := w.db.Read(t.Context(), w.scope, func(tx *storage.Tx) error {
			_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM dispatch_campaigns WHERE organisation_id = $1 AND stopped_us IS NOT NULL`, []any{w.scope.Organisation()}, &stopped)
			return err
		}); err != nil || stopped != 1 {
			t.Errorf("the stop epoch must be raised: %d %v", stopped, err)
		}
		wantFault(t, w.Stop(t.Context(), w.scope, c.ID), "directory.proof.over")
		w.reply(list[0], "1")
		if v := w.view(c.ID); v.Tally[proof.Confirmed] != 1 {
			t.Errorf("an answer after the stop still proves: %+v", v.Tally)
		}
	})
}

func TestOneOfAKindAtATime(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		w.create(proof.Test)
		d := proof.Defaults(proof.Test, w.now())
		d.Title = "Encore"
		_, err := w.Create(t.Context(), w.scope, d)
		wantFault(t, err, "directory.proof.one_open")
		w.create(proof.Verification)
	})
}

func TestWhatADraftRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		for key, change := range map[string]func(*proof.Draft){
			"directory.proof.kind":         func(d *proof.Draft) { d.Kind = "autre" },
			"directory.proof.title":        func(d *proof.Draft) { d.Title = " " },
			"directory.proof.quota":        func(d *proof.Draft) { d.Quota = 0 },
			"directory.proof.until":        func(d *proof.Draft) { d.Until = d.From },
			"directory.proof.reminders":    func(d *proof.Draft) { d.Reminders = 50 },
			"directory.proof.remind_after": func(d *proof.Draft) { d.RemindAfter = 0 },
			"directory.proof.hours":        func(d *proof.Draft) { d.Hours = proof.Hours{From: 2, To: 4} },
			"directory.proof.every":        func(d *proof.Draft) { d.EveryMonths = -1 },
		} {
			d := proof.Defaults(proof.Test, w.now())
			d.Title = "Essai"
			change(&d)
			_, err := w.Create(t.Context(), w.scope, d)
			wantFault(t, err, key)
		}
	})
}

func TestWhoMayAndWhoMayNot(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		d := proof.Defaults(proof.Test, w.now())
		d.Title = "Essai"
		org := w.scope.Organisation()
		for _, scope := range []access.Scope{
			access.For(org, access.Actor{Kind: access.Person}, true, access.Reader),
			access.For(org, access.Actor{Kind: access.Person}, false, access.DirectoryManager), // no second factor
			access.ForProgram(org, access.Actor{}, access.Actions(), access.Administrator),
			access.For(org, access.Actor{Kind: access.Agent}, false),
		} {
			if _, err := w.Create(t.Context(), scope, d); err == nil {
				t.Errorf("%v created a campaign", scope.Roles())
			}
		}
		c := w.create(proof.Test)
		elsewhere := w.establishment("Clinique du Parc")
		_, err := w.Campaign(t.Context(), elsewhere, c.ID)
		wantFault(t, err, "directory.proof.not_found")
		wantFault(t, w.Stop(t.Context(), elsewhere, c.ID), "directory.proof.not_found")
	})
}

func TestPeopleOnLeaveAndThoseWhoRefuseTheMediumAreNotDisturbed(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		away := w.agent(1)
		if _, err := w.dir.AddAbsence(t.Context(), w.scope, directory.Absence{Person: away.ID, From: w.now().Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
		w.agent(2, func(p *directory.Person) { p.Refused = []string{directory.SMS} })
		c := w.create(proof.Test)
		w.tick()
		list := w.queue(c.ID)
		if len(list) != 1 || list[0].Medium != channels.Email {
			t.Errorf("%+v", list)
		}
	})
}
