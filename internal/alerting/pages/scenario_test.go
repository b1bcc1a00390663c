package pages_test

import (
	"net/http"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/pages"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// author is the house of someone who may write scenarios, with their pages.
func (h *hospital) author(roles ...access.Role) *ui.Router {
	h.t.Helper()
	r := h.as(roles...)
	pages.ScenarioRoutes(r, pages.ScenarioOptions{Service: h.Service, Directory: h.dir, Organisation: h.org, Catalog: catalog(h.t)})
	return r
}

func scenarioURL(sc alerting.Scenario, under string) string {
	return "/scenarios/" + sc.ID.String() + under
}

func TestScenarioListFromEmptyToArchived(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	r := h.author(access.Administrator)
	page(t, r, "/scenarios").Says(".empty-title", "Aucun scénario").Has(`.empty a[href="/scenarios/bibliotheque"]`)
	sc := h.scenario(recall())
	page(t, r, "/scenarios").Value(".card-link", "href", scenarioURL(sc, "")).Says(".card-link strong", "Plan blanc").Says(".card-link", "Jamais déclenché")
	uitest.Post(t, r, scenarioURL(sc, "/archiver"), []string{"archive", "oui"}).Leads(scenarioURL(sc, ""))
	page(t, r, "/scenarios").Lacks(".card-link")
	page(t, r, "/scenarios?vue=archives").Says(".card-link strong", "Plan blanc")
	page(t, r, scenarioURL(sc, "")).Says(".message", "archivé").Says("button", "Remettre en service")
}

func TestLibraryIsReadThenCopied(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	r := h.author(access.Administrator)
	page(t, r, "/scenarios/bibliotheque").Count(".card-link", 12).Lacks(".badge")
	page(t, r, "/scenarios/bibliotheque/modele/plan_blanc").Says("h1", "Plan blanc").Has(".wave-line").Has(".preview-sms").Has(".preview-email").Lacks(".summary")
	copied := uitest.Post(t, r, "/scenarios/bibliotheque/modele/plan_blanc", nil)
	own, err := h.Scenarios(t.Context(), h.scope(access.Administrator), alerting.ScenarioFilter{})
	if err != nil || len(own) != 1 || own[0].Library != "plan_blanc" {
		t.Fatalf("after a copy: %+v, %v", own, err)
	}
	copied.Leads(scenarioURL(own[0], ""))
	page(t, r, "/scenarios/bibliotheque").Count(".badge", 1)
	uitest.Get(t, r, "/scenarios/bibliotheque/modele/inconnu").Want(http.StatusNotFound)
}

func TestReadingPageSaysAllOfAScenario(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	sc := h.scenario(recall())
	read := page(t, h.author(access.Administrator, access.Launcher), scenarioURL(sc, ""))
	read.Says("h1", "Plan blanc").Says(".wave-list li", "Anesthésie").Says(".wave-list", "10 min après le déclenchement, s’il manque encore du monde")
	read.Says(".wave-list", "SMS, puis e-mail après 5 min sans réponse").Says(".preview-sms .preview-body", "alert fr [Où ?]").Says("section", "ARS")
	read.Says("table", "Infirmier").Says("table", "Version 1").Has(`a[href="` + launchURL(sc, "") + `"]`)
	page(t, h.author(access.Reader), scenarioURL(sc, "")).Lacks("form[action$=archiver]").Lacks(`a[href$="/modifier/presentation"]`)
}
