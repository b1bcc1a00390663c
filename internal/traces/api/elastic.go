package api

import (
	"errors"
	"net/http"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/bulk"
)

// elastic serves what Filebeat, Winlogbeat, Fluent Bit, Vector and others expect
// of Elasticsearch: who we are, and _bulk.
func (in intake) elastic(mux *http.ServeMux) {
	mux.HandleFunc(Root+"/{$}", in.hello)
	in.setup(mux)
	mux.HandleFunc("POST "+Root+"/_bulk", in.bulk)
	mux.HandleFunc("POST "+Root+"/_bulk/{$}", in.bulk)
	mux.HandleFunc("PUT "+Root+"/_bulk", in.bulk)
	mux.HandleFunc("POST "+Root+"/{index}/_bulk", in.bulk)
}

// elasticWrite answers as Elasticsearch does: its clients look for the header.
func (in intake) elasticWrite(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		in.opt.Log.Debug("traces: reply", "err", err)
	}
}

// elasticRefuse tells a refusal of the whole request, in the caller's language
// and in the form of Elasticsearch.
func (in intake) elasticRefuse(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	if kind == fault.Internal {
		in.opt.Log.Error("traces refused", "path", r.URL.Path, "error", err)
	}
	words := map[fault.Kind]string{fault.Unauthenticated: "security_exception", fault.Invalid: "illegal_argument_exception"}[kind]
	if words == "" {
		words = "unavailable_shards_exception"
	}
	if kind == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", `Basic realm="traces"`)
	}
	in.elasticWrite(w, statusOf(err), bulk.Failed(nil, statusOf(err), words, in.words(r).Fault(err)))
}

func (in intake) hello(w http.ResponseWriter, r *http.Request) {
	if _, err := in.opt.Service.ByToken(r.Context(), token(r)); err != nil {
		in.elasticRefuse(w, r, err)
		return
	}
	in.elasticWrite(w, http.StatusOK, bulk.Hello(nil, "tocsin"))
}

// bulk takes the documents of a request of _bulk. A queue that is full is said
// item by item, as 429: shippers come back with them.
func (in intake) bulk(w http.ResponseWriter, r *http.Request) {
	from, all, err := in.open(w, r)
	if err != nil {
		in.elasticRefuse(w, r, err)
		return
	}
	begun := in.opt.Clock.Now()
	reader := in.opt.Service.Reader(bulk.Name, from)
	format, ok := reader.(bulk.Format)
	if !ok {
		in.elasticRefuse(w, r, fault.New(fault.Unavailable, "traces.error.none"))
		return
	}
	events, items, err := format.Items(nil, all, r.PathValue("index"), begun.UnixMicro())
	if err != nil {
		in.elasticRefuse(w, r, err)
		return
	}
	if err := in.opt.Service.Take(r.Context(), from, events, problemsOf(events, items)); err != nil {
		if fault.KindOf(err) != fault.Unavailable {
			in.elasticRefuse(w, r, err)
			return
		}
		bulk.Refuse(items, http.StatusTooManyRequests, "es_rejected_execution_exception", in.words(r).Fault(err))
	}
	short := strings.Contains(r.URL.Query().Get("filter_path"), "items.*.status")
	in.elasticWrite(w, http.StatusOK, bulk.Reply(nil, items, in.opt.Clock.Now().Sub(begun).Milliseconds(), short))
}

// problemsOf gives, for each event, what could not be understood of it: the
// items that are kept are in the order of their events.
func problemsOf(events []traces.Event, items []bulk.Item) []error {
	out := make([]error, 0, len(events))
	for i := range items {
		if items[i].Status == http.StatusCreated {
			out = append(out, items[i].Problem)
		}
	}
	if len(out) != len(events) { // a document may be several events: then nothing is told of which
		var all []error
		for _, err := range out {
			if err != nil {
				all = append(all, err)
			}
		}
		return []error{errors.Join(all...)}
	}
	return out
}
