package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"tocsin/internal/document/chart"
)

func answers() chart.Chart {
	return chart.Chart{
		Title: "Réponses <par> minute", Description: "80 % des agents ont répondu en 14 minutes.",
		XLabel: "minutes", YLabel: "agents",
		Series: []chart.Series{
			{Name: "Joints", Points: []chart.Point{{X: 0, Y: 0}, {X: 5, Y: 2100}, {X: 20, Y: 4100}}},
			{Name: "Arrivent", Points: []chart.Point{{X: 0, Y: 0}, {X: 8, Y: 300}, {X: 20, Y: 1234.5}}},
			{Name: "Répétition", Points: []chart.Point{{X: 2, Y: 10}, {X: 20, Y: 900}}},
		},
		Marks: []chart.Mark{{Name: "Quota", Value: 1000}},
	}
}

type node struct {
	name  string
	attrs map[string]string
	text  string
}

// parse reads the drawing as XML: one that is not well formed fails.
func parse(t *testing.T, c chart.Chart) []node {
	t.Helper()
	var b strings.Builder
	if err := c.SVG(&b, "reponses", 640, 320); err != nil {
		t.Fatal(err)
	}
	var nodes []node
	d := xml.NewDecoder(strings.NewReader(b.String()))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nodes
		}
		if err != nil {
			t.Fatalf("%v in %s", err, b.String())
		}
		switch x := token.(type) {
		case xml.StartElement:
			n := node{name: x.Name.Local, attrs: map[string]string{}}
			for _, a := range x.Attr {
				n.attrs[a.Name.Local] = a.Value
			}
			nodes = append(nodes, n)
		case xml.CharData:
			nodes[len(nodes)-1].text += string(x)
		}
	}
}

func TestSVGSpeaksToEveryone(t *testing.T) {
	t.Parallel()
	nodes := parse(t, answers())
	if root := nodes[0]; root.attrs["role"] != "img" || root.attrs["aria-labelledby"] != "reponses-title reponses-desc" {
		t.Errorf("root %v", root.attrs)
	}
	if nodes[1].name != "title" || nodes[1].text != "Réponses <par> minute" || nodes[1].attrs["id"] != "reponses-title" {
		t.Errorf("title %+v", nodes[1])
	}
	if nodes[2].name != "desc" || !strings.HasPrefix(nodes[2].text, "80 %") {
		t.Errorf("desc %+v", nodes[2])
	}
}

func TestSVGObeysThePolicy(t *testing.T) {
	t.Parallel()
	for _, n := range parse(t, answers()) {
		if n.name == "style" || n.name == "script" {
			t.Errorf("element %s", n.name)
		}
		for name := range n.attrs {
			if name == "style" || strings.HasPrefix(name, "on") {
				t.Errorf("attribute %s on %s", name, n.name)
			}
		}
	}
}

func TestSeriesDifferWithoutColour(t *testing.T) {
	t.Parallel()
	dashes := map[string]string{}
	for _, n := range parse(t, answers()) {
		if class := n.attrs["class"]; strings.HasPrefix(class, "chart-series") {
			dashes[class] = n.attrs["stroke-dasharray"]
		}
	}
	if len(dashes) != 3 {
		t.Fatalf("series %v", dashes)
	}
	seen := map[string]bool{}
	for _, d := range dashes {
		seen[d] = true
	}
	if len(seen) != 3 {
		t.Errorf("two series have the same dashes: %v", dashes)
	}
}

func texts(nodes []node) string {
	var out []string
	for _, n := range nodes {
		if n.name == "text" {
			out = append(out, n.text)
		}
	}
	return strings.Join(out, "|")
}

