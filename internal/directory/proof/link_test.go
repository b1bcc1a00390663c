package proof_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/directory/proof"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

// asks starts a verification of one person and gives the message.
func (w *ward) asks() (proof.Campaign, message) {
	w.t.Helper()
	c := w.create(proof.Verification)
	w.tick()
	list := w.queue(c.ID)
	if len(list) != 1 {
		w.t.Fatalf("%d messages", len(list))
	}
	w.tell(c.ID, dispatch.FactDelivered, "", list...)
	return c, list[0]
}

func TestOpeningALinkRecordsNothingAndShowsNoNumber(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		_, m := w.asks()
		before := w.db.Writes()
		for range 3 {
			l, err := w.OpenLink(t.Context(), m.code(), w.now())
			if err != nil || !l.Found || len(l.Contacts) != 2 || !l.Contacts[0].Through || l.Contacts[1].Through {
				t.Fatalf("%+v %v", l, err)
			}
			for _, k := range l.Contacts {
				if k.Address == who.Contacts[0].Address || k.Address == who.Contacts[1].Address {
					t.Errorf("a whole address: %s", k.Address)
				}
			}
		}
		if w.db.Writes() != before {
			t.Error("opening the link wrote something")
		}
		for _, code := range []string{"", "0000000000zz", m.code()[1:], strings.Repeat("a", 3_000)} {
			if l, err := w.OpenLink(t.Context(), code, w.now()); err != nil || l.Found {
				t.Errorf("%q: %+v %v", code, l, err)
			}
			if err := w.Confirm(t.Context(), code, w.now()); err == nil {
				t.Errorf("%q confirms", code)
			}
		}
	})
}

func TestConfirmingProvesTheContactPointOfTheLinkOnly(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		c, m := w.asks()
		if err := w.Confirm(t.Context(), m.code(), w.now()); err != nil {
			t.Fatal(err)
		}
		p := w.person(who.ID)
		if p.Contacts[0].State != directory.Answered || p.Contacts[1].State == directory.Answered {
			t.Errorf("%s, %s", p.Contacts[0].State, p.Contacts[1].State)
		}
		if v := w.view(c.ID); v.Tally[proof.Confirmed] != 1 {
			t.Errorf("%+v", v.Tally)
		}
		w.pass(20 * 24 * time.Hour)
		if n := len(w.queue(c.ID)); n != 0 {
			t.Errorf("who answered is asked again: %d", n)
		}
	})
}

func TestACorrectionServesOnceItsOwnerAnsweredFromIt(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		c, m := w.asks()
		if err := w.Correct(t.Context(), m.code(), "06 39 98 77 66", "192.0.2.1", w.now()); err != nil {
			t.Fatal(err)
		}
		if p := w.person(who.ID); len(p.Contacts) != 2 {
			t.Fatalf("an unproven number serves: %+v", p.Contacts)
		}
		sent := w.queue(c.ID)
		if len(sent) != 1 || sent[0].Address != "+33639987766" || sent[0].Purpose != "prove" {
			t.Fatalf("%+v", sent)
		}
		l, err := w.OpenLink(t.Context(), sent[0].code(), w.now())
		if err != nil || !l.Found || l.New == "" || len(l.Contacts) != 0 {
			t.Errorf("the link of the new number shows only itself: %+v %v", l, err)
		}
		wantFault(t, w.Correct(t.Context(), sent[0].code(), "06 39 98 00 00", "", w.now()), "directory.proof.link_unknown")
		w.reply(sent[0], "1")
		w.tick()
		p := w.person(who.ID)
		if len(p.Contacts) != 3 || p.Contacts[0].Address != "+33639987766" || p.Contacts[0].State != directory.Answered || !p.Contacts[0].Private ||
			p.Contacts[1].Address != who.Contacts[0].Address {
			t.Errorf("the new one first, the old one kept behind: %+v", p.Contacts)
		}
		list, err := w.Corrections(t.Context(), w.scope, c.ID)
		if err != nil || len(list) != 1 || list[0].State != proof.Applied || list[0].Name != who.Name() || list[0].By != "" {
			t.Errorf("%+v %v", list, err)
		}
		if v := w.view(c.ID); v.Tally[proof.Corrected] != 1 {
			t.Errorf("%+v", v.Tally)
		}
	})
}

