package directory_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

func TestSaveAndRead(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		ctx := t.Context()
		at := h.places(t, "Site Nord", "Réanimation")
		saved := h.save(t, h.scope, directory.Person{
			Matricule: "A12", LastName: " Le  Goff ", FirstName: "Maëlle", MetierLabel: "Infirmière anesthésiste",
			Qualifications: []string{"ECMO", "ecmo", "Plongeur"}, Service: at[1], Status: directory.Titulaire, Refused: []string{"voice"},
			Contacts: []directory.ContactPoint{contact("mobile", "06 39 98 12 34 (perso)"), contact("extension", "poste 4512"), contact("email", "M.LeGoff@chu.example")},
		})
		got, err := h.Person(ctx, h.scope, saved.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.LastName != "Le Goff" || got.Metier != "iade" || got.Site != at[0] || got.ServiceName != "Réanimation" || got.SiteName != "Site Nord" {
			t.Errorf("person = %+v", got)
		}
		if !slices.Equal(got.Qualifications, []string{"ecmo", "plongeur"}) || !slices.Equal(got.Refused, []string{"voice"}) || got.Human != got.ID {
			t.Errorf("qualifications %v, refused %v", got.Qualifications, got.Refused)
		}
		want := []string{"+33639981234", "4512", "m.legoff@chu.example"}
		for i, k := range got.Contacts {
			if k.Address != want[i] || k.Rank != i || k.State != directory.NeverTried || k.Masked {
				t.Errorf("contact %d = %+v", i, k)
			}
		}
		masked, err := h.Person(ctx, h.as(access.Reader), saved.ID)
		if err != nil || masked.Contacts[0].Address != "06 •• •• •• 34" || !masked.Contacts[0].Masked || masked.Contacts[2].Address != want[2] {
			t.Errorf("a reader sees %+v, %v", masked.Contacts, err)
		}
		h.record(t, directory.ContactEvent{Address: "+33639981234", Medium: "sms", Kind: directory.EventAnswered, At: morning})
		// An edit that never saw the number keeps it, and what was learnt of it.
		masked.FirstName = "Maëlle Anne"
		h.save(t, h.as(access.Administrator), masked)
		got, err = h.Person(ctx, h.scope, saved.ID)
		if err != nil || got.Contacts[0].Address != want[0] || got.Contacts[0].State != directory.Answered || got.FirstName != "Maëlle Anne" {
			t.Errorf("after a masked edit: %+v, %v", got.Contacts, err)
		}
		_, err = h.Save(ctx, h.scope, masked)
		wantFault(t, err, "directory.changed_since")
		_, err = h.Save(ctx, h.scope, directory.Person{Matricule: "a12", LastName: "Autre"})
		wantFault(t, err, "directory.matricule_taken")
	})
}

func TestJournalHoldsNoNumber(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		p := h.save(t, h.scope, directory.Person{LastName: "Morel", Contacts: []directory.ContactPoint{contact("mobile", "0639981234")}})
		p.Contacts = []directory.ContactPoint{contact("mobile", "0639985678")}
		h.save(t, h.scope, p)
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		records, err := journal.NewReader(h.db, guard).Search(t.Context(), h.scope, journal.Filter{Action: "directory.person."})
		if err != nil || len(records) != 2 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		for _, r := range records {
			if strings.Contains(r.After+r.Before, "9981234") || strings.Contains(r.After+r.Before, "9985678") {
				t.Errorf("a number in the journal: %s", r.Action)
			}
			if r.Action == "directory.person.update" && r.After != `{"changed":["mobile"]}` {
				t.Errorf("after = %s", r.After)
			}
		}
	})
}

func TestSaveRefuses(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		for key, p := range map[string]directory.Person{
			"directory.last_name_required": {FirstName: "Zoé"},
			"directory.status_unknown":     {LastName: "A", Status: "chef"},
			"directory.language_unknown":   {LastName: "A", Language: "de"},
			"directory.medium_unknown":     {LastName: "A", Refused: []string{"pigeon"}},
			"directory.rpps":               {LastName: "A", RPPS: "123"},
			"directory.service_unknown":    {LastName: "A", Service: uuid.New()},
			"directory.mail_invalid":       {LastName: "A", Contacts: []directory.ContactPoint{contact("email", "a@b")}},
			"directory.one_number":         {LastName: "A", Contacts: []directory.ContactPoint{contact("mobile", "0639981234 / 0639981235")}},
			"directory.short_number":       {LastName: "A", Contacts: []directory.ContactPoint{contact("mobile", "15")}},
			"directory.kind_unknown":       {LastName: "A", Contacts: []directory.ContactPoint{contact("fax", "0139981234")}},
			"phone.problem.too_short":      {LastName: "A", Contacts: []directory.ContactPoint{contact("mobile", "06399812")}},
		} {
			_, err := h.Save(t.Context(), h.scope, p)
			wantFault(t, err, key)
		}
		_, err := h.Save(t.Context(), h.as(access.Reader), directory.Person{LastName: "A"})
		wantFault(t, err, "access.denied")
	})
}

