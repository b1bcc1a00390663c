package pdf

import (
	"bytes"
	"fmt"
	"strings"

	"tocsin/internal/document/chart"
)

// chartScale brings the labels of a chart, laid out in 11, to the size of the tables.
const chartScale = tableSize / 11

// Chart draws a chart over the width of the text. Its title and description are
// its alternate text; the caller writes the table of its figures beside it.
func (d *Document) Chart(c chart.Chart, height float64) {
	width := d.textWidth()
	height = min(height, d.height-d.margin.top-d.margin.bottom-80)
	d.settle(height + 12)
	e := d.root.add("Figure")
	e.alt = strings.TrimSpace(c.Title + ". " + c.Description)
	e.attrs = fmt.Sprintf("<</O/Layout/Placement/Block/BBox[%s %s %s %s]>>",
		num(d.margin.side), num(d.height-d.y-height), num(d.margin.side+width), num(d.height-d.y))
	d.begin(e)
	b := &d.page.content
	b.WriteString("q 1 J 1 j\n")
	for _, item := range c.Layout(width/chartScale, height/chartScale).Items {
		if err := d.draw(b, item.Scaled(chartScale)); err != nil {
			d.fail(err)
		}
	}
	b.WriteString("Q\n")
	d.end()
	d.y += height + 12
}

// draw puts one item of a chart on the page, at the cursor.
func (d *Document) draw(b *bytes.Buffer, item chart.Item) error {
	at := func(p chart.Point) string {
		return num(d.margin.side+p.X) + " " + num(d.height-d.y-p.Y)
	}
	switch item.Shape {
	case chart.Path:
		color, width := pen(item)
		dash := make([]string, len(item.Dash))
		for i, v := range item.Dash {
			dash[i] = num(v)
		}
		fmt.Fprintf(b, "%s RG %s w [%s] 0 d\n", rgb(color), num(width), strings.Join(dash, " "))
		for i, p := range item.Points {
			op := "l"
			if i == 0 {
				op = "m"
			}
			fmt.Fprintf(b, "%s %s\n", at(p), op)
		}
		b.WriteString("S\n")
	case chart.Box:
		p, q := item.Points[0], item.Points[1]
		fmt.Fprintf(b, "%s rg 0.12 0.16 0.2 RG 0.7 w [] 0 d %s %s %s re B\n", rgb(chart.Fill(item.Series)),
			at(chart.Point{X: p.X, Y: q.Y}), num(q.X-p.X), num(q.Y-p.Y))
	case chart.Area:
		fmt.Fprintf(b, "%s rg\n", rgb(chart.Stroke(item.Series).Tint()))
		for i, p := range item.Points {
			op := "l"
			if i == 0 {
				op = "m"
			}
			fmt.Fprintf(b, "%s %s\n", at(p), op)
		}
		b.WriteString("f\n")
	case chart.Label:
		gs, err := d.regular.glyphs(item.Text, 0)
		if err != nil {
			return err
		}
		x := d.margin.side + item.Points[0].X - widthOf(gs, item.Size)*float64(item.Anchor)/2
		b.WriteString("0 g\n")
		d.show(b, d.regular, item.Size, x, d.y+item.Points[0].Y, gs)
	}
	return nil
}

// pen gives the colour and width of a line.
func pen(item chart.Item) (chart.Color, float64) {
	switch item.Role {
	case chart.Grid:
		return chart.Color{0xcb, 0xd2, 0xd9}, 0.5
	case chart.Target:
		return chart.Color{0x7b, 0x2d, 0x26}, 1.2
	case chart.Data:
		return chart.Stroke(item.Series), 1.5
	}
	return chart.Color{0x33, 0x3d, 0x47}, 0.7
}

func rgb(c chart.Color) string {
	return num(float64(c[0])/255) + " " + num(float64(c[1])/255) + " " + num(float64(c[2])/255)
}
