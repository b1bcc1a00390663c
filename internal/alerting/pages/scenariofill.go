package pages

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/ui"
)

// languages are those a scenario is written in.
func languages() []string { return []string{"fr", "en"} }

// written are the media of the boxes of texts: SMS and e-mail, and the others once
// the scenario uses them or has words for them. Those that take the words of the
// SMS have a box only for words of their own.
func (e *editor) written() []channels.Medium {
	return slices.DeleteFunc(alerting.Media(), func(m channels.Medium) bool {
		if m == channels.SMS || m == channels.Email {
			return false
		}
		used := !alerting.Borrows(m) && slices.ContainsFunc(e.Def.Waves, func(w alerting.Wave) bool { return slices.Contains(w.Media, m) })
		return !used && !slices.ContainsFunc(e.Def.Messages, func(t alerting.Text) bool { return t.Medium == m })
	})
}

// fill puts what the scenario says in the fields of the section.
func (e *editor) fill(f *ui.Form) {
	d := e.Def
	switch e.Section {
	case sectionOverview:
		fillOverview(f, d)
	case sectionTexts:
		for _, t := range d.Messages {
			f.Set(textField(t), t.Body)
			f.Set(textField(t)+subjectSuffix, t.Subject)
		}
	case sectionQuestions:
		fillQuestions(f, d.Variables)
	case sectionAnswers:
		fillBool(f, "conference", d.Conference)
		fillAnswers(f, d.Answers)
	case sectionAudience:
		fillAudience(f, d.Audience)
	case sectionWaves:
		fillWaves(f, d.Waves)
	case sectionQuotas:
		fillQuotas(f, d.Quotas)
	case sectionAuthority:
		fillAuthority(f, d)
	case sectionLimits:
		fillLimits(f, d.Limits)
	case sectionOutside:
		fillPublication(f, d.Publication)
	}
}

func fillOverview(f *ui.Form, d alerting.Definition) {
	fillLocalized(f, "title", d.Title)
	fillLocalized(f, "purpose", d.Purpose)
	fillLocalized(f, "where_to_go", d.WhereToGo)
	fillLocalized(f, "what_to_bring", d.WhatToBring)
	f.Set("family", d.Family)
	f.Set("profile", string(d.Profile))
	fillBool(f, "life_safety", d.LifeSafety)
	fillBool(f, "screens.show", d.Screens.Show)
	var places []string
	for _, id := range d.Screens.Places {
		places = append(places, id.String())
	}
	f.SetList("screens.places", places)
	var rooms []string
	for _, id := range d.Rooms {
		rooms = append(rooms, id.String())
	}
	f.SetList("rooms", rooms)
	fillBool(f, "by_telephone", d.ByTelephone)
	fillBool(f, "reserved", d.Reserved)
}

func fillLocalized(f *ui.Form, name string, l alerting.Localized) {
	for _, language := range languages() {
		f.Set(name+"."+language, l[language])
	}
}

func fillBool(f *ui.Form, name string, yes bool) {
	if yes {
		f.Set(name, "oui")
	}
}

// fillMinutes writes a duration in minutes; zero is an empty field.
func fillMinutes(f *ui.Form, name string, d alerting.Duration) {
	if d != 0 {
		f.Set(name, strconv.FormatInt(int64(d.Std()/time.Minute), 10))
	}
}

func fillInt(f *ui.Form, name string, n int) {
	if n != 0 {
		f.Set(name, strconv.Itoa(n))
	}
}

func fillQuestions(f *ui.Form, list []alerting.Variable) {
	f.Set(rowsField("variables"), strconv.Itoa(len(list)))
	for i, v := range list {
		at := func(field string) string { return rowField("variables", i, field) }
		f.Set(at("name"), v.Name)
		f.Set(at("kind"), v.Kind)
		fillLocalized(f, at("label"), v.Label)
		fillLocalized(f, at("help"), v.Help)
		fillLocalized(f, at("default"), v.Default)
		fillBool(f, at("required"), v.Required)
		fillInt(f, at("max_length"), v.MaxLength)
		for _, language := range languages() {
			var lines []string
			for _, choice := range v.Choices {
				lines = append(lines, choice[language])
			}
			f.Set(at("choices."+language), strings.TrimSpace(strings.Join(lines, "\n")))
		}
	}
}

func fillAnswers(f *ui.Form, list []alerting.Option) {
	f.Set(rowsField("answers"), strconv.Itoa(len(list)))
	for i, o := range list {
		at := func(field string) string { return rowField("answers", i, field) }
		f.Set(at("key"), o.Key)
		f.Set(at("meaning"), string(o.Meaning))
		fillLocalized(f, at("label"), o.Label)
		f.Set(at("delays"), numbers(o.Delays))
	}
}

