package report

import (
	"slices"
	"sort"
	"time"

	"tocsin/internal/document/chart"
)

// curvePoints bounds the points of one curve: more than the eye can tell apart
// on a page, so that the drawing weighs the same for 100 and 100,000 people.
const curvePoints = 240

// curves draws who was reached, who answered and who comes against the minutes
// since the launch, with the table of the same figures.
func (w *writer) curves() section {
	s := section{title: w.loc.T("alerting.report.curves")}
	if len(w.r.Reached)+len(w.r.Answered)+len(w.r.Coming) == 0 {
		s.lead = w.loc.T("alerting.report.curves.none")
		return s
	}
	s.columns = []column{
		{w.loc.T("alerting.report.col.since"), length},
		{w.loc.T("alerting.report.col.reached"), count},
		{w.loc.T("alerting.report.col.answered"), count},
		{w.loc.T("alerting.report.col.coming"), count},
	}
	for _, at := range w.moments() {
		row := []any{at}
		for _, curve := range [][]float64{w.r.Reached, w.r.Answered, w.r.Coming} {
			row = append(row, upTo(curve, at))
		}
		s.rows = append(s.rows, row)
	}
	end := w.horizon().Minutes()
	s.chart = &chart.Chart{
		Kind: chart.Steps, Title: w.loc.T("alerting.report.curves.title"), Description: w.described(),
		XLabel: w.loc.T("alerting.report.curves.x"), YLabel: w.loc.T("alerting.report.curves.y"),
		Series: []chart.Series{
			{Name: w.loc.T("alerting.report.col.reached"), Points: steps(w.r.Reached, end)},
			{Name: w.loc.T("alerting.report.col.answered"), Points: steps(w.r.Answered, end)},
			{Name: w.loc.T("alerting.report.col.coming"), Points: steps(w.r.Coming, end)},
		},
		Number: func(v float64) string {
			if v == float64(int(v)) {
				return w.loc.Int(int(v))
			}
			return w.loc.Decimal(v, 1)
		},
	}
	if n := w.called(); n > 0 {
		s.chart.Marks = []chart.Mark{{Name: w.loc.T("alerting.report.curves.called", "n", w.loc.Int(n)), Value: float64(n)}}
	}
	return s
}

// described tells the curve to those who do not see it.
func (w *writer) described() string {
	return w.loc.T("alerting.report.curves.text", "called", w.loc.Int(w.called()), "reached", w.loc.Int(len(w.r.Reached)),
		"answered", w.loc.Int(len(w.r.Answered)), "coming", w.loc.Int(len(w.r.Coming)), "after", w.horizon())
}

// horizon is the instant of the last thing drawn.
func (w *writer) horizon() time.Duration {
	last := 1.0
	for _, curve := range [][]float64{w.r.Reached, w.r.Answered, w.r.Coming} {
		if len(curve) > 0 {
			last = max(last, curve[len(curve)-1])
		}
	}
	return time.Duration(last * float64(time.Second))
}

// moments are the instants of the table: close together at first, as the figures move.
func (w *writer) moments() []time.Duration {
	end := w.horizon()
	var out []time.Duration
	for _, minutes := range []float64{0.5, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 720, 1440, 2880} {
		if at := time.Duration(minutes * float64(time.Minute)); at < end {
			out = append(out, at)
		}
	}
	return append(out, (end + time.Second - 1).Truncate(time.Second))
}

// upTo counts the people of a sorted curve up to an instant, included.
func upTo(curve []float64, at time.Duration) int {
	return sort.Search(len(curve), func(i int) bool { return curve[i] > at.Seconds() })
}

// steps are the points of a curve, in minutes, up to the end of the drawing.
func steps(curve []float64, end float64) []chart.Point {
	points := []chart.Point{{}}
	for i := range min(curvePoints, len(curve)) {
		// Every person while they are few, then one in so many; the last is always there.
		n := len(curve) * (i + 1) / min(curvePoints, len(curve))
		points = append(points, chart.Point{X: curve[n-1] / 60, Y: float64(n)})
	}
	if last := points[len(points)-1]; last.X < end {
		points = append(points, chart.Point{X: end, Y: last.Y})
	}
	return slices.Clip(points)
}
