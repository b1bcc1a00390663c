package sigma

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Parser reads rules. Its zero value knows no placeholder.
type Parser struct {
	// Placeholders gives the values of %name% in values marked « expand »; the
	// values are patterns themselves. A rule that names another is refused.
	Placeholders map[string][]string
}

// Parse reads the rules and correlations of one file, which may hold several
// YAML documents. The error is a fault that names the line; nothing of a file
// with a fault is taken.
func (ps Parser) Parse(file string, text []byte) (Collection, error) {
	var out Collection
	docs, err := documents(file, text)
	if err != nil {
		return out, err
	}
	if len(docs) == 0 {
		return out, place{file: file, line: 1}.refuse("traces.sigma.empty")
	}
	for _, doc := range docs {
		p := place{file: file, line: doc.Line}
		if err := ps.document(&out, p, doc); err != nil {
			return Collection{}, err
		}
	}
	return out, nil
}

func (ps Parser) document(out *Collection, p place, doc *yaml.Node) error {
	if a := entry(doc, "action"); a != nil && slices.Contains([]string{"global", "reset", "repeat"}, a.Value) {
		return p.at(a).refuse("traces.sigma.action", "action", a.Value)
	}
	if f := entry(doc, "filter"); f != nil {
		return p.at(f).refuse("traces.sigma.filter")
	}
	m, err := p.meta(doc)
	if err != nil {
		return err
	}
	p.title = m.Title
	detection, correlation := entry(doc, "detection"), entry(doc, "correlation")
	switch {
	case detection != nil && correlation != nil:
		return p.at(correlation).refuse("traces.sigma.both")
	case correlation != nil:
		c, err := p.correlation(m, correlation)
		if err == nil {
			out.Correlations = append(out.Correlations, c)
		}
		return err
	case detection == nil:
		return p.refuse("traces.sigma.no_detection")
	}
	r := &Rule{Meta: m}
	if r.Source, err = p.logSource(doc); err != nil {
		return err
	}
	if r.root, err = ps.detection(p.at(detection), detection); err != nil {
		return err
	}
	out.Rules = append(out.Rules, r)
	return nil
}

func (p place) meta(doc *yaml.Node) (Meta, error) {
	m := Meta{File: p.file, Line: p.line}
	var status, level string
	for _, f := range []struct {
		key string
		to  *string
	}{
		{"title", &m.Title},
		{"id", &m.ID},
		{"name", &m.Name},
		{"description", &m.Description},
		{"author", &m.Author},
		{"license", &m.License},
		{"date", &m.Date},
		{"modified", &m.Modified},
		{"taxonomy", &m.Taxonomy},
		{"status", &status},
		{"level", &level},
	} {
		var err error
		if *f.to, err = p.text(doc, f.key); err != nil {
			return m, err
		}
	}
	for _, f := range []struct {
		key string
		to  *[]string
	}{
		{"tags", &m.Tags}, {"references", &m.References}, {"falsepositives", &m.FalsePositives}, {"fields", &m.Fields}, {"scope", &m.Scope},
	} {
		var err error
		if *f.to, err = p.texts(doc, f.key); err != nil {
			return m, err
		}
	}
	m.Status, m.Level = Status(status), Level(level)
	switch {
	case strings.TrimSpace(m.Title) == "":
		return m, p.refuse("traces.sigma.no_title")
	case utf8.RuneCountInString(m.Title) > 256:
		return m, p.at(entry(doc, "title")).refuse("traces.sigma.title_long", "most", 256)
	case status != "" && !slices.Contains([]Status{Stable, Test, Experimental, Deprecated, Unsupported}, m.Status):
		return m, p.at(entry(doc, "status")).refuse("traces.sigma.status", "status", status)
	case level != "" && !slices.Contains([]Level{Informational, Low, Medium, High, Critical}, m.Level):
		return m, p.at(entry(doc, "level")).refuse("traces.sigma.level", "level", level)
	case m.Taxonomy != "" && m.Taxonomy != "sigma":
		return m, p.at(entry(doc, "taxonomy")).refuse("traces.sigma.taxonomy", "taxonomy", m.Taxonomy)
	}
	return m, p.related(doc, &m)
}

func (p place) related(doc *yaml.Node, m *Meta) error {
	list := entry(doc, "related")
	if list == nil || isNull(list) {
		return nil
	}
	if list.Kind != yaml.SequenceNode {
		return p.at(list).refuse("traces.sigma.want_list", "key", "related")
	}
	for _, item := range list.Content {
		if item.Kind != yaml.MappingNode {
			return p.at(item).refuse("traces.sigma.want_map", "key", "related")
		}
		id, err := p.text(item, "id")
		if err != nil {
			return err
		}
		kind, err := p.text(item, "type")
		if err != nil {
			return err
		}
		m.Related = append(m.Related, Related{ID: id, Type: kind})
	}
	return nil
}

func (p place) logSource(doc *yaml.Node) (LogSource, error) {
	var l LogSource
	n := entry(doc, "logsource")
	if n == nil || n.Kind != yaml.MappingNode {
		return l, p.refuse("traces.sigma.no_logsource")
	}
	for _, f := range []struct {
		key string
		to  *string
	}{{"category", &l.Category}, {"product", &l.Product}, {"service", &l.Service}} {
		v, err := p.text(n, f.key)
		if err != nil {
			return l, err
		}
		*f.to = strings.ToLower(strings.TrimSpace(v))
	}
	if l == (LogSource{}) {
		return l, p.at(n).refuse("traces.sigma.no_logsource")
	}
	return l, nil
}
