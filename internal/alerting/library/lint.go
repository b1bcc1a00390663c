package library

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
)

// Problem is a gap in a scenario.
type Problem struct {
	// Field is the path of what is wrong: "messages.alert.sms.fr", "quotas.2".
	Field string
	// Rule names what was broken: "sms_letters", or a key of alerting.Check.
	Rule string
	// Detail is what was found, for the person who corrects it.
	Detail string
}

// String is "field: rule (detail)".
func (p Problem) String() string {
	if p.Detail == "" {
		return p.Field + ": " + p.Rule
	}
	return p.Field + ": " + p.Rule + " (" + p.Detail + ")"
}

// Lint lists every gap of a definition, beyond what alerting.Check refuses: a
// scenario may be launched with some of them, but the library ships with none.
func Lint(def alerting.Definition) []Problem {
	l := linter{def: def}
	for _, err := range def.Check() {
		var f *fault.Error
		if errors.As(err, &f) {
			l.add(f.Field, f.Key, "")
		} else {
			l.add("", "check", err.Error())
		}
	}
	l.words()
	l.messages()
	l.answers()
	l.people()
	l.quotas()
	l.duties()
	l.limits()
	if def.Profile == alerting.Discret {
		l.discret()
	}
	return l.found
}

type linter struct {
	def   alerting.Definition
	found []Problem
}

func (l *linter) add(field, rule, detail string) {
	l.found = append(l.found, Problem{field, rule, detail})
}

func languages() []string { return []string{"fr", "en"} }

// both asks for a text in each language.
func (l *linter) both(field string, t alerting.Localized) {
	for _, lang := range languages() {
		if strings.TrimSpace(t[lang]) == "" {
			l.add(field+"."+lang, "text_missing", "")
		}
	}
}

// words asks for what is read outside messages.
func (l *linter) words() {
	l.both("title", l.def.Title)
	l.both("purpose", l.def.Purpose)
	l.both("where_to_go", l.def.WhereToGo)
	l.both("what_to_bring", l.def.WhatToBring)
	l.both("authority.functions", l.def.Authority.Functions)
	if l.def.Audience.IgnoreRest {
		l.both("audience.rest_reason", l.def.Audience.RestReason)
	}
	for i, v := range l.def.Variables {
		at := "variables." + strconv.Itoa(i)
		l.both(at+".label", v.Label)
		l.both(at+".help", v.Help)
		if !v.Required {
			l.both(at+".default", v.Default)
		}
		for j, c := range v.Choices {
			l.both(at+".choices."+strconv.Itoa(j), c)
		}
	}
}

// answers asks for the options the profile needs, in both languages.
func (l *linter) answers() {
	has := func(m alerting.Meaning) bool {
		return slices.ContainsFunc(l.def.Answers, func(o alerting.Option) bool { return o.Meaning == m })
	}
	wanted := []alerting.Meaning{alerting.OnSite, alerting.CallMe}
	if l.def.Profile == alerting.Rappel {
		wanted = alerting.Meanings()
	}
	for _, m := range wanted {
		if !has(m) {
			l.add("answers", "answer_missing", string(m))
		}
	}
	for i, o := range l.def.Answers {
		at := "answers." + strconv.Itoa(i)
		l.both(at+".label", o.Label)
		if o.Meaning == alerting.Coming && !slices.Equal(o.Delays, []int{15, 30, 60, 90}) {
			l.add(at+".delays", "delays", "15, 30, 60, 90")
		}
		if o.Meaning == alerting.Coming && l.def.Profile != alerting.Rappel {
			l.add(at, "answer_coming", "nobody is asked to come")
		}
	}
}

