package stories_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/space"
	spacepages "tocsin/internal/space/pages"
)

// pocket is the telephone of an agent: it keeps one cookie.
type pocket struct {
	h      *hospital
	cookie *http.Cookie
}

func (p *pocket) ask(method, path string, form url.Values) *httptest.ResponseRecorder {
	p.h.t.Helper()
	req := httptest.NewRequestWithContext(p.h.t.Context(), method, path, strings.NewReader(form.Encode()))
	req.Header.Set("Accept-Language", "fr")
	req.Header.Set("User-Agent", "Mozilla/5.0 (Linux; Android 13) Chrome/120.0 Mobile")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if p.cookie != nil {
		req.AddCookie(p.cookie)
	}
	answer := httptest.NewRecorder()
	p.h.router.ServeHTTP(connection{answer}, req)
	for _, c := range answer.Result().Cookies() {
		if strings.HasSuffix(c.Name, "tocsin_espace") {
			p.cookie = c
		}
	}
	return answer
}

// invited has an invitation sent to somebody and returns the path of its link.
func (h *hospital) invited(p directory.Person) string {
	h.t.Helper()
	before := len(h.sms.received(mobile(p)))
	if _, err := h.Space.Invite(h.t.Context(), h.scope, p.ID); err != nil {
		h.t.Fatal(err)
	}
	h.settle()
	all := h.sms.received(mobile(p))
	if len(all) != before+1 {
		h.t.Fatalf("%d messages, want one invitation more than %d", len(all), before)
	}
	link := all[before].Link
	if !strings.Contains(all[before].Text, link) {
		h.t.Errorf("the invitation says %q", all[before].Text)
	}
	return strings.TrimPrefix(link, identitytest.Origin().String())
}

// An agent receives a link by SMS, opens his space with it, sees the alert that
// calls him and answers. The link opens nothing twice, and his stolen telephone
// nothing at all once the directory took it back.
func TestTheSpaceOfAnAgent(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent, other := h.agent("Un", "ide"), h.agent("Deux", "ide")
		path := h.invited(agent)
		phone := &pocket{h: h}
		if a := phone.ask(http.MethodGet, spacepages.Path, nil); a.Code != http.StatusUnauthorized {
			t.Fatalf("a stranger sees %d", a.Code)
		}
		for range 2 { // previewers open links
			if a := phone.ask(http.MethodGet, path, nil); a.Code != http.StatusOK || phone.cookie != nil {
				t.Fatalf("the invitation: %d, %v", a.Code, phone.cookie)
			}
		}
		if a := phone.ask(http.MethodPost, path, url.Values{}); a.Code != http.StatusSeeOther || phone.cookie == nil {
			t.Fatalf("the button of the invitation: %d", a.Code)
		}
		if c := phone.cookie; !c.HttpOnly || !c.Secure || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("the cookie %+v", c)
		}
		thief := &pocket{h: h}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if a := thief.ask(method, path, url.Values{}); a.Code != http.StatusNotFound || thief.cookie != nil {
				t.Errorf("a second use of the link by %s: %d", method, a.Code)
			}
		}
		l := h.launch(recall())
		h.settle()
		page := phone.ask(http.MethodGet, spacepages.Path, nil)
		if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), `name="reponse" value="coming-30"`) {
			t.Fatalf("the alert is not there: %d", page.Code)
		}
		code := strings.TrimPrefix(h.sms.received(mobile(agent))[1].Link, identitytest.Origin().String()+"/r/")
		foreign := strings.TrimPrefix(h.sms.received(mobile(other))[0].Link, identitytest.Origin().String()+"/r/")
		if a := phone.ask(http.MethodPost, spacepages.Path+"/repondre", url.Values{"code": {foreign}, "reponse": {"coming-30"}}); a.Code != http.StatusNotFound {
			t.Errorf("answering for somebody else: %d", a.Code)
		}

		// Given in a lift without a network, at ten past; it comes at a quarter past, three times.
		given := h.now().Add(10 * time.Minute)
		h.clock.Advance(15 * time.Minute)
		for range 3 {
			a := phone.ask(http.MethodPost, spacepages.Path+"/repondre", url.Values{
				"code": {code}, "reponse": {"coming-30"}, "a": {strconv.FormatInt(given.UnixMilli(), 10)}, "cle": {"k1"}, "muet": {"1"},
			})
			if a.Code != http.StatusNoContent {
				t.Fatalf("the answer kept on the telephone: %d %s", a.Code, a.Body)
			}
		}
		r, err := h.Alerting.RecipientByID(t.Context(), h.scope, l.ID, h.person(l, agent).ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Answers) != 1 || !r.Answers[0].At.Equal(given) || !r.Answers[0].Received.Equal(h.now()) || r.Answers[0].Source != alerting.BySpace {
			t.Errorf("one answer with its true time, got %+v", r.Answers)
		}
		if text := phone.ask(http.MethodGet, spacepages.Path+"/reponses", nil).Body.String(); !strings.Contains(text, "reçue à") || !strings.Contains(text, html.EscapeString(l.Title.In("fr"))) {
			t.Error("the person does not read what he answered, and when it was received")
		}
		for _, page := range []string{"/moi", "/astreintes"} {
			if a := phone.ask(http.MethodGet, spacepages.Path+page, nil); a.Code != http.StatusOK || strings.Contains(a.Body.String(), mobile(agent)) || strings.Contains(a.Body.String(), "Deux") {
				t.Errorf("%s: %d, with a whole number or somebody else", page, a.Code)
			}
		}

		// Stolen.
		list, err := h.Space.Devices(t.Context(), h.scope, agent.ID)
		if err != nil || len(list) != 1 {
			t.Fatalf("devices: %v, %v", list, err)
		}
		if err := h.Space.Revoke(t.Context(), h.scope, other.ID, list[0].ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the device of another: %v", err)
		}
		if err := h.Space.Revoke(t.Context(), h.scope, agent.ID, list[0].ID); err != nil {
			t.Fatal(err)
		}
		for _, page := range []string{"", "/moi", "/reponses", "/pouls"} {
			if a := phone.ask(http.MethodGet, spacepages.Path+page, nil); a.Code != http.StatusUnauthorized || strings.Contains(a.Body.String(), "Valbrume") {
				t.Errorf("a stolen telephone reads %s: %d", page, a.Code)
			}
		}
		if a := phone.ask(http.MethodPost, spacepages.Path+"/repondre", url.Values{"code": {code}, "reponse": {"unavailable"}}); a.Code != http.StatusUnauthorized {
			t.Errorf("a stolen telephone answers: %d", a.Code)
		}
	})
}

