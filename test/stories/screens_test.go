package stories_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/organisation"
	"tocsin/internal/screens"
	screenpages "tocsin/internal/screens/pages"
)

// wall is a browser on a wall: it keeps one cookie, and asks one node.
type wall struct {
	h      *hospital
	cookie *http.Cookie
}

func (w *wall) ask(path string) *httptest.ResponseRecorder {
	w.h.t.Helper()
	req := httptest.NewRequestWithContext(w.h.t.Context(), http.MethodGet, path, nil)
	if w.cookie != nil {
		req.AddCookie(w.cookie)
	}
	a := httptest.NewRecorder()
	w.h.router.ServeHTTP(connection{a}, req)
	for _, c := range a.Result().Cookies() {
		w.cookie = c
	}
	return a
}

var digits = regexp.MustCompile(`sign-digits">([0-9A-Z]{4} [0-9A-Z]{4})<`)

func (w *wall) code() string {
	w.h.t.Helper()
	found := digits.FindStringSubmatch(w.ask(screenpages.WallPath).Body.String())
	if found == nil {
		w.h.t.Fatal("the screen shows no code")
	}
	return found[1]
}

// hung pairs a screen of a place.
func (h *hospital) hung(name string, place uuid.UUID) (*wall, screens.Screen) {
	h.t.Helper()
	w := &wall{h: h}
	s, err := h.Screens.Pair(h.t.Context(), h.admin(), screens.Wanted{Code: strings.ToLower(w.code()), Name: name, Place: place})
	if err != nil {
		h.t.Fatal(err)
	}
	if a := w.ask(screenpages.WallPath); a.Code != http.StatusOK || !strings.Contains(a.Body.String(), name) {
		h.t.Fatalf("the screen is not paired: %d", a.Code)
	}
	return w, s
}

// A screen shows an alert of its place while it runs, says that it does, goes
// dark when it ends or is killed, and shows nothing once it was taken back.
func TestAScreenShowsWhatRuns(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		system := access.System(h.scope.Organisation(), "story")
		north, err := h.Houses.AddNode(t.Context(), system, organisation.Node{Kind: organisation.Site, Name: "Site Nord"}, uuid.Nil)
		if err != nil {
			t.Fatal(err)
		}
		south, err := h.Houses.AddNode(t.Context(), system, organisation.Node{Kind: organisation.Site, Name: "Site Sud"}, uuid.Nil)
		if err != nil {
			t.Fatal(err)
		}
		h.agent("Un", "ide")
		here, hung := h.hung("Couloir réanimation", north.ID)
		there, _ := h.hung("Hall sud", south.ID)
		shows := func(w *wall) bool {
			return strings.Contains(w.ask(screenpages.WallPath+"/etat").Body.String(), "sign-message")
		}
		if shows(here) {
			t.Error("a screen without an alert is not calm")
		}
		d := recall()
		d.Screens = alerting.Screens{Show: true, Places: []uuid.UUID{north.ID}}
		l := h.launch(d)
		text := here.ask(screenpages.WallPath + "/etat").Body.String()
		if !strings.Contains(text, l.ID.String()) || strings.Contains(text, "/r/") || strings.Contains(text, "{lien}") || !strings.Contains(text, "sécurité incendie") {
			t.Errorf("the screen shows %s", text)
		}
		if shows(there) {
			t.Error("a screen of another site shows it")
		}
		state := func() screens.Standing {
			t.Helper()
			list, _, err := h.Screens.Screens(t.Context(), h.admin(), "fr")
			if err != nil || len(list) != 2 {
				t.Fatalf("%d screens, %v", len(list), err)
			}
			return list[0]
		}
		if x := state(); x.Missing() != 1 {
			t.Errorf("nobody said that it is shown: %+v", x)
		}
		here.ask(screenpages.WallPath + "/etat?v=1.2.3&vu=" + l.ID.String() + "+nonsense")
		if x := state(); x.Missing() != 0 || x.Version != "1.2.3" || x.Silent(h.now()) {
			t.Errorf("the screen says that it shows it: %+v", x)
		}
		h.clock.Advance(time.Minute)
		if x := state(); !x.Silent(h.now()) {
			t.Error("a silent screen is not seen")
		}

		// Another node answers the same, and so does this one after a restart.
		h.restart()
		if !shows(here) {
			t.Error("after the restart the screen is dark")
		}
		if err := h.Alerting.Kill(t.Context(), h.scope, h.now(), l.ID, "essai"); err != nil {
			t.Fatal(err)
		}
		if shows(here) {
			t.Error("what was stopped is still on the screen")
		}
		h.clock.Advance(time.Hour)
		d.Title = alerting.Localized{"fr": "Encore", "en": "Again"}
		d.Screens.Places = nil
		again := h.launch(d)
		if !shows(here) || !shows(there) {
			t.Error("an alert for every screen is not on both")
		}
		if err := h.Alerting.End(t.Context(), h.scope, h.now(), again.ID, nil); err != nil {
			t.Fatal(err)
		}
		if shows(here) || shows(there) {
			t.Error("what has ended is still on a screen")
		}
		if err := h.Screens.Remove(t.Context(), h.establishment2(), hung.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment takes the screen back: %v", err)
		}
		if err := h.Screens.Remove(t.Context(), h.admin(), hung.ID); err != nil {
			t.Fatal(err)
		}
		if a := here.ask(screenpages.WallPath + "/etat"); a.Code != http.StatusUnauthorized {
			t.Errorf("a screen that was taken back reads %d", a.Code)
		}
		if here.code() == "" {
			t.Error("it does not show a code again")
		}
	})
}

