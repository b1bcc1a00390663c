package inventory_test

import (
	"slices"
	"testing"

	"tocsin/internal/inventory"
)

// FuzzParseIdentifier: what is kept reads back as itself, so that what a trace
// says is found whatever its spelling.
func FuzzParseIdentifier(f *testing.F) {
	for _, text := range []string{"", "10.0.0.1", "::FFFF:10.0.0.1", "fe80::1%eth0", "00-1B-44-11-3A-B7", "SRV.CHU..", ".", "s n\u00a01", "AE TITLE", "\x00", "é\xff", "İ"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range inventory.IdentifierKinds() {
			d, err := inventory.ParseIdentifier(kind, text)
			if err != nil {
				continue
			}
			again, err := inventory.ParseIdentifier(kind, d.Value)
			if err != nil || again != d {
				t.Errorf("%s %q is kept as %q, which reads as %q, %v", kind, text, d.Value, again.Value, err)
			}
			if parts := inventory.SplitIdentifiers(kind, d.Value); kind != inventory.Serial && kind != inventory.AETitle && !slices.Equal(parts, []string{d.Value}) {
				t.Errorf("%s %q is cut into %q", kind, d.Value, parts)
			}
		}
	})
}
