package phone

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// frenchNational gives 0612345678 for +33612345678 and 0692123456 for
// +262692123456; empty for a number of another country or an extension.
func frenchNational(e164 string) string {
	for _, code := range []string{"+33", "+262", "+590", "+594", "+596"} {
		if rest, ok := strings.CutPrefix(e164, code); ok && len(rest) == 9 {
			return "0" + rest
		}
	}
	return ""
}

// Format writes a number as people read it: "06 12 34 56 78" in France,
// "0692 12 34 56" overseas, "+41 79 123 45 67" elsewhere. What is not E.164
// (an extension) comes back unchanged.
func Format(e164 string) string {
	if national := frenchNational(e164); national != "" {
		if strings.HasPrefix(e164, "+33") {
			return groups(national, 2)
		}
		return groups(national, 4)
	}
	if !strings.HasPrefix(e164, "+") {
		return e164
	}
	p, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return e164
	}
	return phonenumbers.Format(p, phonenumbers.INTERNATIONAL)
}

// Mask hides a number on lists: "06 •• •• •• 78". The first two and last two
// digits stay, so that a person recognises his own; abroad, the country code
// and the last two; of an extension, the last two.
func Mask(e164 string) string {
	if e164 == "" {
		return ""
	}
	shown := Format(e164)
	first := 2
	if strings.HasPrefix(shown, "+") {
		first = len(onlyDigits(strings.SplitN(shown, " ", 2)[0]))
		if !strings.Contains(shown, " ") {
			first = 0
		}
	}
	total := len(onlyDigits(shown))
	if total <= 6 {
		first = 0
	}
	var b strings.Builder
	seen := 0
	for _, r := range shown {
		if r < '0' || r > '9' {
			b.WriteRune(r)
			continue
		}
		if seen < first || seen >= total-2 && total > 2 {
			b.WriteRune(r)
		} else {
			b.WriteRune('•')
		}
		seen++
	}
	return b.String()
}

// groups writes the first digits together, then pairs.
func groups(digits string, first int) string {
	var b strings.Builder
	b.WriteString(digits[:first])
	for i := first; i < len(digits); i += 2 {
		b.WriteByte(' ')
		b.WriteString(digits[i:min(i+2, len(digits))])
	}
	return b.String()
}
