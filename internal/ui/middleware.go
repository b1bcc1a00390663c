package ui

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"tocsin/internal/clock"
)

// contentPolicy lets a page load only what we serve. Inline styles and
// scripts are refused: templates use classes and SVG attributes.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; media-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

const permissionsPolicy = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), midi=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)"

// request is what we remember of a request while it is served.
type request struct {
	id      string
	address string
	route   Route
}

type requestKey struct{}

func noted(ctx context.Context) *request {
	if n, ok := ctx.Value(requestKey{}).(*request); ok {
		return n
	}
	return &request{}
}

func noteRoute(r *http.Request, route Route) { noted(r.Context()).route = route }

// RequestID is the reference of the request, the one shown on a failure page.
func RequestID(ctx context.Context) string { return noted(ctx).id }

// AddressOf is the network address the request came from, through the trusted
// proxies only. Empty outside a request.
func AddressOf(ctx context.Context) string { return noted(ctx).address }

func (r *Router) buildChain() error {
	cross := http.NewCrossOriginProtection()
	if r.opt.PublicURL != "" {
		u, err := url.Parse(r.opt.PublicURL)
		if err != nil || u.Host == "" {
			return fmt.Errorf("ui: the public address %q is no address", r.opt.PublicURL)
		}
		if err := cross.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			return fmt.Errorf("ui: public address: %w", err)
		}
	}
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c, err := r.newContext(w, req, Route{Need: Public, bare: true})
		if err == nil {
			err = errForeignForm
		}
		c.fail(err)
	}))
	inner := cross.Handler(http.HandlerFunc(r.dispatch))
	r.chain = r.remember(r.headers(compress(r.assets.before(r.recoverer(inner)))))
	return nil
}

// remember gives the request its id and writes one line when it is answered.
// The line carries the route, never query values; of public routes, whose
// path may be a secret link, not even the path.
func (r *Router) remember(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		begun := r.opt.Clock.Now()
		n := &request{id: newRequestID(), address: r.clientAddress(req)}
		w.Header().Set("X-Request-Id", n.id)
		counted := &countedWriter{ResponseWriter: w}
		next.ServeHTTP(counted, req.WithContext(context.WithValue(req.Context(), requestKey{}, n)))
		took := r.opt.Clock.Now().Sub(begun)
		if r.opt.Observe != nil {
			r.opt.Observe(Observation{Method: req.Method, Route: n.route.Pattern, Status: counted.code(), Took: took})
		}
		attrs := []any{
			"id", n.id, "method", req.Method, "route", n.route.Pattern, "status", counted.code(),
			"bytes", counted.bytes, "ms", float64(took.Microseconds()) / 1000, "from", n.address,
		}
		if n.route.Need != Public && n.route.Pattern != "" {
			attrs = append(attrs, "path", req.URL.Path)
		}
		r.opt.Log.Log(req.Context(), levelOf(counted.code(), n.route), "request", attrs...)
	})
}

func levelOf(status int, route Route) slog.Level {
	if status >= 500 {
		return slog.LevelError
	}
	if route.Pattern == "" {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func newRequestID() string { return strings.ToLower(rand.Text()[:10]) }

func (r *Router) clientAddress(req *http.Request) string {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		host = req.RemoteAddr
	}
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && r.trusted(host); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return host
		}
		host = hop.String()
	}
	return host
}

func (r *Router) trusted(host string) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range r.opt.TrustedProxies {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

func (r *Router) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", permissionsPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.secure || req.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, req)
	})
}

// recoverer turns a panic into a failure page with the id found in the log.
func (r *Router) recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			r.opt.Log.Error("panic", "id", RequestID(req.Context()), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			c, err := r.newContext(w, req, Route{Need: Public, bare: true})
			if err != nil {
				r.opt.Log.Error("failure page", "error", err)
			}
			c.failStatus(http.StatusInternalServerError, errBroken)
		}()
		next.ServeHTTP(w, req)
	})
}

// setDeadlines bounds how long a slow peer may hold a connection. A
// connection lives in the machine's time, whatever clock the pages show.
func setDeadlines(w http.ResponseWriter, l limits) error {
	now := clock.Real().Now()
	rc := http.NewResponseController(w)
	read, write := now.Add(l.time), now.Add(l.time+10*time.Second)
	if l.stream {
		// The stream sets a deadline before each of its writes.
		read, write = time.Time{}, time.Time{}
	}
	if err := rc.SetReadDeadline(read); err != nil {
		return err
	}
	return rc.SetWriteDeadline(write)
}

// countedWriter knows the status and the size of an answer.
type countedWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countedWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countedWriter) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// NewServer returns a server with the deadlines of the house; the caller
// listens and stops it.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
