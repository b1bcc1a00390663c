package stories_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/ui/uitest"
)

// Two people see the same accident and press at the same instant, each of them
// several times: there is one alert, everybody is led to it, each telephone
// rings once.
func TestTwoLaunchAtOnceIsOneAlert(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		agents := []directory.Person{h.agent("Un", "ide"), h.agent("Deux", "ide"), h.agent("Trois", "ide")}
		sc := h.scenario(recall())
		var presses []*http.Request
		for _, login := range []string{"garde@valbrume.example", "cadre@valbrume.example"} {
			who := identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), login, access.Launcher)
			path := "/alertes/declencher/scenario/" + sc.ID.String()
			sheet := uitest.Get(t, h.router, path+"?etape=fiche&mode=reel&v-lieu=aux+urgences&ordre=Dr+Ordre", uitest.Cookie(who.SecureCookie())).Want(http.StatusOK)
			form := url.Values{"mot": {"RÉEL"}}
			for _, n := range sheet.Find(".launch-now input[type=hidden]") {
				form.Add(uitest.Attribute(n, "name"), uitest.Attribute(n, "value"))
			}
			for range 3 {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				r.AddCookie(who.SecureCookie())
				presses = append(presses, r)
			}
		}
		answers := make([]*httptest.ResponseRecorder, len(presses))
		var all sync.WaitGroup
		for i, r := range presses {
			answers[i] = httptest.NewRecorder()
			all.Go(func() { h.router.ServeHTTP(answers[i], r) })
		}
		all.Wait()
		h.settle()

		led := map[string]int{}
		for _, a := range answers {
			led[a.Header().Get("Location")]++
		}
		launches, err := h.Alerting.Launches(t.Context(), h.scope, alerting.Page{})
		if err != nil || len(launches) != 1 {
			t.Fatalf("%d alerts, want one: %v", len(launches), err)
		}
		if len(led) != 1 || led["/alertes/"+launches[0].ID.String()] != len(presses) {
			t.Errorf("people are led to %v", led)
		}
		for _, p := range agents {
			count(t, h.sms.received(mobile(p)), 1, "SMS to "+p.LastName)
		}
		events, err := h.Alerting.Timeline(t.Context(), h.scope, launches[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(events, func(e alerting.Event) bool { return e.Kind == alerting.EventTwin }) {
			t.Error("the timeline does not say that somebody else launched the same thing")
		}
	})
}
