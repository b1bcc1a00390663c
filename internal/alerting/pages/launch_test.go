package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/ui/uitest"
)

func launchURL(sc alerting.Scenario, query string) string {
	return "/alertes/declencher/scenario/" + sc.ID.String() + query
}

// hiddenFields are what the sheet would post, and the word typed by hand.
func hiddenFields(p *uitest.Page, word string) []string {
	out := []string{"mot", word}
	for _, n := range p.Find(".launch-now input[type=hidden]") {
		out = append(out, uitest.Attribute(n, "name"), uitest.Attribute(n, "value"))
	}
	return out
}

func TestFromCardsToAlertWithoutScript(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Muet", "ide", func(p *directory.Person) { p.Contacts = nil })
	sc := h.scenario(recall())
	r := h.as(access.Launcher)

	page(t, r, "/alertes/declencher").Says(".card-link strong", "Plan blanc").Says("h2", "Faire venir des renforts").Value(".card-link", "href", launchURL(sc, ""))
	page(t, r, launchURL(sc, "")).Count(".mode-button", 3).Lacks("[name=mode][checked]").Has("[name=v-lieu]")

	sheet := page(t, r, launchURL(sc, "?etape=fiche&v-lieu=hall+A&ordre=Dr+Ordre&mode=exercice"))
	sheet.Says(".mode-band.mode-exercice", "EXERCICE").Says(".preview-sms .preview-body", "EXERCICE - alert fr hall A").Has(".preview-email")
	sheet.Says(".stat-value", "1").Says("#non-joints summary", "1 personne ne sera pas appelée").Says("#non-joints td", "Aucune coordonnée utilisable").Says("#non-joints th", "Muet Camille")
	sheet.Says(".launch-now .lead", "Ordonné par Dr Ordre, déclenché par Camille Martin").Says("section", "ARS").Lacks(".mode-reel")

	refused := uitest.Post(t, r, launchURL(sc, ""), hiddenFields(sheet, "réel")).Want(http.StatusUnprocessableEntity).Whole()
	refused.Says(".hold .error", "EXERCICE").Says(".mode-band", "EXERCICE")
	if active, err := h.Active(t.Context(), h.scope(access.Launcher)); err != nil || len(active) != 0 {
		t.Fatalf("a wrong word launched %v, %v", active, err)
	}

	done := uitest.Post(t, r, launchURL(sc, ""), hiddenFields(sheet, "exercice"))
	active, err := h.Active(t.Context(), h.scope(access.Launcher))
	if err != nil || len(active) != 1 || active[0].Mode != alerting.Exercise || active[0].OrderedBy != "Dr Ordre" {
		t.Fatalf("active: %+v, %v", active, err)
	}
	done.Leads(path(active[0], ""))
}

func TestDoubleClickIsOneAlertAndSaysSo(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	sc := h.scenario(recall())
	r := h.as(access.Launcher)
	fields := hiddenFields(page(t, r, launchURL(sc, "?mode=reel&v-lieu=hall")), "REEL")
	first := uitest.Post(t, r, launchURL(sc, ""), fields)
	second := uitest.Post(t, r, launchURL(sc, ""), fields)
	if a, b := first.Header.Get("Location"), second.Header.Get("Location"); a != b || !strings.HasPrefix(a, "/alertes/") {
		t.Fatalf("two presses lead to %q and %q", a, b)
	}
	told := uitest.Get(t, r, second.Header.Get("Location"), uitest.Cookie(second.Cookies()[0])).Want(http.StatusOK).Whole()
	told.Says("#notices", "déjà partie à 03:00").Says("#notices", "Camille Martin").Says(".mode-band strong", "RÉEL")
}

func TestNothingIsChosenForTheLauncher(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	sc := h.scenario(recall())
	r := h.as(access.Launcher)
	tests := []struct{ name, query, at, says string }{
		{"Enter in a field", "?etape=fiche&v-lieu=hall", "#f-mode .error", "RÉEL, EXERCICE ou TEST"},
		{"a mode nobody knows", "?etape=fiche&v-lieu=hall&mode=vrai", "#f-mode .error", "RÉEL, EXERCICE ou TEST"},
		{"a blank left empty", "?etape=fiche&mode=reel", ".field.wrong .error", "« Où ? » doit être rempli"},
		{"a brace", "?etape=fiche&mode=reel&v-lieu=%7Bx%7D", ".field.wrong .error", "accolade"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			uitest.Get(t, r, launchURL(sc, tt.query)).Whole().Says(tt.at, tt.says).Lacks(".launch-now")
		})
	}
	uitest.Post(t, r, launchURL(sc, ""), []string{"v-lieu", "hall", "mot", "RÉEL"}).Want(http.StatusUnprocessableEntity).Has("#f-mode .error")
}

