package voice

import (
	"fmt"
	"strings"

	"tocsin/internal/channels"
	"tocsin/internal/i18n"
)

// words are the sentences spoken around a message, in its language.
type words struct{ loc *i18n.Localizer }

// spoken makes a text readable aloud: no link, and ordinary spaces.
func spoken(text, link string) string {
	if link != "" {
		text = strings.ReplaceAll(text, link, "")
	}
	return strings.Join(strings.Fields(text), " ")
}

// sentence ends a text with a full stop, where the voice takes its breath.
func sentence(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

func (w words) join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = sentence(strings.TrimSpace(p)); p != "" {
			kept = append(kept, p)
		}
	}
	return spoken(strings.Join(kept, " "), "")
}

// menu proposes the keys; conference is the one that leads there, 0 for none.
func (w words) menu(answers []channels.Answer, conference byte) string {
	parts := make([]string, 0, len(answers)+2)
	if len(answers) == 0 {
		parts = append(parts, w.loc.T("channels.sip.say.heard"))
	}
	for _, a := range answers {
		parts = append(parts, w.loc.T("channels.sip.say.answer", "key", a.Key, "label", a.Label))
	}
	if conference != 0 {
		parts = append(parts, w.loc.T("channels.sip.say.conference", "key", string(conference)))
	}
	return w.join(append(parts, w.loc.T("channels.sip.say.again"))...)
}

// joined welcomes to the conference, and tells how many others are there.
func (w words) joined(others int) string {
	if others == 0 {
		return w.join(w.loc.T("channels.sip.say.conference_alone"), w.loc.T("channels.sip.say.conference_leave"))
	}
	return w.join(w.loc.N("channels.sip.say.conference_joined", others), w.loc.T("channels.sip.say.conference_leave"))
}

// delays proposes the times of arrival, by the keys 1 to 9.
func (w words) delays(a channels.Answer) string {
	parts := []string{w.loc.T("channels.sip.say.when")}
	for i, m := range a.Delays {
		parts = append(parts, w.loc.T("channels.sip.say.delay", "key", i+1, "delay", w.duration(m)))
	}
	return w.join(parts...)
}

// confirm repeats an answer and asks for the key that keeps it; minutes below 0
// is no delay.
func (w words) confirm(a channels.Answer, minutes int) string {
	said := w.loc.T("channels.sip.say.said", "label", a.Label)
	if minutes >= 0 {
		said = w.loc.T("channels.sip.say.said_when", "label", a.Label, "delay", w.duration(minutes))
	}
	return w.join(said, w.loc.T("channels.sip.say.confirm"))
}

// duration is a delay as it is spoken: "45 minutes", "1 heure 30".
func (w words) duration(minutes int) string {
	hours, rest := minutes/60, minutes%60
	switch {
	case hours == 0:
		return w.loc.N("channels.sip.say.minutes", minutes)
	case rest == 0:
		return w.loc.N("channels.sip.say.hours", hours)
	}
	return fmt.Sprintf("%s %s", w.loc.N("channels.sip.say.hours", hours), w.loc.N("channels.sip.say.minutes", rest))
}

// reply is an answer as the room that asked reads it: the key, and the minutes.
func reply(a channels.Answer, minutes int) string {
	if minutes > 0 {
		return fmt.Sprintf("%s %d", a.Key, minutes)
	}
	return a.Key
}
