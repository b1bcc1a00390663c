package pages_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/directory/pages"
	"tocsin/internal/ui/uitest"
)

func TestGroupByRule(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	service := w.crowd()
	w.get(pages.GroupsPath + "/nouveau").Want(200).Whole().Has("input[name=metiers][value=iade]").Has("input[name=services][value='" + service.String() + "']")
	w.post(pages.GroupsPath+"/nouveau", "name", "Tous", "sorte", "regle").Want(422).Whole().Says(".summary", "Une règle sans critère")
	w.post(pages.GroupsPath+"/nouveau", "name", "", "sorte", "regle", "faire", "apercu").Want(422).Whole().Says(".summary", "Une règle sans critère")
	w.post(pages.GroupsPath+"/nouveau", "name", "", "sorte", "regle", "services", service.String(), "faire", "apercu").Want(200).Whole().
		Says(".message", "choisit 2 personnes").Has("input[name=services][checked]").Has("details[open]")
	w.post(pages.GroupsPath+"/nouveau", "name", "", "sorte", "regle", "services", service.String()).Want(422).Whole().Has(".summary a[href='#f-name']").Has("input[name=services][checked]")
	path := w.post(pages.GroupsPath+"/nouveau", "name", "IADE de Valmont", "purpose", "Renfort du bloc", "sorte", "regle", "metiers", "iade", "services", service.String(), "services", "forgé").
		Want(303).Header.Get("Location")
	w.get(path).Want(200).Whole().Says("h2", "1 personne").Says("#regle li", "Métier : ").Says("#regle li", "Service : Urgences").Says("tbody td", "ABADIE").Lacks("form[action$='/retirer']").Lacks("a[href$='/membres']")
	w.get(path + "/membres").Want(409)
	w.get(pages.GroupsPath).Whole().Says("#groupes td", "IADE de Valmont").Says("#groupes td.number", "1")
	w.get(path + "/modifier").Want(200).Whole().Has("input[name=metiers][value=iade][checked]").Lacks("input[type=radio]")
	w.post(path+"/modifier", "name", "IADE", "sorte", "regle", "metiers", "iade", "statuts", "interne").Leads(path)
	w.get(path).Whole().Says("h1", "IADE").Says("h2", "0 personne").Says("#regle li", "Statut : Interne")
	w.post(pages.GroupsPath+"/nouveau", "name", "iade", "sorte", "liste").Want(409).Whole().Has(".summary a[href='#f-name']")
	w.get(path + "/supprimer").Want(200).Whole().Has("button.danger")
	w.post(path + "/supprimer").Leads(pages.GroupsPath)
	w.get(path).Want(404)
}

func TestFixedGroup(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	w.crowd()
	members := w.post(pages.GroupsPath+"/nouveau", "name", "Cellule de crise", "sorte", "liste").Header.Get("Location")
	path := strings.TrimSuffix(members, "/membres")
	w.get(members).Want(200).Whole().Lacks("tbody")
	found := w.get(members+"?q=brun").Want(200).Whole().Count("input[name=personnes]", 1)
	id := uitest.Attribute(found.Find("input[name=personnes]")[0], "value")
	w.post(members, "retour", members+"?q=brun", "personnes", id).Leads(members + "?q=brun")
	w.post(members, "retour", "https://evil.example/", "personnes", id).Leads(path)
	w.post(members, "personnes", uuid.NewString(), "personnes", "forgé").Leads(path)
	w.get(path).Want(200).Whole().Says("h2", "1 personne").Says("tbody td", "BRUN")
	w.get("/annuaire/"+id).Whole().Says("#groupes li", "Cellule de crise").Lacks("form[action$='/groupes']")
	w.post(path + "/membres").Leads(path)
	w.post(path+"/membres/retirer", "personnes", id).Leads(path)
	w.get(path).Whole().Says("h2", "0 personne")
	join := w.get("/annuaire/" + id).Whole().Find("form[action$='/groupes']")
	if len(join) != 1 {
		t.Fatal("the person cannot be put in the group")
	}
	at := uitest.Attribute(join[0], "action")
	w.post(at, "groupe", "").Want(422).Whole()
	w.post(at, "groupe", uuid.NewString()).Want(404)
	w.post(at, "groupe", strings.TrimPrefix(path, pages.GroupsPath+"/")).Leads("/annuaire/" + id)
	w.get(path).Whole().Says("h2", "1 personne")
}

func TestGroupsOfOthersDoNotExist(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	g, err := w.d.SaveGroup(t.Context(), access.System(uuid.New(), "test"), directory.Group{Name: "Voisins"})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{g.ID.String(), uuid.NewString(), "nimporte"} {
		for _, under := range []string{"", "/modifier", "/membres", "/supprimer"} {
			w.get(pages.GroupsPath + "/" + id + under).Want(404)
		}
		for _, under := range []string{"/modifier", "/membres", "/membres/retirer", "/supprimer"} {
			w.post(pages.GroupsPath+"/"+id+under, "name", "X", "personnes", uuid.NewString()).Want(404)
		}
	}
	w.get(pages.GroupsPath).Whole().Has(".empty")
	r := w.as(access.Reader)
	uitest.Get(t, r, pages.GroupsPath).Want(200).Whole().Lacks("a[href$='/nouveau']")
	uitest.Get(t, r, pages.GroupsPath+"/nouveau").Want(403)
	uitest.Post(t, r, pages.GroupsPath+"/nouveau", []string{"name", "X"}).Want(403)
}

func TestExport(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	w.imported(staff)
	w.get("/annuaire/export").Want(200).Whole().Has("input[name=source][value=RH]").Has("input[name=format][value=csv]")
	csv := w.post("/annuaire/export", "source", "RH", "format", "csv").Want(200)
	if !strings.Contains(csv.Body, "Matricule;Nom;Prénom;Métier;Service;Portable perso") || !strings.Contains(csv.Body, "ABADIE") {
		t.Errorf("csv %q", csv.Body)
	}
	if got := csv.Header.Get("Content-Disposition"); !strings.Contains(got, "annuaire-2026-11-22.csv") {
		t.Errorf("file %q", got)
	}
	book, err := excelize.OpenReader(bytes.NewReader([]byte(w.post("/annuaire/export", "source", "", "format", "xlsx").Want(200).Body)))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("Annuaire")
	if err != nil || len(rows) != 4 || rows[1][1] != "ABADIE" {
		t.Errorf("rows %q, %v", rows, err)
	}
	if err := book.Close(); err != nil {
		t.Error(err)
	}
	if got := w.actions("directory.export"); len(got) != 2 {
		t.Errorf("journal %q", got)
	}
	columns := w.send(pages.ImportPath, "export.csv", []byte(csv.Body), "source", "RH").Header.Get("Location")
	w.post(columns, mapping(w.get(columns))...)
	w.work()
	w.get(strings.TrimSuffix(columns, "/colonnes")).Whole().Says(".message", "correspond déjà")
}
