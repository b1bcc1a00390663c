package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/traces"
)

// Root is where the addresses of the intake begin.
const Root = "/intake"

// BodyLimit bounds what is brought at once, bytes, also once unpacked.
const BodyLimit = 32 << 20

const (
	// portion is how many events one write to the disk holds.
	portion = 5000
	// problemsTold is how many lines that could not be understood are told.
	problemsTold = 20
)

// Options are what the intake rests on.
type Options struct {
	Service *traces.Service
	Catalog *i18n.Catalog
	Clock   clock.Clock
	Log     *slog.Logger
	// Origin is where this program is reached, without a path; Zone that of dates
	// of searches which name none.
	Origin string
	Zone   *time.Location
	// Address tells where a request comes from, through the proxies believed.
	Address func(context.Context) string
	// Patience is how long a sender may say nothing in the middle of what it brings,
	// a minute when zero.
	Patience time.Duration
}

type intake struct {
	opt Options
	// tables are lists of events that serve again.
	tables *sync.Pool
}

// table is what a portion is laid on.
type table struct {
	events  []traces.Event
	reasons []error
}

// clean keeps the room, and nothing that was said.
func (t *table) clean() {
	clear(t.events[:cap(t.events)])
	clear(t.reasons[:cap(t.reasons)])
	t.events, t.reasons = t.events[:0], t.reasons[:0]
	if cap(t.events) > 2*portion {
		t.events = nil
	}
}

// Handler serves everything under Root.
func Handler(o Options) http.Handler {
	in := intake{o, &sync.Pool{New: func() any { return &table{} }}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Root+"/events", in.events)
	mux.HandleFunc("POST "+Root+"/document", in.document)
	in.elastic(mux)
	mux.HandleFunc("POST "+Root+"/fhir", in.fhir)
	mux.HandleFunc("POST "+Root+"/fhir/AuditEvent", in.fhir)
	in.manager(mux)
	mux.HandleFunc("POST "+Root+"/v1/logs", in.logs)
	mux.HandleFunc("POST "+Root+"/gelf", in.gelf)
	mux.HandleFunc(Root+"/", func(w http.ResponseWriter, r *http.Request) {
		in.refuse(w, r, fault.New(fault.NotFound, "traces.api.unknown"))
	})
	return in.patient(mux, wholes*o.patience())
}

// token reads the token of a source: Bearer, ApiKey, or the password of Basic,
// which is all that some shippers can send.
func token(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "ApiKey") {
		return strings.TrimSpace(value)
	}
	return ""
}

// body reads what was sent, unpacked. Errors: Invalid.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var from io.Reader = http.MaxBytesReader(w, r.Body, BodyLimit)
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "traces.api.packed")
		}
		from = unpacked
	default:
		return nil, fault.New(fault.Invalid, "traces.api.packed")
	}
	var out bytes.Buffer
	if r.ContentLength > 0 {
		out.Grow(int(min(r.ContentLength, BodyLimit)) + bytes.MinRead)
	}
	n, err := out.ReadFrom(io.LimitReader(from, BodyLimit+1))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large) || n > BodyLimit:
		return nil, fault.New(fault.Invalid, "traces.api.large", "most", BodyLimit>>20)
	case err != nil:
		return nil, fault.Wrap(err, fault.Invalid, "traces.api.cut")
	}
	return out.Bytes(), nil
}

// problem is a message that could not be understood.
type problem struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// receipt is what a source is told.
type receipt struct {
	// Taken counts the events on the disk, Unread those among them that could not
	// be understood and are kept as they are.
	Taken    int       `json:"taken"`
	Unread   int       `json:"unread"`
	Problems []problem `json:"problems,omitempty"`
}

// events takes one message a line, in the format of the source.
func (in intake) events(w http.ResponseWriter, r *http.Request) {
	in.take(w, r, func(all []byte) [][]byte {
		var out [][]byte
		for line := range bytes.Lines(all) {
			out = append(out, bytes.TrimRight(line, "\r\n"))
		}
		return out
	})
}

// document takes the whole as one message: an XML, a JSON of several lines.
func (in intake) document(w http.ResponseWriter, r *http.Request) {
	in.take(w, r, func(all []byte) [][]byte { return [][]byte{all} })
}

// open recognises who sends and reads what. Errors: Unauthenticated, Invalid.
func (in intake) open(w http.ResponseWriter, r *http.Request) (traces.Speaker, []byte, error) {
	from, err := in.opt.Service.ByToken(r.Context(), token(r))
	if err != nil {
		return from, nil, err
	}
	all, err := body(w, r)
	return from, all, err
}

func (in intake) take(w http.ResponseWriter, r *http.Request, cut func([]byte) [][]byte) {
	from, all, err := in.open(w, r)
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	out, err := in.keep(r, from, cut(all))
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	in.write(w, http.StatusOK, out)
}

// keep parses messages and has them kept, portion by portion.
func (in intake) keep(r *http.Request, from traces.Speaker, messages [][]byte) (out receipt, err error) {
	loc := in.words(r)
	received := in.opt.Clock.Now().UnixMicro()
	t := in.tables.Get().(*table)
	defer func() { t.clean(); in.tables.Put(t) }()
	for n, message := range messages {
		if len(bytes.TrimSpace(message)) > 0 {
			before := len(t.events)
			var unread error
			if t.events, unread = in.opt.Service.Parse(t.events, from, message, received); unread != nil {
				out.Unread++
				if len(out.Problems) < problemsTold {
					out.Problems = append(out.Problems, problem{n + 1, loc.Fault(unread)})
				}
			}
			for range len(t.events) - before {
				t.reasons = append(t.reasons, unread)
			}
		}
		if len(t.events) >= portion || (n == len(messages)-1 && len(t.events) > 0) {
			if err := in.opt.Service.Take(r.Context(), from, t.events, t.reasons); err != nil {
				return out, err
			}
			out.Taken += len(t.events)
			t.events, t.reasons = t.events[:0], t.reasons[:0]
		}
	}
	return out, nil
}

// words speaks the language of the caller.
func (in intake) words(r *http.Request) *i18n.Localizer {
	return in.opt.Catalog.For(i18n.Negotiate(r.Header.Get("Accept-Language")))
}

// statusOf is what shippers understand: they send less at once after 413, and
// give up after 400.
func statusOf(err error) int {
	f := fault.As(err)
	switch {
	case f != nil && f.Key == "traces.api.large":
		return http.StatusRequestEntityTooLarge
	case fault.KindOf(err) == fault.Invalid:
		return http.StatusBadRequest
	}
	return fault.KindOf(err).Status()
}

// refuse tells an error as a problem (RFC 9457).
func (in intake) refuse(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	status := statusOf(err)
	if kind == fault.Internal {
		in.opt.Log.Error("traces refused", "path", r.URL.Path, "error", err)
	}
	loc := in.words(r)
	w.Header().Set("Content-Type", "application/problem+json")
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="traces"`)
	}
	in.write(w, status, map[string]any{"title": loc.FaultKind(kind), "status": status, "detail": loc.Fault(err)})
}

func (in intake) write(w http.ResponseWriter, status int, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		in.opt.Log.Debug("traces: reply", "err", err)
	}
}
