package sigma

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// wild is what a part of a pattern is.
type wild uint8

const (
	literal wild = iota
	anyRun       // *: any number of characters
	anyOne       // ?: exactly one character
)

// part is a piece of a pattern.
type part struct {
	wild wild
	text string
}

// pattern is a value with its wildcards told apart from its text.
type pattern []part

// parsePattern reads wildcards and escapes: \* \? \\ are the characters
// themselves, any other backslash is one (specification, « Escape Character »).
func parsePattern(s string) pattern {
	var out pattern
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			out = append(out, part{text: lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '*' || s[i+1] == '?' || s[i+1] == '\\'):
			i++
			lit.WriteByte(s[i])
		case c == '*':
			flush()
			if len(out) == 0 || out[len(out)-1].wild != anyRun {
				out = append(out, part{wild: anyRun})
			}
		case c == '?':
			flush()
			out = append(out, part{wild: anyOne})
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	return out
}

func literalPattern(s string) pattern {
	if s == "" {
		return nil
	}
	return pattern{{text: s}}
}

// plain is the text of a pattern without wildcards.
func (p pattern) plain() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) == 1 && p[0].wild == literal:
		return p[0].text, true
	}
	return "", false
}

func (p pattern) opensLeft() bool  { return len(p) > 0 && p[0].wild == anyRun }
func (p pattern) opensRight() bool { return len(p) > 0 && p[len(p)-1].wild == anyRun }

// open puts * at the ends that have none.
func (p pattern) open(left, right bool) pattern {
	out := make(pattern, 0, len(p)+2)
	if left && !p.opensLeft() {
		out = append(out, part{wild: anyRun})
	}
	out = append(out, p...)
	if right && !out.opensRight() {
		out = append(out, part{wild: anyRun})
	}
	return out
}

// mapText applies f to every literal.
func (p pattern) mapText(f func(string) string) pattern {
	out := make(pattern, len(p))
	for i, x := range p {
		if x.wild == literal {
			x.text = f(x.text)
		}
		out[i] = x
	}
	return out
}

// fold is the pattern without case.
func (p pattern) fold() pattern { return p.mapText(foldText) }

// escaper writes a text so that a pattern reads it as it is.
var escaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`)

// key writes the pattern so that two are equal when their keys are.
func (p pattern) key() string {
	var b strings.Builder
	for _, x := range p {
		switch x.wild {
		case anyRun:
			b.WriteByte('*')
		case anyOne:
			b.WriteByte('?')
		case literal:
			b.WriteString(escaper.Replace(x.text))
		}
	}
	return b.String()
}

// longest is the longest literal of the pattern.
func (p pattern) longest() string {
	out := ""
	for _, x := range p {
		if len(x.text) > len(out) {
			out = x.text
		}
	}
	return out
}

// match tells whether the whole text is of the pattern. Its time is at most
// the product of both lengths.
func (p pattern) match(text []byte) bool {
	rest := p
	anchored := true
	for {
		run := rest
		for i, x := range rest {
			if x.wild == anyRun {
				run = rest[:i]
				break
			}
		}
		last := len(run) == len(rest)
		switch {
		case anchored && last:
			n, ok := run.prefix(text)
			return ok && n == len(text)
		case anchored:
			n, ok := run.prefix(text)
			if !ok {
				return false
			}
			text = text[n:]
		case last:
			return run.suffix(text)
		default:
			n, ok := run.find(text)
			if !ok {
				return false
			}
			text = text[n:]
		}
		rest = rest[len(run)+1:]
		anchored = false
	}
}

// prefix matches parts without * at the start of text; it returns their length.
func (p pattern) prefix(text []byte) (int, bool) {
	n := 0
	for _, x := range p {
		if x.wild == anyOne {
			if n == len(text) {
				return 0, false
			}
			_, size := utf8.DecodeRune(text[n:])
			n += size
			continue
		}
		if len(text)-n < len(x.text) || string(text[n:n+len(x.text)]) != x.text {
			return 0, false
		}
		n += len(x.text)
	}
	return n, true
}

// find is the end of the first place where parts without * are.
func (p pattern) find(text []byte) (int, bool) {
	if lit, ok := p.plain(); ok {
		i := bytes.Index(text, []byte(lit))
		return i + len(lit), i >= 0
	}
	for from := 0; from <= len(text); {
		if n, ok := p.prefix(text[from:]); ok {
			return from + n, true
		}
		_, size := utf8.DecodeRune(text[from:])
		from += max(size, 1)
	}
	return 0, false
}

// suffix matches parts without * at the end of text.
func (p pattern) suffix(text []byte) bool {
	if lit, ok := p.plain(); ok {
		return bytes.HasSuffix(text, []byte(lit))
	}
	for from := 0; from <= len(text); {
		if n, ok := p.prefix(text[from:]); ok && from+n == len(text) {
			return true
		}
		_, size := utf8.DecodeRune(text[from:])
		from += max(size, 1)
	}
	return false
}