// Who holds the answer link of somebody else gets nothing by asking for a space:
// the invitation goes to the number that the directory knows.
func TestAnAnswerLinkIsNoKey(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Un", "ide")
		h.launch(recall())
		h.settle()
		code := strings.TrimPrefix(h.sms.received(mobile(agent))[0].Link, identitytest.Origin().String()+"/r/")
		stranger := &pocket{h: h}
		for range 3 {
			if a := stranger.ask(http.MethodPost, spacepages.AskPath, url.Values{"code": {code}}); a.Code != http.StatusOK || stranger.cookie != nil || strings.Contains(a.Body.String(), "Valbrume") {
				t.Fatalf("asking: %d", a.Code)
			}
			h.settle()
		}
		all := h.sms.received(mobile(agent))
		if len(all) != 2 {
			t.Fatalf("%d messages, want the alert and one invitation", len(all))
		}
		wrong := stranger.ask(http.MethodPost, spacepages.AskPath, url.Values{"code": {"000000000000"}})
		right := stranger.ask(http.MethodPost, spacepages.AskPath, url.Values{"code": {code}})
		if wrong.Code != right.Code || wrong.Body.String() != right.Body.String() {
			t.Error("a wrong code and a right one are told apart")
		}
	})
}

// Who leaves the establishment has no space any more, at once; the night's
// sweep leaves nothing of it. An invitation dies after a day, and by a newer one.
func TestASpaceEnds(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Un", "ide")
		first := h.invited(agent)
		if _, err := h.Space.Invite(t.Context(), h.scope, agent.ID); !fault.Is(err, fault.TooMany) {
			t.Errorf("a second invitation at once: %v", err)
		}
		h.clock.Advance(20 * time.Minute)
		second := h.invited(agent)
		phone := &pocket{h: h}
		if a := phone.ask(http.MethodPost, first, url.Values{}); a.Code != http.StatusNotFound {
			t.Errorf("the invitation that was replaced: %d", a.Code)
		}
		h.clock.Advance(space.InvitationLife)
		if a := phone.ask(http.MethodPost, second, url.Values{}); a.Code != http.StatusNotFound {
			t.Errorf("the invitation of yesterday: %d", a.Code)
		}
		if a := phone.ask(http.MethodPost, h.invited(agent), url.Values{}); a.Code != http.StatusSeeOther {
			t.Fatalf("the invitation of today: %d", a.Code)
		}
		if err := h.Directory.Depart(t.Context(), h.scope, agent.ID); err != nil {
			t.Fatal(err)
		}
		if a := phone.ask(http.MethodGet, spacepages.Path, nil); a.Code != http.StatusUnauthorized {
			t.Errorf("who left reads %d", a.Code)
		}
		if _, err := h.Space.Sweep(t.Context(), h.now()); err != nil {
			t.Fatal(err)
		}
		if n := h.number(`SELECT COUNT(*) FROM space_devices WHERE organisation_id = $1`, h.scope.Organisation()); n != 0 {
			t.Errorf("%d devices of who left", n)
		}
		reader := access.For(h.scope.Organisation(), access.Actor{Kind: access.Person, Name: "Lecteur"}, true, access.Reader)
		if _, err := h.Space.Invite(t.Context(), reader, agent.ID); !fault.Is(err, fault.Denied) {
			t.Errorf("a reader invites: %v", err)
		}
		elsewhere := h.establishment("CH du Parc", "parc")
		if _, err := h.Space.Devices(t.Context(), elsewhere, agent.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment reads the devices: %v", err)
		}
		if _, err := h.Space.Invite(t.Context(), elsewhere, agent.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment invites: %v", err)
		}
	})
}
