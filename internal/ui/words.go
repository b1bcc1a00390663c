package ui

import (
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// sameWord compares what was typed with the word to type: capitals and accents
// do not matter at 3 a.m.
func sameWord(typed, word string) bool {
	return folded(typed) != "" && folded(typed) == folded(word)
}

func folded(s string) string {
	out, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
	if err != nil {
		out = s
	}
	return strings.ToLower(strings.TrimSpace(out))
}
