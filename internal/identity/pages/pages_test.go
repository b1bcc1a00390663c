package pages_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/identity/pages"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// site is the pages of a house, in front of a browser that keeps its cookies.
type site struct {
	t      *testing.T
	house  *identitytest.House
	router *ui.Router
	jar    map[string]*http.Cookie
}

func newSite(t *testing.T) *site {
	t.Helper()
	t.Parallel()
	h := identitytest.New(t, storagetest.SQLite(t, identitytest.Rooms()...))
	router := uitest.House(t, ui.Visitor{}, func(o *ui.Options) {
		o.Visitors = pages.NewVisitors(h.Identity)
		o.Clock = h.Clock
		o.PublicURL = identitytest.Origin().String()
	}, identity.Locales)
	pages.Routes(router, pages.Options{Service: h.Identity, Origin: identitytest.Origin().String()})
	router.Get("/", ui.SignedIn, func(c *ui.Context) error { return c.JSON(200, c.Visitor.Establishment.Name) })
	router.Get("/annuaire", access.DirectoryRead, func(c *ui.Context) error { return c.JSON(200, "directory") })
	return &site{t: t, house: h, router: router, jar: map[string]*http.Cookie{}}
}

func (s *site) options() []uitest.RequestOption {
	out := []uitest.RequestOption{uitest.With("Accept-Language", "fr"), uitest.With("User-Agent", identitytest.Here().Device)}
	for _, c := range s.jar {
		out = append(out, uitest.Cookie(c))
	}
	return out
}

func (s *site) keep(p *uitest.Page) *uitest.Page {
	for _, c := range p.Cookies() {
		if c.MaxAge < 0 {
			delete(s.jar, c.Name)
			continue
		}
		s.jar[c.Name] = c
	}
	return p
}

func (s *site) get(path string) *uitest.Page {
	s.t.Helper()
	return s.keep(uitest.Get(s.t, s.router, path, s.options()...))
}

func (s *site) post(path string, fields ...string) *uitest.Page {
	s.t.Helper()
	return s.keep(uitest.Post(s.t, s.router, path, fields, s.options()...))
}

// as gives the browser the session of a person.
func (s *site) as(p *identitytest.Person) *site {
	s.jar = map[string]*http.Cookie{p.SecureCookie().Name: p.SecureCookie()}
	return s
}

