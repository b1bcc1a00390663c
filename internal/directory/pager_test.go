package directory_test

import (
	"testing"

	"tocsin/internal/directory"
	"tocsin/internal/fault"
)

// TestPagersAreWaysToReach: a column of a staff file, and a line typed on a card; the
// number of a pager may be that of an extension.
func TestPagersAreWaysToReach(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		saved := h.save(t, h.scope, directory.Person{
			LastName: "Le Goff", FirstName: "Maëlle",
			Contacts: []directory.ContactPoint{contact("extension", "poste 4512"), contact("pager", "Bip : 45 12")},
		})
		got, err := h.Person(t.Context(), h.scope, saved.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Contacts) != 2 || got.Contacts[1].Kind != directory.Pager || got.Contacts[1].Address != "4512" {
			t.Errorf("contacts %+v", got.Contacts)
		}
		for _, text := range []string{"", "bip", "5", "12a4", "1234567890123456", "51\r\n2"} {
			if err := directory.CheckAddress("pager", text, "Europe/Paris"); fault.As(err) == nil {
				t.Errorf("%q is taken", text)
			}
		}
	})
}
