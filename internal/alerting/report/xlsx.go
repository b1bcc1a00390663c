package report

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/document/xlsx"
	"tocsin/internal/i18n"
)

// XLSX writes the report as a workbook, one sheet for each part. Durations are
// in minutes, so that a spreadsheet can reckon with them.
func XLSX(out io.Writer, r alerting.Report, loc *i18n.Localizer, zone *time.Location) (err error) {
	w, err := newWriter(r, loc, zone)
	if err != nil {
		return err
	}
	book, err := xlsx.New(xlsx.Meta{Title: w.title(), Author: r.Establishment, Language: w.lang, At: r.At})
	if err != nil {
		return fmt.Errorf("report of alert %s: %w", r.Launch.ID, err)
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	if err := w.cover(book); err != nil {
		return fmt.Errorf("report of alert %s: %w", r.Launch.ID, err)
	}
	for _, s := range w.sections() {
		if len(s.columns) == 0 {
			continue
		}
		if err := w.sheet(book, s); err != nil {
			return fmt.Errorf("report of alert %s: %w", r.Launch.ID, err)
		}
	}
	return book.Write(out)
}

// cover is the sheet that says what this alert was.
func (w *writer) cover(book *xlsx.Book) error {
	sheet, err := book.Sheet(w.loc.T("alerting.report.cover"), []xlsx.Column{
		{Title: w.loc.T("alerting.report.col.what"), Width: 30}, {Title: w.loc.T("alerting.report.col.value"), Width: 70},
	})
	if err != nil {
		return err
	}
	lines := append([]fact{{w.loc.T("alerting.report.opening.house"), w.r.Establishment}}, w.opening()...)
	lines = append(lines, fact{w.loc.T("alerting.report.opening.written"), w.moment(w.r.At)})
	for _, line := range lines {
		if err := sheet.Row(line.label, line.text); err != nil {
			return err
		}
	}
	return nil
}

// sheet writes one part.
func (w *writer) sheet(book *xlsx.Book, s section) error {
	columns := make([]xlsx.Column, len(s.columns))
	for i, c := range s.columns {
		columns[i] = xlsx.Column{Title: c.title, Type: xlsx.Text, Width: 14}
		switch c.kind {
		case words:
			columns[i].Width = 34
		case count:
			columns[i].Type = xlsx.Number
		case instant:
			columns[i].Type, columns[i].Width = xlsx.DateTime, 21
		case length:
			columns[i].Title, columns[i].Type, columns[i].Width = w.loc.T("alerting.report.col.in_minutes", "what", c.title), xlsx.Number, 26
		case ratio:
			columns[i].Type = xlsx.Percent
		}
	}
	sheet, err := book.Sheet(s.title, columns)
	if err != nil {
		return err
	}
	for _, row := range s.rows {
		cells := make([]any, len(row))
		for i, v := range row {
			cells[i] = w.stored(v)
		}
		if err := sheet.Row(cells...); err != nil {
			return err
		}
	}
	return nil
}

// stored is a value as a spreadsheet keeps it.
func (w *writer) stored(v any) any {
	switch x := v.(type) {
	case share:
		return float64(x)
	case time.Duration:
		return math.Round(x.Minutes()*100) / 100
	case time.Time:
		if x.IsZero() {
			return nil
		}
		return x.In(w.zone)
	}
	return v
}
