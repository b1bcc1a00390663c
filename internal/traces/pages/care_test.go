package pages_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/traces/care"
	"tocsin/internal/traces/pages"
	"tocsin/internal/ui/uitest"
)

// staffOf is a directory of one person.
type staffOf struct{}

func (staffOf) Workers(_ context.Context, _ uuid.UUID, each func(care.Worker) error) error {
	return each(care.Worker{Person: uuid.NewSHA1(uuid.Nil, []byte("a")), Name: "FAURE Agnès", Surname: "Faure", Given: "Agnès", Matricule: "70001", Left: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)})
}

// upload sends a file with its kind.
func (o *office) upload(kind, text string) *uitest.Page {
	o.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("fichier", "sejours.csv")
	if err == nil {
		_, err = part.Write([]byte(text))
	}
	for _, err := range []error{err, w.WriteField("nature", kind), w.Close()} {
		if err != nil {
			o.t.Fatal(err)
		}
	}
	r := httptest.NewRequestWithContext(o.t.Context(), http.MethodPost, "/traces/soins/fichiers", &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Accept-Language", "fr")
	rec := httptest.NewRecorder()
	o.router.ServeHTTP(rec, r)
	return uitest.Parse(o.t, rec.Code, rec.Header(), rec.Body)
}

func TestAFileOfStaysIsCheckedThenImported(t *testing.T) {
	o := newOffice(t, access.Administrator)
	o.get(pages.CarePath).Want(200).Whole().Says(".message", "aucun accès n’est dit inexpliqué").Has("#f-nature option[value=stays]").Lacks("#f-nature option[value=well_known]").Lacks("a[href='/traces/soins/connus']")
	o.upload("stays", "IPP;Nom\n1;2\n").Want(422).Whole().Says("#f-fichier-error, .summary", "colonne")
	at := o.upload("stays", "IPP;UF;entrée\n8001;2101;10/11/2026 08:00\n;2101;10/11/2026\n8002;2101;hier\n").Want(303).Header.Get("Location")
	page := o.get(at).Want(200).Whole().Says("main", "1 ligne est prête").Says("main", "2 lignes sont refusées").Says("table", "8001").Says("table", "« hier » n’est pas une date")
	page.Says("thead", "UF → service")
	o.post(at + "/importer").Leads(at)
	o.get(at).Want(200).Whole().Says("main", "1 ligne est importée").Lacks("form[action$='/importer']")
	o.get(pages.CarePath).Want(200).Whole().Lacks(".message").Says("table", "sejours.csv")
	p, found, err := o.care.Patient(t.Context(), uitest.Establishment(), "8001", "", time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC).UnixMicro())
	if err != nil || !found || len(p.Relations) != 1 {
		t.Errorf("%+v, %v, %v", p, found, err)
	}
	uitest.Get(t, o.as(access.Auditor), pages.CarePath, uitest.With("Accept-Language", "fr")).Want(200).Whole().Lacks("#f-fichier").Lacks("#f-months")
	uitest.Get(t, o.as(access.Auditor, access.DataProtection), at).Want(403)
	uitest.Get(t, o.as(access.Administrator), "/traces/soins/connus").Want(403)
	o.post("/traces/soins/duree", "months", "1").Want(422).Whole().Has("#f-months[aria-invalid=true]")
	o.post("/traces/soins/duree", "months", "6").Leads(pages.CarePath)
}

func TestTheOfficerAloneNamesWhoIsWellKnown(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.get("/traces/soins/connus").Want(200).Whole()
	o.post("/traces/soins/connus", "motif", "maire").Want(422).Whole().Has(".summary")
	o.post("/traces/soins/connus", "ipp", "8001", "motif", "maire").Leads("/traces/soins/connus")
	page := o.get("/traces/soins/connus").Want(200).Whole().Says("table", "8001").Says("table", "maire")
	form := uitest.Attribute(page.Find("td form")[0], "action")
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("adupont", "DUPONT Anne", "8001", ago(time.Hour)), opening("bmartin", "", "8002", ago(time.Hour)))
	o.post("/traces/questions/known", "whom", "known", "motif", "contrôle").Want(200).Whole().Says(".answer-words", "1 compte a ouvert le dossier d’un patient connu").Says("#reponse table", "DUPONT Anne")
	o.post(form).Leads("/traces/soins/connus")
	o.post("/traces/questions/known", "whom", "known", "motif", "contrôle").Want(200).Whole().Says(".answer-words", "rien n’a été demandé")
}

func TestAnAccountIsFoundTiedAndLetGo(t *testing.T) {
	o := newOffice(t, access.Administrator)
	if err := o.care.Refresh(t.Context(), uitest.Establishment()); err != nil {
		t.Fatal(err)
	}
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("70001", "", "8001", ago(time.Hour)), opening("adupont", "", "8001", ago(2*time.Hour)))
	o.get(pages.AccountsPath).Want(200).Whole().Says("main", "Rien n’a été dit")
	o.post("/traces/comptes/inconnus").Want(200).Whole().Says("main", "1 compte n’est rattaché à personne ; 1 sont").Has("td form input[name=compte][value=adupont]")
	if looks := o.looks(); len(looks) != 1 || looks[0].Object != "accounts" {
		t.Errorf("looks: %+v", looks)
	}
	o.post("/traces/comptes/dire", "compte", "adupont", "preparer", "oui").Want(200).Whole().Value("#f-compte", "value", "adupont")
	o.post("/traces/comptes/dire", "compte", "adupont", "nature", "person", "matricule", "9").Want(422).Whole().Has("#f-matricule[aria-invalid=true]")
	o.post("/traces/comptes/dire", "compte", "adupont", "nature", "person", "matricule", "70001").Leads(pages.AccountsPath)
	o.post(pages.AccountsPath, "q", "faure").Want(200).Whole().Says("table", "FAURE Agnès").Says("table", "Parti le 2 janvier 2026")
	o.post("/traces/comptes/inconnus").Want(200).Whole().Says("main", "Tous les comptes vus sont rattachés")
	uitest.Get(t, o.as(access.Auditor), pages.AccountsPath).Want(200)
	uitest.Post(t, o.as(access.Auditor), "/traces/comptes/inconnus", nil).Want(403)
	uitest.Post(t, o.as(access.DataProtection), "/traces/comptes/dire", nil).Want(403)
	o.post("/traces/comptes/oublier", "compte", "adupont").Leads(pages.AccountsPath)
	o.get(pages.AccountsPath).Want(200).Whole().Lacks("td form")
}
