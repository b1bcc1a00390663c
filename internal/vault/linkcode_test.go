package vault_test

import (
	"strings"
	"testing"

	"tocsin/internal/vault"
)

func TestLinkCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, code := range vault.NewLinkCodes(1_000) {
		if len(code) != vault.LinkCodeLength || seen[code] {
			t.Fatalf("code %q", code)
		}
		seen[code] = true
		if got := vault.ReadLinkCode(" " + strings.ToUpper(code[:4]) + "-" + code[4:]); got != code {
			t.Fatalf("%q typed by hand is read %q", code, got)
		}
	}
	for _, typed := range []string{"", "short", "uuuuuuuuuuuu", strings.Repeat("0", 13), strings.Repeat("0 ", 30), "../../secret", "'; DROP TABLE"} {
		if got := vault.ReadLinkCode(typed); got != "" {
			t.Errorf("%q is read %q", typed, got)
		}
	}
	if got := vault.ReadLinkCode("oooo1111llll"); got != "000011111111" {
		t.Errorf("misread letters: %q", got)
	}
}
