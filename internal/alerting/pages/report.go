package pages

import (
	"bytes"
	"io"
	"slices"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/alerting/report"
	"tocsin/internal/document/chart"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// Document writes the report of an alert as one kind of file, in the reader's
// language, its hours in that zone.
type Document func(w io.Writer, r alerting.Report, loc *i18n.Localizer, zone *time.Location) error

// unreachedListed bounds the names on the page; the spreadsheet has them all.
const unreachedListed = 200

func (p *Pages) reportRoutes(r *ui.Router) {
	r.Get("/alertes/{id}/rapport", access.AlertReport, p.report)
	r.Get("/alertes/{id}/rapport.json", access.AlertReport, p.download("json", "application/json", writeJSON), ui.Lasting(2*time.Minute))
	r.Get("/alertes/{id}/rapport.pdf", access.AlertReport, p.download("pdf", "application/pdf", p.pdf), ui.Lasting(2*time.Minute))
	r.Get("/alertes/{id}/rapport.xlsx", access.AlertReport,
		p.download("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", p.xlsx), ui.Lasting(2*time.Minute))
}

// facts reads the report of the alert of the address, its hours in its own zone.
func (p *Pages) facts(c *ui.Context) (alerting.Report, error) {
	id, err := c.ID("id")
	if err != nil {
		return alerting.Report{}, err
	}
	r, err := p.s.ReportData(c.Ctx(), c.Scope, id, c.Now)
	if err != nil {
		return r, err
	}
	if zone, err := time.LoadLocation(r.Zone); err == nil && r.Zone != "" {
		c.Zone = zone
	}
	return r, nil
}

// report is the figures of an alert, to read and to print.
func (p *Pages) report(c *ui.Context) error {
	r, err := p.facts(c)
	if err != nil {
		return err
	}
	return c.Render(p.reportPage(c, r))
}

// download gives the report as a file. It is written whole before the first
// byte leaves: a file cut short would be taken for a report.
func (p *Pages) download(ending, contentType string, write Document) ui.Handler {
	return func(c *ui.Context) error {
		if write == nil {
			return fault.New(fault.NotFound, "ui.fail.no_page")
		}
		r, err := p.facts(c)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := write(&b, r, c.Loc, c.Zone); err != nil {
			return err
		}
		name := c.Loc.T("alerting.page.report.file", "at", r.Launch.LaunchedAt.In(c.Zone).Format("2006-01-02-15h04")) + "." + ending
		_, err = b.WriteTo(c.Download(name, contentType))
		return err
	}
}

func writeJSON(w io.Writer, r alerting.Report, _ *i18n.Localizer, _ *time.Location) error {
	return report.JSON(w, r)
}

// delayLine is a time since the launch with its words.
type delayLine struct{ Label, Value string }

func delayLines(c *ui.Context, r alerting.Report) []delayLine {
	say := func(label string, d *time.Duration) delayLine {
		if d == nil {
			return delayLine{label, c.Loc.T("alerting.page.report.delay.never")}
		}
		return delayLine{label, c.Loc.Duration(d.Truncate(time.Second))}
	}
	out := []delayLine{
		say(c.Loc.T("alerting.page.report.delay.reached50"), r.Delays.Reached50),
		say(c.Loc.T("alerting.page.report.delay.reached80"), r.Delays.Reached80),
		say(c.Loc.T("alerting.page.report.delay.reached95"), r.Delays.Reached95),
	}
	if len(r.Quotas) > 0 {
		out = append(out, say(c.Loc.T("alerting.page.report.delay.quota"), r.Delays.Quota))
	}
	return out
}

// reportCurve draws the instants of the report, one step for each person.
func reportCurve(c *ui.Context, r alerting.Report) chart.Chart {
	minutes := lasted(r.Launch, r.At).Minutes()
	series := func(key string, seconds []float64) chart.Series {
		points := []chart.Point{{}}
		for i, s := range seconds {
			if s/60 > minutes {
				break
			}
			points = append(points, chart.Point{X: s / 60, Y: float64(i + 1)})
		}
		return chart.Series{Name: c.Loc.T(key), Points: append(points, chart.Point{X: minutes, Y: points[len(points)-1].Y})}
	}
	return chart.Chart{
		Kind: chart.Steps, Title: c.Loc.T("alerting.page.curve.title"),
		Description: c.Loc.T("alerting.page.curve.words", "minutes", int(minutes), "reached", c.Loc.Int(len(r.Reached)), "answered", c.Loc.Int(len(r.Answered)),
			"coming", c.Loc.Int(len(r.Coming)), "arrived", c.Loc.Int(r.Counters.Arrived)),
		XLabel: c.Loc.T("alerting.page.curve.x"), YLabel: c.Loc.T("alerting.page.curve.y"), Number: func(v float64) string { return briefly(c, v) },
		Series: append([]chart.Series{series("alerting.page.curve.reached", r.Reached), series("alerting.page.curve.answered", r.Answered), series("alerting.page.curve.coming", r.Coming)},
			expectedSeries(c, r.Expected, int(minutes)+expectedAhead)...),
	}
}

// told are the events of the alert as a whole, the oldest first; what happened
// to one person is counted by others and listed in the spreadsheet.
func told(c *ui.Context, events []alerting.Event) []ui.Event {
	var whole []alerting.Event
	for _, e := range events {
		switch e.Kind {
		case alerting.EventArrival, alerting.EventManualCall, alerting.EventAttached, alerting.EventStop:
		default:
			whole = append(whole, e)
		}
	}
	out := happened(c, whole, len(whole))
	slices.Reverse(out)
	return out
}

// whyUnreached is the reason why somebody was not reached.
func whyUnreached(c *ui.Context, u alerting.ReportPerson) string {
	switch {
	case u.LeftOut != "":
		return c.Loc.T(u.LeftOut.Key())
	case u.Reason != "":
		return c.Loc.T("channels.reason." + string(u.Reason))
	}
	return c.Loc.T(u.State.Key())
}

// unreachedEmpty says why nobody is named as not reached.
func unreachedEmpty(c *ui.Context, r alerting.Report) string {
	if r.Erased.IsZero() {
		return c.Loc.T("alerting.page.report.everyone")
	}
	return c.Loc.T("alerting.page.report.erased", "date", c.Loc.Date(r.Erased, c.Zone))
}