func TestResolveChooses(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		ctx := t.Context()
		north := h.places(t, "Site Nord", "Réanimation", "Urgences")
		south := h.places(t, "Site Sud", "Urgences")
		iade := h.save(t, h.scope, directory.Person{
			LastName: "Anne", MetierLabel: "IADE", Service: north[1], Status: directory.Titulaire,
			Contacts: []directory.ContactPoint{contact("mobile", "0639980001"), contact("email", "anne@chu.example")},
		})
		h.save(t, h.scope, directory.Person{LastName: "Bruno", MetierLabel: "IADE", Service: south[1], Qualifications: []string{"ecmo"}, Status: directory.Contractuel})
		away := h.save(t, h.scope, directory.Person{LastName: "Chloé", MetierLabel: "IADE", Service: north[2]})
		nurse := h.save(t, h.scope, directory.Person{LastName: "David", MetierLabel: "IDE", Service: north[2], RestUntil: morning.Add(time.Hour), Protected: true})
		gone := h.save(t, h.scope, directory.Person{LastName: "Émile", MetierLabel: "IADE"})
		h.save(t, h.scope, directory.Person{LastName: "Fanny", MetierLabel: "IADE", ContractEnd: morning.Add(-time.Hour)})
		if err := h.Depart(ctx, h.scope, gone.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.AddAbsence(ctx, h.scope, directory.Absence{Person: away.ID, From: morning.Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
		fixed, err := h.SaveGroup(ctx, h.scope, directory.Group{Name: "Cellule"})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.AddMembers(ctx, h.scope, fixed.ID, []uuid.UUID{iade.ID, nurse.ID, iade.ID, uuid.New()}); err != nil {
			t.Fatal(err)
		}
		byRule, err := h.SaveGroup(ctx, h.scope, directory.Group{Name: "IADE du Nord", Rule: &directory.Rule{Metiers: []string{"iade"}, Sites: north[:1]}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name             string
			include, exclude directory.Rule
			want             string
		}{
			{"everyone", directory.Rule{}, directory.Rule{}, "[Anne Bruno David]"},
			{"with the absent", directory.Rule{Absent: true}, directory.Rule{}, "[Anne Bruno Chloé David]"},
			{"IADE of site Nord not on leave", directory.Rule{Metiers: []string{"iade"}, Sites: north[:1]}, directory.Rule{}, "[Anne]"},
			{"a service", directory.Rule{Services: north[2:]}, directory.Rule{}, "[David]"},
			{"a qualification", directory.Rule{Qualifications: []string{"ecmo", "nrbc"}}, directory.Rule{}, "[Bruno]"},
			{"statuses", directory.Rule{Statuses: []string{directory.Contractuel, directory.Autre}}, directory.Rule{}, "[Bruno David]"},
			{"a fixed group", directory.Rule{Groups: []uuid.UUID{fixed.ID}}, directory.Rule{}, "[Anne David]"},
			{"two groups, one person once", directory.Rule{Groups: []uuid.UUID{fixed.ID, byRule.ID}}, directory.Rule{}, "[Anne David]"},
			{"a group and a métier", directory.Rule{Groups: []uuid.UUID{fixed.ID}, Metiers: []string{"ide"}}, directory.Rule{}, "[David]"},
			{"all but a group", directory.Rule{}, directory.Rule{Groups: []uuid.UUID{byRule.ID}}, "[Bruno David]"},
			{"all but a service", directory.Rule{}, directory.Rule{Services: north[1:2]}, "[Bruno David]"},
			{"named people", directory.Rule{People: []uuid.UUID{nurse.ID, away.ID}}, directory.Rule{}, "[David]"},
			{"a group that is no more", directory.Rule{Groups: []uuid.UUID{uuid.New()}}, directory.Rule{}, "[]"},
		} {
			if got := names(h.resolve(t, h.scope, c.include, c.exclude)); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		got := h.resolve(t, h.scope, directory.Rule{Metiers: []string{"ide"}}, directory.Rule{})[0]
		if got.SiteName != "Site Nord" || got.ServiceName != "Urgences" || got.SiteZone != "Europe/Paris" || !got.Protected || !got.RestUntil.Equal(morning.Add(time.Hour)) {
			t.Errorf("target = %+v", got)
		}
		if n, err := h.Count(ctx, h.scope, directory.Rule{Metiers: []string{"iade"}, Absent: true}, morning); err != nil || n != 3 {
			t.Errorf("Count = %d, %v", n, err)
		}
		if absent := h.resolve(t, h.scope, directory.Rule{People: []uuid.UUID{away.ID}, Absent: true}, directory.Rule{}); len(absent) != 1 || !absent[0].Absent {
			t.Errorf("absent = %+v", absent)
		}
		contacts := h.resolve(t, h.scope, directory.Rule{People: []uuid.UUID{iade.ID}}, directory.Rule{})[0].Contacts
		if len(contacts) != 2 || contacts[0].Address != "+33639980001" || contacts[1].Kind != directory.Email {
			t.Errorf("contacts = %+v", contacts)
		}
	})
}

func TestResolveNeedsTheRightToSeeNumbers(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		err := h.db.Read(t.Context(), h.scope, func(tx *storage.Tx) error {
			return h.Resolve(t.Context(), tx, h.as(access.Reader), directory.Rule{}, directory.Rule{}, morning, func(directory.Target) error { return nil })
		})
		wantFault(t, err, "access.denied")
	})
}

func TestGroupsNeverTurnInCircles(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		ctx := t.Context()
		rule := func(ids ...uuid.UUID) *directory.Rule { return &directory.Rule{Metiers: []string{"ide"}, Groups: ids} }
		a, err := h.SaveGroup(ctx, h.scope, directory.Group{Name: "A", Rule: rule()})
		if err != nil {
			t.Fatal(err)
		}
		b, err := h.SaveGroup(ctx, h.scope, directory.Group{Name: "B", Rule: rule(a.ID)})
		if err != nil {
			t.Fatal(err)
		}
		a.Rule = rule(b.ID)
		_, err = h.SaveGroup(ctx, h.scope, a)
		wantFault(t, err, "directory.group_cycle")
		_, err = h.SaveGroup(ctx, h.scope, directory.Group{Name: "à"})
		wantFault(t, err, "directory.group_exists")
		wantFault(t, h.AddMembers(ctx, h.scope, b.ID, []uuid.UUID{uuid.New()}), "directory.group_by_rule")
		if err := h.DeleteGroup(ctx, h.scope, b.ID); err != nil {
			t.Fatal(err)
		}
		_, err = h.Group(ctx, h.scope, b.ID)
		wantFault(t, err, "directory.group_not_found")
	})
}

