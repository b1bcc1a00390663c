package chart

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Shape is what an item is.
type Shape int

// The shapes.
const (
	Path  Shape = iota // an open line through Points
	Box                // a filled rectangle from Points[0] to Points[1]
	Label              // a text at Points[0]
	Area               // a shaded surface, closed, through Points
)

// Role tells what an item stands for; colours and widths follow from it.
type Role int

// The roles.
const (
	Grid Role = iota
	Axis
	Data
	Target
	Words
)

// Anchor is the point of a text that Points[0] gives.
type Anchor int

// The anchors.
const (
	Start Anchor = iota
	Middle
	End
)

// Item is one thing to draw. Y goes down.
type Item struct {
	Shape  Shape
	Role   Role
	Series int // for Data
	Points []Point
	Dash   []float64
	Text   string
	Anchor Anchor
	Size   float64
}

// Scaled is the item k times as large.
func (i Item) Scaled(k float64) Item {
	points := make([]Point, len(i.Points))
	for n, p := range i.Points {
		points[n] = Point{p.X * k, p.Y * k}
	}
	i.Points, i.Size = points, i.Size*k
	return i
}

// Scene is a chart laid out, ready for any pen.
type Scene struct {
	Width, Height float64
	Items         []Item
}

const fontSize = 11

// Dash gives the dashes of a series, all different for the first six.
func Dash(series int) []float64 {
	patterns := [][]float64{nil, {7, 4}, {2, 3}, {10, 4, 2, 4}, {14, 4}, {4, 2, 1, 2, 1, 2}}
	return patterns[series%len(patterns)]
}

// Layout places the chart in a rectangle of the given size, in points or pixels.
func (c Chart) Layout(width, height float64) Scene {
	s := Scene{Width: width, Height: height}
	x0, x1, y0, y1 := c.bounds()
	yTicks := ticks(y0, y1, int(height/45))
	left := 8.0
	for _, v := range yTicks {
		left = max(left, textWidth(c.number(v))+10)
	}
	f := frame{left: left, right: width - 14 - marksWidth(c, width), top: 12, bottom: height - 36, y0: yTicks[0], y1: yTicks[len(yTicks)-1]}
	if c.YLabel != "" {
		s.label(Point{0, fontSize}, c.YLabel, Start)
		f.top += 14
	}
	f.bottom -= s.legend(c, width, height)
	for _, v := range yTicks {
		s.path(Grid, 0, nil, Point{f.left, f.y(v)}, Point{f.right, f.y(v)})
		s.label(Point{f.left - 6, f.y(v) + fontSize*0.35}, c.number(v), End)
	}
	if c.Kind == Bars {
		s.bars(c, &f)
	} else {
		s.curves(c, &f, x0, x1)
	}
	s.marks(c, f)
	s.path(Axis, 0, nil, Point{f.left, f.top}, Point{f.left, f.bottom}, Point{f.right, f.bottom})
	if c.XLabel != "" {
		s.label(Point{(f.left + f.right) / 2, f.bottom + 30}, c.XLabel, Middle)
	}
	return s
}

// frame is the rectangle of the data and its scales.
type frame struct {
	left, right, top, bottom float64
	x0, x1, y0, y1           float64
}

func (f frame) x(v float64) float64 {
	return f.left + (v-f.x0)/(f.x1-f.x0)*(f.right-f.left)
}

func (f frame) y(v float64) float64 {
	return f.bottom - (v-f.y0)/(f.y1-f.y0)*(f.bottom-f.top)
}

func (s *Scene) path(role Role, series int, dash []float64, points ...Point) {
	s.Items = append(s.Items, Item{Shape: Path, Role: role, Series: series, Dash: dash, Points: points})
}

func (s *Scene) label(at Point, text string, anchor Anchor) {
	s.Items = append(s.Items, Item{Shape: Label, Role: Words, Points: []Point{at}, Text: text, Anchor: anchor, Size: fontSize})
}

// marksWidth is the margin where the names of the marks are written: over the
// drawing they would hide the end of a curve.
func marksWidth(c Chart, width float64) float64 {
	need := 0.0
	for _, m := range c.Marks {
		need = max(need, textWidth(m.Name)+4)
	}
	return min(need, width/3)
}

// marks draws the lines to compare with; names that would overlap are moved down.
func (s *Scene) marks(c Chart, f frame) {
	sorted := slices.Clone(c.Marks)
	slices.SortStableFunc(sorted, func(a, b Mark) int { return cmp.Compare(b.Value, a.Value) })
	free := 0.0
	for _, m := range sorted {
		y := f.y(m.Value)
		s.path(Target, 0, []float64{1, 2}, Point{f.left, y}, Point{f.right, y})
		at := min(max(y+fontSize*0.35, free), s.Height)
		s.label(Point{f.right + 6, at}, shortened(m.Name, s.Width/3), Start)
		free = at + fontSize + 1
	}
}

