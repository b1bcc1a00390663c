package phone

import (
	"regexp"
	"strings"
	"unicode"
)

// maxLabel bounds what is kept of a remark written beside a number.
const maxLabel = 40

var (
	insideNumber = regexp.MustCompile(`(?i)(^|[^\pL])(poste|pst|p|ext|extension|interne|int|dect|bip|beeper)(?:\s+dect)?\s*[.:°]*\s*(?:n°|no)?\s*(\d(?:[ .]?\d){1,5})($|\D)`)
	wordForm     = regexp.MustCompile(`\pL[\pL'’]*`)
)

// extensions takes out of a piece the numbers introduced by a word that means
// the hospital's own exchange, and returns what is left.
func extensions(piece string) (rest string, numbers []Number) {
	rest = piece
	for {
		m := insideNumber.FindStringSubmatchIndex(rest)
		if m == nil {
			return rest, numbers
		}
		digits := onlyDigits(rest[m[6]:m[7]])
		if tail := onlyDigits(rest[m[7]:]); len(digits)+len(tail) >= 9 && !strings.ContainsAny(rest[m[7]:], "/,") {
			return rest, numbers // "p. 06 12 34 56 78": the word is a label
		}
		if strings.Trim(digits, "0") == "" {
			return rest, numbers
		}
		word := strings.ToLower(rest[m[4]:m[5]])
		n := Number{E164: digits, Kind: Extension}
		switch {
		case strings.Contains(strings.ToLower(rest), "dect"):
			n.Label = "DECT"
		case word == "bip" || word == "beeper":
			n.Label = "bip"
		}
		numbers = append(numbers, n)
		rest = rest[:m[4]] + " " + rest[m[7]:]
	}
}

// label is what the words of a piece say about its number, without the words
// that only say that it is a number.
func label(piece string) string {
	var kept []string
	for _, w := range wordForm.FindAllString(piece, -1) {
		switch low := strings.ToLower(w); low {
		case "tel", "tél", "téléphone", "telephone", "phone", "portable", "port", "mobile", "mob", "gsm", "fixe",
			"n", "no", "num", "numéro", "numero", "p", "t", "m", "f", "poste", "pst", "ext", "int", "interne", "le", "la", "au", "à":
		case "dect":
			kept = append(kept, "DECT")
		case "personnel", "personnelle", "perso":
			kept = append(kept, "perso")
		case "professionnel", "professionnelle", "pro":
			kept = append(kept, "pro")
		case "dom", "domicile", "maison":
			kept = append(kept, "domicile")
		default:
			kept = append(kept, w)
		}
	}
	s := []rune(strings.Join(kept, " "))
	if len(s) > maxLabel {
		s = s[:maxLabel]
	}
	return strings.TrimSpace(string(s))
}

func isFax(piece string) bool {
	return hasWord(piece, "fax", "télécopie", "telecopie", "télécopieur")
}

func mentionsDECT(words string) bool { return hasWord(words, "dect") }

// mentionsThirdParty recognises a number that belongs to somebody else: the
// message would give away an alert to a relative.
func mentionsThirdParty(words string) bool {
	return hasWord(words, "mari", "femme", "épouse", "epouse", "époux", "epoux", "conjoint", "conjointe", "compagnon", "compagne",
		"mère", "mere", "père", "pere", "parents", "fils", "fille", "frère", "soeur", "sœur", "voisin", "voisine")
}

func hasWord(text string, words ...string) bool {
	for _, have := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		for _, w := range words {
			if have == w {
				return true
			}
		}
	}
	return false
}
