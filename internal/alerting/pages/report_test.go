package pages_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/pages"
	"tocsin/internal/directory"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// reported is an alert with one person coming, one silent and one without a number.
func reported(h *hospital) alerting.Launch {
	h.agent("Durand", "iade")
	h.agent("Petit", "iade")
	h.agent("Muet", "iade", func(p *directory.Person) { p.Contacts = nil })
	l := h.started()
	h.clock.Advance(3 * time.Minute)
	must(h.t, h.ManualCall(h.t.Context(), h.scope(access.CrisisCell), h.clock.Now(), l.ID, h.recipient(l, "Durand").ID, alerting.Coming, 15, ""))
	must(h.t, h.Arrive(h.t.Context(), h.scope(access.CrisisCell), h.clock.Now(), l.ID, h.recipient(l, "Durand").ID, true))
	return l
}

func TestReportPage(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	l := reported(h)
	r := h.as(access.Auditor)
	p := page(t, r, path(l, "/rapport"))
	p.Says("h1", "Rapport : Plan blanc").Says(".message", "en cours").Says(".mode-band", "EXERCICE").Says(".stat", "Appelées 2").Says(".stat", "Arrivées 1").Says(".stat", "Non appelées 1")
	p.Says("tbody tr", "Muet Camille Urgences · Nord Aucune coordonnée utilisable").Says("tbody tr", "Petit Camille").Says("tbody tr", "Urgences · Nord 2").Says("tbody tr", "Infirmier anesthésiste 1")
	p.Says(".figures", "Moitié des personnes jointes").Has("svg.chart").Count(".timeline li", 1).Says(".timeline li:first-child", "Déclenchement")
	p.Lacks("a[href$='.pdf']").Lacks("a[href$='.xlsx']").Has("a[href$='/rapport.json']")
	must(t, h.End(t.Context(), h.scope(access.Launcher), h.clock.Now(), l.ID, nil))
	page(t, r, path(l, "/rapport")).Says(".message", "terminée")
}

// Whoever answers that he is on site counts in the quota and was ticked by nobody:
// two figures that would contradict each other if neither said so. A report of the
// first minute is told in parts of it.
func TestFiguresOfTheFirstMinute(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "iade")
	l := h.started()
	h.clock.Advance(time.Minute)
	must(t, h.ManualCall(t.Context(), h.scope(access.CrisisCell), h.clock.Now(), l.ID, h.recipient(l, "Durand").ID, alerting.OnSite, 0, ""))
	board := page(t, h.as(access.CrisisCell), path(l, ""))
	board.Says(".stat", "Arrivés 0 1 se dit sur place").Says(".quota-words", "1 sur place, 0 en route").Says(".meter-figures", "1 sur 1")
	if strings.Contains(board.Body, "· Quota") {
		t.Error("a quota is said twice")
	}
	p := page(t, h.as(access.Auditor), path(l, "/rapport"))
	p.Says(".stat", "Arrivées 0 1 se dit sur place").Says("thead", "Poste Nécessaires Annoncés Sur place").Says("svg.chart", "0,2")
}

// withDocuments is the house with writers of files.
func (h *hospital) withDocuments(pdf, xlsx pages.Document) *ui.Router {
	r := uitest.House(h.t, ui.Visitor{Scope: h.scope(access.Auditor), Name: "Audit"}, func(o *ui.Options) { o.Clock = h.clock }, locales()...)
	p := pages.Routes(r, pages.Options{Service: h.Service, Directory: h.dir, Organisation: h.org, Catalog: catalog(h.t), Hub: h.hub, Clock: h.clock, PDF: pdf, XLSX: xlsx})
	h.t.Cleanup(p.Close)
	return r
}

func TestReportFiles(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	l := reported(h)
	r := h.withDocuments(func(w io.Writer, r alerting.Report, loc *i18n.Localizer, zone *time.Location) error {
		_, err := io.WriteString(w, r.Launch.Title["fr"]+" "+string(loc.Language())+" "+zone.String())
		return err
	}, func(w io.Writer, _ alerting.Report, _ *i18n.Localizer, _ *time.Location) error {
		_, err := io.WriteString(w, "half a file")
		return errors.Join(err, errors.New("the disk is full"))
	})
	page(t, r, path(l, "/rapport")).Has("a[href$='.pdf']").Has("a[href$='.xlsx']")
	pdf := uitest.Get(t, r, path(l, "/rapport.pdf")).Want(http.StatusOK)
	if pdf.Body != "Plan blanc fr Europe/Paris" || pdf.Header.Get("Content-Type") != "application/pdf" || !strings.Contains(pdf.Header.Get("Content-Disposition"), "rapport-alerte-2026-11-22-03h00.pdf") {
		t.Errorf("%q %v", pdf.Body, pdf.Header)
	}
	if broken := uitest.Get(t, r, path(l, "/rapport.xlsx")).Want(http.StatusInternalServerError); strings.Contains(broken.Body, "half a file") {
		t.Error("a file cut short was sent")
	}
	var got struct {
		Counters struct{ People, Arrived int }
	}
	text := uitest.Get(t, r, path(l, "/rapport.json")).Want(http.StatusOK)
	if err := json.Unmarshal([]byte(text.Body), &got); err != nil || got.Counters.Arrived != 1 {
		t.Errorf("%v in %s", err, text.Body)
	}
	plain := h.withDocuments(nil, nil)
	uitest.Get(t, plain, path(l, "/rapport.pdf")).Want(http.StatusNotFound)
	uitest.Get(t, h.as(access.Reader), path(l, "/rapport.json")).Want(http.StatusForbidden)
}
