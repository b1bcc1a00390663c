package pages_test

import (
	"net/http"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/pages"
	"tocsin/internal/ui/uitest"
)

// A test is planned by the form, shown with its dates, leaves, says what a service
// answered, and is stopped; whoever may not launch only reads.
func TestScheduledTestsFromTheFormToTheProof(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Martin", "iade")
	sc := h.scenario(recall(func(d *alerting.Definition) {
		for i := range d.Variables {
			d.Variables[i].Default = alerting.Localized{"fr": "hall", "en": "hall"}
		}
	}))
	r, reader := h.author(access.Launcher), h.author(access.Reader)
	url := pages.SchedulesPath
	page(t, r, pages.ScenariosPath).Has(`a[href="` + url + `"]`)
	page(t, r, url).Says(".empty-title", "Aucun test").Has("details[open] form.form").Lacks("[style]")
	uitest.Post(t, r, url, []string{"scenario", sc.ID.String(), "mode", "reel", "every", "monthly", "day", "1", "hour", "10:00", "late", "30", "lasts", "2"}).Want(http.StatusUnprocessableEntity)
	uitest.Post(t, r, url, []string{"scenario", sc.ID.String(), "mode", "test", "every", "once", "on", "2001-01-01", "hour", "10:00", "late", "30", "lasts", "2"}).Want(http.StatusUnprocessableEntity)
	uitest.Post(t, reader, url, []string{"scenario", sc.ID.String()}).Want(http.StatusForbidden)
	uitest.Post(t, r, url, []string{"scenario", sc.ID.String(), "mode", "test", "every", "monthly", "day", "1", "hour", "10:00", "working", "oui", "late", "30", "lasts", "2"}).Leads(url)
	page(t, r, url).Says("main", "TEST").Says("main", "ou le jour ouvré suivant").Says("main", "Prochains départs").Has(`form[action$="/arret"]`)
	list, err := h.Schedules(t.Context(), h.scope(access.Launcher))
	if err != nil || len(list) != 1 || len(list[0].Dates) != 3 {
		t.Fatalf("%+v %v", list, err)
	}
	if _, err := h.RunSchedules(t.Context(), list[0].Next.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	page(t, reader, url).Says("main", "Partie").Says("main table caption", "Qui a répondu").Has(`a[href^="/alertes/"]`).Has(`a[href="` + pages.QualityLink + `"]`).Lacks("form.form").Lacks(`form[action$="/arret"]`)
	uitest.Post(t, r, url+"/arret", []string{"planifie", "rien"}).Want(http.StatusNotFound)
	uitest.Post(t, r, url+"/arret", []string{"planifie", list[0].ID.String()}).Leads(url)
	page(t, r, url).Says(".empty-title", "Aucun test")
}
