package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"tocsin/internal/document/pdf"
	"tocsin/internal/document/xlsx"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

// leaf is an answer that leaves, with who takes it and why.
type leaf struct {
	*told
	establishment, by, why, number string
	now                            time.Time
}

// writer writes an answer as one kind of file.
type writer struct {
	contentType string
	write       func(out io.Writer, l leaf) error
}

func writers() map[string]writer {
	return map[string]writer{
		"pdf":  {"application/pdf", writePDF},
		"xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", writeBook},
		"csv":  {"text/csv; charset=utf-8", writeCSV},
	}
}

// give writes the file whole, notes its fingerprint in the journal, and only
// then lets it leave.
func (p pages) give(c *ui.Context, f *ui.Form, t *told, kind string, w writer) error {
	l := leaf{told: t, establishment: c.Visitor.Establishment.Name, by: c.Scope.Actor().Name, why: f.Value("motif"), number: storage.NewID(c.Now).String(), now: c.Now}
	var b bytes.Buffer
	if err := w.write(&b, l); err != nil {
		return fmt.Errorf("write answer %s: %w", l.number, err)
	}
	sum := sha256.Sum256(b.Bytes())
	if err := p.s.Sealed(c.Ctx(), c.Scope, traces.Look{Phrase: t.reply.Phrase.Key, Why: l.why, Takes: kind, Request: t.request}, l.number, hex.EncodeToString(sum[:])); err != nil {
		return err
	}
	name := c.Loc.T("traces.paper.file", "at", c.Now.In(c.Zone).Format("2006-01-02-15h04")) + "." + kind
	_, err := b.WriteTo(c.Download(name, w.contentType))
	return err
}

// fact is a line of the opening of a document.
type fact struct{ label, text string }

func (l leaf) facts() []fact {
	return []fact{
		{l.loc.T("traces.paper.question"), l.sentence()},
		{l.loc.T("traces.paper.by"), l.by},
		{l.loc.T("traces.paper.at"), l.loc.DateTime(l.now, l.zone)},
		{l.loc.T("traces.page.why"), l.why},
		{l.loc.T("traces.paper.number"), l.number},
	}
}

func writePDF(out io.Writer, l leaf) error {
	lang := "fr-FR"
	if l.loc.Language() == i18n.English {
		lang = "en-GB"
	}
	title := l.loc.T("traces.phrase.title." + l.reply.Phrase.Key)
	d, err := pdf.New(pdf.Meta{Title: title, Author: l.establishment, Subject: l.loc.T("traces.paper.subject"), Language: lang, At: l.now.In(l.zone)}, pdf.Options{
		Landscape: true,
		Header:    l.establishment + " · " + l.loc.T("traces.paper.subject"),
		Footer:    l.loc.T("traces.paper.footer", "number", l.number),
		PageLabel: func(page, total int) string { return l.loc.T("traces.paper.page", "page", page, "total", total) },
	})
	if err != nil {
		return err
	}
	d.Heading(1, title)
	for _, one := range l.facts() {
		d.Paragraph(pdf.Span{Text: l.loc.T("traces.paper.label", "label", one.label) + " ", Bold: true}, pdf.Span{Text: one.text})
	}
	d.Heading(2, l.loc.T("traces.page.answer"))
	for _, sentence := range l.words() {
		d.Text(sentence)
	}
	if len(l.silent) > 0 {
		d.Text(l.loc.N("traces.answer.silent", len(l.silent), "names", names(l.silent)))
	}
	if l.none() {
		d.Text(l.loc.T("traces.answer.none.means"))
	} else {
		l.tables(d)
	}
	d.Heading(2, l.loc.T("traces.paper.seal"))
	d.Text(l.loc.T("traces.paper.seal.text", "number", l.number))
	return d.Write(out)
}

// tables prints the table, the curve with its figures, and the last events.
func (l leaf) tables(d *pdf.Document) {
	d.Heading(2, l.loc.T("traces.answer.table"))
	if total, more := l.cuts(len(l.lines())); more {
		d.Text(l.loc.N("traces.answer.cut", total, "shown", l.loc.Int(len(l.lines()))))
	}
	t := pdf.Table{RowHeader: true}
	for i, title := range l.columns() {
		t.Columns = append(t.Columns, pdf.Column{Title: title, Right: i == len(l.reply.Phrase.Group)})
	}
	for i := range l.lines() {
		t.Rows = append(t.Rows, l.cells(i))
	}
	d.Table(t)
	d.Heading(2, l.curve().Title)
	d.Chart(l.curve(), 200)
	c := pdf.Table{RowHeader: true, Columns: []pdf.Column{{Title: l.loc.T("traces.answer.when")}, {Title: l.loc.T("traces.answer.events"), Right: true}}}
	for _, g := range l.reply.Curve.Groups {
		c.Rows = append(c.Rows, []string{binWord(l.loc, g.Keys[0]), l.loc.Int(int(g.Count))})
	}
	d.Table(c)
}

