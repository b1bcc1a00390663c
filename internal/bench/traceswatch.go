package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tocsin/internal/clock"
	"tocsin/internal/traces"
	"tocsin/internal/traces/detect"
	"tocsin/internal/traces/lab"
	"tocsin/internal/traces/sigma"
)

// rulesOfTheBar is how many rules look at the flow.
const rulesOfTheBar = 3700

// writeRules invents rules of Sigma.
func writeRules(dir string, n int) error {
	if n == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for i, text := range sigma.InventTexts(n, 1) {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("banc-%04d.yml", i)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// sigma3700 sends events as JSON while thousands of rules look at them, until
// all are stored and the last was looked at.
func (b *bench) sigma3700(ctx context.Context) (out []Result, err error) {
	p, err := b.openTraces(ctx, "sigma3700", traceRequest{Rules: rulesOfTheBar})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.leave(ctx)) }()
	watched := func() error {
		return p.until(ctx, "the watch", 20*time.Millisecond, func() (bool, error) {
			var a answered
			err := p.ask(ctx, traceOrder{Unwatched: true}, &a)
			return a.Total == 0, err
		})
	}
	// The rules are read once, before the first event is looked at.
	if err := errors.Join(p.postBulk(ctx, 0, 1), watched()); err != nil {
		return nil, err
	}
	n := b.Sizes.Traces / 10
	began := time.Now()
	if err := errors.Join(p.post(ctx, p.Tokens["jsonl"], n), watched()); err != nil {
		return nil, err
	}
	looked := float64(n) / time.Since(began).Seconds()
	if err := p.found(ctx, "jsonl", n); err != nil {
		return nil, err
	}
	stored := float64(n) / time.Since(began).Seconds()
	return []Result{samples{looked}.result("sigma3700.eps", "events/s", samples{stored}, "the same events stored and found, events/s")}, p.stop(ctx)
}

// regressionFolder is a copy of the public rules of SigmaHQ with their events,
// which the product does not carry.
const regressionFolder = "TOCSIN_SIGMA_DIR"

// sigmaRegression tries the public rules against the events kept for them.
func (b *bench) sigmaRegression(context.Context) ([]Result, error) {
	dir := os.Getenv(regressionFolder)
	if dir == "" {
		b.note("sigma: not measured: %s names no folder of github.com/SigmaHQ/sigma", regressionFolder)
		return nil, nil
	}
	report, err := sigma.Regress(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	return []Result{samples{float64(report.Hits())}.result("sigma.regression_hits", "rules", samples{float64(len(report.Outcomes))}, "rules for which an event is kept")}, nil
}

// volume has the detection look at 4,300 people and 200,000 patients.
func (b *bench) volume(ctx context.Context) ([]Result, error) {
	var costs, rates samples
	for range b.Runs {
		s, err := detect.Measure(ctx, clock.Real(), detect.Load{Events: max(1000, b.Sizes.Traces/40)})
		if err != nil {
			return nil, err
		}
		costs, rates = append(costs, s.CorePercent(100)), append(rates, s.PerSecond())
	}
	return []Result{costs.result("volume.core_pct", "% of a core", rates, "events a second that one core looks at")}, nil
}

// detection examines the detection on hospitals it was never shown, beside a
// plain threshold for each person at the same cost.
func (b *bench) detection(ctx context.Context) ([]Result, error) {
	const lowest = 25 // the score from which the calibration looks
	people := min(400, max(60, b.Sizes.Traces/25_000))
	r, err := lab.Evaluate(ctx, lab.Examination{
		Options: lab.Options{Days: 28, People: people, Wrong: 3000}, Calibrate: []uint64{1, 2, 3}, Test: []uint64{4, 5, 6}, PerThousand: 1, Low: lowest,
		New: func(care traces.Carer, staff traces.Staff, threshold int) lab.Detector {
			return detect.New(detect.Options{Carer: care, Staff: staff, Threshold: threshold})
		},
	})
	if err != nil {
		return nil, err
	}
	b.note("detect: precision %.2f at %.2f alerts per 1,000 accesses; the plain threshold %.2f at %.2f", r.Detection.Precision, r.Detection.PerThousand, r.Baseline.Precision, r.Baseline.PerThousand)
	planted := 0
	for _, n := range r.Planted {
		planted += n
	}
	name := "misbehaviours planted"
	return []Result{
		samples{r.Detection.Recall}.result("detect.recall_at_1_per_1000", "", samples{float64(planted)}, name),
		samples{r.Baseline.Recall}.result("detect.baseline_recall", "", samples{float64(planted)}, name),
	}, nil
}

// hashRate is how fast one core makes SHA-256, MB/s.
func hashRate() float64 {
	text := make([]byte, 64<<20)
	began := time.Now()
	sha256.Sum256(text)
	return float64(len(text)) / 1e6 / time.Since(began).Seconds()
}
