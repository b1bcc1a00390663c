package pdf

import (
	"bytes"
	"fmt"
)

// Column describes one column of a table.
type Column struct {
	Title string
	// Width is a share relative to the other columns that have one; when all are
	// zero the widths follow the content.
	Width float64
	Right bool // numbers
}

// Table is a table of texts.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]string
	// RowHeader makes the first cell of each row its header.
	RowHeader bool
}

// The inside margins of a cell, in points.
const (
	padX = 4.0
	padY = 2.5
)

// tableWriter draws one table.
type tableWriter struct {
	*Document
	table  Table
	widths []float64
	root   *element
	head   [][][]glyph // lines of each title
}

// Table writes a table; it continues on the next pages under its header, which
// is repeated as decoration so that a screen reader hears it once.
func (d *Document) Table(t Table) {
	if len(t.Columns) == 0 {
		return
	}
	w := &tableWriter{Document: d, table: t}
	if err := w.prepare(); err != nil {
		d.fail(err)
		return
	}
	start := w.headHeight() + 3*(tableSize*leading+2*padY)
	if t.Caption != "" {
		start += 2 * bodySize * leading
	}
	d.settle(start)
	w.root = d.root.add("Table")
	w.caption()
	d.need(w.headHeight() + 3*(tableSize*leading+2*padY))
	w.header(true)
	for _, row := range t.Rows {
		if err := w.row(row); err != nil {
			d.fail(err)
			return
		}
	}
	d.y += bodySize
}

// prepare measures the columns and cuts the titles.
func (w *tableWriter) prepare() error {
	if err := w.measure(); err != nil {
		return err
	}
	for i, c := range w.table.Columns {
		gs, err := w.bold.glyphs(c.Title, 0)
		if err != nil {
			return err
		}
		w.head = append(w.head, wrap(gs, tableSize, w.widths[i]-2*padX))
	}
	return nil
}

// measure chooses the widths: those asked for, or the natural ones, the widest
// columns giving up what is missing.
func (w *tableWriter) measure() error {
	total := w.textWidth()
	w.widths = make([]float64, len(w.table.Columns))
	asked := 0.0
	for _, c := range w.table.Columns {
		asked += c.Width
	}
	if asked > 0 {
		for i, c := range w.table.Columns {
			w.widths[i] = total * max(c.Width, asked*0.02) / asked
		}
		scaleTo(w.widths, total)
		return w.keepWords(total)
	}
	for i, c := range w.table.Columns {
		natural, err := w.natural(i, c.Title)
		if err != nil {
			return err
		}
		w.widths[i] = natural
	}
	shrink(w.widths, total)
	scaleTo(w.widths, total)
	return w.keepWords(total)
}

// natural is the width of the longest cell of a column, within reason.
func (w *tableWriter) natural(column int, title string) (float64, error) {
	width, err := w.widest(column, title, (*face).longest)
	return min(max(width, 14), w.textWidth()) + 2*padX + 1, err
}

// widest is the largest measure of the title and the cells of a column.
func (w *tableWriter) widest(column int, title string, measure func(*face, string, float64) (float64, error)) (float64, error) {
	width, err := measure(w.bold, title, tableSize)
	for _, row := range w.table.Rows {
		if err != nil {
			return 0, err
		}
		if column >= len(row) {
			continue
		}
		var cell float64
		cell, err = measure(w.cellFace(column), row[column], tableSize)
		width = max(width, cell)
	}
	return width, err
}

// keepWords widens the columns too narrow for their longest word, at the expense
// of those that have room: a name is not cut while another column is half empty.
func (w *tableWriter) keepWords(total float64) error {
	floors, missing, room := make([]float64, len(w.widths)), 0.0, 0.0
	for i, c := range w.table.Columns {
		word, err := w.widest(i, c.Title, (*face).longestWord)
		if err != nil {
			return err
		}
		floors[i] = min(word+2*padX+1, total/3)
		missing += max(0, floors[i]-w.widths[i])
		room += max(0, w.widths[i]-floors[i])
	}
	if missing == 0 || room == 0 {
		return nil
	}
	given := min(missing, room)
	for i, floor := range floors {
		if lacks := floor - w.widths[i]; lacks > 0 {
			w.widths[i] += lacks * given / missing
		} else {
			w.widths[i] += lacks * given / room
		}
	}
	return nil
}

// shrink brings the sum down to total: columns under the fair share keep their
// width, the others share the rest.
func shrink(widths []float64, total float64) {
	for range len(widths) {
		sum, wide, rest := 0.0, 0.0, total
		for _, v := range widths {
			sum += v
		}
		if sum <= total {
			return
		}
		fair := total / float64(len(widths))
		for _, v := range widths {
			if v > fair {
				wide += v
			} else {
				rest -= v
			}
		}
		for i, v := range widths {
			if v > fair {
				widths[i] = v * rest / wide
			}
		}
	}
}

