package dispatch

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/internal/channels"
)

// Metrics are the figures for the operator's monitoring. A nil *Metrics counts nothing.
type Metrics struct {
	accepted *prometheus.CounterVec
	refused  *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	flight   *prometheus.GaugeVec
}

// NewMetrics registers the figures of the outbox.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tocsin_dispatch_accepted_total", Help: "Messages a gateway accepted."}, []string{"medium"}),
		refused:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tocsin_dispatch_refused_total", Help: "Messages refused for good."}, []string{"medium", "reason"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tocsin_dispatch_latency_seconds", Help: "From the order to the acceptance.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900},
		}, []string{"medium"}),
		flight: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tocsin_dispatch_in_flight", Help: "Messages claimed and not yet settled by this node."}, []string{"medium"}),
	}
	for _, c := range []prometheus.Collector{m.accepted, m.refused, m.latency, m.flight} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Metrics) sent(medium channels.Medium, after time.Duration) {
	if m == nil {
		return
	}
	m.accepted.WithLabelValues(string(medium)).Inc()
	m.latency.WithLabelValues(string(medium)).Observe(after.Seconds())
}

func (m *Metrics) failed(medium channels.Medium, reason channels.Reason) {
	if m == nil {
		return
	}
	m.refused.WithLabelValues(string(medium), string(reason)).Inc()
}

func (m *Metrics) inFlight(medium channels.Medium, delta int) {
	if m == nil || delta == 0 {
		return
	}
	m.flight.WithLabelValues(string(medium)).Add(float64(delta))
}
