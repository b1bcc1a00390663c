package api

import (
	"bytes"
	"net/http"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/fhir"
	"tocsin/internal/traces/gelf"
	"tocsin/internal/traces/otlp"
)

// fhir takes an AuditEvent or a Bundle of them (ITI-20). One that breaks a rule
// is refused whole, element by element in an OperationOutcome: nothing of it is
// kept, and its sender knows.
func (in intake) fhir(w http.ResponseWriter, r *http.Request) {
	from, all, err := in.open(w, r)
	if err != nil {
		in.outcome(w, r, err)
		return
	}
	events, err := in.opt.Service.Reader(fhir.Name, from).Parse(nil, all, in.opt.Clock.Now().UnixMicro())
	if err == nil {
		err = in.opt.Service.Take(r.Context(), from, events, nil)
	}
	if err != nil {
		in.outcome(w, r, err)
		return
	}
	in.outcomeWrite(w, r, http.StatusCreated, nil)
}

// outcome refuses: what breaks a rule of the resource is 422.
func (in intake) outcome(w http.ResponseWriter, r *http.Request, err error) {
	in.outcomeAs(w, r, http.StatusUnprocessableEntity, err)
}

// outcomeAs refuses with an OperationOutcome: what is invalid with this status,
// the rest with that of its kind.
func (in intake) outcomeAs(w http.ResponseWriter, r *http.Request, status int, err error) {
	faults := fhir.Faults(err)
	if len(faults) == 0 {
		in.opt.Log.Error("traces refused", "path", r.URL.Path, "error", err)
		faults = append(faults, fault.New(fault.Internal, "fault.internal"))
	}
	if kind := faults[0].Kind; kind != fault.Invalid {
		status = kind.Status()
	}
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="traces"`)
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
	}
	in.outcomeWrite(w, r, status, faults)
}

func (in intake) outcomeWrite(w http.ResponseWriter, r *http.Request, status int, faults []*fault.Error) {
	loc := in.words(r)
	body, err := fhir.Outcome(faults, func(f *fault.Error) string { return loc.Fault(f) })
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	in.send(w, status, "application/fhir+json", body)
}

// logs takes a request of OTLP over HTTP, in protocol buffers or JSON.
func (in intake) logs(w http.ResponseWriter, r *http.Request) {
	inJSON := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	from, all, err := in.open(w, r)
	var events []traces.Event
	if err == nil {
		events, err = in.opt.Service.Reader(otlp.Name, from).Parse(nil, all, in.opt.Clock.Now().UnixMicro())
	}
	if err == nil {
		err = in.opt.Service.Take(r.Context(), from, events, nil)
	}
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	kind := "application/x-protobuf"
	if inJSON {
		kind = "application/json"
	}
	in.send(w, http.StatusOK, kind, otlp.Reply(inJSON, 0, ""))
}

// gelf takes one message of GELF.
func (in intake) gelf(w http.ResponseWriter, r *http.Request) {
	from, all, err := in.open(w, r)
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	events, unread := in.opt.Service.Reader(gelf.Name, from).Parse(nil, bytes.TrimSpace(all), in.opt.Clock.Now().UnixMicro())
	if err := in.opt.Service.Take(r.Context(), from, events, []error{unread}); err != nil {
		in.refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (in intake) send(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		in.opt.Log.Debug("traces: reply", "err", err)
	}
}
