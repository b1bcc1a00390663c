package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is the sort of drawing.
type Kind int

// The kinds of chart.
const (
	Lines Kind = iota // curves over a number (minutes since the launch)
	Steps             // the same for counts that only change at an instant
	Bars              // one group of bars per category
)

// Point is a value of a series, or a place of a drawing.
type Point struct{ X, Y float64 }

// Series is one curve, or one bar per category.
type Series struct {
	Name string
	// Points are in increasing X; for Bars, X is the index of the category.
	Points []Point
	// Low and High, when given, shade how far the series may be from Points; both
	// have as many points, at the same X.
	Low, High []Point
}

// Mark is a horizontal line to compare with: a quota, a target.
type Mark struct {
	Name  string
	Value float64
}

// Chart is what to draw.
type Chart struct {
	Kind Kind
	// Title and Description are read by screen readers; Description tells what the drawing shows.
	Title       string
	Description string
	XLabel      string // with its unit: "minutes"
	YLabel      string
	// Categories name the groups of Bars.
	Categories []string
	Series     []Series
	Marks      []Mark
	// Number writes a value of an axis; nil writes the French way.
	Number func(float64) string
}

// number writes 12 345,5 with the narrow space of French typography.
func (c Chart) number(v float64) string {
	if c.Number != nil {
		return c.Number(v)
	}
	whole, decimals, _ := strings.Cut(strconv.FormatFloat(math.Abs(v), 'f', -1, 64), ".")
	var b strings.Builder
	if v < 0 {
		b.WriteString("−")
	}
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString("\u202f")
		}
		b.WriteRune(d)
	}
	if decimals != "" {
		b.WriteString("," + decimals)
	}
	return b.String()
}

// bounds are the least and greatest values drawn. The vertical axis always
// holds zero: a cut axis exaggerates.
func (c Chart) bounds() (x0, x1, y0, y1 float64) {
	first := true
	for _, s := range c.Series {
		for _, p := range slices.Concat(s.Points, s.Low, s.High) {
			if !finite(p) {
				continue
			}
			if first {
				x0, x1, first = p.X, p.X, false
			}
			x0, x1 = min(x0, p.X), max(x1, p.X)
			y0, y1 = min(y0, p.Y), max(y1, p.Y)
		}
	}
	for _, m := range c.Marks {
		y0, y1 = min(y0, m.Value), max(y1, m.Value)
	}
	if x1 == x0 {
		x1 = x0 + 1
	}
	if y1 == y0 {
		y1 = y0 + 1
	}
	return x0, x1, y0, y1
}

func finite(p Point) bool {
	return !math.IsNaN(p.X) && !math.IsInf(p.X, 0) && !math.IsNaN(p.Y) && !math.IsInf(p.Y, 0)
}

// ticks gives round values from at most low to at least high, about count of them.
func ticks(low, high float64, count int) []float64 {
	step := niceStep((high - low) / float64(max(count, 1)))
	var out []float64
	for i := math.Floor(low/step + 1e-9); ; i++ {
		v := i * step
		out = append(out, math.Round(v/step)*step)
		if v >= high-step*1e-9 || len(out) > 50 {
			return tidied(out, step)
		}
	}
}

// tidied removes the dust of binary fractions: 0.30000000000000004 is 0.3.
func tidied(values []float64, step float64) []float64 {
	digits := max(0, int(-math.Floor(math.Log10(step)))+1)
	scale := math.Pow10(digits)
	for i, v := range values {
		values[i] = math.Round(v*scale) / scale
	}
	return values
}

// niceStep is the next of 1, 2, 5, 10… at any scale.
func niceStep(step float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range []float64{1, 2, 5} {
		if step <= m*base*(1+1e-9) {
			return m * base
		}
	}
	return 10 * base
}