func TestACorrectionNobodyProvedIsDecidedByAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		c, m := w.asks()
		for _, text := range []string{"06 39 98 77 66", "01 99 00 12 34", "nouvelle@valbrume.example"} {
			if err := w.Correct(t.Context(), m.code(), text, "", w.now()); err != nil {
				t.Fatal(err)
			}
		}
		wantFault(t, w.Correct(t.Context(), m.code(), "06 39 98 11 11", "", w.now()), "directory.proof.corrections")
		wantFault(t, w.Correct(t.Context(), m.code(), who.Contacts[0].Address, "", w.now()), "directory.proof.known")
		for _, text := range []string{"", "n’importe quoi", "112", "=cmd|' /C calc'!A1", "<script>@x.fr"} {
			if err := w.Correct(t.Context(), m.code(), text, "", w.now()); err == nil {
				t.Errorf("%q is taken for a contact", text)
			}
		}
		list, err := w.Corrections(t.Context(), w.scope, c.ID)
		if err != nil || len(list) != 3 {
			t.Fatalf("%d %v", len(list), err)
		}
		for _, k := range list {
			if k.Kind == directory.Landline && k.State != proof.Proposed {
				t.Errorf("no message can prove a landline: %s", k.State)
			}
			if err := w.Decide(t.Context(), w.scope, k.ID, k.Kind != directory.Email); err != nil {
				t.Fatal(err)
			}
			wantFault(t, w.Decide(t.Context(), w.scope, k.ID, true), "directory.proof.correction_settled")
		}
		p := w.person(who.ID)
		if len(p.Contacts) != 4 || p.Contacts[0].State == directory.Answered {
			t.Errorf("applied by hand, not proven: %+v", p.Contacts)
		}
		wantFault(t, w.Decide(t.Context(), w.establishment("Clinique du Parc"), list[0].ID, true), "directory.proof.correction_unknown")
	})
}

func TestSomebodyElsesNumberIsNotWrittenToAgain(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		c, m := w.asks()
		w.reply(m, "Bonjour, vous vous trompez de numéro")
		if k := w.person(who.ID).Contacts[0]; k.State != directory.Foreign || k.Usable() {
			t.Errorf("%s", k.State)
		}
		if v := w.view(c.ID); v.Tally[proof.NotMe] != 1 {
			t.Errorf("%+v", v.Tally)
		}
		if err := w.dir.RefreshQuality(t.Context(), access.Instance("test")); err != nil {
			t.Fatal(err)
		}
		if q, err := w.dir.Quality(t.Context(), w.scope); err != nil || q.Causes[directory.CauseForeign] != 1 {
			t.Errorf("the quality page must say it: %+v %v", q.Causes, err)
		}
		// An import that gives the number again, or a receipt, does not make it his.
		if err := w.db.Write(t.Context(), w.system(), func(tx *storage.Tx) error {
			return w.dir.Record(t.Context(), tx, w.system(), w.now().Add(time.Hour), []directory.ContactEvent{{Address: who.Contacts[0].Address, Kind: directory.EventDelivered}})
		}); err != nil {
			t.Fatal(err)
		}
		if k := w.person(who.ID).Contacts[0]; k.State != directory.Foreign {
			t.Errorf("after a receipt: %s", k.State)
		}
		if err := w.dir.Lift(t.Context(), w.scope, who.ID, who.Contacts[0].ID); err != nil {
			t.Fatal(err)
		}
		if k := w.person(who.ID).Contacts[0]; k.State != directory.NeverTried {
			t.Errorf("a person lifts it: %s", k.State)
		}
	})
}

