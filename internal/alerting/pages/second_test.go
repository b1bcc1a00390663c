package pages_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// colleague is the house as another launcher sees it.
func (h *hospital) colleague() *ui.Router {
	h.t.Helper()
	actor := access.Actor{Kind: access.Person, ID: uuid.MustParse("0198e0a0-0000-7000-8000-00000000000b"), Name: "Sacha Second"}
	return h.asVisitor(ui.Visitor{
		Scope: access.For(h.house.ID, actor, true, access.Launcher), Name: actor.Name, Establishment: ui.Establishment{ID: h.house.ID, Name: h.house.Name},
	})
}

// asked launches above the threshold and gives the page of the request.
func asked(t *testing.T, h *hospital, r http.Handler, sc alerting.Scenario) string {
	t.Helper()
	sheet := page(t, r, launchURL(sc, "?mode=exercice&v-lieu=hall")).Says(".message", "une seconde personne devra confirmer")
	to := uitest.Post(t, r, launchURL(sc, ""), hiddenFields(sheet, "exercice")).Want(http.StatusSeeOther).Header.Get("Location")
	if !strings.HasPrefix(to, "/demandes/") {
		t.Fatalf("a launch above the threshold leads to %s", to)
	}
	if active, err := h.Active(t.Context(), h.scope(access.Launcher)); err != nil || len(active) != 0 {
		t.Fatalf("it left alone: %v, %v", active, err)
	}
	return to
}

func (h *hospital) govern(above int) {
	h.t.Helper()
	must(h.t, h.SetGovernance(h.t.Context(), h.scope(access.Administrator), h.clock.Now(), alerting.Governance{SecondAbove: above, KeepDays: 365}))
}

func TestASecondPersonConfirmsInThePages(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	h.govern(1)
	sc := h.scenario(recall())
	first, second := h.as(access.Launcher), h.colleague()
	to := asked(t, h, first, sc)

	page(t, first, to).Says(".message", "Personne n’a donné d’adresse").Has("form[action$='/passer-outre'] [name=reason]").Lacks("#confirmer").Has("[hx-trigger='every 3s']")
	page(t, first, "/alertes").Value("#en-attente ~ .card-grid .card-link", "href", to)
	page(t, second, "/alertes/declencher").Says(".banner", "À CONFIRMER").Value(".banner-link", "href", to)
	page(t, second, to).Says(".message", "Camille Martin attend votre accord").Says(".preview-sms .preview-body", "EXERCICE - alert fr hall").Lacks("form[action$='/passer-outre']")
	uitest.Post(t, first, to+"/confirmer", []string{"mot", "exercice"}).Want(http.StatusConflict).Says("[role=alert], .summary", "autre personne")
	uitest.Post(t, second, to+"/confirmer", []string{"mot", "réel"}).Want(http.StatusUnprocessableEntity).Has(".hold .error")
	done := uitest.Post(t, second, to+"/confirmer", []string{"mot", "exercice"}).Want(http.StatusSeeOther)
	active, err := h.Active(t.Context(), h.scope(access.Launcher))
	if err != nil || len(active) != 1 || active[0].LaunchedBy != "Camille Martin" {
		t.Fatalf("active: %+v, %v", active, err)
	}
	done.Leads(path(active[0], ""))
	page(t, first, to).Says(".message", "confirmée, par Sacha Second").Value(".actions .button", "href", path(active[0], "")).Lacks("form[action$='/passer-outre']")
	moved := uitest.Get(t, first, to, uitest.With("HX-Request", "true"))
	if moved.Header.Get("HX-Redirect") != to {
		t.Errorf("the page that waited is not read anew: %d %v", moved.Status, moved.Header)
	}
}

func TestNobodyAnswersInThePages(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	h.govern(1)
	sc := h.scenario(recall())
	first := h.as(access.Launcher)
	to := asked(t, h, first, sc)
	uitest.Post(t, first, to+"/passer-outre", []string{"reason", "personne ne répond"}).Want(http.StatusConflict).Whole().Says(".summary", "Attendez encore").Value("[name=reason]", "value", "personne ne répond")
	h.clock.Advance(alerting.SecondWait)
	uitest.Post(t, first, to+"/passer-outre", []string{"reason", " "}).Want(http.StatusUnprocessableEntity).Whole().Has(".field.wrong [name=reason]")
	uitest.Post(t, h.colleague(), to+"/passer-outre", []string{"reason", "à sa place"}).Want(http.StatusConflict)
	uitest.Post(t, first, to+"/passer-outre", []string{"reason", "personne ne répond"}).Want(http.StatusSeeOther)
	page(t, first, to).Says("main", "Raison donnée : personne ne répond")
}

func TestARequestIsRefusedOrDroppedInThePages(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	h.govern(1)
	sc := h.scenario(recall())
	first, second := h.as(access.Launcher), h.colleague()
	to := asked(t, h, first, sc)
	uitest.Post(t, second, to+"/refuser", nil).Want(http.StatusUnprocessableEntity).Whole().Has("details[open] .field.wrong [name=reason]")
	uitest.Post(t, second, to+"/refuser", []string{"reason", "fausse alerte"}).Want(http.StatusSeeOther).Leads("/alertes")
	page(t, first, to).Says(".message", "refusée, par Sacha Second").Says("main", "fausse alerte")
	uitest.Post(t, second, to+"/confirmer", []string{"mot", "exercice"}).Want(http.StatusConflict)

	again := asked(t, h, first, sc)
	uitest.Post(t, first, again+"/refuser", nil).Want(http.StatusSeeOther)
	lapsed := asked(t, h, first, sc)
	h.clock.Advance(alerting.RequestLife + time.Second)
	page(t, second, lapsed).Says(".message", "périmée").Lacks("#confirmer")
	page(t, h.as(access.Reader), lapsed).Lacks("form[action^='/demandes/']")
}

func TestRulesOfAlertsAreSetByTheAdministrator(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	admin := h.as(access.Administrator)
	page(t, admin, "/administration/alertes").Value("[name=second]", "value", "0").Value("[name=keep]", "value", "365")
	uitest.Get(t, h.as(access.Launcher), "/administration/alertes").Want(http.StatusForbidden)
	uitest.Post(t, admin, "/administration/alertes", []string{"second", "12", "keep", "3"}).Want(http.StatusUnprocessableEntity).Whole().Has(".field.wrong [name=keep]").Value("[name=second]", "value", "12")
	uitest.Post(t, admin, "/administration/alertes", []string{"second", "1", "keep", "90", "roads.fr", strings.Repeat("a", 301)}).Want(http.StatusUnprocessableEntity).Has(".field.wrong [name='roads.fr']")
	uitest.Post(t, admin, "/administration/alertes", []string{"second", "200", "keep", "90", "entrance.fr", "Porte B"}).Want(http.StatusSeeOther)
	g, err := h.Governance(t.Context(), h.scope(access.Administrator))
	if err != nil || g.SecondAbove != 200 || g.KeepDays != 90 || g.Recall.Entrance["fr"] != "Porte B" {
		t.Errorf("rules %+v, %v", g, err)
	}
}
