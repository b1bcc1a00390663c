package hl7

import (
	"encoding/hex"
	"strings"
)

// unescape puts back the signs that \F\ \S\ \R\ \E\ \T\ \X..\ and \.br\ stand
// for. Marks of emphasis go; what is no escape stays as it is.
func (m *Message) unescape(text string) string {
	mark := string(rune(m.cut.escape))
	if !strings.Contains(text, mark) {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, mark)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		word, after, closed := strings.Cut(rest, mark)
		sign, known := m.sign(word)
		if !closed || !known {
			b.WriteString(mark)
			text = rest
			continue
		}
		b.WriteString(sign)
		text = after
	}
}

// sign is what an escape stands for.
func (m *Message) sign(word string) (string, bool) {
	switch word {
	case "F":
		return string(rune(m.cut.field)), true
	case "S":
		return string(rune(m.cut.component)), true
	case "R":
		return string(rune(m.cut.repetition)), true
	case "E":
		return string(rune(m.cut.escape)), true
	case "T":
		return string(rune(m.cut.sub)), true
	case "H", "N":
		return "", true
	case ".br", ".sp":
		return "\n", true
	}
	if digits, ok := strings.CutPrefix(word, "X"); ok && digits != "" && len(digits)%2 == 0 {
		if bytes, err := hex.DecodeString(digits); err == nil {
			return m.set.decode(bytes), true
		}
	}
	return "", false
}

// escaped writes a text so that it stands in one field.
func (m *Message) escaped(text string) string {
	var b strings.Builder
	mark := rune(m.cut.escape)
	for _, r := range text {
		switch r {
		case rune(m.cut.field):
			b.WriteRune(mark)
			b.WriteByte('F')
		case rune(m.cut.component):
			b.WriteRune(mark)
			b.WriteByte('S')
		case rune(m.cut.repetition):
			b.WriteRune(mark)
			b.WriteByte('R')
		case mark:
			b.WriteRune(mark)
			b.WriteByte('E')
		case rune(m.cut.sub):
			b.WriteRune(mark)
			b.WriteByte('T')
		case '\r', '\n', 0x0b, 0x1c:
			b.WriteByte(' ')
			continue
		default:
			b.WriteRune(r)
			continue
		}
		b.WriteRune(mark)
	}
	return b.String()
}
