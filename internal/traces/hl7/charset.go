package hl7

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// charset is how the characters of a message are written (MSH-18, table 0211).
// one is nil for UTF-8.
type charset struct {
	name string
	one  *charmap.Charmap
}

// charsetOf reads MSH-18 before anything is decoded: it is written in ASCII. A
// sender that says nothing, or something that its bytes deny, is believed to
// write UTF-8 when they are, and else Windows-1252, of which 8859/1 is a part.
func charsetOf(raw []byte, d delimiters) charset {
	header, _, _ := bytes.Cut(raw, []byte{'\r'})
	header, _, _ = bytes.Cut(header, []byte{'\n'})
	text := string(header)
	name := strings.ToUpper(strings.TrimSpace(nth(nth(text, d.field, 17), d.repetition, 0)))
	switch name {
	case "8859/15", "ISO-8859-15", "ISO8859-15", "ISO-IR203":
		return charset{name, charmap.ISO8859_15}
	case "8859/1", "ISO-8859-1", "ISO8859-1", "ISO_IR 100":
		// What is declared so by a program of Windows is often Windows-1252; the
		// letters are the same, and the controls it replaces are in no name.
		return charset{name, charmap.Windows1252}
	case "8859/2":
		return charset{name, charmap.ISO8859_2}
	}
	if utf8.Valid(raw) {
		return charset{name, nil}
	}
	return charset{"8859/1", charmap.Windows1252}
}

func (c charset) decode(raw []byte) string {
	if c.one == nil {
		return strings.ToValidUTF8(string(raw), string(utf8.RuneError))
	}
	var b strings.Builder
	b.Grow(len(raw) + len(raw)/8)
	for _, one := range raw {
		b.WriteRune(c.one.DecodeByte(one))
	}
	return b.String()
}

// encode writes a text for the peer; what his characters lack is left out of
// words as "?".
func (c charset) encode(text string) []byte {
	if c.one == nil {
		return []byte(text)
	}
	out, err := encoding.ReplaceUnsupported(c.one.NewEncoder()).Bytes([]byte(text))
	if err != nil {
		return []byte(strings.Map(func(r rune) rune {
			if r > 0x7e {
				return '?'
			}
			return r
		}, text))
	}
	return bytes.ReplaceAll(out, []byte{0x1a}, []byte{'?'})
}
