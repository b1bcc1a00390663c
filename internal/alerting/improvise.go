package alerting

import (
	"context"
	"strings"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
)

// Improvisation is a scenario in one call, for what nobody foresaw.
type Improvisation struct {
	Title string
	// Text is the message, in French; TextEN is the English one, or the same text when empty.
	Text, TextEN string
	// Profile is Rappel when empty.
	Profile  Profile
	Audience directory.Rule
	// Needed makes a quota of everyone; zero asks for nobody in particular.
	Needed int
	// AskAnswer adds the usual answers and the link.
	AskAnswer bool
}

// Improvise keeps a minimal scenario, complete and ready for Prepare and
// Launch: the text goes by SMS, then by e-mail after five minutes without an
// answer. Needs access.AlertLaunch: it is part of a launch. Errors: Invalid.
func (s *Service) Improvise(ctx context.Context, scope access.Scope, now time.Time, i Improvisation) (Scenario, error) {
	if err := s.guard.Check(scope, access.AlertLaunch); err != nil {
		return Scenario{}, err
	}
	i.Title, i.Text, i.TextEN = strings.TrimSpace(i.Title), strings.TrimSpace(i.Text), strings.TrimSpace(i.TextEN)
	if i.Title == "" {
		return Scenario{}, fault.New(fault.Invalid, "alerting.improvise.title").At("title")
	}
	if i.Text == "" {
		return Scenario{}, fault.New(fault.Invalid, "alerting.improvise.text").At("text")
	}
	def := i.definition()
	if faults := def.Check(); len(faults) > 0 {
		return Scenario{}, faults[0]
	}
	return s.insert(ctx, scope, now, Scenario{Improvised: true}, def, "scenario.improvise")
}

func (i Improvisation) definition() Definition {
	if i.Profile == "" {
		i.Profile = Rappel
	}
	if i.TextEN == "" {
		i.TextEN = i.Text
	}
	d := Definition{
		Title: Localized{"fr": i.Title, "en": i.Title}, Family: "autre", Profile: i.Profile,
		Audience: Audience{Include: i.Audience, Mass: true, AskServices: true, AskSites: true},
		Waves: []Wave{{
			Name: Localized{"fr": "Tous", "en": "Everyone"}, When: Always, Media: []channels.Medium{channels.SMS, channels.Email},
			Escalate: Duration(5 * time.Minute),
		}},
		Limits: Limits{Validity: Duration(2 * time.Hour), PerPerson: 10, ArrivalGrace: Duration(15 * time.Minute), StandDown: i.Needed > 0},
	}
	if i.Needed > 0 && i.Profile != Diffusion {
		d.Quotas = []Quota{{Needed: i.Needed}}
		i.AskAnswer = true
	}
	if i.AskAnswer {
		d.Answers = usualAnswers()
	}
	d.Messages = i.texts(len(d.Answers) > 0)
	return d
}

func usualAnswers() []Option {
	return []Option{
		{Key: "1", Meaning: Coming, Label: Localized{"fr": "Je viens", "en": "I am coming"}, Delays: []int{15, 30, 60, 90}},
		{Key: "2", Meaning: Unavailable, Label: Localized{"fr": "Je ne peux pas", "en": "I cannot"}},
		{Key: "3", Meaning: OnSite, Label: Localized{"fr": "Je suis sur place", "en": "I am on site"}},
		{Key: "4", Meaning: CallMe, Label: Localized{"fr": "Rappelez-moi", "en": "Call me back"}},
	}
}

// sentence ends a text that was typed in a hurry, so that what follows is not read with it.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?:") || strings.HasSuffix(text, "…") {
		return text
	}
	return text + "."
}

// texts are the words of an improvised alert. They keep to letters that an SMS
// carries without doubling its price: no ç, no ê.
func (i Improvisation) texts(ask bool) []Text {
	fr, en := i.Text, i.TextEN
	if ask {
		fr = sentence(fr) + " Réponse : {lien}"
		en = sentence(en) + " Answer: {lien}"
	}
	words := map[Use]Localized{
		UseAlert:     {"fr": fr, "en": en},
		UseReminder:  {"fr": "Rappel. " + fr, "en": "Reminder. " + en},
		UseProgress:  {"fr": "Point de situation : " + i.Text, "en": "Situation update: " + i.TextEN},
		UseStandDown: {"fr": "{etablissement} : effectif atteint, votre venue n'est plus nécessaire. Merci.", "en": "{etablissement}: enough people are on their way, you are no longer needed. Thank you."},
		UseStayAway:  {"fr": "{etablissement} : ne venez pas sur place. " + i.Text, "en": "{etablissement}: do not come to the site. " + i.TextEN},
		UseEnd:       {"fr": "{etablissement} : fin de l'alerte. Merci à tous.", "en": "{etablissement}: end of the alert. Thank you all."},
		UseLate:      {"fr": "Merci de votre réponse. L'alerte est terminée.", "en": "Thank you for your answer. The alert is over."},
		UseAck:       {"fr": "Merci, votre réponse est enregistrée.", "en": "Thank you, your answer is recorded."},
	}
	var out []Text
	for _, use := range []Use{UseAlert, UseReminder, UseProgress, UseStandDown, UseStayAway, UseEnd, UseLate, UseAck} {
		for _, language := range languages() {
			out = append(out, Text{Use: use, Medium: channels.SMS, Language: language, Body: words[use][language]},
				Text{Use: use, Medium: channels.Email, Language: language, Subject: i.Title, Body: words[use][language]})
		}
	}
	return out
}
