package pages_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/ui/uitest"
)

// sendJSON is what the script of the passkey button sends.
func (s *site) sendJSON(path string, body []byte, want int) map[string]any {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range s.jar {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.router.ServeHTTP(w, r)
	s.keep(uitest.Parse(s.t, w.Code, w.Header(), bytes.NewReader(w.Body.Bytes())))
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != want {
		s.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return out
}

func TestPasskeyPages(t *testing.T) {
	s := newSite(t)
	ana := s.house.Person(t, s.house.Establishment(t, "CH Nord"), "ana@ch.example", access.Launcher)
	s.as(ana)
	key := identitytest.NewKey(t)
	made := key.Register(t, s.sendJSON("/compte/cle-acces/debut", []byte(`{"nom":"Téléphone de garde"}`), 200))
	if got := s.sendJSON("/compte/cle-acces/fin", made, 200)["redirect"]; got != "/compte/codes-de-secours" && got != "/compte/second-facteur" {
		t.Errorf("leads to %v", got)
	}
	s.get("/compte/second-facteur").Want(200).Whole().Says("td", "Téléphone de garde")
	s.sendJSON("/compte/cle-acces/fin", made, 422)
	s.post("/deconnexion").Leads("/connexion")

	s.get("/connexion?suite=/annuaire").Has("[data-passkey=login][data-finish='/connexion/cle-acces/fin?suite=%2Fannuaire']")
	answer := key.SignIn(t, s.sendJSON("/connexion/cle-acces/debut", []byte(`{}`), 200))
	if got := s.sendJSON("/connexion/cle-acces/fin?suite=%2Fannuaire", answer, 200)["redirect"]; got != "/annuaire" {
		t.Errorf("leads to %v", got)
	}
	s.get("/annuaire").Want(200)
	s.post("/deconnexion").Leads("/connexion")

	answer = key.SignIn(t, s.sendJSON("/connexion/cle-acces/debut", []byte(`{}`), 200))
	if got := s.sendJSON("/connexion/cle-acces/fin?suite=https%3A%2F%2Fevil.example", answer, 200)["redirect"]; got != "/" {
		t.Errorf("leads to %v", got)
	}
	s.get("/compte").Says("#sessions .badge", "Cette session")
	s.post("/deconnexion")
	s.sendJSON("/connexion/cle-acces/fin", answer, 422) // replayed
	s.sendJSON("/compte/cle-acces/debut", []byte(`{}`), 401)
}
