package pages_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/report"
	"tocsin/internal/i18n"
	"tocsin/internal/ui/uitest"
)

// The papers say what the establishment set, in both languages, on the page and
// in the file.
func TestPapersAreFilledWithTheRules(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	must(t, h.SetGovernance(t.Context(), h.scope(access.Administrator), h.clock.Now(), alerting.Governance{SecondAbove: 250, KeepDays: 123}))
	admin := h.as(access.Administrator)
	page(t, admin, "/administration/alertes").Value(".card .button", "href", "/administration/alertes/information")
	french := page(t, admin, "/administration/alertes/information").Says("article", "CHU de Valbrume").Says("article", "123 jours").Says("article", "mot convenu").Says("article", "n’a pas à être justifié")
	if strings.Contains(french.Body, "CIGOGNE") {
		t.Error("a poster tells everybody the word of authenticity")
	}
	page(t, admin, "/administration/alertes/information?langue=en").Says("article[lang=en]", "123 days").Says("article", "not a requisition")
	page(t, admin, "/administration/alertes/registre").Says("article", "article 30").Says("article", "250 personnes").Says("article", "aucun pour l’instant")
	for _, role := range []access.Role{access.Launcher, access.Reader, access.Auditor} {
		uitest.Get(t, h.as(role), "/administration/alertes/registre").Want(http.StatusForbidden)
		uitest.Get(t, h.as(role), "/administration/alertes/information.pdf").Want(http.StatusForbidden)
	}
	for _, language := range []string{"fr", "en"} {
		loc := catalog(t).For(i18n.Language(language))
		for _, kind := range []report.PaperKind{report.Information, report.Register} {
			var b bytes.Buffer
			p := report.NewPaper(kind, report.PaperFacts{Establishment: "CHU de Valbrume", Rules: alerting.Governance{KeepDays: 30}, At: night()}, loc, time.UTC)
			must(t, report.PaperPDF(&b, p, "CHU de Valbrume", night(), loc, time.UTC))
			if !bytes.HasPrefix(b.Bytes(), []byte("%PDF-")) || len(p.Parts) < 6 {
				t.Errorf("%s %s: %d parts, begins %q", kind, language, len(p.Parts), b.Bytes()[:8])
			}
			for _, part := range p.Parts {
				for _, item := range part.Items {
					if strings.ContainsAny(item, "{}⟦") {
						t.Errorf("%s %s: %q", kind, language, item)
					}
				}
			}
		}
	}
}
