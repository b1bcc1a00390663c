package gsm

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Plain proposes a spelling of the text that the 7-bit alphabet can write:
// ç→c, ê→e, ’→', « →", œ→oe, …→... A character with no such spelling (an emoji,
// another script) stays as it is. It costs no letter that the alphabet has: é,
// è, à, ù and É are kept.
func Plain(text string) string {
	text = norm.NFC.String(text)
	var b strings.Builder
	b.Grow(len(text))
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		if isQuoteSpace(runes, i) {
			continue
		}
		if p := plainRune(r); p != "" && cost(r) == 0 {
			b.WriteString(p)
			continue
		}
		if isInvisible(r) {
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isQuoteSpace tells whether runes[i] is the no-break space that French puts
// inside « guillemets »: a plain quote takes none.
func isQuoteSpace(runes []rune, i int) bool {
	if !isNoBreakSpace(runes[i]) {
		return false
	}
	return i > 0 && runes[i-1] == '«' || i+1 < len(runes) && runes[i+1] == '»'
}

func isNoBreakSpace(r rune) bool { return r == '\u00a0' || r == '\u202f' }

// isInvisible covers what a word processor or a telephone slips in unseen.
func isInvisible(r rune) bool {
	switch r {
	case '\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\ufe0e', '\ufe0f', '\u200e', '\u200f':
		return true
	}
	return false
}

// plainRune returns the plain spelling of one character, or "".
func plainRune(r rune) string {
	if p := punctuation(r); p != "" {
		return p
	}
	switch r {
	case 'œ':
		return "oe"
	case 'Œ':
		return "OE"
	case 'ł':
		return "l"
	case 'Ł':
		return "L"
	case 'đ', 'ð':
		return "d"
	case 'Đ', 'Ð':
		return "D"
	case 'ı':
		return "i"
	case 'þ':
		return "th"
	case 'Þ':
		return "Th"
	}
	return withoutMarks(r)
}

func punctuation(r rune) string {
	switch r {
	case '’', '‘', '‚', '‛', 'ʼ', '′', '´', '`':
		return "'"
	case '«', '»', '“', '”', '„', '‟', '″':
		return `"`
	case '‹':
		return "<"
	case '›':
		return ">"
	case '–', '—', '‐', '‑', '‒', '―', '−', '•', '·', '‣':
		return "-"
	case '…':
		return "..."
	case '\t', '\u00a0', '\u202f', '\u2009', '\u2002', '\u2003', '\u2007':
		return " "
	case '\u2028', '\u2029':
		return "\n"
	case '→', '➔', '➜', '⇒':
		return "->"
	case '←':
		return "<-"
	case '×', '✕':
		return "x"
	case '÷':
		return "/"
	case '≤':
		return "<="
	case '≥':
		return ">="
	case '±':
		return "+/-"
	case '°', 'º':
		return "o"
	case 'ª':
		return "a"
	case '½':
		return "1/2"
	case '¼':
		return "1/4"
	case '¾':
		return "3/4"
	case '²':
		return "2"
	case '³':
		return "3"
	case '¹':
		return "1"
	case 'µ', 'μ':
		return "u"
	case '©':
		return "(c)"
	case '®':
		return "(r)"
	case '™':
		return "(tm)"
	case '¢':
		return "c"
	}
	return ""
}

// withoutMarks drops the accents of a Latin letter.
func withoutMarks(r rune) string {
	var b strings.Builder
	for _, d := range norm.NFKD.String(string(r)) {
		if unicode.Is(unicode.Mn, d) {
			continue
		}
		if cost(d) == 0 {
			return ""
		}
		b.WriteRune(d)
	}
	if b.String() == string(r) {
		return ""
	}
	return b.String()
}
