package ui

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

// Context is one request as a page author needs it. It lives as long as the
// request and is used by one goroutine.
type Context struct {
	Request *http.Request
	Writer  http.ResponseWriter
	// Scope is what every operation of a room receives.
	Scope   access.Scope
	Visitor Visitor
	Loc     *i18n.Localizer
	// Now is the time of the request, Zone the time zone of its pages.
	Now  time.Time
	Zone *time.Location

	router  *Router
	route   Route
	status  int
	flashes []Notice
	shown   bool // the notices were
	styled  bool // the style is inside the page
	theme   Theme
	browser i18n.Language
}

// newContext learns who asks and in which language. On error the Context is
// still good for showing a failure.
func (r *Router) newContext(w http.ResponseWriter, req *http.Request, route Route) (*Context, error) {
	c := &Context{Request: req, Writer: w, Now: r.opt.Clock.Now(), Zone: r.opt.Zone, router: r, route: route}
	var err error
	if !route.bare {
		c.Visitor, err = r.opt.Visitors.Visitor(req)
		if fault.Is(err, fault.Unauthenticated) {
			c.Visitor, err = Visitor{}, nil
		}
	}
	c.Scope = c.Visitor.Scope
	c.browser = chosenLanguage(req)
	lang := c.Visitor.Language
	if lang == "" {
		lang = c.browser
	}
	c.Loc = r.opt.Catalog.For(lang)
	c.theme = c.Visitor.Theme
	if c.theme == Auto {
		c.theme = chosenTheme(req)
	}
	if err != nil {
		return c, fmt.Errorf("who asks: %w", err)
	}
	return c, nil
}

// Ctx is the context of the request, for operations.
func (c *Context) Ctx() context.Context { return c.Request.Context() }

// PathValue is a {name} of the route's pattern.
func (c *Context) PathValue(name string) string { return c.Request.PathValue(name) }

// ID is a {name} of the pattern that must be an id; NotFound otherwise, since
// an address that cannot exist is a page that does not exist.
func (c *Context) ID(name string) (uuid.UUID, error) {
	id, err := uuid.Parse(c.PathValue(name))
	if err != nil {
		return uuid.Nil, fault.Wrap(err, fault.NotFound, "ui.fail.no_page")
	}
	return id, nil
}

// FormValue is a posted field, or a query value when nothing was posted, without
// the spaces around it.
func (c *Context) FormValue(name string) string {
	return strings.TrimSpace(c.Request.FormValue(name))
}

// May tells whether the visitor could do the action, to hide what she cannot.
func (c *Context) May(action access.Action) bool {
	return allow(c.router.opt.Guard, c.Visitor, action) == nil
}

// Partial tells whether htmx asks for a piece of the page rather than the page.
func (c *Context) Partial() bool {
	h := c.Request.Header
	return h.Get("HX-Request") == "true" && h.Get("HX-Boosted") != "true" && h.Get("HX-History-Restore-Request") != "true"
}

// Status sets the status of the next Render. 200 otherwise.
func (c *Context) Status(status int) *Context {
	c.status = status
	return c
}

// Render writes a component: a page (one that begins with @ui.Page) or, for
// htmx, a piece of it. Nothing is written when the component fails.
func (c *Context) Render(component templ.Component) error {
	var b bytes.Buffer
	if err := component.Render(c.speaking(), &b); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	if c.shown {
		c.clearFlashes()
	}
	if c.styled {
		c.Writer.Header().Set("Content-Security-Policy", c.router.assets.answerPolicy)
	}
	c.Writer.Header().Set("Vary", "Accept-Language, Cookie, HX-Request")
	return c.write("text/html; charset=utf-8", b.Bytes())
}

// speaking is the context of a rendering. Time being up does not stop it: the
// page that says so must still be written.
func (c *Context) speaking() context.Context {
	return i18n.WithContext(context.WithoutCancel(c.Ctx()), c.Loc)
}

// Piece renders a component to send as a live event.
func (c *Context) Piece(component templ.Component) (string, error) {
	var b strings.Builder
	if err := component.Render(c.speaking(), &b); err != nil {
		return "", fmt.Errorf("render: %w", err)
	}
	return b.String(), nil
}

func (c *Context) write(contentType string, body []byte) error {
	status := c.status
	if status == 0 {
		status = http.StatusOK
	}
	h := c.Writer.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.Writer.WriteHeader(status)
	if _, err := c.Writer.Write(body); err != nil {
		// The person closed the page: nobody is left to be told.
		c.router.opt.Log.Debug("answer not read to the end", "id", RequestID(c.Ctx()), "error", err)
	}
	return nil
}

