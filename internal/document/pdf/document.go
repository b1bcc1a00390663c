package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// Meta describes the document.
type Meta struct {
	Title    string // compulsory: shown in the window and read first
	Author   string
	Subject  string
	Language string // "fr-FR", "en-GB"; compulsory
	// At is the date of creation, in the zone it is to be shown in.
	At time.Time
}

// Options are the choices of layout.
type Options struct {
	Landscape bool
	Header    string // on top of every page
	Footer    string // at the bottom left of every page
	// PageLabel writes the number at the bottom right; nil writes "3 / 12".
	PageLabel func(page, total int) string
}

func (o Options) pageLabel(page, total int) string {
	if o.PageLabel != nil {
		return o.PageLabel(page, total)
	}
	return fmt.Sprintf("%d / %d", page, total)
}

// Document is being written from top to bottom. The first error is kept and
// given by Write, so that the calls read as the page does.
type Document struct {
	meta          Meta
	options       Options
	regular, bold *face
	width, height float64
	margin        struct{ top, bottom, side float64 }
	pages         []*page
	page          *page
	y             float64
	root          *element
	outline       []*entry
	waiting       []heading
	err           error
}

// The sizes of text, in points.
const (
	bodySize  = 10
	tableSize = 8.5
	leading   = 1.4
)

// New starts an A4 document.
func New(meta Meta, options Options) (*Document, error) {
	if meta.Title == "" || meta.Language == "" {
		return nil, errors.New("pdf: a document needs a title and a language")
	}
	regular, bold, err := newFaces()
	if err != nil {
		return nil, err
	}
	d := &Document{meta: meta, options: options, regular: regular, bold: bold, width: 595.28, height: 841.89, root: &element{kind: "Document"}}
	if options.Landscape {
		d.width, d.height = d.height, d.width
	}
	d.margin.top, d.margin.bottom, d.margin.side = 58, 52, 48
	d.newPage()
	return d, nil
}

// fail keeps the first error.
func (d *Document) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *Document) textWidth() float64 { return d.width - 2*d.margin.side }

// Heading writes a title of level 1 to 3 and a bookmark. It stays on the page of
// what follows.
func (d *Document) Heading(level int, title string) {
	level = min(max(level, 1), 3)
	h := heading{level: level, title: title, size: []float64{20, 14, 11.5}[level-1]}
	gs, err := d.bold.glyphs(title, 0)
	if err != nil {
		d.fail(err)
		return
	}
	h.lines = wrap(gs, h.size, d.textWidth())
	d.waiting = append(d.waiting, h)
}

// heading waits for the block it announces.
type heading struct {
	level int
	title string
	size  float64
	lines [][]glyph
}

const headingSpacing = 1.25

func (h heading) height() float64 {
	return h.size*0.7 + float64(len(h.lines))*h.size*headingSpacing + h.size*0.35
}

// settle draws the headings that wait, on a page that also holds the first
// height of what follows.
func (d *Document) settle(height float64) {
	headings := d.waiting
	d.waiting = nil
	for _, h := range headings {
		height += h.height()
	}
	d.need(min(height, d.height-d.margin.top-d.margin.bottom))
	for _, h := range headings {
		if d.y > d.margin.top {
			d.y += h.size * 0.7
		}
		d.outline = append(d.outline, &entry{level: h.level, title: h.title, page: d.page, y: d.y})
		d.lines(d.root.add(fmt.Sprintf("H%d", h.level)), d.bold, h.size, headingSpacing, d.margin.side, h.lines)
		d.y += h.size * 0.35
	}
}

// lines draws lines of one element, going on to the next pages as needed.
func (d *Document) lines(e *element, f *face, size, spacing, x float64, lines [][]glyph) {
	for len(lines) > 0 {
		d.need(size * spacing)
		n := max(1, min(len(lines), int(d.room()/(size*spacing))))
		d.begin(e)
		for _, l := range lines[:n] {
			d.show(&d.page.content, f, size, x, d.y+size*1.02, l)
			d.y += size * spacing
		}
		d.end()
		if lines = lines[n:]; len(lines) > 0 {
			d.newPage()
		}
	}
}

