package pages

import (
	"strings"

	"tocsin/internal/alerting"
)

// The sections of the editor, as the address names them.
const (
	sectionOverview  = "presentation"
	sectionTexts     = "textes"
	sectionQuestions = "questions"
	sectionAnswers   = "reponses"
	sectionAudience  = "public"
	sectionWaves     = "vagues"
	sectionQuotas    = "effectifs"
	sectionAuthority = "autorite"
	sectionLimits    = "limites"
	sectionOutside   = "publication"
)

// sections lists them in the order a scenario is written.
func sections() []string {
	return []string{sectionOverview, sectionTexts, sectionQuestions, sectionAnswers, sectionAudience, sectionWaves, sectionQuotas, sectionAuthority, sectionLimits, sectionOutside}
}

// sectionOf is the section that holds a field.
func sectionOf(field string) string {
	head, _, _ := strings.Cut(field, ".")
	switch head {
	case "messages":
		return sectionTexts
	case "variables":
		return sectionQuestions
	case "answers", "conference":
		return sectionAnswers
	case "audience":
		return sectionAudience
	case "waves":
		return sectionWaves
	case "quotas":
		return sectionQuotas
	case "authority", "duties":
		return sectionAuthority
	case "limits":
		return sectionLimits
	case "publication":
		return sectionOutside
	}
	return sectionOverview
}

// subjectSuffix ends the field of the subject of an e-mail.
const subjectSuffix = ".subject"

// textField is the field of the body of a text.
func textField(t alerting.Text) string {
	return "messages." + string(t.Use) + "." + string(t.Medium) + "." + t.Language
}
