package directory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/document/table"
	"tocsin/internal/storage"
)

const staffFile = `Matricule;Nom;Prénom;Fonction;Service;Site;Portable;Mail;Motif d'absence
A1;LE GOFF;Maëlle;IADE;Bloc opératoire;Site Nord;06 39 98 00 01;maelle@chu.example;maladie
A2;MARTIN;Paul;INFIRMIER(E) D.E.;Urgences;Site Nord;0639980002 / poste 4512;;
A3;ROY;Léa;Aide-soignante;Urgences;Site Sud;+33 (0)6 39 98 00 03;lea@chu.example;congé
`

func open(t testing.TB, text string) *table.Source {
	t.Helper()
	source, err := table.Open(strings.NewReader(text), int64(len(text)), "agents.csv", table.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	return source
}

// stage reads a file and compares it with today.
func (h hospital) preview(t testing.TB, text string) directory.Import {
	t.Helper()
	i, err := h.Stage(t.Context(), h.scope, open(t, text), directory.File{Name: "agents.csv"})
	if err != nil {
		t.Fatalf("stage: %v", err)
	}
	if i, err = h.Preview(t.Context(), h.scope, i.ID); err != nil {
		t.Fatalf("preview: %v", err)
	}
	return i
}

func (h hospital) load(t testing.TB, text string) directory.Import {
	t.Helper()
	i, err := h.Confirm(t.Context(), h.scope, h.preview(t, text).ID)
	if err != nil {
		t.Fatalf("confirm: %v", err)
	}
	return i
}

// counts is new/changed/same/gone/refused.
func counts(s directory.Summary) string {
	return fmt.Sprintf("%d/%d/%d/%d/%d", s.New, s.Changed, s.Same, s.Gone, s.Refused)
}

func wantCounts(t testing.TB, what string, i directory.Import, want string) {
	t.Helper()
	if got := counts(i.Summary); got != want {
		t.Errorf("%s: new/changed/same/gone/refused = %s, want %s", what, got, want)
	}
}

func (h hospital) results(t testing.TB, i directory.Import, f directory.ResultFilter) []directory.Result {
	t.Helper()
	out, err := h.Results(t.Context(), h.scope, i.ID, f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// everyone is a picture of the directory that does not depend on ids.
func (h hospital) everyone(t testing.TB) string {
	t.Helper()
	var out []string
	for _, p := range h.resolve(t, h.scope, directory.Rule{Absent: true}, directory.Rule{}) {
		var contacts []string
		for _, k := range p.Contacts {
			contacts = append(contacts, k.Address+" "+string(k.State))
		}
		out = append(out, fmt.Sprint(p.LastName, " ", p.FirstName, " ", p.Metier, " ", p.ServiceName, " ", p.SiteName, " ", contacts, " ", p.Person))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func TestImportLifeOfAFile(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		i := h.preview(t, staffFile)
		wantCounts(t, "first preview", i, "3/0/0/0/0")
		if len(i.Summary.Sites) != 2 || len(i.Summary.Services) != 3 {
			t.Errorf("new places: %v, %v", i.Summary.Sites, i.Summary.Services)
		}
		if len(h.resolve(t, h.scope, directory.Rule{}, directory.Rule{})) != 0 {
			t.Error("a preview showed somebody")
		}
		if i, err := h.Confirm(t.Context(), h.scope, i.ID); err != nil || i.State != directory.Applied {
			t.Fatalf("confirm: %+v, %v", i.State, err)
		}
		people := h.resolve(t, h.scope, directory.Rule{}, directory.Rule{})
		if names(people) != "[LE GOFF MARTIN ROY]" {
			t.Fatalf("after the import: %s", names(people))
		}
		for _, p := range people {
			if p.LastName == "MARTIN" && (p.Metier != "ide" || p.ServiceName != "Urgences" || p.SiteName != "Site Nord" || len(p.Contacts) != 2 || p.Contacts[1].Address != "4512") {
				t.Errorf("martin = %+v", p)
			}
		}
		again := h.preview(t, staffFile)
		wantCounts(t, "same file", again, "0/0/3/0/0")
		if !again.Remembered {
			t.Error("the mapping was not remembered")
		}
		// "/" is the reason column's fate: no trace of it anywhere.
		if err := h.db.Read(t.Context(), h.scope, func(tx *storage.Tx) error {
			var n int
			_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM directory_import_results WHERE entry LIKE '%maladie%' OR entry LIKE '%congé%'`, nil, &n)
			if n != 0 {
				t.Error("the reason of an absence was kept")
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestImportDifference(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.load(t, staffFile)
		byHand := h.save(t, h.scope, directory.Person{LastName: "Intérimaire"})
		before := h.everyone(t)
		next := strings.Replace(strings.Replace(staffFile, "06 39 98 00 01", "06 39 98 11 11", 1), "A3;ROY;Léa;Aide-soignante;Urgences;Site Sud;+33 (0)6 39 98 00 03;lea@chu.example;congé\n",
			"A4;PETIT;Zoé;Sage-femme;Maternité;Site Sud;0639980004;;\n", 1)
		h.record(t, directory.ContactEvent{Address: "+33639980002", Kind: directory.EventAnswered, At: morning})
		i := h.preview(t, next)
		wantCounts(t, "next file", i, "1/1/1/1/0")
		if i.Summary.Fields["mobile"] != 1 {
			t.Errorf("fields = %v", i.Summary.Fields)
		}
		changed := h.results(t, i, directory.ResultFilter{Kind: directory.KindChanged})
		if len(changed) != 1 || len(changed[0].Changes) != 1 || changed[0].Changes[0] != (directory.Change{Field: "mobile", Before: "+33639980001", After: "+33639981111"}) || changed[0].Line != 2 {
			t.Errorf("changed = %+v", changed)
		}
		masked, err := h.Results(t.Context(), h.as(access.Administrator), i.ID, directory.ResultFilter{Kind: directory.KindChanged})
		if err != nil || masked[0].Changes[0].After != "06 •• •• •• 11" {
			t.Errorf("masked = %+v, %v", masked, err)
		}
		if gone := h.results(t, i, directory.ResultFilter{Kind: directory.KindGone}); len(gone) != 1 || gone[0].Name != "ROY Léa" {
			t.Errorf("gone = %+v", gone)
		}
		h.clock.Advance(time.Minute)
		if _, err := h.Confirm(t.Context(), h.scope, i.ID); err != nil {
			t.Fatal(err)
		}
		if got := names(h.resolve(t, h.scope, directory.Rule{}, directory.Rule{})); got != "[Intérimaire LE GOFF MARTIN PETIT]" {
			t.Errorf("after: %s", got)
		}
		wantCounts(t, "same again", h.preview(t, next), "0/0/3/0/0")

		h.clock.Advance(time.Minute)
		if i, err = h.Undo(t.Context(), h.scope, i.ID, false); err != nil || i.State != directory.Undone {
			t.Fatalf("undo: %v, %v", i.State, err)
		}
		// What was learnt meanwhile stays; all the rest is as before.
		if got, want := h.everyone(t), strings.Replace(before, "+33639980002 never", "+33639980002 answered", 1); got != want {
			t.Errorf("after undo:\n%s\nwant:\n%s", got, want)
		}
		_, err = h.Undo(t.Context(), h.scope, i.ID, false)
		wantFault(t, err, "directory.import.state")
		if _, err := h.Person(t.Context(), h.scope, byHand.ID); err != nil {
			t.Error(err)
		}
		wantCounts(t, "the first file after the undo", h.preview(t, staffFile), "0/0/3/0/0")
	})
}

func TestUndoSaysWhatWasTouched(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		i := h.load(t, staffFile)
		h.clock.Advance(time.Minute)
		var martin directory.Person
		for _, p := range h.resolve(t, h.scope, directory.Rule{}, directory.Rule{}) {
			if p.LastName == "MARTIN" {
				var err error
				if martin, err = h.Person(t.Context(), h.scope, p.Person); err != nil {
					t.Fatal(err)
				}
			}
		}
		martin.FirstName = "Paul-Henri"
		h.save(t, h.scope, martin)
		_, err := h.Undo(t.Context(), h.scope, i.ID, false)
		wantFault(t, err, "directory.import.touched")
		if names, err := h.Touched(t.Context(), h.scope, i.ID); err != nil || !slices.Equal(names, []string{"MARTIN Paul-Henri"}) {
			t.Errorf("touched = %v, %v", names, err)
		}
		if i, err = h.Undo(t.Context(), h.scope, i.ID, true); err != nil || !slices.Equal(i.Summary.Kept, []string{"MARTIN Paul-Henri"}) {
			t.Errorf("kept = %v, %v", i.Summary.Kept, err)
		}
		if got := names(h.resolve(t, h.scope, directory.Rule{}, directory.Rule{})); got != "[MARTIN]" {
			t.Errorf("after: %s", got)
		}
	})
}

func TestImportExplainsEveryRow(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		i := h.preview(t, `Matricule;Nom;Prénom;Téléphone;Poste;Statut
B1;ARNAUD;Anne;06 39 98 00 01;;titulaire
B2;BLANC;Bob;0639980001;4512;CDD
B1;CLERC;Carl;0639980003;;titulaire
B4;;Denis;0639980004;;titulaire
B5;ÉTIENNE;Eve;06 39 98;4512;martien
B6;FAURE;Flo;DECT 4513;;interne
B7;GARNIER;"jamais fermé;0639980007;;
`)
		if i.Summary.New != 4 || i.Summary.Refused != 3 {
			t.Errorf("counts %s", counts(i.Summary))
		}
		got := map[int][]string{}
		for _, r := range h.results(t, i, directory.ResultFilter{Complaints: true}) {
			for _, p := range r.Problems {
				got[r.Line] = append(got[r.Line], p.Column+": "+p.Key)
			}
		}
		for line, want := range map[int][]string{
			2: {"Téléphone: directory.import.shared"}, 3: {"Téléphone: directory.import.shared"}, 4: {"Matricule: directory.import.twice"},
			5: {": directory.import.no_name"}, 6: {"Statut: directory.import.status", "Téléphone: phone.problem.too_short"},
			7: {"Téléphone: phone.warning.dect"}, 8: {": table.row.unclosed_quote"},
		} {
			if !slices.Equal(got[line], want) {
				t.Errorf("line %d: %v, want %v", line, got[line], want)
			}
		}
		if _, err := h.Confirm(t.Context(), h.scope, i.ID); err != nil {
			t.Fatal(err)
		}
		for _, p := range h.resolve(t, h.scope, directory.Rule{}, directory.Rule{}) {
			for _, k := range p.Contacts {
				if shared := k.Address == "+33639980001" || k.Address == "4512" || k.Address == "4513"; k.Shared != shared {
					t.Errorf("%s: %s shared = %v", p.LastName, k.Address, k.Shared)
				}
			}
		}
	})
}

func TestImportWithoutMatricule(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		const file = "Nom Prénom;Mobile perso\nDUPONT Marie;0639980001\nDUPONT Marie;0639980002\nRoux Jean;0639980003\n"
		i := h.load(t, file)
		wantCounts(t, "first", i, "3/0/0/0/0")
		if keys := cautions(i); !slices.Equal(keys, []string{"directory.import.no_matricule"}) {
			t.Errorf("cautions = %v", keys)
		}
		wantCounts(t, "again", h.preview(t, file), "0/0/3/0/0")
		wantCounts(t, "another number", h.preview(t, strings.Replace(file, "0639980003", "0639980009", 1)), "0/1/2/0/0")
		for _, p := range h.resolve(t, h.scope, directory.Rule{}, directory.Rule{}) {
			if !p.Contacts[0].Private {
				t.Errorf("%s: a personal mobile is not private", p.LastName)
			}
		}
	})
}

func cautions(i directory.Import) (keys []string) {
	for _, p := range i.Summary.Cautions {
		keys = append(keys, p.Key)
	}
	return keys
}

func TestNobodyIsGoneWhenARowIsUnknown(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.load(t, "Nom;Mobile\nDUPONT;0639980001\nROUX;0639980003\n")
		i := h.preview(t, "Nom;Mobile\nDUPONT;0639980001\n;0639980003\n")
		wantCounts(t, "a row without name", i, "0/0/1/0/1")
		if !slices.Contains(cautions(i), "directory.import.gone_unknown") {
			t.Errorf("cautions = %v", cautions(i))
		}
	})
}

func TestImportRespectsWhatWasMadeByHand(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		hand := h.save(t, h.scope, directory.Person{
			Matricule: "A1", LastName: "LE GOFF", FirstName: "Maëlle", Protected: true,
			Contacts: []directory.ContactPoint{contact("email", "perso@ailleurs.example"), contact("mobile", "0639980001")},
		})
		h.load(t, staffFile)
		got, err := h.Person(t.Context(), h.scope, hand.ID)
		if err != nil || !got.Protected || got.Source != "" || got.Metier != "iade" {
			t.Fatalf("person = %+v, %v", got, err)
		}
		var list []string
		for _, k := range got.Contacts {
			list = append(list, k.Address)
		}
		if want := []string{"perso@ailleurs.example", "+33639980001", "maelle@chu.example"}; !slices.Equal(list, want) {
			t.Errorf("contacts = %v, want %v", list, want)
		}
		without := strings.Join(append(strings.Split(staffFile, "\n")[:1], strings.Split(staffFile, "\n")[2:]...), "\n")
		wantCounts(t, "without the person made by hand", h.preview(t, without), "0/0/2/0/0")
	})
}

func TestImportSurvivesACrash(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		var file strings.Builder
		file.WriteString("Matricule;Nom;Prénom;Mobile\n")
		for n := range 700 {
			fmt.Fprintf(&file, "C%d;NOM%d;Prénom;06399%05d\n", n, n, n)
		}
		h.load(t, "Matricule;Nom;Prénom;Mobile\nC1;ANCIEN;Prénom;0639999999\nC900;PARTANT;Prénom;0639990900\n")
		before := h.everyone(t)
		i := h.preview(t, file.String())
		cut := func() { // the program dies after two chunks
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := h.Confirm(&dying{Context: ctx, after: 2}, h.scope, i.ID)
			if !errors.Is(err, errDied) {
				t.Fatalf("the crash did not happen: %v", err)
			}
		}
		cut()
		if got := h.everyone(t); got != before {
			t.Error("half an import is seen")
		}
		if now, err := h.Import(t.Context(), h.scope, i.ID); err != nil || now.State != directory.Applying {
			t.Fatalf("state %v, %v", now.State, err)
		}
		_, err := h.Confirm(t.Context(), h.scope, h.preview(t, staffFile).ID)
		wantFault(t, err, "directory.import.other_running")
		if err := h.Abandon(t.Context(), h.scope, i.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.everyone(t); got != before {
			t.Errorf("after the rollback:\n%s\nwant\n%s", got, before)
		}
		i = h.preview(t, file.String())
		cut()
		if more, err := h.Work(t.Context(), access.Instance("test")); err != nil || !more {
			t.Fatalf("resume: %v, %v", more, err)
		}
		if n := len(h.resolve(t, h.scope, directory.Rule{}, directory.Rule{})); n != 700 {
			t.Errorf("%d people after the resumption", n)
		}
		wantCounts(t, "the same file", h.preview(t, file.String()), "0/0/700/0/0")
		if more, err := h.Work(t.Context(), access.Instance("test")); err != nil || more {
			t.Errorf("work without work: %v, %v", more, err)
		}
		if _, err := h.Undo(t.Context(), h.scope, i.ID, false); err != nil {
			t.Fatal(err)
		}
		if got := h.everyone(t); got != before {
			t.Errorf("after undo:\n%s\nwant\n%s", got, before)
		}
	})
}

var errDied = errors.New("the program died")

// dying is a context that ends after it was asked a number of times: a crash at
// some point of the work, always the same.
type dying struct {
	context.Context
	after int
}

func (d *dying) Err() error {
	if d.after--; d.after < 0 {
		return errDied
	}
	return d.Context.Err()
}

func TestStagingThatIsCutLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		_, err := h.Stage(t.Context(), h.scope, &broken{open(t, staffFile), 2}, directory.File{Name: "agents.csv"})
		if !errors.Is(err, errDied) {
			t.Fatalf("stage = %v", err)
		}
		all, err := h.Imports(t.Context(), h.scope)
		if err != nil || len(all) != 1 || all[0].State != directory.Abandoned {
			t.Errorf("imports = %+v, %v", all, err)
		}
		if err := h.db.Read(t.Context(), h.scope, func(tx *storage.Tx) error {
			n := -1
			_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM directory_import_rows`, nil, &n)
			if n != 0 {
				t.Errorf("%d rows are left", n)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := h.ClearCut(t.Context(), access.Instance("test")); err != nil {
			t.Error(err)
		}
	})
}

// broken is a file whose disk fails after some rows.
type broken struct {
	*table.Source
	left int
}

func (b *broken) Next() (table.Row, error) {
	if b.left--; b.left < 0 {
		return table.Row{}, errDied
	}
	return b.Source.Next()
}

func TestImportOfTwoEstablishments(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		other := h.establishment(t, "Hôpital des Arcs")
		i := h.load(t, staffFile)
		_, err := h.Import(t.Context(), other, i.ID)
		wantFault(t, err, "directory.import.not_found")
		_, err = h.Undo(t.Context(), other, i.ID, true)
		wantFault(t, err, "directory.import.not_found")
		if got, err := h.Results(t.Context(), other, i.ID, directory.ResultFilter{}); err != nil || len(got) != 0 {
			t.Errorf("the other sees %v, %v", got, err)
		}
		there := h
		there.scope = other
		wantCounts(t, "the same file elsewhere", there.load(t, staffFile), "3/0/0/0/0")
		humans := map[uuid.UUID]int{}
		for _, scope := range []access.Scope{h.scope, other} {
			for _, p := range h.resolve(t, scope, directory.Rule{}, directory.Rule{}) {
				humans[p.Human]++
			}
		}
		if len(humans) != 3 {
			t.Errorf("%d humans on two lists of the same three people", len(humans))
		}
		_, err = h.Stage(t.Context(), h.as(access.Reader), open(t, staffFile), directory.File{})
		wantFault(t, err, "access.denied")
	})
}

func TestMappingIsChecked(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		i, err := h.Stage(t.Context(), h.scope, open(t, staffFile), directory.File{Name: "agents.csv"})
		if err != nil {
			t.Fatal(err)
		}
		want := directory.Mapping{"matricule", "last_name", "first_name", "metier", "service", "site", "mobile", "email", ""}
		if !slices.Equal(i.Mapping, want) {
			t.Errorf("guessed %v", i.Mapping)
		}
		for key, m := range map[string]directory.Mapping{
			"directory.import.mapping_columns": want[:3],
			"directory.import.mapping_name":    {"matricule", "", "", "", "", "", "", "", ""},
			"directory.import.mapping_twice":   {"matricule", "last_name", "last_name", "", "", "", "", "", ""},
			"directory.import.mapping_field":   {"age", "last_name", "", "", "", "", "", "", ""},
		} {
			_, err := h.Map(t.Context(), h.scope, i.ID, m)
			wantFault(t, err, key)
		}
		want[3] = directory.Ignored
		if _, err := h.Map(t.Context(), h.scope, i.ID, want); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Preview(t.Context(), h.scope, i.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Confirm(t.Context(), h.scope, i.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.resolve(t, h.scope, directory.Rule{}, directory.Rule{}); got[0].Metier != "" {
			t.Errorf("an ignored column was read: %q", got[0].Metier)
		}
		if again := h.preview(t, staffFile); !slices.Equal(again.Mapping, want) || !again.Remembered {
			t.Errorf("remembered %v", again.Mapping)
		}
	})
}

func TestSweepErasesWhatNoUndoNeeds(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		ctx := t.Context()
		h.load(t, staffFile)
		h.clock.Advance(time.Hour)
		second := h.load(t, strings.Replace(staffFile, "0639980002", "0639982222", 1))
		rows := func() (n int) {
			if err := h.db.Read(ctx, h.scope, func(tx *storage.Tx) error {
				_, err := tx.Row(ctx, `SELECT (SELECT COUNT(*) FROM directory_people) + (SELECT COUNT(*) FROM directory_import_results) + (SELECT COUNT(*) FROM directory_import_rows)`, nil, &n)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		sweep := func() {
			if err := h.Sweep(ctx, access.Instance("test")); err != nil {
				t.Fatal(err)
			}
		}
		before, seen := rows(), h.everyone(t)
		if sweep(); rows() != before {
			t.Errorf("%d rows, want %d: a fresh import could no longer be undone", rows(), before)
		}
		h.clock.Advance(directory.UndoFor + time.Minute)
		if sweep(); rows() != 3 {
			t.Errorf("%d rows are left of three people", rows())
		}
		if h.everyone(t) != seen {
			t.Error("sweeping changed what is seen")
		}
		_, err := h.Undo(ctx, h.scope, second.ID, true)
		wantFault(t, err, "directory.import.too_old")
	})
}

// A row that was cut says so: whoever it names would be in the directory and
// reached by nothing.
func TestARowWithoutAnyAddressIsSaid(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.load(t, "Matricule;Nom;Mobile;Mail\nK1;ROUX;0639980001;\n")
		i := h.preview(t, "Matricule;Nom;Mobile;Mail\nK1;ROUX;;\nK2;COURT\nK3;BRUN;;b@chu.example\nK4;VIDE;NC;\n")
		said := map[int]bool{}
		for _, r := range h.results(t, i, directory.ResultFilter{}) {
			for _, p := range r.Problems {
				said[r.Line] = said[r.Line] || p.Key == "directory.import.unreached" && !p.Error
			}
		}
		if !said[2] || !said[3] || !said[5] || said[4] || i.Summary.Warnings != 3 {
			t.Errorf("said of lines %v, %d warnings; want lines 2, 3 and 5", said, i.Summary.Warnings)
		}
		i = h.preview(t, "Matricule;Nom\nK5;SANS\n")
		for _, r := range h.results(t, i, directory.ResultFilter{}) {
			if len(r.Problems) > 0 {
				t.Errorf("a list without any number complains of each row: %+v", r.Problems)
			}
		}
	})
}
