package report

import (
	"math"
)

// door is who was recalled, came, left and stayed, in figures: names and hours
// of each go to the payroll and to nobody else.
func (w *writer) door() section {
	d := w.r.Door
	if d.Orders+d.Arrived == 0 {
		return section{}
	}
	s := section{title: w.loc.T("alerting.report.door"), columns: []column{
		{w.loc.T("alerting.report.col.figure"), words}, {w.loc.T("alerting.report.col.value"), count},
	}}
	for _, f := range []struct {
		label string
		n     int
	}{
		{w.loc.T("alerting.report.door.orders"), d.Orders},
		{w.loc.T("alerting.report.door.arrived"), d.Arrived},
		{w.loc.T("alerting.report.door.left"), d.Left},
		{w.loc.T("alerting.report.door.inside"), d.Inside},
		{w.loc.T("alerting.report.door.hours"), int(math.Round(d.Hours))},
	} {
		s.rows = append(s.rows, []any{f.label, f.n})
	}
	return s
}

// rolls is who was there already, service by service.
func (w *writer) rolls() section {
	if len(w.r.Rolls) == 0 {
		return section{}
	}
	s := section{title: w.loc.T("alerting.report.rolls"), lead: w.loc.T("alerting.report.rolls.lead"), columns: []column{
		{w.loc.T("alerting.report.col.service"), words},
		{w.loc.T("alerting.report.col.site"), words},
		{w.loc.T("alerting.report.rolls.listed"), count},
		{w.loc.T("alerting.report.rolls.ticked"), count},
		{w.loc.T("alerting.report.rolls.others"), count},
		{w.loc.T("alerting.report.rolls.present"), count},
		{w.loc.T("alerting.report.rolls.at"), instant},
		{w.loc.T("alerting.report.rolls.by"), words},
	}}
	total := 0
	for _, r := range w.r.Rolls {
		s.rows = append(s.rows, []any{w.named(r.ServiceName), w.named(r.SiteName), r.Listed, r.Ticked, r.Others, r.Present(), r.At, r.By})
		total += r.Present()
	}
	s.rows = append(s.rows, []any{w.loc.T("alerting.report.rolls.total"), nil, nil, nil, nil, total, nil, nil})
	return s
}
