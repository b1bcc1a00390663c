package pages

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/ui"
)

// week is the longest time a field of minutes takes.
const week = 7 * 24 * 60

// apply gives the scenario with what the section says; the other sections stay.
func (e *editor) apply(c *ui.Context, f *ui.Form, d alerting.Definition) alerting.Definition {
	switch e.Section {
	case sectionOverview:
		d.Title, d.Purpose = localizedOf(f, "title"), localizedOf(f, "purpose")
		d.WhereToGo, d.WhatToBring = localizedOf(f, "where_to_go"), localizedOf(f, "what_to_bring")
		d.Family, d.Profile, d.LifeSafety = f.Value("family"), alerting.Profile(f.Value("profile")), f.Checked("life_safety", "oui")
		d.Screens, d.Rooms = screensOf(f), e.roomsOf(f, d.Rooms)
		d.ByTelephone, d.Reserved = f.Checked("by_telephone", "oui"), f.Checked("reserved", "oui")
	case sectionTexts:
		d.Messages = textsOf(f, d.Messages, e.Use)
	case sectionQuestions:
		d.Variables = questionsOf(f)
	case sectionAnswers:
		d.Answers, d.Conference = answersOf(c, f), f.Checked("conference", "oui")
	case sectionAudience:
		d.Audience = audienceOf(f)
	case sectionWaves:
		d.Waves = wavesOf(f)
	case sectionQuotas:
		d.Quotas = quotasOf(f)
	case sectionAuthority:
		d.Authority.Functions, d.Authority.Roles = localizedOf(f, "authority.functions"), rolesOf(f)
		d.Duties = dutiesOf(f)
	case sectionLimits:
		d.Limits = alerting.Limits{
			Validity: minutesOf(f, "limits.validity"), PerPerson: f.Int("limits.per_person", 1, 50), Total: f.Int("limits.total", 0, 10_000_000),
			ArrivalGrace: minutesOf(f, "limits.arrival_grace"), StandDown: f.Checked("limits.stand_down", "oui"), AskAgain: f.Checked("limits.ask_again", "oui"), RepeatEvery: minutesOf(f, "limits.repeat_every"),
			Ceiling: f.Cents("limits.ceiling", alerting.CeilingMost),
		}
	case sectionOutside:
		d.Publication = publicationOf(f)
	}
	return d
}

// written is a posted text with the line ends of ours: browsers post \r\n.
func written(f *ui.Form, name string) string {
	return strings.ReplaceAll(f.Value(name), "\r\n", "\n")
}

// screensOf reads which screens show the alert; what is no place of ours was not offered.
func screensOf(f *ui.Form) alerting.Screens {
	out := alerting.Screens{Show: f.Checked("screens.show", "oui")}
	for _, text := range f.List("screens.places") {
		if id, err := uuid.Parse(text); err == nil && out.Show {
			out.Places = append(out.Places, id)
		}
	}
	return out
}

// roomsOf reads which rooms are told; one that was not offered stays as it was.
func (e *editor) roomsOf(f *ui.Form, before []uuid.UUID) (out []uuid.UUID) {
	offered := func(id uuid.UUID) bool {
		return slices.ContainsFunc(e.Rooms, func(r ui.Choice) bool { return r.Value == id.String() })
	}
	for _, id := range before {
		if !offered(id) {
			out = append(out, id)
		}
	}
	for _, text := range f.List("rooms") {
		if id, err := uuid.Parse(text); err == nil && offered(id) {
			out = append(out, id)
		}
	}
	return out
}

func localizedOf(f *ui.Form, name string) alerting.Localized {
	out := alerting.Localized{}
	for _, language := range languages() {
		if text := written(f, name+"."+language); text != "" {
			out[language] = text
		}
	}
	return out
}

// publicationOf is what is published; nil for a form left as it was.
func publicationOf(f *ui.Form) *alerting.Publication {
	p := alerting.Publication{
		On: f.Checked("publication.on", "oui"), Category: f.Value("publication.category"), Urgency: f.Value("publication.urgency"), Severity: f.Value("publication.severity"),
		Certainty: f.Value("publication.certainty"), Area: f.Value("publication.area"), INSEE: strings.ToUpper(f.Value("publication.insee")),
		Text: localizedOf(f, "publication.text"), Instruction: localizedOf(f, "publication.instruction"),
	}
	if !p.On && p.Area == "" && len(p.Text) == 0 && len(p.Instruction) == 0 {
		return nil
	}
	return &p
}

func minutesOf(f *ui.Form, name string) alerting.Duration {
	return alerting.Duration(time.Duration(f.Int(name, 0, week)) * time.Minute)
}

