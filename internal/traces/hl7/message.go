package hl7

import (
	"strings"

	"tocsin/internal/fault"
)

// Bounds of a message. The largest that matter for care have a few dozen
// segments; documents carried inside others (ORU) make one long segment.
const (
	MaxMessage  = 1 << 20 // bytes
	maxSegments = 2000
)

// Message is a message cut in segments. Fields are cut when they are asked for.
type Message struct {
	segments []Segment
	cut      delimiters
	set      charset
}

// delimiters are the signs that MSH-1 and MSH-2 choose.
type delimiters struct{ field, component, repetition, escape, sub byte }

// Segment is one line of a message, in UTF-8, with its escapes.
type Segment struct {
	Name string
	text string // after the name, the separator first
	m    *Message
}

// Field is one field or one repetition of it, or a component: a text that may
// hold parts. The zero value is an absent one.
type Field struct {
	text string
	m    *Message
}

// Parse cuts a message. Errors: Invalid.
func Parse(raw []byte) (*Message, error) {
	if len(raw) > MaxMessage {
		return nil, fault.New(fault.Invalid, "traces.hl7.long", "most", MaxMessage>>20)
	}
	for len(raw) > 0 && (raw[0] <= ' ' || raw[0] == 0xEF || raw[0] == 0xBB || raw[0] == 0xBF) {
		raw = raw[1:] // blank lines, and the mark of UTF-8 that some send
	}
	if len(raw) < 8 || string(raw[:3]) != "MSH" {
		return nil, fault.New(fault.Invalid, "traces.hl7.no_header")
	}
	m := &Message{cut: delimiters{field: raw[3]}}
	if !m.cut.read(raw[4:]) {
		return nil, fault.New(fault.Invalid, "traces.hl7.separators")
	}
	m.set = charsetOf(raw, m.cut)
	for line := range strings.FieldsFuncSeq(m.set.decode(raw), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if line = strings.TrimLeft(line, " \t\x00"); len(line) < 3 {
			continue
		}
		if len(m.segments) == maxSegments {
			return nil, fault.New(fault.Invalid, "traces.hl7.segments", "most", maxSegments)
		}
		m.segments = append(m.segments, Segment{Name: line[:3], text: line[3:], m: m})
	}
	return m, nil
}

// read takes the four signs of MSH-2, and the usual ones for those left out.
func (d *delimiters) read(after []byte) bool {
	d.component, d.repetition, d.escape, d.sub = '^', '~', '\\', '&'
	for i, into := range []*byte{&d.component, &d.repetition, &d.escape, &d.sub} {
		if i >= len(after) || after[i] == d.field || after[i] == '\r' || after[i] == '\n' {
			break
		}
		*into = after[i]
	}
	seen := map[byte]bool{}
	for _, c := range []byte{d.field, d.component, d.repetition, d.escape, d.sub} {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if c <= ' ' || c >= 0x7f || letter || seen[c] {
			return false
		}
		seen[c] = true
	}
	return true
}

// Segment gives the first of a name; its zero value when there is none.
func (m *Message) Segment(name string) Segment {
	for _, s := range m.segments {
		if s.Name == name {
			return s
		}
	}
	return Segment{m: m}
}

// All gives every segment of a name.
func (m *Message) All(name string) (out []Segment) {
	for _, s := range m.segments {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

// Field gives field n, from 1, with all its repetitions. In MSH, the first field
// is the separator itself.
func (s Segment) Field(n int) Field {
	if s.Name == "MSH" {
		n--
	}
	if n < 1 || s.m == nil {
		return Field{m: s.m}
	}
	return Field{nth(s.text, s.m.cut.field, n), s.m}
}

// Each gives the repetitions of a field that are not empty.
func (f Field) Each() (out []Field) {
	if f.text == "" {
		return nil
	}
	for part := range strings.SplitSeq(f.text, string(rune(f.m.cut.repetition))) {
		if part != "" {
			out = append(out, Field{part, f.m})
		}
	}
	return out
}

// First is the first repetition.
func (f Field) First() Field {
	if f.text == "" {
		return f
	}
	return Field{nth(f.text, f.m.cut.repetition, 0), f.m}
}

// Part gives component n, from 1, of the first repetition.
func (f Field) Part(n int) Field {
	if f.text == "" || n < 1 {
		return Field{m: f.m}
	}
	return Field{nth(f.First().text, f.m.cut.component, n-1), f.m}
}

// Sub gives sub-component n, from 1.
func (f Field) Sub(n int) Field {
	if f.text == "" || n < 1 {
		return Field{m: f.m}
	}
	return Field{nth(f.text, f.m.cut.sub, n-1), f.m}
}

// Text is what the field says, its first sub-component when it has several;
// empty for the two quotes by which a sender deletes a value.
func (f Field) Text() string {
	if f.text == "" {
		return ""
	}
	text := strings.TrimSpace(f.m.unescape(f.Part(1).Sub(1).text))
	if text == `""` {
		return ""
	}
	return text
}

// nth is part n, from 0, of a text; empty when it has fewer.
func nth(text string, sep byte, n int) string {
	for ; n > 0; n-- {
		i := strings.IndexByte(text, sep)
		if i < 0 {
			return ""
		}
		text = text[i+1:]
	}
	if i := strings.IndexByte(text, sep); i >= 0 {
		return text[:i]
	}
	return text
}
