package pages_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/traces"
	"tocsin/internal/traces/pages"
	"tocsin/internal/ui/uitest"
)

// another is a second person who may hold.
func another() access.Scope {
	return access.For(uitest.Establishment(), access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Paule Roy"}, true, access.Controller)
}

func TestTracesAreHeldForACourt(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	source := o.source("DPI <b>", 0)
	o.base.put(uitest.Establishment(), traces.Event{At: ago(time.Hour), IPP: "8001", Account: "dupont", Source: source.ID}, traces.Event{At: ago(2 * time.Hour), IPP: "8001", Account: "durand"})
	at := pages.HoldsPath + "/nouveau"
	o.get(pages.HoldsPath).Want(200).Whole().Has(".empty")
	o.get(at).Want(200).Whole().Value("#f-a", "value", "2026-11-22T12:00").Says("#f-source", "DPI <b>")
	order := []string{"autorite", "TJ de Bordeaux", "reference", "26/1042", "demandeur", "OPJ Martin", "motif", "réquisition"}
	with := func(fields ...string) []string { return append(append([]string{}, order...), fields...) }
	period := []string{"de", "2026-11-01T00:00", "a", "2027-11-01T00:00"}
	for field, fields := range map[string][]string{
		"autorite": append([]string{"patient", "8001"}, period...),
		"tout":     with(period...),
		"de":       with("patient", "8001", "de", "2027-11-01T00:00", "a", "2026-11-01T00:00"),
		"a":        with("patient", "8001", "de", "2026-11-01T00:00", "a", "demain"),
		"source":   with(append([]string{"source", uuid.NewString()}, period...)...),
		"patient":  with(append([]string{"patient", strings.Repeat("8", 501)}, period...)...),
	} {
		o.post(at, fields...).Want(422).Whole().Has("#f-" + field + "[aria-invalid=true]")
	}
	patient := with(append([]string{"patient", "8001"}, period...)...)
	o.post(at, patient...).Want(200).Whole().Says("main", "2 traces, environ 280").Says("main", "Rien n’est encore enregistré").Has("input[name=confirmer]")
	if list, err := o.s.LegalHolds(t.Context(), another()); err != nil || len(list) > 0 {
		t.Fatalf("held before it was confirmed: %v, %v", list, err)
	}
	o.post(at, append(patient, "confirmer", "oui")...).Want(303)
	list, err := o.s.LegalHolds(t.Context(), another())
	if err != nil || len(list) != 1 || list[0].Found != 2 || !list[0].To.Equal(time.Date(2027, 10, 31, 23, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v, %v", list, err)
	}
	everything := with(append([]string{"tout", "oui"}, period...)...)
	o.post(at, everything...).Want(200).Whole().Says("main", "de tous les patients").Says("main", "Tout ce qui date de la période").Says("main", "2 traces, environ 280")
	o.post(at, with(append([]string{"compte", "personne", "source", source.ID.String()}, period...)...)...).Want(200).Says("main", "Aucune trace ne correspond").Says("main", "DPI <b>")

	o.get(pages.HoldsPath).Want(200).Whole().Says("tbody", "26/1042").Says("tbody", "En vigueur")
	seen := uitest.Get(t, o.as(access.Administrator), pages.KeepPath, uitest.With("Accept-Language", "fr")).Want(200).Whole().Says("main", "26/1042").Says("main", "1 gel en vigueur.")
	if strings.Contains(seen.Body, "8001") || strings.Contains(seen.Body, pages.HoldsPath+"/") {
		t.Error("an administrator sees whose traces are held")
	}
	uitest.Get(t, o.as(access.Administrator), pages.HoldsPath).Want(403)
	uitest.Get(t, o.as(access.Auditor), at).Want(403)
	uitest.Get(t, o.as(access.Controller), pages.RequestsPath).Want(200).Has("a[href='" + pages.HoldsPath + "']")
}

func TestAHoldIsLiftedByASecondPerson(t *testing.T) {
	o := newOffice(t, access.Controller)
	h, err := o.s.PlaceHold(t.Context(), another(), traces.HoldWanted{
		Authority: "TJ de Bordeaux", Reference: "26/1042 <b>", RequestedBy: "OPJ Martin", Reason: "réquisition",
		HoldSelection: traces.HoldSelection{Patient: "8001", From: uitest.Noon().AddDate(-1, 0, 0), To: uitest.Noon()},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := pages.HoldsPath + "/" + h.ID.String()
	o.get(at).Want(200).Whole().Says("main", "8001").Says("main", "Posé par Paule Roy").Has("form[action='" + at + "/lever']")
	o.get(pages.HoldsPath + "/" + uuid.NewString()).Want(404)
	o.post(at + "/lever/accepter").Want(409)
	o.post(at+"/lever", "raison", " ").Want(422).Whole().Has("#f-raison[aria-invalid=true]")
	o.post(at+"/lever", "raison", "classement").Leads(at)
	o.get(at).Want(200).Whole().Says("main", "une autre personne habilitée doit en décider").Lacks("form[action='" + at + "/lever/accepter']")
	o.post(at + "/lever/accepter").Want(403)
	o.post(at+"/lever/refuser", "refus", "").Want(422).Whole().Has("#f-refus[aria-invalid=true]")
	o.post(at+"/lever/refuser", "refus", "appel").Leads(at)
	o.get(at).Want(200).Whole().Says("main", "Demande de levée retirée par Camille Martin").Says("main", "appel")
	if _, err := o.s.AskLift(t.Context(), another(), h.ID, "arrêt du 12"); err != nil {
		t.Fatal(err)
	}
	o.get(at).Want(200).Whole().Says("main", "Paule Roy demande de lever ce gel : arrêt du 12").Has("form[action='" + at + "/lever/accepter'] button.danger")
	o.post(at + "/lever/accepter").Leads(at)
	o.get(at).Want(200).Whole().Says("main", "Levé par Camille Martin").Lacks("form[action^='" + at + "/lever']")
	if got, err := o.s.LegalHold(t.Context(), another(), h.ID); err != nil || got.Standing() {
		t.Errorf("%+v, %v", got, err)
	}
}