func TestRecordLearns(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		const number = "+33639980001"
		p := h.save(t, h.scope, directory.Person{LastName: "Anne", Contacts: []directory.ContactPoint{contact("mobile", number)}})
		state := func() directory.ContactPoint {
			got, err := h.Person(t.Context(), h.scope, p.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got.Contacts[0]
		}
		at := morning
		for i, c := range []struct {
			kind directory.EventKind
			want directory.ContactState
		}{
			{directory.EventDelivered, directory.Delivered},
			{directory.EventFailed, directory.Failed},
			{directory.EventFailed, directory.Failed},
			{directory.EventDelivered, directory.Delivered},
			{directory.EventAnswered, directory.Answered},
			{directory.EventDelivered, directory.Answered},
			{directory.EventBounced, directory.Bounced},
			{directory.EventAnswered, directory.Answered},
			{directory.EventStopped, directory.Stopped},
			{directory.EventDelivered, directory.Stopped},
			{directory.EventAnswered, directory.Stopped},
		} {
			at = at.Add(time.Minute)
			h.record(t, directory.ContactEvent{Address: number, Medium: "sms", Kind: c.kind, At: at})
			if got := state(); got.State != c.want {
				t.Errorf("step %d (%s): %s, want %s", i, c.kind, got.State, c.want)
			}
			if i == 2 && state().Failures != 2 {
				t.Errorf("failures = %d", state().Failures)
			}
		}
		if got := state(); !got.Answered.Equal(at) || got.Usable() {
			t.Errorf("end = %+v", got)
		}
		if err := h.Lift(t.Context(), h.scope, p.ID, state().ID); err != nil {
			t.Fatal(err)
		}
		h.record(t, directory.ContactEvent{Address: number, Kind: directory.EventDelivered, At: at.Add(time.Hour)},
			directory.ContactEvent{Address: number, Kind: directory.EventFailed, At: at.Add(time.Minute)}, // told late
			directory.ContactEvent{Address: "+33639989999", Kind: directory.EventFailed, At: at})          // nobody's
		if got := state(); got.State != directory.Answered || got.Failures != 0 {
			t.Errorf("late news changed the state: %+v", got)
		}
	})
}

