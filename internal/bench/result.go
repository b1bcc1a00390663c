package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// Result is one figure.
type Result struct {
	ID    string  `json:"id"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Min and Max are over the runs; Runs is how many there were.
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
	Runs int     `json:"runs"`
	// Reference is the raw limit measured in the same run, and ReferenceName what it is.
	Reference     float64 `json:"reference"`
	ReferenceName string  `json:"reference_name"`
}

// samples are the values one figure took.
type samples []float64

// median is the middle value, the mean of the two middle ones when they are
// even, 0 of none.
func (s samples) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// percentile is the smallest value that p per cent of the values do not exceed
// (nearest rank), 0 of none.
func (s samples) percentile(p float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func (s samples) min() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Min(s)
}

func (s samples) max() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Max(s)
}

// result makes a figure of its samples, by their median.
func (s samples) result(id, unit string, raw samples, rawName string) Result {
	return Result{
		ID: id, Value: round(s.median()), Unit: unit, Min: round(s.min()), Max: round(s.max()), Runs: len(s),
		Reference: round(raw.median()), ReferenceName: rawName,
	}
}

// worst is result by the largest value: for what must never be exceeded.
func (s samples) worst(id, unit string, raw samples, rawName string) Result {
	r := s.result(id, unit, raw, rawName)
	r.Value = r.Max
	return r
}

// round keeps what a measurement can mean: four significant digits.
func round(v float64) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	if scale < 1 {
		return math.Round(v)
	}
	return math.Round(v*scale) / scale
}

// WriteJSON writes one object {"results":[…]}.
func WriteJSON(w io.Writer, results []Result) error {
	if results == nil {
		results = []Result{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Results []Result `json:"results"`
	}{results})
}

// WriteTable writes the figures for people.
func WriteTable(w io.Writer, results []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(t, "id\tvalue\tunit\tmin\tmax\truns\treference\t"); err != nil {
		return err
	}
	for _, r := range results {
		if _, err := fmt.Fprintf(t, "%s\t%g\t%s\t%g\t%g\t%d\t%g\t%s\n", r.ID, r.Value, r.Unit, r.Min, r.Max, r.Runs, r.Reference, r.ReferenceName); err != nil {
			return err
		}
	}
	return t.Flush()
}
