package finess

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/fault"
)

// Level is the level of the register a number belongs to.
type Level string

// The two levels.
const (
	EJ Level = "ej" // entité juridique: the legal person
	ET Level = "et" // établissement: the place
)

// Key is the catalogue key of the level's name.
func (l Level) Key() string { return "finess.level." + string(l) }

// ParseLevel understands "EJ", "entité juridique", "ET", "établissement", "géographique".
func ParseLevel(text string) (Level, error) {
	switch s := strings.ToLower(strings.TrimSpace(text)); {
	case s == "ej", strings.HasPrefix(s, "entit"), strings.Contains(s, "juridique"):
		return EJ, nil
	case s == "et", strings.HasPrefix(s, "établissement"), strings.HasPrefix(s, "etablissement"),
		strings.Contains(s, "géographique"), strings.Contains(s, "geographique"):
		return ET, nil
	}
	return "", fault.New(fault.Invalid, "finess.level")
}

// Number is a checked FINESS number; its zero value means none.
type Number struct{ text string }

// String gives the nine characters: "750712184", "2A0000014".
func (n Number) String() string { return n.text }

// IsZero tells whether there is no number.
func (n Number) IsZero() bool { return n.text == "" }

// Format writes it as the register does: "75 071 218 4".
func (n Number) Format() string {
	if n.IsZero() {
		return ""
	}
	return n.text[:2] + " " + n.text[2:5] + " " + n.text[5:8] + " " + n.text[8:]
}

// Department gives the department of the number: "75", "2A", "974". Mayotte,
// registered under 98, gives "976". A few overseas numbers only say "97".
func (n Number) Department() string {
	if n.IsZero() {
		return ""
	}
	switch code := n.text[:2]; code {
	case "97":
		if d := n.text[3]; n.text[2] == '0' && d >= '1' && d <= '6' {
			return "97" + string(d)
		}
		return code
	case "98":
		return "976"
	default:
		return code
	}
}

// Parse reads a FINESS number of nine characters: two for the department, six,
// and a key. Spaces, dots and dashes are ignored, and a leading zero lost by a
// spreadsheet is put back when the key then agrees. An empty text is a fault:
// whether a number is required is the caller's business.
//
// The key is the Luhn formula over the nine characters, where the letter of the
// Corsican departments counts 1 for A and 2 for B; the tests hold numbers taken
// from acts published by the regional agencies.
func Parse(text string) (Number, error) {
	s := tidy(text)
	if len(s) == 8 && onlyDigits(s) && department("0"+s[:1]) && luhn("0"+s) {
		s = "0" + s
	}
	switch {
	case utf8.RuneCountInString(s) != 9:
		return Number{}, fault.New(fault.Invalid, "finess.length", "count", utf8.RuneCountInString(s))
	case len(s) != 9:
		return Number{}, fault.New(fault.Invalid, "finess.characters")
	case !department(s[:2]):
		return Number{}, fault.New(fault.Invalid, "finess.department", "code", s[:2])
	case !onlyDigits(s[2:]):
		return Number{}, fault.New(fault.Invalid, "finess.characters")
	case !luhn(s):
		return Number{}, fault.New(fault.Invalid, "finess.key")
	}
	return Number{s}, nil
}

// tidy removes what people put between the groups.
func tidy(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '.' || r == '-' || r == '\'' {
			return -1
		}
		return unicode.ToUpper(r)
	}, text)
}

// department knows 01 to 95 with 2A and 2B instead of 20, 97 overseas and 98.
func department(code string) bool {
	switch {
	case code == "2A", code == "2B", code == "97", code == "98":
		return true
	case !onlyDigits(code), code == "20":
		return false
	}
	return code >= "01" && code <= "95"
}

func onlyDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// luhn checks the key of nine characters already known to be digits, but for
// the letter of Corsica.
func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		switch s[len(s)-1-i] {
		case 'A':
			d = 1
		case 'B':
			d = 2
		}
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
