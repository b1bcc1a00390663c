package lab

import (
	"context"
	"fmt"
	"math"
	"slices"

	"tocsin/internal/traces"
)

// Detector is what is examined: a detection that also tells what silence makes
// ready.
type Detector interface {
	traces.Detector
	Due(ctx context.Context, now int64) []traces.Hit
}

// Examination says what a detection is examined on.
type Examination struct {
	Options Options
	// Calibrate are the seeds on which the threshold is set, Test those it was
	// never shown.
	Calibrate, Test []uint64
	// PerThousand is the cost allowed, alerts for 1,000 accesses; 1 when zero.
	PerThousand float64
	// New makes a detection that tells from a score on. Low is the score from
	// which the calibration looks.
	New func(c traces.Carer, s traces.Staff, threshold int) Detector
	Low int
}

// Figures are what a method found.
type Figures struct {
	// Recall is the share of the planted misbehaviour of which something was
	// told; Precision the share of what was told that was planted.
	Recall    float64 `json:"recall"`
	Precision float64 `json:"precision"`
	// PerThousand is what was told for 1,000 accesses.
	PerThousand float64 `json:"alerts_per_1000"`
	Alerts      int     `json:"alerts"`
	// Threshold is that set on the other seeds.
	Threshold float64 `json:"threshold"`
	// Kinds is the recall of each kind.
	Kinds map[Kind]float64 `json:"recall_by_kind"`
}

// Report is the result of an examination.
type Report struct {
	Calibrate []uint64     `json:"calibration_seeds"`
	Test      []uint64     `json:"test_seeds"`
	Accesses  int64        `json:"accesses"`
	Planted   map[Kind]int `json:"planted"`
	Detection Figures      `json:"detection"`
	// Baseline is the better of two plain thresholds on the different patients of a
	// person in an hour: the same count for all, or so many deviations above the
	// person's own mean.
	Baseline     Figures `json:"baseline"`
	BaselineName string  `json:"baseline_method"`
	// Rules counts what was told by rule, and how much of it was planted.
	Rules map[string]Told `json:"rules"`
}

// Told is how often a rule was told, and rightly.
type Told struct {
	Alerts int `json:"alerts"`
	Right  int `json:"planted"`
}

// alert is something told once.
type alert struct {
	score    float64
	rule     string
	incident int // −1: nothing planted
}

// trial is one seed watched from the end of the calm on.
type trial struct {
	accesses int64
	planted  []Planted
	told     []alert
	hours    [2][]alert // by the plain thresholds
}

// Evaluate examines.
func Evaluate(ctx context.Context, x Examination) (Report, error) {
	if x.PerThousand == 0 {
		x.PerThousand = 1
	}
	r := Report{Calibrate: x.Calibrate, Test: x.Test, Planted: map[Kind]int{}, Rules: map[string]Told{}}
	shown, err := x.trials(ctx, x.Calibrate, x.Low)
	if err != nil {
		return r, err
	}
	told := func(t *trial) []alert { return t.told }
	threshold := dearest(shown, x.PerThousand, told)
	held, err := x.trials(ctx, x.Test, int(math.Ceil(threshold)))
	if err != nil {
		return r, err
	}
	r.Detection = figures(held, math.Ceil(threshold), told)
	r.Baseline, r.BaselineName = plain(shown, held, x.PerThousand)
	for _, t := range held {
		r.Accesses += t.accesses
		for _, p := range t.planted {
			r.Planted[p.Kind]++
		}
		for _, a := range t.told {
			c := r.Rules[a.rule]
			c.Alerts++
			if a.incident >= 0 {
				c.Right++
			}
			r.Rules[a.rule] = c
		}
	}
	return r, nil
}

// plain takes the plain threshold that finds more where both are set.
func plain(shown, held []*trial, cost float64) (Figures, string) {
	best, name, which, at := -1.0, "", 0, 0.0
	for i, n := range [...]string{"same count for all", "deviations above the person's mean"} {
		by := func(t *trial) []alert { return t.hours[i] }
		threshold := dearest(shown, cost, by)
		if f := figures(shown, threshold, by); f.Recall > best {
			best, name, which, at = f.Recall, n, i, threshold
		}
	}
	return figures(held, at, func(t *trial) []alert { return t.hours[which] }), name
}

