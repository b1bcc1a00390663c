package library

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/organisation"
	"tocsin/internal/wire/gsm"
)

// What a text is measured with: a name and a word of usual length, and a link as
// long as a short domain makes it.
const (
	sampleName = "CH de Val-sur-Rozenn"
	sampleWord = "Vanille"
	sampleLink = "https://alerte.ch-rozenn.fr/r/7KQ2M9XH4T"
)

// longestWord is as long as an establishment's word may be.
func longestWord() string { return strings.Repeat("W", organisation.WordLimit) }

// maxSegments is the most parts a scenario's SMS may take, exercise mark included.
const maxSegments = 2

// uses are the texts a scenario needs: those of its profile, and of its reliefs.
func uses(d alerting.Definition) []alerting.Use {
	common := []alerting.Use{alerting.UseAlert, alerting.UseReminder, alerting.UseProgress, alerting.UseEnd, alerting.UseLate, alerting.UseAck}
	switch d.Profile {
	case alerting.Rappel:
		common = append(common, alerting.UseStandDown)
		if slices.ContainsFunc(d.Waves, func(w alerting.Wave) bool { return w.Relief > 0 }) {
			common = append(common, alerting.UseKeptBack, alerting.UseRelief)
		}
	case alerting.Discret:
		return append(common, alerting.UseStayAway)
	}
	return common
}

// messages asks for each use in each medium and language, once, and reads every text.
func (l *linter) messages() {
	seen := map[string]bool{}
	for _, t := range l.def.Messages {
		at := pathOf(t.Use, t.Medium, t.Language)
		if seen[at] {
			l.add(at, "message_twice", "")
		}
		seen[at] = true
		if !slices.Contains(uses(l.def), t.Use) {
			l.add(at, "message_never_sent", string(l.def.Profile))
		}
		l.message(at, t)
	}
	for _, use := range uses(l.def) {
		for _, medium := range []channels.Medium{channels.SMS, channels.Email} {
			for _, lang := range languages() {
				if at := pathOf(use, medium, lang); !seen[at] {
					l.add(at, "message_missing", "")
				}
			}
		}
	}
	if l.def.Profile != alerting.Rappel {
		return
	}
	// Only a call-out rings: who is on site, or hides, is not called.
	for _, use := range []alerting.Use{alerting.UseAlert, alerting.UseStandDown, alerting.UseEnd} {
		for _, lang := range languages() {
			if at := pathOf(use, channels.Voice, lang); !seen[at] {
				l.add(at, "message_missing", "")
			}
		}
	}
}

func pathOf(use alerting.Use, medium channels.Medium, lang string) string {
	return "messages." + string(use) + "." + string(medium) + "." + lang
}

func (l *linter) message(at string, t alerting.Text) {
	if !strings.Contains(t.Body, "{"+alerting.VarEstablishment+"}") {
		l.add(at, "anonymous", "who speaks is not said")
	}
	asks := t.Use == alerting.UseAlert || t.Use == alerting.UseKeptBack || t.Use == alerting.UseRelief || t.Use == alerting.UseReminder || t.Use == alerting.UseStayAway
	if asks && t.Medium != channels.Voice && len(l.def.Answers) > 0 && !strings.Contains(t.Body, "{"+alerting.VarLink+"}") {
		l.add(at, "no_answer_link", "")
	}
	if t.Medium != channels.SMS {
		return
	}
	for _, mode := range []alerting.Mode{alerting.Real, alerting.Exercise} {
		text, err := alerting.Render(t.Body, l.sample(t.Language, true))
		if err != nil {
			l.add(at, "render", err.Error())
			return
		}
		l.size(at, gsm.Count(alerting.Mark(mode, t.Language, alerting.Vouched(t.Medium, t.Body, text, longestWord()))))
	}
	if t.Use == alerting.UseAlert || t.Use == alerting.UseStayAway {
		l.first(at, t)
	}
}

func (l *linter) size(at string, s gsm.Size) {
	for _, o := range s.Offenders {
		l.add(at, "sms_letters", string(o.Rune))
	}
	if s.Segments > maxSegments {
		l.add(at, "sms_segments", strconv.Itoa(s.Segments))
	}
}

// first asks of the first SMS that it be short and, with usual values, one segment.
func (l *linter) first(at string, t alerting.Text) {
	text, err := alerting.Render(t.Body, l.sample(t.Language, false))
	if err != nil {
		l.add(at, "render", err.Error())
		return
	}
	text = alerting.Vouched(t.Medium, t.Body, text, sampleWord)
	if n := utf8.RuneCountInString(strings.ReplaceAll(text, sampleLink, "")); n > alerting.SMSRecommended {
		l.add(at, "sms_long", strconv.Itoa(n))
	}
	if n := gsm.Count(text).Segments; n > 1 {
		l.add(at, "sms_first_segments", strconv.Itoa(n))
	}
}

// sample fills the variables: with the usual value, or with the longest a
// launcher may type.
func (l *linter) sample(lang string, longest bool) map[string]string {
	vars := map[string]string{
		alerting.VarLink: sampleLink, alerting.VarEstablishment: sampleName, alerting.VarSite: "Site Nord",
		alerting.VarTime: "03:12", alerting.VarRelief: "11:12", alerting.VarWord: sampleWord, alerting.VarMode: "",
	}
	if longest {
		vars[alerting.VarWord] = longestWord()
	}
	for _, v := range l.def.Variables {
		value := v.Default[lang]
		for _, c := range v.Choices {
			if utf8.RuneCountInString(c[lang]) > utf8.RuneCountInString(value) {
				value = c[lang]
			}
		}
		limit := v.MaxLength
		if limit == 0 {
			limit = 60
		}
		if n := limit - utf8.RuneCountInString(value); v.Kind != "choice" && n > 0 && (longest || value == "") {
			value += strings.Repeat("x", n)
		}
		vars[v.Name] = value
	}
	return vars
}

// stayAway is how a text says it, by language.
func stayAway(lang string) string {
	if lang == "en" {
		return "do not come"
	}
	return "ne venez pas"
}

// discret asks that people outside be told, plainly and first of all, not to come.
func (l *linter) discret() {
	for _, t := range l.def.Messages {
		tells := t.Use == alerting.UseAlert || t.Use == alerting.UseReminder || t.Use == alerting.UseProgress || t.Use == alerting.UseStayAway
		if tells && !strings.Contains(strings.ToLower(t.Body), stayAway(t.Language)) {
			l.add(pathOf(t.Use, t.Medium, t.Language), "stay_away_missing", stayAway(t.Language))
		}
	}
	if !slices.ContainsFunc(l.def.Waves, func(w alerting.Wave) bool { return w.Use == alerting.UseStayAway }) {
		l.add("waves", "stay_away_wave_missing", "")
	}
	for i, w := range l.def.Waves {
		if w.After != 0 || w.When != alerting.Always {
			l.add("waves."+strconv.Itoa(i), "discret_waits", "everyone is told at once")
		}
	}
}
