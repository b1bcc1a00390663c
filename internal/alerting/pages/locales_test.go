package pages_test

import (
	"io/fs"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/ui"
)

func TestEverySentenceExists(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", append([]fs.FS{ui.Locales, access.Locales}, locales()...)...)
}
