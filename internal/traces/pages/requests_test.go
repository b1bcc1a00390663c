package pages_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/traces/audits"
	"tocsin/internal/traces/pages"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// Delegates implements audits.People: the visitor of the tests.
func (o *office) Delegates(context.Context, access.Scope) ([]audits.Person, error) {
	return []audits.Person{{ID: uitest.As().Scope.Actor().ID, Name: "Camille Martin"}}, nil
}

// other is somebody else who holds a role.
func other(role access.Role) access.Scope {
	return access.For(uitest.Establishment(), access.Actor{Kind: access.Person, ID: uuid.NewSHA1(uuid.Nil, []byte(role)), Name: "Mme " + string(role)}, true, role)
}

func fr(t *testing.T, r *ui.Router, path string, fields ...string) *uitest.Page {
	t.Helper()
	if fields == nil {
		return uitest.Get(t, r, path, uitest.With("Accept-Language", "fr"))
	}
	return uitest.Post(t, r, path, fields, uitest.With("Accept-Language", "fr"))
}

func TestARequestIsMadeAdvisedDecidedLookedAtAndConcluded(t *testing.T) {
	o := newOffice(t, access.Reader)
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("adupont", "DUPONT Anne", "4417", ago(50*time.Hour)), opening("bmartin", "MARTIN Bruno", "9999", ago(3*time.Hour)))
	o.get(pages.RequestsPath).Want(200).Whole().Says("main", "Aucune demande")
	o.get(pages.RequestsPath + "/nouvelle").Want(200).Whole()
	o.post(pages.RequestsPath+"/nouvelle", "sorte", "patient", "objet", "x").Want(422).Whole().Has(".summary").Has("#f-de[aria-invalid=true]")
	fields := []string{"sorte", "patient", "demandeur", "Odile MARCHAND", "identite", "carte vue", "objet", "Mon dossier", "motif", "voisinage", "patients", "4417", "de", "2026-11-01", "a", "2026-11-22"}
	o.post(pages.RequestsPath+"/nouvelle", append(fields, "identite", "")[:6]...).Want(422)
	mine := o.post(pages.RequestsPath+"/nouvelle", fields...).Want(303).Header.Get("Location")
	o.get(mine).Want(200).Whole().Says("h1", "AUD-2026-0001").Has("form[action$='/retirer']").Lacks("form[action$='/decision']").Lacks("form[action$='/avis']")
	// Whoever asked does not decide; somebody else's is seen by those it concerns.
	uitest.Get(t, o.as(access.Controller), mine).Want(200).Lacks("form[action$='/decision']")
	asked, err := o.audits.Ask(t.Context(), other(access.Reader), audits.Draft{Kind: audits.OfPatient, Behalf: "Odile MARCHAND", Checked: "carte", Subject: "Mon dossier", Reason: "r", Extent: audits.Extent{Patients: []string{"4417"}, From: ago(30 * 24 * time.Hour), To: ago(0)}})
	if err != nil {
		t.Fatal(err)
	}
	path := pages.RequestAddress(asked.ID)
	o.get(path).Want(404)
	dim := o.as(access.MedicalInformation)
	fr(t, dim, path).Want(200).Whole().Has("form[action$='/avis']").Lacks("form[action$='/decision']")
	fr(t, dim, path+"/avis", "role", "dim", "sens", "", "avis", "").Want(422).Whole()
	fr(t, dim, path+"/decision", "sens", "accepter").Want(403)
	if err := o.audits.Advise(t.Context(), other(access.MedicalInformation), asked.ID, access.MedicalInformation, true, "d’accord"); err != nil {
		t.Fatal(err)
	}
	if err := o.audits.Advise(t.Context(), other(access.DataProtection), asked.ID, access.DataProtection, false, "trop large"); err != nil {
		t.Fatal(err)
	}
	boss := o.as(access.Controller)
	fr(t, boss, path).Want(200).Whole().Says("main", "trop large").Has("form[action$='/decision']").Value("#d-f-de", "value", "2026-10-23")
	fr(t, boss, path+"/decision", "sens", "accepter", "decision", "", "de", "", "a", "").Want(422).Whole().Has(".summary")
	delegate := uitest.As().Scope.Actor().ID.String()
	fr(t, boss, path+"/decision", "sens", "accepter", "decision", "oui", "patients", "4417", "de", "2026-11-01", "a", "2026-11-22", "delegue", delegate, "fin", "2026-12-15").Want(422).Whole().Has("#d-f-delegue[aria-invalid=true]") // nobody entrusts himself
	if err := o.audits.Decide(t.Context(), other(access.Controller), asked.ID, audits.Verdict{Accepted: true, Words: "oui", Extent: audits.Extent{Patients: []string{"4417"}, From: ago(21 * 24 * time.Hour), To: ago(0)}, Delegate: uuid.MustParse(delegate), Ends: uitest.Noon().AddDate(0, 0, 20)}); err != nil {
		t.Fatal(err)
	}

	o.get(path).Want(200).Whole().Says("main", "Confiée à Camille Martin").Has("a[href='" + path + "/questions/record']").Lacks("a[href$='/questions/looks']").Has("form[action$='/conclusion']")
	o.get(path+"/questions/record").Want(200).Whole().Value("#f-patient", "value", "4417").Lacks("button[formaction]")
	o.get(path + "/questions/looks").Want(404)
	answer := o.post(path+"/questions/record", "patient", "4417", "periode", "6m", "motif", "examen").Want(200).Whole()
	answer.Says(".answer-words", "1 compte a ouvert le dossier du patient 4417").Lacks("a[href^='/traces/evenements/']").Has("form[action='" + path + "/questions/record/fichier']")
	// Another patient is asked for: nothing of it comes.
	o.post(path+"/questions/record", "patient", "9999", "periode", "6m", "motif", "examen").Want(200).Lacks("#reponse tbody")
	o.post("/traces/questions/record", "patient", "4417", "motif", "x").Want(403)
	for _, l := range o.looks() {
		if l.Document != "AUD-2026-0002" {
			t.Errorf("a look without the number of the request: %+v", l)
		}
	}
	o.post(path+"/questions/record/fichier", "patient", "4417", "periode", "6m", "motif", "examen", "format", "xlsx").Want(200)
	// The patient reads no name, until somebody wrote down why.
	csv := o.post(path+"/reponse", "patient", "4417", "format", "csv").Want(200).Body
	if strings.Contains(csv, "adupont") || strings.Contains(csv, "DUPONT") || !strings.Contains(csv, "Agent 1") {
		t.Errorf("the answer to the patient:\n%s", csv)
	}
	fr(t, boss, path+"/exception", "exception", "plainte pénale").Want(409) // he is the delegate here
	if err := o.audits.Unmask(t.Context(), other(access.Controller), asked.ID, "plainte pénale"); err != nil {
		t.Fatal(err)
	}
	if csv := o.post(path+"/reponse", "patient", "4417", "format", "csv").Want(200).Body; !strings.Contains(csv, "DUPONT Anne") {
		t.Errorf("the answer after the exception:\n%s", csv)
	}
	// Without originals in the decision no event is opened.
	o.get(path + "/evenements/" + o.refOf("4417")).Want(403)
	o.post(path+"/conclusion", "conclusion", "").Want(422).Whole().Has("#c-f-conclusion[aria-invalid=true]")
	o.post(path+"/conclusion", "conclusion", "un accès sans motif").Leads(path)
	o.get(path).Want(200).Whole().Says("main", "un accès sans motif").Lacks("a[href$='/questions/record']")
	o.post(path+"/questions/record", "patient", "4417", "motif", "x").Want(409)
	o.post(path+"/reponse", "patient", "4417", "format", "csv").Want(409)
	o.post(mine + "/retirer").Leads(mine)
}

