package alerting

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/wire/gsm"
)

// The variables the program fills itself, in any text.
const (
	VarLink          = "lien"          // the personal answer link
	VarEstablishment = "etablissement" // the establishment's name
	VarSite          = "site"          // the site of the alert, or of the person
	VarMode          = "mode"          // EXERCICE, TEST, or nothing
	VarTime          = "heure"         // hour of the launch, wall clock of the site
	VarWord          = "mot"           // the establishment's authenticity word
	VarRelief        = "releve"        // hour of a relief, in the texts that tell of one
)

// builtins are the names no scenario may declare.
func builtins() []string {
	return []string{VarLink, VarEstablishment, VarSite, VarMode, VarTime, VarWord, VarRelief}
}

// SMSRecommended is the length above which a first SMS is read less: characters, link apart.
const SMSRecommended = 120

// VoiceMost is the longest text that is spoken, in characters: about a minute.
const VoiceMost = 900

// PagerMost is the longest text for a pager, in characters: what its screen shows.
const PagerMost = 240

// blank is {name} in a text.
var blank = regexp.MustCompile(`\{([a-z_]{1,30})\}`)

// Blanks lists the variables a text names, once each, in order.
func Blanks(text string) []string {
	var out []string
	seen := map[string]bool{}
	for _, m := range blank.FindAllStringSubmatch(text, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			out = append(out, m[1])
		}
	}
	return out
}

// Render fills the {variables} of a text. A variable without a value is an
// error (Invalid, with the variable as Field): such a message cannot leave.
func Render(text string, vars map[string]string) (string, error) {
	var missing string
	out := blank.ReplaceAllStringFunc(text, func(m string) string {
		name := m[1 : len(m)-1]
		v := vars[name]
		if v == "" && missing == "" && !optional(name) {
			missing = name
		}
		return v
	})
	if missing != "" {
		return "", fault.New(fault.Invalid, "alerting.render.unfilled", "name", missing).At(missing)
	}
	if strings.ContainsAny(blank.ReplaceAllString(text, ""), "{}") {
		return "", fault.New(fault.Invalid, "alerting.render.braces")
	}
	return strings.TrimSpace(out), nil
}

// optional variables are marks an alert may not have: nobody forgot to fill them.
func optional(name string) bool { return name == VarMode || name == VarWord }

// Vouched puts the establishment's word of authenticity at the end of a rendered
// message whose author did not place it himself: a false one has no word.
func Vouched(medium channels.Medium, source, body, word string) string {
	switch {
	case word == "" || body == "" || strings.Contains(source, "{"+VarWord+"}"):
		return body
	case medium == channels.SMS:
		return body + " (" + word + ")"
	}
	return body + "\n\n" + word
}

// Mark puts the word of the mode before a message: every message of an
// exercise or a test says so first. A real one carries no mark.
func Mark(mode Mode, language, text string) string {
	word := ModeWord(mode, language)
	if word == "" || text == "" {
		return text
	}
	return word + " - " + text
}

// ModeWord is the word that marks a mode, in capitals; empty when real.
func ModeWord(mode Mode, language string) string {
	switch {
	case mode == Exercise && language == "en":
		return "EXERCISE"
	case mode == Exercise:
		return "EXERCICE"
	case mode == Test:
		return "TEST"
	}
	return ""
}

// linkPlaceholder keeps {lien} for dispatch, which knows the delivery's own link.
const linkPlaceholder = "{lien}"

// setting is what fills the texts of an alert beside the launcher's values.
type setting struct {
	Establishment string `json:"establishment"`
	Word          string `json:"word"`
	Zone          string `json:"zone"`
	Language      string `json:"language"`
	// Site is the name of the only site the launch was narrowed to.
	Site string `json:"site"`
}

// location is the establishment's zone; UTC when its name is unknown here.
func (s setting) location() *time.Location {
	if loc, err := time.LoadLocation(s.Zone); err == nil {
		return loc
	}
	return time.UTC
}

// variables joins the launcher's values and the program's. The hour is that of
// the wall clock at the instant of the launch, whatever night it is.
func (s setting) variables(values map[string]string, mode Mode, language, site string, launched time.Time) map[string]string {
	vars := make(map[string]string, len(values)+6)
	for k, v := range values {
		vars[k] = strings.TrimSpace(v)
	}
	if site == "" {
		site = s.Establishment
	}
	vars[VarLink] = linkPlaceholder
	vars[VarEstablishment] = s.Establishment
	vars[VarSite] = site
	vars[VarMode] = ModeWord(mode, language)
	vars[VarTime] = launched.In(s.location()).Format("15:04")
	vars[VarWord] = s.Word
	return vars
}

