package smshttp

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// depthMost bounds how deep a document of the provider is read.
const depthMost = 16

// leaves are the values of an answer or of a call by their path:
// "messages.0.id" in JSON, "MessageSid" in a form.
type leaves map[string]string

func (l leaves) addJSON(text []byte) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var tree any
	if d.Decode(&tree) == nil {
		l.add("", tree, 0)
	}
}

func (l leaves) add(path string, node any, depth int) {
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

func (l leaves) addForm(v url.Values) {
	for name, list := range v {
		if len(list) > 0 {
			l[name] = list[0]
		}
	}
}

// finder takes one value out of a text: by its path, or "~expression" for the
// first group of an expression in the whole text.
type finder struct {
	path       string
	expression *regexp.Regexp
}

func parseFinder(s string) (finder, error) {
	expression, ok := strings.CutPrefix(s, "~")
	if !ok {
		return finder{path: s}, nil
	}
	re, err := regexp.Compile(expression)
	return finder{expression: re}, err
}

func (f finder) find(text string, l leaves) string {
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
