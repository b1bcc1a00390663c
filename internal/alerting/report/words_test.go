package report_test

import (
	"testing"

	"tocsin/internal/alerting"
	"tocsin/internal/alerting/report"
	"tocsin/internal/channels"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
)

func TestEverySentenceExists(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", report.Locales, alerting.Locales, channels.Locales)
	for _, lang := range i18n.Languages() {
		loc := i18ntest.Localizer(t, lang, report.Locales, alerting.Locales)
		for _, k := range alerting.EventKinds() {
			for _, key := range []string{k.Key(), "alerting.report.act." + string(k)} {
				if !loc.Has(key) {
					t.Errorf("%s: no sentence for %s", lang, key)
				}
			}
		}
	}
}