// Span is a piece of a paragraph.
type Span struct {
	Text string
	Bold bool
	URL  string // makes the piece a link
}

// Text writes a plain paragraph.
func (d *Document) Text(s string) { d.Paragraph(Span{Text: s}) }

// Paragraph writes a paragraph of pieces; a newline in a piece starts a new line.
func (d *Document) Paragraph(spans ...Span) {
	var gs []glyph
	for i, s := range spans {
		more, err := d.faceOf(s).glyphs(s.Text, i)
		if err != nil {
			d.fail(err)
			return
		}
		gs = append(gs, more...)
	}
	lines := wrap(gs, bodySize, d.textWidth())
	d.settle(float64(min(len(lines), 3)) * bodySize * leading)
	e := d.root.add("P")
	links := map[int32]*element{}
	for _, line := range lines {
		d.need(bodySize * leading)
		x := d.margin.side
		for _, run := range runs(line) {
			span := spans[run[0].span]
			owner := e
			if span.URL != "" {
				if links[run[0].span] == nil {
					links[run[0].span] = e.add("Link")
				}
				owner = links[run[0].span]
			}
			x = d.run(owner, span, run, x)
		}
		d.y += bodySize * leading
	}
	d.y += bodySize * 0.5
}

func (d *Document) faceOf(s Span) *face {
	if s.Bold {
		return d.bold
	}
	return d.regular
}

// run draws signs of one span on one line and returns where they end.
func (d *Document) run(owner *element, span Span, gs []glyph, x float64) float64 {
	end := x + widthOf(gs, bodySize)
	base := d.y + bodySize*1.02
	d.begin(owner)
	b := &d.page.content
	if span.URL != "" {
		b.WriteString("0.04 0.24 0.55 rg\n")
	}
	d.show(b, d.faceOf(span), bodySize, x, base, gs)
	if span.URL != "" {
		b.WriteString("0 g\n")
	}
	d.end()
	if span.URL == "" {
		return end
	}
	d.artifact(d.page, "", func(b *bytes.Buffer) { d.rule(b, x, end, base+1.5, 0.6) })
	l := &link{page: d.page, element: owner, x0: x, y0: d.y, x1: end, y1: d.y + bodySize*leading, url: span.URL, label: span.Text}
	d.page.links = append(d.page.links, l)
	owner.kids = append(owner.kids, kid{link: l})
	return end
}

// runs cuts a line where the span changes.
func runs(line []glyph) [][]glyph {
	var out [][]glyph
	start := 0
	for i := 1; i <= len(line); i++ {
		if i == len(line) || line[i].span != line[start].span {
			out = append(out, line[start:i])
			start = i
		}
	}
	return out
}

// List writes a list; numbered lists count from 1.
func (d *Document) List(items []string, numbered bool) {
	const indent = 18
	if len(items) == 0 {
		return
	}
	d.settle(3 * bodySize * leading)
	list := d.root.add("L")
	list.attrs = "<</O/List/ListNumbering/Disc>>"
	if numbered {
		list.attrs = "<</O/List/ListNumbering/Decimal>>"
	}
	for i, item := range items {
		label := "•"
		if numbered {
			label = fmt.Sprintf("%d.", i+1)
		}
		gs, err := d.regular.glyphs(item, 0)
		if err != nil {
			d.fail(err)
			return
		}
		mark, err := d.regular.glyphs(label, 0)
		if err != nil {
			d.fail(err)
			return
		}
		d.need(bodySize * leading)
		li := list.add("LI")
		d.begin(li.add("Lbl"))
		d.show(&d.page.content, d.regular, bodySize, d.margin.side+4, d.y+bodySize*1.02, mark)
		d.end()
		d.lines(li.add("LBody"), d.regular, bodySize, leading, d.margin.side+indent, wrap(gs, bodySize, d.textWidth()-indent))
		d.y += 2
	}
	d.y += bodySize * 0.4
}

// Space leaves a blank height, in points.
func (d *Document) Space(height float64) {
	d.settle(0)
	d.y += height
}

// PageBreak starts a new page, unless the page is still empty.
func (d *Document) PageBreak() {
	d.settle(0)
	if d.y > d.margin.top {
		d.newPage()
	}
}
