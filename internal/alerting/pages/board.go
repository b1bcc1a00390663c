package pages

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/document/chart"
	"tocsin/internal/live"
	"tocsin/internal/ui"
)

// boardEvent is the name of the live piece of the follow-up and of the wall.
const boardEvent = "suivi"

// refreshEvery is how often a page without script reads itself again when its
// reader asked for it.
const refreshEvery = 15

// snapshot is the present state of an alert for the first look at a page. It is
// read anew: who has just acted must see his act, which the shared reading of
// the stream may show a second later.
func (p *Pages) snapshot(c *ui.Context, l alerting.Launch) (alerting.Board, error) {
	b, err := p.load(c, l)(c.Ctx())
	return shown(c, b), err
}

// shown is the board as far as the visitor may see what each person did.
func shown(c *ui.Context, b alerting.Board) alerting.Board {
	if c.May(access.AlertAnswers) {
		return b
	}
	return b.Unnamed()
}

// load reads an alert for all the viewers of its stream. The alert was read for
// each of them before, so each may see it; see shown for what differs.
func (p *Pages) load(c *ui.Context, l alerting.Launch) live.Load[alerting.Board] {
	scope, id := access.System(c.Scope.Organisation(), "alerting"), l.ID
	return func(ctx context.Context) (alerting.Board, error) {
		return p.s.Board(ctx, scope, id, p.clock.Now())
	}
}

// follow is the dashboard of an alert.
func (p *Pages) follow(c *ui.Context) error {
	l, err := p.alert(c)
	if err != nil {
		return err
	}
	b, err := p.snapshot(c, l)
	if err != nil {
		return err
	}
	list, err := p.listed(c, l)
	if err != nil {
		return err
	}
	aside, err := p.aside(c)
	if err != nil {
		return err
	}
	refreshed(c)
	c.Now = b.At
	return c.Render(p.followPage(c, b, list, aside))
}

// wall is the same for a screen that nobody touches.
func (p *Pages) wall(c *ui.Context) error {
	l, err := p.alert(c)
	if err != nil {
		return err
	}
	b, err := p.snapshot(c, l)
	if err != nil {
		return err
	}
	refreshed(c)
	c.Now = b.At
	return c.Render(p.wallPage(c, b))
}

// refreshed makes the page read itself again, for those without script who asked.
func refreshed(c *ui.Context) {
	if c.Request.Method == http.MethodGet && c.Query().Get("actualiser") != "" {
		c.Writer.Header().Set("Refresh", strconv.Itoa(refreshEvery))
	}
}

// stream sends the moving part of the follow-up, or of the wall (vue=mur), each
// time it moves. A reading that fails ends the link: the page then says since when.
func (p *Pages) stream(c *ui.Context) error {
	l, err := p.alert(c)
	if err != nil {
		return err
	}
	look := lookOf(c, l.ID)
	snapshots := p.board.Watch(c.Ctx(), alerting.Topic(l.ID), p.load(c, l))
	return live.Stream(c.Writer, c.Request, live.Options{}, snapshots, func(s live.Snapshot[alerting.Board]) (live.Event, error) {
		if s.Err != nil {
			return live.Event{}, s.Err
		}
		return p.drawn.at(look, s.At, func() (live.Event, error) {
			c.Now = s.At
			b := shown(c, s.Value)
			part := p.movedPiece(c, b)
			if look.wall {
				part = p.wallPiece(c, b)
			}
			text, err := c.Piece(part)
			return live.Event{Name: boardEvent, Data: []byte(text)}, err
		})
	})
}

// needed is how many people the quotas ask for together.
func needed(b alerting.Board) (n int) {
	for _, q := range b.Quotas {
		n += q.Needed
	}
	return n
}

// called is how many people a message left for.
func called(n alerting.Counters) int { return n.People - n.Waiting }

// silent is how many of them said nothing; people who came unannounced included.
func silent(n alerting.Counters) int { return max(0, called(n)-n.Answered) }

// quotaLabel names a line: skill, site, time slot.
func (p *Pages) quotaLabel(c *ui.Context, q alerting.QuotaLine) string {
	parts := []string{p.skill(c, q.Skill)}
	if q.SiteName != "" {
		parts = append(parts, q.SiteName)
	}
	switch {
	case q.To > 0 && q.From == 0:
		parts = append(parts, c.Loc.T("alerting.page.quota.within", "to", q.To))
	case q.To > 0:
		parts = append(parts, c.Loc.T("alerting.page.quota.between", "from", q.From, "to", q.To))
	case q.From > 0:
		parts = append(parts, c.Loc.T("alerting.page.quota.after", "from", q.From))
	}
	if q.Relief > 0 {
		parts = append(parts, c.Loc.T("alerting.page.quota.relief"))
	}
	return strings.Join(parts, " · ")
}