func scaleTo(widths []float64, total float64) {
	sum := 0.0
	for _, v := range widths {
		sum += v
	}
	for i := range widths {
		widths[i] *= total / sum
	}
}

func (w *tableWriter) caption() {
	if w.table.Caption == "" {
		return
	}
	gs, err := w.bold.glyphs(w.table.Caption, 0)
	if err != nil {
		w.fail(err)
		return
	}
	lines := wrap(gs, bodySize, w.textWidth())
	w.lines(w.root.add("Caption"), w.bold, bodySize, leading, w.margin.side, lines)
	w.y += 2
}

func (w *tableWriter) headHeight() float64 {
	n := 1
	for _, lines := range w.head {
		n = max(n, len(lines))
	}
	return float64(n)*tableSize*leading + 2*padY
}

// header draws the titles: as headers of the columns the first time, as
// decoration on the following pages.
func (w *tableWriter) header(first bool) {
	height := w.headHeight()
	w.artifact(w.page, "", func(b *bytes.Buffer) {
		w.box(b, w.margin.side, w.y, w.textWidth(), height, 0.9)
		w.rule(b, w.margin.side, w.width-w.margin.side, w.y+height, 0.8)
	})
	var row *element
	if first {
		row = w.root.add("TR")
	}
	x := w.margin.side
	for i, lines := range w.head {
		draw := func(b *bytes.Buffer) { w.cell(b, w.bold, i, x, w.y+padY, lines) }
		if first {
			th := row.add("TH")
			th.attrs = "<</O/Table/Scope/Column>>"
			w.begin(th)
			draw(&w.page.content)
			w.end()
		} else {
			w.artifact(w.page, "Header", draw)
		}
		x += w.widths[i]
	}
	w.y += height
}

// cell draws the lines of a cell from the height y.
func (w *tableWriter) cell(b *bytes.Buffer, f *face, column int, x, y float64, lines [][]glyph) {
	for i, l := range lines {
		at := x + padX
		if w.table.Columns[column].Right {
			at = x + w.widths[column] - padX - widthOf(l, tableSize)
		}
		w.show(b, f, tableSize, at, y+float64(i)*tableSize*leading+tableSize, l)
	}
}

// row draws one row. One that does not fit goes to the next page; one taller
// than a page is cut between two lines.
func (w *tableWriter) row(cells []string) error {
	if len(cells) > len(w.table.Columns) {
		return fmt.Errorf("pdf: a row of %d cells in a table of %d columns", len(cells), len(w.table.Columns))
	}
	elements := make([]*element, len(w.table.Columns))
	lines := make([][][]glyph, len(w.table.Columns))
	tallest := 1
	tr := w.root.add("TR")
	for i := range w.table.Columns {
		var cell string
		if i < len(cells) {
			cell = cells[i]
		}
		gs, err := w.cellFace(i).glyphs(cell, 0)
		if err != nil {
			return err
		}
		lines[i] = wrap(gs, tableSize, w.widths[i]-2*padX)
		tallest = max(tallest, len(lines[i]))
		elements[i] = w.cellElement(tr, i)
	}
	const line = tableSize * leading
	whole := w.height - w.margin.top - w.margin.bottom - w.headHeight()
	if needed := float64(tallest)*line + 2*padY; needed > w.room() && (needed <= whole || w.room() < 4*line) {
		w.newPage()
		w.header(false)
	}
	for from := 0; from < tallest; {
		n := max(1, min(tallest-from, int((w.room()-2*padY)/line)))
		w.slice(elements, lines, from, n)
		if from += n; from < tallest {
			w.newPage()
			w.header(false)
		}
	}
	return nil
}

func (w *tableWriter) cellFace(column int) *face {
	if column == 0 && w.table.RowHeader {
		return w.bold
	}
	return w.regular
}

func (w *tableWriter) cellElement(tr *element, column int) *element {
	if column == 0 && w.table.RowHeader {
		th := tr.add("TH")
		th.attrs = "<</O/Table/Scope/Row>>"
		return th
	}
	return tr.add("TD")
}

// slice draws n lines of every cell of a row, from a line on.
func (w *tableWriter) slice(elements []*element, lines [][][]glyph, from, n int) {
	x := w.margin.side
	for i, e := range elements {
		if part := lines[i][min(from, len(lines[i])):min(from+n, len(lines[i]))]; len(part) > 0 && len(part[0]) > 0 {
			w.begin(e)
			w.cell(&w.page.content, w.cellFace(i), i, x, w.y+padY, part)
			w.end()
		}
		x += w.widths[i]
	}
	w.y += float64(n)*tableSize*leading + 2*padY
	w.artifact(w.page, "", func(b *bytes.Buffer) { w.rule(b, w.margin.side, w.width-w.margin.side, w.y, 0.4) })
}
