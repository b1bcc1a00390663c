package pages_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/library"
	"tocsin/internal/alerting/pages"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/ui/uitest"
	"tocsin/internal/wire/wav"
)

// upload posts a file for one text.
func upload(t *testing.T, h http.Handler, path, text string, file []byte) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	must(t, m.WriteField("texte", text))
	part, err := m.CreateFormFile("fichier", "voix.wav")
	must(t, err)
	_, err = part.Write(file)
	must(t, err)
	must(t, m.Close())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

// A text is recorded, heard on its page, and erased; a file that is no recording is
// refused there with one sentence; new words drop the recording of the old ones.
func TestATextIsRecordedOnItsPage(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	sc := h.scenario(recall(func(d *alerting.Definition) {
		for _, language := range []string{"fr", "en"} {
			d.Messages = append(d.Messages, alerting.Text{Use: alerting.UseAlert, Medium: channels.Voice, Language: language, Body: "Venez {lieu}"})
		}
	}))
	r := h.author(access.Administrator)
	at := scenarioURL(sc, "/voix")
	page(t, r, at).Lacks("audio")
	if a := upload(t, r, at, "alert.fr", []byte("<html>")); a.Code != http.StatusUnprocessableEntity || !bytes.Contains(a.Body.Bytes(), []byte("WAV")) {
		t.Errorf("a web page: %d", a.Code)
	}
	if a := upload(t, r, at, "alert.fr", wav.Write(make([]int16, 2*wav.Rate))); a.Code != http.StatusSeeOther {
		t.Fatalf("a recording: %d", a.Code)
	}
	heard := page(t, r, at).Has("audio[controls]")
	address := uitest.Attribute(heard.Find("audio")[0], "src")
	answer := httptest.NewRecorder()
	r.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil))
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "audio/wav" || answer.Body.Len() != 44+4*wav.Rate {
		t.Errorf("the sound: %d %s, %d octets", answer.Code, answer.Header().Get("Content-Type"), answer.Body.Len())
	}
	page(t, h.author(access.Reader), at).Has("audio").Lacks("form[enctype]")

	texts := scenarioURL(sc, "/modifier/textes?texte=alert")
	fields := typed(page(t, r, texts))
	uitest.Post(t, r, texts, with(fields, "messages.alert.sms.fr", "Venez vite {lieu} {lien}", "action", "enregistrer")).Want(http.StatusSeeOther)
	page(t, r, at).Has("audio")
	fields = typed(page(t, r, texts))
	uitest.Post(t, r, texts, with(fields, "messages.alert.voice.fr", "Venez vite {lieu}", "action", "enregistrer")).Want(http.StatusSeeOther)
	page(t, r, at).Lacks("audio")

	if a := upload(t, r, at, "alert.en", wav.Write(make([]int16, 2*wav.Rate))); a.Code != http.StatusSeeOther {
		t.Fatalf("a recording: %d", a.Code)
	}
	uitest.Post(t, r, scenarioURL(sc, "/voix/effacer"), []string{"texte", "alert.en"}).Want(http.StatusSeeOther)
	page(t, r, at).Lacks("audio")
	uitest.Get(t, r, scenarioURL(sc, "/voix/son?texte=alert.en")).Want(http.StatusSeeOther)
}

// The page asks for a call, shows where it stands, lets it be given up, and hides all
// of it from who may only read; a number that is none is refused where it was typed.
func TestATextIsRecordedFromATelephone(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	sc := h.scenario(recall(func(d *alerting.Definition) {
		d.Messages = append(d.Messages, alerting.Text{Use: alerting.UseAlert, Medium: channels.Voice, Language: "fr", Body: "Venez {lieu}"})
	}))
	line := dispatchtest.NewAir(channels.Voice)
	out := dispatchtest.Outbox(t, h.db, h.clock, nil, line)
	guard, err := access.NewGuard()
	must(t, err)
	h.Service = alerting.New(alerting.Options{DB: h.db, Guard: guard, Directory: h.dir, Dispatch: out, Organisation: h.org, Library: library.All})
	r := h.as(access.Administrator)
	pages.ScenarioRoutes(r, pages.ScenarioOptions{
		Service: h.Service, Directory: h.dir, Organisation: h.org, Catalog: catalog(t),
		OwnNumber: func(context.Context, access.Scope) (string, error) { return "+33639980100", nil },
	})
	at, phone := scenarioURL(sc, "/voix"), scenarioURL(sc, "/voix/telephone")
	if own := uitest.Attribute(page(t, r, at).Find("input[name=number]")[0], "value"); own != "+33639980100" {
		t.Errorf("the number proposed is %q", own)
	}
	fields := []string{"texte", "alert.fr", "number", "06 39 98 01 00"}
	uitest.Post(t, r, phone, fields).Want(http.StatusServiceUnavailable).Says("main", "Aucun canal vocal")
	dispatchtest.Gateway(t, out, access.System(h.house.ID, "test"), night(), line, 1, channels.Settings{})
	uitest.Post(t, r, phone, []string{"texte", "alert.fr", "number", "le standard"}).Want(http.StatusUnprocessableEntity).Has("input[name=number][aria-invalid=true]")
	uitest.Post(t, r, phone, fields).Want(http.StatusSeeOther)

	page(t, r, at).Says("main", "en attente d’une ligne").Has("[hx-get]").Lacks("input[name=number]")
	page(t, h.author(access.Reader), at).Lacks("[hx-get]").Lacks("input[name=number]")
	piece := func() *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, phone+"?texte=alert.fr", nil)
		request.Header.Set("HX-Request", "true")
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, request)
		return answer
	}
	list, err := h.Dictations(t.Context(), h.scope(access.Administrator), night(), sc.ID)
	must(t, err)
	must(t, h.DictationStep(t.Context(), access.System(h.house.ID, "dispatch"), night(), list[0].ID, channels.DictationRecording))
	if a := piece(); a.Code != http.StatusOK || !bytes.Contains(a.Body.Bytes(), []byte("Enregistrement en cours")) || bytes.Contains(a.Body.Bytes(), []byte("<html")) {
		t.Errorf("the piece: %d %s", a.Code, a.Body)
	}
	uitest.Post(t, r, scenarioURL(sc, "/voix/telephone/abandonner"), []string{"texte", "alert.fr"}).Want(http.StatusSeeOther)
	if a := piece(); a.Header().Get("HX-Redirect") != at {
		t.Errorf("once it is over the page is not shown anew: %v", a.Header())
	}
	page(t, r, at).Says("main", "Abandonné depuis cette page").Has("input[name=number]").Lacks("[hx-get]")
}
