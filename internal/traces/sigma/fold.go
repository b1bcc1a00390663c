package sigma

import (
	"unicode"
	"unicode/utf8"
)

// foldTable folds the characters of Latin scripts without a search.
var foldTable = foldLatin()

func foldLatin() [0x250]rune {
	var t [0x250]rune
	for r := range t {
		t[r] = foldSlow(rune(r))
	}
	return t
}

// foldSlow gives one character for all that differ only by case (Unicode's
// simple folding, locale-free): the ASCII letter in small if there is one, or
// else the first of them.
func foldSlow(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// appendFold appends s without case. Bytes that are no UTF-8 are kept as they are.
func appendFold(dst []byte, s string) []byte {
	from := len(dst)
	dst = append(dst, s...)
	all := byte(0)
	for i, c := range dst[from:] {
		all |= c
		if c-'A' < 26 {
			dst[from+i] = c + 'a' - 'A'
		}
	}
	if all < utf8.RuneSelf {
		return dst
	}
	dst = dst[:from]
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[i])
		case int(r) < len(foldTable):
			dst = utf8.AppendRune(dst, foldTable[r])
		default:
			dst = utf8.AppendRune(dst, foldSlow(r))
		}
		i += size
	}
	return dst
}

func foldText(s string) string { return string(appendFold(nil, s)) }
