package pages_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// nobody is the visitor of an answer page: no session at all.
func nobody() ui.Visitor { return ui.Visitor{} }

func TestAnAgentAnswersChangesAndComesTooLate(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	link := "/r/" + h.code(h.recipient(l, "Durand"))
	r := h.asVisitor(nobody())

	first := page(t, r, link)
	first.Says(".mark.exercise", "EXERCICE").Says("h1", "Plan blanc").Says("main", "alert fr hall A").Says("main", "Accueil du bâtiment A").Says("main", "Votre badge")
	first.Count("button.yes", 4).Says("button.yes", "dans 1 h 30").Has("button[value=unavailable]").Has("button[value=on_site]").Lacks("button[value=call_me]").Lacks("script")
	if got := h.recipient(l, "Durand"); got.Meaning != "" || len(got.Answers) != 0 {
		t.Fatalf("opening the link recorded %+v", got)
	}

	uitest.Post(t, r, link, []string{"reponse", "coming-30"}).Leads(link + "?note=1")
	page(t, r, link+"?note=1").Says(".box", "dans 30 min, vers 03:30").Says(".box", "C’est noté").Says("h2", "Changer ma réponse")
	if got := h.recipient(l, "Durand"); got.Meaning != alerting.Coming || got.Minutes != 30 {
		t.Fatalf("recorded %+v", got)
	}
	h.clock.Advance(time.Minute)
	uitest.Post(t, r, link, []string{"reponse", "unavailable"}).Want(http.StatusSeeOther)
	page(t, r, link).Says(".box", "Vous ne pouvez pas venir").Says(".box", "Noté à 03:01")

	must(t, h.End(t.Context(), h.scope(access.Launcher), h.clock.Now(), l.ID, nil))
	page(t, r, link).Says(".box", "terminée").Lacks("button")
	h.clock.Advance(time.Minute)
	uitest.Post(t, r, link, []string{"reponse", "coming-15"}).Want(http.StatusSeeOther)
	got := h.recipient(l, "Durand")
	if last := got.Answers[len(got.Answers)-1]; got.Meaning != alerting.Unavailable || !last.Late {
		t.Fatalf("a late answer changed the alert: %+v", got)
	}
}

func TestAnswerThatIsNotProposed(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	link := "/r/" + h.code(h.recipient(l, "Durand"))
	r := h.asVisitor(nobody())
	for _, v := range []string{"", "call_me", "coming-x", "coming--5", "coming-99999", "stop"} {
		uitest.Post(t, r, link, []string{"reponse", v}).Want(http.StatusUnprocessableEntity).Whole().Has(".box.wrong").Has("button.yes")
	}
	if got := h.recipient(l, "Durand"); len(got.Answers) != 0 {
		t.Fatalf("recorded %+v", got.Answers)
	}
}

func TestAnswerPageSpeaksTheAgentsLanguage(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Smith", "iade", func(p *directory.Person) { p.Language = "en" })
	l := h.started()
	link := "/r/" + h.code(h.recipient(l, "Smith"))
	r := h.asVisitor(nobody())
	english := uitest.Get(t, r, link, uitest.With("Accept-Language", "fr")).Want(http.StatusOK).Whole()
	english.Value("html", "lang", "en").Says("h1", "Mass casualty plan").Says("button.yes", "in 15 min").Says(".mark", "EXERCISE").Value(".lang a", "href", link+"?lang=fr")
	french := page(t, r, link+"?lang=fr").Value("html", "lang", "fr").Says("h1", "Plan blanc").Says("main", "alert fr hall A").Says("button", "Je ne peux pas")
	french.Value("form", "action", link+"?lang=fr&")
	uitest.Post(t, r, link+"?lang=fr", []string{"reponse", "on_site"}).Leads(link + "?lang=fr&note=1")
}

// wrongCode asks for a page that takes its time: the clock is moved until it answers.
func wrongCode(t *testing.T, h *hospital, r http.Handler, path string) *uitest.Page {
	t.Helper()
	done := make(chan *uitest.Page, 1)
	go func() { done <- uitest.Get(t, r, path) }()
	var p *uitest.Page
	storagetest.Eventually(t, 10*time.Second, "the page of a wrong code", func() bool {
		h.clock.Advance(10 * time.Millisecond)
		select {
		case p = <-done:
			return true
		default:
			return false
		}
	})
	return p
}

func TestWrongCodesSayNothingAndAreSlowedDown(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	good := "/r/" + h.code(h.recipient(l, "Durand"))
	r := h.asVisitor(nobody())
	unknown := wrongCode(t, h, r, "/r/0123456789ab").Want(http.StatusNotFound).Whole()
	unreadable := wrongCode(t, h, r, "/r/pas-un-code").Want(http.StatusNotFound)
	if unknown.Body != unreadable.Body || strings.Contains(unknown.Body, "Valbrume") {
		t.Error("the pages of two wrong codes differ, or name the establishment")
	}
	for range 58 {
		wrongCode(t, h, r, "/r/0123456789ab").Want(http.StatusNotFound)
	}
	uitest.Get(t, r, "/r/0123456789ab").Want(http.StatusTooManyRequests).Lacks("button")
	h.clock.Advance(11 * time.Minute)
	page(t, r, good).Has("button.yes")
}

func TestRightCodesGiveCreditBack(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	good := "/r/" + h.code(h.recipient(l, "Durand"))
	r := h.asVisitor(nobody())
	page(t, r, good)
	for range 62 {
		wrongCode(t, h, r, "/r/0123456789ab").Want(http.StatusNotFound)
	}
	page(t, r, good).Has("button.yes")
}

func TestAnswerPageWeighsLessThan20kB(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started(func(d *alerting.Definition) {
		d.WhereToGo["fr"] = strings.Repeat("Entrée des urgences. ", 20)
		d.WhatToBring["fr"] = strings.Repeat("Votre badge. ", 20)
	})
	link := "/r/" + h.code(h.recipient(l, "Durand"))
	r := h.asVisitor(nobody())
	uitest.Post(t, r, link, []string{"reponse", "coming-30"}).Want(http.StatusSeeOther)
	p := page(t, r, link)
	total := len(p.Body)
	for _, n := range p.Find("link[rel=stylesheet], script[src], img[src]") {
		src := uitest.Attribute(n, "href") + uitest.Attribute(n, "src")
		total += len(uitest.Get(t, r, src).Want(http.StatusOK).Body)
	}
	if total >= 20_000 {
		t.Errorf("the answer page weighs %d bytes before compression, want less than 20,000", total)
	}
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	if _, err := z.Write([]byte(p.Body)); err != nil || z.Close() != nil {
		t.Fatal("gzip", err)
	}
	t.Logf("%d bytes in all, the page alone %d (%d compressed)", total, len(p.Body), small.Len())
}