func TestTwoEstablishments(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		ctx := t.Context()
		other := h.establishment(t, "Hôpital des Arcs")
		mobile := []directory.ContactPoint{contact("mobile", "0639980001")}
		here := h.save(t, h.scope, directory.Person{LastName: "Léa", FirstName: "Roy", Contacts: mobile})
		there := h.save(t, other, directory.Person{LastName: "LEA", FirstName: "roy", Contacts: mobile})
		_, err := h.Person(ctx, other, here.ID)
		wantFault(t, err, "directory.person_not_found")
		here.FirstName = "Volée"
		_, err = h.Save(ctx, other, here)
		wantFault(t, err, "directory.person_not_found")
		wantFault(t, h.Depart(ctx, other, here.ID), "directory.person_not_found")
		h.record(t, directory.ContactEvent{Address: "+33639980001", Kind: directory.EventStopped, At: morning})
		if got, err := h.Person(ctx, other, there.ID); err != nil || got.Contacts[0].State != directory.NeverTried {
			t.Errorf("one establishment's event reached the other: %+v, %v", got.Contacts, err)
		}
		group, err := h.SaveGroup(ctx, h.scope, directory.Group{Name: "Cellule"})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.AddMembers(ctx, h.scope, group.ID, []uuid.UUID{there.ID}); err != nil {
			t.Fatal(err)
		}
		if got := h.resolve(t, h.scope, directory.Rule{Groups: []uuid.UUID{group.ID}}, directory.Rule{}); len(got) != 0 {
			t.Errorf("a group reached the other establishment: %s", names(got))
		}
	})
}

func TestOneHumanOnSeveralLists(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		ctx := t.Context()
		other := h.establishment(t, "Hôpital des Arcs")
		human := func(scope access.Scope, id uuid.UUID) uuid.UUID {
			p, err := h.Person(ctx, scope, id)
			if err != nil {
				t.Fatal(err)
			}
			return p.Human
		}
		link := func() {
			if _, err := h.LinkHumans(ctx, access.Instance("test")); err != nil {
				t.Fatal(err)
			}
		}
		with := func(list ...directory.ContactPoint) []directory.ContactPoint { return list }
		a := h.save(t, h.scope, directory.Person{LastName: "Roy", FirstName: "Léa", RPPS: "10001234567", Contacts: with(contact("mobile", "0639980001"))})
		h.clock.Advance(time.Second)
		b := h.save(t, other, directory.Person{LastName: "Roy", FirstName: "Lea", Contacts: with(contact("mobile", "0639980001"), contact("email", "lea@perso.example"))})
		h.clock.Advance(time.Second)
		c := h.save(t, h.scope, directory.Person{LastName: "ROY", FirstName: "LÉA", Contacts: with(contact("email", "lea@perso.example"))})
		twin := h.save(t, other, directory.Person{LastName: "Roy", FirstName: "Jean", Contacts: with(contact("mobile", "0639980001"))})
		married := h.save(t, other, directory.Person{LastName: "Petit", FirstName: "Léa", RPPS: "10001234567"})
		link()
		for who, got := range map[string]uuid.UUID{"same mobile": human(other, b.ID), "same e-mail as the second": human(h.scope, c.ID), "same RPPS": human(other, married.ID)} {
			if got != a.ID {
				t.Errorf("%s: human %v, want %v", who, got, a.ID)
			}
		}
		if human(other, twin.ID) == a.ID {
			t.Error("the same number under another name is not the same person")
		}
		if got := h.resolve(t, h.scope, directory.Rule{}, directory.Rule{}); len(got) != 1 || got[0].Human != a.ID {
			t.Errorf("resolved %d times: %+v", len(got), got)
		}
		if n, err := h.Count(ctx, h.scope, directory.Rule{}, morning); err != nil || n != 1 {
			t.Errorf("counted %d, %v", n, err)
		}
		if got := h.resolve(t, h.scope, directory.Rule{People: []uuid.UUID{c.ID}}, directory.Rule{}); len(got) != 1 || got[0].Person != c.ID {
			t.Errorf("the second row alone: %+v", got)
		}
		// The link between the two ends breaks: they are two again.
		again, err := h.Person(ctx, other, b.ID)
		if err != nil {
			t.Fatal(err)
		}
		again.Contacts = with(contact("mobile", "0639980001"))
		h.save(t, other, again)
		link()
		if human(h.scope, c.ID) != c.ID || human(other, b.ID) != a.ID {
			t.Errorf("after the break: %v and %v", human(h.scope, c.ID), human(other, b.ID))
		}
		if n, err := h.LinkHumans(ctx, access.Instance("test")); err != nil || n != 0 {
			t.Errorf("nothing changed, yet %d were looked at (%v)", n, err)
		}
		_, err = h.LinkHumans(ctx, h.as(access.Reader))
		wantFault(t, err, "access.denied")
	})
}
