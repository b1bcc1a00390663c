package pages_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/organisation/finess"
	"tocsin/internal/organisation/pages"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// site is the pages in front of one visitor, on a real database.
type site struct {
	t      *testing.T
	s      *organisation.Service
	clock  *clock.Fake
	scope  access.Scope
	router *ui.Router
}

func newSite(t *testing.T, roles ...access.Role) *site {
	t.Helper()
	t.Parallel()
	db := storagetest.SQLite(t, organisation.Migrations, journal.Migrations)
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, clock: clock.NewFake(uitest.Noon()), scope: access.System(uitest.Establishment(), "test")}
	s.s = organisation.New(db, guard, s.clock)
	if _, err := s.s.Create(t.Context(), access.Instance("test"), organisation.Establishment{ID: uitest.Establishment(), Name: "CH des Trois-Vallées"}); err != nil {
		t.Fatal(err)
	}
	s.router = s.as(roles...)
	return s
}

// as gives the pages to a visitor with these roles.
func (s *site) as(roles ...access.Role) *ui.Router {
	r := uitest.House(s.t, uitest.As(roles...), func(o *ui.Options) { o.Clock = s.clock }, pages.Locales, organisation.Locales, finess.Locales)
	pages.Routes(r, pages.Options{Service: s.s})
	return r
}

func (s *site) get(path string) *uitest.Page {
	s.t.Helper()
	return uitest.Get(s.t, s.router, path, uitest.With("Accept-Language", "fr"))
}

func (s *site) post(path string, fields ...string) *uitest.Page {
	s.t.Helper()
	return uitest.Post(s.t, s.router, path, fields, uitest.With("Accept-Language", "fr"))
}

func (s *site) add(kind organisation.Kind, name string, parent uuid.UUID) uuid.UUID {
	s.t.Helper()
	n, err := s.s.AddNode(s.t.Context(), s.scope, organisation.Node{Kind: kind, Name: name}, parent)
	if err != nil {
		s.t.Fatal(err)
	}
	return n.ID
}

func TestEmptyTreeSaysWhatToDo(t *testing.T) {
	s := newSite(t, access.Administrator)
	s.get(pages.Path).Want(200).Whole().Has(".empty a[href='/etablissement/nouveau?sorte=site']").Has(".empty a[href='/annuaire/import']").Lacks("#arbre")
	reader := uitest.Get(t, s.as(access.Reader), pages.Path)
	reader.Want(200).Whole().Has(".empty").Lacks("a[href^='/etablissement/nouveau']").Lacks("a[href='/etablissement/modifier']")
}

func TestTreeIsBuiltFromThePages(t *testing.T) {
	s := newSite(t, access.DirectoryManager)
	s.get("/etablissement/nouveau").Want(200).Whole().Count("a.card-link", len(organisation.Kinds()))
	s.get("/etablissement/nouveau?sorte=lune").Want(200).Count("a.card-link", len(organisation.Kinds()))
	s.post("/etablissement/nouveau", "sorte", "lune", "name", "x").Want(422).Whole()
	s.get("/etablissement/nouveau?sorte=ej").Want(200).Whole().Has("input[name=finess]").Lacks("select[name=zone]").Lacks("select[name=parent]")
	s.post("/etablissement/nouveau", "sorte", "ej", "name", "CH des Trois-Vallées", "finess", "75 071 218 5").
		Want(422).Whole().Has(".summary a[href='#f-finess']").Value("#f-name", "value", "CH des Trois-Vallées").Value("#f-finess", "value", "75 071 218 5")
	s.post("/etablissement/nouveau", "sorte", "ej", "name", "").Want(422).Has(".summary a[href='#f-name']")
	ej := s.post("/etablissement/nouveau", "sorte", "ej", "name", "CH des Trois-Vallées", "finess", "75 071 218 4").Header.Get("Location")
	s.get(ej).Want(200).Whole().Says("dd", "75 071 218 4").Says("h1", "CH des Trois-Vallées")
	parent := strings.TrimPrefix(ej, pages.Path+"/")
	s.get("/etablissement/nouveau?sorte=site&sous=" + parent).Whole().Has("select[name=parent] option[selected][value='" + parent + "']").Has("select[name=zone]")
	site := s.post("/etablissement/nouveau", "sorte", "site", "name", "Valmont Nord", "zone", "Indian/Reunion", "parent", parent).Header.Get("Location")
	s.get(site).Whole().Says("dd", "La Réunion").Has("a[href='" + ej + "']").Has("a[href^='/annuaire?site=']")
	s.post("/etablissement/nouveau", "sorte", "service", "name", "Urgences", "code", "UF 4512", "parent", strings.TrimPrefix(site, pages.Path+"/")).Want(303)
	s.post("/etablissement/nouveau", "sorte", "service", "name", "Urgences", "code", "UF 4512", "parent", strings.TrimPrefix(site, pages.Path+"/")).
		Want(409).Whole().Says(".summary", "existe déjà").Value("#f-code", "value", "UF 4512")
	s.post("/etablissement/nouveau", "sorte", "service", "name", "Bloc", "parent", "n’importe quoi").Want(422).Whole()
	s.post("/etablissement/nouveau", "sorte", "service", "name", "Bloc", "parent", uuid.NewString()).Want(404)
	s.get(pages.Path).Want(200).Whole().Says("#arbre li li li", "Urgences").Says("#arbre", "UF 4512").Says(".count", "1 service").Lacks(".empty")
}

