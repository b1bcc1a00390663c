package reply

import (
	"strconv"
	"strings"
)

// tokenKind is what a token is.
type tokenKind int

const (
	word   tokenKind = iota // a lemma, or a word as typed
	number                  // digits, value in n
	delay                   // a time before arrival, minutes in n
	hour                    // an hour of the day, minutes after midnight in n
	pause                   // the end of a clause
	asked                   // a question mark
)

// token is one word, figure or stop of the text.
type token struct {
	kind tokenKind
	text string
	n    int
	// twice is set for an hour that may be of the morning or the evening.
	twice bool
	// glued follows the one before without a space.
	glued bool
	// self is set for a verb written with its "j'".
	self bool
}

// read cuts a folded text into tokens and gives every known spelling its lemma.
func read(text string) []token {
	var out []token
	for i := 0; i < len(text); {
		c := text[i]
		glued := i > 0 && text[i-1] != ' ' && text[i-1] != '\n'
		switch {
		case isDigit(c):
			j := i
			for j < len(text) && isDigit(text[j]) {
				j++
			}
			out, i = appendFigures(out, text, i, j, glued)
		case isLetter(c):
			j := i
			for j < len(text) && (isLetter(text[j]) || text[j] == '\'' && j+1 < len(text) && isLetter(text[j+1])) {
				j++
			}
			out = appendWord(out, text[i:j], glued)
			i = j
		default:
			out = appendSign(out, c, glued)
			i++
		}
	}
	return out
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

// appendFigures reads digits text[i:j], or the slang that mixes them with
// letters ("2m1", "b1"), and returns where to go on.
func appendFigures(out []token, text string, i, j int, glued bool) ([]token, int) {
	for _, slang := range []string{"2m1", "2main", "2min1"} {
		if strings.HasPrefix(text[i:], slang) && (i+len(slang) == len(text) || !isLetter(text[i+len(slang)])) {
			return append(out, token{kind: word, text: "demain"}), i + len(slang)
		}
	}
	n, err := strconv.Atoi(text[i:j])
	if err != nil || j-i > 6 {
		n = 1_000_000
	}
	return append(out, token{kind: number, text: text[i:j], n: n, glued: glued}), j
}

// longWord is longer than any word with its elisions.
const longWord = 40

// appendWord adds a word: its lemma, or the pieces an elision joins.
func appendWord(out []token, w string, glued bool) []token {
	if len(w) > longWord {
		return append(out, token{kind: word, text: w, glued: glued})
	}
	whole := squeezed(strings.ReplaceAll(w, "'", ""))
	if l, ok := lemmas[whole]; ok {
		found := words(l, glued)
		found[0].self = whole[0] == 'j'
		return append(out, found...)
	}
	if at := strings.IndexByte(w, '\''); at > 0 {
		return appendWord(appendWord(out, w[:at], glued), w[at+1:], true)
	}
	if l, ok := lemmas[almost(whole)]; ok {
		return append(out, words(l, glued)...)
	}
	return append(out, token{kind: word, text: whole, glued: glued})
}

func words(lemma string, glued bool) []token {
	var out []token
	for _, w := range strings.Fields(lemma) {
		out = append(out, token{kind: word, text: w, glued: glued})
	}
	return out
}

// squeezed shortens what a finger held down: "ouiiii" is "oui".
func squeezed(w string) string {
	var b strings.Builder
	for i := 0; i < len(w); i++ {
		if i >= 2 && w[i] == w[i-1] && w[i] == w[i-2] {
			continue
		}
		b.WriteByte(w[i])
	}
	s := b.String()
	if n := len(s); n >= 3 && n < len(w) && s[n-1] == s[n-2] {
		s = s[:n-1]
	}
	if _, ok := lemmas[s]; ok || len(s) == len(w) {
		return s
	}
	return strings.NewReplacer("oo", "o", "ii", "i", "nn", "n", "kk", "k").Replace(s)
}

func appendSign(out []token, c byte, glued bool) []token {
	switch c {
	case '\n', '.', ',', ';', '!', '(', ')':
		return append(out, token{kind: pause, text: string(c), glued: glued})
	case '?':
		return append(out, token{kind: asked, glued: glued}, token{kind: pause, text: "?"})
	case ':', '/', '-', '\'', '"', '+', '~':
		return append(out, token{kind: pause, text: string(c), glued: glued})
	}
	return out
}

// almost returns the known word that one typing error separates from w: a
// letter too many, too few, wrong, or two exchanged. The first letter is
// trusted, and short words are not corrected.
func almost(w string) string {
	if len(w) < 5 || len(w) > 14 {
		return w
	}
	for _, root := range correctable {
		if root[0] == w[0] && oneSlip(w, root) {
			return root
		}
	}
	return w
}

// oneSlip tells whether a and b differ by one slip, in one pass.
func oneSlip(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	if len(a) > len(b) {
		return a[i+1:] == b[i:]
	}
	if i == len(b) || a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
