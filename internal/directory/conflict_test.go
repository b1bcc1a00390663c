package directory_test

import (
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/directory"
)

// lists imports a small table under a source.
func (h hospital) lists(t *testing.T, source string, header []string, rows ...[]string) directory.Import {
	t.Helper()
	h.clock.Advance(time.Minute)
	i, err := h.Stage(t.Context(), h.scope, &directory.Table{Columns: header, Lines: rows}, directory.File{Name: source + ".csv", Source: source})
	if err != nil {
		t.Fatal(err)
	}
	if i, err = h.Preview(t.Context(), h.scope, i.ID); err != nil {
		t.Fatal(err)
	}
	if i, err = h.Confirm(t.Context(), h.scope, i.ID); err != nil {
		t.Fatal(err)
	}
	return i
}

func (h hospital) only(t *testing.T) directory.Person {
	t.Helper()
	page, err := h.People(t.Context(), h.scope, directory.Filter{})
	if err != nil || len(page.People) != 1 {
		t.Fatalf("%d people, %v", len(page.People), err)
	}
	p, err := h.Person(t.Context(), h.scope, page.People[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h hospital) conflicts(t *testing.T) []directory.Conflict {
	t.Helper()
	list, total, err := h.Conflicts(t.Context(), h.scope)
	if err != nil || total != len(list) {
		t.Fatalf("%d of %d, %v", len(list), total, err)
	}
	return list
}

var staff = []string{"Matricule", "Nom", "Prénom", "Métier", "Mobile"}

func TestTheListThatOwnsAPersonDecidesAndTheOtherFillsWhatIsEmpty(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.lists(t, "RH", staff, []string{"1", "DURAND", "Léa", "Infirmier", "0639980001"})
		h.lists(t, "AD", []string{"Matricule", "Nom", "Prénom", "Métier", "Semestre", "Mail"}, []string{"1", "DURAND-MARTIN", "Léa", "", "2026-11", "lea@valbrume.example"})
		p := h.only(t)
		if p.LastName != "DURAND" || p.MetierLabel != "Infirmier" || p.Semester != "2026-11" || len(p.Contacts) != 2 || p.Source != "RH" {
			t.Errorf("%+v", p)
		}
		list := h.conflicts(t)
		if len(list) != 1 || list[0].Field != "last_name" || list[0].Kept != "DURAND" || list[0].Other != "DURAND-MARTIN" || list[0].Rule != directory.RuleOwner || list[0].OtherBy != "AD" {
			t.Fatalf("%+v", list)
		}
		if err := h.KeepOther(t.Context(), h.scope, list[0].ID, true); err != nil {
			t.Fatal(err)
		}
		if p := h.only(t); p.LastName != "DURAND-MARTIN" {
			t.Errorf("a person decided otherwise: %s", p.LastName)
		}
		h.lists(t, "RH", staff, []string{"1", "DURAND", "Léa", "Infirmier", "0639980001"})
		if p := h.only(t); p.LastName != "DURAND-MARTIN" {
			t.Errorf("the list repeats what it said: %s", p.LastName)
		}
		h.lists(t, "RH", staff, []string{"1", "MARTIN", "Léa", "Infirmier", "0639980001"})
		if p := h.only(t); p.LastName != "MARTIN" {
			t.Errorf("the list says something new: %s", p.LastName)
		}
	})
}

