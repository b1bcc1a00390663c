// Package xmlscan is « La loupe à XML »: a document is walked once, from start to
// end, without a tree of it being built.
//
// It promises an end in a time that grows with the length of the document only:
// a document type, an entity of its own or an external one is refused, never
// opened; depth and attributes are bounded; elements must be closed in order.
//
// It never checks a schema, and it knows local names only: prefixes of
// namespaces are passed over.
package xmlscan

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// What a document is refused for.
var (
	ErrSyntax  = errors.New("malformed XML")
	ErrCut     = errors.New("the XML document is cut short")
	ErrDoctype = errors.New("a document type or an entity of its own is not accepted")
	ErrDeep    = errors.New("the XML document is too deep or has too many attributes")
)

// Bounds.
const (
	MaxDepth = 64
	MaxAttrs = 64
)

// Kind is what the scanner stands on.
type Kind uint8

// The kinds. Done is the end of the document, or an error: Err tells.
const (
	Done Kind = iota
	Start
	End
	Text
)

// Attr is an attribute, its entities resolved.
type Attr struct{ Name, Value string }

// Scanner walks a document.
type Scanner struct {
	s     string
	i     int
	from  int // where what it stands on begins
	names [MaxDepth]string
	depth int
	name  string
	text  string
	attrs [MaxAttrs]Attr
	n     int
	empty bool // <a/>: its end comes next
	begun bool
	err   error
}

// Reset begins a document. Texts and names are parts of s when they can be.
func (x *Scanner) Reset(s string) {
	x.s, x.i, x.from, x.depth, x.n, x.empty, x.begun, x.err = strings.TrimPrefix(s, "\ufeff"), 0, 0, 0, 0, false, false, nil
}

// Err tells why the walk ended, nil at the end of a sound document.
func (x *Scanner) Err() error { return x.err }

// Name is the local name of the element.
func (x *Scanner) Name() string { return x.name }

// Text is what stands between elements, its entities resolved.
func (x *Scanner) Text() string { return x.text }

// Depth is how many elements are open, the one that starts included.
func (x *Scanner) Depth() int { return x.depth }

// Pos is where what it stands on begins and ends in the document.
func (x *Scanner) Pos() (from, to int) { return x.from, x.i }

// Attrs are those of the element that starts; valid until the next call.
func (x *Scanner) Attrs() []Attr { return x.attrs[:x.n] }

// Attr is the value of an attribute of the element that starts, "" when it has none.
func (x *Scanner) Attr(name string) string {
	for i := range x.n {
		if x.attrs[i].Name == name {
			return x.attrs[i].Value
		}
	}
	return ""
}

// Skip passes over the rest of the element that has just started.
func (x *Scanner) Skip() {
	for depth := x.depth; x.depth >= depth; {
		if x.Next() == Done {
			return
		}
	}
}

// Content is the text of the element that has just started, up to its end; what
// stands in elements inside is passed over.
func (x *Scanner) Content() string {
	var out string
	for depth := x.depth; ; {
		switch x.Next() {
		case Done:
			return out
		case Text:
			if x.depth == depth {
				out += x.text
			}
		case End:
			if x.depth < depth {
				return out
			}
		}
	}
}

func (x *Scanner) fail(err error) Kind {
	x.err = err
	return Done
}

// Next goes on to the next start, end or text.
func (x *Scanner) Next() Kind {
	if x.err != nil {
		return Done
	}
	if x.empty {
		x.empty = false
		return x.close()
	}
	for {
		x.from = x.i
		if x.i >= len(x.s) {
			if x.depth > 0 || !x.begun {
				return x.fail(ErrCut)
			}
			return Done
		}
		if x.s[x.i] != '<' {
			if kind, some := x.between(); some {
				return kind
			}
			continue
		}
		rest := x.s[x.i+1:]
		switch {
		case rest == "":
			return x.fail(ErrCut)
		case rest[0] == '/':
			return x.end()
		case rest[0] == '?':
			if !x.pass("?>") {
				return Done
			}
		case strings.HasPrefix(rest, "!--"):
			if !x.pass("-->") {
				return Done
			}
		case strings.HasPrefix(rest, "![CDATA["):
			return x.cdata()
		case rest[0] == '!':
			return x.fail(ErrDoctype)
		default:
			return x.start()
		}
	}
}

// pass goes past the end of a comment or an instruction.
func (x *Scanner) pass(end string) bool {
	i := strings.Index(x.s[x.i+2:], end)
	if i < 0 {
		x.err = ErrCut
		return false
	}
	x.i += 2 + i + len(end)
	return true
}

// between reads text; blanks between elements say nothing.
func (x *Scanner) between() (Kind, bool) {
	i := strings.IndexByte(x.s[x.i:], '<')
	if i < 0 {
		i = len(x.s) - x.i
	}
	t := x.s[x.i : x.i+i]
	x.i += i
	if blank(t) {
		return Done, false
	}
	if x.depth == 0 {
		return x.fail(ErrSyntax), true
	}
	text, ok := unescape(t)
	if !ok {
		return x.fail(ErrDoctype), true
	}
	x.text = text
	return Text, true
}