// people compares the audience, the waves and the list of métiers.
func (l *linter) people() {
	ref, err := directory.LoadReference()
	if err != nil {
		l.add("audience", "reference", err.Error())
		return
	}
	known := map[string]bool{}
	for _, m := range ref.Metiers() {
		known[m.Code] = true
	}
	codes := func(field string, r directory.Rule) {
		for _, c := range slices.Concat(r.Metiers, r.Qualifications) {
			if !known[c] {
				l.add(field, "metier_unknown", c)
			}
		}
		for _, s := range r.Statuses {
			if !slices.Contains(directory.Statuses(), s) {
				l.add(field, "status_unknown", s)
			}
		}
	}
	codes("audience.include", l.def.Audience.Include)
	codes("audience.exclude", l.def.Audience.Exclude)
	for i, w := range l.def.Waves {
		at := "waves." + strconv.Itoa(i)
		l.both(at+".name", w.Name)
		codes(at+".who", w.Who)
		for _, m := range []channels.Medium{channels.SMS, channels.Email} {
			if !slices.Contains(w.Media, m) {
				l.add(at+".media", "medium_missing", string(m))
			}
		}
		for _, c := range w.Who.Metiers {
			if !within(l.def.Audience.Include.Metiers, c) || slices.Contains(l.def.Audience.Exclude.Metiers, c) {
				l.add(at+".who", "wave_outside_audience", c)
			}
			if n := l.earlier(i, c); n >= 0 {
				l.add(at+".who", "wave_twice", c+" is in wave "+strconv.Itoa(n+1))
			}
		}
	}
	for _, c := range l.def.Audience.Include.Metiers {
		if !l.called(c) {
			l.add("audience.include", "audience_without_wave", c)
		}
	}
}

func within(list []string, code string) bool { return len(list) == 0 || slices.Contains(list, code) }

// earlier is the wave before i, of the same turn, that already calls a métier, or -1:
// a relief calls others of the same métier.
func (l *linter) earlier(i int, code string) int {
	return slices.IndexFunc(l.def.Waves[:i], func(w alerting.Wave) bool {
		return w.Relief == l.def.Waves[i].Relief && slices.Contains(w.Who.Metiers, code)
	})
}

// called tells whether a wave wants a métier or a qualification.
func (l *linter) called(code string) bool {
	return slices.ContainsFunc(l.def.Waves, func(w alerting.Wave) bool {
		return w.Who.Empty() || slices.Contains(w.Who.Metiers, code) || slices.Contains(w.Who.Qualifications, code)
	})
}

// quotas asks a rappel how many it needs, of people its waves do call.
func (l *linter) quotas() {
	if l.def.Profile == alerting.Rappel && len(l.def.Quotas) == 0 {
		l.add("quotas", "quota_missing", "")
	}
	if l.def.Profile != alerting.Rappel && len(l.def.Quotas) > 0 {
		l.add("quotas", "quota_out_of_place", "")
	}
	for i, q := range l.def.Quotas {
		at := "quotas." + strconv.Itoa(i)
		if q.Skill != "" && !l.called(q.Skill) {
			l.add(at+".skill", "quota_nobody_called", q.Skill)
		}
		if q.To == 0 {
			l.add(at+".to", "quota_without_slot", q.Skill)
		}
	}
}

func (l *linter) duties() {
	if len(l.def.Duties) == 0 {
		l.add("duties", "duty_missing", "")
	}
	for i, d := range l.def.Duties {
		at := "duties." + strconv.Itoa(i)
		l.both(at+".who", d.Who)
		l.both(at+".how", d.How)
	}
}

func (l *linter) limits() {
	lim := l.def.Limits
	rappel := l.def.Profile == alerting.Rappel
	switch {
	case lim.Validity == 0:
		l.add("limits.validity", "validity_missing", "")
	case lim.Validity.Std().Hours() > 6:
		l.add("limits.validity", "validity_long", lim.Validity.Std().String())
	}
	if rappel && !lim.StandDown {
		l.add("limits.stand_down", "stand_down_missing", "")
	}
	if rappel && lim.ArrivalGrace == 0 {
		l.add("limits.arrival_grace", "grace_missing", "")
	}
	if l.def.Profile == alerting.Diffusion && lim.RepeatEvery == 0 {
		l.add("limits.repeat_every", "repeat_missing", "")
	}
}
