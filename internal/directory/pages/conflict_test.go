package pages_test

import (
	"net/http"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/directory/pages"
)

func TestTheRulesOfFieldsAreSetOnThePageOfDisagreements(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	w.get(pages.ConflictsPath).Want(http.StatusOK).Whole().Says("main", "Règles par champ").Count("#regles select", 14)
	w.post(pages.ConflictsPath+"/regles", "rule.email", "list:AD", "rule.mobile", "hand").Leads(pages.ConflictsPath)
	shown := w.get(pages.ConflictsPath).Whole()
	shown.Value("#f-rule\\.email option[selected]", "value", "list:AD").Value("#f-rule\\.mobile option[selected]", "value", "hand").Value("#f-rule\\.site option[selected]", "value", "usual")
	shown.Says("#regles", "La liste « AD » l’emporte")
	w.post(pages.ConflictsPath+"/regles", "rule.email", "toujours").Want(http.StatusUnprocessableEntity)
	if got := w.actions("directory.conflict.rules"); len(got) != 1 {
		t.Errorf("journal: %v", got)
	}
	w.router = w.as(access.Reader)
	w.post(pages.ConflictsPath+"/regles", "rule.email", "hand").Want(http.StatusForbidden)
}