func blank(s string) bool {
	for i := range len(s) {
		if !space(s[i]) {
			return false
		}
	}
	return true
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (x *Scanner) cdata() Kind {
	const open = "<![CDATA["
	i := strings.Index(x.s[x.i+len(open):], "]]>")
	if i < 0 {
		return x.fail(ErrCut)
	}
	if x.depth == 0 {
		return x.fail(ErrSyntax)
	}
	x.text = x.s[x.i+len(open) : x.i+len(open)+i]
	x.i += len(open) + i + len("]]>")
	return Text
}

func (x *Scanner) end() Kind {
	i := strings.IndexByte(x.s[x.i:], '>')
	if i < 0 {
		return x.fail(ErrCut)
	}
	name := strings.TrimRight(x.s[x.i+2:x.i+i], " \t\r\n")
	if x.depth == 0 || local(name) != x.names[x.depth-1] {
		return x.fail(ErrSyntax)
	}
	x.i += i + 1
	return x.close()
}

func (x *Scanner) close() Kind {
	x.depth--
	x.name, x.n = x.names[x.depth], 0
	return End
}

func local(name string) string {
	if i := strings.IndexByte(name, ':'); i >= 0 {
		return name[i+1:]
	}
	return name
}

// named reads a name at i.
func (x *Scanner) named() string {
	from := x.i
	for x.i < len(x.s) {
		switch c := x.s[x.i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == ':', c >= 0x80:
			x.i++
		default:
			return x.s[from:x.i]
		}
	}
	return x.s[from:x.i]
}

func (x *Scanner) blanks() {
	for x.i < len(x.s) && space(x.s[x.i]) {
		x.i++
	}
}

func (x *Scanner) start() Kind {
	x.i++
	x.n = 0
	name := local(x.named())
	switch {
	case name == "":
		return x.fail(ErrSyntax)
	case x.depth == MaxDepth:
		return x.fail(ErrDeep)
	}
	for {
		x.blanks()
		if x.i >= len(x.s) {
			return x.fail(ErrCut)
		}
		switch x.s[x.i] {
		case '>':
			x.i++
			return x.open(name)
		case '/':
			if x.i+1 >= len(x.s) {
				return x.fail(ErrCut)
			}
			if x.s[x.i+1] != '>' {
				return x.fail(ErrSyntax)
			}
			x.i += 2
			x.empty = true
			return x.open(name)
		}
		if err := x.attr(); err != nil {
			return x.fail(err)
		}
	}
}

func (x *Scanner) open(name string) Kind {
	if x.depth == 0 {
		x.begun = true
	}
	x.names[x.depth] = name
	x.depth++
	x.name = name
	return Start
}

func (x *Scanner) attr() error {
	name := x.named()
	if name == "" {
		return ErrSyntax
	}
	x.blanks()
	if x.i >= len(x.s) {
		return ErrCut
	}
	if x.s[x.i] != '=' {
		return ErrSyntax
	}
	x.i++
	x.blanks()
	if x.i >= len(x.s) {
		return ErrCut
	}
	q := x.s[x.i]
	if q != '"' && q != '\'' {
		return ErrSyntax
	}
	end := strings.IndexByte(x.s[x.i+1:], q)
	if end < 0 {
		return ErrCut
	}
	value := x.s[x.i+1 : x.i+1+end]
	x.i += end + 2
	if strings.IndexByte(value, '<') >= 0 {
		return ErrSyntax
	}
	if name == "xmlns" || strings.HasPrefix(name, "xmlns:") {
		return nil
	}
	value, ok := unescape(value)
	if !ok {
		return ErrDoctype
	}
	if x.n == MaxAttrs {
		return ErrDeep
	}
	x.attrs[x.n] = Attr{local(name), value}
	x.n++
	return nil
}

// unescape resolves the five entities of XML and references to characters; any
// other would come from a document type.
func unescape(s string) (string, bool) {
	i := strings.IndexByte(s, '&')
	if i < 0 {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i >= 0 {
		b = append(b, s[:i]...)
		s = s[i+1:]
		end := strings.IndexByte(s[:min(len(s), 12)], ';')
		if end < 0 {
			return "", false
		}
		r, ok := entity(s[:end])
		if !ok {
			return "", false
		}
		b = utf8.AppendRune(b, r)
		s = s[end+1:]
		i = strings.IndexByte(s, '&')
	}
	return string(append(b, s...)), true
}

func entity(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, number := strings.CutPrefix(name, "#")
	if !number || digits == "" {
		return 0, false
	}
	base := rune(10)
	if digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	var r rune
	for _, c := range []byte(digits) {
		v := value(c)
		if v >= base {
			return 0, false
		}
		if r = r*base + v; r > utf8.MaxRune {
			return 0, false
		}
	}
	if r == 0 || digits == "" {
		return utf8.RuneError, digits != ""
	}
	return r, true
}

func value(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return 99
}