// textsOf changes the texts of one use, each in its place; an emptied one goes.
func textsOf(f *ui.Form, list []alerting.Text, use alerting.Use) []alerting.Text {
	out := slices.Clone(list)
	for _, m := range alerting.Media() {
		for _, language := range languages() {
			t := alerting.Text{Use: use, Medium: m, Language: language}
			t.Body = written(f, textField(t))
			if m == channels.Email {
				t.Subject = f.Value(textField(t) + subjectSuffix)
			}
			at := slices.IndexFunc(out, func(o alerting.Text) bool { return o.Use == use && o.Medium == m && o.Language == language })
			switch empty := t.Body == "" && t.Subject == ""; {
			case at >= 0 && empty:
				out = slices.Delete(out, at, at+1)
			case at >= 0:
				if out[at].Body == t.Body { // words that were changed are no longer those of the recording
					t.Recording = out[at].Recording
				}
				out[at] = t
			case !empty:
				out = append(out, t)
			}
		}
	}
	return out
}

// rowsOf reads each line of a list.
func rowsOf[T any](f *ui.Form, list string, read func(at func(string) string) T) []T {
	var out []T
	for i := range rowCount(f.Value(rowsField(list))) {
		out = append(out, read(func(field string) string { return rowField(list, i, field) }))
	}
	return out
}

func questionsOf(f *ui.Form) []alerting.Variable {
	return rowsOf(f, "variables", func(at func(string) string) alerting.Variable {
		v := alerting.Variable{
			Name: f.Value(at("name")), Kind: f.Value(at("kind")), Label: localizedOf(f, at("label")), Help: localizedOf(f, at("help")),
			Default: localizedOf(f, at("default")), Required: f.Checked(at("required"), "oui"), MaxLength: f.Int(at("max_length"), 1, 200),
		}
		if v.Kind == "choice" {
			v.Choices = choicesOf(written(f, at("choices.fr")), written(f, at("choices.en")))
		}
		return v
	})
}

// choicesOf pairs the lines of two texts.
func choicesOf(french, english string) []alerting.Localized {
	var out []alerting.Localized
	other := strings.Split(english, "\n")
	for i, line := range strings.Split(french, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		choice := alerting.Localized{"fr": line}
		if i < len(other) && strings.TrimSpace(other[i]) != "" {
			choice["en"] = strings.TrimSpace(other[i])
		}
		out = append(out, choice)
	}
	return out
}

func answersOf(c *ui.Context, f *ui.Form) []alerting.Option {
	return rowsOf(f, "answers", func(at func(string) string) alerting.Option {
		o := alerting.Option{Key: f.Value(at("key")), Meaning: alerting.Meaning(f.Value(at("meaning"))), Label: localizedOf(f, at("label"))}
		for _, word := range strings.FieldsFunc(f.Value(at("delays")), func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
			n, err := strconv.Atoi(word)
			if err != nil {
				f.Add(at("delays"), c.Loc.T("alerting.scenario.edit.delays.wrong", "text", word))
				continue
			}
			o.Delays = append(o.Delays, n)
		}
		return o
	})
}

func audienceOf(f *ui.Form) alerting.Audience {
	return alerting.Audience{
		Include: ruleOf(f, "audience.include"), Exclude: ruleOf(f, "audience.exclude"),
		AskSites: f.Checked("audience.ask_sites", "oui"), AskServices: f.Checked("audience.ask_services", "oui"),
		Mass:       f.Checked("audience.mass", "oui"),
		IgnoreRest: f.Checked("audience.ignore_rest", "oui"), RestReason: localizedOf(f, "audience.rest_reason"),
	}
}

