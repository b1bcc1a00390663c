package pages

import (
	"math"
	"slices"
	"strings"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/document/chart"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// rehearsalView is the rehearsals of a scenario, the newest first.
type rehearsalView struct {
	Scenario alerting.Scenario
	Title    string
	List     []alerting.Rehearsal
	// Shown is the one looked at; Waits is the one under way.
	Shown, Waits *alerting.Rehearsal
	// Faults tells that the scenario cannot be launched, so not rehearsed.
	Faults int
}

func (p scenarioPages) rehearsals(c *ui.Context) (v rehearsalView, err error) {
	id, err := c.ID("id")
	if err != nil {
		return v, err
	}
	sc, def, err := p.s.Scenario(c.Ctx(), c.Scope, id)
	if err != nil {
		return v, err
	}
	v = rehearsalView{Scenario: sc, Title: sc.Title.In(lang(c)), Faults: len(def.Check())}
	if v.List, err = p.s.Rehearsals(c.Ctx(), c.Scope, id); err != nil {
		return v, err
	}
	wanted := c.Query().Get("repetition")
	for i := range v.List {
		r := &v.List[i]
		if r.FinishedAt.IsZero() && v.Waits == nil {
			v.Waits = r
		}
		if r.Over() && v.Shown == nil && (wanted == "" || wanted == r.ID.String()) {
			v.Shown = r
		}
	}
	if wanted != "" && v.Shown == nil {
		return v, noScenario()
	}
	return v, nil
}

// rehearsal shows the last rehearsal, how far the next one is, and the form that asks for one.
func (p scenarioPages) rehearsal(c *ui.Context) error {
	v, err := p.rehearsals(c)
	if err != nil {
		return err
	}
	if c.Partial() {
		if v.Waits != nil {
			return c.Render(rehearsalProgress(c, *v.Waits))
		}
		return c.Redirect(scenarioPath(v.Scenario.ID, rehearsalUnder)) // what it waited for is there
	}
	return c.Render(rehearsalPage(c, c.NewForm(nil), v))
}

const rehearsalUnder = "/repetition"

// rehearse asks for a rehearsal.
func (p scenarioPages) rehearse(c *ui.Context) error {
	v, err := p.rehearsals(c)
	if err != nil {
		return err
	}
	f := c.Form()
	order := alerting.RehearsalOrder{Draws: f.Int("tirages", alerting.DrawsLeast, alerting.DrawsMost)}
	if text := f.Value("quand"); text != "" {
		if order.At, err = time.ParseInLocation("2006-01-02T15:04", text, c.Zone); err != nil {
			f.Add("quand", c.Loc.T("alerting.rehearsal.when"))
		}
	}
	if !f.Valid() {
		return c.Refill(f, nil, rehearsalPage(c, f, v))
	}
	if _, err := p.s.AskRehearsal(c.Ctx(), c.Scope, c.Now, v.Scenario.ID, order); err != nil {
		return c.Refill(f, err, rehearsalPage(c, f, v))
	}
	return c.Redirect(scenarioPath(v.Scenario.ID, rehearsalUnder))
}

// rehearsalCurves draws the three curves with what nine nights in ten stay within.
func rehearsalCurves(c *ui.Context, o alerting.Outcome) chart.Chart {
	out := chart.Chart{
		Kind: chart.Lines, Title: c.Loc.T("alerting.rehearsal.curve"), Description: rehearsalWords(c, o),
		XLabel: c.Loc.T("alerting.page.curve.x"), YLabel: c.Loc.T("alerting.page.curve.y"), Number: func(v float64) string { return briefly(c, v) },
	}
	for _, s := range rehearsalSeries() {
		out.Series = append(out.Series, bandSeries(c.Loc.T(s.key), o, s.of))
	}
	return out
}

type bandOf struct {
	key string
	of  func(alerting.BandPoint) alerting.Band
}

func rehearsalSeries() []bandOf {
	return []bandOf{
		{"alerting.page.curve.reached", func(p alerting.BandPoint) alerting.Band { return p.Reached }},
		{"alerting.page.curve.coming", func(p alerting.BandPoint) alerting.Band { return p.Coming }},
		{"alerting.page.curve.arrived", func(p alerting.BandPoint) alerting.Band { return p.Arrived }},
	}
}

func bandSeries(name string, o alerting.Outcome, of func(alerting.BandPoint) alerting.Band) chart.Series {
	s := chart.Series{Name: name}
	for _, pt := range o.Points {
		b, x := of(pt), float64(pt.Minute)
		s.Points = append(s.Points, chart.Point{X: x, Y: b.Middle})
		s.Low = append(s.Low, chart.Point{X: x, Y: b.Low})
		s.High = append(s.High, chart.Point{X: x, Y: b.High})
	}
	return s
}

func rehearsalWords(c *ui.Context, o alerting.Outcome) string {
	if len(o.Points) == 0 {
		return ""
	}
	at := o.Points[min(60, len(o.Points)-1)]
	return c.Loc.T("alerting.rehearsal.curve.words", "minutes", at.Minute, "reached", bandWords(c, at.Reached), "coming", bandWords(c, at.Coming), "arrived", bandWords(c, at.Arrived))
}

// bandWords is "1 240 (1 180 à 1 300)", or one figure when nothing is in doubt.
func bandWords(c *ui.Context, b alerting.Band) string {
	n := func(v float64) string { return c.Loc.Int(int(math.Round(v))) }
	if n(b.Low) == n(b.High) {
		return n(b.Middle)
	}
	return c.Loc.T("alerting.rehearsal.band", "middle", n(b.Middle), "low", n(b.Low), "high", n(b.High))
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

// spokenTime says a time of a rehearsal: to the second in the first minutes, then to the minute.
func spokenTime(loc *i18n.Localizer, v float64) string {
	d := seconds(v)
	if d >= 10*time.Minute {
		return loc.Duration(d.Round(time.Minute))
	}
	return loc.Duration(d.Round(time.Second))
}

// momentWords is a time with its band, or that it seldom comes.
func momentWords(c *ui.Context, m alerting.Moment) string {
	if m.Never > 0.5 {
		return c.Loc.T("alerting.rehearsal.never", "share", c.Loc.Percent(m.Never))
	}
	text := c.Loc.T("alerting.rehearsal.moment", "middle", spokenTime(c.Loc, m.Middle), "low", spokenTime(c.Loc, m.Low), "high", spokenTime(c.Loc, m.High))
	if m.Never > 0 {
		text += " " + c.Loc.T("alerting.rehearsal.sometimes", "share", c.Loc.Percent(m.Never))
	}
	return text
}

// changeWords is what lifting a limit would give.
func changeWords(c *ui.Context, o alerting.Outcome, ch alerting.Change, quotas bool) string {
	before, after, key := o.At80, ch.Reached80, "alerting.rehearsal.gain.reached"
	if quotas {
		before, after, key = o.Quota, ch.Quota, "alerting.rehearsal.gain.quota"
	}
	was, now := c.Loc.T("alerting.rehearsal.gain.never"), c.Loc.T("alerting.rehearsal.gain.never")
	if before.Never <= 0.5 {
		was = spokenTime(c.Loc, before.Middle)
	}
	if after >= 0 {
		now = spokenTime(c.Loc, after)
	}
	if was == now {
		return c.Loc.T("alerting.rehearsal.gain.nothing")
	}
	return c.Loc.T(key, "before", was, "after", now)
}

// changeName is what would be added.
func changeName(c *ui.Context, ch alerting.Change) string {
	if ch.More == 0 {
		return c.Loc.T("alerting.rehearsal.more_whole")
	}
	return c.Loc.N("alerting.rehearsal.more."+string(ch.Limit), ch.More)
}

// stageLines say the network that was simulated.
func stageLines(c *ui.Context, r alerting.Rehearsal) []string {
	st := r.Shown.Stage
	var out []string
	for _, m := range r.Shown.Outcome.Media {
		var text string
		switch m.Medium {
		case channels.SMS:
			text = unlimited(c, st.SMS, "alerting.rehearsal.stage.sms.free", "alerting.rehearsal.stage.sms")
			if st.Segments > 1 {
				text += " " + c.Loc.T("alerting.rehearsal.stage.parts", "parts", st.Segments)
			}
		case channels.Email:
			text = unlimited(c, st.Email, "alerting.rehearsal.stage.email.free", "alerting.rehearsal.stage.email")
		case channels.Voice:
			text = c.Loc.N("alerting.rehearsal.stage.voice", st.Lines)
		default:
			text = medium(c.Loc, m.Medium)
		}
		if slices.Contains(st.Assumed, m.Medium) {
			text += " " + c.Loc.T("alerting.rehearsal.stage.assumed")
		}
		out = append(out, text)
	}
	return out
}

func unlimited(c *ui.Context, perSecond float64, free, key string) string {
	if perSecond == 0 {
		return c.Loc.T(free)
	}
	digits := 0
	if perSecond != math.Trunc(perSecond) {
		digits = 1
	}
	return c.Loc.T(key, "rate", c.Loc.Decimal(perSecond, digits))
}

// calibration says on what the behaviour of people rests.
func calibration(c *ui.Context, r alerting.Rehearsal) string {
	if r.Shown.Alerts == 0 {
		return c.Loc.T("alerting.rehearsal.learnt.none")
	}
	return c.Loc.N("alerting.rehearsal.learnt", r.Shown.Alerts, "people", c.Loc.Int(r.Shown.Learnt))
}

// breadthLines say, medium by medium, how wide a kind had to be taken.
func breadthLines(c *ui.Context, r alerting.Rehearsal) []string {
	var out []string
	for _, m := range r.Shown.Outcome.Media {
		if b := r.Shown.Breadth[m.Medium]; b != "" {
			out = append(out, c.Loc.T("alerting.rehearsal.breadth", "medium", medium(c.Loc, m.Medium), "how", c.Loc.T("alerting.rehearsal.breadth."+string(b))))
		}
	}
	return out
}

// bandRows are at most 17 points of the curves for their table.
func bandRows(o alerting.Outcome) []alerting.BandPoint {
	step := max(1, (len(o.Points)-1)/16)
	var out []alerting.BandPoint
	for i := 0; i < len(o.Points); i += step {
		out = append(out, o.Points[i])
	}
	return out
}

// leftOutWords counts those who would not be called, by reason.
func leftOutWords(c *ui.Context, left map[alerting.LeftOut]int) string {
	var parts []string
	for _, why := range alerting.LeftOuts() {
		if n := left[why]; n > 0 {
			parts = append(parts, c.Loc.T(why.Key())+" : "+c.Loc.Int(n))
		}
	}
	return strings.Join(parts, " · ")
}

// expectedAhead is how many minutes of what was expected are shown before they come.
const expectedAhead = 15

// expectedSeries are the curves of the rehearsal under those of the alert, up to a
// minute; none when the scenario was not rehearsed.
func expectedSeries(c *ui.Context, e alerting.Expected, last int) []chart.Series {
	if len(e.Points) == 0 || last < 1 {
		return nil
	}
	o := alerting.Outcome{Points: e.Points[:min(last+1, len(e.Points))]}
	all := rehearsalSeries()
	return []chart.Series{
		bandSeries(c.Loc.T("alerting.page.curve.expected.reached"), o, all[0].of),
		bandSeries(c.Loc.T("alerting.page.curve.expected.coming"), o, all[1].of),
	}
}

// expectedNote says where the curves of the rehearsal come from, and compares them
// with what happened at that minute.
func expectedNote(c *ui.Context, e alerting.Expected, minute, coming, people int) string {
	if len(e.Points) == 0 {
		return ""
	}
	b := e.Points[min(max(minute, 0), len(e.Points)-1)].Coming
	text := c.Loc.T("alerting.page.curve.expected.note", "at", c.Loc.Date(e.At, c.Zone), "people", c.Loc.Int(e.People), "band", bandWords(c, b), "coming", c.Loc.Int(coming))
	if e.People != people {
		text += " " + c.Loc.T("alerting.page.curve.expected.other", "people", c.Loc.Int(people))
	}
	return text
}
