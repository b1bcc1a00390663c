package pages

import (
	"slices"
	"strconv"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/ui"
)

// picker is what the boxes of a rule offer.
type picker struct {
	Metiers, Qualifications, Services, Sites, Groups, OnCall []ui.Choice
}

// picker reads what this establishment chooses people by.
func (p scenarioPages) picker(c *ui.Context) (picker, error) {
	var out picker
	metiers, err := p.dir.Metiers(c.Ctx(), c.Scope, lang(c))
	if err != nil {
		return out, err
	}
	for _, m := range metiers {
		out.Metiers = append(out.Metiers, ui.Choice{Value: m.Code, Label: m.Name, Hint: c.Loc.N("alerting.page.people", m.People)})
	}
	for _, m := range p.dir.Reference().Metiers() {
		out.Qualifications = append(out.Qualifications, ui.Choice{Value: m.Code, Label: p.skill(c, m.Code)})
	}
	services, err := p.dir.Services(c.Ctx(), c.Scope)
	if err != nil {
		return out, err
	}
	for _, s := range services {
		out.Services = append(out.Services, ui.Choice{Value: s.ID.String(), Label: place(s.Name, s.Site), Hint: c.Loc.N("alerting.page.people", s.People)})
	}
	sites, err := p.dir.Sites(c.Ctx(), c.Scope)
	if err != nil {
		return out, err
	}
	for _, s := range sites {
		out.Sites = append(out.Sites, ui.Choice{Value: s.ID.String(), Label: s.Name, Hint: c.Loc.N("alerting.page.people", s.People)})
	}
	groups, err := p.dir.Groups(c.Ctx(), c.Scope)
	if err != nil {
		return out, err
	}
	for _, g := range groups {
		out.Groups = append(out.Groups, ui.Choice{Value: g.ID.String(), Label: g.Name, Hint: g.Purpose})
	}
	functions, err := p.dir.OnCallNames(c.Ctx(), c.Scope)
	for _, f := range functions {
		out.OnCall = append(out.OnCall, ui.Choice{Value: f.ID.String(), Label: f.Name})
	}
	return out, err
}

// pickerPart is one list of boxes.
type pickerPart struct {
	Field, Label string
	Choices      []ui.Choice
	Chosen       int
}

// parts are the lists of a rule. What was chosen and is not offered any more
// stays in the list: a box that vanished would change the rule in silence.
func (e *editor) parts(c *ui.Context, name string) []pickerPart {
	var out []pickerPart
	for _, part := range []struct {
		field, label string
		offered      []ui.Choice
		code         bool
	}{
		{"groups", c.Loc.T("alerting.page.crowd.groups"), e.Choices.Groups, false},
		{"on_call", c.Loc.T("alerting.scenario.rule.on_call"), e.Choices.OnCall, false},
		{"on_call_levels", c.Loc.T("alerting.scenario.rule.on_call_levels"), e.levels(c), false},
		{"metiers", c.Loc.T("alerting.page.crowd.metiers"), e.Choices.Metiers, true},
		{"qualifications", c.Loc.T("alerting.scenario.rule.qualifications"), e.Choices.Qualifications, true},
		{"services", c.Loc.T("alerting.page.crowd.services"), e.Choices.Services, false},
		{"sites", c.Loc.T("alerting.page.crowd.sites"), e.Choices.Sites, false},
	} {
		choices := slices.Clone(part.offered)
		chosen := e.Form.List(name + "." + part.field)
		for _, value := range chosen {
			if slices.ContainsFunc(choices, func(ch ui.Choice) bool { return ch.Value == value }) {
				continue
			}
			label := c.Loc.T("alerting.scenario.rule.gone")
			if part.code {
				label = e.skill(c, value)
			}
			choices = append(choices, ui.Choice{Value: value, Label: label})
		}
		if len(choices) > 0 {
			out = append(out, pickerPart{Field: name + "." + part.field, Label: part.label, Choices: choices, Chosen: len(chosen)})
		}
	}
	return out
}

// levels are those of the chain of an on-call function; none when there is no function.
func (e *editor) levels(c *ui.Context) (out []ui.Choice) {
	for n := 1; n <= directory.OnCallLevelsMost && len(e.Choices.OnCall) > 0; n++ {
		out = append(out, ui.Choice{Value: strconv.Itoa(n), Label: levelWord(c, n)})
	}
	return out
}

// levelWord names a level of the chain of an on-call function.
func levelWord(c *ui.Context, n int) string {
	if n == 1 {
		return c.Loc.T("alerting.scenario.on_call.holder")
	}
	return c.Loc.T("alerting.scenario.on_call.level", "n", n)
}

// chosenWords are the words of what a rule has ticked.
func (e *editor) chosenWords(c *ui.Context, name string) []string {
	var out []string
	for _, part := range e.parts(c, name) {
		out = append(out, labels(e.Form, part.Field, part.Choices)...)
	}
	if d := directory.Duty(e.Form.Value(name + ".duty")); d != directory.UnknownDuty {
		out = append(out, dutyWord(c, d))
	}
	return out
}