// The first minutes: link, establishment and account, second factor, codes.
func TestFirstRun(t *testing.T) {
	s := newSite(t)
	code, _, err := s.house.Identity.Bootstrap(t.Context(), s.house.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.get("/connexion").Want(200).Whole().Says(".message", "le lien affiché au démarrage")
	path := strings.TrimPrefix(pages.FirstRunLink(identitytest.Origin().String(), code), identitytest.Origin().String())
	s.get(path).Want(200).Whole().Has("input[name=establishment]").Count("input[name=colour]", 10).Says("h1", "Bienvenue")
	s.post(path, "establishment", "CH des Deux-Rives", "colour", "#0b6e4f", "name", "Ana Ruiz", "login", "ana@ch.example", "password", "court", "launches", "oui").
		Want(422).Whole().Says(".summary", "au moins 12 caractères").Value("#f-name", "value", "Ana Ruiz").Value("#f-password", "value", "")
	s.post(path, "establishment", "CH des Deux-Rives", "colour", "#0b6e4f", "name", "Ana Ruiz", "login", "ana@ch.example", "password", identitytest.Password, "launches", "oui").
		Leads(pages.SecondFactorPath)
	for name, c := range s.jar {
		if !strings.HasPrefix(name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %+v", c)
		}
	}
	s.get(path).Want(404).Whole().Says(".message", "déjà servi")
	s.get("/annuaire").Leads(pages.SecondFactorPath)
	s.get(pages.SecondFactorPath).Want(200).Whole().Says("li[aria-current=step]", "Second facteur")
	set := s.get("/compte/second-facteur/application").Want(200).Whole().Has("img[src^='data:image/png;base64,']")
	secret := strings.ReplaceAll(uitest.Text(set.Find("code")[0]), " ", "")
	s.post("/compte/second-facteur/application", "code", "000000x").Want(422).Says(".summary", "Ce code n’est pas le bon")
	s.post("/compte/second-facteur/application", "code", codeOf(t, secret, s.house.Clock.Now())).Leads("/compte/codes-de-secours")
	s.get("/compte/codes-de-secours").Want(200).Whole().Count("ol.columns code", 10)
	s.get("/compte/codes-de-secours").Count("ol.columns code", 10) // still there after a reload
	s.post("/compte/codes-de-secours/notes").Leads("/")
	s.get("/compte/codes-de-secours").Count("ol.columns code", 0).Says(".lead", "10 codes")
	s.get("/annuaire").Want(200)
	newcomer := &site{t: s.t, house: s.house, router: s.router, jar: map[string]*http.Cookie{}}
	newcomer.get("/connexion").Want(200).Lacks(".message")
	s.get(pages.AccountsPath).Want(200).Whole().Says("td", "Administrateur, Déclencheur").Says(".message", "seule personne")
}

func TestSignInWithSecondFactor(t *testing.T) {
	s := newSite(t)
	ana := s.house.Person(t, s.house.Establishment(t, "CH Nord"), "ana@ch.example", access.Launcher)
	s.house.Clock.Advance(time.Minute)
	s.get("/annuaire").Leads("/connexion?suite=%2Fannuaire")
	s.get("/connexion?suite=/annuaire").Want(200).Whole().Value("input[name=suite]", "value", "/annuaire")
	s.post("/connexion", "login", ana.Login, "password", "pas le bon mot", "suite", "/annuaire").
		Want(422).Whole().Says(".message", "Identifiant ou mot de passe incorrect").Value("#f-login", "value", ana.Login)
	s.post("/connexion", "login", ana.Login, "password", identitytest.Password, "suite", "/annuaire").Leads("/connexion/second-facteur?suite=%2Fannuaire")
	s.get("/annuaire").Leads("/connexion?suite=%2Fannuaire")
	s.get("/connexion/second-facteur?suite=/annuaire").Want(200).Whole()
	s.post("/connexion/second-facteur", "code", "123", "suite", "/annuaire").Want(422).Whole()
	s.post("/connexion/second-facteur", "code", ana.Code(t, 0), "suite", "/annuaire").Leads("/annuaire")
	s.get("/annuaire").Want(200)
	s.get("/connexion").Leads("/")
	old := s.jar["__Host-"+pages.SessionCookie]
	s.post("/deconnexion").Leads("/connexion")
	s.jar[old.Name] = old
	s.get("/annuaire").Leads("/connexion?suite=%2Fannuaire")
}

// A cookie without the prefix may come from another site of the domain.
// Whoever presses a button after his session ended is told that nothing was done,
// and comes back to the page he pressed it on, not elsewhere.
func TestASessionThatEndsUnderTheHand(t *testing.T) {
	s := newSite(t)
	told := func(referer string) (*uitest.Page, string) {
		t.Helper()
		s.jar = map[string]*http.Cookie{}
		p := s.keep(uitest.Post(s.t, s.router, pages.AccountsPath+"/nouveau", []string{"name", "x"}, append(s.options(), uitest.With("Referer", referer))...))
		return s.get("/connexion").Says("#notices, .message", "rien n’est parti"), p.Header.Get("Location")
	}
	if page, at := told(identitytest.Origin().String() + "/annuaire?q=1"); at != "/connexion?suite=%2Fannuaire%3Fq%3D1" {
		t.Errorf("leads to %q: %v", at, page.Header)
	}
	if _, at := told("https://evil.example/annuaire"); at != "/connexion" {
		t.Errorf("a stranger's page leads to %q", at)
	}
}

func TestPlantedCookieIsIgnored(t *testing.T) {
	s := newSite(t)
	lea := s.house.Person(t, s.house.Establishment(t, "CH Nord"), "lea@ch.example", access.Reader)
	s.jar = map[string]*http.Cookie{"planted": lea.Cookie()}
	s.get("/annuaire").Leads("/connexion?suite=%2Fannuaire")
	s.as(lea).get("/annuaire").Want(200)
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	s := newSite(t)
	lea := s.house.Person(t, s.house.Establishment(t, "CH Nord"), "lea@ch.example", access.Reader)
	for _, hostile := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"} {
		s.jar = map[string]*http.Cookie{}
		s.post("/connexion", "login", lea.Login, "password", identitytest.Password, "suite", hostile).Leads("/")
	}
}

// A person of two establishments sees and uses one at a time.
func TestSwitchOfEstablishment(t *testing.T) {
	s := newSite(t)
	nord, sud := s.house.Establishment(t, "CH Nord"), s.house.Establishment(t, "CH Sud")
	lea := s.house.Person(t, nord, "lea@ch.example", access.Reader)
	if _, err := s.house.Identity.Add(t.Context(), access.Instance("test").Within(sud), identity.NewAccount{Login: lea.Login, Name: "Léa", Roles: []access.Role{access.Auditor}}); err != nil {
		t.Fatal(err)
	}
	s.as(lea)
	if got := s.get("/").Body; got != `"CH Nord"` {
		t.Fatalf("at %s", got)
	}
	s.get(pages.AccountsPath).Want(403)
	s.post("/etablissement", "etablissement", sud.String()).Leads("/")
	if got := s.get("/").Body; got != `"CH Sud"` {
		t.Fatalf("at %s", got)
	}
	s.get(pages.AccountsPath).Want(200).Says("td", "Auditeur")
	s.post("/etablissement", "etablissement", uuid.NewString()).Want(404)
}

