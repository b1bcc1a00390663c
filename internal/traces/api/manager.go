package api

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/fhir"
)

// searchLimit bounds the parameters of a posted search, bytes.
const searchLimit = 64 << 10

// manager serves what the Gestionnaire of the French profile owes a Consommateur:
// search and read (ITI-81), and what it is able to do.
func (in intake) manager(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Root+"/fhir/AuditEvent", in.search)
	mux.HandleFunc("POST "+Root+"/fhir/AuditEvent/_search", in.search)
	mux.HandleFunc("GET "+Root+"/fhir/AuditEvent/{id}", in.one)
	mux.HandleFunc("GET "+Root+"/fhir/metadata", in.capability)
}

func (in intake) fhirBase() string { return in.opt.Origin + Root + "/fhir" }

// inquirer recognises who searches, and that an answer can be read. It answers
// itself when not.
func (in intake) inquirer(w http.ResponseWriter, r *http.Request) (who traces.Inquirer, ok bool) {
	w.Header().Set("Cache-Control", "no-store")
	who, err := in.opt.Service.ByConsumerToken(r.Context(), token(r), in.opt.Address(r.Context()))
	switch {
	case err != nil:
		in.outcomeAs(w, r, http.StatusBadRequest, err)
	case !readsJSON(r):
		in.outcomeAs(w, r, http.StatusNotAcceptable, fault.New(fault.Invalid, "traces.fhir.only_json"))
	default:
		return who, true
	}
	return who, false
}

// readsJSON tells whether the caller takes JSON: _format comes before Accept.
func readsJSON(r *http.Request) bool {
	if f := r.URL.Query().Get("_format"); f != "" {
		return strings.Contains(f, "json")
	}
	all := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(all) == "" {
		return true
	}
	for part := range strings.SplitSeq(all, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil && q == 0 {
			continue
		}
		switch kind {
		case "*/*", "application/*", "application/fhir+json", "application/json":
			return true
		}
	}
	return false
}

// asked gives the parameters of a search: those of the address, and of the body
// when it is posted. Errors: Invalid.
func asked(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "traces.fhir.search_query")
	}
	if r.Method != http.MethodPost {
		return query, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Invalid, "traces.fhir.search_body")
	}
	r.Body = http.MaxBytesReader(w, r.Body, searchLimit)
	if err := r.ParseForm(); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "traces.fhir.search_body")
	}
	return r.Form, nil
}

// search answers ITI-81.
func (in intake) search(w http.ResponseWriter, r *http.Request) {
	who, ok := in.inquirer(w, r)
	if !ok {
		return
	}
	query, err := asked(w, r)
	if err != nil {
		in.outcomeAs(w, r, http.StatusBadRequest, err)
		return
	}
	wanted, err := fhir.ParseSearch(query, in.opt.Clock.Now().UnixMicro(), in.opt.Zone)
	if err != nil {
		in.outcomeAs(w, r, http.StatusBadRequest, err)
		return
	}
	found, err := in.opt.Service.Consult(r.Context(), who, wanted.Question)
	if err != nil {
		in.outcomeAs(w, r, http.StatusBadRequest, err)
		return
	}
	self, next := in.links(query, wanted, found)
	if wanted.Count {
		found.Events = nil
	}
	body, err := fhir.Bundle(in.fhirBase(), self, next, found.Total, found.Events)
	if err != nil {
		in.outcomeAs(w, r, http.StatusBadRequest, err)
		return
	}
	in.send(w, http.StatusOK, "application/fhir+json", body)
}

// links gives the address of a search as it was understood, and that of the page
// after; "" when there is none.
func (in intake) links(query url.Values, wanted fhir.Search, found traces.Answer) (self, next string) {
	at := in.fhirBase() + "/AuditEvent?"
	self = at + query.Encode()
	if wanted.Count || !found.More {
		return self, ""
	}
	after := url.Values{}
	for name, values := range query {
		after[name] = values
	}
	after.Set("_count", strconv.Itoa(wanted.Question.Limit))
	after.Set("_offset", strconv.Itoa(wanted.Question.Skip+len(found.Events)))
	return self, at + after.Encode()
}

// one reads an event.
func (in intake) one(w http.ResponseWriter, r *http.Request) {
	who, ok := in.inquirer(w, r)
	if !ok {
		return
	}
	e, err := in.opt.Service.ConsultOne(r.Context(), who, fhir.Ref(r.PathValue("id")))
	if fault.Is(err, fault.NotFound) {
		err = fault.Wrap(err, fault.NotFound, "traces.fhir.no_event")
	}
	var body []byte
	if err == nil {
		body, err = fhir.Resource(&e)
	}
	if err != nil {
		in.outcomeAs(w, r, http.StatusBadRequest, err)
		return
	}
	in.send(w, http.StatusOK, "application/fhir+json", body)
}

// capability says what this server does, to whoever asks: it holds nothing of
// the house.
func (in intake) capability(w http.ResponseWriter, r *http.Request) {
	if !readsJSON(r) {
		in.outcomeAs(w, r, http.StatusNotAcceptable, fault.New(fault.Invalid, "traces.fhir.only_json"))
		return
	}
	body, err := fhir.Capability(in.fhirBase())
	if err != nil {
		in.outcomeAs(w, r, http.StatusInternalServerError, err)
		return
	}
	in.send(w, http.StatusOK, "application/fhir+json", body)
}
