package directory_test

import (
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/journal"
)

func TestRevealIsJournaledAndHideHidesOnce(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		own := contact("mobile", "+33639980001")
		own.Private = true
		p := h.save(t, h.scope, directory.Person{LastName: "Abadie", Contacts: []directory.ContactPoint{own, contact("extension", "4512")}})
		k, err := h.Reveal(t.Context(), h.as(access.DirectoryManager), p.ID, p.Contacts[0].ID)
		if err != nil || k.Address != "+33639980001" {
			t.Errorf("revealed %+v, %v", k, err)
		}
		_, err = h.Reveal(t.Context(), h.as(access.Reader), p.ID, p.Contacts[0].ID)
		if err == nil {
			t.Error("a reader sees a number")
		}
		_, err = h.Reveal(t.Context(), h.scope, p.ID, uuid.New())
		wantFault(t, err, "directory.contact_not_found")
		_, err = h.Reveal(t.Context(), h.establishment(t, "CH voisin"), p.ID, p.Contacts[0].ID)
		wantFault(t, err, "directory.person_not_found")
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		looks := 0
		records, err := journal.NewReader(h.db, guard).Search(t.Context(), h.scope, journal.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if r.Action == "directory.number.reveal" {
				looks++
			}
		}
		if looks != 1 {
			t.Errorf("%d looks in the journal, want 1", looks)
		}
		contacts := []directory.ContactPoint{k, p.Contacts[1]}
		directory.Hide(contacts)
		once := contacts[0].Address
		directory.Hide(contacts)
		if once != "06 •• •• •• 01" || contacts[0].Address != once || contacts[1].Address != "4512" {
			t.Errorf("hidden %q, then %+v", once, contacts)
		}
		if directory.CheckAddress("mobile", "06 39 98 00 01", "Europe/Paris") != nil || directory.CheckAddress("mobile", "12", "Europe/Paris") == nil {
			t.Error("an address is judged wrongly")
		}
	})
}

func TestGroupsOfAPerson(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		p := h.save(t, h.scope, directory.Person{LastName: "Abadie", MetierLabel: "IADE"})
		groups := []directory.Group{{Name: "Liste"}, {Name: "Autre liste"}, {Name: "IADE", Rule: &directory.Rule{Metiers: []string{"iade"}}}, {Name: "IDE", Rule: &directory.Rule{Metiers: []string{"ide"}}}}
		for i, g := range groups {
			saved, err := h.SaveGroup(t.Context(), h.scope, g)
			if err != nil {
				t.Fatal(err)
			}
			groups[i] = saved
		}
		if err := h.AddMembers(t.Context(), h.scope, groups[0].ID, []uuid.UUID{p.ID}); err != nil {
			t.Fatal(err)
		}
		in, err := h.GroupsOf(t.Context(), h.scope, p.ID)
		if err != nil || len(in) != 2 || in[0].Name != "IADE" || in[1].Name != "Liste" {
			t.Errorf("groups %+v, %v", in, err)
		}
		if in, err = h.GroupsOf(t.Context(), h.establishment(t, "CH voisin"), p.ID); err != nil || len(in) != 0 {
			t.Errorf("another establishment sees %+v, %v", in, err)
		}
	})
}

func TestSampleMasksForThoseWhoMayNotSeeNumbers(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		i, err := h.Stage(t.Context(), h.scope, open(t, "Nom;Mobile;Courriel;Service\nAbadie;06 39 98 00 01;lea@ch.example;Urgences 12\nBrun;;;Bloc\n"), directory.File{Name: "a.csv"})
		if err != nil {
			t.Fatal(err)
		}
		whole, err := h.Sample(t.Context(), h.as(access.DirectoryManager), i.ID, 1)
		if err != nil || len(whole) != 1 || whole[0][1] != "06 39 98 00 01" {
			t.Errorf("whole %q, %v", whole, err)
		}
		masked, err := h.Sample(t.Context(), h.as(access.Administrator), i.ID, 9)
		if err != nil || len(masked) != 2 || masked[0][1] != "06 •• •• •• 01" || masked[0][2] != "l•••@ch.example" || masked[0][3] != "Urgences 12" {
			t.Errorf("masked %q, %v", masked, err)
		}
		if rows, err := h.Sample(t.Context(), h.establishment(t, "CH voisin"), i.ID, 9); err != nil || len(rows) != 0 {
			t.Errorf("another establishment sees %q, %v", rows, err)
		}
	})
}
