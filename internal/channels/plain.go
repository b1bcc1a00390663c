package channels

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// ASCII writes a text without accents, for displays that know nothing else; what has
// no spelling there becomes a question mark.
func ASCII(text string) string {
	text = strings.NewReplacer("’", "'", "‘", "'", "«", `"`, "»", `"`, "“", `"`, "”", `"`, "–", "-", "—", "-", "…", "...", "œ", "oe", "Œ", "OE", "æ", "ae", "Æ", "AE", "€", "EUR", "°", "o", "º", "o").Replace(text)
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80:
			return r
		case r >= 0x300 && r < 0x370: // an accent that was taken apart from its letter
			return -1
		}
		return '?'
	}, norm.NFD.String(text))
}