func TestAxesAreFrenchByDefault(t *testing.T) {
	t.Parallel()
	got := texts(parse(t, answers()))
	for _, want := range []string{"|0|", "1\u202f000", "5\u202f000", "minutes", "agents", "Quota", "Joints", "Arrivent", "Répétition"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	c := answers()
	c.Series = []chart.Series{{Name: "x", Points: []chart.Point{{X: 0, Y: 0.1}, {X: 1, Y: 0.3}}}}
	c.Marks = nil
	if got := texts(parse(t, c)); !strings.Contains(got, "0,3") || strings.Contains(got, "0,30") || strings.Contains(got, "Joints") {
		t.Errorf("decimals: %q", got)
	}
	c.Number = func(float64) string { return "N" }
	if got := texts(parse(t, c)); !strings.Contains(got, "N|N") {
		t.Errorf("own numbers: %q", got)
	}
}

func TestStepsAndBars(t *testing.T) {
	t.Parallel()
	c := chart.Chart{Kind: chart.Steps, Series: []chart.Series{{Points: []chart.Point{{X: 0, Y: 1}, {X: 2, Y: 4}}}}}
	for _, item := range c.Layout(300, 200).Items {
		if item.Role == chart.Data {
			if p := item.Points; len(p) != 3 || p[1].X != p[2].X || p[1].Y != p[0].Y {
				t.Errorf("step %v", p)
			}
		}
	}
	c = chart.Chart{
		Kind: chart.Bars, Categories: []string{"Réanimation", "Urgences", "Un service dont le nom est vraiment interminable"},
		Series: []chart.Series{
			{Name: "Voulus", Points: []chart.Point{{X: 0, Y: 10}, {X: 1, Y: 5}, {X: 2, Y: 3}, {X: 9, Y: 9}}},
			{Name: "Arrivés", Points: []chart.Point{{X: 0, Y: 4}, {X: 1, Y: 5}, {X: 2, Y: -1}}},
		},
	}
	scene := c.Layout(400, 240)
	boxes := 0
	for _, item := range scene.Items {
		if item.Shape == chart.Box && item.Role == chart.Data {
			boxes++
			if p, q := item.Points[0], item.Points[1]; q.X <= p.X || q.Y < p.Y {
				t.Errorf("box %v", item.Points)
			}
		}
	}
	if boxes != 6+2 {
		t.Errorf("%d boxes, want six bars and two samples", boxes)
	}
	if got := texts(parse(t, c)); !strings.Contains(got, "…") {
		t.Errorf("a long name was not shortened: %q", got)
	}
}

// TestAGroupWithoutANameLendsItsRoom: many bars with a name here and there.
func TestAGroupWithoutANameLendsItsRoom(t *testing.T) {
	t.Parallel()
	names := make([]string, 100)
	names[10], names[60] = "vingt-deux", "vingt-trois"
	c := chart.Chart{Kind: chart.Bars, Categories: names, Series: []chart.Series{{Name: "n", Points: []chart.Point{{X: 0, Y: 1}}}}}
	if got := texts(parse(t, c)); strings.Contains(got, "…") || !strings.Contains(got, "vingt-deux") {
		t.Errorf("a name was cut beside empty room: %q", got)
	}
}

// TestMarksHideNothing: the names of the marks stand in the margin, apart.
func TestMarksHideNothing(t *testing.T) {
	t.Parallel()
	c := answers()
	c.Marks = []chart.Mark{{Name: "Quota", Value: 1000}, {Name: "Prévu", Value: 1010}, {Name: "Cible", Value: 990}}
	right, names := 0.0, map[string]chart.Point{}
	for _, item := range c.Layout(640, 320).Items {
		switch {
		case item.Role == chart.Data && len(item.Points) > 2:
			for _, p := range item.Points {
				right = max(right, p.X)
			}
		case item.Shape == chart.Label:
			names[item.Text] = item.Points[0]
		}
	}
	var last float64
	for _, name := range []string{"Prévu", "Quota", "Cible"} {
		at := names[name]
		if at.X <= right {
			t.Errorf("%s is written over the curves: %v, they end at %v", name, at, right)
		}
		if at.Y-last < 10 {
			t.Errorf("%s at %v is written over the one before at %v", name, at.Y, last)
		}
		last = at.Y
	}
}

// TestNothingLeavesTheFrame tries charts that would divide by zero.
func TestNothingLeavesTheFrame(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	for name, points := range map[string][]chart.Point{
		"none":     nil,
		"one":      {{X: 3, Y: 7}},
		"flat":     {{X: 0, Y: 0}, {X: 10, Y: 0}},
		"vertical": {{X: 1, Y: 0}, {X: 1, Y: 9}},
		"huge":     {{X: 0, Y: 1e12}, {X: 1e9, Y: 3e12}},
		"tiny":     {{X: 0, Y: 1e-9}, {X: 1e-9, Y: 3e-9}},
		"negative": {{X: -5, Y: -20}, {X: 5, Y: 20}},
		"broken":   {{X: nan, Y: 1}, {X: 1, Y: inf}, {X: 2, Y: 2}},
	} {
		for _, kind := range []chart.Kind{chart.Lines, chart.Steps, chart.Bars} {
			c := chart.Chart{Kind: kind, Categories: []string{"a", "b", "c"}, Series: []chart.Series{{Name: "s", Points: points}, {Name: "t"}}}
			for _, item := range c.Layout(500, 300).Items {
				for _, p := range item.Points {
					if math.IsNaN(p.X) || math.IsNaN(p.Y) || p.X < -1 || p.X > 501 || p.Y < -1 || p.Y > 301 {
						t.Errorf("%s kind %d: %+v at %v", name, kind, item, p)
					}
				}
			}
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestAWriterThatFails(t *testing.T) {
	t.Parallel()
	if err := answers().SVG(full{}, "x", 100, 100); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
}

// A shaded series stays within the frame of its low and its high, and is drawn
// under every curve.
func TestShadesAreHatchedUnderTheCurves(t *testing.T) {
	t.Parallel()
	c := chart.Chart{Kind: chart.Lines, Title: "t", Description: "d", Series: []chart.Series{{
		Name: "a", Points: []chart.Point{{X: 0, Y: 1}, {X: 1, Y: 2}}, Low: []chart.Point{{X: 0, Y: 0}, {X: 1, Y: 1}}, High: []chart.Point{{X: 0, Y: 9}, {X: 1, Y: 40}},
	}}}
	var b strings.Builder
	if err := c.SVG(&b, "x", 400, 200); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	area, line := strings.Index(text, "chart-area chart-series chart-series-1"), strings.Index(text, `<polyline class="chart-series chart-series-1"`)
	if area < 0 || line < area || strings.Count(text[area:], "V") < 2 {
		t.Errorf("no hatches under the curve: %s", text)
	}
	for _, item := range c.Layout(400, 200).Items {
		for _, p := range item.Points {
			if item.Shape == chart.Area && (p.Y < 0 || p.Y > 200) {
				t.Errorf("a shade at %v leaves the frame", p)
			}
		}
	}
}
