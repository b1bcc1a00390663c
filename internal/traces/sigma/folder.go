package sigma

import (
	"errors"
	"io/fs"
	"maps"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Tried is the result of a file of rules: whether it can be read, and how its
// trial, the file x.test.yml beside x.yml, went.
type Tried struct {
	File   string
	Title  string // of the first rule
	Err    error  // the rules or their trial cannot be read
	Tested bool   // there is a trial
	Cases  int
	Failed []Failed
}

// OK tells whether the rules were read, and the trial, if any, passed.
func (t Tried) OK() bool { return t.Err == nil && len(t.Failed) == 0 }

// Failed is an event, or a series, that hit and should not, or the reverse.
type Failed struct {
	Line    int // in the trial
	WantHit bool
}

// TestFolder reads every rule of a folder and tries it: a file x.test.yml
// beside x.yml has a list « match » of events that must hit and a list
// « no_match » of events that must not.
//
// An event is a map of fields; one that names no log source (Channel, appname,
// logsource.…) is taken to be of the rule's. A list of events is a series, for
// correlations: each happens one second after the one before, or as long after
// as its field « @after » says (15m).
func (ps Parser) TestFolder(fsys fs.FS) ([]Tried, error) {
	var out []Tried
	err := fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isNamed(file) {
			return err
		}
		t, err := ps.try(fsys, file)
		out = append(out, t)
		return err
	})
	return out, err
}

func (ps Parser) try(fsys fs.FS, file string) (Tried, error) {
	t := Tried{File: file}
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return t, err
	}
	rules, err := ps.Parse(file, text)
	if err != nil {
		t.Err = err
		return t, nil
	}
	t.Title = title(rules)
	dot := strings.LastIndexByte(file, '.')
	name := file[:dot] + ".test" + file[dot:]
	text, err = fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	t.Tested = true
	cases, err := readCases(name, text)
	if err != nil {
		t.Err = err
		return t, nil
	}
	t.Cases = len(cases)
	set, err := Compile(rules.Rules, nil)
	if err != nil {
		return t, err
	}
	for _, c := range cases {
		hit, err := c.run(set, rules)
		if err != nil {
			t.Err = err
			return t, nil
		}
		if hit != c.want {
			t.Failed = append(t.Failed, Failed{Line: c.line, WantHit: c.want})
		}
	}
	return t, nil
}

func title(c Collection) string {
	if len(c.Rules) > 0 {
		return c.Rules[0].Title
	}
	return c.Correlations[0].Title
}

// tryCase is an event or a series, and whether it must hit.
type tryCase struct {
	line   int
	want   bool
	events []Record
	after  []time.Duration
}

func readCases(file string, text []byte) ([]tryCase, error) {
	docs, err := documents(file, text)
	if err != nil {
		return nil, err
	}
	p := place{file: file, line: 1}
	var out []tryCase
	for _, doc := range docs {
		for i := 0; i+1 < len(doc.Content); i += 2 {
			key, list := doc.Content[i], doc.Content[i+1]
			if key.Value != "match" && key.Value != "no_match" || list.Kind != yaml.SequenceNode {
				return nil, p.at(key).refuse("traces.sigma.test_file")
			}
			for _, item := range list.Content {
				c, err := p.at(item).tryCase(item)
				if err != nil {
					return nil, err
				}
				c.want = key.Value == "match"
				out = append(out, c)
			}
		}
	}
	if len(out) == 0 {
		return nil, p.refuse("traces.sigma.test_file")
	}
	return out, nil
}

func (p place) tryCase(n *yaml.Node) (tryCase, error) {
	c := tryCase{line: n.Line}
	events := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		events = n.Content
	}
	for _, e := range events {
		if e.Kind != yaml.MappingNode {
			return c, p.at(e).refuse("traces.sigma.test_file")
		}
		after := time.Second
		if a := entry(e, "@after"); a != nil {
			var err error
			if after, err = p.at(a).timespan(a.Value); err != nil {
				return c, err
			}
		}
		r := Record{}
		r.take("", e)
		delete(r, "@after")
		c.events, c.after = append(c.events, r), append(c.after, after)
	}
	return c, nil
}

// take reads the fields of a YAML map; nested names are joined by points.
func (r Record) take(prefix string, n *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := prefix+n.Content[i].Value, n.Content[i+1]
		switch v.Kind {
		case yaml.MappingNode:
			r.take(name+".", v)
		case yaml.SequenceNode:
			r[name] = nil
			for _, item := range v.Content {
				r[name] = append(r[name], yamlValue(item))
			}
		default:
			r[name] = []Value{yamlValue(v)}
		}
	}
}

func yamlValue(n *yaml.Node) Value {
	o := operandOf(n)
	switch o.kind {
	case isNothing:
		return Null()
	case isBool:
		return Bool(o.truth)
	case isNumber:
		text, _ := o.pattern.plain()
		return Value{kind: numberValue, text: text, number: o.number}
	default:
		return Text(n.Value)
	}
}

// run tells whether a case hits: an event by a rule that counts alone, a
// series by a correlation.
func (c tryCase) run(set *Set, rules Collection) (bool, error) {
	correlator, err := NewCorrelator(set, rules.Correlations, DefaultBounds())
	if err != nil {
		return false, err
	}
	m := set.NewMatcher()
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	var got []int32
	for i, e := range c.events {
		at = at.Add(c.after[i])
		got = matchAs(m, rules.Rules, e, got)
		for _, h := range got {
			if correlator.Alone(h) {
				return true, nil
			}
		}
		if len(correlator.Observe(at, got, e)) > 0 {
			return true, nil
		}
	}
	// What is judged when its window ends is judged now.
	return len(correlator.Advance(at.Add(365*24*time.Hour))) > 0, nil
}

// matchAs asks about an event under each log source that it may be of.
func matchAs(m *Matcher, rules []*Rule, e Record, dst []int32) []int32 {
	for name := range e {
		if name == "Channel" || name == "appname" || strings.HasPrefix(name, "logsource.") {
			return m.Match(e, dst)
		}
	}
	out := dst[:0]
	seen := map[LogSource]bool{}
	for _, r := range rules {
		if seen[r.Source] {
			continue
		}
		seen[r.Source] = true
		said := maps.Clone(e)
		for _, c := range ownWords(r.Source) {
			said[c.field] = []Value{Text(c.values[0])}
		}
		for _, h := range m.Match(said, nil) {
			if m.set.rules[h].Source == r.Source {
				out = append(out, h)
			}
		}
	}
	return out
}
