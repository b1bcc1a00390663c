package directory

import "testing"

// TestABipIsAColumnOfPagers: staff files say it in several ways, and a reading of one
// keeps each number of the cell.
func TestABipIsAColumnOfPagers(t *testing.T) {
	for _, header := range []string{"Bip", "N° bip", "Pager", "Numéro beeper"} {
		if got := guess([]string{"Nom", header}, [][]string{{"LE GOFF", "512"}})[1]; got != FieldPager {
			t.Errorf("%s is read as %q", header, got)
		}
	}
	r := &reading{header: []string{"Bip"}, origins: []string{"bip"}, mapping: Mapping{FieldPager}}
	e := &entry{}
	r.pagers(e, 0, "512 / bip 513; 512; accueil")
	if len(e.Contacts) != 2 || e.Contacts[0].Address != "512" || e.Contacts[1].Address != "513" || e.Contacts[1].Kind != Pager || len(e.problems) != 1 {
		t.Errorf("contacts %+v, problems %+v", e.Contacts, e.problems)
	}
}