// columns are the titles of the table in files.
func (l leaf) columns() []string {
	var out []string
	for _, f := range l.reply.Phrase.Group {
		out = append(out, fieldWord(l.loc, f))
	}
	out = append(out, l.counted())
	if len(l.reply.Peers) > 0 {
		out = append(out, l.loc.T("traces.answer.peers"))
	}
	return append(out, l.loc.T("traces.answer.first"), l.loc.T("traces.answer.last"))
}

// cells is a line of the table as text.
func (l leaf) cells(i int) []string {
	var out []string
	for _, v := range l.values(i) {
		switch x := v.(type) {
		case string:
			out = append(out, x)
		case int:
			out = append(out, l.loc.Int(x))
		case time.Time:
			out = append(out, l.loc.ShortDate(x, l.zone)+" "+x.In(l.zone).Format(time.TimeOnly))
		}
	}
	return out
}

// values is a line of the table as a spreadsheet keeps it.
func (l leaf) values(i int) []any {
	g := l.reply.Table.Groups[i]
	var out []any
	for k, key := range g.Keys {
		out = append(out, valueWord(l.loc, l.told.names, l.reply.Phrase.Group[k], key))
	}
	out = append(out, int(g.Count))
	if len(l.reply.Peers) > 0 {
		out = append(out, l.peer(i))
	}
	return append(out, storage.Time(g.First).In(l.zone), storage.Time(g.Last).In(l.zone))
}

// preamble is what a file says before its table: question, who, when, why, words.
func (l leaf) preamble() [][]string {
	var out [][]string
	for _, one := range l.facts() {
		out = append(out, []string{one.label, one.text})
	}
	for _, sentence := range l.words() {
		out = append(out, []string{l.loc.T("traces.page.answer"), sentence})
	}
	if total, more := l.cuts(len(l.reply.Table.Groups)); more {
		out = append(out, []string{l.loc.T("traces.answer.table"), l.loc.N("traces.answer.cut", total, "shown", l.loc.Int(len(l.reply.Table.Groups)))})
	}
	if len(l.silent) > 0 {
		out = append(out, []string{l.loc.T("traces.paper.silent"), names(l.silent)})
	}
	return out
}

func writeCSV(out io.Writer, l leaf) error {
	file, err := xlsx.NewCSV(out, xlsx.CSVOptions{})
	if err != nil {
		return err
	}
	for _, row := range append(l.preamble(), nil, l.columns()) {
		if err := file.Row(texts(row)...); err != nil {
			return err
		}
	}
	for i := range l.reply.Table.Groups {
		if err := file.Row(l.values(i)...); err != nil {
			return err
		}
	}
	return file.Flush()
}

func writeBook(out io.Writer, l leaf) (err error) {
	book, err := xlsx.New(xlsx.Meta{Title: l.loc.T("traces.phrase.title." + l.reply.Phrase.Key), Author: l.establishment, Language: string(l.loc.Language()), At: l.now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	about, err := book.Sheet(l.loc.T("traces.paper.sheet.about"), []xlsx.Column{{Title: l.loc.T("traces.paper.sheet.what"), Width: 28}, {Title: l.loc.T("traces.paper.sheet.said"), Width: 90}})
	if err != nil {
		return err
	}
	for _, row := range l.preamble() {
		if err := about.Row(texts(row)...); err != nil {
			return err
		}
	}
	var columns []xlsx.Column
	n := len(l.columns())
	for i, title := range l.columns() {
		col := xlsx.Column{Title: title, Width: 24}
		switch {
		case i == len(l.reply.Phrase.Group):
			col.Type = xlsx.Number
		case i >= n-2:
			col.Type = xlsx.DateTime
		}
		columns = append(columns, col)
	}
	sheet, err := book.Sheet(l.loc.T("traces.answer.table"), columns)
	if err != nil {
		return err
	}
	for i := range l.reply.Table.Groups {
		if err := sheet.Row(l.values(i)...); err != nil {
			return err
		}
	}
	return book.Write(out)
}

func texts(row []string) []any {
	out := make([]any, len(row))
	for n, text := range row {
		out[n] = text
	}
	return out
}