// JSON writes a value for a script of ours.
func (c *Context) JSON(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return c.Status(status).write("application/json", b)
}

// DecodeJSON reads what a script of ours sent into v.
func (c *Context) DecodeJSON(v any) error {
	if err := json.NewDecoder(c.Request.Body).Decode(v); err != nil {
		return fault.Wrap(err, fault.Invalid, "ui.form.unreadable")
	}
	return nil
}

// Download prepares the answer to be a file of that name, and returns where to
// write it. After the first byte an error can only be logged.
func (c *Context) Download(name, contentType string) http.ResponseWriter {
	h := c.Writer.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return c.Writer
}

// Redirect ends a POST: the browser gets the page at path. path is one of ours,
// never built from what a request says (see LocalPath for that).
func (c *Context) Redirect(path string) error {
	if c.Partial() {
		c.Writer.Header().Set("HX-Redirect", path)
		c.Writer.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(c.Writer, c.Request, path, http.StatusSeeOther)
	return nil
}

// LocalPath returns the address to go back to given by a form, if it is one of
// ours, or fallback: a link cannot send people to another site.
func LocalPath(given, fallback string) string {
	u, err := url.Parse(given)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") ||
		strings.HasPrefix(given, "//") || strings.ContainsAny(given, "\\\r\n\t") {
		return fallback
	}
	return given
}

// Form returns what was posted, or the query of a GET.
func (c *Context) Form() *Form {
	if c.Request.Method == http.MethodPost && c.Request.PostForm != nil {
		return &Form{loc: c.Loc, values: c.Request.PostForm}
	}
	return &Form{loc: c.Loc, values: c.Request.URL.Query()}
}

// NewForm returns a form filled with the values of the thing to edit.
func (c *Context) NewForm(values map[string]string) *Form {
	f := &Form{loc: c.Loc, values: url.Values{}}
	for name, v := range values {
		f.values.Set(name, v)
	}
	return f
}

// Refill shows the form again after an operation refused it, with what was
// typed and why. What the person cannot mend by typing (not found, not
// permitted) goes on to the failure page.
func (c *Context) Refill(f *Form, err error, page templ.Component) error {
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Denied, fault.Unauthenticated:
		return err
	}
	if unexpected(err) {
		c.logFailure(http.StatusInternalServerError, err)
	}
	f.Take(err)
	// The summary comes before the fields it names: a first rendering, thrown
	// away, learns their words.
	if err := page.Render(c.speaking(), io.Discard); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	return c.Status(refillStatus(err)).Render(page)
}

// refillStatus is 422 when the person can mend it, so that htmx shows it.
func refillStatus(err error) int {
	if err == nil || joined(err) {
		return http.StatusUnprocessableEntity
	}
	return statusOf(err)
}

// joined tells several errors put together with errors.Join.
func joined(err error) bool { return len(leaves(err)) > 1 }

func leaves(err error) []error {
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range many.Unwrap() {
		out = append(out, leaves(e)...)
	}
	return out
}

// unexpected tells that something else than a fault is among the errors: the
// person reads "erreur interne", the log must say which.
func unexpected(err error) bool {
	return slices.ContainsFunc(leaves(err), func(e error) bool { return fault.As(e) == nil })
}

// parseForm reads the body of a form. JSON and others are left to the handler.
func (c *Context) parseForm(upload bool) error {
	if c.Request.Method != http.MethodPost {
		return nil
	}
	kind, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	switch {
	case kind == "multipart/form-data" && upload:
		err = c.Request.ParseMultipartForm(4 << 20)
	case kind == "multipart/form-data":
		err = c.Request.ParseMultipartForm(defaultBody)
	case kind == "application/x-www-form-urlencoded":
		err = c.Request.ParseForm()
	default:
		return nil
	}
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		return fault.Wrap(err, fault.Invalid, "ui.fail.too_large", "size", c.Loc.Bytes(tooBig.Limit))
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "ui.form.unreadable")
	}
	return nil
}

func (c *Context) dropUploads() {
	if c.Request.MultipartForm == nil {
		return
	}
	if err := c.Request.MultipartForm.RemoveAll(); err != nil {
		c.router.opt.Log.Warn("uploaded file left behind", "error", err)
	}
}
