package sigma

import (
	"embed"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed logsources/*.yaml
var logsources embed.FS

// The fields by which an event says itself which log source it is of. Whatever
// the pipeline says, an event that bears all parts of a rule's log source is
// read by the rule.
const (
	FieldProduct  = "logsource.product"
	FieldCategory = "logsource.category"
	FieldService  = "logsource.service"
)

// Pipeline ties the log sources of rules to attributes of events. Its form is
// that of the files in logsources/: for each source, the kinds of events that
// are of it, and under which names these keep the fields that rules name.
type Pipeline struct {
	entries []mapping
}

type mapping struct {
	source LogSource
	when   []alternative
}

// alternative is one kind of events of a log source.
type alternative struct {
	when   []condition
	fields map[string]string // name in rules → name in events
}

// condition wants a field to have one of the values; any when none is given.
type condition struct {
	field  string
	values []string
}

// DefaultPipeline knows Windows (Sysmon, Security and other channels) and
// Linux (Sysmon, syslog).
func DefaultPipeline() (*Pipeline, error) {
	out := &Pipeline{}
	for _, name := range []string{"windows", "linux"} {
		file := "logsources/" + name + ".yaml"
		text, err := logsources.ReadFile(file)
		if err != nil {
			return nil, err
		}
		p, err := ParsePipeline(file, text)
		if err != nil {
			return nil, err
		}
		out = out.And(p)
	}
	return out, nil
}

// And is both pipelines: a source that both describe is any of the kinds of both.
func (p *Pipeline) And(o *Pipeline) *Pipeline {
	return &Pipeline{entries: slices.Concat(p.entries, o.entries)}
}

// ParsePipeline reads a file of log sources.
func ParsePipeline(file string, text []byte) (*Pipeline, error) {
	p := place{file: file, line: 1}
	if len(text) > maxFile {
		return nil, p.refuse("traces.sigma.too_long", "bytes", len(text), "most", maxFile)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, p.refuse("traces.sigma.not_yaml", "cause", yamlCause(err))
	}
	if len(doc.Content) == 0 {
		return nil, p.refuse("traces.sigma.empty")
	}
	budget := maxNodes
	list := doc.Content[0]
	if err := checkNode(p, list, 0, &budget); err != nil {
		return nil, err
	}
	out := &Pipeline{}
	for _, item := range list.Content {
		m, err := p.at(item).mapping(item)
		if err != nil {
			return nil, err
		}
		out.entries = append(out.entries, m)
	}
	return out, nil
}

func (p place) mapping(n *yaml.Node) (mapping, error) {
	var m mapping
	if n.Kind != yaml.MappingNode {
		return m, p.refuse("traces.sigma.want_map", "key", "source")
	}
	source, when := entry(n, "source"), entry(n, "when")
	if source == nil || when == nil || when.Kind != yaml.SequenceNode {
		return m, p.refuse("traces.sigma.pipeline")
	}
	doc := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "logsource"}, source}}
	var err error
	if m.source, err = p.logSource(doc); err != nil {
		return m, err
	}
	for _, w := range when.Content {
		match := entry(w, "match")
		if match == nil || match.Kind != yaml.MappingNode || len(match.Content) == 0 {
			return m, p.at(w).refuse("traces.sigma.pipeline")
		}
		alt := alternative{fields: map[string]string{}}
		for i := 0; i+1 < len(match.Content); i += 2 {
			values, err := p.at(w).texts(match, match.Content[i].Value)
			if err != nil {
				return m, err
			}
			c := condition{field: match.Content[i].Value, values: values}
			if slices.Contains(values, "*") {
				c.values = nil
			}
			alt.when = append(alt.when, c)
		}
		if fields := entry(w, "fields"); fields != nil {
			for i := 0; i+1 < len(fields.Content); i += 2 {
				alt.fields[fields.Content[i].Value] = fields.Content[i+1].Value
			}
		}
		m.when = append(m.when, alt)
	}
	return m, nil
}

// alternatives are the kinds of events that a rule of that source reads: those
// that say so themselves, and those that the pipeline knows by their category
// and their service.
func (p *Pipeline) alternatives(l LogSource) []alternative {
	out := []alternative{{when: ownWords(l)}}
	kinds := []alternative{{}}
	part := func(l LogSource) {
		kinds = cross(kinds, p.of(l))
	}
	switch {
	case l.Category != "" && l.Service != "":
		part(LogSource{Product: l.Product, Category: l.Category})
		part(LogSource{Product: l.Product, Service: l.Service})
	default:
		part(l)
	}
	return append(out, kinds...)
}

// of are the kinds of a source with a category or a service, or a product alone.
func (p *Pipeline) of(l LogSource) []alternative {
	var out []alternative
	for _, m := range p.entries {
		if m.source.Category != l.Category || m.source.Service != l.Service {
			continue
		}
		switch {
		case m.source.Product == l.Product, l.Product == "":
			out = append(out, m.when...)
		case m.source.Product == "":
			out = append(out, cross(m.when, append(p.of(LogSource{Product: l.Product}), alternative{when: ownWords(LogSource{Product: l.Product})}))...)
		}
	}
	return out
}

// ownWords wants the event to say the source itself.
func ownWords(l LogSource) []condition {
	var out []condition
	for _, c := range []condition{{FieldProduct, []string{l.Product}}, {FieldCategory, []string{l.Category}}, {FieldService, []string{l.Service}}} {
		if c.values[0] != "" {
			out = append(out, c)
		}
	}
	return out
}

// cross wants one kind of each list.
func cross(a, b []alternative) []alternative {
	var out []alternative
	for _, x := range a {
		for _, y := range b {
			both := alternative{when: slices.Concat(x.when, y.when), fields: map[string]string{}}
			for _, f := range []map[string]string{x.fields, y.fields} {
				for name, to := range f {
					both.fields[name] = to
				}
			}
			out = append(out, both)
		}
	}
	return out
}

// Covers tells whether the pipeline knows events of that source, beside those
// that say it themselves.
func (p *Pipeline) Covers(l LogSource) bool { return len(p.alternatives(l)) > 1 }

// isNamed tells a path of rules: .yml or .yaml, tests beside them left out.
func isNamed(path string) bool {
	return (strings.HasSuffix(path, ".yml") || strings.HasSuffix(path, ".yaml")) && !strings.HasSuffix(path, ".test.yml") && !strings.HasSuffix(path, ".test.yaml")
}
