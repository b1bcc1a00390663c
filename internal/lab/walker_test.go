package lab_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/channels/sms"
	"tocsin/internal/lab"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/wire/smpp"
)

// The answer page, as the pages of alerting draw it.
const answerPage = `<!DOCTYPE html><html lang="fr"><body>
<form method="get" action="/cherche"><button name="q" value="coming-30">Je viens</button></form>
<form method="post" action="/r/abcd?"><input type="hidden" name="jeton" value="x1">
<fieldset><legend>Je viens</legend>
<button class="yes" name="reponse" value="coming-15">dans 15 min</button><button class="yes" name="reponse" value="coming-30">dans 30 min</button>
<button class="yes" name="reponse" value="coming-60">dans 1 h</button><button disabled name="reponse" value="coming-20">dans 20 min</button></fieldset>
<button name="reponse" value="unavailable">Je ne peux pas</button>
<button name="reponse" value="on_site">Déjà sur place</button>
</form></body></html>`

// The same asked by circles and a list, as another page might.
const circles = `<form method="POST" action="answer"><label for="a">Je viens</label><input type="radio" id="a" name="choix" value="1">
<label><input type="radio" name="choix" value="2"> Je ne peux pas venir</label>
<select name="delai"><option value="15">15 min</option><option value="30">30 min</option><option value="90">1 h 30</option></select>
<input type="submit" name="ok" value="Envoyer"></form>`

func TestTheRightButtonIsPressed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		page    string
		intent  lab.Intent
		minutes int
		want    string // action and fields; empty when there is no button
	}{
		{answerPage, lab.Coming, 30, "/r/abcd? jeton=x1&reponse=coming-30"},
		{answerPage, lab.Coming, 20, "/r/abcd? jeton=x1&reponse=coming-15"},
		{answerPage, lab.Coming, 90, "/r/abcd? jeton=x1&reponse=coming-60"},
		{answerPage, lab.Unavailable, -1, "/r/abcd? jeton=x1&reponse=unavailable"},
		{answerPage, lab.OnSite, -1, "/r/abcd? jeton=x1&reponse=on_site"},
		{answerPage, lab.CallMe, -1, ""},
		{circles, lab.Coming, 90, "answer choix=1&delai=90&ok=Envoyer"},
		{circles, lab.Unavailable, -1, "answer choix=2&ok=Envoyer"},
		{"<p>L’alerte est terminée.</p>", lab.Coming, 15, ""},
		{"", lab.Coming, 15, ""},
	} {
		action, fields, err := lab.ChooseForm(strings.NewReader(c.page), c.intent, c.minutes)
		got := ""
		if err == nil {
			got = action + " " + fields.Encode()
		} else if !errors.Is(err, lab.ErrNoForm) {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%s in %d min: %q, want %q", c.intent, c.minutes, got, c.want)
		}
	}
}

// site is an answer page that remembers what was pressed.
type site struct {
	mu      sync.Mutex
	pressed []string
	cookies int
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodGet {
		http.SetCookie(w, &http.Cookie{Name: "passage", Value: "1"})
		if _, err := fmt.Fprint(w, strings.ReplaceAll(answerPage, "/r/abcd?", r.URL.Path)); err != nil {
			panic(err)
		}
		return
	}
	if _, err := r.Cookie("passage"); err == nil {
		s.cookies++
	}
	s.pressed = append(s.pressed, r.URL.Path+" "+r.FormValue("reponse")+" "+r.Header.Get("Origin"))
	http.Redirect(w, r, r.URL.Path+"?note=1", http.StatusSeeOther)
}

func TestPeopleFollowTheLink(t *testing.T) {
	t.Parallel()
	s := &site{}
	server := httptest.NewServer(http.NewCrossOriginProtection().Handler(s))
	t.Cleanup(server.Close)
	people := hasty()
	people.Link = 1
	r := start(t, func(o *lab.Options) { o.People = people })
	p := newPocket(t)
	c := r.transceiver(func(o *sms.ClientOptions) { o.Deliver = p.take })
	coming := holder(t, people, func(w lab.Person) bool { return open(lab.Coming)(w) && w.Minutes == 60 })
	submit(t, c, message(coming, "CHSA : PLAN BLANC. Rep 1 oui 2 non ou "+server.URL+"/r/abcd2345efgh."))
	storagetest.Eventually(t, 10*time.Second, "a click", func() bool { return r.counts().Clicks.Done == 1 })
	if want := "/r/abcd2345efgh coming-60 " + server.URL; len(s.pressed) != 1 || s.pressed[0] != want || s.cookies != 1 {
		t.Errorf("pressed %q with %d cookies, want %q", s.pressed, s.cookies, want)
	}
	if _, replies := p.held(); replies != 0 {
		t.Errorf("%d answers by SMS beside the link", replies)
	}
}

// A link, a redirection or a form that leads out of this machine is not followed.
func TestNoLinkLeavesThisMachine(t *testing.T) {
	t.Parallel()
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.1/r/x", http.StatusFound)
	}
	foreign := func(w http.ResponseWriter, _ *http.Request) {
		if _, err := fmt.Fprint(w, `<form method="post" action="http://192.0.2.1/r/x"><button name="a" value="coming">Je viens</button></form>`); err != nil {
			panic(err)
		}
	}
	first, second := httptest.NewServer(http.HandlerFunc(elsewhere)), httptest.NewServer(http.HandlerFunc(foreign))
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	people := hasty()
	people.Link = 1
	r := start(t, func(o *lab.Options) { o.People = people })
	c := r.transceiver(nil)
	coming := holder(t, people, open(lab.Coming))
	for n, link := range []string{"http://192.0.2.1/r/a", "https://alerte.hopital.example/r/b", first.URL + "/r/c", second.URL + "/r/d"} {
		m := message(coming, "CHSA : Rep 1 oui 2 non ou "+link)
		m.RegisteredDelivery = smpp.RegisteredNone
		submit(t, c, m)
		storagetest.Eventually(t, 10*time.Second, "the refusal of "+link, func() bool { return r.counts().Clicks.Failed == uint64(n+1) })
	}
	if got := r.counts().Clicks; got.Done != 0 {
		t.Errorf("%+v", got)
	}
}
