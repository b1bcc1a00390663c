// Package jsonscan is « La loupe à JSON »: a JSON value is walked once, scalar by
// scalar, each with its path, without a tree of it being built.
//
// It promises an end in a time that grows with the length of the value only,
// bounded depth and bounded paths; texts are parts of what is walked when
// nothing in them was escaped.
//
// It never converts a number, and it forgives what senders of logs do wrong and
// nobody can misread: control characters in a text.
package jsonscan

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// What a value is refused for.
var (
	ErrSyntax = errors.New("malformed JSON")
	ErrCut    = errors.New("the JSON value is cut short")
	ErrDeep   = errors.New("the JSON value is too deep")
)

// Bounds. A longer path is cut, and so are the names of what is in it.
const (
	MaxDepth = 64
	MaxPath  = 256
)

// Kind is what a scalar is.
type Kind uint8

// The kinds.
const (
	Null Kind = iota
	False
	True
	Number
	String
)

type frame struct {
	mark  int // of the path
	array bool
}

// Scanner walks one value. Its zero value walks nothing: Reset begins.
type Scanner struct {
	s     string
	i     int
	path  [MaxPath]byte
	n     int // length of the path
	stack [MaxDepth]frame
	depth int
	key   string // of the object at depth 1
	kind  Kind
	text  string
	begun bool
	err   error
}

// Reset begins the value that starts at s[from:], after blanks.
func (c *Scanner) Reset(s string, from int) {
	c.s, c.i, c.n, c.depth, c.begun, c.err = s, from, 0, 0, false, nil
}

// Err tells what ended the walk, nil when the value was whole.
func (c *Scanner) Err() error { return c.err }

// Pos is where the walk stands: after the value once Next has answered false
// and Err is nil.
func (c *Scanner) Pos() int { return c.i }

// Path is the names of the objects down to the scalar, joined by dots; arrays
// add nothing. Valid until the next call.
func (c *Scanner) Path() []byte { return c.path[:c.n] }

// Name is Path as a text that lasts.
func (c *Scanner) Name() string {
	if c.depth == 1 && len(c.key) == c.n {
		return c.key
	}
	return string(c.path[:c.n])
}

// Kind is what the scalar is.
func (c *Scanner) Kind() Kind { return c.kind }

// Text is the scalar: a text without its escapes, a number or a word as written.
func (c *Scanner) Text() string { return c.text }

// Next goes on to the next scalar; false at the end of the value or on an error.
func (c *Scanner) Next() bool {
	if c.err != nil {
		return false
	}
	if !c.begun {
		c.begun = true
		return c.value()
	}
	return c.after()
}

func (c *Scanner) fail(err error) bool {
	c.err = err
	return false
}

func (c *Scanner) blanks() {
	for c.i < len(c.s) {
		switch c.s[c.i] {
		case ' ', '\n', '\r', '\t':
			c.i++
		default:
			return
		}
	}
}

// value reads a value: a scalar stops the walk, an object or an array is entered.
func (c *Scanner) value() bool {
	for {
		c.blanks()
		if c.i >= len(c.s) {
			return c.fail(ErrCut)
		}
		switch b := c.s[c.i]; {
		case b == '"':
			c.kind = String
			return c.quoted(&c.text)
		case b == '{' || b == '[':
			if c.depth == MaxDepth {
				return c.fail(ErrDeep)
			}
			c.stack[c.depth] = frame{c.n, b == '['}
			c.depth++
			c.i++
			c.blanks()
			if c.i < len(c.s) && (c.s[c.i] == '}' && b == '{' || c.s[c.i] == ']' && b == '[') {
				c.i++
				c.depth--
				return c.after()
			}
			if b == '{' && !c.name() {
				return false
			}
		case b == '-' || b >= '0' && b <= '9':
			return c.number()
		default:
			return c.word()
		}
	}
}

// after goes on behind a value: to the next of its object or array, or out.
func (c *Scanner) after() bool {
	for c.depth > 0 {
		c.blanks()
		if c.i >= len(c.s) {
			return c.fail(ErrCut)
		}
		top := c.stack[c.depth-1]
		b := c.s[c.i]
		c.i++
		switch {
		case b == ',' && top.array:
			return c.value()
		case b == ',':
			c.n = top.mark
			c.blanks()
			return c.name() && c.value()
		case b == ']' && top.array, b == '}' && !top.array:
			c.depth--
			c.n = top.mark
		default:
			return c.fail(ErrSyntax)
		}
	}
	return false
}

// name reads "name": and adds it to the path.
func (c *Scanner) name() bool {
	if c.i >= len(c.s) {
		return c.fail(ErrCut)
	}
	if c.s[c.i] != '"' {
		return c.fail(ErrSyntax)
	}
	var key string
	if !c.quoted(&key) {
		return false
	}
	c.blanks()
	if c.i >= len(c.s) {
		return c.fail(ErrCut)
	}
	if c.s[c.i] != ':' {
		return c.fail(ErrSyntax)
	}
	c.i++
	if c.depth == 1 {
		c.key = key
	}
	if c.n > 0 && c.n < MaxPath {
		c.path[c.n] = '.'
		c.n++
	}
	c.n += copy(c.path[c.n:], key)
	for c.n == MaxPath && !utf8.Valid(c.path[:c.n]) {
		c.n-- // the path was cut inside a character
		for c.n > 0 && !utf8.Valid(c.path[:c.n]) {
			c.n--
		}
	}
	return true
}

