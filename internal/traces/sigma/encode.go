package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Text writes a text as UTF-16 bytes.
func utf16Text(s string, order binary.AppendByteOrder) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return string(out)
}

// base64Offsets are the three forms a text has inside a longer text that is
// encoded whole: what stays the same whatever stands before and after.
func base64Offsets(s string) []string {
	start := [3]int{0, 2, 3}
	cut := [3]int{0, 3, 2}
	out := make([]string, 3)
	for i := range out {
		enc := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", i) + s))
		end := len(enc) - cut[(len(s)+i)%3]
		out[i] = enc[min(start[i], end):end]
	}
	return out
}

// dashes are the signs that open an option on a Windows command line.
const dashes = "-/–—―"

// windash gives the pattern with each option sign in its five forms. It says
// false when there would be more than maxVariants.
func windash(p pattern) ([]pattern, bool) {
	out := []pattern{{}}
	for _, x := range p {
		forms := []string{x.text}
		if x.wild == literal {
			var ok bool
			if forms, ok = dashForms(x.text); !ok {
				return nil, false
			}
		}
		if len(out)*len(forms) > maxVariants {
			return nil, false
		}
		next := make([]pattern, 0, len(out)*len(forms))
		for _, head := range out {
			for _, f := range forms {
				next = append(next, append(head[:len(head):len(head)], part{wild: x.wild, text: f}))
			}
		}
		out = next
	}
	return out, true
}

// dashForms replaces each sign that has a word after it and none before.
func dashForms(s string) ([]string, bool) {
	out := []string{""}
	from := 0
	before := rune(-1)
	for i, r := range s {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			size = 1
		}
		after, _ := utf8.DecodeRuneInString(s[min(i+size, len(s)):])
		if strings.ContainsRune(dashes, r) && !isWord(before) && i+size < len(s) && isWord(after) {
			if len(out)*5 > maxVariants {
				return nil, false
			}
			next := make([]string, 0, len(out)*5)
			for _, head := range out {
				for _, d := range dashes {
					next = append(next, head+s[from:i]+string(d))
				}
			}
			out, from = next, i+size
		}
		before = r
	}
	for i := range out {
		out[i] += s[from:]
	}
	return out, true
}

func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
}
