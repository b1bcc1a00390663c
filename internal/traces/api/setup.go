package api

import (
	"io"
	"net/http"
)

// setup serves what shippers ask of Elasticsearch before they send: whether it
// lives, what it may do, and that their templates, policies, pipelines and data
// streams be there. We need none of these, since each document is read and kept
// whole: we say that they exist, so that nobody sends them, and take them when
// they are sent all the same.
func (in intake) setup(mux *http.ServeMux) {
	mux.HandleFunc(Root, in.hello)
	mux.HandleFunc("GET "+Root+"/_license", in.fixed(`{"license":{"status":"active","type":"basic","mode":"basic","uid":"tocsin"}}`))
	mux.HandleFunc("GET "+Root+"/_xpack", in.fixed(`{"build":{},"license":{"uid":"tocsin","type":"basic","mode":"basic","status":"active"},"features":{"ilm":{"available":true,"enabled":true},"security":{"available":true,"enabled":true}}}`))
	mux.HandleFunc("GET "+Root+"/_cluster/health", in.health)
	for _, thing := range []string{"_ilm/policy", "_index_template", "_component_template", "_template", "_data_stream", "_ingest/pipeline", "_alias"} {
		mux.HandleFunc("GET "+Root+"/"+thing+"/{name}", in.fixed(`{}`))
		mux.HandleFunc("PUT "+Root+"/"+thing+"/{name}", in.fixed(`{"acknowledged":true}`))
	}
}

// setupMost bounds what is read, and thrown away, of a template; bytes.
const setupMost = 8 << 20

// fixed answers the same to every source, and nothing to others.
func (in intake) fixed(reply string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := in.opt.Service.ByToken(r.Context(), token(r)); err != nil {
			in.elasticRefuse(w, r, err)
			return
		}
		if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, setupMost)); err != nil {
			in.opt.Log.Debug("traces: template", "err", err)
		}
		in.elasticWrite(w, http.StatusOK, []byte(reply))
	}
}

// health tells whether traces can be taken.
func (in intake) health(w http.ResponseWriter, r *http.Request) {
	color := "green"
	if !in.opt.Service.Ready() {
		color = "red"
	}
	in.fixed(`{"cluster_name":"tocsin","status":"`+color+`","timed_out":false,"number_of_nodes":1}`)(w, r)
}
