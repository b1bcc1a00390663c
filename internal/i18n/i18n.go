package i18n

import (
	"embed"

	"golang.org/x/text/language"
)

// Locales holds the words every room shares: common.* and fault.*.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Language is a language of the pages and of the messages.
type Language string

// The two languages, French first.
const (
	French  Language = "fr"
	English Language = "en"
)

// Languages lists them in order of preference.
func Languages() []Language { return []Language{French, English} }

// Negotiate chooses between them from an Accept-Language header; French when
// the header is empty, broken or asks for neither.
func Negotiate(acceptLanguage string) Language {
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(wanted) == 0 {
		return French
	}
	matcher := language.NewMatcher([]language.Tag{language.French, language.English})
	if _, index, confidence := matcher.Match(wanted...); index == 1 && confidence != language.No {
		return English
	}
	return French
}
