package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

// problemType begins the type of every problem; the key of its sentence
// follows, so that a program need not read the sentence.
const problemType = "urn:tocsin:problem:"

// problem says an error to a program: RFC 9457, in the caller's language.
func (d *Desk) problem(r *http.Request, err error) *huma.ErrorModel {
	loc := d.words(r)
	status := fault.KindOf(err).Status()
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		status, err = http.StatusRequestEntityTooLarge, fault.Wrap(err, fault.Invalid, "rest.too_big")
	case errors.Is(err, context.DeadlineExceeded):
		err = fault.Wrap(err, fault.Unavailable, "fault.unavailable")
		status = http.StatusServiceUnavailable
	}
	if status >= http.StatusInternalServerError {
		d.opt.Log.Error("operation failed", "id", d.opt.Reference(r.Context()), "path", r.URL.Path, "error", err)
	}
	p := &huma.ErrorModel{
		Type: problemType + "fault.internal", Title: title(loc, fault.KindOf(err)), Status: status, Detail: loc.Fault(err), Instance: d.instance(r),
	}
	for i, one := range leaves(err) {
		f := fault.As(one)
		if f == nil {
			continue
		}
		if i == 0 {
			p.Type, p.Detail = problemType+f.Key, loc.Fault(one)
		}
		if f.Field != "" {
			p.Errors = append(p.Errors, &huma.ErrorDetail{Message: loc.Fault(one), Location: location(r, f.Field)})
		}
	}
	return p
}

// leaves are the errors joined in one.
func leaves(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, leaves(e)...)
		}
		return out
	}
	return []error{err}
}

// location names a field the way the description does.
func location(r *http.Request, field string) string {
	if r.Method == http.MethodGet || strings.HasPrefix(field, "header.") || strings.HasPrefix(field, "query.") {
		return field
	}
	return "body." + field
}

func title(loc *i18n.Localizer, k fault.Kind) string { return loc.T("rest.title." + string(k)) }

func (d *Desk) instance(r *http.Request) string {
	if id := d.opt.Reference(r.Context()); id != "" {
		return "urn:tocsin:request:" + id
	}
	return ""
}

// translate says in our words, and in the caller's language, what was refused
// before the operation ran. The value that was sent is not echoed.
func (d *Desk) translate(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*huma.ErrorModel)
	if !ok || p.Type != "" {
		return v, nil
	}
	r, _ := humago.Unwrap(ctx)
	loc := d.words(r)
	out := &huma.ErrorModel{Type: problemType + "rest.unreadable", Title: title(loc, fault.Invalid), Status: p.Status, Detail: loc.T("rest.unreadable"), Instance: d.instance(r)}
	switch p.Status {
	case http.StatusRequestEntityTooLarge:
		out.Type, out.Detail = problemType+"rest.too_big", loc.T("rest.too_big")
	case http.StatusUnsupportedMediaType:
		out.Type, out.Detail = problemType+"rest.not_json", loc.T("rest.not_json")
	}
	for _, e := range p.Errors {
		if e != nil && e.Location != "" {
			out.Errors = append(out.Errors, &huma.ErrorDetail{Location: e.Location, Message: refusal(loc, e.Message)})
		}
	}
	if len(out.Errors) > 0 && p.Status == http.StatusUnprocessableEntity {
		out.Type, out.Detail = problemType+"rest.invalid", loc.T("rest.invalid", "field", out.Errors[0].Location, "why", out.Errors[0].Message)
	}
	return out, nil
}

// refusal is the sentence of what the library found wrong with a value.
func refusal(loc *i18n.Localizer, message string) string {
	number := func() string {
		words := strings.Fields(message)
		if n, err := strconv.Atoi(words[len(words)-1]); err == nil {
			return loc.Int(n)
		}
		return "?"
	}
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(message, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("required property", "required query parameter", "required header", "request body is required"):
		return loc.T("rest.wrong.required")
	case has("unexpected property", "unknown query parameter"):
		return loc.T("rest.wrong.unknown")
	case has("to be one of"):
		_, list, _ := strings.Cut(message, "to be one of ")
		return loc.T("rest.wrong.choice", "choices", strings.Trim(list, `"`))
	case has("length >=", "array length >="):
		return loc.T("rest.wrong.short", "least", number())
	case has("length <=", "array length <="):
		return loc.T("rest.wrong.long", "most", number())
	case has("number >=", "number >"):
		return loc.T("rest.wrong.small", "least", number())
	case has("number <=", "number <"):
		return loc.T("rest.wrong.large", "most", number())
	case has("uuid"):
		return loc.T("rest.wrong.id")
	case has("date-time", "RFC 3339"):
		return loc.T("rest.wrong.time")
	}
	return loc.T("rest.wrong.kind")
}

// write answers with a problem from outside an operation.
func (d *Desk) write(w http.ResponseWriter, r *http.Request, p *huma.ErrorModel) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		http.Error(w, p.Detail, p.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Vary", "Accept-Language")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Tocsin"`)
	}
	w.WriteHeader(p.Status)
	if _, err := w.Write(b.Bytes()); err != nil {
		d.opt.Log.Debug("answer not read to the end", "id", d.opt.Reference(r.Context()), "error", err)
	}
}
