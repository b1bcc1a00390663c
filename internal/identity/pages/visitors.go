package pages

import (
	"net/http"

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
type Visitors struct {
	service *identity.Service
	jar     jar
}

// NewVisitors returns the Visitors of ui.Options.
func NewVisitors(s *identity.Service) Visitors { return Visitors{s, jar{s.Secure()}} }

// Visitor reads the session. Errors: Unauthenticated when there is none.
func (v Visitors) Visitor(r *http.Request) (ui.Visitor, error) {
	session, err := v.service.Session(r.Context(), v.jar.get(r, SessionCookie), v.jar.client(r))
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

// Enter gives the browser a sign-in made elsewhere (the doors of the demonstration).
func Enter(c *ui.Context, s *identity.Service, step identity.Step) { jar{s.Secure()}.takeStep(c, step) }

// jar reads and sets the cookies of this room.
type jar struct{ secure bool }

const hostPrefix = "__Host-"

// name is the full name of a cookie. Over https only the one with the prefix
// counts: another site of the domain could have planted the other.
func (j jar) name(r *http.Request, name string) string {
	if j.secure || r.TLS != nil {
		return hostPrefix + name
	}
	return name
}

func (j jar) get(r *http.Request, name string) string {
	c, err := r.Cookie(j.name(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}

// set sets a cookie of the whole site; seconds 0 drops it. Lax, not Strict: the
// link of an alert opened from the mail must find the person signed in.
func (j jar) set(c *ui.Context, name, value string, seconds int) {
	if seconds == 0 {
		value, seconds = "", -1
	}
	http.SetCookie(c.Writer, &http.Cookie{
		Name: j.name(c.Request, name), Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: j.secure || c.Request.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}

func (j jar) client(r *http.Request) identity.Client {
	return identity.Client{Address: ui.AddressOf(r.Context()), Device: r.UserAgent(), Known: j.get(r, deviceCookie)}
}

// takeStep carries a sign-in one step further in the browser.
func (j jar) takeStep(c *ui.Context, step identity.Step) {
	j.set(c, SessionCookie, step.Token, int(identity.SessionLife.Seconds()))
	if step.Device != "" {
		j.set(c, deviceCookie, step.Device, int(identity.DeviceLife.Seconds()))
	}
}
