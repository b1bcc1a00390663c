package directory_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

const confidentialFile = `Matricule;Nom;Portable;Adresse mail;Motif d'absence;N° de sécurité sociale;IBAN;Date de naissance;Adresse postale;Absence
B1;ARNAUD;0639980001;anne@chu.example;maladie grave;285057800608436;FR7630006000011234567890189;12/05/1985;3 rue du Lac;arrêt-maternité
B2;BLANC;0639980002;bob@chu.example;;;;;;01/12/2026 maladie
B3;CLERC;0639980003;carl@chu.example;trop;décalé par un point-virgule;285057800608436;FR76;12/05/1985;3 rue du Lac;maladie
B4;DENIS;"jamais fermé;x@chu.example;maladie;285057800608436
`

// stored is every text that an import leaves in the database.
func (h hospital) stored(t *testing.T) (text string, rows int) {
	t.Helper()
	var b strings.Builder
	if err := h.db.Read(t.Context(), h.scope, func(tx *storage.Tx) error {
		return tx.Query(t.Context(), `SELECT cells || problem || raw FROM directory_import_rows UNION ALL SELECT entry || changes || problems FROM directory_import_results`, nil,
			func(row func(...any) error) error {
				var s string
				err := row(&s)
				b.WriteString(s + "\n")
				rows++
				return err
			})
	}); err != nil {
		t.Fatal(err)
	}
	return b.String(), rows
}

func TestConfidentialColumnsAreNeverStored(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		i := h.preview(t, confidentialFile)
		text, _ := h.stored(t)
		for _, secret := range []string{"maladie", "maternit", "285057800608436", "FR76", "12/05/1985", "rue du Lac"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q waits in the database:\n%s", secret, text)
			}
		}
		for _, kept := range []string{"ARNAUD", "anne@chu.example", "01/12/2026", "CLERC", "DENIS", "directory.import.absence_date"} {
			if !strings.Contains(text, kept) {
				t.Errorf("%q is lost:\n%s", kept, text)
			}
		}
		if i.Summary.New != 2 || i.Summary.Refused != 2 {
			t.Errorf("counts %s", counts(i.Summary))
		}
		h.preview(t, "Matricule;Nom;Portable\nC1;ROY;\"jamais fermé;x\n")
		if text, _ = h.stored(t); !strings.Contains(text, `C1;ROY;"jamais`) {
			t.Errorf("the row of a file without such a column is not kept as it is:\n%s", text)
		}
	})
}

func TestSweepAbandonsWhatNobodyConfirms(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		i := h.preview(t, confidentialFile)
		sweep := func() directory.Import {
			t.Helper()
			if err := h.Sweep(t.Context(), access.Instance("test")); err != nil {
				t.Fatal(err)
			}
			now, err := h.Import(t.Context(), h.scope, i.ID)
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		h.clock.Advance(directory.WaitFor - time.Minute)
		if _, rows := h.stored(t); sweep().State != directory.Ready || rows == 0 {
			t.Error("a file that may still be confirmed is gone")
		}
		h.clock.Advance(2 * time.Minute)
		state := sweep().State
		if _, rows := h.stored(t); state != directory.Abandoned || rows != 0 {
			t.Errorf("after %s: %s, %d rows left", directory.WaitFor, state, rows)
		}
		if _, err := h.Confirm(t.Context(), h.scope, i.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("confirmed all the same: %v", err)
		}
	})
}
