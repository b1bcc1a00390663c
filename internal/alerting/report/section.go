package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/document/chart"
	"tocsin/internal/i18n"
)

// section is one part of the report: the PDF prints it, the workbook gives it a sheet.
type section struct {
	title string
	// lead is said before the table, or in its place when there is nothing to list.
	lead    string
	chart   *chart.Chart
	columns []column
	rows    [][]any
}

// column is a column of a section. Its cells are string, int, time.Time,
// time.Duration or share; nil is an empty cell.
type column struct {
	title string
	kind  kind
}

type kind int

const (
	words kind = iota
	count
	instant
	length
	ratio
)

// share is a part of a whole, 1 being the whole.
type share float64

// writer says a report in one language, one zone.
type writer struct {
	r    alerting.Report
	loc  *i18n.Localizer
	zone *time.Location
	lang string
	ref  *directory.Reference
}

func newWriter(r alerting.Report, loc *i18n.Localizer, zone *time.Location) (*writer, error) {
	ref, err := directory.LoadReference()
	if err != nil {
		return nil, fmt.Errorf("report of alert %s: %w", r.Launch.ID, err)
	}
	return &writer{r: r, loc: loc, zone: zone, lang: string(loc.Language()), ref: ref}, nil
}

// sections are the parts, in the order they are read.
func (w *writer) sections() []section {
	all := []section{w.figures(), w.delays(), w.curves(), w.quotas(), w.door(), w.rolls(), w.waves(), w.units(), w.media(), w.cost(), w.failures(), w.notCalled(), w.unreachable(), w.timeline(), w.deeds()}
	return slices.DeleteFunc(all, func(s section) bool { return s.title == "" })
}

func (w *writer) title() string {
	return w.loc.T("alerting.report.title", "alert", w.r.Launch.Title.In(w.lang))
}

func (w *writer) mode() string { return w.loc.T("alerting.report.mode." + string(w.r.Launch.Mode)) }

// called is how many people were called at all.
func (w *writer) called() (n int) {
	for _, u := range w.r.Units {
		n += u.Called
	}
	return n
}

// since is how long after the launch.
func (w *writer) since(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Sub(w.r.Launch.LaunchedAt)
}

// part is n out of all; empty when there is no whole.
func part(n, all int) any {
	if all == 0 {
		return nil
	}
	return share(float64(n) / float64(all))
}

// figures are the alert in a dozen numbers.
func (w *writer) figures() section {
	c, called := w.r.Counters, w.called()
	s := section{title: w.loc.T("alerting.report.figures"), columns: []column{
		{w.loc.T("alerting.report.col.figure"), words}, {w.loc.T("alerting.report.col.people"), count}, {w.loc.T("alerting.report.col.share"), ratio},
	}}
	for _, f := range []struct {
		label string
		n     int
		of    int
	}{
		{w.loc.T("alerting.report.figure.people"), c.People, 0},
		{w.loc.T("alerting.report.figure.called"), called, 0},
		{w.loc.T("alerting.report.figure.reached"), c.Reached, called},
		{w.loc.T("alerting.report.figure.answered"), c.Answered, called},
		{w.loc.T("alerting.report.figure.coming"), c.Coming, called},
		{w.loc.T("alerting.report.figure.on_site"), c.OnSite, called},
		{w.loc.T("alerting.report.figure.unavailable"), c.Unavailable, called},
		{w.loc.T("alerting.report.figure.call_me"), c.CallMe, called},
		{w.loc.T("alerting.report.figure.arrived"), c.Arrived, called},
		{w.loc.T("alerting.report.figure.silent"), w.silent(), called},
		{w.loc.T("alerting.report.figure.unread"), c.Unread, 0},
		{w.loc.T("alerting.report.figure.late"), c.Late, 0},
		{w.loc.T("alerting.report.figure.stopped"), c.Stopped, 0},
		{w.loc.T("alerting.report.figure.guarded"), c.Guarded, 0},
		{w.loc.T("alerting.report.figure.left_out"), c.LeftOut, 0},
	} {
		s.rows = append(s.rows, []any{f.label, f.n, part(f.n, f.of)})
	}
	return s
}

// silent is how many people were called and neither reached nor heard of.
func (w *writer) silent() (n int) {
	for _, p := range w.r.Unreached {
		if p.LeftOut == "" {
			n++
		}
	}
	return n
}

