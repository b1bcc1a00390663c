package report

import (
	"cmp"
	"slices"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/storage"
)

func (w *writer) media() section {
	s := section{title: w.loc.T("alerting.report.media"), columns: []column{
		{w.loc.T("alerting.report.col.medium"), words},
		{w.loc.T("alerting.report.col.messages"), count},
		{w.loc.T("alerting.report.col.submitted"), count},
		{w.loc.T("alerting.report.col.delivered"), count},
		{w.loc.T("alerting.report.col.delivered_share"), ratio},
		{w.loc.T("alerting.report.col.failed"), count},
		{w.loc.T("alerting.report.col.expired"), count},
		{w.loc.T("alerting.report.col.withdrawn"), count},
		{w.loc.T("alerting.report.col.guarded"), count},
		{w.loc.T("alerting.report.col.doubled"), count},
		{w.loc.T("alerting.report.col.answers"), count},
	}}
	for _, m := range w.r.Media {
		s.rows = append(s.rows, []any{
			w.loc.T("channels.medium." + string(m.Medium)), m.Sent, m.Submitted, m.Delivered, part(m.Delivered, m.Submitted),
			m.Failed, m.Expired, m.Withdrawn, m.Guarded, m.Doubled, m.Answers,
		})
	}
	return s
}

func (w *writer) failures() section {
	s := section{title: w.loc.T("alerting.report.failures")}
	if len(w.r.Failures) == 0 {
		s.lead = w.loc.T("alerting.report.failures.none")
		return s
	}
	s.columns = []column{{w.loc.T("alerting.report.col.medium"), words}, {w.loc.T("alerting.report.col.reason"), words}, {w.loc.T("alerting.report.col.messages"), count}}
	list := slices.SortedStableFunc(slices.Values(w.r.Failures), func(a, b alerting.ReportFailure) int { return cmp.Compare(b.Messages, a.Messages) })
	for _, f := range list {
		s.rows = append(s.rows, []any{w.loc.T("channels.medium." + string(f.Medium)), w.reason(string(f.Reason)), f.Messages})
	}
	return s
}

// reason is the sentence of a failure; one the gateway did not explain says so.
func (w *writer) reason(code string) string {
	if code == "" {
		return w.loc.T("alerting.report.reason.unknown")
	}
	return w.loc.T("channels.reason." + code)
}

// notCalled counts the people of the audience who were left out, by reason.
func (w *writer) notCalled() section {
	if w.r.Counters.LeftOut == 0 {
		return section{}
	}
	counts := map[alerting.LeftOut]int{}
	for _, p := range w.r.Unreached {
		counts[p.LeftOut]++
	}
	s := section{
		title: w.loc.T("alerting.report.not_called"), lead: w.loc.T("alerting.report.not_called.lead"),
		columns: []column{{w.loc.T("alerting.report.col.reason"), words}, {w.loc.T("alerting.report.col.people"), count}},
	}
	for _, why := range alerting.LeftOuts() {
		if counts[why] > 0 {
			s.rows = append(s.rows, []any{w.loc.T("alerting.left_out." + string(why)), counts[why]})
		}
	}
	return s
}

// mendable tells whether the directory can be corrected so that this person is
// reached next time. Those absent, at rest or protected are nobody's fault: no name.
func mendable(p alerting.ReportPerson) bool {
	switch p.LeftOut {
	case "", alerting.LeftNoAddress, alerting.LeftRefused, alerting.LeftStopped:
		return true
	}
	return false
}

// unreachable names the people whom no message reached.
func (w *writer) unreachable() section {
	s := section{title: w.loc.T("alerting.report.unreachable"), lead: w.loc.T("alerting.report.unreachable.none")}
	for _, p := range w.r.Unreached {
		if mendable(p) {
			s.rows = append(s.rows, []any{p.LastName, p.FirstName, w.named(p.ServiceName), w.named(p.SiteName), w.why(p)})
		}
	}
	if len(s.rows) == 0 {
		return s
	}
	s.lead = w.loc.N("alerting.report.unreachable.lead", len(s.rows))
	s.columns = []column{
		{w.loc.T("alerting.report.col.last_name"), words},
		{w.loc.T("alerting.report.col.first_name"), words},
		{w.loc.T("alerting.report.col.service"), words},
		{w.loc.T("alerting.report.col.site"), words},
		{w.loc.T("alerting.report.col.reason"), words},
	}
	return s
}

// why says what stands between us and a person.
func (w *writer) why(p alerting.ReportPerson) string {
	switch {
	case p.LeftOut != "":
		return w.loc.T("alerting.left_out." + string(p.LeftOut))
	case p.Reason != "":
		return w.reason(string(p.Reason))
	case p.State == alerting.Exhausted:
		return w.loc.T("alerting.state." + string(p.State))
	}
	return w.loc.T("alerting.report.no_receipt")
}

func (w *writer) timeline() section {
	s := section{title: w.loc.T("alerting.report.timeline"), columns: []column{
		{w.loc.T("alerting.report.col.at"), instant}, {w.loc.T("alerting.report.col.since"), length}, {w.loc.T("alerting.report.col.event"), words},
	}}
	for _, e := range w.r.Timeline {
		s.rows = append(s.rows, []any{e.At, w.since(e.At), w.event(e)})
	}
	return s
}

// event is the sentence of an event. What a person left empty shows as a dash.
func (w *writer) event(e alerting.Event) string {
	by, text := e.By, e.Text
	if by == "" {
		by = w.loc.T("alerting.report.nobody")
	}
	if text == "" && e.Kind == alerting.EventLaunched {
		text = w.loc.T("alerting.report.nobody")
	}
	return w.loc.T("alerting.event."+string(e.Kind), "by", by, "wave", e.Wave, "people", w.loc.Int(e.People), "text", text)
}

// deed is one kind of act of one person.
type deed struct {
	by          string
	kind        alerting.EventKind
	times       int
	first, last time.Time
}

// deeds tell who did what: one line for each person and kind of act.
func (w *writer) deeds() section {
	s := section{title: w.loc.T("alerting.report.deeds"), columns: []column{
		{w.loc.T("alerting.report.col.who"), words},
		{w.loc.T("alerting.report.col.act"), words},
		{w.loc.T("alerting.report.col.times"), count},
		{w.loc.T("alerting.report.col.first"), instant},
		{w.loc.T("alerting.report.col.last"), instant},
	}}
	var list []*deed
	for _, e := range w.r.Timeline {
		if e.By == "" {
			continue
		}
		at := slices.IndexFunc(list, func(d *deed) bool { return d.by == e.By && d.kind == e.Kind })
		if at < 0 {
			list = append(list, &deed{by: e.By, kind: e.Kind, first: e.At})
			at = len(list) - 1
		}
		list[at].times++
		list[at].last = e.At
	}
	slices.SortStableFunc(list, func(a, b *deed) int { return cmp.Compare(storage.Fold(a.by), storage.Fold(b.by)) })
	for _, d := range list {
		s.rows = append(s.rows, []any{d.by, w.loc.T("alerting.report.act." + string(d.kind)), d.times, d.first, d.last})
	}
	return s
}