// quoted reads a text at its quotation mark.
func (c *Scanner) quoted(into *string) bool {
	s := c.s
	from := c.i + 1
	for i := from; i < len(s); i++ {
		switch s[i] {
		case '"':
			*into = s[from:i]
			c.i = i + 1
			return true
		case '\\':
			return c.escaped(from, i, into)
		}
	}
	return c.fail(ErrCut)
}

func (c *Scanner) escaped(from, i int, into *string) bool {
	s := c.s
	end := i
	for end < len(s) && s[end] != '"' {
		if s[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(s) {
		return c.fail(ErrCut)
	}
	b := make([]byte, i-from, end-from+utf8.UTFMax)
	copy(b, s[from:i])
	for i < end {
		if s[i] != '\\' {
			b = append(b, s[i])
			i++
			continue
		}
		i++
		switch s[i] {
		case '"', '\\', '/':
			b = append(b, s[i])
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r, n := unicode(s[i+1 : end])
			if n == 0 {
				return c.fail(ErrSyntax)
			}
			b = utf8.AppendRune(b, r)
			i += n
		default:
			return c.fail(ErrSyntax)
		}
		i++
	}
	*into = string(b)
	c.i = end + 1
	return true
}

// unicode reads the digits after \u, and those of a second half: what has no
// half, and the NUL, become U+FFFD.
func unicode(s string) (r rune, n int) {
	r, ok := hex(s)
	if !ok {
		return 0, 0
	}
	n = 4
	if r >= 0xd800 && r < 0xdc00 && strings.HasPrefix(s[4:], `\u`) {
		if low, ok := hex(s[6:]); ok && low >= 0xdc00 && low < 0xe000 {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 10
		}
	}
	if r == 0 || r >= 0xd800 && r < 0xe000 {
		r = utf8.RuneError
	}
	return r, n
}

func hex(s string) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for i := range 4 {
		switch b := s[i]; {
		case b >= '0' && b <= '9':
			r = r<<4 + rune(b-'0')
		case b >= 'a' && b <= 'f':
			r = r<<4 + rune(b-'a') + 10
		case b >= 'A' && b <= 'F':
			r = r<<4 + rune(b-'A') + 10
		default:
			return 0, false
		}
	}
	return r, true
}

func (c *Scanner) number() bool {
	from := c.i
	for c.i < len(c.s) {
		switch b := c.s[c.i]; {
		case b >= '0' && b <= '9', b == '-', b == '+', b == '.', b == 'e', b == 'E':
			c.i++
			continue
		}
		break
	}
	c.kind, c.text = Number, c.s[from:c.i]
	if last := c.text[len(c.text)-1]; last < '0' || last > '9' {
		return c.fail(ErrSyntax)
	}
	return true
}

func (c *Scanner) word() bool {
	for kind, word := range [...]string{Null: "null", False: "false", True: "true"} {
		if strings.HasPrefix(c.s[c.i:], word) {
			c.kind, c.text = Kind(kind), word
			c.i += len(word)
			return true
		}
	}
	if len(c.s)-c.i < 5 && (strings.HasPrefix("null", c.s[c.i:]) || strings.HasPrefix("true", c.s[c.i:]) || strings.HasPrefix("false", c.s[c.i:])) {
		return c.fail(ErrCut)
	}
	return c.fail(ErrSyntax)
}

// Elements cuts a text into the values at its top: those of an array of values,
// or values one after the other, on lines or not. each is given where a value
// begins and ends. It stops at what is no value, and gives where.
func Elements(s string, each func(from, to int)) (stopped int, err error) {
	var c Scanner
	i := blanks(s, 0)
	array := i < len(s) && s[i] == '['
	if array {
		i = blanks(s, i+1)
		if i < len(s) && s[i] == ']' {
			return closing(s, i)
		}
	}
	for i < len(s) {
		c.Reset(s, i)
		for c.Next() {
		}
		if c.err != nil {
			return i, c.err
		}
		each(i, c.i)
		i = blanks(s, c.i)
		if !array {
			continue
		}
		switch {
		case i < len(s) && s[i] == ',':
			i = blanks(s, i+1)
		case i < len(s) && s[i] == ']':
			return closing(s, i)
		case i < len(s):
			return i, ErrSyntax
		}
	}
	if array {
		return i, ErrCut
	}
	return i, nil
}

func closing(s string, i int) (int, error) {
	if i = blanks(s, i+1); i < len(s) {
		return i, ErrSyntax
	}
	return i, nil
}

func blanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t') {
		i++
	}
	return i
}
