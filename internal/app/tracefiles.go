package app

import (
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/jobs"
	tracesapi "tocsin/internal/traces/api"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/pull"
	"tocsin/internal/ui"
)

// fileTime is how long a source may take to bring one file.
const fileTime = 6 * time.Hour

// openTraceFiles makes the room where exports of applications wait to be read:
// beside the data, on this node.
func (h *House) openTraceFiles() {
	h.TraceFiles = files.New(files.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Log: h.Log, Traces: h.Traces, Node: uuid.NewString(),
		Dir: filepath.Join(h.Settings.Data, "traces", "files"), Roots: h.Settings.TracesFolders,
	})
	h.TracePulls = pull.New(pull.Options{DB: h.DB, Guard: h.Guard, Clock: h.Clock, Log: h.Log, Traces: h.Traces, Files: h.TraceFiles, Vault: h.Vault})
}

// traceFileTasks read files where they are, on each node, and look into folders
// and tables on one.
func (h *House) traceFileTasks() []jobs.Task {
	return []jobs.Task{
		{Name: "traces.files", Every: files.Every, Run: h.TraceFiles.Work},
		h.alone("traces.folders", files.ScanEvery, h.TraceFiles.Scan),
		h.alone("traces.files.sweep", time.Hour, h.TraceFiles.Sweep),
		h.alone("traces.pulls", pull.Every, h.TracePulls.Work),
	}
}

// registerTraceFiles gives whole files their addresses: they are streamed to the
// disk, with other limits than the rest of the intake.
func (h *House) registerTraceFiles(r *ui.Router) {
	counter := tracesapi.FilesHandler(tracesapi.Options{Service: h.Traces, Catalog: h.Catalog, Clock: h.Clock, Log: h.Log}, h.TraceFiles)
	for _, path := range []string{tracesapi.FilesRoot, tracesapi.FilesRoot + "/"} {
		r.Handle("", path, ui.Public, counter, ui.Bare(), ui.Body(files.MaxFile+1), ui.Lasting(fileTime))
	}
}