// An exercise that runs must not make anybody believe that the real alert has
// left; and nobody trains in the middle of a real one unawares.
func TestSheetTellsAnExerciseThatRunsFromTheRealThing(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	sc := h.scenario(recall())
	r := h.as(access.Launcher)
	launch := func(mode, word string) {
		uitest.Post(t, r, launchURL(sc, ""), hiddenFields(page(t, r, launchURL(sc, "?mode="+mode+"&v-lieu=hall")), word)).Want(http.StatusSeeOther)
	}
	launch("exercice", "EXERCICE")
	page(t, r, launchURL(sc, "?mode=reel&v-lieu=nord")).Says(".message", "Un EXERCICE de ce scénario court depuis 03:00").Says(".message", "il partira")
	page(t, r, launchURL(sc, "?mode=exercice&v-lieu=nord")).Says(".message", "Ce scénario court déjà")
	launch("reel", "RÉEL")
	page(t, r, launchURL(sc, "?mode=test&v-lieu=nord")).Says(".message", "court EN RÉEL depuis 03:00")
}

func TestSheetThatChangedIsReadAgain(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	sc := h.scenario(recall())
	r := h.as(access.Launcher)
	fields := hiddenFields(page(t, r, launchURL(sc, "?mode=reel&v-lieu=hall")), "RÉEL")
	def := recall(func(d *alerting.Definition) { d.Messages[0].Body = "autre {lieu}. {lien}" })
	if _, err := h.SaveScenario(t.Context(), h.scope(access.Launcher), h.clock.Now(), sc.ID, sc.Version, def); err != nil {
		t.Fatal(err)
	}
	again := uitest.Post(t, r, launchURL(sc, ""), fields).Want(http.StatusConflict).Whole().Has(".summary").Says(".preview-sms", "autre hall")
	uitest.Post(t, r, launchURL(sc, ""), hiddenFields(again, "RÉEL")).Want(http.StatusSeeOther)
}

func TestWhoMayLaunch(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	sc := h.scenario(recall())
	for _, role := range []access.Role{access.Administrator, access.CrisisCell, access.DirectoryManager, access.Reader, access.Auditor} {
		r := h.as(role)
		for _, p := range []string{"/alertes/declencher", "/alertes/improviser", launchURL(sc, "?mode=reel&v-lieu=x")} {
			uitest.Get(t, r, p).Want(http.StatusForbidden)
		}
		uitest.Post(t, r, launchURL(sc, ""), []string{"mode", "reel", "v-lieu", "x", "mot", "RÉEL", "cle", "0123456789"}).Want(http.StatusForbidden)
	}
	if active, err := h.Active(t.Context(), h.scope(access.Launcher)); err != nil || len(active) != 0 {
		t.Fatalf("launched all the same: %v, %v", active, err)
	}
}

func TestImproviseFromBlankSheet(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Bloc", "ibode", func(p *directory.Person) { p.Service = h.bloc.ID })
	r := h.as(access.Launcher)
	page(t, r, "/alertes/improviser").Has("textarea[name=texte]").Has("[name=service]").Lacks("[name=mode][checked]")
	uitest.Post(t, r, "/alertes/improviser", []string{"texte", "", "mode", "reel"}).Want(http.StatusUnprocessableEntity).Whole().Has(".field.wrong textarea")
	uitest.Post(t, r, "/alertes/improviser", []string{"texte", "Fuite d'eau au bloc"}).Want(http.StatusUnprocessableEntity).Has("#f-mode .error").Says("textarea", "Fuite d'eau")
	to := uitest.Post(t, r, "/alertes/improviser", []string{
		"texte", "Fuite d'eau au bloc, venez aider", "profil", "rappel", "reponse", "oui",
		"service", h.bloc.ID.String(), "mode", "exercice", "ordre", "Dr B",
	}).Want(http.StatusSeeOther).Header.Get("Location")
	sheet := page(t, r, to).Says("h1", "Fuite d'eau au bloc").Says(".preview-sms .preview-body", "EXERCICE - Fuite d'eau").Says(".launch-now", "1 personne va être appelée")
	uitest.Post(t, r, strings.Split(to, "?")[0], hiddenFields(sheet, "exercice")).Want(http.StatusSeeOther)
}