func (w *writer) delays() section {
	d := w.r.Delays
	s := section{
		title: w.loc.T("alerting.report.delays"), lead: w.loc.T("alerting.report.delays.lead"),
		columns: []column{{w.loc.T("alerting.report.col.figure"), words}, {w.loc.T("alerting.report.col.delay"), length}},
	}
	for _, x := range []struct {
		label string
		after *time.Duration
	}{
		{w.loc.T("alerting.report.delay.reached", "share", w.loc.Percent(0.5)), d.Reached50},
		{w.loc.T("alerting.report.delay.reached", "share", w.loc.Percent(0.8)), d.Reached80},
		{w.loc.T("alerting.report.delay.reached", "share", w.loc.Percent(0.95)), d.Reached95},
		{w.loc.T("alerting.report.delay.quota"), d.Quota},
	} {
		switch {
		case x.after != nil:
			s.rows = append(s.rows, []any{x.label, *x.after})
		case len(w.r.Quotas) == 0 && x.label == w.loc.T("alerting.report.delay.quota"):
		default:
			s.rows = append(s.rows, []any{x.label, w.loc.T("alerting.report.never")})
		}
	}
	return s
}

func (w *writer) quotas() section {
	if len(w.r.Quotas) == 0 {
		return section{}
	}
	s := section{title: w.loc.T("alerting.report.quotas"), columns: []column{
		{w.loc.T("alerting.report.col.skill"), words},
		{w.loc.T("alerting.report.col.site"), words},
		{w.loc.T("alerting.report.col.slot"), words},
		{w.loc.T("alerting.report.col.needed"), count},
		{w.loc.T("alerting.report.col.announced"), count},
		{w.loc.T("alerting.report.col.there"), count},
		{w.loc.T("alerting.report.col.overdue"), count},
		{w.loc.T("alerting.report.col.missing"), count},
	}}
	for _, q := range w.r.Quotas {
		skill, site := w.loc.T("alerting.report.everyone"), q.SiteName
		if q.Skill != "" {
			skill = w.ref.Label(q.Skill, w.lang)
		}
		if site == "" {
			site = w.loc.T("alerting.report.every_site")
		}
		s.rows = append(s.rows, []any{skill, site, w.slot(q.From, q.To), q.Needed, q.Coming, q.Arrived, q.Overdue, q.Missing()})
	}
	if slices.ContainsFunc(w.r.Quotas, func(q alerting.QuotaLine) bool { return q.Relief > 0 }) {
		s.columns = append(s.columns, column{w.loc.T("alerting.report.col.resting", "rest", w.r.Rest), count})
		for i, q := range w.r.Quotas {
			s.rows[i] = append(s.rows[i], q.Resting)
		}
	}
	return s
}

// slot says when the people of a line must be there.
func (w *writer) slot(from, to time.Duration) string {
	switch {
	case to == 0 && from == 0:
		return w.loc.T("alerting.report.slot.any")
	case to == 0:
		return w.loc.T("alerting.report.slot.from", "from", from)
	case from == 0:
		return w.loc.T("alerting.report.slot.until", "to", to)
	}
	return w.loc.T("alerting.report.slot.between", "from", from, "to", to)
}

func (w *writer) waves() section {
	if len(w.r.Waves) == 0 {
		return section{}
	}
	s := section{title: w.loc.T("alerting.report.waves"), columns: []column{
		{w.loc.T("alerting.report.col.wave"), count},
		{w.loc.T("alerting.report.col.name"), words},
		{w.loc.T("alerting.report.col.people"), count},
		{w.loc.T("alerting.report.col.state"), words},
		{w.loc.T("alerting.report.col.left"), instant},
		{w.loc.T("alerting.report.col.since"), length},
	}}
	for _, v := range w.r.Waves {
		s.rows = append(s.rows, []any{v.Number, v.Name.In(w.lang), v.People, w.loc.T("alerting.report.wave." + string(v.State)), v.OpenedAt, w.since(v.OpenedAt)})
	}
	return s
}

func (w *writer) units() section {
	s := section{title: w.loc.T("alerting.report.units"), columns: []column{
		{w.loc.T("alerting.report.col.service"), words},
		{w.loc.T("alerting.report.col.site"), words},
		{w.loc.T("alerting.report.col.people"), count},
		{w.loc.T("alerting.report.col.called"), count},
		{w.loc.T("alerting.report.col.reached"), count},
		{w.loc.T("alerting.report.col.reached_share"), ratio},
		{w.loc.T("alerting.report.col.answered"), count},
		{w.loc.T("alerting.report.col.coming"), count},
		{w.loc.T("alerting.report.col.arrived"), count},
		{w.loc.T("alerting.report.col.left_out"), count},
	}}
	units := slices.SortedFunc(slices.Values(w.r.Units), func(a, b alerting.ReportUnit) int {
		return cmp.Or(cmp.Compare(a.SiteName, b.SiteName), cmp.Compare(a.ServiceName, b.ServiceName))
	})
	for _, u := range units {
		s.rows = append(s.rows, []any{w.named(u.ServiceName), w.named(u.SiteName), u.People, u.Called, u.Reached, part(u.Reached, u.Called), u.Answered, u.Coming, u.Arrived, u.LeftOut})
	}
	return s
}

// named is a name, or that there is none.
func (w *writer) named(name string) string {
	if name == "" {
		return w.loc.T("alerting.report.unnamed")
	}
	return name
}
