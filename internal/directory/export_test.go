package directory_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/document/table"
	"tocsin/internal/i18n/i18ntest"
)

// fullFile has every sort of column, and cells as people write them.
const fullFile = `Matricule;Nom et prénom;Fonction;Qualifications;UF;Libellé UF;Site;Statut;Portable perso;Téléphone;DECT;Mail;Fin de contrat;Début absence;Fin absence;Refus;Protégé;Date de naissance
D1;LE GOFF Maëlle;IADE;ECMO, plongée;4512;Bloc;Site Nord;titulaire;06 39 98 00 01;01 99 00 12 34 / poste 4512 (bureau);DECT 4513;a@chu.example b@chu.example;31/12/2027;01/12/2026;15/12/2026;appel;;01/01/1980
D2;Zoé MARTIN;Vaguemestre de nuit;;4513;Réa;Site Nord;CDD;0692 12 34 56 (perso);+41 79 123 45 67;;;;;;;oui;
D3;SANS Rien;=cmd|' /C calc'!A0;;;;;;;;;;;;;;;
`

func (h hospital) exported(t testing.TB, source string) string {
	t.Helper()
	var b bytes.Buffer
	if err := h.ExportCSV(context.WithoutCancel(t.Context()), h.scope, source, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExportThenImportChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		wantCounts(t, "first", h.load(t, fullFile), "3/0/0/0/0")
		wantCounts(t, "again", h.preview(t, fullFile), "0/0/3/0/0")
		out := h.exported(t, "RH")
		if header, _, _ := strings.Cut(strings.TrimPrefix(out, "\ufeff"), "\r\n"); header != strings.Split(fullFile, "\n")[0] {
			t.Errorf("header = %s", header)
		}
		for _, want := range []string{"01 99 00 12 34 / 4512", "31/12/2027", "15/12/2026", "Vaguemestre de nuit", "4513 (DECT)", "'=cmd"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
		if strings.Contains(out, "1980") || strings.Contains(out, ";=") {
			t.Errorf("a column that must not be kept, or a formula, came out:\n%s", out)
		}
		i := h.preview(t, out)
		wantCounts(t, "the export", i, "0/0/3/0/0")
		for _, r := range h.results(t, i, directory.ResultFilter{}) {
			if r.Kind != directory.KindSame {
				t.Errorf("line %d is %s: %+v", r.Line, r.Kind, r.Changes)
			}
		}
		// A number added by hand comes out too, and is nobody's change.
		p := h.resolve(t, h.scope, directory.Rule{Metiers: []string{"iade"}, Absent: true}, directory.Rule{})[0]
		whole, err := h.Person(t.Context(), h.scope, p.Person)
		if err != nil {
			t.Fatal(err)
		}
		whole.Contacts = append(whole.Contacts, contact("mobile", "0639987777"))
		h.save(t, h.scope, whole)
		out = h.exported(t, "RH")
		if !strings.Contains(out, "06 39 98 77 77") {
			t.Errorf("no trace of the number added by hand:\n%s", out)
		}
		wantCounts(t, "the export with it", h.preview(t, out), "0/0/3/0/0")
	})
}

// What the staff file gave is not lost under the columns of the small list of
// telephones that came after it, and comes back as it was.
func TestExportHasTheColumnsOfEveryFile(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		wantCounts(t, "staff", h.load(t, "Matricule;Nom;Prénom;Statut;Portable;Portable perso;Mail\nH1;ROUX;Léa;titulaire;0639980001;0639980002;lea@chu.example\nH2;BRUN;Max;titulaire;0639980003;0639980004;\n"), "2/0/0/0/0")
		i := h.load(t, "Matricule;Nom;Numéro\nH1;ROUX;4512\nH2;BRUN;\n")
		wantCounts(t, "telephones", i, "0/1/1/0/0")
		out := h.exported(t, "RH")
		if !strings.Contains(out, "Matricule;Nom;Numéro;Prénom;Statut;Portable;Portable perso;Mail\r\n") {
			t.Errorf("columns of the staff file are missing:\n%s", out)
		}
		if !strings.Contains(out, "H1;ROUX;4512;Léa;titulaire;06 39 98 00 01;06 39 98 00 02;lea@chu.example\r\n") {
			t.Errorf("what the staff file gave is missing or elsewhere:\n%s", out)
		}
		again := h.preview(t, out)
		if !again.Remembered {
			t.Error("the columns are guessed again")
		}
		wantCounts(t, "the export", again, "0/0/2/0/0")
	})
}

