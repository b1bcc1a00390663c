package web

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"tocsin/internal/fault"
)

// The forms of a request.
const (
	Form = "form"
	JSON = "json"
)

// Values are what the placeholders of one message stand for.
type Values map[string]string

var placeholder = regexp.MustCompile(`\{([a-z0-9_]+)\}`)

// Fill replaces the placeholders of one text in a single pass: what a value
// holds is never read as a placeholder.
func (v Values) Fill(s string) string {
	return placeholder.ReplaceAllStringFunc(s, func(p string) string {
		if value, ok := v[p[1:len(p)-1]]; ok {
			return value
		}
		return p
	})
}

// Pair is one field of a form or one header.
type Pair struct{ Name, Value string }

// ParsePairs reads lines of "name<sep>value", whose values may hold the placeholders
// of these names. Errors: Invalid at "at".
func ParsePairs(text, sep, at string, names []string) ([]Pair, error) {
	var out []Pair
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, sep)
		p := Pair{strings.TrimSpace(name), strings.TrimSpace(value)}
		if !found || p.Name == "" || placeholder.MatchString(p.Name) {
			return nil, fault.New(fault.Invalid, "web.bad_line", "line", line, "separator", sep).At(at)
		}
		if err := known(p.Value, at, names); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// known refuses a placeholder that stands for nothing: a typing error would be sent as it is.
func known(s, at string, names []string) error {
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		if !slices.Contains(names, m[1]) {
			return fault.New(fault.Invalid, "web.bad_placeholder", "name", m[1], "names", strings.Join(names, ", ")).At(at)
		}
	}
	return nil
}

// Body is the template of what a request carries. It is read into its
// structure once; values only ever go into the leaves of that structure and
// are encoded there, so that no value can change it.
type Body struct {
	format string
	form   []Pair
	json   any
}

// ContentType is that of what it encodes.
func (b Body) ContentType() string {
	return map[string]string{Form: "application/x-www-form-urlencoded", JSON: "application/json"}[b.format]
}

// ParseBody reads the template of a body. Errors: Invalid at "body".
func ParseBody(format, text string, names []string) (Body, error) {
	b := Body{format: format}
	if format == Form {
		var err error
		b.form, err = ParsePairs(text, "=", "body", names)
		return b, err
	}
	if err := known(text, "body", names); err != nil {
		return b, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&b.json); err != nil || d.More() {
		return b, fault.Wrap(err, fault.Invalid, "web.bad_json").At("body")
	}
	return b, nil
}

// Encode writes the body of one message: a query for a form, JSON otherwise.
func (b Body) Encode(v Values) (string, error) {
	if b.format == Form {
		q := make([]string, len(b.form))
		for i, p := range b.form {
			q[i] = url.QueryEscape(p.Name) + "=" + url.QueryEscape(v.Fill(p.Value))
		}
		return strings.Join(q, "&"), nil
	}
	out, err := json.Marshal(fillTree(b.json, v))
	return string(out), err
}

func fillTree(node any, v Values) any {
	switch n := node.(type) {
	case string:
		return v.Fill(n)
	case []any:
		out := make([]any, len(n))
		for i, e := range n {
			out[i] = fillTree(e, v)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(n))
		for k, e := range n {
			out[k] = fillTree(e, v)
		}
		return out
	}
	return node
}

// FillURL fills an address; a value is one segment of the path or one value of the query.
func FillURL(template string, v Values) string {
	path, query, _ := strings.Cut(template, "?")
	escaped := Values{}
	for name, value := range v {
		escaped[name] = url.PathEscape(value)
	}
	out := escaped.Fill(path)
	if query == "" {
		return out
	}
	for name, value := range v {
		escaped[name] = url.QueryEscape(value)
	}
	return out + "?" + escaped.Fill(query)
}

// OneLine keeps a header on its line.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// CheckURL refuses an address that is not whole, whose machine a value could
// choose, or that is not encrypted unless clear says so. constants are the values
// known before any message. Errors: Invalid at "at".
func CheckURL(address, at string, constants Values, names []string, clear bool) error {
	if err := known(address, at, names); err != nil {
		return err
	}
	u, err := url.Parse(FillURL(address, constants))
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(u.Host, "{}"):
		return fault.New(fault.Invalid, "web.bad_url").At(at)
	case strings.Contains(hostPart(address), "{"):
		return fault.New(fault.Invalid, "web.bad_url").At(at)
	case u.Scheme == "http" && !clear:
		return fault.New(fault.Invalid, "web.in_clear").At(at)
	}
	return nil
}

// hostPart is what stands between the scheme and the path.
func hostPart(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// ParseHeaders reads lines of "Name: value". Errors: Invalid at "headers".
func ParseHeaders(text string, names []string) ([]Pair, error) {
	out, err := ParsePairs(text, ":", "headers", names)
	for _, h := range out {
		if err == nil && !headerName(h.Name) {
			err = fault.New(fault.Invalid, "web.bad_line", "line", h.Name, "separator", ":").At("headers")
		}
	}
	return out, err
}

func headerName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == "" &&
		!strings.EqualFold(s, "Host") && !strings.EqualFold(s, "Content-Length") && !strings.EqualFold(s, "Transfer-Encoding")
}

// ParseProxy reads the address of a proxy; nil for none. Errors: Invalid at "proxy".
func ParseProxy(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.New(fault.Invalid, "web.bad_url").At("proxy")
	}
	return u, nil
}
