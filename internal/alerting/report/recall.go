package report

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/document/pdf"
	"tocsin/internal/document/qr"
	"tocsin/internal/document/xlsx"
	"tocsin/internal/i18n"
)

// RecallPDF writes an order on one sheet: what was signed, where it is verified
// (address), and the signature for who verifies without us.
func RecallPDF(out io.Writer, c alerting.RecallCheck, address string, now time.Time, loc *i18n.Localizer) error {
	o := c.Order
	mode := loc.T("alerting.report.recall.mode." + string(o.Mode))
	d, err := pdf.New(pdf.Meta{Title: loc.T("alerting.report.recall.title", "name", o.Name), Author: o.Establishment, Subject: mode, Language: locale(loc), At: now.In(c.Zone)}, pdf.Options{
		Header: o.Establishment + " · " + mode, Footer: loc.T("alerting.report.footer", "at", loc.DateTime(now, c.Zone)),
		PageLabel: func(page, total int) string { return loc.T("alerting.report.page", "page", page, "total", total) },
	})
	if err != nil {
		return fmt.Errorf("recall order %s: %w", o.Code, err)
	}
	d.Heading(1, mode)
	d.Heading(2, loc.T("alerting.report.recall.title", "name", o.Name))
	for _, f := range recallFacts(c, loc) {
		d.Paragraph(pdf.Span{Text: f.label + " ", Bold: true}, pdf.Span{Text: f.text})
	}
	d.Text(loc.T("alerting.report.recall.nature"))
	d.Heading(2, loc.T("alerting.report.recall.verify"))
	code, err := qr.New(address)
	if err != nil {
		return err
	}
	d.Code(code, 130, loc.T("alerting.report.recall.qr", "address", address))
	d.Paragraph(pdf.Span{Text: address, URL: address})
	d.Heading(3, loc.T("alerting.report.recall.signed", "key", o.Key))
	d.Text(o.Text)
	d.Text(loc.T("alerting.report.recall.signature", "signature", base64.StdEncoding.EncodeToString(o.Signature)))
	if err := d.Write(out); err != nil {
		return fmt.Errorf("recall order %s: %w", o.Code, err)
	}
	return nil
}

func recallFacts(c alerting.RecallCheck, loc *i18n.Localizer) []fact {
	o := c.Order
	all := []fact{
		{loc.T("alerting.report.recall.code"), alerting.SpacedCode(o.Code)},
		{loc.T("alerting.report.recall.matricule"), o.Matricule},
		{loc.T("alerting.report.recall.metier"), o.Metier},
		{loc.T("alerting.report.recall.alert"), loc.T("alerting.report.recall.alert.value", "number", o.Number, "title", o.Title)},
		{loc.T("alerting.report.recall.ordered"), o.OrderedBy},
		{loc.T("alerting.report.recall.issued"), loc.DateTime(o.IssuedAt, c.Zone)},
		{loc.T("alerting.report.recall.eta"), loc.DateTime(o.ETA, c.Zone)},
		{loc.T("alerting.report.recall.until"), loc.DateTime(o.Until, c.Zone)},
		{loc.T("alerting.report.recall.entrance"), o.Entrance},
		{loc.T("alerting.report.recall.roads"), o.Roads},
		{loc.T("alerting.report.recall.parking"), o.Parking},
		{loc.T("alerting.report.recall.status"), loc.T("alerting.report.recall.status." + string(c.Status))},
	}
	var out []fact
	for _, f := range all {
		if f.text != "" {
			out = append(out, f)
		}
	}
	return out
}

// PayrollWriter writes the lines of an alert for the payroll as one kind of file.
type PayrollWriter func(w io.Writer, l alerting.Launch, lines []alerting.PayLine, now time.Time, loc *i18n.Localizer, zone *time.Location) error

