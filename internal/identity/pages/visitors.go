package pages

import (
	"net/http"
	"strings"

	"tocsin/internal/i18n"
	"tocsin/internal/identity"
	"tocsin/internal/organisation"
	"tocsin/internal/ui"
)

// SessionCookie holds the token of the session. With https the cookies of this
// room carry the __Host- prefix, which a browser lets no other site of the
// domain set.
const SessionCookie = "tocsin_session"

const (
	deviceCookie    = "tocsin_appareil"
	challengeCookie = "tocsin_defi"
)

// Visitors tells ui who sends a request, from the session's cookie.
type Visitors struct{ service *identity.Service }

// NewVisitors returns the Visitors of ui.Options.
func NewVisitors(s *identity.Service) Visitors { return Visitors{s} }

// Visitor reads the session. Errors: Unauthenticated when there is none.
func (v Visitors) Visitor(r *http.Request) (ui.Visitor, error) {
	session, err := v.service.Session(r.Context(), cookie(r, SessionCookie), clientOf(r))
	if err != nil {
		return ui.Visitor{}, err
	}
	out := ui.Visitor{
		Scope: session.Scope, Name: session.Account.Name, Language: i18n.Language(session.Account.Language),
		Establishment: shown(session.Establishment), MustSetUpSecondFactor: session.MustSetUpFactor,
	}
	for _, e := range session.Establishments {
		out.Establishments = append(out.Establishments, shown(e))
	}
	return out, nil
}

func shown(e organisation.Establishment) ui.Establishment {
	return ui.Establishment{ID: e.ID, Name: e.Name, Colour: e.Colour}
}

func clientOf(r *http.Request) identity.Client {
	return identity.Client{Address: ui.AddressOf(r.Context()), Device: r.UserAgent(), Known: cookie(r, deviceCookie)}
}

const hostPrefix = "__Host-"

// cookie reads a cookie under either of its names. A browser sends a __Host-
// one over https only, so it is the one to believe when both are there.
func cookie(r *http.Request, name string) string {
	for _, full := range []string{hostPrefix + name, name} {
		if c, err := r.Cookie(full); err == nil {
			return c.Value
		}
	}
	return ""
}

// keep sets a cookie of the whole site; seconds 0 drops it. Lax, not Strict:
// the link of an alert opened from the mail must find the person signed in.
func (p pages) keep(c *ui.Context, name, value string, seconds int) {
	secure := p.secure || c.Request.TLS != nil
	if secure {
		name = hostPrefix + name
	}
	if seconds == 0 {
		value, seconds = "", -1
	}
	http.SetCookie(c.Writer, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
}

// takeStep carries a sign-in one step further in the browser.
func (p pages) takeStep(c *ui.Context, step identity.Step) {
	p.keep(c, SessionCookie, step.Token, int(identity.SessionLife.Seconds()))
	if step.Device != "" {
		p.keep(c, deviceCookie, step.Device, int(identity.DeviceLife.Seconds()))
	}
}

func isSecure(origin string) bool { return strings.HasPrefix(origin, "https://") }