// TestADelegateReadsAnOriginalWithinHisRequest decides with originals, and opens
// one from the answer to a question; the event of another patient stays closed.
func TestADelegateReadsAnOriginalWithinHisRequest(t *testing.T) {
	o := newOffice(t, access.Reader)
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("adupont", "DUPONT Anne", "4417", ago(50*time.Hour)), opening("bmartin", "MARTIN Bruno", "9999", ago(3*time.Hour)))
	asked, err := o.audits.Ask(t.Context(), other(access.Reader), audits.Draft{Kind: audits.OfPatient, Behalf: "Odile MARCHAND", Checked: "carte", Subject: "Mon dossier", Reason: "r", Extent: audits.Extent{Patients: []string{"4417"}, From: ago(30 * 24 * time.Hour), To: ago(0), Originals: true}})
	if err != nil || asked.Wanted.Originals {
		t.Fatalf("%+v, %v", asked, err)
	}
	for _, role := range audits.Advisers() {
		if err := o.audits.Advise(t.Context(), other(role), asked.ID, role, true, "d’accord"); err != nil {
			t.Fatal(err)
		}
	}
	path := pages.RequestAddress(asked.ID)
	fr(t, o.as(access.Controller), path).Want(200).Whole().Has("#d-f-originaux")
	if err := o.audits.Decide(t.Context(), other(access.Controller), asked.ID, audits.Verdict{Accepted: true, Words: "oui", Extent: audits.Extent{Patients: []string{"4417"}, From: ago(21 * 24 * time.Hour), To: ago(0), Originals: true}, Delegate: uitest.As().Scope.Actor().ID, Ends: uitest.Noon().AddDate(0, 0, 20)}); err != nil {
		t.Fatal(err)
	}
	o.get(path).Want(200).Whole().Says("main", "s’ouvrent avec leur original")
	link := path + "/evenements/" + o.refOf("4417")
	o.post(path+"/questions/record", "patient", "4417", "periode", "6m", "motif", "examen").Want(200).Whole().Has("a[href='" + link + "']")
	o.get(link).Want(200).Whole().Says("main", "DUPONT Anne").Says(".message", asked.Number).Lacks("form[action^='/traces/questions']").Lacks("main a[href^='/traces/sources']")
	if looks := o.looks(); len(looks) < 2 || looks[len(looks)-1].Verb != "traces.find" || looks[len(looks)-1].Parameter != asked.Number || looks[len(looks)-1].IPP != "4417" {
		t.Errorf("the look at the original is no trace: %+v", looks)
	}
	o.get(path + "/evenements/" + o.refOf("9999")).Want(403)
	o.get("/traces/evenements/" + o.refOf("4417")).Want(403)
}
