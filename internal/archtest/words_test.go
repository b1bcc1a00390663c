package archtest

import (
	"testing"

	"tocsin/internal/i18n/i18ntest"
)

// TestEveryWordIsThereAndUsed holds the code against the catalogues: no key
// without its sentences in both languages, no sentence that nothing says.
func TestEveryWordIsThereAndUsed(t *testing.T) {
	i18ntest.House(t, root, "common.")
}
