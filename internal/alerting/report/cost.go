package report

import "tocsin/internal/alerting"

// cost is what the messages cost; nothing where no price is known.
func (w *writer) cost() section {
	c := w.r.Cost
	if c.Segments == 0 {
		return section{}
	}
	s := section{title: w.loc.T("alerting.report.cost"), lead: w.loc.T("alerting.report.cost.lead"), columns: []column{
		{w.loc.T("alerting.report.col.figure"), words}, {w.loc.T("alerting.report.col.value"), words},
	}, rows: [][]any{
		{w.loc.T("alerting.report.cost.spent"), alerting.Euros(w.loc, c.Micros)},
		{w.loc.T("alerting.report.cost.segments"), w.loc.Int(int(c.Segments))},
	}}
	if c.Ceiling > 0 {
		s.rows = append(s.rows, []any{w.loc.T("alerting.report.cost.ceiling"), alerting.Euros(w.loc, c.Ceiling)})
	}
	if !c.LiftedAt.IsZero() {
		s.rows = append(s.rows, []any{w.loc.T("alerting.report.cost.lifted"), w.loc.DateTime(c.LiftedAt, w.zone)})
	}
	return s
}
