package i18n

import (
	"fmt"
	"strings"
	"unicode"
)

// The no-break spaces of French typography: the narrow one before ; ! ? and in
// numbers, the plain one elsewhere (Imprimerie nationale, Lexique des règles
// typographiques).
const (
	noBreak       = "\u00a0"
	narrowNoBreak = "\u202f"
)

// sentence is a text cut at its arguments.
type sentence []piece

// piece is a text, or an argument when arg is not empty.
type piece struct{ text, arg string }

// parseSentence cuts text at its {arguments}; {{ and }} stand for braces.
func parseSentence(text string) (sentence, error) {
	var out sentence
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			out = append(out, piece{text: lit.String()})
			lit.Reset()
		}
	}
	for rest := text; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			lit.WriteByte(rest[0])
			rest = rest[2:]
		case rest[0] == '}':
			return nil, fmt.Errorf("a lone } in %q", text)
		case rest[0] == '{':
			name, after, closed := strings.Cut(rest[1:], "}")
			if !closed || !argumentName(name) {
				return nil, fmt.Errorf("a broken argument in %q", text)
			}
			flush()
			out = append(out, piece{arg: name})
			rest = after
		default:
			n := strings.IndexAny(rest, "{}")
			if n < 0 {
				n = len(rest)
			}
			lit.WriteString(rest[:n])
			rest = rest[n:]
		}
	}
	flush()
	return out, nil
}

func argumentName(name string) bool {
	for _, r := range name {
		if r != '_' && !unicode.IsLower(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return name != ""
}

// typeset puts the no-break spaces of French in place of ordinary ones.
func typeset(text string) string {
	return strings.NewReplacer(
		" ;", narrowNoBreak+";", " !", narrowNoBreak+"!", " ?", narrowNoBreak+"?",
		" :", noBreak+":", " »", noBreak+"»", "« ", "«"+noBreak,
		" %", noBreak+"%", " €", noBreak+"€",
	).Replace(text)
}

// Plain puts ordinary spaces back in place of the no-break ones: for a text
// message, where one of them would force the short alphabet out.
func Plain(text string) string {
	return strings.NewReplacer(noBreak, " ", narrowNoBreak, " ").Replace(text)
}