// dutyChoices are what a rule may ask of the plannings.
func dutyChoices(c *ui.Context) []ui.Choice {
	return choicesFor([]directory.Duty{directory.UnknownDuty, directory.OnDuty, directory.OffDuty}, func(d directory.Duty) string { return dutyWord(c, d) })
}

// dutyWord says whom a rule keeps by the planning of the instant.
func dutyWord(c *ui.Context, d directory.Duty) string {
	if d == directory.UnknownDuty {
		return c.Loc.T("alerting.scenario.duty.any")
	}
	return c.Loc.T("alerting.scenario.duty." + string(d))
}

// kept are the parts of a rule that have no boxes here: they travel hidden.
func kept(name string) []string {
	return []string{name + ".statuses", name + ".people", name + ".absent"}
}

// rules are those of the section, by the name of their fields.
func (e *editor) rules() map[string]directory.Rule {
	out := map[string]directory.Rule{}
	switch e.Section {
	case sectionAudience:
		out["audience.include"] = e.Def.Audience.Include
		if !e.Def.Audience.Exclude.Empty() {
			out["audience.exclude"] = e.Def.Audience.Exclude
		}
	case sectionWaves:
		for i, w := range e.Def.Waves {
			if !w.Who.Empty() {
				out[rowField("waves", i, "who")] = w.Who
			}
		}
	}
	return out
}

// screenPlaces are the sites and services whose screens an alert can be shown on.
func (e *editor) screenPlaces() (out []ui.Choice) {
	for _, p := range slices.Concat(e.Choices.Sites, e.Choices.Services) {
		out = append(out, ui.Choice{Value: p.Value, Label: p.Label})
	}
	return out
}

// mediaOrders are the ways to go from one medium to the next. A pager comes first or
// last, with one or two others, and a chat before them or after one: all their places
// would make a list that nobody reads.
func mediaOrders(c *ui.Context) []ui.Choice {
	others := slices.DeleteFunc(alerting.Media(), func(m channels.Medium) bool { return m == channels.Pager || m == channels.Chat })
	ends := [][]channels.Medium{{channels.Chat}, {channels.Pager}}
	var all [][]channels.Medium
	for length := range min(ordersMost, len(others)) {
		for _, order := range orders(others, length+1) {
			all = append(all, order)
			if len(order) < ordersMost {
				ends = append(ends, append([]channels.Medium{channels.Chat}, order...), append([]channels.Medium{channels.Pager}, order...), append(slices.Clone(order), channels.Pager))
			}
			if len(order) == 1 {
				ends = append(ends, append(slices.Clone(order), channels.Chat))
			}
		}
	}
	var out []ui.Choice
	for _, order := range append(all, ends...) {
		out = append(out, ui.Choice{Value: joinMedia(order), Label: mediaWords(c, alerting.Wave{Media: order})})
	}
	return out
}

// ordersMost is how many media a list proposes one after the other: with more, a
// list would have a thousand lines.
const ordersMost = 3

// orders are the ways to take n of the media one after the other.
func orders(media []channels.Medium, n int) [][]channels.Medium {
	if n == 0 {
		return [][]channels.Medium{nil}
	}
	var out [][]channels.Medium
	for i, first := range media {
		for _, rest := range orders(slices.Concat(media[:i], media[i+1:]), n-1) {
			out = append(out, append([]channels.Medium{first}, rest...))
		}
	}
	return out
}

// choicesFor gives the choices of a list of codes, each with its words.
func choicesFor[T ~string](codes []T, word func(T) string) []ui.Choice {
	var out []ui.Choice
	for _, code := range codes {
		out = append(out, ui.Choice{Value: string(code), Label: word(code)})
	}
	return out
}

// skillChoices are the skills a quota can ask for, "everyone" first.
func (e *editor) skillChoices(c *ui.Context, row int) []ui.Choice {
	chosen := e.Form.Value(rowField("quotas", row, "skill"))
	return e.among(append([]ui.Choice{{Value: "", Label: e.skill(c, "")}}, e.Choices.Qualifications...), chosen, e.skill(c, chosen))
}

func (e *editor) siteChoices(c *ui.Context, row int) []ui.Choice {
	out := []ui.Choice{{Value: "", Label: c.Loc.T("alerting.scenario.quota.every_site")}}
	for _, s := range e.Choices.Sites {
		out = append(out, ui.Choice{Value: s.Value, Label: s.Label})
	}
	return e.among(out, e.Form.Value(rowField("quotas", row, "site")), c.Loc.T("alerting.scenario.rule.gone"))
}

// among adds the value already chosen when the list no longer offers it.
func (e *editor) among(list []ui.Choice, chosen, label string) []ui.Choice {
	if slices.ContainsFunc(list, func(ch ui.Choice) bool { return ch.Value == chosen }) {
		return list
	}
	return append(list, ui.Choice{Value: chosen, Label: label})
}
