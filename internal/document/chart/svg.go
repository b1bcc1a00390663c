package chart

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// SVG writes the chart for a page. id makes the identifiers of its title and
// description unique in the page: letters, digits and dashes.
func (c Chart) SVG(w io.Writer, id string, width, height float64) error {
	scene := c.Layout(width, height)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 %s %s" role="img" aria-labelledby="%[3]s-title %[3]s-desc">`,
		short(width), short(height), escaped(id))
	fmt.Fprintf(&b, `<title id="%s-title">%s</title><desc id="%[1]s-desc">%[3]s</desc>`, escaped(id), escaped(c.Title), escaped(c.Description))
	for _, item := range scene.Items {
		switch item.Shape {
		case Path:
			writePath(&b, item)
		case Box:
			writeBox(&b, item)
		case Label:
			writeLabel(&b, item)
		case Area:
			writeArea(&b, item)
		}
	}
	b.WriteString("</svg>")
	_, err := io.WriteString(w, b.String())
	return err
}

func writePath(b *strings.Builder, item Item) {
	class, stroke, width := roleLook(item)
	fmt.Fprintf(b, `<polyline class="%s" fill="none" stroke="%s" stroke-width="%s"`, class, stroke, width)
	if len(item.Dash) > 0 {
		parts := make([]string, len(item.Dash))
		for i, d := range item.Dash {
			parts[i] = short(d)
		}
		fmt.Fprintf(b, ` stroke-dasharray="%s"`, strings.Join(parts, " "))
	}
	b.WriteString(` points="`)
	writePoints(b, item.Points)
	b.WriteString(`"/>`)
}

// writeArea hatches a surface from its high to its low, in the colour of its
// series whatever the style sheet makes of it: what is under it is read, in black
// and white too.
func writeArea(b *strings.Builder, item Item) {
	class, stroke, _ := roleLook(item)
	fmt.Fprintf(b, `<path class="chart-area %s" fill="none" stroke="%s" stroke-opacity="0.3" stroke-width="2" d="`, class, stroke)
	for i, last := 0, len(item.Points)-1; i < len(item.Points)/2; i++ {
		high, low := item.Points[i], item.Points[last-i]
		b.WriteString("M" + short(high.X) + " " + short(high.Y) + "V" + short(low.Y))
	}
	b.WriteString(`"/>`)
}

func writePoints(b *strings.Builder, points []Point) {
	for i, p := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(short(p.X) + "," + short(p.Y))
	}
}

func writeBox(b *strings.Builder, item Item) {
	class, _, _ := roleLook(item)
	p, q := item.Points[0], item.Points[1]
	fmt.Fprintf(b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s" fill="%s" stroke="#1f2933" stroke-width="1"/>`,
		class, short(p.X), short(p.Y), short(q.X-p.X), short(q.Y-p.Y), Fill(item.Series).hex())
}

func writeLabel(b *strings.Builder, item Item) {
	anchor := [...]string{"start", "middle", "end"}[item.Anchor]
	fmt.Fprintf(b, `<text class="chart-text" x="%s" y="%s" text-anchor="%s" font-size="%s" fill="currentColor">%s</text>`,
		short(item.Points[0].X), short(item.Points[0].Y), anchor, short(item.Size), escaped(item.Text))
}

// roleLook gives the class of an item and how it looks without any style sheet.
func roleLook(item Item) (class, stroke, width string) {
	switch item.Role {
	case Grid:
		return "chart-grid", "#cbd2d9", "1"
	case Target:
		return "chart-target", "#7b2d26", "1.5"
	case Data:
		return fmt.Sprintf("chart-series chart-series-%d", item.Series+1), Stroke(item.Series).hex(), "2"
	}
	return "chart-axis", "currentColor", "1"
}

// Color is red, green, blue from 0 to 255.
type Color [3]uint8

func (c Color) hex() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// Tint is the colour thinned on white, as that of a surface.
func (c Color) Tint() Color {
	for i, v := range c {
		c[i] = uint8(255 - (255-int(v))*14/100)
	}
	return c
}

// Stroke is the colour of a curve: dark enough on white, told apart without red and green.
func Stroke(series int) Color {
	colors := []Color{{0x0b, 0x3c, 0x8c}, {0xa8, 0x44, 0x00}, {0x00, 0x6d, 0x5b}, {0x6a, 0x2c, 0x91}, {0x1f, 0x29, 0x33}, {0x8a, 0x1c, 0x4a}}
	return colors[series%len(colors)]
}

// Fill is the shade of a bar: the shades differ in grey too.
func Fill(series int) Color {
	colors := []Color{{0x0b, 0x3c, 0x8c}, {0xff, 0xff, 0xff}, {0x9f, 0xb3, 0xc8}, {0x52, 0x60, 0x6d}, {0xe4, 0xe7, 0xeb}, {0x1f, 0x29, 0x33}}
	return colors[series%len(colors)]
}

func short(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0")
}

func escaped(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return ""
	}
	return b.String()
}
