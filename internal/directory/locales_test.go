package directory_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"tocsin/internal/directory"
	"tocsin/internal/directory/phone"
	"tocsin/internal/document/table"
	"tocsin/internal/i18n/i18ntest"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	loc := i18ntest.Localizer(t, "fr", directory.Locales, phone.Locales, table.Locales)
	keys := said(t)
	if len(keys) < 40 {
		t.Errorf("only %d sentences found in the code", len(keys))
	}
	for _, s := range directory.Statuses() {
		keys = append(keys, "status."+s)
	}
	for _, m := range directory.Media() {
		keys = append(keys, "medium."+m)
	}
	for _, f := range directory.Fields() {
		keys = append(keys, "field."+string(f))
	}
	for _, c := range directory.Causes() {
		keys = append(keys, "cause."+string(c))
	}
	for _, s := range []directory.ImportState{
		directory.Staging, directory.Staged, directory.Previewing, directory.Ready, directory.Applying, directory.Applied,
		directory.Undoing, directory.Undone, directory.Abandoned,
	} {
		keys = append(keys, "import.state."+string(s))
	}
	for _, key := range keys {
		if !loc.Has("directory." + key) {
			t.Errorf("no sentence for directory.%s", key)
		}
	}
}

// said reads in the code of this folder the sentences of faults and problems;
// those of the pages are theirs to check.
func said(t *testing.T) (keys []string) {
	t.Helper()
	sentence := regexp.MustCompile(`(?:fault\.(?:New|Wrap)\([^"]*|Key: |complain\([^"]*|loc\.T\()"directory\.([a-z_.]+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sentence.FindAllStringSubmatch(string(code), -1) {
			keys = append(keys, m[1])
		}
	}
	return keys
}

func TestMetiersAreRecognised(t *testing.T) {
	t.Parallel()
	ref, err := directory.LoadReference()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"IDE": "ide", "Infirmier(e) D.E.": "ide", "INFIRMIERE": "ide", "Infirmière de classe normale": "ide", "infirmier(ère)": "ide",
		"I.A.D.E.": "iade", "INFIRMIER(E) ANESTHESISTE D.E.": "iade", "Aide-Soignante": "aide_soignant", "AS de nuit": "aide_soignant",
		"Médecin urgentiste": "medecin_urgentiste", "P.H.": "medecin", "Manipulatrice en électroradiologie médicale": "manipulateur_radio",
		"Cadre supérieure de santé": "cadre_superieur", "ASH": "ash", "SSIAP 2": "agent_securite", "A.R.M.": "regulateur_samu", "Registered nurse": "ide",
	} {
		if got, known := ref.Recognise(text); got != want || !known {
			t.Errorf("Recognise(%q) = %q, %v; want %q", text, got, known, want)
		}
	}
	if got, known := ref.Recognise("Fauconnier d’établissement"); got != "fauconnier_d_etablissement" || known {
		t.Errorf("an unknown métier = %q, %v", got, known)
	}
	if got := ref.Label("fauconnier_d_etablissement", "fr"); got != "fauconnier d etablissement" {
		t.Errorf("label = %q", got)
	}
}
