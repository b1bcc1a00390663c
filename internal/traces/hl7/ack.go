package hl7

import (
	"strings"
	"time"
)

// Code is what an acknowledgement says (table 0008).
type Code string

// The codes.
const (
	Accept Code = "AA" // it is kept
	Fail   Code = "AE" // it could not be understood: sending it again changes nothing
	Reject Code = "AR" // it is no message of HL7
)

// Ack writes the answer to a message: from whom it was meant for to who sent it,
// in his version and his characters. text says why, empty for nothing to say. m
// is nil for what was no message at all.
func Ack(m *Message, code Code, text, control string, now time.Time) []byte {
	if m == nil {
		m = &Message{cut: delimiters{'|', '^', '~', '\\', '&'}}
	}
	head := m.Segment("MSH")
	kind := "ACK"
	if trigger := head.Field(9).Part(2).Text(); trigger != "" {
		kind += "^" + m.escaped(trigger) + "^ACK"
	}
	version := head.Field(12).First().text
	if version == "" {
		version = "2.5"
	}
	d := m.cut
	fields := []string{
		string([]byte{d.component, d.repetition, d.escape, d.sub}), head.Field(5).text, head.Field(6).text, head.Field(3).text, head.Field(4).text, stamp(now), "",
		strings.ReplaceAll(kind, "^", string(rune(d.component))), m.escaped(control), or(head.Field(11).text, "P"), version, "", "", "", "", head.Field(17).text, m.set.declared(),
	}
	field := string(rune(d.field))
	lines := []string{"MSH" + field + strings.Join(fields, field), strings.Join([]string{"MSA", string(code), head.Field(10).text, m.escaped(text)}, field)}
	if code != Accept {
		c := string(rune(d.component))
		lines = append(lines, strings.Join([]string{"ERR", "", "", "207" + c + "Application internal error" + c + "HL70357", "E", "", "", "", m.escaped(text)}, field))
	}
	return m.set.encode(strings.Join(lines, "\r") + "\r")
}

// declared is what MSH-18 of an answer says.
func (c charset) declared() string {
	if c.one == nil {
		return "UNICODE UTF-8"
	}
	return c.name
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
