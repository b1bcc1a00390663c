package pages

import (
	"math"
	"slices"
	"strings"
	"time"

	"tocsin/internal/document/chart"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

// shown is how many lines of a table a page or a document gives.
const shown = 100

// told is an answer in words, in one language and one zone.
type told struct {
	reply traces.Reply
	names named
	// silent are the sources that said nothing over the period.
	silent []traces.Source
	loc    *i18n.Localizer
	zone   *time.Location
	// hunt is the free search that was asked; nil for a phrase.
	hunt *traces.Hunt
	// files is where the answer is asked again for a file, with the same period
	// unless again says that the period is told anew.
	files string
	again bool
	// request is the number of the request for audit it was asked under.
	request string
	// event is the address of an event; nil when whoever reads may not open them.
	event func(ref string) string
}

func tell(loc *i18n.Localizer, zone *time.Location, r traces.Reply, sources []traces.Source) *told {
	return &told{reply: r, names: namesOf(sources), silent: silent(sources, r.When), loc: loc, zone: zone, event: eventAddress, files: questionPath + r.Phrase.Key + "/fichier"}
}

// sentence is the question as it was put.
func (a *told) sentence() string {
	if a.hunt != nil {
		return a.loc.T("traces.phrase.sentence.free", "what", huntWords(a.loc, a.names, *a.hunt), "period", periodWord(a.loc, a.reply.When, a.zone))
	}
	return said(a.loc, a.reply.Phrase, a.reply.Filling, periodWord(a.loc, a.reply.When, a.zone))
}

// none tells that nothing was found.
func (a *told) none() bool { return len(a.reply.Table.Groups) == 0 }

// words are one to four sentences, each of them true.
func (a *told) words() []string {
	if a.reply.Phrase.Circle != "" && a.reply.Circle == 0 {
		return []string{a.loc.T("traces.answer.circle." + a.reply.Phrase.Key)}
	}
	if a.none() {
		return []string{a.loc.T("traces.answer.none." + a.reply.Phrase.Key)}
	}
	out := []string{a.head()}
	if first, last := a.reply.Bounds(); first > 0 {
		if first == last {
			out = append(out, a.loc.T("traces.answer.once", "at", a.at(first)))
		} else {
			out = append(out, a.loc.T("traces.answer.bounds", "first", a.at(first), "last", a.at(last)))
		}
	}
	if most := a.most(); most != "" {
		out = append(out, most)
	}
	if n := a.far(); n > 0 {
		out = append(out, a.loc.N("traces.answer.far", n))
	}
	if n := a.reply.Nameless; n > 0 && a.reply.Subjects.Total > 0 {
		out = append(out, a.loc.N("traces.answer.nameless."+string(a.reply.Phrase.Counted()), int(n)))
	}
	return out
}

// head is how many did it, how many times.
func (a *told) head() string {
	ph := a.reply.Phrase
	subjects := int(a.reply.Subjects.Total)
	if ph.Least > 0 {
		subjects = a.accounts()
	}
	times := a.loc.N("traces.answer.times", int(a.reply.Events.Total))
	if subjects == 0 {
		return a.loc.T("traces.answer.unnamed."+string(ph.Counted()), "times", times)
	}
	args := []any{"times", times}
	for _, b := range ph.Blanks {
		v := a.reply.Filling[b.Name]
		if b.Kind == traces.BlankChoice {
			v = choiceWord(a.loc, ph, v)
		}
		args = append(args, b.Name, v)
	}
	return a.loc.N("traces.answer.head."+ph.Key, subjects, args...)
}

// accounts counts the accounts of the table, whose lines may repeat them.
func (a *told) accounts() int {
	at := slices.Index(a.reply.Phrase.Group, traces.FieldAccount)
	seen := map[string]bool{}
	for _, g := range a.reply.Table.Groups {
		if at >= 0 {
			seen[g.Keys[at]] = true
		}
	}
	return len(seen)
}

// most says who stands first, when there are several to choose from.
func (a *told) most() string {
	r := a.reply
	switch {
	case r.Phrase.Distinct != "" && len(r.Table.Groups) > 1:
		top := r.Table.Groups[0]
		return a.loc.N("traces.answer.most."+r.Phrase.Key, int(top.Count), "who", a.who(top))
	case r.Phrase.Distinct == "" && r.Subjects.Total > 1 && len(r.Subjects.Groups) > 0:
		top := r.Subjects.Groups[0]
		return a.loc.N("traces.answer.most.events", int(top.Count), "who", a.nameOf(top.Keys[0]))
	}
	return ""
}

// who names a line of the table: the person beside the account when known.
func (a *told) who(g traces.Group) string {
	for i, f := range a.reply.Phrase.Group {
		if f == traces.FieldAccount && g.Keys[i] != "" {
			return a.nameOf(g.Keys[i])
		}
	}
	return valueWord(a.loc, a.names, a.reply.Phrase.Group[0], g.Keys[0])
}

// nameOf adds to a subject the name of the person, when the table gives one.
func (a *told) nameOf(subject string) string {
	group := a.reply.Phrase.Group
	account, person := slices.Index(group, traces.FieldAccount), slices.Index(group, traces.FieldPerson)
	if account < 0 || person < 0 {
		return subject
	}
	for _, g := range a.reply.Table.Groups {
		if g.Keys[account] == subject && g.Keys[person] != "" {
			return a.loc.T("traces.answer.person", "person", g.Keys[person], "account", subject)
		}
	}
	return subject
}

func (a *told) far() (n int) {
	for _, p := range a.reply.Peers {
		if p.Far {
			n++
		}
	}
	return n
}

// cuts is how many lines there are in all, and whether some are not given.
func (a *told) cuts(given int) (total int, more bool) {
	total = max(int(a.reply.Table.Total), len(a.reply.Table.Groups))
	return total, total > given || a.reply.Table.More
}

// lines are the first lines of the table.
func (a *told) lines() []traces.Group {
	return a.reply.Table.Groups[:min(len(a.reply.Table.Groups), shown)]
}

// latestShown is how many events an answer lists: the free search has them all.
const latestShown = 20

// latest are the last events.
func (a *told) latest() []traces.Stored {
	return a.reply.Events.Events[:min(len(a.reply.Events.Events), latestShown)]
}

// counted is the title of the column of figures.
func (a *told) counted() string {
	if d := a.reply.Phrase.Distinct; d != "" {
		return a.loc.T("traces.answer.distinct." + string(d))
	}
	return a.loc.T("traces.answer.events")
}

// peer says how a line stands among those of its function.
func (a *told) peer(i int) string {
	if i >= len(a.reply.Peers) {
		return ""
	}
	p := a.reply.Peers[i]
	switch {
	case p.Of < 5 || p.Median == 0:
		return a.loc.T("traces.answer.peer.few")
	case a.reply.Table.Groups[i].Count < 2*p.Median:
		return a.loc.T("traces.answer.peer.near", "median", a.loc.Int(int(p.Median)))
	}
	times := a.loc.Decimal(float64(a.reply.Table.Groups[i].Count)/float64(p.Median), 1)
	return a.loc.T("traces.answer.peer.times", "times", times, "median", a.loc.Int(int(p.Median)))
}

// at is an instant in a sentence.
func (a *told) at(us int64) string { return a.loc.DateTime(storage.Time(us), a.zone) }

// curve draws how many a day, or an hour.
func (a *told) curve() chart.Chart { return bars(a.loc, a.reply.Curve.Groups) }

const (
	// barLabels bounds the words under the bars of a chart.
	barLabels = 12
	// manyHours is from how many on days are named instead.
	manyHours = 49
)

// bars draws counts over days or hours, silent ones included.
func bars(loc *i18n.Localizer, groups []traces.Group) chart.Chart {
	out := chart.Chart{
		Kind: chart.Bars, Title: loc.T("traces.answer.curve.day"), YLabel: loc.T("traces.answer.events"),
		Number: func(v float64) string {
			if v != math.Trunc(v) { // events are whole: a line between two says nothing
				return ""
			}
			return loc.Decimal(v, 0)
		},
	}
	all := filled(groups)
	if len(all) > 0 && len(all[0].Keys[0]) > len(time.DateOnly) {
		out.Title = loc.T("traces.answer.curve.hour")
	}
	every := (len(all) + barLabels - 1) / barLabels
	s := chart.Series{Name: loc.T("traces.answer.events")}
	top := 0
	for i, g := range all {
		word := ""
		switch hour, hourly := strings.CutPrefix(g.Keys[0][min(len(time.DateOnly), len(g.Keys[0])):], "T"); {
		case hourly && len(all) > manyHours && hour == "00":
			word = shortBin(loc, g.Keys[0][:len(time.DateOnly)])
		case hourly && len(all) > manyHours:
		case i%max(every, 1) == 0:
			word = shortBin(loc, g.Keys[0])
		}
		out.Categories = append(out.Categories, word)
		s.Points = append(s.Points, chart.Point{X: float64(i), Y: float64(g.Count)})
		if g.Count > all[top].Count {
			top = i
		}
	}
	if len(all) > 0 {
		out.Description = loc.T("traces.answer.curve.words", "first", binWord(loc, all[0].Keys[0]), "last", binWord(loc, all[len(all)-1].Keys[0]),
			"top", loc.Int(int(all[top].Count)), "when", binWord(loc, all[top].Keys[0]))
	}
	out.Series = []chart.Series{s}
	return out
}

// shortBin is a day or an hour under a bar: 22/11, 14 h.
func shortBin(loc *i18n.Localizer, bin string) string {
	if len(bin) > len(time.DateOnly) {
		return loc.T("traces.page.hour", "hour", bin[len(bin)-2:])
	}
	if len(bin) == len(time.DateOnly) {
		return bin[8:] + "/" + bin[5:7]
	}
	return bin
}

// filledMost bounds the bars of a drawing.
const filledMost = 400

// filled adds the days or hours in which nothing happened, between the first
// and the last.
func filled(groups []traces.Group) []traces.Group {
	if len(groups) == 0 {
		return nil
	}
	layout, step := time.DateOnly, 24*time.Hour
	if len(groups[0].Keys[0]) > len(layout) {
		layout, step = "2006-01-02T15", time.Hour
	}
	at, err := time.Parse(layout, groups[0].Keys[0])
	if err != nil {
		return groups
	}
	var out []traces.Group
	for _, g := range groups {
		for key := at.Format(layout); key < g.Keys[0] && len(out) < filledMost; key = at.Format(layout) {
			out = append(out, traces.Group{Keys: []string{key}})
			at = at.Add(step)
		}
		out = append(out, g)
		at = at.Add(step)
	}
	return out
}

// doing says an event in a few words: what was done, on what.
func doing(c *ui.Context, e traces.Event) string {
	word := c.Loc.T("traces.action." + e.Action.String())
	if e.Action == traces.Unsaid && e.Verb != "" {
		word = e.Verb
	}
	for _, what := range []string{e.Object, e.Document, e.Device, e.Parameter} {
		if what != "" {
			return word + " · " + valueWord(c.Loc, nil, traces.FieldObject, what)
		}
	}
	return word
}

func who(c *ui.Context, e traces.Event) string {
	switch {
	case e.Person != "" && e.Account != "" && e.Collector != traces.OwnFormat:
		return c.Loc.T("traces.answer.person", "person", e.Person, "account", e.Account)
	case e.Person != "":
		return e.Person
	case e.Account != "":
		return e.Account
	}
	return c.Loc.T("traces.page.unsaid")
}

func patientWord(e traces.Event) string {
	switch {
	case e.IPP != "":
		return e.IPP
	case e.INS != "":
		return e.INS
	}
	return e.PatientName
}

// spokenBy is the application of an event, or the source that told of it.
func spokenBy(c *ui.Context, names named, e traces.Event) string {
	switch {
	case e.Application != "":
		return e.Application
	case names[e.Source.String()] != "":
		return names[e.Source.String()]
	}
	return formatWord(c.Loc, e.Collector)
}