func (s *Scene) curves(c Chart, f *frame, x0, x1 float64) {
	xTicks := ticks(x0, x1, int((f.right-f.left)/70))
	f.x0, f.x1 = xTicks[0], xTicks[len(xTicks)-1]
	for _, v := range xTicks {
		s.path(Axis, 0, nil, Point{f.x(v), f.bottom}, Point{f.x(v), f.bottom + 4})
		s.label(Point{f.x(v), f.bottom + 16}, c.number(v), Middle)
	}
	for i, series := range c.Series {
		s.shade(i, series, f)
	}
	for i, series := range c.Series {
		var line []Point
		for _, p := range series.Points {
			if !finite(p) {
				continue
			}
			at := Point{f.x(p.X), f.y(p.Y)}
			if n := len(line); c.Kind == Steps && n > 0 {
				line = append(line, Point{at.X, line[n-1].Y})
			}
			line = append(line, at)
		}
		if len(line) == 1 { // a single point would not show
			line = append(line, Point{line[0].X + 3, line[0].Y})
		}
		if len(line) > 0 {
			s.path(Data, i, Dash(i), line...)
		}
	}
}

// shade is the surface between the low and the high of a series, under every curve.
func (s *Scene) shade(number int, series Series, f *frame) {
	if len(series.Low) == 0 || len(series.Low) != len(series.High) {
		return
	}
	var edge []Point
	for _, p := range series.High {
		edge = append(edge, Point{f.x(p.X), f.y(p.Y)})
	}
	for _, p := range slices.Backward(series.Low) {
		edge = append(edge, Point{f.x(p.X), f.y(p.Y)})
	}
	s.Items = append(s.Items, Item{Shape: Area, Role: Data, Series: number, Points: edge})
}

func (s *Scene) bars(c Chart, f *frame) {
	groups := float64(max(len(c.Categories), 1))
	f.x0, f.x1 = 0, groups
	room := (f.right - f.left) / groups
	thick := room * 0.76 / float64(max(len(c.Series), 1))
	for i, name := range c.Categories {
		s.label(Point{f.x(float64(i) + 0.5), f.bottom + 16}, shortened(name, room*float64(reach(c.Categories, i))), Middle)
	}
	for i, series := range c.Series {
		for _, p := range series.Points {
			if !finite(p) || p.X < 0 || p.X >= groups {
				continue
			}
			x := f.x(p.X) + room*0.12 + float64(i)*thick
			s.Items = append(s.Items, Item{Shape: Box, Role: Data, Series: i, Points: []Point{
				{x, min(f.y(p.Y), f.y(0))}, {x + thick, max(f.y(p.Y), f.y(0))},
			}})
		}
	}
}

// reach is how many groups wide the name of one may be: groups without a name
// lend it their room, up to the next that has one, or the one before it.
func reach(names []string, i int) int {
	for n := i + 1; n < len(names); n++ {
		if names[n] != "" {
			return n - i
		}
	}
	for n := i - 1; n >= 0; n-- {
		if names[n] != "" {
			return i - n
		}
	}
	return len(names)
}

// legend writes the names of the series at the bottom and returns the height it took.
func (s *Scene) legend(c Chart, width, height float64) float64 {
	if len(c.Series) < 2 {
		return 0
	}
	const line, sample = 16.0, 30.0
	x, rows := 0.0, 1
	type place struct {
		x   float64
		row int
	}
	places := make([]place, len(c.Series))
	for i, series := range c.Series {
		need := sample + 6 + textWidth(series.Name) + 18
		if x > 0 && x+need > width {
			x, rows = 0, rows+1
		}
		places[i] = place{x, rows}
		x += need
	}
	for i, series := range c.Series {
		y := height - float64(rows-places[i].row)*line - 6
		x := places[i].x
		if c.Kind == Bars {
			s.Items = append(s.Items, Item{Shape: Box, Role: Data, Series: i, Points: []Point{{x + 16, y - 8}, {x + sample, y + 1}}})
		} else {
			s.path(Data, i, Dash(i), Point{x, y - 3}, Point{x + sample, y - 3})
		}
		s.label(Point{x + sample + 6, y}, series.Name, Start)
	}
	return float64(rows) * line
}

// textWidth is an estimate: the pen's font is not known here.
func textWidth(text string) float64 {
	return float64(utf8.RuneCountInString(text)) * fontSize * 0.56
}

func shortened(text string, room float64) string {
	fits := int(room / (fontSize * 0.56))
	if utf8.RuneCountInString(text) <= fits {
		return text
	}
	return string([]rune(text)[:max(fits-1, 1)]) + "…"
}
