package app

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tocsin/internal/dispatch"
	"tocsin/internal/ui"
)

// metrics registers the figures of the process and of the outbox.
func (h *House) metrics() *dispatch.Metrics {
	h.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "tocsin_storage_writes_total", Help: "Write transactions committed."},
			func() float64 { return float64(h.DB.Writes()) }))
	m, err := dispatch.NewMetrics(h.Metrics)
	if err != nil {
		// Two figures of one name: a mistake in the program, seen at its first start.
		panic(err)
	}
	return m
}

// observe counts the pages.
func (h *House) observe() func(ui.Observation) {
	pages := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tocsin_http_seconds", Help: "Time to answer a page.", Buckets: []float64{.005, .025, .1, .2, .5, 1, 5},
	}, []string{"route", "status"})
	h.Metrics.MustRegister(pages)
	return func(o ui.Observation) {
		pages.WithLabelValues(o.Method+" "+o.Route, strconv.Itoa(o.Status/100)+"xx").Observe(o.Took.Seconds())
	}
}

// healthMux serves what a supervision asks.
func (h *House) healthMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := h.DB.Ping(ctx); err != nil {
			h.Log.Error("not ready", "error", err)
			answer(w, http.StatusServiceUnavailable, "the database does not answer\n")
			return
		}
		answer(w, http.StatusOK, "ready\n")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.Metrics, promhttp.HandlerOpts{}))
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write([]byte(text)); err != nil {
		return // the caller hung up
	}
}

// withHealth puts the health pages before the others when they have no address
// of their own. Figures are then for this machine only.
func (h *House) withHealth(pages http.Handler) http.Handler {
	if h.Settings.MetricsListen != "" {
		return pages
	}
	health := h.healthMux()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz", "/readyz":
			health.ServeHTTP(w, r)
		case "/metrics":
			if host, _, err := net.SplitHostPort(r.RemoteAddr); err != nil || !net.ParseIP(host).IsLoopback() || r.Header.Get("X-Forwarded-For") != "" {
				http.NotFound(w, r)
				return
			}
			health.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}
