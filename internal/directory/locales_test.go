package directory_test

import (
	"testing"

	"tocsin/internal/directory"
	"tocsin/internal/directory/phone"
	"tocsin/internal/document/table"
	"tocsin/internal/i18n/i18ntest"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", directory.Locales, phone.Locales, table.Locales)
	loc := i18ntest.Localizer(t, "fr", directory.Locales)
	var keys []string
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
	for _, s := range []directory.ContactState{directory.NeverTried, directory.Delivered, directory.Answered, directory.Failed, directory.Bounced, directory.Stopped} {
		keys = append(keys, "state."+string(s))
	}
	for _, s := range []directory.ImportState{directory.Staging, directory.Staged, directory.Previewing, directory.Ready, directory.Applying, directory.Applied,
		directory.Undoing, directory.Undone, directory.Abandoned} {
		keys = append(keys, "import.state."+string(s))
	}
	for _, key := range keys {
		if !loc.Has("directory." + key) {
			t.Errorf("no sentence for directory.%s", key)
		}
	}
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
