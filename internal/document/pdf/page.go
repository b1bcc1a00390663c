package pdf

import (
	"bytes"
	"fmt"
	"strings"
)

// page is one page being drawn. Lengths are points; y goes down from the top
// everywhere but in what is written.
type page struct {
	ref     ref
	content bytes.Buffer
	marks   []*element // by marked content identifier
	links   []*link
	key     int // in the parent tree
}

// link is the active area of a link.
type link struct {
	ref            ref
	page           *page
	element        *element
	x0, y0, x1, y1 float64
	url, label     string
	key            int
}

func (d *Document) newPage() {
	d.page = &page{}
	d.pages = append(d.pages, d.page)
	d.y = d.margin.top
}

// room is the height left on the page.
func (d *Document) room() float64 { return d.height - d.margin.bottom - d.y }

// need starts a new page unless that much height is left.
func (d *Document) need(height float64) {
	if d.room() < height && d.y > d.margin.top {
		d.newPage()
	}
}

// begin opens content that belongs to an element.
func (d *Document) begin(e *element) {
	mark := len(d.page.marks)
	d.page.marks = append(d.page.marks, e)
	e.kids = append(e.kids, kid{page: d.page, mark: mark})
	fmt.Fprintf(&d.page.content, "/%s<</MCID %d>>BDC\n", e.kind, mark)
}

func (d *Document) end() { d.page.content.WriteString("EMC\n") }

// artifact draws what is no content: rules, backgrounds, headers and footers.
func (d *Document) artifact(p *page, kind string, draw func(b *bytes.Buffer)) {
	if kind == "" {
		p.content.WriteString("/Artifact BMC\n")
	} else {
		fmt.Fprintf(&p.content, "/Artifact<</Type/Pagination/Subtype/%s>>BDC\n", kind)
	}
	draw(&p.content)
	p.content.WriteString("EMC\n")
}

// show writes signs with their baseline at y.
func (d *Document) show(b *bytes.Buffer, f *face, size, x, y float64, gs []glyph) {
	if len(gs) == 0 {
		return
	}
	fmt.Fprintf(b, "BT/%s %s Tf 1 0 0 1 %s %s Tm<", f.name, num(size), num(x), num(d.height-y))
	const digits = "0123456789ABCDEF"
	for _, g := range gs {
		b.Write([]byte{digits[g.id>>12], digits[g.id>>8&15], digits[g.id>>4&15], digits[g.id&15]})
	}
	b.WriteString(">Tj ET\n")
}

// rule draws a thin line.
func (d *Document) rule(b *bytes.Buffer, x0, x1, y, thickness float64) {
	fmt.Fprintf(b, "q 0.6 G %s w %s %s m %s %s l S Q\n", num(thickness), num(x0), num(d.height-y), num(x1), num(d.height-y))
}

// box fills a rectangle with a grey from 0 (black) to 1.
func (d *Document) box(b *bytes.Buffer, x, y, width, height, grey float64) {
	fmt.Fprintf(b, "q %s g %s %s %s %s re f Q\n", num(grey), num(x), num(d.height-y-height), num(width), num(height))
}

// furnish adds the header, the footer and the number of each page, once the
// number of pages is known.
func (d *Document) furnish() error {
	const size = 8
	right := d.width - d.margin.side
	for i, p := range d.pages {
		head, err := d.regular.glyphs(d.options.Header, 0)
		if err != nil {
			return err
		}
		foot, err := d.regular.glyphs(d.options.Footer, 0)
		if err != nil {
			return err
		}
		label, err := d.regular.glyphs(d.options.pageLabel(i+1, len(d.pages)), 0)
		if err != nil {
			return err
		}
		if len(head) > 0 {
			d.artifact(p, "Header", func(b *bytes.Buffer) {
				d.show(b, d.regular, size, d.margin.side, 34, wrap(head, size, right-d.margin.side)[0])
				d.rule(b, d.margin.side, right, 40, 0.5)
			})
		}
		d.artifact(p, "Footer", func(b *bytes.Buffer) {
			y := d.height - 28
			room := right - d.margin.side - widthOf(label, size) - 12
			d.show(b, d.regular, size, d.margin.side, y, wrap(foot, size, room)[0])
			d.show(b, d.regular, size, right-widthOf(label, size), y, label)
		})
	}
	return nil
}

// writePages adds the pages and returns their root.
func (d *Document) writePages(o *objects, tree ref, fonts string) error {
	var kids strings.Builder
	for _, p := range d.pages {
		fmt.Fprintf(&kids, "%s ", p.ref)
		content, err := o.stream("", p.content.Bytes())
		if err != nil {
			return err
		}
		var annotations strings.Builder
		for _, l := range p.links {
			fmt.Fprintf(&annotations, "%s ", l.ref)
			o.set(l.ref, fmt.Sprintf("<</Type/Annot/Subtype/Link/Rect[%s %s %s %s]/Border[0 0 0]/F 4/StructParent %d/Contents%s/A<</S/URI/URI%s>>>>",
				num(l.x0), num(d.height-l.y1), num(l.x1), num(d.height-l.y0), l.key, text(l.label), literal(l.url)))
		}
		extra := ""
		if annotations.Len() > 0 {
			extra = "/Annots[" + annotations.String() + "]"
		}
		o.set(p.ref, fmt.Sprintf("<</Type/Page/Parent %s/MediaBox[0 0 %s %s]/Resources<</Font<<%s>>>>/Contents %s/StructParents %d/Tabs/S%s>>",
			tree, num(d.width), num(d.height), fonts, content, p.key, extra))
	}
	o.set(tree, fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(d.pages), kids.String()))
	return nil
}

// literal writes an address, which is ASCII.
func literal(s string) string {
	return "(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`, "\n", "", "\r", "").Replace(s) + ")"
}