// restWords say whom a relief does not count; empty without a relief.
func restWords(c *ui.Context, lines []alerting.QuotaLine, rest time.Duration) string {
	if !slices.ContainsFunc(lines, func(q alerting.QuotaLine) bool { return q.Relief > 0 }) {
		return ""
	}
	return c.Loc.T("alerting.page.quota.rest", "rest", rest)
}

func quotaTone(q alerting.QuotaLine) ui.Tone {
	if q.Missing() == 0 {
		return ui.Success
	}
	return ui.Alert
}

// quotaDetail says in words what the bar shows.
func quotaDetail(c *ui.Context, q alerting.QuotaLine) string {
	text := c.Loc.T("alerting.page.quota.detail", "arrived", c.Loc.Int(q.Arrived), "coming", c.Loc.Int(q.Coming), "missing", c.Loc.Int(q.Missing()))
	if words := showWords(c, q); words != "" {
		text += " " + words
	}
	if q.Overdue > 0 {
		text += " " + c.Loc.N("alerting.page.quota.overdue", q.Overdue)
	}
	if q.Resting > 0 {
		text += " " + c.Loc.N("alerting.page.quota.resting", q.Resting)
	}
	return text
}

// showWords says how many more must be announced than there are posts, and why;
// nothing when everyone announced is counted on.
func showWords(c *ui.Context, q alerting.QuotaLine) string {
	rate := c.Loc.Percent(q.Show.Rate)
	switch {
	case q.Show.Rate >= 1:
		return ""
	case q.Show.ByHand:
		return c.Loc.T("alerting.page.quota.show.hand", "awaited", c.Loc.Int(q.Awaited()), "rate", rate)
	}
	return c.Loc.T("alerting.page.quota.show.learnt", "awaited", c.Loc.Int(q.Awaited()), "rate", rate, "of", c.Loc.Int(q.Show.Of), "kind", c.Loc.T("alerting.page.quota.kind."+string(q.Show.From)))
}

// bookedWords says on the sheet how a line of the quota will be counted.
func bookedWords(c *ui.Context, q alerting.QuotaLine) string {
	text := c.Loc.N("alerting.page.quota.posts", q.Needed)
	if q.Relief > 0 {
		key := "alerting.page.quota.keep.learnt"
		if q.Keep.From == alerting.OfNobody {
			key = "alerting.page.quota.keep.guess"
		}
		text += " " + c.Loc.T(key, "n", c.Loc.Int(q.Keep.People), "share", c.Loc.Percent(q.Keep.Share))
	}
	switch words := showWords(c, q); {
	case words != "":
		return text + " " + words
	case q.Show.ByHand:
		return text + " " + c.Loc.T("alerting.page.quota.show.everyone")
	case q.Show.From == alerting.OfNobody:
		return text + " " + c.Loc.T("alerting.page.quota.show.none", "least", alerting.SampleLeast)
	}
	return text + " " + c.Loc.T("alerting.page.quota.show.all", "of", c.Loc.Int(q.Show.Of))
}

// curve is the answers in time, with the number needed as a line to reach.
func curve(c *ui.Context, b alerting.Board) chart.Chart {
	out := chart.Chart{
		Kind: chart.Steps, Title: c.Loc.T("alerting.page.curve.title"), Description: curveWords(c, b),
		XLabel: c.Loc.T("alerting.page.curve.x"), YLabel: c.Loc.T("alerting.page.curve.y"), Number: func(v float64) string { return briefly(c, v) },
	}
	series := make([][]chart.Point, 4)
	for _, pt := range b.Curve {
		for i, v := range []int{pt.Reached, pt.Answered, pt.Coming, pt.Arrived} {
			series[i] = append(series[i], chart.Point{X: float64(pt.Minute), Y: float64(v)})
		}
	}
	for i, key := range []string{"alerting.page.curve.reached", "alerting.page.curve.answered", "alerting.page.curve.coming", "alerting.page.curve.arrived"} {
		out.Series = append(out.Series, chart.Series{Name: c.Loc.T(key), Points: series[i]})
	}
	out.Series = append(out.Series, expectedSeries(c, b.Expected, len(b.Curve)-1+expectedAhead)...)
	if n := needed(b); n > 0 {
		out.Marks = []chart.Mark{{Name: c.Loc.T("alerting.page.curve.needed"), Value: float64(n)}}
	}
	return out
}

