package stories_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/identity/identitytest"
	identitypages "tocsin/internal/identity/pages"
	screenpages "tocsin/internal/screens/pages"
	spacepages "tocsin/internal/space/pages"
	"tocsin/internal/ui"
)

// TestEveryRouteAsEverybody walks every route of the house as each role, as
// nobody, as somebody who owes a second factor, and as the administrator of
// another establishment who knows every id of this one. Which role may do what is
// decided above the databases, and walked on the embedded one; on the other each
// route is tried by nobody and by the other establishment, and opened by one who may.
func TestEveryRouteAsEverybody(t *testing.T) {
	onEachDatabase(t, walkEverywhere)
}

func walkEverywhere(t *testing.T, database string) {
	w, whole := newWalk(t, database), database == "" || os.Getenv("TOCSIN_TEST_BOTH") != ""
	entries := w.journal()
	for _, r := range w.routes {
		w.foreign(r)
		if _, err := w.h.Accounts.Session(t.Context(), w.member.Token, identitytest.Here()); err != nil {
			t.Fatalf("%s %s by another establishment ended a session of this one: %v", r.Method, r.Pattern, err)
		}
		for _, v := range w.visitors() {
			if !w.may(v, r) && (whole || v.who == nil) {
				w.refused(r, v)
			}
		}
	}
	if n := w.journal(); n != entries {
		t.Errorf("people who may not wrote %d lines in the journal", n-entries)
	}
	// What may be done is done last: it changes what the walk walks on.
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, r := range w.routes {
			for _, v := range w.visitors() {
				if r.Method == method && w.may(v, r) {
					w.admitted(r, v)
					if !whole && v.who != nil {
						break
					}
				}
			}
		}
	}
}

// walker is somebody with a browser; who is nil for nobody.
type walker struct {
	name string
	who  *identitytest.Person
	// roles are given again when the walk closed the session.
	roles []access.Role
	// owes tells that a role asks for a second factor there is not.
	owes bool
	// elsewhere is the administrator of the other establishment.
	elsewhere bool
}

// visitors are the people of this establishment, and nobody.
func (w *walk) visitors() []*walker { return w.people }

// may is what the policies say of a need.
func (w *walk) may(v *walker, r ui.Route) bool {
	switch {
	case r.Need == ui.Public:
		return true
	case v.who == nil:
		return false
	case r.Need == ui.SignedIn:
		return true
	}
	return !v.owes && w.h.Guard.May(v.who.Scope, r.Need)
}

// refused checks that a route shuts its door.
func (w *walk) refused(r ui.Route, v *walker) {
	w.t.Helper()
	a := w.ask(r, v)
	to := a.Header().Get("Location")
	var ok bool
	switch {
	case v.who == nil:
		ok = a.Code == http.StatusSeeOther && strings.HasPrefix(to, identitypages.LoginPath)
	case v.owes:
		ok = a.Code == http.StatusForbidden || a.Code == http.StatusSeeOther && to == identitypages.SecondFactorPath
	default:
		ok = a.Code == http.StatusForbidden
	}
	if !ok {
		w.t.Errorf("%s %s needs %s; %s got %d %s", r.Method, r.Pattern, r.Need, v.name, a.Code, to)
	}
	w.silent(r, v, a)
}

// admitted checks that a route opens, and that a page which opens is there.
func (w *walk) admitted(r ui.Route, v *walker) {
	w.t.Helper()
	a := w.ask(r, v)
	to := a.Header().Get("Location")
	// What an agent reaches with his own telephone, or a screen, is shut to everybody else.
	ownTelephone := a.Code == http.StatusUnauthorized && (strings.HasPrefix(r.Pattern, spacepages.Path) || strings.HasPrefix(r.Pattern, screenpages.WallPath))
	shut := a.Code == http.StatusForbidden || a.Code == http.StatusUnauthorized && !ownTelephone || a.Code >= http.StatusInternalServerError
	if r.Method == http.MethodGet && r.Need != ui.Public && a.Code != http.StatusOK && a.Code != http.StatusSeeOther && a.Code != http.StatusConflict {
		shut = true
	}
	if r.Need != ui.Public && strings.HasPrefix(to, identitypages.LoginPath) {
		shut = true
	}
	if shut && !w.closer(r, a.Code) {
		w.t.Errorf("%s %s needs %s, which %s has; got %d %s", r.Method, r.Pattern, r.Need, v.name, a.Code, to)
	}
	w.enterAgain(v)
}

