package email

import (
	"strings"
	"unicode/utf8"

	// The library's own hook: it decodes the charsets named in a message.
	_ "github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
)

// decodeText makes valid UTF-8 of a body already decoded by its declared
// charset. Old mail programs declare UTF-8 or nothing and write Windows-1252,
// or declare ISO-8859-1 and write Windows-1252 apostrophes (as the WHATWG
// encoding standard knows).
func decodeText(body []byte) string {
	s := string(body)
	if !utf8.Valid(trimPartialRune(body)) {
		s = latin(body)
	}
	s = strings.ToValidUTF8(s, "")
	return strings.Map(func(r rune) rune {
		if r >= 0x80 && r <= 0x9f {
			return charmap.Windows1252.DecodeByte(byte(r))
		}
		return r
	}, s)
}

func latin(body []byte) string {
	var b strings.Builder
	b.Grow(len(body))
	for _, c := range body {
		b.WriteRune(charmap.Windows1252.DecodeByte(c))
	}
	return b.String()
}

// trimPartialRune takes off the bytes of a rune cut by a limit of size.
func trimPartialRune(body []byte) []byte {
	for i := 1; i <= utf8.UTFMax && i <= len(body); i++ {
		c := body[len(body)-i]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(body[len(body)-i:]) {
				return body[:len(body)-i]
			}
			break
		}
	}
	return body
}