// payColumns are the columns of both files, in their order.
func payColumns(loc *i18n.Localizer) []xlsx.Column {
	out := []xlsx.Column{
		{Type: xlsx.Text, Width: 16},
		{Type: xlsx.Text, Width: 26},
		{Type: xlsx.Text, Width: 20},
		{Type: xlsx.Text, Width: 30},
		{Type: xlsx.Text, Width: 24},
		{Type: xlsx.Text, Width: 20},
		{Type: xlsx.Text, Width: 14},
		{Type: xlsx.Text, Width: 20},
		{Type: xlsx.Text, Width: 18},
		{Type: xlsx.DateTime, Width: 21},
		{Type: xlsx.DateTime, Width: 21},
		{Type: xlsx.DateTime, Width: 21},
		{Type: xlsx.Text, Width: 20},
		{Type: xlsx.DateTime, Width: 21},
		{Type: xlsx.Text, Width: 20},
		{Type: xlsx.Number, Width: 12},
	}
	for i, key := range []string{
		"alerting.report.pay.matricule", "alerting.report.pay.last", "alerting.report.pay.first", "alerting.report.pay.metier", "alerting.report.col.service", "alerting.report.col.site",
		"alerting.report.pay.mode", "alerting.report.pay.alert", "alerting.report.pay.order", "alerting.report.pay.issued", "alerting.report.pay.until", "alerting.report.pay.arrived",
		"alerting.report.pay.arrived_by", "alerting.report.pay.left", "alerting.report.pay.left_by", "alerting.report.pay.hours",
	} {
		out[i].Title = loc.T(key)
	}
	return out
}

// payRow is a line as a spreadsheet keeps it. Hours are to the hundredth, and
// empty while the person is there: nobody is paid by a guess.
func payRow(l alerting.Launch, x alerting.PayLine, ref *directory.Reference, loc *i18n.Localizer, zone *time.Location) []any {
	r := x.Recipient
	at := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.In(zone)
	}
	var hours any
	if !x.Stay.LeftAt.IsZero() {
		hours = math.Round(x.Stay.Lasted(x.Stay.LeftAt).Hours()*100) / 100
	}
	metier := ""
	if r.Metier != "" {
		metier = ref.Label(r.Metier, string(loc.Language()))
	}
	return []any{
		x.Matricule, r.LastName, r.FirstName, metier, r.ServiceName, r.SiteName, loc.T("alerting.report.mode." + string(l.Mode)), l.Number(zone),
		alerting.SpacedCode(x.Code), at(x.IssuedAt), at(x.Until), at(x.Stay.ArrivedAt), x.Stay.ArrivedBy, at(x.Stay.LeftAt), x.Stay.LeftBy, hours,
	}
}

// PayrollXLSX writes a workbook of one sheet.
func PayrollXLSX(out io.Writer, l alerting.Launch, lines []alerting.PayLine, now time.Time, loc *i18n.Localizer, zone *time.Location) (err error) {
	ref, err := directory.LoadReference()
	if err != nil {
		return fmt.Errorf("payroll of alert %s: %w", l.ID, err)
	}
	book, err := xlsx.New(xlsx.Meta{Title: loc.T("alerting.report.pay.title"), Language: string(loc.Language()), At: now})
	if err != nil {
		return fmt.Errorf("payroll of alert %s: %w", l.ID, err)
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	sheet, err := book.Sheet(loc.T("alerting.report.pay.title"), payColumns(loc))
	if err != nil {
		return fmt.Errorf("payroll of alert %s: %w", l.ID, err)
	}
	for _, x := range lines {
		if err := sheet.Row(payRow(l, x, ref, loc, zone)...); err != nil {
			return fmt.Errorf("payroll of alert %s: %w", l.ID, err)
		}
	}
	return book.Write(out)
}

// PayrollCSV writes the same rows; what a spreadsheet would take for a formula is made harmless.
func PayrollCSV(out io.Writer, l alerting.Launch, lines []alerting.PayLine, _ time.Time, loc *i18n.Localizer, zone *time.Location) error {
	ref, err := directory.LoadReference()
	if err != nil {
		return fmt.Errorf("payroll of alert %s: %w", l.ID, err)
	}
	file, err := xlsx.NewCSV(out, xlsx.CSVOptions{})
	if err != nil {
		return err
	}
	var titles []any
	for _, c := range payColumns(loc) {
		titles = append(titles, c.Title)
	}
	if err := file.Row(titles...); err != nil {
		return err
	}
	for _, x := range lines {
		if err := file.Row(payRow(l, x, ref, loc, zone)...); err != nil {
			return err
		}
	}
	return file.Flush()
}
