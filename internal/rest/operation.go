package rest

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

// The needs that are no action of a policy.
const (
	// Token is for every program that holds a token, whatever it may do.
	Token access.Action = "rest.token"
	// Signed operations take no token: they check a signature themselves.
	Signed access.Action = "rest.signed"
)

// Keying says what an operation does with an Idempotency-Key.
type Keying int

// The keyings.
const (
	// Unkeyed is for what changes nothing, or gives the same when done twice.
	Unkeyed Keying = iota
	// Keyed takes a key; what a dying process left half known is not done again.
	Keyed
	// KeyedRepeatable takes a key; doing it twice is harmless, so it is done again.
	KeyedRepeatable
)

// Operation is one thing a program can ask for.
type Operation struct {
	// ID is short and stable: it names the operation in the description and in the journal.
	ID, Method string
	// Path begins after Root: "/alerts/{id}".
	Path string
	// Need is an access.Action, Token or Signed.
	Need access.Action
	// Keying and KeyRequired are for POST.
	Keying      Keying
	KeyRequired bool
	// Tagged is for what is large and seldom changes: the answer carries an ETag,
	// and a caller who has it already is told so (304).
	Tagged bool
	// Tag groups operations; Summary and Detail describe this one, in English.
	Tag, Summary, Detail string
	// Status is that of a success; 200 when zero.
	Status int
}

// Address is the whole path of the operation.
func (o Operation) Address() string { return Root + o.Path }

// Call is one request, once its program is known.
type Call struct {
	Scope  access.Scope
	Bearer Bearer
	Loc    *i18n.Localizer
	Now    time.Time
	// Key is the Idempotency-Key, empty when there was none.
	Key string
	// Address is where the request comes from; Header and URL are those of the request.
	Address string
	Header  http.Header
	URL     *url.URL
}

type callKey struct{}

// Register adds an operation. in's fields are the parameters and the Body, as
// the library reads them; their tags are the description and the first check.
func Register[I, O any](d *Desk, op Operation, do func(ctx context.Context, c *Call, in *I) (*O, error)) {
	if op.Need == "" || op.ID == "" {
		panic("rest: operation " + op.Path + " does not say what it needs, or its name")
	}
	d.operations = append(d.operations, op)
	described := huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.Address(), Summary: op.Summary, Description: op.Detail, DefaultStatus: op.Status,
		Tags: []string{op.Tag}, Errors: []int{401, 403, 404, 409, 422, 429, 503},
		// A body is read once its program is known.
		Middlewares:                  huma.Middlewares{d.admit(op)},
		MaxBodyBytes:                 BodyLimit,
		SkipValidateBody:             op.Need == Signed, // what is signed is read by who checks the signature
		RejectUnknownQueryParameters: true,
	}
	if op.Need != Signed {
		described.Security = []map[string][]string{{"token": {}}}
		described.Description = op.Detail + needs(op.Need)
	}
	if op.Keying != Unkeyed {
		described.Parameters = append(described.Parameters, &huma.Param{
			Name: keyHeader, In: "header", Required: op.KeyRequired, Schema: &huma.Schema{Type: "string"},
			Description: "8 to 100 characters of the caller's choice. The same request under the same key within 24 hours is done once and answered the same.",
		})
	}
	huma.Register(d.api, described, func(ctx context.Context, in *I) (*O, error) {
		call, ok := ctx.Value(callKey{}).(*Call)
		if !ok {
			panic("rest: operation " + op.ID + " reached without admission")
		}
		out, err := do(ctx, call, in)
		if err != nil {
			r := &http.Request{Method: op.Method, Header: call.Header, URL: call.URL}
			return nil, d.problem(r.WithContext(ctx), err)
		}
		return out, nil
	})
}

func needs(a access.Action) string {
	if a == Token {
		return ""
	}
	return "\n\nNeeds the right `" + string(a) + "`."
}

