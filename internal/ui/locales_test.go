package ui_test

import (
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/ui"
)

func TestEverySentenceExists(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", ui.Locales, access.Locales)
}
