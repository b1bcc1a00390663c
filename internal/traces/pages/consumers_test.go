package pages_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/traces/pages"
	"tocsin/internal/ui/uitest"
)

func TestAnApplicationIsAdmittedAndRevoked(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	at := pages.ConsumersPath + "/nouveau"
	o.get(pages.ConsumersPath).Want(200).Whole().Has(".empty a[href='" + at + "']")
	o.get(at).Want(200).Whole().Value("#f-until", "value", "2027-05-22")
	for _, wrong := range []string{"", "hier", "2026-11-21", "2027-11-23"} {
		o.post(at, "name", "DPI", "reason", "Bouton", "until", wrong).Want(422).Whole().Has("#f-until[aria-invalid=true]")
	}
	o.post(at, "name", "", "reason", "x", "until", "2027-05-22").Want(422).Whole().Has("#f-name[aria-invalid=true]")
	o.post(at, "name", "DPI", "reason", " ", "until", "2027-05-22").Want(422).Whole().Has("#f-reason[aria-invalid=true]")
	o.post(at, "name", "DPI", "reason", "x", "until", "2027-05-22", "addresses", "10.0.0").Want(422).Whole().Has("#f-addresses[aria-invalid=true]")
	added := o.post(at, "name", "DPI <b>", "reason", "Bouton « qui a ouvert »", "until", "2027-11-22", "addresses", "10.1.2.3").Want(200).Whole()
	token := uitest.Attribute(added.Find("#jeton")[0], "value")
	if !strings.HasPrefix(token, "csm_") || added.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("token %q, kept by %q", token, added.Header.Get("Cache-Control"))
	}
	added.Says("pre", "https://tocsin.test/intake/fhir")
	o.post(at, "name", "dpi <B>", "reason", "x", "until", "2027-05-22").Want(409).Whole().Has("#f-name[aria-invalid=true]")
	list := o.get(pages.ConsumersPath).Want(200).Whole().Count("tbody tr", 1).Says("tbody", "DPI <b>").Says("tbody", "22 novembre 2027").Says("tbody", "10.1.2.3").Says("tbody", "Admise").Says("tbody", "aucune encore")
	if strings.Contains(list.Body, token) {
		t.Error("the list says the token")
	}
	all, err := o.s.Consumers(t.Context(), o.scope)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	gone := pages.ConsumersPath + "/" + all[0].ID.String() + "/revoquer"
	uitest.Get(t, o.as(access.Administrator), gone).Want(403)
	uitest.Get(t, o.as(access.Auditor), pages.ConsumersPath).Want(403)
	o.get(pages.ConsumersPath + "/" + uuid.NewString() + "/revoquer").Want(404)
	o.get(gone).Want(200).Whole().Has("button.danger")
	o.post(gone).Leads(pages.ConsumersPath)
	o.get(pages.ConsumersPath).Whole().Says("tbody", "Révoquée").Lacks("a[href='" + gone + "']")
	// Revoked, its name is free again.
	o.post(at, "name", "DPI <b>", "reason", "x", "until", "2026-11-22").Want(200)
	o.clock.Advance(24 * time.Hour)
	if all, err := o.s.Consumers(t.Context(), o.scope); err != nil || len(all) != 2 || all[0].Serves(o.clock.Now()) {
		t.Errorf("the day after: %+v %v", all, err)
	}
}