func curveWords(c *ui.Context, b alerting.Board) string {
	last := alerting.CurvePoint{}
	if len(b.Curve) > 0 {
		last = b.Curve[len(b.Curve)-1]
	}
	return c.Loc.T("alerting.page.curve.words", "minutes", last.Minute, "reached", c.Loc.Int(last.Reached), "answered", c.Loc.Int(last.Answered),
		"coming", c.Loc.Int(last.Coming), "arrived", c.Loc.Int(last.Arrived))
}

// drawn writes a chart into a page; templ escapes nothing of it, chart escapes
// every word.
func drawn(ch chart.Chart, id string, width, height float64) templ.Component {
	var b strings.Builder
	if err := ch.SVG(&b, id, width, height); err != nil {
		return templ.NopComponent
	}
	return templ.Raw(b.String())
}

// briefly writes a figure of an axis: in its first minutes an alert is told in
// parts of a minute.
func briefly(c *ui.Context, v float64) string {
	if v == math.Trunc(v) {
		return c.Loc.Decimal(v, 0)
	}
	return c.Loc.Decimal(v, 1)
}

// curveRows are at most 24 points of the curve for its table, the last one always.
func curveRows(points []alerting.CurvePoint) []alerting.CurvePoint {
	step := (len(points) + 23) / 24
	var out []alerting.CurvePoint
	for i := len(points) - 1; i >= 0; i -= max(step, 1) {
		out = append(out, points[i])
	}
	slices.Reverse(out)
	return out
}

// happened are the events as the time line shows them, the newest first.
func happened(c *ui.Context, events []alerting.Event, most int) []ui.Event {
	var out []ui.Event
	for _, e := range slices.Backward(events) {
		if len(out) == most {
			break
		}
		out = append(out, ui.Event{At: e.At, When: c.Loc.Clock(e.At, c.Zone), Tone: eventTone(e.Kind), Title: eventTitle(c, e), Text: e.Text})
	}
	return out
}

func eventTitle(c *ui.Context, e alerting.Event) string {
	title := c.Loc.T("alerting.page.event."+string(e.Kind), "wave", e.Wave)
	if e.People > 1 {
		title += ", " + c.Loc.N("alerting.page.people", e.People)
	}
	if e.By != "" {
		title += " (" + e.By + ")"
	}
	return title
}

func eventTone(k alerting.EventKind) ui.Tone {
	switch k {
	case alerting.EventLaunched, alerting.EventReopened, alerting.EventBudgetReached:
		return ui.Alert
	case alerting.EventKilled:
		return ui.Critical
	case alerting.EventGuarded, alerting.EventStop, alerting.EventTwin, alerting.EventWaveStopped, alerting.EventBudgetNear, alerting.EventBudgetPassed, alerting.EventBudgetLifted:
		return ui.Attention
	case alerting.EventQuotaMet, alerting.EventArrival, alerting.EventEnded:
		return ui.Success
	}
	return ui.Information
}

// waveTone is the tone of the state of a wave.
func waveTone(s alerting.WaveState) ui.Tone {
	switch s {
	case alerting.WaveOpen:
		return ui.Success
	case alerting.WaveStopped:
		return ui.Attention
	}
	return ui.Neutral
}

// lasted is how long an alert has run, or ran.
func lasted(l alerting.Launch, now time.Time) time.Duration {
	if !l.EndedAt.IsZero() {
		now = l.EndedAt
	}
	return max(0, now.Sub(l.LaunchedAt)).Truncate(time.Second)
}

// launchedLine is who gave the order and who started.
func launchedLine(c *ui.Context, l alerting.Launch) string {
	at := c.Loc.DateTime(l.LaunchedAt, c.Zone)
	if l.OrderedBy != "" {
		return c.Loc.T("alerting.page.board.by", "at", at, "ordered", l.OrderedBy, "launched", l.LaunchedBy)
	}
	return c.Loc.T("alerting.page.board.by.alone", "at", at, "launched", l.LaunchedBy)
}

// callBack counts those who asked to be called; nothing when nobody did.
func callBack(c *ui.Context, n int) string {
	if n == 0 {
		return ""
	}
	return c.Loc.N("alerting.page.board.call_me", n)
}

// remaining is how long the calls still take, as one says it aloud.
func remaining(c *ui.Context, end time.Time) string {
	left := end.Sub(c.Now)
	if left < time.Minute {
		return c.Loc.T("alerting.page.media.remaining.soon")
	}
	return c.Loc.T("alerting.page.media.remaining.about", "time", c.Loc.Duration(left.Round(time.Minute)))
}
