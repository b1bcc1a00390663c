package phone_test

import (
	"regexp"
	"strings"
	"testing"

	"tocsin/internal/directory/phone"
)

// FuzzParse holds the promise of the package on any cell: whatever holds a digit
// is understood or explained, numbers are well formed, and reading a number
// again gives the same number.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"06 12 34 56 78", "+33 (0)6 39 98 12 34 / poste 4512", "O6.12.34.56.78 (perso)", "6.12345678E8", "0262 692 12 34 56", "+41 79 123 45 67", "p.4512 DECT"} {
		f.Add(seed)
	}
	e164 := regexp.MustCompile(`^\+[1-9]\d{5,16}$`)
	inside := regexp.MustCompile(`^\d{2,6}$`)
	f.Fuzz(func(t *testing.T, cell string) {
		r := phone.Parse(cell, phone.Options{})
		if strings.ContainsAny(cell, "123456789") && len(r.Numbers)+len(r.Problems) == 0 {
			t.Fatalf("%q: nothing said", cell)
		}
		for _, n := range r.Numbers {
			form := e164
			if n.Kind == phone.Extension || n.Kind == phone.Short {
				form = inside
			}
			if !form.MatchString(n.E164) {
				t.Fatalf("%q: %s number %q", cell, n.Kind, n.E164)
			}
			if again := phone.Parse(n.E164, phone.Options{}); form == e164 && n.Warning == "" && (len(again.Numbers) != 1 || again.Numbers[0].E164 != n.E164) {
				t.Fatalf("%q: %q reads again as %s", cell, n.E164, compact(again))
			}
			if mask := phone.Mask(n.E164); strings.Contains(mask, n.E164) {
				t.Fatalf("%q: %q is not masked", cell, n.E164)
			}
		}
		for _, p := range r.Problems {
			if len(p.Args) > 0 {
				t.Fatalf("%q: the problem %s carries %v", cell, p.Key, p.Args)
			}
		}
	})
}
