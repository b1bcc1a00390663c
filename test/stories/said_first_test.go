package stories_test

import (
	"net/http"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/directory/proof"
	"tocsin/internal/hooks"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/ui/uitest"
)

// What decayed in the directory is said on the first page, in one line, to who
// may see the directory.
func TestTheFirstPageTellsWhatDecayed(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		h.crowd(6)
		admin := identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "admin@valbrume.example", access.Administrator, access.DirectoryManager)
		home := func() *uitest.Page {
			t.Helper()
			return uitest.Get(t, h.router, "/alertes", uitest.Cookie(admin.SecureCookie())).Want(http.StatusOK)
		}
		home().Lacks("main .message")
		if err := h.Proof.SetThresholds(t.Context(), admin.Scope, proof.Thresholds{Share: 60, Months: 3, Failures: 2}); err != nil {
			t.Fatal(err)
		}
		if err := h.Directory.RefreshQuality(t.Context(), access.Instance("story")); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Proof.Watch(t.Context(), h.now().Add(7*time.Hour)); err != nil {
			t.Fatal(err)
		}
		home().Count("main .message", 1).Says("main .message", "Annuaire")
	})
}

// Before a liaison is removed, a page says what goes with it and how much; it
// works without script.
func TestALiaisonSaysWhatGoesWithIt(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		admin := identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "admin@valbrume.example", access.Administrator)
		cookie := uitest.Cookie(admin.SecureCookie())
		s, _, err := h.Hooks.Subscribe(t.Context(), admin.Scope, h.now(), hooks.SubscriptionInput{
			Name: "Tableau de bord", URL: "https://tableau.example/tocsin", Events: []hooks.Kind{hooks.Launched, hooks.Ended},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.agent("Un", "ide")
		h.launch(recall()) // nobody carries the news yet: it waits
		path := "/administration/liaisons/" + s.ID.String()
		uitest.Get(t, h.router, path, cookie).Want(http.StatusOK).Has(`a[href="` + path + `/supprimer"]`)
		page := uitest.Get(t, h.router, path+"/supprimer", cookie).Want(http.StatusOK)
		page.Says("main", "tableau.example").Says("main", "Un message qui attend").Has("form[method=post] button").Has(`a[href="` + path + `"]`)
		if list, err := h.Hooks.Subscriptions(t.Context(), admin.Scope); err != nil || len(list) != 1 {
			t.Errorf("reading the page removed it: %v, %v", list, err)
		}
		uitest.Post(t, h.router, path+"/supprimer", nil, cookie).Want(http.StatusSeeOther)
		uitest.Get(t, h.router, path+"/supprimer", cookie).Want(http.StatusNotFound)
	})
}
