package api

import (
	"compress/gzip"
	"io"
	"mime"
	"net/http"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/traces/files"
)

// FilesRoot is where sources bring whole files.
const FilesRoot = Root + "/files"

// FilesHandler serves everything under FilesRoot: a file is streamed to the disk,
// and read once it is there whole.
func FilesHandler(o Options, desk *files.Service) http.Handler {
	in, mux := intake{opt: o}, http.NewServeMux()
	give := func(w http.ResponseWriter, r *http.Request) { in.giveFile(w, r, desk) }
	for _, method := range []string{"PUT ", "POST "} {
		mux.HandleFunc(method+FilesRoot, give)
		mux.HandleFunc(method+FilesRoot+"/{name...}", give)
	}
	mux.HandleFunc("GET "+FilesRoot+"/{id}", func(w http.ResponseWriter, r *http.Request) { in.fileState(w, r, desk) })
	mux.HandleFunc(FilesRoot+"/", func(w http.ResponseWriter, r *http.Request) {
		in.refuse(w, r, fault.New(fault.NotFound, "traces.api.unknown"))
	})
	return in.patient(mux, 0)
}

// filed is what a source is told of a file.
type filed struct {
	ID    uuid.UUID `json:"id"`
	Name  string    `json:"name"`
	Bytes int64     `json:"bytes"`
	State string    `json:"state"`
	// Again tells that the same content was brought before: nothing was added.
	Again    bool   `json:"again,omitempty"`
	Rows     int64  `json:"rows"`
	Fresh    int64  `json:"new"`
	Failures int64  `json:"unread"`
	Reason   string `json:"reason,omitempty"`
}

func (in intake) told(r *http.Request, f files.File) filed {
	out := filed{ID: f.ID, Name: f.Name, Bytes: f.Size, State: f.State, Again: f.Again, Rows: f.Rows, Fresh: f.Fresh, Failures: f.Failures}
	if f.Reason != nil {
		out.Reason = in.words(r).Fault(f.Reason)
	}
	return out
}

func (in intake) giveFile(w http.ResponseWriter, r *http.Request, desk *files.Service) {
	from, err := in.opt.Service.ByToken(r.Context(), token(r))
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	content, err := unpacked(r)
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	f, err := desk.GiveAs(r.Context(), from, nameOf(r), content)
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	status := http.StatusAccepted
	if f.Again {
		status = http.StatusOK
	}
	in.write(w, status, in.told(r, f))
}

// unpacked is the content as it is sent, or out of its gzip: what it unpacks to
// is bounded by who stores it.
func unpacked(r *http.Request) (io.Reader, error) {
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
		return r.Body, nil
	case "gzip":
		content, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "traces.api.packed")
		}
		return content, nil
	}
	return nil, fault.New(fault.Invalid, "traces.api.packed")
}

// nameOf is the name that a source gives: at the end of the address, as curl -T
// writes it, in the query, or in Content-Disposition.
func nameOf(r *http.Request) string {
	if name := r.PathValue("name"); name != "" {
		return name
	}
	if name := r.URL.Query().Get("name"); name != "" {
		return name
	}
	_, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return parameters["filename"]
}

func (in intake) fileState(w http.ResponseWriter, r *http.Request, desk *files.Service) {
	from, err := in.opt.Service.ByToken(r.Context(), token(r))
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		in.refuse(w, r, fault.New(fault.NotFound, "traces.files.unknown"))
		return
	}
	f, err := desk.FileOf(r.Context(), from, id)
	if err != nil {
		in.refuse(w, r, err)
		return
	}
	in.write(w, http.StatusOK, in.told(r, f))
}
