package pages_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory/pages"
	"tocsin/internal/ui/uitest"
)

const staff = "Matricule;Nom;Prénom;Métier;Service;Portable perso\r\n" +
	"1001;ABADIE;Léa;IADE;Urgences;06 39 98 00 01\r\n" +
	"1002;BRUN;Hugo;IDE;Urgences;06 39 98 00 02\r\n" +
	"1003;CARRÉ;Zoé;IDE;Bloc;06 39 98\r\n" +
	"1003;DOUBLE;Max;IDE;Bloc;\r\n"

// imported takes a file through the pages up to its application.
func (w *ward) imported(content string) (path string) {
	w.t.Helper()
	columns := w.send(pages.ImportPath, "personnel.csv", []byte(content), "source", "RH").Want(303).Header.Get("Location")
	form := w.get(columns).Want(200).Whole()
	w.post(columns, mapping(form)...).Want(303)
	w.work()
	path = strings.TrimSuffix(columns, "/colonnes")
	w.post(path + "/confirmer").Leads(path)
	w.work()
	return path
}

// mapping are the fields of a form of columns as they are chosen.
func mapping(p *uitest.Page) (fields []string) {
	for _, s := range p.Find("select[name^=colonne]") {
		value := ""
		for o := range s.Descendants() {
			for _, a := range o.Attr {
				if a.Key == "selected" {
					value = uitest.Attribute(o, "value")
				}
			}
		}
		fields = append(fields, uitest.Attribute(s, "name"), value)
	}
	return fields
}

func TestImportFromFileToUndo(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	w.get(pages.ImportPath).Want(200).Whole().Has("input[type=file]").Value("#f-source", "value", "RH")
	columns := w.send(pages.ImportPath, "personnel.csv", []byte(staff), "source", "RH").Header.Get("Location")
	if !strings.HasSuffix(columns, "/colonnes") {
		t.Fatalf("led to %q", columns)
	}
	path := strings.TrimSuffix(columns, "/colonnes")
	form := w.get(columns).Want(200).Whole().Count("select[name^=colonne]", 6).Says("td", "ABADIE").Has("#f-colonne-0 option[value=matricule][selected]").Has("#f-colonne-5 option[value=mobile_private][selected]")
	good := mapping(form)
	twice := append([]string{}, good...)
	twice[3] = "matricule"
	w.post(columns, twice...).Want(422).Whole().Has(".summary").Has("#f-colonne-1[aria-invalid=true]")
	w.post(columns, "colonne-0", "n’importe quoi").Want(422).Whole().Has(".summary")
	w.post(columns, good...).Leads(path)
	if w.woken == 0 {
		t.Error("nobody was told that an import waits")
	}
	w.get(path).Want(200).Whole().Has("progress").Has("[hx-get='"+path+"']").Says("a", "Actualiser")
	piece := uitest.Get(t, w.router, path, uitest.With("HX-Request", "true"))
	piece.Want(200).Has("progress").Lacks("h1")
	w.work()
	if done := uitest.Get(t, w.router, path, uitest.With("HX-Request", "true")); done.Header.Get("HX-Redirect") != path {
		t.Errorf("the page that waits is led to %q", done.Header.Get("HX-Redirect"))
	}
	ready := w.get(path).Want(200).Whole().Says(".stat", "Nouvelles 3").Says("#details ~ .tabs", "Lignes non importées").Says("tbody td", "Ce matricule est déjà à la ligne 4")
	ready.Says("summary", "2 services seront créés").Says("th", "Pourquoi")
	w.get(path+"?vue=nouveaux").Whole().Says("th", "Ce qui se passera")
	ready.Says("#confirmer li", "3 personnes seront ajoutées").Says("#confirmer li", "1 ligne ne sera pas importée").Has("a[href='" + path + "/illisibles']")
	w.get(path+"?vue=problemes").Whole().Says("tbody td", "Portable perso")
	w.get(path+"?vue=nouveaux").Whole().Count("tbody tr", 3)
	w.get(path + "?vue=rien&suite=x").Want(200).Whole()
	rows := w.get(path + "/illisibles").Want(200)
	if !strings.Contains(rows.Body, "DOUBLE") || !strings.Contains(rows.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("unreadable rows: %q", rows.Body)
	}
	w.post(path + "/confirmer").Leads(path)
	w.get(path).Whole().Has("progress")
	w.work()
	w.get(path).Want(200).Whole().Says(".message", "est appliqué").Has("a[href='"+path+"/annuler']").Lacks("#confirmer").Says("summary", "2 services ont été créés")
	w.get(path+"?vue=nouveaux").Whole().Says("th", "Ce qui s’est passé")
	w.get(pages.Path).Whole().Count("tbody tr", 3)
	w.post(path + "/confirmer").Leads(path) // too late: the page says where it stands
	w.get(path+"/annuler").Want(200).Whole().Says("li", "3 personnes ajoutées")
	w.post(path + "/annuler").Leads(path)
	w.work()
	w.get(path).Want(200).Whole().Says(".message", "annulé")
	w.get(path + "/annuler").Leads(path)
	w.get(pages.Path).Whole().Has(".empty")
	w.get(pages.ImportPath).Whole().Says("tbody td", "personnel.csv").Says(".badge", "Annulé")
}

