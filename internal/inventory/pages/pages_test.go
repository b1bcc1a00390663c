package pages_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/inventory"
	"tocsin/internal/inventory/pages"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// somebody is a directory of one person.
type somebody struct{ id uuid.UUID }

func (s somebody) Find(_ context.Context, _ access.Scope, text string) (uuid.UUID, error) {
	if text != "DUPONT Anne" {
		return uuid.Nil, fault.New(fault.Invalid, "inventory.owner_unknown")
	}
	return s.id, nil
}

func (s somebody) Names(_ context.Context, _ *storage.Tx, _ access.Scope, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	out := map[uuid.UUID]string{}
	for _, id := range ids {
		if id == s.id {
			out[id] = "DUPONT Anne"
		}
	}
	return out, nil
}

// office is the pages in front of one visitor, on a real database.
type office struct {
	t      *testing.T
	s      *inventory.Service
	org    *organisation.Service
	scope  access.Scope
	router *ui.Router
}

func newOffice(t *testing.T, roles ...access.Role) *office {
	t.Helper()
	t.Parallel()
	db := storagetest.SQLite(t, organisation.Migrations, journal.Migrations, inventory.Migrations)
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	now := clock.NewFake(uitest.Noon())
	o := &office{t: t, org: organisation.New(db, guard, now), scope: access.System(uitest.Establishment(), "test")}
	o.s = inventory.New(inventory.Options{DB: db, Guard: guard, Clock: now, Organisation: o.org, Owners: somebody{uuid.New()}})
	if _, err := o.org.Create(t.Context(), access.Instance("test"), organisation.Establishment{ID: uitest.Establishment(), Name: "CH des Trois-Vallées"}); err != nil {
		t.Fatal(err)
	}
	o.router = o.as(roles...)
	return o
}

func (o *office) as(roles ...access.Role) *ui.Router {
	r := uitest.House(o.t, uitest.As(roles...), nil, pages.Locales, inventory.Locales, table.Locales, organisation.Locales)
	pages.Routes(r, pages.Options{Service: o.s, Organisation: o.org})
	return r
}

func (o *office) get(path string) *uitest.Page {
	o.t.Helper()
	return uitest.Get(o.t, o.router, path, uitest.With("Accept-Language", "fr"))
}

func (o *office) post(path string, fields ...string) *uitest.Page {
	o.t.Helper()
	return uitest.Post(o.t, o.router, path, fields, uitest.With("Accept-Language", "fr"))
}

