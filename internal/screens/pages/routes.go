package pages

import (
	"net/http"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/screens"
	"tocsin/internal/ui"
	"tocsin/internal/vault"
)

// The addresses of this room.
const (
	WallPath = "/ecran"
	Path     = "/administration/ecrans"
)

const cookie = "tocsin_ecran"

// cookieLife is how long a browser stays the same screen.
const cookieLife = 10 * 365 * 24 * time.Hour

// Options are what the pages rest on.
type Options struct {
	Service *screens.Service
	Catalog *i18n.Catalog
	// Secure tells that people come by https.
	Secure bool
	// Version is that of the program.
	Version string
}

type pages struct{ Options }

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{o}
	r.Get(WallPath, ui.Public, p.wall, ui.Bare())
	r.Get(WallPath+"/etat", ui.Public, p.state, ui.Bare())
	r.Get(WallPath+"/sw.js", ui.Public, func(c *ui.Context) error { return c.SendWorker("wall-worker.js", WallPath) }, ui.Bare())
	r.Get(Path, access.ChannelRead, p.list)
	r.Post(Path, access.ChannelWrite, p.pair)
	r.Post(Path+"/{id}/retirer", access.ChannelWrite, p.remove)
}

func (p pages) cookieName(r *http.Request) string {
	if p.Secure || r.TLS != nil {
		return "__Host-" + cookie
	}
	return cookie
}

// token is what this browser is known by; a new one is kept from now on.
func (p pages) token(c *ui.Context) string {
	name := p.cookieName(c.Request)
	if kept, err := c.Request.Cookie(name); err == nil && len(kept.Value) == vault.TokenLength {
		return kept.Value
	}
	token, _ := vault.NewToken()
	http.SetCookie(c.Writer, &http.Cookie{
		Name: name, Value: token, Path: "/", MaxAge: int(cookieLife / time.Second),
		HttpOnly: true, Secure: p.Secure || c.Request.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
	return token
}

// look asks what this browser shows, in the language of its establishment.
func (p pages) look(c *ui.Context) (screens.View, string, bool, error) {
	c.Writer.Header().Set("Cache-Control", "no-store")
	token := p.token(c)
	q := c.Request.URL.Query()
	v, found, err := p.Service.Visit(c.Ctx(), token, q.Get("v"), q.Get("vu"), c.Now)
	if found {
		c.Loc = p.Catalog.For(i18n.Language(v.Establishment.Language))
		if zone, err := time.LoadLocation(v.Establishment.Zone); err == nil {
			c.Zone = zone
		}
	}
	return v, token, found, err
}

// wall is the page of a screen, or the code by which it becomes one.
func (p pages) wall(c *ui.Context) error {
	v, token, found, err := p.look(c)
	if err != nil {
		return err
	}
	if !found {
		return c.Render(codePage(c, spaced(p.Service.Code(token, c.Now))))
	}
	return c.Render(wallPage(c, v, p.Version))
}

// state is what changes on a screen; 401 for a browser that is none any more.
func (p pages) state(c *ui.Context) error {
	v, _, found, err := p.look(c)
	if err != nil {
		return err
	}
	if !found {
		c.Writer.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	return c.Render(wallState(c, v))
}

// spaced is a code as it is read aloud.
func spaced(code string) string { return code[:4] + " " + code[4:] }

func (p pages) list(c *ui.Context) error {
	return p.show(c, c.NewForm(nil), http.StatusOK)
}

func (p pages) show(c *ui.Context, f *ui.Form, status int) error {
	list, places, err := p.Service.Screens(c.Ctx(), c.Scope, string(c.Loc.Language()))
	if err != nil {
		return err
	}
	choices := []ui.Choice{{Value: "", Label: c.Loc.T("screens.place.every")}}
	for _, s := range places.Sites() {
		choices = append(choices, ui.Choice{Value: s.ID.String(), Label: s.Name})
	}
	for _, s := range places.Services() {
		choices = append(choices, ui.Choice{Value: s.ID.String(), Label: s.Name})
	}
	return c.Status(status).Render(listPage(c, list, f, choices))
}

func (p pages) pair(c *ui.Context) error {
	f := c.Form()
	place, err := idOf(f.Value("place"))
	if err == nil {
		_, err = p.Service.Pair(c.Ctx(), c.Scope, screens.Wanted{Code: f.Value("code"), Name: f.Value("name"), Place: place, Speaks: f.Checked("speaks", "oui")})
	}
	switch {
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.Conflict), fault.Is(err, fault.TooMany):
		f.Take(err)
		return p.show(c, f, http.StatusUnprocessableEntity)
	case err != nil:
		return err
	}
	c.Flash(ui.Success, c.Loc.T("screens.awaited", "name", f.Value("name")))
	return c.Redirect(Path)
}

func (p pages) remove(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.Service.Remove(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("screens.removed"))
	return c.Redirect(Path)
}
