package dispatch

import (
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// The destinations of telephone numbers that operators price apart: the
// country codes of France and of its overseas departments, and everywhere else.
const (
	RouteFrance     = "+33"
	RouteReunion    = "+262" // and Mayotte
	RouteGuadeloupe = "+590"
	RouteGuyane     = "+594"
	RouteMartinique = "+596"
	RouteElsewhere  = "*"
)

// Routes lists the destinations.
func Routes() []string {
	return []string{RouteFrance, RouteReunion, RouteGuadeloupe, RouteGuyane, RouteMartinique, RouteElsewhere}
}

// routeOf is the destination of an address; empty for the media without routes.
func routeOf(m channels.Medium, address string) string {
	switch m {
	case channels.SMS:
	case channels.Room: // a room is told by its own gateway
		return address
	default:
		return ""
	}
	for _, r := range Routes()[:5] {
		if strings.HasPrefix(address, r) {
			return r
		}
	}
	return RouteElsewhere
}

// Fares are the destinations a gateway takes, and its price for one segment in
// millionths of a euro; -1 when it is not said. Empty takes everything.
type Fares map[string]int64

// priceUnknown sorts after every price.
const priceUnknown = int64(-1)

// ParseFares reads lines "+33 = 0,045" or "+33". A destination that is not one
// of Routes, said twice, or a price out of [0, 100] € is Invalid at "fares".
func ParseFares(text string) (Fares, error) {
	out := Fares{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		route, price, priced := strings.Cut(line, "=")
		route = strings.TrimSpace(route)
		_, twice := out[route]
		if twice || !slices.Contains(Routes(), route) {
			return nil, fault.New(fault.Invalid, "dispatch.gateway.fares", "line", line, "routes", strings.Join(Routes(), ", ")).At("fares")
		}
		out[route] = priceUnknown
		if !priced {
			continue
		}
		euros, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(price), ",", ".", 1), 64)
		if err != nil || !(euros >= 0 && euros <= 100) {
			return nil, fault.New(fault.Invalid, "dispatch.gateway.fares", "line", line, "routes", strings.Join(Routes(), ", ")).At("fares")
		}
		out[route] = int64(euros*1e6 + 0.5)
	}
	return out, nil
}

// price is what one segment costs to a destination; taken is false when the
// gateway is not meant for it.
func (f Fares) price(route string) (micros int64, taken bool) {
	if len(f) == 0 || route == "" {
		return priceUnknown, true
	}
	if p, ok := f[route]; ok {
		return p, true
	}
	p, ok := f[RouteElsewhere]
	if !ok {
		p = priceUnknown
	}
	return p, ok
}

// before tells whether a gateway is to be used rather than another: the one
// meant for the destination, then the lower rank, then the cheaper. A gateway
// not meant for it comes last, and carries when no other lives: an alert is
// worth its price.
func (k *desk) before(other *desk, route string) bool {
	mine, taken := k.fares.price(route)
	its, itTakes := other.fares.price(route)
	switch {
	case taken != itTakes:
		return taken
	case k.gateway.Priority != other.gateway.Priority:
		return k.gateway.Priority < other.gateway.Priority
	case mine == its || mine == priceUnknown:
		return false
	}
	return its == priceUnknown || mine < its
}

// routesOf are the destinations a gateway carries now: it works, and no better
// one of its establishment and medium does. None when it carries nothing.
func (o *office) routesOf(k *desk) []string {
	if k.pause.isDown() || k.closing.Load() {
		return nil
	}
	if k.gateway.Medium == channels.Room {
		return []string{k.gateway.ID.String()}
	}
	all := []string{""}
	if k.gateway.Medium == channels.SMS {
		// Lots of a node that knew no routes have none: they go with France.
		all = append(Routes(), "")
	}
	var out []string
	for _, route := range all {
		asked := route
		if route == "" && k.gateway.Medium == channels.SMS {
			asked = RouteFrance
		}
		if !slices.ContainsFunc(*o.list.Load(), func(other *desk) bool {
			return other != k && other.gateway.Organisation == k.gateway.Organisation && other.gateway.Medium == k.gateway.Medium &&
				!other.pause.isDead() && !other.closing.Load() && other.before(k, asked)
		}) {
			out = append(out, route)
		}
	}
	return out
}