func TestAccountsPages(t *testing.T) {
	s := newSite(t)
	nord := s.house.Establishment(t, "CH Nord")
	boss := s.house.Person(t, nord, "boss@ch.example", access.Administrator)
	s.as(boss)
	s.get(pages.AccountsPath+"/nouveau").Want(200).Whole().Count("input[name=roles]", 10)
	s.post(pages.AccountsPath+"/nouveau", "name", "Léa Petit", "login", "lea@ch.example", "language", "fr").
		Want(422).Whole().Says(".summary", "Choisissez au moins un rôle").Value("#f-login", "value", "lea@ch.example")
	shown := s.post(pages.AccountsPath+"/nouveau", "name", "Léa Petit", "login", "lea@ch.example", "language", "fr", "roles", "lecteur", "roles", "auditeur").Want(200).Whole()
	link := uitest.Attribute(shown.Find("#link")[0], "value")
	if !strings.HasPrefix(link, "https://tocsin.test/invitation/") {
		t.Fatalf("link %q", link)
	}
	s.get(pages.AccountsPath+"?role=auditeur").Want(200).Whole().Says("td", "Léa Petit").Says("td", "Invité").Count("tbody tr", 1)
	s.get(pages.AccountsPath+"?q=leA").Count("tbody tr", 1)
	members, err := s.house.Identity.Members(t.Context(), boss.Scope)
	if err != nil || len(members) != 2 {
		t.Fatalf("%d members, %v", len(members), err)
	}
	lea := pages.AccountsPath + "/" + members[1].ID.String()
	s.get(lea).Want(200).Whole()
	s.post(lea+"/roles", "roles", "declencheur").Leads(lea)
	s.get(lea).Has("input[value=declencheur][checked]").Lacks("input[value=lecteur][checked]")
	s.post(lea + "/suspendre").Leads(lea)
	s.get(lea).Whole().Says(".badge", "Suspendu")
	s.post(lea + "/retablir").Leads(lea)
	s.post(lea + "/reinitialiser").Want(200).Whole().Has("#link")
	mine := pages.AccountsPath + "/" + boss.ID.String()
	s.post(mine + "/suspendre").Leads(mine)
	s.get(mine).Says(".message", "n’aurait plus d’administrateur")

	s.jar = map[string]*http.Cookie{}
	path := strings.TrimPrefix(link, "https://tocsin.test")
	s.get(path).Want(404).Says(".message", "n’existe pas") // the reset replaced it
}

func TestOwnAccountPages(t *testing.T) {
	s := newSite(t)
	lea := s.house.Person(t, s.house.Establishment(t, "CH Nord"), "lea@ch.example", access.Reader)
	other, err := s.house.Identity.SignIn(t.Context(), identity.Client{Address: "198.51.100.4", Device: "Mozilla/5.0 (iPhone) Safari/604"}, lea.Login, identitytest.Password)
	if err != nil {
		t.Fatal(err)
	}
	s.as(lea)
	page := s.get("/compte").Want(200).Whole().Says("td", "Firefox sur Linux").Says("td", "Safari sur iPhone").Count("#sessions tbody tr", 2)
	action := uitest.Attribute(page.Find("#sessions tbody form")[0], "action")
	s.post(action).Leads("/compte#sessions")
	if _, err := s.house.Identity.Session(t.Context(), other.Token, identitytest.Here()); err == nil {
		t.Error("the revoked session still opens")
	}
	s.post("/compte", "name", "Léa Martin", "language", "en").Leads("/compte")
	s.get("/compte").Whole().Says("h1", "My account").Value("#f-name", "value", "Léa Martin")
	s.get("/compte/mot-de-passe").Want(200).Whole()
	s.post("/compte/mot-de-passe", "old", "wrong wrong wrong", "password", "neuf phrases pour une nuit").Want(422).Says(".summary", "not right")
	before := lea.Token
	s.post("/compte/mot-de-passe", "old", identitytest.Password, "password", "neuf phrases pour une nuit").Leads("/compte")
	if s.jar["__Host-"+pages.SessionCookie].Value == before {
		t.Error("the token did not change with the password")
	}
	s.get("/compte").Want(200)
	s.get(pages.SecondFactorPath).Want(200).Whole().Has("[data-passkey=register]")
}

func TestDoorInBothLanguages(t *testing.T) {
	s := newSite(t)
	for _, lang := range i18n.Languages() {
		s.get("/connexion?lang="+string(lang)).Want(200).Whole().Value("html", "lang", string(lang))
		s.get("/invitation/nothing?lang=" + string(lang)).Want(404).Whole()
	}
}

func codeOf(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}
