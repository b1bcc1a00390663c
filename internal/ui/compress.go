package ui

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// smallest is the size under which compressing costs more than it saves.
const smallest = 860

// compress gzips pages, tables and data for browsers that take it. Event
// streams go through untouched: each event must leave at once.
func compress(next http.Handler) http.Handler {
	pool := &sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !accepts(r, "gzip") || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		g := &gzipWriter{ResponseWriter: w, pool: pool}
		defer g.close()
		next.ServeHTTP(g, r)
	})
}

type gzipWriter struct {
	http.ResponseWriter
	pool    *sync.Pool
	zip     *gzip.Writer
	decided bool
}

func (w *gzipWriter) WriteHeader(status int) {
	if status < 200 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if !w.decided {
		w.decide(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *gzipWriter) decide(status int) {
	w.decided = true
	h := w.Header()
	if !compressible(h, status) {
		return
	}
	h.Set("Content-Encoding", "gzip")
	h.Add("Vary", "Accept-Encoding")
	h.Del("Content-Length")
	if zip, ok := w.pool.Get().(*gzip.Writer); ok {
		w.zip = zip
		zip.Reset(w.ResponseWriter)
	}
}

func compressible(h http.Header, status int) bool {
	if status == http.StatusNoContent || status == http.StatusNotModified || h.Get("Content-Encoding") != "" {
		return false
	}
	if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil && n < smallest {
		return false
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	switch kind {
	case "text/html", "text/csv", "text/plain", "application/json", "application/problem+json", "image/svg+xml":
		return true
	}
	return false
}

func (w *gzipWriter) Write(b []byte) (int, error) {
	if !w.decided {
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", http.DetectContentType(b))
		}
		w.WriteHeader(http.StatusOK)
	}
	if w.zip == nil {
		return w.ResponseWriter.Write(b)
	}
	n, err := w.zip.Write(b)
	if err != nil {
		return n, fmt.Errorf("compress answer: %w", err)
	}
	return n, nil
}

// FlushError sends what was written so far.
func (w *gzipWriter) FlushError() error {
	if w.zip != nil {
		if err := w.zip.Flush(); err != nil {
			return fmt.Errorf("compress answer: %w", err)
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController set deadlines on the connection.
func (w *gzipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *gzipWriter) close() {
	if w.zip == nil {
		return
	}
	if err := w.zip.Close(); err != nil {
		// The connection is gone: nobody waits for the end of this answer.
		w.zip.Reset(nil)
	}
	w.pool.Put(w.zip)
	w.zip = nil
}
