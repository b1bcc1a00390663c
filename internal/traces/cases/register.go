package cases

import (
	"context"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
)

// Entry is the draft of the entry of the register of processing (art. 30 of the
// GDPR) for the detection of behaviour, made from what is really set. It is a
// draft: the controller reads, completes and signs.
type Entry struct {
	Title    string
	Sections []Section
	// Missing tells what nobody has set yet.
	Missing []string
}

// Section is one heading of the register.
type Section struct {
	Title string
	Lines []string
}

// Facts are what the draft needs of other rooms.
type Facts struct {
	Establishment string
	// Sources are the names of what speaks, Durations the months each class of
	// traces is kept, by the words of the class; zero for without end.
	Sources   []string
	Durations []DurationFact
	// Rules are the titles of the rules of behaviour in service, Systems how many
	// rules of system logs serve.
	Rules   []string
	Systems int
}

// DurationFact is how long a class of traces is kept.
type DurationFact struct {
	Class  string
	Months int
}

// Register drafts the entry. Needs access.TracesCases.
func (s *Service) Register(ctx context.Context, scope access.Scope, loc *i18n.Localizer, zone *time.Location, f Facts) (Entry, error) {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return Entry{}, err
	}
	var g Gate
	var set map[Kind]Settings
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		if g, err = readGate(ctx, tx, scope); err != nil {
			return err
		}
		set, err = readSettings(ctx, tx, scope.Organisation())
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Title: loc.T("traces.register.title")}
	e.add(loc, "controller", loc.T("traces.register.controller.text", "name", f.Establishment))
	e.add(loc, "state", stateLines(loc, zone, g)...)
	e.add(loc, "purpose", loc.T("traces.register.purpose.text"), loc.T("traces.register.purpose.not"))
	e.add(loc, "basis", loc.T("traces.register.basis.text"), loc.T("traces.register.basis.health"))
	e.add(loc, "people", loc.T("traces.register.people.staff"), loc.T("traces.register.people.patients"))
	e.add(loc, "data", append([]string{loc.T("traces.register.data.text")}, sourceLines(loc, f)...)...)
	e.add(loc, "rules", ruleLines(loc, f)...)
	e.add(loc, "recipients", loc.T("traces.register.recipients.dpo"), loc.T("traces.register.recipients.rssi"), loc.T("traces.register.recipients.none"))
	e.add(loc, "duration", durationLines(loc, f, set)...)
	e.add(loc, "security", loc.T("traces.register.security.access"), loc.T("traces.register.security.looks"), loc.T("traces.register.security.place"))
	e.add(loc, "rights", loc.T("traces.register.rights.text"), loc.T("traces.register.rights.human"))
	e.Missing = missing(loc, g, f)
	return e, nil
}

// add puts a section with its title.
func (e *Entry) add(loc *i18n.Localizer, name string, lines ...string) {
	e.Sections = append(e.Sections, Section{Title: loc.T("traces.register.section." + name), Lines: lines})
}

func stateLines(loc *i18n.Localizer, zone *time.Location, g Gate) []string {
	out := []string{loc.T("traces.register.state.off")}
	if g.InService {
		out = []string{loc.T("traces.register.state.on", "since", loc.Date(g.Switched, zone), "by", g.SwitchedBy, "why", g.Why)}
	}
	if a := g.Assessment; a.Done() {
		out = append(out, loc.T("traces.register.state.assessment", "day", spoken(loc, a.Day), "author", a.Author, "advice", a.Advice, "document", a.Document))
	}
	if c := g.Consultation; c.Done() {
		out = append(out, loc.T("traces.register.state.staff", "body", c.Body, "day", spoken(loc, c.Day), "opinion", c.Opinion))
	}
	if n := g.Notice; n.Done() {
		out = append(out, loc.T("traces.register.state.notice", "day", spoken(loc, n.Day), "how", n.How))
	}
	return out
}

// spoken is a day on record, in words.
func spoken(loc *i18n.Localizer, day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return loc.Date(t, time.UTC)
}

func sourceLines(loc *i18n.Localizer, f Facts) []string {
	if len(f.Sources) == 0 {
		return []string{loc.T("traces.register.data.none")}
	}
	var out []string
	for _, name := range f.Sources {
		out = append(out, loc.T("traces.register.data.source", "name", name))
	}
	return out
}

func ruleLines(loc *i18n.Localizer, f Facts) []string {
	out := []string{loc.T("traces.register.rules.text")}
	for _, title := range f.Rules {
		out = append(out, loc.T("traces.register.rules.one", "title", title))
	}
	return append(out, loc.N("traces.register.rules.systems", f.Systems))
}

func durationLines(loc *i18n.Localizer, f Facts, set map[Kind]Settings) []string {
	var out []string
	for _, d := range f.Durations {
		if d.Months == 0 {
			out = append(out, loc.T("traces.register.duration.open", "class", d.Class))
			continue
		}
		out = append(out, loc.N("traces.register.duration.class", d.Months, "class", d.Class))
	}
	return append(out, loc.N("traces.register.duration.cases", set[Patient].KeepMonths))
}

func missing(loc *i18n.Localizer, g Gate, f Facts) (out []string) {
	for _, m := range []struct {
		is  bool
		key string
	}{
		{!g.Assessment.Done(), "traces.register.missing.assessment"},
		{!g.Consultation.Done(), "traces.register.missing.staff"},
		{!g.Notice.Done(), "traces.register.missing.notice"},
		{len(f.Sources) == 0, "traces.register.missing.sources"},
	} {
		if m.is {
			out = append(out, loc.T(m.key))
		}
	}
	for _, d := range f.Durations {
		if d.Months == 0 {
			out = append(out, loc.T("traces.register.missing.duration", "class", d.Class))
		}
	}
	return out
}