// A file that has no column of mobiles says nothing of them: whoever it names
// goes on being called on his own.
func TestAListOfTelephonesTakesNoMobileAway(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.load(t, "Matricule;Nom;Portable;Portable perso;Poste\nJ1;ROUX;0639980001;0639980002;4511\n")
		h.load(t, "Matricule;Nom;Poste\nJ1;ROUX;4512\n")
		out := h.exported(t, "RH")
		for _, want := range []string{"06 39 98 00 01", "06 39 98 00 02", "4512"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
		if strings.Contains(out, "4511") {
			t.Errorf("the extension that the list replaced is still there:\n%s", out)
		}
	})
}

func TestPlainExport(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.save(t, h.scope, directory.Person{
			Matricule: "E1", LastName: "Petit", FirstName: "Ana", Status: directory.Liberal, ContractEnd: time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC),
			Contacts: []directory.ContactPoint{contact("mobile", "0639980001"), contact("email", "ana@chu.example")},
		})
		out := h.exported(t, "")
		if !strings.Contains(out, "E1;Petit;Ana;") || !strings.Contains(out, "31/12/2026") || !strings.Contains(out, "06 39 98 00 01") {
			t.Errorf("export = %s", out)
		}
		wantCounts(t, "read back", h.preview(t, out), "0/0/1/0/0")
		err := h.ExportCSV(t.Context(), h.as(access.Reader), "", &bytes.Buffer{})
		wantFault(t, err, "access.denied")
	})
}

func TestUnreadableRowsComeBack(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		i := h.load(t, "Matricule;Nom;Mobile\nF1;ROUX;0639980001\nF1;=HYPERLINK(\"x\");0639980002\nF3;\"jamais fermé;0639980003\n")
		wantCounts(t, "file", i, "1/0/0/0/2")
		var b bytes.Buffer
		if err := h.Unreadable(t.Context(), h.scope, i.ID, i18ntest.Localizer(t, "fr", directory.Locales, table.Locales), &b); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"3;", "ligne 2", "'=HYPERLINK", "4;", "jamais fermé"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("no %q in\n%s", want, b.String())
			}
		}
	})
}

func TestHostileFiles(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		latin := "Matricule;Nom;Pr\xe9nom;Mobile\nG1;LEF\xc8VRE;Zo\xe9;0639980001\n"
		wantCounts(t, "Windows-1252", h.load(t, latin), "1/0/0/0/0")
		if got := names(h.resolve(t, h.scope, directory.Rule{}, directory.Rule{})); got != "[LEFÈVRE]" {
			t.Errorf("names = %s", got)
		}
		i := h.preview(t, "Matricule;Nom;Mobile\nG1;A\x00B;0639980001\nG2;"+strings.Repeat("x", 5000)+";0639980002\nG3;'; DROP TABLE directory_people;--;0639980003\n")
		if i.Summary.Rows != 3 {
			t.Errorf("rows = %d", i.Summary.Rows)
		}
		if _, err := h.Confirm(t.Context(), h.scope, i.ID); err != nil {
			t.Fatal(err)
		}
		text := "Matricule;Nom\nG1;A\n"
		if _, err := table.Open(strings.NewReader(text), 1<<30, "gros.csv", table.DefaultLimits()); err == nil {
			t.Error("a file that claims a gigabyte was opened")
		}
	})
}
