package pdf

import (
	"fmt"

	"tocsin/internal/document/qr"
)

// Code draws a QR code at the left, its side in points. alt says where it leads.
func (d *Document) Code(c qr.Code, side float64, alt string) {
	d.settle(side + 12)
	e := d.root.add("Figure")
	e.alt = alt
	e.attrs = fmt.Sprintf("<</O/Layout/Placement/Block/BBox[%s %s %s %s]>>",
		num(d.margin.side), num(d.height-d.y-side), num(d.margin.side+side), num(d.height-d.y))
	d.begin(e)
	b := &d.page.content
	module := side / float64(c.Size())
	b.WriteString("q 0 g\n")
	for _, r := range c.Runs() {
		fmt.Fprintf(b, "%s %s %s %s re\n", num(d.margin.side+float64(r.X)*module), num(d.height-d.y-float64(r.Y+1)*module),
			num(float64(r.Length)*module), num(module))
	}
	b.WriteString("f Q\n")
	d.end()
	d.y += side + 12
}
