package smshttp

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"tocsin/internal/fault"
)

// The forms of a request.
const (
	formatForm = "form"
	formatJSON = "json"
)

// values are what the placeholders of one message stand for.
type values map[string]string

// placeholders are the names a template may use.
func placeholders() []string {
	return []string{
		"numero", "numero_chiffres", "numero_00", "texte", "id", "expediteur", "compte", "utilisateur", "mot_de_passe",
		"identification", "validite_minutes", "validite_secondes", "codage", "retour",
	}
}

var placeholder = regexp.MustCompile(`\{([a-z0-9_]+)\}`)

// fill replaces the placeholders of one text in a single pass: what a value
// holds is never read as a placeholder.
func (v values) fill(s string) string {
	return placeholder.ReplaceAllStringFunc(s, func(p string) string {
		if value, ok := v[p[1:len(p)-1]]; ok {
			return value
		}
		return p
	})
}

// pair is one field of a form or one header.
type pair struct{ name, value string }

// parsePairs reads lines of "name<sep>value".
func parsePairs(text, sep, at string) ([]pair, error) {
	var out []pair
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, sep)
		p := pair{strings.TrimSpace(name), strings.TrimSpace(value)}
		if !found || p.name == "" || placeholder.MatchString(p.name) {
			return nil, fault.New(fault.Invalid, "channels.smshttp.bad_line", "line", line, "separator", sep).At(at)
		}
		if err := known(p.value, at); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// known refuses a placeholder that stands for nothing: a typing error would be sent as it is.
func known(s, at string) error {
	names := values{}
	for _, n := range placeholders() {
		names[n] = ""
	}
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		if _, ok := names[m[1]]; !ok {
			return fault.New(fault.Invalid, "channels.smshttp.bad_placeholder", "name", m[1], "names", strings.Join(placeholders(), ", ")).At(at)
		}
	}
	return nil
}

// body is the template of what a request carries. It is read into its
// structure once; values only ever go into the leaves of that structure and
// are encoded there, so that no value can change it.
type body struct {
	format string
	form   []pair
	json   any
}

func parseBody(format, text string) (body, error) {
	b := body{format: format}
	if format == formatForm {
		var err error
		b.form, err = parsePairs(text, "=", "body")
		return b, err
	}
	if err := known(text, "body"); err != nil {
		return b, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&b.json); err != nil || d.More() {
		return b, fault.Wrap(err, fault.Invalid, "channels.smshttp.bad_json").At("body")
	}
	return b, nil
}

// encode writes the body of one message: a query for a form, JSON otherwise.
func (b body) encode(v values) (string, error) {
	if b.format == formatForm {
		q := make([]string, len(b.form))
		for i, p := range b.form {
			q[i] = url.QueryEscape(p.name) + "=" + url.QueryEscape(v.fill(p.value))
		}
		return strings.Join(q, "&"), nil
	}
	out, err := json.Marshal(fillTree(b.json, v))
	return string(out), err
}

func fillTree(node any, v values) any {
	switch n := node.(type) {
	case string:
		return v.fill(n)
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

// fillURL fills an address; a value is one segment of the path or one value of the query.
func fillURL(template string, v values) string {
	path, query, _ := strings.Cut(template, "?")
	escaped := values{}
	for name, value := range v {
		escaped[name] = url.PathEscape(value)
	}
	out := escaped.fill(path)
	if query == "" {
		return out
	}
	for name, value := range v {
		escaped[name] = url.QueryEscape(value)
	}
	return out + "?" + escaped.fill(query)
}

// oneLine keeps a header on its line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
