package pages_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
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