func TestAMobileEnteredByHandHoldsUntilTheListChanges(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.lists(t, "RH", staff, []string{"1", "DURAND", "Léa", "Infirmier", "0639980001"})
		p := h.only(t)
		p.Contacts = []directory.ContactPoint{contact(directory.Mobile, "+33639980002")}
		p.MetierLabel, p.Metier = "Cadre", ""
		h.save(t, h.scope, p)
		h.lists(t, "RH", staff, []string{"1", "DURAND", "Léa", "Infirmier", "0639980001"})
		if p = h.only(t); len(p.Contacts) != 1 || p.Contacts[0].Address != "+33639980002" || p.MetierLabel != "Infirmier" {
			t.Fatalf("the mobile holds, the métier is the list's: %+v", p)
		}
		rules := map[directory.ConflictRule]directory.Conflict{}
		for _, c := range h.conflicts(t) {
			rules[c.Rule] = c
		}
		if c := rules[directory.RuleHand]; c.Kept != "+33639980002" || c.Other != "+33639980001" || c.OtherBy != "RH" {
			t.Errorf("%+v", rules)
		}
		if c := rules[directory.RuleSource]; c.Field != "metier" || c.Other != "Cadre" || c.KeptBy != "RH" {
			t.Errorf("nothing is replaced in silence: %+v", rules)
		}
		h.lists(t, "RH", staff, []string{"1", "DURAND", "Léa", "Infirmier", "0639980003"})
		if p = h.only(t); len(p.Contacts) != 2 {
			t.Errorf("the list changed, and a proven number is not lost: %+v", p.Contacts)
		}
		list := h.conflicts(t)
		if len(list) == 0 || list[0].Rule != directory.RuleChanged || list[0].Kept != "+33639980003" {
			t.Errorf("%+v", list)
		}
		masked := h.as(access.Administrator)
		seen, _, err := h.Conflicts(t.Context(), masked)
		if err != nil || len(seen) == 0 || seen[0].Kept == "+33639980003" {
			t.Errorf("a number whole to who may not see it: %+v %v", seen, err)
		}
		wantFault(t, h.KeepOther(t.Context(), h.establishment(t, "Clinique du Parc"), list[0].ID, true), "directory.conflict.unknown")
		if err := h.KeepOther(t.Context(), h.scope, list[0].ID, false); err != nil || len(h.conflicts(t)) != len(list)-1 {
			t.Errorf("seen: %v", err)
		}
	})
}

func TestAProgramMayMakeFewPeopleLeave(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		header := []string{"Clé du serveur", "Nom", "Prénom"}
		var rows [][]string
		for _, n := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
			rows = append(rows, []string{"guid-" + n, "AGENT " + n, "Camille"})
		}
		gives := func(handling directory.Handling, rows ...[]string) directory.Import {
			t.Helper()
			i, err := h.Synchronise(t.Context(), h.scope, &directory.Table{Columns: header, Lines: rows}, "API", "paie", handling)
			if err != nil {
				t.Fatal(err)
			}
			for more := true; more; {
				if more, err = h.Work(t.Context(), access.Instance("test")); err != nil {
					t.Fatal(err)
				}
			}
			if i, err = h.Import(t.Context(), h.scope, i.ID); err != nil {
				t.Fatal(err)
			}
			return i
		}
		full := directory.Handling{Auto: true, GoneMost: 10}
		if i := gives(full, rows...); i.State != directory.Applied || i.Summary.New != 10 {
			t.Fatalf("%s %+v", i.State, i.Summary)
		}
		if i := gives(full, rows...); i.State != directory.Abandoned {
			t.Errorf("the same list again is no news: %s", i.State)
		}
		rows[0][1] = "AGENT MARIÉ" // the key is the same: it is the same person
		if i := gives(full, rows...); i.State != directory.Applied || i.Summary.Changed != 1 || i.Summary.New != 0 {
			t.Errorf("%s %+v", i.State, i.Summary)
		}
		if i := gives(directory.Handling{Auto: true, Partial: true}, []string{"guid-k", "AGENT k", "Camille"}); i.State != directory.Applied || i.Summary.Gone != 0 || i.Summary.New != 1 {
			t.Errorf("a part of the list makes nobody leave: %s %+v", i.State, i.Summary)
		}
		if i := gives(full, rows...); i.State != directory.Applied || i.Summary.Gone != 1 {
			t.Errorf("one of eleven may leave: %s %+v", i.State, i.Summary)
		}
		if i := gives(full, rows[2:]...); i.State != directory.Ready || i.Summary.Gone != 2 {
			t.Errorf("two of ten wait for a person: %s %+v", i.State, i.Summary)
		}
		_, err := h.Synchronise(t.Context(), h.scope, &directory.Table{Columns: header, Lines: rows}, "API", "paie", full)
		wantFault(t, err, "directory.sync.waiting")
		if _, err := h.Synchronise(t.Context(), h.as(access.Reader), &directory.Table{Columns: header}, "API", "paie", full); err == nil {
			t.Error("a reader gives a list")
		}
	})
}