// dearest is the lowest threshold whose cost is allowed.
func dearest(trials []*trial, cost float64, of func(*trial) []alert) float64 {
	var scores []float64
	accesses := int64(0)
	for _, t := range trials {
		accesses += t.accesses
		for _, a := range of(t) {
			scores = append(scores, a.score)
		}
	}
	slices.SortFunc(scores, func(a, b float64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	allowed := int(cost * float64(accesses) / 1000)
	if len(scores) <= allowed {
		if len(scores) == 0 {
			return 0
		}
		return scores[len(scores)-1]
	}
	// All that have the same score are told together.
	at := scores[allowed]
	for i := allowed; i >= 0; i-- {
		if scores[i] > at {
			return scores[i]
		}
	}
	return at + 1
}

func figures(trials []*trial, threshold float64, of func(*trial) []alert) Figures {
	f := Figures{Threshold: threshold, Kinds: map[Kind]float64{}}
	planted, found, right, accesses := map[Kind]int{}, map[Kind]int{}, 0, int64(0)
	for _, t := range trials {
		accesses += t.accesses
		seen := map[int]bool{}
		for _, a := range of(t) {
			if a.score < threshold {
				continue
			}
			f.Alerts++
			if a.incident >= 0 {
				right++
				seen[a.incident] = true
			}
		}
		for i, p := range t.planted {
			planted[p.Kind]++
			if seen[i] {
				found[p.Kind]++
			}
		}
	}
	all, some := 0, 0
	for k, n := range planted {
		all, some = all+n, some+found[k]
		f.Kinds[k] = round(float64(found[k]) / float64(n))
	}
	f.Recall, f.Precision = round(float64(some)/float64(max(all, 1))), round(float64(right)/float64(max(f.Alerts, 1)))
	f.PerThousand = round(1000 * float64(f.Alerts) / float64(max(accesses, 1)))
	return f
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

func (x *Examination) trials(ctx context.Context, seeds []uint64, threshold int) ([]*trial, error) {
	var out []*trial
	for _, seed := range seeds {
		opt := x.Options
		opt.Seed = seed
		t, err := x.watch(ctx, New(opt), threshold)
		if err != nil {
			return nil, fmt.Errorf("examine seed %d: %w", seed, err)
		}
		out = append(out, t)
	}
	return out, nil
}

// batchOf is how many events come at once, as a live flow brings them.
const batchOf = 64

// watch has a detection look at a hospital, from the first day to the last.
func (x *Examination) watch(ctx context.Context, h *Hospital, threshold int) (*trial, error) {
	d := x.New(h, h, threshold)
	t := &trial{}
	calm := h.opt.Start.AddDate(0, 0, h.opt.Calm).UnixMicro()
	var hits []traces.Hit
	people := newPlain()
	events := make([]traces.Event, 0, batchOf)
	flush := func() error {
		got, err := d.Observe(ctx, events)
		hits, events = append(hits, got...), events[:0]
		return err
	}
	for more := true; more; {
		var e traces.Event
		if _, more = h.Next(&e); !more {
			break
		}
		people.see(&e)
		if e.At >= calm {
			t.accesses++
		}
		if events = append(events, e); len(events) == batchOf {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	hits = append(hits, d.Due(ctx, h.now+day)...)
	t.planted = h.Planted()
	match := matcher(t.planted)
	t.told = once(hits, calm, match)
	people.end()
	for _, p := range people.over {
		if p.from < calm {
			continue
		}
		in := match(p.account, "", p.from, p.to)
		t.hours[0] = append(t.hours[0], alert{float64(p.n), "", in})
		t.hours[1] = append(t.hours[1], alert{p.deviations, "", in})
	}
	return t, nil
}

// once makes one alert of what was told again.
func once(hits []traces.Hit, calm int64, match func(account, ipp string, from, to int64) int) []alert {
	type key struct {
		account, ipp, rule string
		first              int64
	}
	var out []alert
	at := map[key]int{}
	for i := range hits {
		hit := &hits[i]
		if hit.First < calm {
			continue
		}
		k := key{hit.Account, hit.IPP, hit.Rule, hit.First}
		in := match(hit.Account, hit.IPP, hit.First, hit.Last)
		if j, again := at[k]; again {
			out[j].score = max(out[j].score, float64(hit.Score))
			out[j].incident = max(out[j].incident, in)
			continue
		}
		at[k] = len(out)
		out = append(out, alert{float64(hit.Score), hit.Rule, in})
	}
	return out
}

// matcher finds what was planted under an alert: the same account at the same
// time, about the same patient when it names one.
func matcher(planted []Planted) func(account, ipp string, from, to int64) int {
	by := map[string][]int{}
	for i, p := range planted {
		by[p.Account] = append(by[p.Account], i)
	}
	return func(account, ipp string, from, to int64) int {
		for _, i := range by[account] {
			p := &planted[i]
			if from <= p.To+second && to >= p.From-second && (ipp == "" || slices.Contains(p.Patients, ipp)) {
				return i
			}
		}
		return -1
	}
}