func TestSecondImportShowsTheDifference(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	w.imported(staff)
	again := strings.Replace(strings.Replace(staff, "BRUN;Hugo;IDE", "BRUN;Hugo;Cadre de santé", 1), "1001;ABADIE;Léa;IADE;Urgences;06 39 98 00 01\r\n", "", 1)
	columns := w.send(pages.ImportPath, "personnel.csv", []byte(again), "source", "RH").Header.Get("Location")
	form := w.get(columns).Whole().Says(".message", "votre choix d’alors")
	w.post(columns, mapping(form)...)
	w.work()
	path := strings.TrimSuffix(columns, "/colonnes")
	w.get(path).Whole().Says(".stat", "Modifiées 1").Says(".stat", "Parties 1")
	w.get(path+"?vue=changes").Whole().Says("tbody del", "IDE").Says("tbody ins", "Cadre de santé").Says("tbody td", "BRUN")
	w.get(path+"?vue=changes&champ=metier").Whole().Count("tbody tr", 1)
	w.get(path+"?vue=partis").Whole().Says("tbody td", "ABADIE").Says("td", "départ")
	w.get(path+"?vue=partis").Whole().Says("td", "son départ sera noté")
	w.post(path + "/abandonner").Leads(pages.ImportPath)
	w.get(path).Want(200).Whole().Says(".message", "abandonné")
	w.get(pages.Path).Whole().Count("tbody tr", 3)
}

func TestSameFileTwiceHasNothingToConfirm(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	w.imported(staff)
	columns := w.send(pages.ImportPath, "personnel.csv", []byte(staff), "source", "RH").Header.Get("Location")
	w.post(columns, mapping(w.get(columns))...)
	w.work()
	w.get(strings.TrimSuffix(columns, "/colonnes")).Whole().Says(".message", "correspond déjà").Lacks("form[action$='/confirmer']")
}

func TestHostileUploads(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	w.send(pages.ImportPath, "vide.csv", nil, "source", "RH").Want(422).Whole().Has(".summary a[href='#f-fichier']").Value("#f-source", "value", "RH")
	w.send(pages.ImportPath, "photo.xlsx", []byte("PK\x03\x04 ceci n’est pas un classeur"), "source", "RH").Want(422).Whole().Has(".summary a[href='#f-fichier']")
	image := w.send(pages.ImportPath, "image.csv", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00"), "source", "RH").Header.Get("Location")
	w.post(image, mapping(w.get(image).Want(200).Whole())...).Want(422).Says(".summary", "quelle colonne contient le nom")
	w.post(pages.ImportPath, "source", "RH").Want(422).Whole().Has(".summary")
	w.sendBody(pages.ImportPath, "multipart/form-data; boundary=x", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"fichier\"; filename=\"a.csv\"\r\n\r\nNom")).Want(422)
	name := "../../<script>alert(1)</script>.csv"
	formulas := "Matricule;Nom;Prénom\r\n9;=HYPERLINK(\"http://x\");+33\r\n;;\r\n9;@SUM(A1);x\r\n"
	columns := w.send(pages.ImportPath, name, []byte(formulas), "source", "<b>RH</b>").Want(303).Header.Get("Location")
	w.get(columns).Want(200).Whole().Lacks("main script").Lacks("main b")
	w.post(columns, mapping(w.get(columns))...)
	w.work()
	path := strings.TrimSuffix(columns, "/colonnes")
	w.get(path).Want(200).Whole()
	if rows := w.get(path + "/illisibles"); strings.Contains(rows.Body, ";@SUM") || strings.Contains(rows.Body, ";=HYPER") {
		t.Errorf("a formula goes out: %q", rows.Body)
	}
	big := strings.Repeat("x", 66<<20)
	w.send(pages.ImportPath, "enorme.csv", []byte(big), "source", "RH").Want(413).Whole()
}

func TestImportsOfOthersDoNotExist(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	path := w.imported(staff)
	visitor := uitest.As(access.DirectoryManager)
	visitor.Scope = access.For(uuid.New(), visitor.Scope.Actor(), true, access.DirectoryManager)
	mine := w.router
	w.router = w.asVisitor(visitor)
	for _, at := range []string{path, pages.ImportPath + "/" + uuid.NewString(), pages.ImportPath + "/nimporte"} {
		for _, under := range []string{"", "/colonnes", "/illisibles", "/annuler"} {
			w.get(at + under).Want(404)
		}
		for _, under := range []string{"/colonnes", "/confirmer", "/abandonner", "/annuler"} {
			w.post(at+under, "colonne-0", "matricule").Want(404)
		}
	}
	w.get(pages.ImportPath).Want(200).Lacks("tbody")
	w.router = mine
	w.get(path).Want(200).Says(".message", "est appliqué")
	w.router = w.as(access.Reader, access.Launcher, access.Auditor)
	w.get(pages.ImportPath).Want(403)
	w.get(path).Want(403)
	w.post(path + "/annuler").Want(403)
	w.send(pages.ImportPath, "personnel.csv", []byte(staff), "source", "RH").Want(403)
}
