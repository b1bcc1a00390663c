package identity_test

import (
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/identity"
	"tocsin/internal/organisation"
)

func TestSentences(t *testing.T) {
	i18ntest.Room(t, ".", identity.Locales, access.Locales)
	for _, lang := range i18n.Languages() {
		loc := i18ntest.Localizer(t, lang, identity.Locales)
		for _, colour := range organisation.Palette() {
			if key := "identity.colour." + colour[1:]; !loc.Has(key) {
				t.Errorf("%s: no sentence for %s", lang, key)
			}
		}
		for _, role := range access.Roles() {
			if key := "identity.role." + string(role); !loc.Has(key) {
				t.Errorf("%s: no sentence for %s", lang, key)
			}
		}
	}
}