// spelled gives the values as this text can carry them. One « ô » in the name of
// a hospital would turn a text written for the 7-bit alphabet into UCS-2: twice
// the segments for thousands of people, and twice the time. So the values
// follow the alphabet of the SMS that holds them; e-mail keeps every letter,
// and so does an SMS whose author already chose others.
func (t Text) spelled(vars map[string]string) map[string]string {
	if t.Medium != channels.SMS || gsm.Count(t.Body).Encoding != gsm.GSM7 {
		return vars
	}
	out := make(map[string]string, len(vars))
	for name, v := range vars {
		out[name] = gsm.Plain(v)
	}
	return out
}

// compose renders one text of a scenario as it leaves, {lien} kept.
func (t Text) compose(vars map[string]string, mode Mode) (subject, body string, err error) {
	return t.render(t.spelled(vars), mode)
}

// render fills a text with values as they are given.
func (t Text) render(vars map[string]string, mode Mode) (subject, body string, err error) {
	if body, err = Render(strings.ReplaceAll(t.Body, "{"+VarLink+"}", "\x00"), vars); err != nil {
		return "", "", err
	}
	body = Vouched(t.Medium, t.Body, strings.ReplaceAll(body, "\x00", linkPlaceholder), vars[VarWord])
	if t.Medium != channels.SMS {
		if subject, err = Render(t.Subject, vars); err != nil {
			return "", "", err
		}
	}
	return Mark(mode, t.Language, subject), Mark(mode, t.Language, body), nil
}

// preview measures a composed text; link stands for the personal one.
func preview(t Text, subject, body, link string) Preview {
	p := Preview{
		Use: t.Use, Medium: t.Medium, Language: t.Language,
		Subject: strings.ReplaceAll(subject, linkPlaceholder, link), Body: strings.ReplaceAll(body, linkPlaceholder, link),
	}
	if t.Medium != channels.SMS {
		return p
	}
	size := gsm.Count(p.Body)
	p.Characters, p.Segments, p.Unicode = utf8.RuneCountInString(p.Body), size.Segments, size.Encoding == gsm.UCS2
	for _, o := range size.Offenders {
		p.Offenders = append(p.Offenders, string(o.Rune))
	}
	if p.Unicode {
		p.Plain = gsm.Plain(p.Body)
	}
	return p
}

// text finds a text; the language falls back to French, and a notification or a
// chat without words of its own takes those of the SMS.
func (d Definition) text(use Use, medium channels.Medium, language string) (Text, bool) {
	t, found := d.written(use, medium, language)
	if !Borrows(medium) || found && t.Language == language {
		return t, found
	}
	if sms, ok := d.written(use, channels.SMS, language); ok && (!found || sms.Language == language) {
		return sms.lent(medium), true
	}
	return t, found
}

// Borrows tells the media that take the words of the SMS until they have their own.
func Borrows(m channels.Medium) bool { return m == channels.Push || m == channels.Chat }

// lent is an SMS as another medium says it: the buttons of a notification stand for
// the link.
func (t Text) lent(m channels.Medium) Text {
	t.Medium = m
	if m == channels.Push {
		t.Body = withoutLink(t.Body)
	}
	return t
}

// texts are those of every medium the waves use, with those that take their words
// from the SMS.
func (d Definition) texts() []Text {
	out := d.Messages
	for _, m := range d.media() {
		if !Borrows(m) {
			continue
		}
		for _, t := range d.Messages {
			if t.Medium != channels.SMS {
				continue
			}
			if own, found := d.written(t.Use, m, t.Language); !found || own.Language != t.Language {
				out = append(slices.Clip(out), t.lent(m))
			}
		}
	}
	return out
}

func (d Definition) written(use Use, medium channels.Medium, language string) (Text, bool) {
	var fallback Text
	found := false
	for _, t := range d.Messages {
		if t.Use != use || t.Medium != medium {
			continue
		}
		if t.Language == language {
			return t, true
		}
		if t.Language == "fr" {
			fallback, found = t, true
		}
	}
	return fallback, found
}