func TestTreeAtADate(t *testing.T) {
	s := newSite(t, access.Reader)
	s.add(organisation.Site, "Ancien site", uuid.Nil)
	s.clock.Advance(48 * time.Hour)
	s.add(organisation.Site, "Nouveau site", uuid.Nil)
	s.get("/etablissement?au=2026-11-22").Want(200).Whole().Says("#arbre", "Ancien site").Count("#arbre li", 1).Says(".message", "22 novembre 2026")
	s.get("/etablissement?au=2026-11-24").Whole().Count("#arbre li", 2)
	s.get("/etablissement?au=2020-01-01").Whole().Lacks("#arbre").Lacks(".empty")
	s.get("/etablissement?au=hier").Want(200).Whole().Has("input[aria-invalid=true]").Says(".error", "AAAA-MM-JJ").Value("#au", "value", "hier")
}

func TestNodeIsJoinedPartedAndClosed(t *testing.T) {
	s := newSite(t, access.Administrator)
	site := s.add(organisation.Site, "Valmont Sud", uuid.Nil)
	path := pages.NodePath(site)
	s.get(path + "/rattacher").Want(200).Whole().Has(".empty").Lacks("select[name=parent]")
	ght := s.add(organisation.GHT, "GHT du Lac", uuid.Nil)
	s.get(path+"/rattacher").Whole().Value("#f-from", "value", "2026-11-22").Has("option[value='" + ght.String() + "']")
	s.post(path+"/rattacher", "parent", "", "relation", "member", "from", "2026-11-22").Want(422).Has(".summary a[href='#f-parent']")
	s.post(path+"/rattacher", "parent", ght.String(), "relation", "member", "from", "le 3").Want(422).Says(".summary", "AAAA-MM-JJ")
	s.post(path+"/rattacher", "parent", ght.String(), "relation", "member", "from", "2026-11-22", "to", "2026-11-01").Want(422).Says(".summary", "doit suivre")
	s.post(path+"/rattacher", "parent", ght.String(), "relation", "subscribes", "from", "2026-11-22").Leads(path)
	s.get(path).Whole().Says("td", "GHT du Lac").Says("td", "Abonné")
	s.get(pages.Path).Whole().Says("#arbre .badge", "Abonné")
	links, err := s.s.Links(t.Context(), s.scope)
	if err != nil || len(links) != 1 {
		t.Fatalf("%d links, %v", len(links), err)
	}
	s.post(path+"/detacher", "lien", uuid.NewString()).Want(404)
	s.post(pages.NodePath(ght)+"/detacher", "lien", links[0].ID.String()).Want(404) // not a link above that node
	s.clock.Advance(time.Minute)
	s.post(path+"/detacher", "lien", links[0].ID.String()).Leads(path)
	s.get(path).Whole().Says("td", "Du 22 novembre 2026").Lacks("form[action$=detacher]")
	s.get(path+"/fermer").Want(200).Whole().Says("li", "0 rattachement").Has("form button.danger")
	s.post(path + "/fermer").Leads(path)
	s.get(path).Whole().Says(".message", "fermée depuis").Lacks("a[href$='/fermer']")
	s.post(path + "/fermer").Leads(path)
	s.get(pages.Path).Whole().Count("#arbre li", 1)
}

