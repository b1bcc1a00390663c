package ui_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

type banners struct {
	list []ui.Banner
	err  error
}

func (b banners) Banners(context.Context, access.Scope, *i18n.Localizer) ([]ui.Banner, error) {
	return b.list, b.err
}

type finder struct{ hits []ui.Hit }

func (f finder) Search(_ context.Context, s access.Scope, _ *i18n.Localizer, q string) ([]ui.Hit, error) {
	if s.Organisation() != uitest.Establishment() || q == "rien" {
		return nil, nil
	}
	return f.hits, nil
}

// framed serves one page inside a whole frame. The labels are sentences the
// house has already.
func framed(t *testing.T, who ui.Visitor, b ui.Banners) *ui.Router {
	t.Helper()
	r := uitest.House(t, who, func(o *ui.Options) {
		o.Frame = ui.Frame{
			Rail: []ui.NavItem{
				{Label: "common.all", Path: "/", Icon: "home", Need: ui.SignedIn},
				{Label: "ui.search", Path: "/annuaire", Icon: "users", Need: access.DirectoryRead},
				{Label: "common.details", Path: "/journal", Icon: "journal", Need: access.JournalRead},
			},
			Acts: []ui.NavItem{
				{Label: "common.send", Path: "/declencher", Icon: "megaphone", Need: access.AlertLaunch},
				{Label: "ui.search", Path: "/annuaire", Icon: "users", Need: access.DirectoryRead},
				{Label: "common.import", Path: "/importer", Icon: "upload", Need: access.DirectoryImport},
				{Label: "common.all", Path: "/", Icon: "home", Need: ui.SignedIn},
			},
			Banner: b,
			Search: finder{[]ui.Hit{{Kind: "Personne", Title: "Camille <Martin>", Detail: "Urgences", Path: "/annuaire/1", Icon: "user"}}},
		}
	})
	page := func(c *ui.Context) error { return c.Render(ui.FormForTest(c, c.Form())) }
	r.Get("/annuaire/{id}", ui.SignedIn, page)
	return r
}

func TestRailAndActsFollowTheRole(t *testing.T) {
	t.Parallel()
	tests := []struct {
		role        access.Role
		rail, acts  int
		first, last string
	}{
		{access.Launcher, 2, 3, "/declencher", "/"},
		{access.Auditor, 3, 2, "/annuaire", "/"},
		{access.DirectoryManager, 2, 3, "/annuaire", "/"},
	}
	for _, tt := range tests {
		t.Run(string(tt.role), func(t *testing.T) {
			t.Parallel()
			p := uitest.Get(t, framed(t, uitest.As(tt.role), nil), "/annuaire/7").Want(200).Whole()
			p.Count(".rail li", tt.rail).Count(".acts > ul > li", tt.acts).Count(".acts-panel li", tt.rail)
			p.Value(".rail a[aria-current=page]", "href", "/annuaire")
			p.Value(".acts > ul > li:first-child a", "href", tt.first)
			p.Value(".acts > ul > li:last-child a", "href", tt.last)
		})
	}
}

func TestEstablishmentIsAlwaysNamed(t *testing.T) {
	t.Parallel()
	who := uitest.As(access.Reader)
	who.Establishments = append(who.Establishments, ui.Establishment{Name: "EHPAD Les Tilleuls", Colour: `red"/><script>`})
	p := uitest.Get(t, framed(t, who, nil), "/annuaire/7").Want(200).Whole()
	p.Says(".establishment", "Centre hospitalier des Trois-Vallées").Value(".establishment rect", "fill", "#0b7285")
	p.Count("form[action='/etablissement'] button", 2).Says("form[action='/etablissement']", "EHPAD Les Tilleuls")
	p.Count("form[action='/etablissement'] rect[fill='#64748b']", 1)
	p.Has("form[action='/deconnexion'] button").Has("a[href='/compte']")
}

func TestBannerIsOnEveryPage(t *testing.T) {
	t.Parallel()
	b := banners{list: []ui.Banner{{Tone: ui.Attention, Mark: "EXERCICE", Text: "Plan blanc", Path: "/alertes/1", Action: "Suivre"}}}
	r := framed(t, uitest.As(access.Reader), b)
	for _, path := range []string{"/annuaire/7", "/recherche", "/nulle-part"} {
		p := uitest.Get(t, r, path).Says(".banner.tone-attention .banner-mark", "EXERCICE")
		p.Value(".banner a", "href", "/alertes/1").Has(".banner svg.shape")
	}
	// The pages under what it leads to say it themselves.
	own := banners{list: []ui.Banner{{Tone: ui.Attention, Mark: "EXERCICE", Text: "Plan blanc", Path: "/annuaire", Action: "Suivre"}}}
	uitest.Get(t, framed(t, uitest.As(access.Reader), own), "/annuaire/7").Want(200).Lacks(".banner")
	broken := framed(t, uitest.As(access.Reader), banners{err: errors.New("no answer")})
	uitest.Get(t, broken, "/annuaire/7").Want(200).Says(".banner", "Impossible de savoir si une alerte est en cours")
}