func TestNotMeByTheLinkThenChangesHisMind(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		c, m := w.asks()
		if err := w.Disown(t.Context(), m.code(), w.now()); err != nil {
			t.Fatal(err)
		}
		if k := w.person(who.ID).Contacts[0]; k.State != directory.Foreign {
			t.Errorf("%s", k.State)
		}
		if err := w.Confirm(t.Context(), m.code(), w.now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if v := w.view(c.ID); v.Tally[proof.Confirmed] != 1 {
			t.Errorf("the last word counts: %+v", v.Tally)
		}
		if k := w.person(who.ID).Contacts[0]; k.State != directory.Foreign {
			t.Errorf("only a person of the directory lifts the mark: %s", k.State)
		}
	})
}

func TestALinkEndsWithItsCampaignAndItsPerson(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		c, m := w.asks()
		if err := w.Stop(t.Context(), w.scope, c.ID); err != nil {
			t.Fatal(err)
		}
		if l, err := w.OpenLink(t.Context(), m.code(), w.now().Add(6*24*time.Hour)); err != nil || !l.Found {
			t.Errorf("six days after: %+v %v", l, err)
		}
		if l, err := w.OpenLink(t.Context(), m.code(), w.now().Add(8*24*time.Hour)); err != nil || l.Found {
			t.Errorf("eight days after: %+v %v", l, err)
		}
		if err := w.dir.Depart(t.Context(), w.scope, who.ID); err != nil {
			t.Fatal(err)
		}
		if l, err := w.OpenLink(t.Context(), m.code(), w.now()); err != nil || l.Found {
			t.Errorf("who left: %+v %v", l, err)
		}
	})
}

func TestRepliesOfOthersAreLeftToThem(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		w.agent(1)
		c, m := w.asks()
		foreign := m
		foreign.Subject = uuid.New()
		w.reply(foreign, "1")
		foreign.Subject = uuid.Nil
		w.reply(foreign, "1")
		w.tell(uuid.New(), dispatch.FactFailed, "", foreign)
		other := w.scope
		w.scope = w.establishment("Clinique du Parc")
		w.reply(m, "1") // by another establishment's gateway
		w.scope = other
		if v := w.view(c.ID); v.Tally[proof.Asked] != 1 {
			t.Errorf("%+v", v.Tally)
		}
	})
}

func TestALinkKeepsByWhichMediumToCallFirst(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		who := w.agent(1)
		_, m := w.asks()
		wish := directory.Preferences{Day: directory.SMS, Night: directory.Voice}
		if err := w.Wish(t.Context(), m.code(), wish, "192.0.2.1", w.now()); err != nil {
			t.Fatal(err)
		}
		l, err := w.OpenLink(t.Context(), m.code(), w.now())
		if err != nil || l.Wishes != wish || len(l.Media) == 0 || l.Standing == proof.Confirmed {
			t.Errorf("the page shows %+v of %+v, and a wish confirms nothing: %s; %v", l.Wishes, l.Media, l.Standing, err)
		}
		wantFault(t, w.Wish(t.Context(), m.code(), directory.Preferences{Day: "pigeon"}, "", w.now()), "directory.medium_unknown")
		wantFault(t, w.Wish(t.Context(), "0000000000zz", wish, "", w.now()), "directory.proof.link_unknown")
		if p, err := w.dir.PreferencesOf(t.Context(), w.scope, who.ID); err != nil || p != wish {
			t.Errorf("%+v, %v", p, err)
		}
		// Somebody else has that telephone: what he wishes is nobody's.
		if err := w.Disown(t.Context(), m.code(), w.now()); err != nil {
			t.Fatal(err)
		}
		if l, err := w.OpenLink(t.Context(), m.code(), w.now()); err != nil || len(l.Media) != 0 {
			t.Errorf("a stranger is asked: %+v, %v", l.Media, err)
		}
		wantFault(t, w.Wish(t.Context(), m.code(), directory.Preferences{}, "", w.now()), "directory.proof.link_unknown")
	})
}
