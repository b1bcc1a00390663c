package pages_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/traces"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/pages"
)

// app adds a source that gives files.
func (o *office) app(name string) traces.Source {
	o.t.Helper()
	s, _, err := o.s.Add(o.t.Context(), o.scope, traces.Wanted{Name: name, Format: "files", Zone: "Europe/Paris"})
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

// bring sends a file by the form, and gives the address it leads to.
func (o *office) bring(path, name, content string) string {
	o.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	w, err := m.CreateFormFile("fichier", name)
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err != nil || m.Close() != nil {
		o.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(o.t.Context(), http.MethodPost, path, &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Accept-Language", "fr")
	reply := httptest.NewRecorder()
	o.router.ServeHTTP(reply, r)
	if reply.Code != http.StatusSeeOther {
		o.t.Fatalf("%d %s", reply.Code, reply.Body)
	}
	return reply.Header().Get("Location")
}

func (o *office) readFiles() {
	o.t.Helper()
	for more := true; more; {
		var err error
		o.clock.Advance(time.Second)
		if more, err = o.files.Work(o.t.Context(), o.clock.Now()); err != nil {
			o.t.Fatal(err)
		}
	}
}

const dpiExport = "DATE_ACCES;AGENT;NOM_PRENOM;TYPE_ACTION;IPP;COULEUR\n30/11/2026 10:05;adurand;DURAND Anne;CS;8001;bleu\n30/11/2026 10:06;bmartin;MARTIN Bob;IM;8002;<script>\nhier;bmartin;MARTIN Bob;CS;8003;vert\n"

// TestFromAFileToTraces follows the assistant: a first file, its guess, a preview
// with what cannot be read, the table of actions, and the file is read.
func TestFromAFileToTraces(t *testing.T) {
	o := newOffice(t, access.Administrator)
	s := o.app("DxCare")
	list := pages.SourcePath(s.ID) + "/fichiers"
	o.get(pages.SourcePath(s.ID)).Want(200).Has(`a[href="` + list + `"]`)
	o.get(list).Want(200).Says("body", "Aucun fichier")
	at := o.bring(list, "traces.csv", dpiExport)
	if !strings.HasSuffix(at, "/colonnes") {
		t.Fatal(at)
	}
	page := o.get(at).Want(200).Says("body", "DURAND Anne").Says("body", "La date de « DATE_ACCES » ne se lit pas").Whole()
	values := chosen(page.Body)
	if values["c0"] != "at" || values["c1"] != "account" || values["c2"] != "person" || values["c3"] != "action" || values["c4"] != "ipp" || values["c5"] != "" {
		t.Fatalf("guessed %v", values)
	}
	fields := []string{"kind", "csv", "delimiter", ";", "encoding", "utf-8", "header", "oui", "skip", "0", "times", "dmy", "c0", "at", "c1", "account", "c2", "person", "p2", "natural", "c3", "action", "c4", "ipp", "constant_application", "DxCare"}
	o.post(at, append(fields, "faire", "enregistrer", "words_action", "CS -> lire")...).Want(422).Says("body", "CS -> lire")
	words := append(fields, "words_action", "CS = Lecture\nIM = print")
	o.post(at, append(words, "faire", "apercu")...).Want(200).Says("body", "Anne DURAND").Says("body", "Impression")
	o.post(at, append(words, "faire", "enregistrer")...).Want(303)
	o.readFiles()
	o.get(list).Want(200).Says("body", "version 1").Says("body", "lu")
	got := o.spooled()
	if len(got) != 3 || got[0].Action != traces.Read || got[1].Action != traces.Print || got[1].Person != "Bob MARTIN" || got[2].Application != "DxCare" || !got[2].AtGuessed {
		t.Fatalf("%+v", got)
	}
	// The same file again, then another, which the saved columns suit.
	if back := o.bring(list, "traces.csv", dpiExport); back != list {
		t.Error(back)
	}
	o.bring(list, "suite.csv", dpiExport+"30/11/2026 11:00;zoe;ZOLA Zoé;CS;8009;gris\n")
	if o.readFiles(); len(o.spooled()) != 4 {
		t.Errorf("%d events", len(o.spooled()))
	}
}

// spooled are the events that the spool holds of sources.
func (o *office) spooled() (out []traces.Event) {
	for _, e := range o.everything() {
		if e.Collector != traces.OwnFormat {
			out = append(out, e)
		}
	}
	return out
}

var choice = regexp.MustCompile(`<select[^>]* name="(c\d+)"[^>]*>(.*?)</select>`)

var picked = regexp.MustCompile(`<option value="([^"]*)" selected`)

// chosen are the places chosen in the table of columns.
func chosen(body string) map[string]string {
	out := map[string]string{}
	for _, m := range choice.FindAllStringSubmatch(strings.ReplaceAll(body, "\n", " "), -1) {
		if p := picked.FindStringSubmatch(m[2]); p != nil {
			out[m[1]] = p[1]
		}
	}
	return out
}

func TestAFileIsStoppedAndResumed(t *testing.T) {
	o := newOffice(t, access.Administrator)
	s := o.app("DPI")
	list := pages.SourcePath(s.ID) + "/fichiers"
	at := strings.TrimSuffix(o.bring(list, "a.csv", dpiExport), "/colonnes")
	o.post(at + "/arreter").Want(303)
	o.get(list).Want(200).Says("body", "arrêté")
	o.post(at + "/reprendre").Want(303)
	o.get(list).Want(200).Says("body", "attend son tour")
	other := o.app("Labo")
	o.post(pages.SourcePath(other.ID) + "/fichiers" + at[strings.LastIndex(at, "/"):] + "/arreter").Want(404)
}

func TestOnlyWhoKeepsSourcesOpensFiles(t *testing.T) {
	o := newOffice(t, access.Administrator)
	s := o.app("DPI")
	list := pages.SourcePath(s.ID) + "/fichiers"
	at := o.bring(list, "a.csv", dpiExport)
	o.router = o.as(access.DataProtection)
	o.get(list).Want(200).Says("body", "a.csv").Lacks(`input[type="file"]`)
	o.get(at).Want(403)
	o.get(pages.SourcePath(s.ID) + "/dossier").Want(403)
}

func TestAFolderIsWatchedByItsPage(t *testing.T) {
	o := newOffice(t, access.Administrator)
	s := o.app("DPI")
	at := pages.SourcePath(s.ID) + "/dossier"
	o.get(at).Want(200).Says("body", o.dir)
	o.post(at, "path", "/etc", "patterns", "*", "way", files.Leave).Want(422).Says("body", "pas sous un dossier autorisé")
	o.post(at, "path", o.dir, "patterns", "*.csv", "way", files.Leave).Want(303)
	o.get(at).Want(200).Has(`input[name="path"][value="` + o.dir + `"]`)
	o.post(at, "path", "", "patterns", "", "way", files.Leave).Want(303)
}
