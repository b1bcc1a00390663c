package pages

import (
	"errors"
	"slices"
	"strings"
	"time"

	"tocsin/internal/document/xlsx"
	"tocsin/internal/ui"
)

// exporting proposes the files; those of a source give back what it imported.
func (p pages) exporting(c *ui.Context) error {
	sources, err := p.sources(c)
	if err != nil {
		return err
	}
	return c.Render(exportPage(c, c.NewForm(map[string]string{"source": "", "format": "xlsx"}), sources))
}

// sources are the owners of imported rows, for those who may see the imports.
func (p pages) sources(c *ui.Context) ([]string, error) {
	list, err := p.d.Imports(c.Ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, i := range list {
		known := slices.ContainsFunc(out, func(s string) bool { return strings.EqualFold(s, i.Source) })
		if !i.Applied.IsZero() && !known {
			out = append(out, i.Source)
		}
	}
	return out, nil
}

// export is a POST: it leaves an entry in the journal, and a link must not.
func (p pages) export(c *ui.Context) error {
	f := c.Form()
	source := f.Value("source")
	name := c.Loc.T("directory.page.export.file") + "-" + c.Now.In(c.Zone).Format(time.DateOnly)
	if f.Value("format") == "csv" {
		return p.d.ExportCSV(c.Ctx(), c.Scope, source, c.Download(name+".csv", "text/csv; charset=utf-8"))
	}
	book, err := p.book(c, source)
	if err != nil {
		return err
	}
	err = book.Write(c.Download(name+".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))
	if closed := book.Close(); err == nil {
		err = closed
	}
	return err
}

func (p pages) book(c *ui.Context, source string) (*xlsx.Book, error) {
	book, err := xlsx.New(xlsx.Meta{Title: c.Loc.T("directory.page.title"), Author: c.Visitor.Establishment.Name, Language: string(c.Loc.Language()), At: c.Now})
	if err != nil {
		return nil, err
	}
	var sheet *xlsx.Sheet
	err = p.d.ExportRows(c.Ctx(), c.Scope, source, func(row []string) error {
		if sheet == nil { // the first row is the header
			columns := make([]xlsx.Column, len(row))
			for i, title := range row {
				columns[i] = xlsx.Column{Title: title}
			}
			var err error
			sheet, err = book.Sheet(c.Loc.T("directory.page.title"), columns)
			return err
		}
		cells := make([]any, len(row))
		for i, text := range row {
			cells[i] = text
		}
		return sheet.Row(cells...)
	})
	if err != nil {
		return nil, joinClose(err, book)
	}
	return book, nil
}

// joinClose frees a workbook that will not be written.
func joinClose(err error, book *xlsx.Book) error { return errors.Join(err, book.Close()) }