func TestSearchPage(t *testing.T) {
	t.Parallel()
	r := framed(t, uitest.As(access.Reader), nil)
	uitest.Get(t, r, "/recherche?q=mar").Want(200).Whole().
		Says(".hits a", "Camille <Martin>").Value("#q", "value", "mar").Says("h2", "1 résultat")
	uitest.Get(t, r, "/recherche?q=rien").Want(200).Says("main", "Rien ne correspond à « rien »").Lacks(".hits")
	uitest.Get(t, r, "/recherche?q=m").Want(200).Says("main", "au moins deux lettres")
	uitest.Get(t, framed(t, ui.Visitor{}, nil), "/recherche?q=mar").Leads("/connexion?suite=%2Frecherche%3Fq%3Dmar")
}

func TestLanguageIsChosenInOrder(t *testing.T) {
	t.Parallel()
	english := uitest.As(access.Reader)
	english.Language = i18n.English
	cookie := uitest.With("Cookie", "tocsin_langue=en")
	tests := []struct {
		name, path string
		who        ui.Visitor
		opts       []uitest.RequestOption
		want       string
	}{
		{"French when nothing is said", "/annuaire/7", uitest.As(access.Reader), nil, "fr"},
		{"the browser's", "/annuaire/7", uitest.As(access.Reader), []uitest.RequestOption{uitest.With("Accept-Language", "en-GB,en;q=0.9")}, "en"},
		{"the cookie before the browser", "/annuaire/7", uitest.As(access.Reader), []uitest.RequestOption{cookie, uitest.With("Accept-Language", "fr")}, "en"},
		{"the address before the cookie", "/annuaire/7?lang=fr", uitest.As(access.Reader), []uitest.RequestOption{cookie}, "fr"},
		{"a language we do not speak", "/annuaire/7?lang=de", uitest.As(access.Reader), nil, "fr"},
		{"the account before all", "/annuaire/7?lang=fr", english, nil, "en"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			uitest.Get(t, framed(t, tt.who, nil), tt.path, tt.opts...).Want(200).Whole().Value("html", "lang", tt.want)
		})
	}
}

func TestThemeIsKeptByTheServer(t *testing.T) {
	t.Parallel()
	r := framed(t, uitest.As(access.Reader), nil)
	set := uitest.Post(t, r, "/preferences/theme", []string{"theme", "dark", "retour", "/annuaire/7"}).Leads("/annuaire/7")
	p := uitest.Get(t, r, "/annuaire/7", uitest.Cookie(set.Cookies()[0])).Value("html", "data-theme", "dark")
	p.Value(`meta[name="color-scheme"]`, "content", "dark").Has(`button[value=dark][aria-pressed=true]`)
	uitest.Get(t, r, "/annuaire/7", uitest.With("Cookie", `tocsin_theme=x"onload`)).Value("html", "data-theme", "")
	uitest.Post(t, r, "/preferences/langue", []string{"langue", "en", "retour", "//evil.test"}).Leads("/")
}

func TestStyleGuideOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	uitest.Get(t, framed(t, uitest.As(access.Reader), nil), "/styleguide").Want(404)
	r := uitest.House(t, uitest.As(access.Roles()...), func(o *ui.Options) { o.StyleGuide = true })
	for _, path := range []string{"/styleguide", "/styleguide/porte", "/styleguide/mur", "/styleguide/reponse"} {
		uitest.Get(t, r, path).Want(200).Whole()
	}
	uitest.Get(t, r, "/styleguide/autre").Want(404)
	uitest.Post(t, r, "/styleguide", []string{"nom", "A"}).Want(422).Whole().Has(".summary")
}

func TestAnswerFrameIsSmallAndWhole(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, ui.Visitor{}, func(o *ui.Options) { o.StyleGuide = true })
	p := uitest.Get(t, r, "/styleguide/reponse").Want(200).Whole().Lacks("script").Lacks("link:not([href^=data])").Lacks("img").Count("style", 1)
	if len(p.Body) > 10_000 {
		t.Errorf("the answer frame weighs %d bytes uncompressed, half of what the page may weigh", len(p.Body))
	}
	r.Get("/r/{code}", ui.Public, func(*ui.Context) error { panic("boom") }, ui.Bare())
	uitest.Get(t, r, "/r/abc").Want(500).Whole().Lacks("script").Lacks(".rail").Count("style", 1)
}

// TestOnlyTheAnswerPageCarriesAStyle: the hash is in no other policy, and what
// the answer page does not need its policy refuses.
func TestOnlyTheAnswerPageCarriesAStyle(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, ui.Visitor{}, func(o *ui.Options) { o.StyleGuide = true })
	for path, inside := range map[string]bool{"/styleguide/reponse": true, "/styleguide/porte": false, "/styleguide": false, "/nulle-part": false} {
		p := uitest.Get(t, r, path)
		policy := p.Header.Get("Content-Security-Policy")
		if got := strings.Contains(policy, "'sha256-"); got != inside || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: a hash in the policy is %t, want %t: %s", path, got, inside, policy)
		}
		if inside && (strings.Contains(policy, "script-src") || strings.Contains(policy, "connect-src") || !strings.HasPrefix(policy, "default-src 'none';")) {
			t.Errorf("%s lets through more than it needs: %s", path, policy)
		}
		if got := len(p.Find("style")); got > 0 != inside {
			t.Errorf("%s has %d style elements", path, got)
		}
	}
}
