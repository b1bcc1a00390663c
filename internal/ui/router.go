package ui

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
)

// Handler serves one page or one form. An error it returns becomes the page
// of that error, with its status.
type Handler func(c *Context) error

// Options are what app gives to the router.
type Options struct {
	Guard    *access.Guard
	Visitors Visitors
	Catalog  *i18n.Catalog
	Clock    clock.Clock
	Log      *slog.Logger
	// Zone is the time zone of the pages; nil means UTC.
	Zone *time.Location
	// Key signs what is kept in cookies: 32 bytes derived for this purpose.
	Key []byte
	// PublicURL is the address people type ("https://tocsin.hopital.fr").
	// With https, cookies are Secure and HSTS is sent.
	PublicURL string
	// TrustedProxies are the only ones whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// LoginPath and SecondFactorPath are where people without session, or
	// without second factor, are sent. LogoutPath and SwitchPath receive the
	// POST of the user menu; AccountPath is one's own account.
	LoginPath, SecondFactorPath, LogoutPath, SwitchPath, AccountPath string
	// Frame is what the rooms add around each page.
	Frame Frame
	// Observe, if set, is told each answer, for the metrics.
	Observe func(Observation)
	// StyleGuide adds /styleguide (demonstration and development only).
	StyleGuide bool
}

// Observation is one answered request.
type Observation struct {
	Method, Route string
	Status        int
	Took          time.Duration
}

// Router holds the routes of every page and serves them. Register first,
// serve then: it is not safe to add a route while serving.
type Router struct {
	opt    Options
	mux    *http.ServeMux
	routes []Route
	assets *assets
	secure bool
	chain  http.Handler
}

// Route is one registered page, for the menu, the log and the test that walks
// every route as every role.
type Route struct {
	Method, Pattern string
	Need            access.Action
	limits          limits
	bare            bool
}

type limits struct {
	body   int64
	upload bool
	time   time.Duration
	stream bool
	raw    bool
}

// The limits of a route that asks for nothing else.
const (
	defaultBody = 1 << 20
	defaultTime = 30 * time.Second
)

// RouteOption changes the limits of one route.
type RouteOption func(*Route)

// Upload lets a form carry files, maxBytes in all, and ten minutes to do it.
func Upload(maxBytes int64) RouteOption {
	return func(r *Route) {
		r.limits.body, r.limits.upload, r.limits.time = maxBytes, true, 10*time.Minute
	}
}

// Body lets a request carry that much, without files.
func Body(maxBytes int64) RouteOption {
	return func(r *Route) { r.limits.body = maxBytes }
}

// Lasting gives a route more time than 30 s (large downloads).
func Lasting(d time.Duration) RouteOption {
	return func(r *Route) { r.limits.time = d }
}

// Stream is for server-sent events: no deadline, no compression.
func Stream() RouteOption {
	return func(r *Route) { r.limits.stream = true }
}

// Raw leaves what was posted unread, maxBytes at most: a machine's call whose
// signature covers it as it came.
func Raw(maxBytes int64) RouteOption {
	return func(r *Route) { r.limits.body, r.limits.raw = maxBytes, true }
}

// Bare is for pages reached without session (the answer page): the visitor is
// not looked up and failures are shown in the small frame.
func Bare() RouteOption {
	return func(r *Route) { r.bare = true }
}

// NewRouter returns a router with the assets, the preferences and the search.
func NewRouter(opt Options) (*Router, error) {
	if opt.Guard == nil || opt.Catalog == nil || opt.Clock == nil || opt.Visitors == nil || opt.Log == nil {
		return nil, errors.New("ui: guard, visitors, catalogue, clock and log are all needed")
	}
	if len(opt.Key) < 32 {
		return nil, errors.New("ui: the key of the cookies must have 32 bytes")
	}
	if opt.Zone == nil {
		opt.Zone = time.UTC
	}
	bundle, err := loadAssets()
	if err != nil {
		return nil, err
	}
	r := &Router{opt: opt, mux: http.NewServeMux(), assets: bundle, secure: strings.HasPrefix(opt.PublicURL, "https://")}
	if err := r.buildChain(); err != nil {
		return nil, err
	}
	r.ownRoutes()
	return r, nil
}

