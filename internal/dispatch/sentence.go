package dispatch

import (
	"strings"

	"tocsin/internal/channels"
	"tocsin/internal/i18n"
)

// Sentence is the health of the gateway in the reader's language.
func (g GatewayView) Sentence(loc *i18n.Localizer) string {
	switch {
	case !g.Running:
		return loc.T("dispatch.gateway.off", "name", g.Name)
	case g.Carrying && g.Health.Up && len(g.Routes) > 0:
		words := make([]string, len(g.Routes))
		for i, r := range g.Routes {
			words[i] = RouteWord(loc, r)
		}
		return loc.T("dispatch.gateway.carrying_to", "name", g.Name, "routes", strings.Join(words, ", "))
	case g.Carrying && g.Health.Up:
		return loc.T("dispatch.gateway.carrying", "name", g.Name)
	case g.Health.Up:
		return loc.T("dispatch.gateway.standby", "name", g.Name)
	}
	reason := ""
	if g.Health.Reason != channels.ReasonNone {
		reason = loc.T("channels.reason." + string(g.Health.Reason))
	}
	return loc.T("dispatch.gateway.down", "name", g.Name, "reason", reason)
}

// Sentence is the state of a try in the reader's language.
func (a Attempt) Sentence(loc *i18n.Localizer) string {
	s := loc.T("dispatch.state." + string(a.State))
	if a.Double {
		s += " (" + loc.T("dispatch.double") + ")"
	}
	return s
}

// RouteWord is the name of a destination.
func RouteWord(loc *i18n.Localizer, route string) string {
	name := map[string]string{
		RouteFrance: "france", RouteReunion: "reunion", RouteGuadeloupe: "guadeloupe", RouteGuyane: "guyane", RouteMartinique: "martinique",
	}[route]
	if name == "" {
		name = "elsewhere"
	}
	return loc.T("dispatch.route." + name)
}