func TestEstablishmentIsEdited(t *testing.T) {
	s := newSite(t, access.Administrator)
	s.get("/etablissement/modifier").Want(200).Whole().Value("#f-name", "value", "CH des Trois-Vallées").Count("input[name=colour]", len(organisation.Palette()))
	good := []string{"name", "CH du Lac", "zone", "Europe/Paris", "language", "fr", "colour", "#0b6e4f", "word", "hirondelle", "finess", "750712184"}
	s.post("/etablissement/modifier", append(good, "name", "")...).Want(303)
	s.get(pages.Path).Says("h1", "CH du Lac").Says("dd", "75 071 218 4")
	bad := []string{"name", "CH du Lac", "zone", "Local", "language", "fr", "colour", "red"}
	s.post("/etablissement/modifier", bad...).Want(422).Whole().Has(".summary")
	s.post("/etablissement/modifier", "name", "").Want(422).Whole().Has(".summary a[href='#f-name']")
}

func TestNodeIsEdited(t *testing.T) {
	s := newSite(t, access.Administrator)
	path := pages.NodePath(s.add(organisation.Site, "Valmont Sud", uuid.Nil))
	s.get(path+"/modifier").Want(200).Whole().Value("#f-name", "value", "Valmont Sud")
	s.post(path+"/modifier", "name", "<script>alert(1)</script>", "address", "1 rue du Lac").Leads(path)
	s.get(path).Whole().Says("h1", "<script>alert(1)</script>").Says("dd", "1 rue du Lac")
	s.post(path+"/modifier", "name", "").Want(422).Whole()
	s.post(path+"/modifier", "name", "Valmont", "zone", "Mars/Olympus").Want(422).Whole().Has(".summary a[href='#f-zone']")
}

// Another establishment's node, or none, is a page that does not exist.
func TestOtherIDsDoNotExist(t *testing.T) {
	s := newSite(t, access.Administrator)
	other, err := s.s.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CH voisin"})
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.s.AddNode(t.Context(), access.System(other.ID, "test"), organisation.Node{Kind: organisation.Site, Name: "Site voisin"}, uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{n.ID.String(), uuid.NewString(), "nimporte", "%3Cscript%3E"} {
		for _, under := range []string{"", "/modifier", "/rattacher", "/fermer"} {
			s.get(pages.Path + "/" + id + under).Want(404).Whole()
		}
		for _, under := range []string{"/modifier", "/rattacher", "/detacher", "/fermer"} {
			s.post(pages.Path+"/"+id+under, "name", "x").Want(404)
		}
	}
	s.get(pages.Path).Lacks("#arbre")
	mine := s.add(organisation.CareService, "Urgences", uuid.Nil)
	s.post(pages.NodePath(mine)+"/rattacher", "parent", n.ID.String(), "relation", "member", "from", "2026-11-22").Want(404)
}

func TestReadersChangeNothing(t *testing.T) {
	s := newSite(t, access.Reader, access.Auditor, access.Launcher)
	path := pages.NodePath(s.add(organisation.Site, "Valmont Sud", uuid.Nil))
	s.get(path).Want(200).Whole().Lacks("a[href$='/modifier']").Lacks("main form")
	for _, at := range []string{"/etablissement/modifier", "/etablissement/nouveau", path + "/modifier", path + "/rattacher", path + "/fermer"} {
		s.get(at).Want(403)
		s.post(at, "name", "x", "sorte", "site").Want(403)
	}
	s.post(path+"/detacher", "lien", uuid.NewString()).Want(403)
}

func TestSearchFindsByNameAndCode(t *testing.T) {
	s := newSite(t, access.Reader)
	site := s.add(organisation.Site, "Valmont Éveil", uuid.Nil)
	closed := s.add(organisation.Site, "Éveil fermé", uuid.Nil)
	if err := s.s.CloseNode(t.Context(), s.scope, closed); err != nil {
		t.Fatal(err)
	}
	loc := i18ntest.Localizer(t, "fr", pages.Locales, organisation.Locales)
	search := pages.Search{Service: s.s}
	hits, err := search.Search(t.Context(), uitest.As(access.Reader).Scope, loc, "eveil")
	if err != nil || len(hits) != 1 || hits[0].Path != pages.NodePath(site) || hits[0].Kind != "Site" {
		t.Errorf("hits %+v, %v", hits, err)
	}
	hits, err = search.Search(t.Context(), uitest.As().Scope, loc, "eveil")
	if err != nil || len(hits) != 0 {
		t.Errorf("without a role: %+v, %v", hits, err)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", pages.Locales, organisation.Locales, finess.Locales, ui.Locales)
	for _, item := range pages.Rail() {
		if !i18ntest.Localizer(t, "en", pages.Locales).Has(item.Label) {
			t.Errorf("no sentence for %s", item.Label)
		}
	}
}
