package pages_test

import (
	"fmt"
	"net/http"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/clock"
	"tocsin/internal/ui/uitest"
)

// From nothing, by the form, to the curves: without any script.
func TestRehearsalFromTheFormToTheCurves(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	for i := range 12 {
		h.agent(fmt.Sprintf("Agent%d", i), "iade")
	}
	sc := h.scenario(recall())
	r := h.author(access.Launcher)
	url := scenarioURL(sc, "/repetition")
	page(t, r, scenarioURL(sc, "")).Has(`a[href="` + url + `"]`)
	page(t, r, url).Says(".empty-title", "jamais été répété").Has("form button").Says("main", "Rien ne part")
	uitest.Post(t, r, url, []string{"tirages", "3"}).Want(http.StatusUnprocessableEntity)
	uitest.Post(t, r, url, []string{"quand", "demain"}).Want(http.StatusUnprocessableEntity)
	uitest.Post(t, r, url, []string{"tirages", "50"}).Leads(url)
	page(t, r, url).Has("progress").Says("main", "Vous pouvez quitter cette page").Lacks("form.form")
	if _, err := h.RehearsalTask(clock.NewFake(night())).Run(t.Context(), night()); err != nil {
		t.Fatal(err)
	}
	done := page(t, r, url).Has("svg.chart path.chart-area").Has("svg.chart title").Says("main", "12 personnes, 50 tirages").Says("main", "valeurs de départ").Has("form.form").Lacks("[style]")
	done.Says("details table caption", "Personnes jointes").Says(".message", "Rien ne freine").Says("main", "Un annuaire sans numéro mort")
	if moved := uitest.Get(t, r, url, uitest.With("HX-Request", "true")); moved.Header.Get("HX-Redirect") != url {
		t.Errorf("the page that waits is led to %q", moved.Header.Get("HX-Redirect"))
	}
	uitest.Get(t, r, url+"?repetition=00000000-0000-0000-0000-000000000001").Want(http.StatusNotFound)
	reader := h.author(access.Reader)
	page(t, reader, url).Has("svg.chart").Lacks("form.form")
	uitest.Post(t, reader, url, nil).Want(http.StatusForbidden)
	broken := h.scenario(recall(func(d *alerting.Definition) { d.Waves = nil }))
	page(t, r, scenarioURL(broken, "/repetition")).Says(".message", "défauts")
}