// Get registers a page. need is an access.Action, Public or SignedIn.
func (r *Router) Get(pattern string, need access.Action, h Handler, opts ...RouteOption) {
	r.add(http.MethodGet, pattern, need, h, opts)
}

// Post registers what a form is sent to. The form is parsed before h runs.
func (r *Router) Post(pattern string, need access.Action, h Handler, opts ...RouteOption) {
	r.add(http.MethodPost, pattern, need, h, opts)
}

// Handle registers a plain handler (event streams, machine interfaces) under
// the same checks. method "" means every method.
func (r *Router) Handle(method, pattern string, need access.Action, h http.Handler, opts ...RouteOption) {
	r.add(method, pattern, need, func(c *Context) error {
		h.ServeHTTP(c.Writer, c.Request)
		return nil
	}, opts)
}

// Routes lists what was registered, in that order.
func (r *Router) Routes() []Route { return append([]Route(nil), r.routes...) }

func (r *Router) add(method, pattern string, need access.Action, h Handler, opts []RouteOption) {
	if need == "" {
		panic("ui: route " + pattern + " does not say what it needs")
	}
	route := Route{Method: method, Pattern: pattern, Need: need, limits: limits{body: defaultBody, time: defaultTime}}
	for _, o := range opts {
		o(&route)
	}
	r.routes = append(r.routes, route)
	r.mux.Handle(strings.TrimSpace(method+" "+pattern), r.serve(route, h))
}

// serve is the life of one request of a route: limits, who, may they, form, page.
func (r *Router) serve(route Route, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		noteRoute(req, route)
		if err := setDeadlines(w, route.limits); err != nil {
			r.opt.Log.Debug("no deadline on this connection", "error", err)
		}
		if !route.limits.stream {
			ctx, cancel := context.WithTimeout(req.Context(), route.limits.time)
			defer cancel()
			req = req.WithContext(ctx)
		}
		req.Body = http.MaxBytesReader(w, req.Body, route.limits.body)
		c, err := r.newContext(w, req, route)
		if err == nil {
			err = r.admit(c, route)
		}
		if err == nil && !route.limits.raw {
			err = c.parseForm(route.limits.upload)
			defer c.dropUploads()
		}
		if err == nil {
			err = h(c)
		}
		if err != nil {
			c.fail(err)
		}
	})
}

// admit checks the need of the route and keeps those without the second
// factor they owe on their own pages.
func (r *Router) admit(c *Context, route Route) error {
	if err := allow(r.opt.Guard, c.Visitor, route.Need); err != nil {
		return err
	}
	if c.Visitor.MustSetUpSecondFactor && route.Need != Public && route.Need != SignedIn {
		return errSecondFactorOwed
	}
	return nil
}

// ServeHTTP answers a request.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.chain.ServeHTTP(w, req) }

// dispatch finds the route; what matches none gets our own 404 or 405 page.
func (r *Router) dispatch(w http.ResponseWriter, req *http.Request) {
	h, pattern := r.mux.Handler(req)
	if pattern != "" {
		r.mux.ServeHTTP(w, req)
		return
	}
	probe := &statusProbe{header: http.Header{}, status: http.StatusNotFound}
	h.ServeHTTP(probe, req)
	if allowed := probe.header.Get("Allow"); allowed != "" {
		w.Header().Set("Allow", allowed)
	}
	c, err := r.newContext(w, req, Route{Need: Public})
	if err != nil {
		c.fail(err)
		return
	}
	c.failStatus(probe.status, errNoSuchPage)
}

type statusProbe struct {
	header http.Header
	status int
}

func (p *statusProbe) Header() http.Header         { return p.header }
func (p *statusProbe) Write(b []byte) (int, error) { return len(b), nil }
func (p *statusProbe) WriteHeader(status int)      { p.status = status }