// closer tells what a page answers to somebody whom its need admits when it looks
// closer: a case of another kind, a request that one is no party to, a base of
// traces that this house has not.
func (w *walk) closer(r ui.Route, code int) bool {
	under := func(paths ...string) bool {
		return slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(r.Pattern, p) })
	}
	switch code {
	case http.StatusServiceUnavailable:
		return under("/traces/") && !w.h.Traces.Ready()
	case http.StatusNotFound:
		return under("/traces/demandes/", "/traces/alertes/")
	case http.StatusForbidden:
		return under("/traces/seuils/", "/traces/demandes/{id}/evenements/")
	}
	return false
}

// foreign checks that an id of this establishment is worth nothing elsewhere,
// and that no page of the other establishment says a word of ours.
func (w *walk) foreign(r ui.Route) {
	w.t.Helper()
	a := w.ask(r, w.other)
	if r.Need != ui.Public && w.ours(r) && a.Code != http.StatusNotFound && a.Code != http.StatusForbidden {
		w.t.Errorf("%s %s: another establishment got %d %s", r.Method, r.Pattern, a.Code, a.Header().Get("Location"))
	}
	if r.Need != ui.Public {
		w.silent(r, w.other, a)
	}
	w.enterAgain(w.other)
}

// silent checks that an answer names nothing of this establishment.
func (w *walk) silent(r ui.Route, v *walker, a *httptest.ResponseRecorder) {
	w.t.Helper()
	if v.who != nil && !v.elsewhere {
		return // people of the house see its name on every page
	}
	text := a.Body.String() + fmt.Sprint(a.Header())
	for _, name := range w.names {
		if strings.Contains(text, name) {
			w.t.Errorf("%s %s says %q to %s", r.Method, r.Pattern, name, v.name)
		}
	}
}

var parameter = regexp.MustCompile(`\{([a-z]+)\}`)

// ours tells whether a pattern carries an id that belongs to the establishment.
// Under /compte/ ids are one's own: another's is worth nothing and says so to nobody.
func (w *walk) ours(r ui.Route) bool {
	if strings.HasPrefix(r.Pattern, identitypages.AccountPath+"/") {
		return false
	}
	for _, m := range parameter.FindAllStringSubmatch(r.Pattern, -1) {
		switch {
		case slices.Contains([]string{"famille", "section", "cadre", "classe", "key", "type", "regle"}, m[1]):
		case m[1] == "ref" && !w.h.Traces.Ready(): // without a base there is no trace to name
		default:
			return true
		}
	}
	return false
}

// path is a route with the ids of this establishment.
func (w *walk) path(r ui.Route) string {
	pattern := strings.TrimSuffix(r.Pattern, "{$}")
	return parameter.ReplaceAllStringFunc(pattern, func(p string) string {
		for _, id := range w.ids {
			if strings.HasPrefix(pattern, id.under) && p == "{"+id.name+"}" {
				return id.value
			}
		}
		w.t.Fatalf("%s %s: the walk does not know what %s is", r.Method, r.Pattern, p)
		return ""
	})
}

// streamPatience ends the reading of a page that never ends.
const streamPatience = 300 * time.Millisecond

// ask sends one request: a form without a word in it, or with the ids of this
// establishment when it comes from the other one.
func (w *walk) ask(r ui.Route, v *walker) *httptest.ResponseRecorder {
	w.t.Helper()
	ctx, stop := w.t.Context(), context.CancelFunc(func() {})
	if strings.HasSuffix(r.Pattern, "/flux") {
		ctx, stop = context.WithTimeout(ctx, streamPatience)
	}
	defer stop()
	form := url.Values{}
	if v.elsewhere {
		form = w.stolen
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	req := httptest.NewRequestWithContext(ctx, method, w.path(r), strings.NewReader(form.Encode()))
	req.Header.Set("Accept-Language", "fr")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if v.who != nil {
		req.AddCookie(v.who.SecureCookie())
	}
	answer := httptest.NewRecorder()
	w.h.router.ServeHTTP(connection{answer}, req)
	return answer
}

// connection is a recorder that takes deadlines, as a real connection does.
type connection struct{ *httptest.ResponseRecorder }

// SetWriteDeadline and SetReadDeadline are what http.ResponseController looks for.
func (connection) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline takes any deadline.
func (connection) SetReadDeadline(time.Time) error { return nil }

// enterAgain signs somebody in whose session the walk has closed.
func (w *walk) enterAgain(v *walker) {
	w.t.Helper()
	if v.who == nil {
		return
	}
	if _, err := w.h.Accounts.Session(w.t.Context(), v.who.Token, identitytest.Here()); err == nil {
		return
	}
	organisation := v.who.Scope.Organisation()
	w.entered++
	login := fmt.Sprintf("retour%d@valbrume.example", w.entered)
	if v.owes {
		v.who = w.owing(login, v.roles...)
		return
	}
	v.who = identitytest.Join(w.t, w.h.Accounts, w.h.clock, organisation, login, v.roles...)
}
