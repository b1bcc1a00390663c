package pages

import (
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/space"
	"tocsin/internal/ui"
)

// The addresses of this room.
const (
	Path       = "/espace"
	EnterPath  = Path + "/entrer/"
	AskPath    = Path + "/demande"
	peoplePath = "/annuaire/personnes"
)

// cookie holds the token of a device; with https it carries the __Host- prefix.
const cookie = "tocsin_espace"

// Options are what the pages rest on.
type Options struct {
	Service *space.Service
	Catalog *i18n.Catalog
	// Secure tells that people come by https.
	Secure bool
	// AnswerPath begins the answer page of an alert; PersonPath is the page of a person.
	AnswerPath string
	PersonPath func(uuid.UUID) string
}

type pages struct {
	Options
	codes *ui.Gate
}

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{o, ui.NewGate()}
	r.Get(Path, ui.Public, p.alerts, ui.Bare())
	r.Get(Path+"/reponses", ui.Public, p.answers, ui.Bare())
	r.Get(DutiesPath, ui.Public, p.duties, ui.Bare())
	r.Get(swapPath, ui.Public, p.swapping, ui.Bare())
	r.Post(swapPath, ui.Public, p.swap, ui.Bare(), ui.Body(8<<10))
	r.Post(settlePath+"{echange}/accepter", ui.Public, p.acceptSwap, ui.Bare(), ui.Body(8<<10))
	r.Post(settlePath+"{echange}/refuser", ui.Public, p.refuseSwap, ui.Bare(), ui.Body(8<<10))
	r.Get(Path+"/moi", ui.Public, p.me, ui.Bare())
	r.Get(Path+"/pouls", ui.Public, p.pulse, ui.Bare())
	r.Get(Path+"/sw.js", ui.Public, p.worker, ui.Bare())
	r.Get(Path+"/app.webmanifest", ui.Public, p.manifest, ui.Bare())
	r.Post(Path+"/repondre", ui.Public, p.answer, ui.Bare(), ui.Body(8<<10))
	r.Post(Path+"/notifications", ui.Public, p.subscribe, ui.Bare(), ui.Body(8<<10))
	r.Post(Path+"/notifications/fin", ui.Public, p.unsubscribe, ui.Bare(), ui.Body(8<<10))
	r.Post(codePath, ui.Public, p.setCode, ui.Bare(), ui.Body(8<<10))
	r.Post(Path+"/quitter", ui.Public, p.leave, ui.Bare(), ui.Body(8<<10))
	r.Post(Path+"/appareils/{appareil}/retirer", ui.Public, p.revokeOwn, ui.Bare(), ui.Body(8<<10))
	r.Get(EnterPath+"{code}", ui.Public, p.invitation, ui.Bare())
	r.Post(EnterPath+"{code}", ui.Public, p.enrol, ui.Bare(), ui.Body(8<<10))
	r.Post(AskPath, ui.Public, p.ask, ui.Bare(), ui.Body(8<<10))
	r.Get(peoplePath+"/{id}/espace", access.DirectoryRead, p.devices)
	r.Post(peoplePath+"/{id}/espace/inviter", access.DirectoryWrite, p.invite)
	r.Post(peoplePath+"/{id}/espace/code/effacer", access.DirectoryWrite, p.eraseCode)
	r.Post(peoplePath+"/{id}/espace/appareils/{appareil}/retirer", access.DirectoryWrite, p.revoke)
}

// DevicesPath is the page of the devices of a person.
func DevicesPath(person uuid.UUID) string { return peoplePath + "/" + person.String() + "/espace" }

func (p pages) cookieName(r *http.Request) string {
	if p.Secure || r.TLS != nil {
		return "__Host-" + cookie
	}
	return cookie
}

// setToken keeps the token in the browser; an empty one drops it. Lax, not
// Strict: the link of an SMS must find the space open.
func (p pages) setToken(c *ui.Context, token string) {
	age := int(space.DeviceLife / time.Second)
	if token == "" {
		age = -1
	}
	http.SetCookie(c.Writer, &http.Cookie{
		Name: p.cookieName(c.Request), Value: token, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: p.Secure || c.Request.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}

// visit is one request of an open space.
type visit struct {
	*ui.Context
	holder space.Holder
	held   space.Held
}

// open finds whose space it is. Errors: Unauthenticated when nobody's.
func (p pages) open(c *ui.Context) (*visit, error) {
	c.Writer.Header().Set("Cache-Control", "no-store")
	token, err := c.Request.Cookie(p.cookieName(c.Request))
	if err != nil {
		return nil, fault.New(fault.Unauthenticated, "space.shut")
	}
	h, err := p.Service.Open(c.Ctx(), token.Value, c.Now)
	if err != nil {
		return nil, err
	}
	held, err := p.Service.Held(c.Ctx(), h)
	if err != nil {
		return nil, err
	}
	if held.Person.Language != "" {
		c.Loc = p.Catalog.For(i18n.Language(held.Person.Language))
	}
	if zone, err := time.LoadLocation(held.Establishment.Zone); err == nil {
		c.Zone = zone
	}
	return &visit{c, h, held}, nil
}

// shut is the page of a browser that is nobody's space.
func (p pages) shut(c *ui.Context, err error) error {
	if !fault.Is(err, fault.Unauthenticated) {
		return err
	}
	return c.Status(http.StatusUnauthorized).Render(shutPage(c))
}

// spec is the frame of one page of the space.
func (v *visit) spec(title, here string) ui.PocketSpec {
	s := bare(title)
	s.Establishment, s.Person = v.held.Establishment.Name, v.held.Person.Name()
	for _, t := range []ui.Tab{
		{Label: v.Loc.T("space.nav.alerts"), Path: Path},
		{Label: v.Loc.T("space.nav.answers"), Path: Path + "/reponses"},
		{Label: v.Loc.T("space.nav.duties"), Path: DutiesPath},
		{Label: v.Loc.T("space.nav.me"), Path: Path + "/moi"},
	} {
		t.Current = t.Path == here
		s.Nav = append(s.Nav, t)
	}
	return s
}

// bare is the frame of a page before the space is open.
func bare(title string) ui.PocketSpec {
	return ui.PocketSpec{Title: title, Manifest: Path + "/app.webmanifest", Worker: Path + "/sw.js"}
}

func (p pages) answerPath(code string) string { return p.AnswerPath + url.PathEscape(code) }
