package terms

import (
	"strings"
	"unicode/utf8"

	"tocsin/internal/traces"
)

// Clean makes a text one that the base keeps: bytes that are no UTF-8 become
// U+FFFD, and the original has them as they came.
func Clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Pairs are one text, so that they are searched as one: name, unitSep, value,
// recordSep. In texts these and escape are preceded by escape.
const (
	escape    = '\x1a'
	recordSep = '\x1e'
	unitSep   = '\x1f'
)

// JoinPairs writes pairs as one text.
func JoinPairs(pairs []traces.Pair) string {
	if len(pairs) == 0 {
		return ""
	}
	var b strings.Builder
	for _, p := range pairs {
		writeEscaped(&b, Clean(p.Name))
		b.WriteByte(unitSep)
		writeEscaped(&b, Clean(p.Value))
		b.WriteByte(recordSep)
	}
	return b.String()
}

func writeEscaped(b *strings.Builder, s string) {
	if !strings.ContainsAny(s, "\x1a\x1e\x1f") {
		b.WriteString(s)
		return
	}
	for _, r := range s {
		if r == escape || r == recordSep || r == unitSep {
			b.WriteByte(escape)
		}
		b.WriteRune(r)
	}
}

// SplitPairs is the inverse of JoinPairs.
func SplitPairs(s string) []traces.Pair {
	var out []traces.Pair
	var p traces.Pair
	var part strings.Builder
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			escaped = false
			part.WriteRune(r)
		case r == escape:
			escaped = true
		case r == unitSep:
			p.Name = part.String()
			part.Reset()
		case r == recordSep:
			p.Value = part.String()
			out = append(out, p)
			part.Reset()
		default:
			part.WriteRune(r)
		}
	}
	return out
}