// admit is the door of an operation: pace, token, right, key, then the operation.
func (d *Desk) admit(op Operation) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		begun := d.opt.Clock.Now()
		call, err := d.enter(r, op)
		if err != nil {
			d.write(w, r, d.problem(r, err))
			return
		}
		w.Header().Set("Vary", "Accept-Language, Authorization")
		ctx = huma.WithValue(ctx, callKey{}, call)
		switch {
		case op.Keying != Unkeyed:
			err = d.once(ctx, call, op, next)
		case op.Tagged:
			tagged(ctx, next)
		default:
			next(ctx)
		}
		if err != nil {
			d.write(w, r, d.problem(r, err))
		}
		d.opt.Log.Info("operation", "id", d.opt.Reference(r.Context()), "operation", op.ID, "by", call.Bearer.ID.String(), "status", ctx.Status(),
			"ms", float64(d.opt.Clock.Now().Sub(begun).Microseconds())/1000)
	}
}

// enter finds who asks and whether it may. Errors: Unauthenticated, Denied, TooMany.
func (d *Desk) enter(r *http.Request, op Operation) (*Call, error) {
	address := d.opt.Address(r.Context())
	call := &Call{Loc: d.words(r), Now: d.opt.Clock.Now(), Address: address, Header: r.Header, URL: r.URL}
	if d.limits.barred(address) {
		return nil, fault.New(fault.TooMany, "rest.slow_down")
	}
	if op.Need == Signed {
		return call, nil
	}
	token, err := bearerOf(r)
	if err == nil {
		call.Bearer, err = d.opt.Bearers.Bearer(r.Context(), token, address)
	}
	if err != nil {
		if fault.Is(err, fault.Unauthenticated) {
			d.limits.wrong(address)
		}
		return nil, err
	}
	call.Scope = call.Bearer.Scope
	if !d.limits.ask(call.Bearer.ID.String()) {
		return nil, fault.New(fault.TooMany, "rest.slow_down")
	}
	var refused error
	if op.Need != Token {
		refused = d.opt.Guard.Check(call.Scope, op.Need)
		if refused != nil {
			refused = fault.Wrap(refused, fault.Denied, "rest.denied", "right", string(op.Need))
		}
	}
	if err := d.opt.Bearers.Note(r.Context(), call.Bearer, op.ID, refused != nil); err != nil {
		return nil, err
	}
	return call, refused
}

// Wrong counts a signature that does not hold against the address it came from.
func (d *Desk) Wrong(address string) { d.limits.wrong(address) }

// ID reads the id of a thing; what is no id names nothing. Errors: NotFound.
func ID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, fault.Wrap(err, fault.NotFound, "rest.no_such_thing")
	}
	return id, nil
}

// Paging is what a list is asked with.
type Paging struct {
	After string `query:"after" maxLength:"400" doc:"The next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Most lines in the answer"`
}

// Cursor reads After as it was given to List. Errors: Invalid.
func (p Paging) Cursor() (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(p.After)
	if err != nil {
		return "", p.Foreign(err)
	}
	return string(b), nil
}

// Foreign refuses an After that no page of ours gave: a program that went on from
// it would read the beginning again, and again.
func (Paging) Foreign(cause error) error {
	return fault.Wrap(cause, fault.Invalid, "rest.after").At("query.after")
}

// CursorID is Cursor for lists that are continued after an id. Errors: Invalid.
func (p Paging) CursorID() (uuid.UUID, error) {
	text, err := p.Cursor()
	if err != nil || text == "" {
		return uuid.Nil, err
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, p.Foreign(err)
	}
	return id, nil
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"Give it as after to go on; absent at the end"`
}

// List is the answer of an operation that lists.
type List[T any] struct {
	Link string `header:"Link" doc:"The next page, RFC 8288"`
	Body Page[T]
}

// Listed makes the answer; next is where to go on, empty at the end.
func Listed[T any](c *Call, items []T, next string) *List[T] {
	if items == nil {
		items = []T{}
	}
	out := &List[T]{Body: Page[T]{Items: items}}
	if next != "" {
		out.Body.Next = base64.RawURLEncoding.EncodeToString([]byte(next))
		out.Link = "<" + following(c.URL, out.Body.Next) + `>; rel="next"`
	}
	return out
}

// Full gives where a list continues: after the id of its last line when the
// page is full, nowhere otherwise.
func Full[T any](items []T, limit int, id func(T) uuid.UUID) string {
	if len(items) < limit || len(items) == 0 {
		return ""
	}
	return id(items[len(items)-1]).String()
}

// One is an answer that is one thing.
type One[T any] struct{ Body T }
