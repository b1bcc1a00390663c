package phone

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

var (
	floatForm   = regexp.MustCompile(`^\d(?:[.,]\d+)?[eE]\+?\d{1,2}$`)
	decimalTail = regexp.MustCompile(`^(\+?\d{6,15})[.,]0+$`)
	oForZero    = regexp.MustCompile(`(^|[^\pL\d])([Oo]+\d[\dOo]*|\d+[Oo][\dOo]*|[Oo]{2})($|[^\pL\d])`)
	digitLetter = regexp.MustCompile(`(\d)(\pL)`)
	letterDigit = regexp.MustCompile(`(\pL)(\d)`)
	conjunction = regexp.MustCompile(`(?i)(^|[\s.,;:])(?:ou|et|puis|sinon|or|and)([\s.,;:]|$)`)
	newNumber   = regexp.MustCompile(`(\d[^\d+]*)\+`)
	weakBreak   = regexp.MustCompile(`[/,]|\s-\s`)
	hours       = regexp.MustCompile(`(?i)(^|\D)[012]?\d\s*h\s*(?:[0-5]\d)?($|[^\pL\d])`)
	trunkZero   = regexp.MustCompile(`\(\s*0\s*\)`)
)

// clean brings a cell to plain characters: NFKC, ordinary spaces and dashes, no
// invisible marks (contact cards pasted in Excel carry direction marks).
func clean(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(text) {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte('\n')
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || r == unicode.ReplacementChar:
		case unicode.Is(unicode.Pd, r):
			b.WriteByte('-')
		default:
			b.WriteRune(r)
		}
	}
	s := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(b.String()), "'="))
	s = strings.Trim(s, `"`)
	if m := decimalTail.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return s
}

// saysNothing recognises what people write in a cell they must not leave empty.
func saysNothing(cell string) bool {
	switch strings.ToLower(strings.Trim(cell, " .-_/?*")) {
	case "", "x", "xx", "nc", "n c", "n.c", "na", "n/a", "nr", "néant", "neant", "aucun", "aucune", "sans", "non", "none", "null", "0":
		return true
	}
	return false
}

func isFloat(cell string) bool { return floatForm.MatchString(cell) }

// fromFloat undoes 6.12345678E8. whole is false when Excel displayed, and the
// file kept, fewer digits than a number needs: Excel's narrow columns keep six.
func fromFloat(cell string) (digits string, whole bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(cell), "e")
	size := 0
	for _, r := range strings.TrimPrefix(exponent, "+") {
		size = size*10 + int(r-'0')
	}
	digits = onlyDigits(mantissa)
	if size > 15 || len(digits) < 7 || len(digits) > size+1 {
		return "", false
	}
	return digits + strings.Repeat("0", size+1-len(digits)), true
}

// segments cuts a cell into pieces that hold one number each, as far as the
// separators tell.
func segments(cell string) []string {
	s := cell
	if hasLetter(s) { // most cells have none, and the expressions cost
		s = plainWords(s)
	}
	if strings.Contains(s, "(") {
		s = trunkZero.ReplaceAllString(s, "")
	}
	if strings.LastIndexByte(s, '+') > 0 {
		s = newNumber.ReplaceAllString(s, "$1\n+")
	}
	var out []string
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == ';' || r == '|' || r == '&' }) {
		for _, piece := range weakSplit(part) {
			if piece = strings.TrimSpace(piece); piece != "" {
				out = append(out, piece)
			}
		}
	}
	return out
}

// plainWords puts right the letters O, takes hours out, and sets words apart
// from digits and numbers apart from each other.
func plainWords(s string) string {
	for range 2 { // neighbours share their separator: "0O O6" needs a second pass
		s = oForZero.ReplaceAllStringFunc(s, func(m string) string {
			return strings.NewReplacer("O", "0", "o", "0").Replace(m)
		})
	}
	for range 2 {
		s = hours.ReplaceAllString(s, "$1 $2") // "après 18h", "8h-20h30"
	}
	s = trunkZero.ReplaceAllString(s, "")
	s = letterDigit.ReplaceAllString(digitLetter.ReplaceAllString(s, "$1 $2"), "$1 $2")
	return conjunction.ReplaceAllString(s, "$1\n$2")
}

func hasLetter(s string) bool {
	return strings.IndexFunc(s, unicode.IsLetter) >= 0
}

// weakSplit cuts at / and , unless they separate the pairs of a single number
// (06/12/34/56/78).
func weakSplit(part string) []string {
	if !strings.ContainsAny(part, "/,-") {
		return []string{part}
	}
	pieces := weakBreak.Split(part, -1)
	total, longest := 0, 0
	for _, p := range pieces {
		n := len(onlyDigits(p))
		total += n
		longest = max(longest, n)
	}
	if len(pieces) > 2 && longest <= 3 && total >= 9 && total <= 13 {
		return []string{part}
	}
	return pieces
}

// runs returns the digits of the numbers in a piece, with their leading + if
// any. Two numbers with nothing but a space between them are told apart by the
// length of a French number.
func runs(piece string) []string {
	digits, breaks, plus := scan(piece)
	if len(digits) == 0 {
		return nil
	}
	if plus {
		return []string{"+" + digits}
	}
	var out []string
	for start := 0; start < len(digits); {
		end := cut(digits[start:], breaks, start)
		out = append(out, digits[start:start+end])
		start += end
	}
	return out
}

// scan gives the digits of a piece, the positions where something stands
// between two digits, and whether a + comes first.
func scan(piece string) (digits string, breaks map[int]bool, plus bool) {
	var b strings.Builder
	breaks = map[int]bool{}
	gap := false
	for _, r := range piece {
		if r >= '0' && r <= '9' {
			if gap && b.Len() > 0 {
				breaks[b.Len()] = true
			}
			b.WriteRune(r)
			gap = false
			continue
		}
		if r == '+' && b.Len() == 0 {
			plus = true
		}
		gap = true
	}
	return b.String(), breaks, plus
}

// cut gives the length of the first number of digits.
func cut(digits string, breaks map[int]bool, offset int) int {
	for _, size := range []int{10, 9} {
		if len(digits) <= size || (digits[0] == '0') != (size == 10) || strings.HasPrefix(digits, "00") {
			continue
		}
		rest := digits[size:]
		twin := len(rest)%size == 0 && (rest[0] == '0') == (size == 10)
		if (twin && size == 10) || (breaks[offset+size] && (twin || len(rest) >= 4) && len(digits) != 13) {
			return size
		}
	}
	return len(digits)
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
