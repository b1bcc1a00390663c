package email

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold lowers a text and takes its accents and odd spaces and apostrophes
// off, so that one spelling recognises what mail programs write.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == '’' || r == 'ʼ' || r == '`':
			return '\''
		case unicode.IsSpace(r):
			return ' '
		case r == 'œ' || r == 'Œ':
			return 'o'
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
	return s
}