// establishment2 is the administrator of another establishment.
func (h *hospital) establishment2() access.Scope {
	return access.For(h.establishment("CH du Parc", "parc").Organisation(), access.Actor{Kind: access.Person, Name: "Autre"}, true, access.Administrator)
}

// A code that nobody shows pairs nothing, one that was shown an hour ago neither,
// and of two browsers only the one that shows it becomes the screen.
func TestACodeIsThatOfOneScreen(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		for typed, field := range map[string]string{"": "code", "AAAA": "code", "K4F7 2M9P 0000": "code", "'; DROP TABLE": "code"} {
			_, err := h.Screens.Pair(t.Context(), h.admin(), screens.Wanted{Code: typed, Name: "Hall"})
			if f := fault.As(err); f == nil || f.Field != field {
				t.Errorf("%q: %v", typed, err)
			}
		}
		reader := access.For(h.scope.Organisation(), access.Actor{Kind: access.Person, Name: "Lecteur"}, true, access.Reader)
		if _, err := h.Screens.Pair(t.Context(), reader, screens.Wanted{Code: "K4F7 2M9P", Name: "Hall"}); !fault.Is(err, fault.Denied) {
			t.Errorf("a reader pairs: %v", err)
		}
		if _, err := h.Screens.Pair(t.Context(), h.admin(), screens.Wanted{Code: "K4F7 2M9P", Name: "Hall", Place: uuid.New()}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a place that is not ours: %v", err)
		}
		mine, other := &wall{h: h}, &wall{h: h}
		code := mine.code()
		if other.code() == code {
			t.Fatal("two browsers show the same code")
		}
		if _, err := h.Screens.Pair(t.Context(), h.admin(), screens.Wanted{Code: code, Name: "Hall"}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Screens.Pair(t.Context(), h.admin(), screens.Wanted{Code: code, Name: "Hall bis"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("the same code twice: %v", err)
		}
		if a := other.ask(screenpages.WallPath + "/etat"); a.Code != http.StatusUnauthorized {
			t.Errorf("another browser became the screen: %d", a.Code)
		}
		h.clock.Advance(screens.CodeLife + time.Second)
		if a := mine.ask(screenpages.WallPath + "/etat"); a.Code != http.StatusUnauthorized {
			t.Errorf("a code of before: %d", a.Code)
		}
	})
}

// Codes typed at random are few: each waits until it is over, on whichever node.
func TestCodesOfScreensAreNotTriedForEver(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		typed := 0
		for ; typed < 30; typed++ {
			_, err := h.Screens.Pair(t.Context(), h.admin(), screens.Wanted{Code: fmt.Sprintf("0000%04d", typed), Name: "Au hasard"})
			if fault.Is(err, fault.TooMany) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if typed != 20 {
			t.Errorf("%d codes were tried", typed)
		}
		h.clock.Advance(screens.CodeLife + time.Second)
		h.hung("Couloir", uuid.Nil)
	})
}

// With the profile discret nothing lights up, whatever the scenario says, and the
// scenario is told so before it is launched.
func TestAScreenStaysDarkForADiscreetAlert(t *testing.T) {
	d := recall()
	d.Profile, d.Screens = alerting.Discret, alerting.Screens{Show: true}
	said := false
	for _, err := range d.Check() {
		if f := fault.As(err); f != nil && f.Field == "screens.show" {
			said = true
		}
	}
	if !said {
		t.Error("the scenario is not told")
	}
}
