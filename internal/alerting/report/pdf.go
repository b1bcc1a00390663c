package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/document/pdf"
	"tocsin/internal/i18n"
)

// PDF writes the report as tagged PDF, in the language of loc and the hours of zone.
func PDF(out io.Writer, r alerting.Report, loc *i18n.Localizer, zone *time.Location) error {
	w, err := newWriter(r, loc, zone)
	if err != nil {
		return err
	}
	d, err := pdf.New(pdf.Meta{Title: w.title(), Author: r.Establishment, Subject: w.mode(), Language: locale(loc), At: r.At.In(zone)}, pdf.Options{
		Header:    r.Establishment + " · " + w.mode() + " · " + r.Launch.Title.In(w.lang),
		Footer:    loc.T("alerting.report.footer", "at", loc.DateTime(r.At, zone)),
		PageLabel: func(page, total int) string { return loc.T("alerting.report.page", "page", page, "total", total) },
	})
	if err != nil {
		return fmt.Errorf("report of alert %s: %w", r.Launch.ID, err)
	}
	d.Heading(1, w.title())
	for _, line := range w.opening() {
		d.Paragraph(pdf.Span{Text: line.label + " ", Bold: true}, pdf.Span{Text: line.text})
	}
	for _, s := range w.sections() {
		w.print(d, s)
	}
	if err := d.Write(out); err != nil {
		return fmt.Errorf("report of alert %s: %w", r.Launch.ID, err)
	}
	return nil
}

func locale(loc *i18n.Localizer) string {
	if loc.Language() == i18n.English {
		return "en-GB"
	}
	return "fr-FR"
}

// fact is a line of the opening.
type fact struct{ label, text string }

// opening says what this alert was: mode, hours, who ordered, what was asked at launch.
func (w *writer) opening() []fact {
	l := w.r.Launch
	out := []fact{
		{w.loc.T("alerting.report.opening.mode"), w.mode()},
		{w.loc.T("alerting.report.opening.launched"), w.loc.T("alerting.report.opening.by", "at", w.moment(l.LaunchedAt), "by", w.said(l.LaunchedBy))},
		{w.loc.T("alerting.report.opening.ordered"), w.said(l.OrderedBy)},
	}
	switch {
	case l.EndedAt.IsZero():
		out = append(out, fact{w.loc.T("alerting.report.opening.ended"), w.loc.T("alerting.report.opening.running", "after", w.r.At.Sub(l.LaunchedAt))})
	case l.State == alerting.Killed:
		out = append(out, fact{w.loc.T("alerting.report.opening.killed"), w.closing()})
	default:
		out = append(out, fact{w.loc.T("alerting.report.opening.ended"), w.closing()})
	}
	out = append(out, fact{w.loc.T("alerting.report.opening.scenario"), w.loc.T("alerting.report.opening.version", "title", l.Title.In(w.lang), "version", l.Version)})
	for _, name := range slices.Sorted(maps.Keys(l.Values)) {
		label := name
		for _, v := range w.r.Definition.Variables {
			if v.Name == name {
				label = v.Label.In(w.lang)
			}
		}
		out = append(out, fact{w.loc.T("alerting.report.opening.value", "label", label), w.said(l.Values[name])})
	}
	return out
}

func (w *writer) closing() string {
	l := w.r.Launch
	return w.loc.T("alerting.report.opening.closed", "at", w.moment(l.EndedAt), "by", w.said(l.EndedBy), "after", l.EndedAt.Sub(l.LaunchedAt))
}

// said is what a person wrote, or a dash.
func (w *writer) said(text string) string {
	if text == "" {
		return w.loc.T("alerting.report.nobody")
	}
	return text
}

// moment is a day and an hour to the second.
func (w *writer) moment(t time.Time) string {
	return w.loc.T("alerting.report.moment", "date", w.loc.Date(t, w.zone), "time", t.In(w.zone).Format(time.TimeOnly))
}

// print writes one section on the page.
func (w *writer) print(d *pdf.Document, s section) {
	d.Heading(2, s.title)
	if s.lead != "" {
		d.Text(s.lead)
	}
	if s.chart != nil {
		d.Chart(*s.chart, 230)
	}
	if len(s.columns) == 0 {
		return
	}
	t := pdf.Table{RowHeader: true}
	for _, c := range s.columns {
		t.Columns = append(t.Columns, pdf.Column{Title: c.title, Right: c.kind == count || c.kind == ratio})
	}
	for _, row := range s.rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = w.cell(v)
		}
		t.Rows = append(t.Rows, cells)
	}
	d.Table(t)
}

// cell is a value as it is read.
func (w *writer) cell(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case int:
		return w.loc.Int(x)
	case share:
		return w.loc.Percent(float64(x))
	case time.Duration:
		return w.loc.Duration(x.Round(time.Second))
	case time.Time:
		switch {
		case x.IsZero():
			return ""
		case w.sameDay(x):
			return x.In(w.zone).Format(time.TimeOnly)
		}
		return w.loc.ShortDate(x, w.zone) + " " + x.In(w.zone).Format(time.TimeOnly)
	}
	return ""
}

// sameDay tells an instant of the day of the launch, which needs no date.
func (w *writer) sameDay(t time.Time) bool {
	return t.In(w.zone).Format(time.DateOnly) == w.r.Launch.LaunchedAt.In(w.zone).Format(time.DateOnly)
}