// ruleOf reads a rule. What cannot be an id was not posted by our page: it is left out.
func ruleOf(f *ui.Form, name string) directory.Rule {
	ids := func(part string) (out []uuid.UUID) {
		for _, text := range f.List(name + "." + part) {
			if id, err := uuid.Parse(text); err == nil && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
		return out
	}
	codes := func(part string) (out []string) {
		for _, code := range f.List(name + "." + part) {
			if code != "" && !slices.Contains(out, code) {
				out = append(out, code)
			}
		}
		return out
	}
	return directory.Rule{
		Metiers: codes("metiers"), Qualifications: codes("qualifications"), Statuses: codes("statuses"),
		Services: ids("services"), Sites: ids("sites"), Groups: ids("groups"), People: ids("people"), Absent: f.Checked(name+".absent", "oui"),
		Duty: directory.Duty(f.Value(name + ".duty")), OnCall: ids("on_call"), OnCallLevels: levelsOf(codes("on_call_levels")),
	}
}

// levelsOf reads levels of a chain; what is no number was not posted by our page.
func levelsOf(texts []string) (out []int) {
	for _, text := range texts {
		if n, err := strconv.Atoi(text); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func wavesOf(f *ui.Form) []alerting.Wave {
	return rowsOf(f, "waves", func(at func(string) string) alerting.Wave {
		w := alerting.Wave{
			Name: localizedOf(f, at("name")), Who: ruleOf(f, at("who")), After: minutesOf(f, at("after")), When: alerting.Condition(f.Value(at("when"))),
			Escalate: minutesOf(f, at("escalate")), Use: alerting.Use(f.Value(at("use"))),
			Relief: minutesOf(f, at("relief")), Notice: f.Checked(at("notice"), "oui"),
		}
		for _, m := range strings.Split(f.Value(at("media")), "+") {
			if m != "" {
				w.Media = append(w.Media, channels.Medium(m))
			}
		}
		return w
	})
}

func quotasOf(f *ui.Form) []alerting.Quota {
	return rowsOf(f, "quotas", func(at func(string) string) alerting.Quota {
		q := alerting.Quota{Skill: f.Value(at("skill")), Needed: f.Int(at("needed"), 1, 100_000), From: minutesOf(f, at("from")), To: minutesOf(f, at("to")), Show: f.Int(at("show"), alerting.ShowLeast, 100)}
		if site, err := uuid.Parse(f.Value(at("site"))); err == nil {
			q.Site = site
		}
		return q
	})
}

func rolesOf(f *ui.Form) []string {
	var out []string
	for _, r := range access.Roles() {
		if f.Checked("authority.roles", string(r)) {
			out = append(out, string(r))
		}
	}
	return out
}

func dutiesOf(f *ui.Form) []alerting.Duty {
	return rowsOf(f, "duties", func(at func(string) string) alerting.Duty {
		return alerting.Duty{Who: localizedOf(f, at("who")), How: localizedOf(f, at("how")), Within: minutesOf(f, at("within")), Verify: f.Checked(at("verify"), "oui")}
	})
}

// unchanged tells that two scenarios say the same, an empty list being the same
// as none: a press on the button without a change makes no version.
func unchanged(a, b alerting.Definition) bool {
	x, errA := plainOf(a)
	y, errB := plainOf(b)
	return errA == nil && errB == nil && reflect.DeepEqual(x, y)
}

func plainOf(d alerting.Definition) (any, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var v any
	err = json.Unmarshal(text, &v)
	return pruned(v), err
}

// pruned drops what is empty, and sorts the lists of a rule: boxes are posted
// in the order of the page, which says nothing.
func pruned(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if x[k] = pruned(e); x[k] == nil {
				delete(x, k)
				continue
			}
			if list, ok := x[k].([]any); ok && slices.Contains([]string{"metiers", "qualifications", "statuses", "services", "sites", "groups", "people"}, k) {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
		}
		if len(x) == 0 {
			return nil
		}
	case []any:
		for i := range x {
			x[i] = pruned(x[i])
		}
		if len(x) == 0 {
			return nil
		}
	case string:
		if x == "" {
			return nil
		}
	}
	return v
}

// blankDefinition is what a new scenario begins with: one wave, the usual
// answers, the usual guards. Its texts are to be written.
func blankDefinition() alerting.Definition {
	minutes := func(n int) alerting.Duration { return alerting.Duration(time.Duration(n) * time.Minute) }
	return alerting.Definition{
		Answers: []alerting.Option{
			{Key: "1", Meaning: alerting.Coming, Label: alerting.Localized{"fr": "Je viens", "en": "I am coming"}, Delays: []int{15, 30, 60, 90}},
			{Key: "2", Meaning: alerting.Unavailable, Label: alerting.Localized{"fr": "Je ne peux pas", "en": "I cannot"}},
			{Key: "3", Meaning: alerting.OnSite, Label: alerting.Localized{"fr": "Je suis sur place", "en": "I am on site"}},
			{Key: "4", Meaning: alerting.CallMe, Label: alerting.Localized{"fr": "Rappelez-moi", "en": "Call me"}},
		},
		Waves:  []alerting.Wave{{Name: alerting.Localized{"fr": "Tous", "en": "Everyone"}, When: alerting.Always, Media: []channels.Medium{channels.SMS, channels.Email}, Escalate: minutes(5)}},
		Limits: alerting.Limits{Validity: minutes(120), PerPerson: 10, ArrivalGrace: minutes(30)},
	}
}
