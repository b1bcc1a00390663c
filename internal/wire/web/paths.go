package web

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// depthMost bounds how deep a document of the provider is read.
const depthMost = 16

// Leaves are the values of an answer or of a call by their path:
// "messages.0.id" in JSON, "MessageSid" in a form.
type Leaves map[string]string

// AddJSON adds those of a document; what is no JSON adds none.
func (l Leaves) AddJSON(text []byte) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var tree any
	if d.Decode(&tree) == nil {
		l.add("", tree, 0)
	}
}

func (l Leaves) add(path string, node any, depth int) {
	under := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	if depth > depthMost {
		return
	}
	switch n := node.(type) {
	case map[string]any:
		for name, e := range n {
			l.add(under(name), e, depth+1)
		}
	case []any:
		for i, e := range n {
			l.add(under(strconv.Itoa(i)), e, depth+1)
		}
	case string:
		l[path] = n
	case json.Number:
		l[path] = n.String()
	case bool:
		l[path] = strconv.FormatBool(n)
	}
}

// AddForm adds the first value of each field.
func (l Leaves) AddForm(v url.Values) {
	for name, list := range v {
		if len(list) > 0 {
			l[name] = list[0]
		}
	}
}

// Finder takes one value out of a text: by its path, or "~expression" for the
// first group of an expression in the whole text.
type Finder struct {
	path       string
	expression *regexp.Regexp
}

// ParseFinder reads one.
func ParseFinder(s string) (Finder, error) {
	expression, ok := strings.CutPrefix(s, "~")
	if !ok {
		return Finder{path: s}, nil
	}
	re, err := regexp.Compile(expression)
	return Finder{expression: re}, err
}

// Find is what was found, or "".
func (f Finder) Find(text string, l Leaves) string {
	if f.expression == nil {
		return l[f.path]
	}
	m := f.expression.FindStringSubmatch(text)
	switch len(m) {
	case 0:
		return ""
	case 1:
		return m[0]
	}
	return m[1]
}