func fillAudience(f *ui.Form, a alerting.Audience) {
	fillRule(f, "audience.include", a.Include)
	fillRule(f, "audience.exclude", a.Exclude)
	fillBool(f, "audience.ask_sites", a.AskSites)
	fillBool(f, "audience.ask_services", a.AskServices)
	fillBool(f, "audience.mass", a.Mass)
	fillBool(f, "audience.ignore_rest", a.IgnoreRest)
	fillLocalized(f, "audience.rest_reason", a.RestReason)
}

func fillRule(f *ui.Form, name string, r directory.Rule) {
	texts := func(list []uuid.UUID) []string {
		var out []string
		for _, id := range list {
			out = append(out, id.String())
		}
		return out
	}
	var levels []string
	for _, n := range r.OnCallLevels {
		levels = append(levels, strconv.Itoa(n))
	}
	for part, list := range map[string][]string{
		"metiers": r.Metiers, "qualifications": r.Qualifications, "statuses": r.Statuses,
		"services": texts(r.Services), "sites": texts(r.Sites), "groups": texts(r.Groups), "people": texts(r.People),
		"on_call": texts(r.OnCall), "on_call_levels": levels,
	} {
		f.SetList(name+"."+part, list)
	}
	fillBool(f, name+".absent", r.Absent)
	f.Set(name+".duty", string(r.Duty))
}

func fillWaves(f *ui.Form, list []alerting.Wave) {
	f.Set(rowsField("waves"), strconv.Itoa(len(list)))
	for i, w := range list {
		at := func(field string) string { return rowField("waves", i, field) }
		fillLocalized(f, at("name"), w.Name)
		fillRule(f, at("who"), w.Who)
		f.Set(at("after"), strconv.FormatInt(int64(w.After.Std()/time.Minute), 10))
		f.Set(at("when"), string(w.When))
		f.Set(at("use"), string(w.Use))
		f.Set(at("media"), joinMedia(w.Media))
		fillMinutes(f, at("escalate"), w.Escalate)
		fillMinutes(f, at("relief"), w.Relief)
		if w.Notice {
			f.Set(at("notice"), "oui")
		}
	}
}

// joinMedia writes an order of media as one value: "sms+email".
func joinMedia(list []channels.Medium) string {
	var out []string
	for _, m := range list {
		out = append(out, string(m))
	}
	return strings.Join(out, "+")
}

func fillQuotas(f *ui.Form, list []alerting.Quota) {
	f.Set(rowsField("quotas"), strconv.Itoa(len(list)))
	for i, q := range list {
		at := func(field string) string { return rowField("quotas", i, field) }
		f.Set(at("skill"), q.Skill)
		if q.Site != uuid.Nil {
			f.Set(at("site"), q.Site.String())
		}
		f.Set(at("needed"), strconv.Itoa(q.Needed))
		fillMinutes(f, at("from"), q.From)
		fillMinutes(f, at("to"), q.To)
		if q.Show > 0 {
			f.Set(at("show"), strconv.Itoa(q.Show))
		}
	}
}

func fillAuthority(f *ui.Form, d alerting.Definition) {
	fillLocalized(f, "authority.functions", d.Authority.Functions)
	f.SetList("authority.roles", d.Authority.Roles)
	f.Set(rowsField("duties"), strconv.Itoa(len(d.Duties)))
	for i, duty := range d.Duties {
		at := func(field string) string { return rowField("duties", i, field) }
		fillLocalized(f, at("who"), duty.Who)
		fillLocalized(f, at("how"), duty.How)
		fillMinutes(f, at("within"), duty.Within)
		fillBool(f, at("verify"), duty.Verify)
	}
}

func fillLimits(f *ui.Form, l alerting.Limits) {
	fillMinutes(f, "limits.validity", l.Validity)
	fillInt(f, "limits.per_person", l.PerPerson)
	fillInt(f, "limits.total", l.Total)
	fillMinutes(f, "limits.arrival_grace", l.ArrivalGrace)
	fillBool(f, "limits.stand_down", l.StandDown)
	fillBool(f, "limits.ask_again", l.AskAgain)
	fillMinutes(f, "limits.repeat_every", l.RepeatEvery)
	if l.Ceiling > 0 {
		f.SetCents("limits.ceiling", l.Ceiling)
	}
}

func fillPublication(f *ui.Form, p *alerting.Publication) {
	if p == nil {
		return
	}
	fillBool(f, "publication.on", p.On)
	for name, value := range map[string]string{"category": p.Category, "urgency": p.Urgency, "severity": p.Severity, "certainty": p.Certainty, "area": p.Area, "insee": p.INSEE} {
		f.Set("publication."+name, value)
	}
	fillLocalized(f, "publication.text", p.Text)
	fillLocalized(f, "publication.instruction", p.Instruction)
}
