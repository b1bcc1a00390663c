package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
)

// Root begins the address of every operation; Described is the description
// of them all, without its ending (.json or .yaml).
const (
	// BodyLimit is the largest request; the router must let a little more through.
	BodyLimit = 4 << 20

	Root      = "/api/v1"
	Described = Root + "/openapi"
)

// Bearers knows who holds a token.
type Bearers interface {
	// Bearer finds the holder. Errors: Unauthenticated.
	Bearer(ctx context.Context, token, address string) (Bearer, error)
	// Note writes down that an operation was done or refused.
	Note(ctx context.Context, b Bearer, operation string, refused bool) error
}

// Bearer is a program that proved to hold a token.
type Bearer struct {
	ID      uuid.UUID
	Name    string
	Scope   access.Scope
	Expires time.Time
}

// Options are what the desk rests on.
type Options struct {
	DB      *storage.DB
	Guard   *access.Guard
	Clock   clock.Clock
	Catalog *i18n.Catalog
	Log     *slog.Logger
	Bearers Bearers
	// Version is that of the program, for the description; Origin the address people type.
	Version, Origin string
	// Address and Reference tell where a request comes from and how the log names it.
	Address, Reference func(context.Context) string
}

// Desk serves the operations of every room. Register first, serve then.
type Desk struct {
	opt        Options
	mux        *http.ServeMux
	api        huma.API
	keys       keys
	limits     *limits
	operations []Operation
}

// New returns a desk that only describes itself.
func New(opt Options) (*Desk, error) {
	if opt.DB == nil || opt.Guard == nil || opt.Clock == nil || opt.Catalog == nil || opt.Log == nil || opt.Bearers == nil {
		return nil, errors.New("rest: database, guard, clock, catalogue, log and bearers are all needed")
	}
	silent := func(context.Context) string { return "" }
	if opt.Address == nil {
		opt.Address = silent
	}
	if opt.Reference == nil {
		opt.Reference = silent
	}
	d := &Desk{opt: opt, mux: http.NewServeMux(), keys: keys{opt.DB}, limits: newLimits(opt.Clock)}
	d.api = humago.New(d.mux, d.config())
	return d, nil
}

// config is ours from end to end: nothing is loaded from elsewhere, no page of
// documentation, no link to a schema in an answer.
func (d *Desk) config() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Tocsin", Version: d.opt.Version,
				Description: "What another program may do in one establishment with a token made by its administrator. " +
					"Refusals are problems (RFC 9457) in French or in English, by Accept-Language. Lists are continued with the `next` of the page before.",
			},
			Servers: []*huma.Server{{URL: d.opt.Origin}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{"token": {
					Type: "http", Scheme: "bearer", Description: "A token made on the page « Jetons des programmes ». Each operation names the right it needs.",
				}},
			},
		},
		OpenAPIPath:   Described,
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		// A filter misspelt must not give everybody.
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{d.translate},
	}
}

// Operations lists what was registered, in that order.
func (d *Desk) Operations() []Operation { return append([]Operation(nil), d.operations...) }

// ServeHTTP answers a request; what matches no operation gets a problem too.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(v)
		}
		d.opt.Log.Error("panic", "id", d.opt.Reference(r.Context()), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		d.write(w, r, d.problem(r, fault.New(fault.Internal, "fault.internal")))
	}()
	h, pattern := d.mux.Handler(r)
	if pattern != "" {
		d.mux.ServeHTTP(w, r)
		return
	}
	probe := &probe{header: http.Header{}, status: http.StatusNotFound}
	h.ServeHTTP(probe, r)
	p := d.problem(r, fault.New(fault.NotFound, "rest.no_operation"))
	if allowed := probe.header.Get("Allow"); allowed != "" {
		w.Header().Set("Allow", allowed)
		p = d.problem(r, fault.New(fault.NotFound, "rest.no_method", "allowed", allowed))
		p.Status = http.StatusMethodNotAllowed
	}
	d.write(w, r, p)
}

// probe hears what the mux would answer.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }

// words are the sentences in the caller's language.
func (d *Desk) words(r *http.Request) *i18n.Localizer {
	return d.opt.Catalog.For(i18n.Negotiate(r.Header.Get("Accept-Language")))
}

// bearerOf takes the token out of the request: from its header only, since
// addresses are written in logs. Errors: Unauthenticated.
func bearerOf(r *http.Request) (string, error) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", fault.New(fault.Unauthenticated, "rest.no_token")
	}
	return strings.TrimSpace(token), nil
}

// following is the address of the next page of a list.
func following(u *url.URL, next string) string {
	q := u.Query()
	q.Set("after", next)
	return u.Path + "?" + q.Encode()
}

// Sweep forgets the keys whose time has passed.
func (d *Desk) Sweep(ctx context.Context, now time.Time) error { return d.keys.sweep(ctx, now) }