// The establishment says which list wins in a field: it wins over the list that
// owns the person, and holds when that one says something new.
func TestARuleOfAFieldNamesTheListThatWins(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		rh := func(metier string) { h.lists(t, "RH", staff, []string{"1", "DURAND", "Léa", metier, "0639980001"}) }
		ad := func(metier, mobile string) {
			h.lists(t, "AD", staff, []string{"1", "DURAND-AD", "Léa", metier, mobile})
		}
		rh("Infirmier")
		rules := map[string]directory.Precedence{"metier": directory.OfList("AD"), directory.Mobile: directory.OfList("AD"), "site": directory.Usual}
		if err := h.SetFieldRules(t.Context(), h.scope, rules); err != nil {
			t.Fatal(err)
		}
		ad("Cadre", "0639980002")
		p := h.only(t)
		if p.MetierLabel != "Cadre" || p.LastName != "DURAND" || p.Source != "RH" || len(p.Contacts) != 2 || p.Contacts[0].Address != "+33639980002" {
			t.Fatalf("the AD wins in what it was named for, its number first: %+v", p)
		}
		of := func(field string) (c directory.Conflict) {
			for _, k := range h.conflicts(t) {
				if k.Field == field {
					c = k
				}
			}
			return c
		}
		if c := of("metier"); c.Rule != directory.RuleField || c.Kept != "Cadre" || c.KeptBy != "AD" || c.Other != "Infirmier" || c.OtherBy != "RH" {
			t.Errorf("the rule is shown: %+v", c)
		}
		rh("Infirmier")
		rh("Sage-femme")
		if p = h.only(t); p.MetierLabel != "Cadre" {
			t.Errorf("the owner says something new, and the rule holds: %s", p.MetierLabel)
		}
		if c := of("metier"); c.Other != "Sage-femme" || c.Rule != directory.RuleField {
			t.Errorf("and it is shown: %+v", c)
		}
		ad("Directeur", "0639980002")
		if p = h.only(t); p.MetierLabel != "Directeur" {
			t.Errorf("the list that wins changes: %s", p.MetierLabel)
		}
		// Without the rule the owner decides again, once it says something new.
		if err := h.SetFieldRules(t.Context(), h.scope, nil); err != nil {
			t.Fatal(err)
		}
		rh("Infirmier")
		if p = h.only(t); p.MetierLabel != "Infirmier" {
			t.Errorf("the usual rule: %s", p.MetierLabel)
		}
	})
}

func TestARuleOfAFieldKeepsWhatAHandEntered(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.lists(t, "RH", staff, []string{"1", "DURAND", "Léa", "Infirmier", "0639980001"})
		if err := h.SetFieldRules(t.Context(), h.scope, map[string]directory.Precedence{"metier": directory.ByHand, directory.Mobile: directory.ByHand}); err != nil {
			t.Fatal(err)
		}
		p := h.only(t)
		p.Contacts = []directory.ContactPoint{contact(directory.Mobile, "+33639980002")}
		p.MetierLabel, p.Metier = "Cadre", ""
		h.save(t, h.scope, p)
		h.lists(t, "RH", staff, []string{"1", "DURAND", "Léa", "Sage-femme", "0639980003"})
		if p = h.only(t); p.MetierLabel != "Cadre" || len(p.Contacts) != 1 || p.Contacts[0].Address != "+33639980002" {
			t.Errorf("what a hand entered is replaced: %+v", p)
		}
		for _, c := range h.conflicts(t) {
			if c.Rule != directory.RuleField || c.OtherBy != "RH" || c.KeptBy != "" {
				t.Errorf("shown as %+v", c)
			}
		}
		if n := len(h.conflicts(t)); n != 2 {
			t.Errorf("%d disagreements are shown", n)
		}
		for field, rule := range map[string]directory.Precedence{"pigeon": directory.ByHand, "metier": "list:", "service": "toujours"} {
			wantFault(t, h.SetFieldRules(t.Context(), h.scope, map[string]directory.Precedence{field: rule}), "directory.conflict.rule_unknown")
		}
		other := h.establishment(t, "Clinique du Parc")
		if rules, _, err := h.FieldRules(t.Context(), other); err != nil || len(rules) != 0 {
			t.Errorf("another establishment has %v, %v", rules, err)
		}
		if err := h.SetFieldRules(t.Context(), h.as(access.Reader), nil); err == nil {
			t.Error("a reader sets rules")
		}
	})
}
