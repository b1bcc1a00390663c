package alerting

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
)

// plan is a definition made ready for one alert. It does not change once the
// alert has left.
type plan struct {
	Definition Definition
	Mode       Mode
	Values     map[string]string
	LaunchedAt time.Time
	Setting    setting
	// zone is the establishment's, read once.
	zone *time.Location
	// shows are the shares of the lines of the quota, frozen at the launch.
	shows []Show
	// keeps are how many each line keeps back; they serve at the launch.
	keeps []Keep
	// rest is due to those of an earlier turn before they count in a relief.
	rest time.Duration
	// expected is what the last rehearsal before the launch showed; empty when there was none.
	expected Expected
}

// wave returns a wave by its number from 0; people added by hand to an alert
// are in the first one.
func (p *plan) wave(number int) Wave {
	if number >= 0 && number < len(p.Definition.Waves) {
		return p.Definition.Waves[number]
	}
	return p.Definition.Waves[0]
}

// show is the share of one line of the quota; everyone comes when it is not known.
func (p *plan) show(line int) Show {
	if line < len(p.shows) {
		return p.shows[line]
	}
	return Show{Rate: 1, From: OfNobody}
}

// keep is how many one line keeps back.
func (p *plan) keep(line int) Keep {
	if line < len(p.keeps) {
		return p.keeps[line]
	}
	return Keep{}
}

// conditional tells a wave that leaves only while people are missing. The first
// wave has left whatever happens; the others are held unless they say "always".
func (p *plan) conditional(number int) bool {
	return number > 0 && p.wave(number).When != Always
}

// quiet tells whether messages ask the medium for discretion.
func (p *plan) quiet() bool { return p.Definition.Profile == Discret }

// use is the text by which a wave calls.
func (p *plan) use(number int) Use {
	switch w := p.wave(number); {
	case w.Use != "":
		return w.Use
	case w.Relief > 0:
		return UseRelief
	}
	return UseAlert
}

// again is the text by which a wave calls somebody once more.
func (p *plan) again(number int) Use {
	if p.wave(number).Relief > 0 {
		return UseRelief
	}
	return UseReminder
}

// asksDuty tells whether the planning decides who is called, or by which words.
func (d Definition) asksDuty() bool {
	return d.Audience.Include.Duty != directory.UnknownDuty ||
		slices.ContainsFunc(d.Waves, func(w Wave) bool { return w.Who.Duty != directory.UnknownDuty })
}

// skills are what quotas may count of a person: " iade urgences " with spaces around each.
func skills(metier string, qualifications []string) string {
	list := append([]string{metier}, qualifications...)
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" })
	if len(list) == 0 {
		return ""
	}
	return " " + strings.Join(list, " ") + " "
}

// languages are those in which texts are kept.
func languages() []string { return []string{"fr", "en"} }

// spoken is the language in which a person is written to.
func spoken(language, house string) string {
	if language == "en" || language == "fr" {
		return language
	}
	if house == "en" {
		return "en"
	}
	return "fr"
}

// filled gives the value of each variable in a language, defaults included, or
// the first fault with the variable as Field.
func (d Definition) filled(values map[string]string, language string) (map[string]string, error) {
	out := make(map[string]string, len(d.Variables))
	for _, v := range d.Variables {
		given := strings.TrimSpace(values[v.Name])
		if given == "" {
			given = v.Default.In(language)
		}
		limit := v.MaxLength
		if limit == 0 {
			limit = 60
		}
		switch {
		case given == "":
			return nil, fault.New(fault.Invalid, "alerting.value.required", "label", v.Label.In(language)).At(v.Name)
		case utf8.RuneCountInString(given) > limit:
			return nil, fault.New(fault.Invalid, "alerting.value.long", "label", v.Label.In(language), "limit", limit).At(v.Name)
		case strings.ContainsAny(given, "{}\n\r"):
			return nil, fault.New(fault.Invalid, "alerting.value.letters", "label", v.Label.In(language)).At(v.Name)
		case v.Kind == "number" && strings.Trim(given, "0123456789 ") != "":
			return nil, fault.New(fault.Invalid, "alerting.value.number", "label", v.Label.In(language)).At(v.Name)
		}
		if v.Kind == "choice" {
			if given = chosen(v.Choices, given, language); given == "" {
				return nil, fault.New(fault.Invalid, "alerting.value.choice", "label", v.Label.In(language)).At(v.Name)
			}
		}
		out[v.Name] = given
	}
	for name := range values {
		if !slices.ContainsFunc(d.Variables, func(v Variable) bool { return v.Name == name }) {
			return nil, fault.New(fault.Invalid, "alerting.value.unknown", "name", name).At(name)
		}
	}
	return out, nil
}

// chosen gives a choice in the language of the message, whichever it was picked in.
func chosen(choices []Localized, given, language string) string {
	for _, c := range choices {
		for _, text := range c {
			if text == given {
				return c.In(language)
			}
		}
	}
	return ""
}

// contentKey names one text of an alert.
type contentKey struct {
	Use      Use
	Medium   channels.Medium
	Language string
	// Site is Nil unless the text names {site} and people of several sites get it.
	Site uuid.UUID
	// Turn is that of a relief, of a text that tells of one; else 0.
	Turn time.Duration
}

// composed is one text of an alert as it leaves.
type composed struct {
	ID            uuid.UUID
	Subject, Body string
	// Linkless is Body as it leaves in isolated mode.
	Linkless string
	// Answers are proposed by keys, by a medium that has them.
	Answers []channels.Answer
	// Recording is said in place of Body.
	Recording channels.Recording
	// Cover is what anybody may hear of a reserved text; empty when none is.
	Cover string
}

// compose renders one text of the plan for one site as it leaves, or says what is not filled.
func (p *plan) compose(use Use, medium channels.Medium, language, site string, turn time.Duration) (composed, bool, error) {
	return p.rendered(use, medium, language, site, turn, Text.compose)
}

// onScreen is compose for a page, which has room for every letter.
func (p *plan) onScreen(use Use, medium channels.Medium, language, site string, turn time.Duration) (composed, bool, error) {
	return p.rendered(use, medium, language, site, turn, Text.render)
}

func (p *plan) rendered(use Use, medium channels.Medium, language, site string, turn time.Duration, fill func(Text, map[string]string, Mode) (string, string, error)) (composed, bool, error) {
	t, ok := p.Definition.text(use, medium, language)
	if !ok {
		return composed{}, false, nil
	}
	values, err := p.Definition.filled(p.Values, t.Language)
	if err != nil {
		return composed{}, true, err
	}
	vars := p.Setting.variables(values, p.Mode, t.Language, site, p.LaunchedAt)
	if ofRelief(use) {
		vars[VarRelief] = reliefHour(p.LaunchedAt, turn, p.zone)
	}
	subject, body, err := fill(t, vars, p.Mode)
	return composed{Subject: subject, Body: body, Linkless: p.Definition.linkless(t, body), Answers: p.Definition.byKeys(t), Recording: t.recorded(p.Mode, vars[VarWord]), Cover: p.cover(t)}, true, err
}

// bySite tells whether a use names the person's site, which then needs a text for each.
func (p *plan) bySite(use Use, medium channels.Medium, language string) bool {
	if p.Setting.Site != "" {
		return false
	}
	t, ok := p.Definition.text(use, medium, language)
	return ok && slices.Contains(Blanks(t.Subject+t.Body), VarSite)
}