// send uploads a file with a form.
func (o *office) send(name, content string, fields ...string) *uitest.Page {
	o.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			o.t.Fatal(err)
		}
	}
	part, err := m.CreateFormFile("fichier", name)
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := part.Write([]byte(content)); err != nil {
		o.t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		o.t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(o.t.Context(), http.MethodPost, pages.ImportPath, &b)
	req.Header.Set("Content-Type", m.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Accept-Language", "fr")
	answer := httptest.NewRecorder()
	o.router.ServeHTTP(answer, req)
	return uitest.Parse(o.t, answer.Code, answer.Header(), answer.Body)
}

func (o *office) save(i inventory.Item) inventory.Item {
	o.t.Helper()
	out, err := o.s.Save(o.t.Context(), o.scope, i)
	if err != nil {
		o.t.Fatal(err)
	}
	return out
}

func TestAnEmptyInventorySaysWhatToDo(t *testing.T) {
	o := newOffice(t, access.Administrator)
	o.get(pages.Path).Want(200).Whole().Has(".empty a[href='/inventaire/import']").Has(".empty a[href='/inventaire/nouveau']").Lacks("table")
	uitest.Get(t, o.as(access.Auditor), pages.Path).Want(200).Whole().Has(".empty").Lacks("a[href^='/inventaire/']")
	uitest.Get(t, o.as(access.Reader), pages.Path).Want(403)
}

func TestAThingIsAddedChangedLinkedAndRetired(t *testing.T) {
	o := newOffice(t, access.Administrator)
	server := o.save(inventory.Item{Kind: inventory.Server, Name: "SRV-01"})
	o.get(pages.Path+"/nouveau").Want(200).Whole().Count("main a[href^='/inventaire/nouveau?nature=']", 6)
	o.get(pages.Path + "/nouveau?nature=application").Want(200).Whole().Has("#f-name").Has("#f-criticality option[value=vital]").Lacks("#f-mac")
	wrong := o.post(pages.Path+"/nouveau", "nature", "application", "owner", "Personne", "ip", "10.1.2\n10.0.0.1").Want(422).Whole()
	wrong.Has(".summary").Has("#f-name[aria-invalid=true]").Has("#f-owner[aria-invalid=true]").Has("#f-ip[aria-invalid=true]").Says("#f-ip", "10.0.0.1")
	to := o.post(pages.Path+"/nouveau", "nature", "application", "name", "DPI Altaïr", "criticality", "vital", "owner", "DUPONT Anne", "ip", "10.0.0.1 10.0.0.2").Want(303).Header.Get("Location")
	sheet := o.get(to).Want(200).Whole()
	sheet.Says("dl", "DUPONT Anne").Says("dl", "10.0.0.2").Says("dl", "Vitale").Has("a[href$='/dependances']")
	form := o.get(to+"/modifier").Want(200).Whole().Value("#f-owner", "value", "DUPONT Anne").Value("input[name=revision]", "value", "1")
	form.Says("#f-ip", "10.0.0.1")
	o.post(to+"/modifier", "revision", "1", "name", "DPI Altaïr 2", "owner", "DUPONT Anne", "criticality", "critical").Leads(to)
	o.post(to+"/modifier", "revision", "1", "name", "Autre").Want(409).Whole().Has(".summary")
	o.get(to+"/dependances?q=srv").Want(200).Whole().Value("input[name=vers]", "value", server.ID.String())
	o.post(to+"/dependances", "vers", server.ID.String()).Leads(to)
	o.get(to).Says("table", "SRV-01")
	o.get(pages.ItemPath(server.ID)).Says("table", "DPI Altaïr 2")
	o.get(pages.ItemPath(server.ID)+"/retirer").Want(200).Whole().Says("ul", "1 élément s’appuie dessus").Has("button.danger")
	o.post(pages.ItemPath(server.ID) + "/retirer").Leads(pages.ItemPath(server.ID))
	o.get(pages.ItemPath(server.ID)).Whole().Has("form[action$='/remettre']").Lacks("a[href$='/modifier']")
	o.get(pages.Path).Lacks("a[href='" + pages.ItemPath(server.ID) + "']")
	o.get(pages.Path + "?etat=retires").Has("a[href='" + pages.ItemPath(server.ID) + "']")
	o.post(to+"/dependances/retirer", "vers", server.ID.String()).Leads(to)
	o.post(pages.ItemPath(server.ID) + "/remettre").Leads(pages.ItemPath(server.ID))
	o.post(to+"/dependances", "vers", "n’importe quoi").Want(404)
	uitest.Get(t, o.as(access.CrisisCell), to).Want(200).Whole().Lacks("a[href$='/modifier']").Lacks("form[action*='inventaire']")
}

func TestTheListKeepsItsFiltersAndLeavesAsAFile(t *testing.T) {
	o := newOffice(t, access.Administrator)
	o.save(inventory.Item{Kind: inventory.Application, Name: "=HYPERLINK(1)", Criticality: inventory.Vital})
	o.save(inventory.Item{Kind: inventory.Server, Name: "SRV-01"})
	page := o.get(pages.Path + "?nature=application&criticite=vital&q=hyper").Want(200).Whole()
	page.Count("tbody tr", 1).Has("#nature option[value=application][selected]").Has("#criticite option[value=vital][selected]").Value("form[action$='/export'] input[name=nature]", "value", "application")
	o.get(pages.Path+"?criticite=a_evaluer").Count("tbody tr", 1).Says("tbody", "À évaluer")
	o.get(pages.Path+"?nature=bateau&service=x&page=-2").Want(200).Whole().Count("tbody tr", 2)
	csv := o.post(pages.Path+"/export", "format", "csv", "nature", "application").Want(200)
	if disposition := csv.Header.Get("Content-Disposition"); !strings.Contains(disposition, "inventaire-2026-11-22.csv") {
		t.Errorf("the file is called %q", disposition)
	}
	if text := uitest.Text(csv.Find("body")[0]); !strings.Contains(text, "'=HYPERLINK(1)") || strings.Contains(text, "SRV-01") || !strings.Contains(text, "Application;") {
		t.Errorf("%q", text)
	}
	o.post(pages.Path+"/export", "format", "xlsx").Want(200)
}

func TestImportFromFileToUndo(t *testing.T) {
	o := newOffice(t, access.DirectoryManager)
	o.get(pages.ImportPath).Want(200).Whole().Has("input[type=file]").Value("#f-source", "value", "DSI")
	o.send("parc.csv", "", "kind", "server", "source", "DSI").Want(422).Whole().Has(".summary")
	columns := o.send("parc.csv", "Nom;Adresse IP;Couleur;Fournisseur\nSRV-01;10.0.0.1;bleu;Altaïr\nSRV-02;10.0.0;vert;\n;;;rien\n", "kind", "server", "source", "DSI").Want(303).Header.Get("Location")
	path := strings.TrimSuffix(columns, "/colonnes")
	o.get(path).Leads(columns)
	form := o.get(columns).Want(200).Whole().Count("select[name^=colonne]", 4).Says("td", "SRV-01")
	form.Has("#f-colonne-0 option[value=name][selected]").Has("#f-colonne-1 option[value=ip][selected]").Lacks("#f-colonne-2 option[selected]")
	o.post(columns, "colonne-0", "name", "colonne-1", "name").Want(422).Whole().Has("#f-colonne-1[aria-invalid=true]")
	o.post(columns, "colonne-0", "n’importe quoi").Want(422).Whole().Has(".summary")
	o.post(columns, "colonne-0", "name", "colonne-1", "ip", "colonne-2", "", "colonne-3", "supplier").Leads(path)
	o.get(path).Want(200).Whole().Says("#confirmer", "2 éléments seront ajoutés").Has("a[href$='/illisibles']").Says("main", "1 fournisseur").Lacks("input[name=retirer]")
	o.get(path+"?vue=problemes").Says("table", "« 10.0.0 » n’est pas une adresse IP")
	o.get(path + "/illisibles").Want(200)
	o.post(path + "/confirmer").Leads(path)
	o.get(path).Want(200).Whole().Has("a[href$='/annuler']").Lacks("#confirmer")
	o.get(pages.Path).Count("tbody tr", 3)
	o.get(path+"/annuler").Want(200).Whole().Says("ul", "3 éléments ajoutés disparaîtront").Has("button.danger")
	o.post(path + "/annuler").Leads(path)
	o.get(path).Want(200).Whole().Says("main", "L’import est annulé")
	o.get(pages.Path).Has(".empty")
	o.post(path + "/confirmer").Leads(path) // too late: said on the page
	o.get(pages.ImportPath).Want(200).Whole().Says("table", "parc.csv")
	o.get(pages.ImportPath + "/" + uuid.NewString()).Want(404)
}
