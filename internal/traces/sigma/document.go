package sigma

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"tocsin/internal/fault"
)

// place is where we are in a file of rules: what a refusal names.
type place struct {
	file  string
	title string
	line  int
}

func (p place) at(n *yaml.Node) place {
	p.line = n.Line
	return p
}

// refuse is a fault that names the rule and the line.
func (p place) refuse(key string, args ...any) error {
	name := p.file
	if name == "" {
		name = p.title
	}
	if name == "" {
		name = "?"
	}
	field := name + ":" + strconv.Itoa(p.line)
	return fault.New(fault.Invalid, key, append([]any{"rule", name, "line", p.line}, args...)...).At(field)
}

// documents reads the YAML documents of a file: bounded in size, depth and
// number of nodes, without aliases (which a bomb is made of) nor keys written
// twice.
func documents(file string, text []byte) ([]*yaml.Node, error) {
	p := place{file: file, line: 1}
	if len(text) > maxFile {
		return nil, p.refuse("traces.sigma.too_long", "bytes", len(text), "most", maxFile)
	}
	if err := checkIndents(p, text); err != nil {
		return nil, err
	}
	var out []*yaml.Node
	budget := maxNodes
	for dec := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, p.refuse("traces.sigma.not_yaml", "cause", yamlCause(err))
		}
		if len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" {
			continue
		}
		root := doc.Content[0]
		if err := checkNode(p, root, 0, &budget); err != nil {
			return nil, err
		}
		if root.Kind != yaml.MappingNode {
			return nil, p.at(root).refuse("traces.sigma.not_map")
		}
		if len(out) == maxDocuments {
			return nil, p.at(root).refuse("traces.sigma.too_many_rules", "most", maxDocuments)
		}
		out = append(out, root)
	}
}

// checkIndents refuses a file nested beyond reason before the YAML library
// builds it: each level of a flow costs one opening bracket, each level of a
// block one sign at the start of a line.
func checkIndents(p place, text []byte) error {
	for number, line := range bytes.Split(text, []byte{'\n'}) {
		dashes, flow := 0, 0
		lead := true
		for _, b := range line {
			switch b {
			case '[', '{':
				flow++
				lead = false
			case '-', '?', ':':
				if lead {
					dashes++
				}
			case ' ', '\t':
			default:
				lead = false
			}
		}
		if lead && dashes > 200 || flow > 20_000 {
			p.line = number + 1
			return p.refuse("traces.sigma.too_deep", "most", maxDepth)
		}
	}
	return nil
}

func yamlCause(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > 200 {
		text = text[:200]
	}
	return strings.ToValidUTF8(text, "?")
}

func checkNode(p place, n *yaml.Node, depth int, budget *int) error {
	p = p.at(n)
	*budget--
	switch {
	case *budget < 0:
		return p.refuse("traces.sigma.too_many_values", "most", maxNodes)
	case depth > maxDepth:
		return p.refuse("traces.sigma.too_deep", "most", maxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return p.refuse("traces.sigma.alias")
	case n.Kind == yaml.ScalarNode:
		switch n.Tag {
		case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp":
			return nil
		}
		return p.refuse("traces.sigma.tag", "tag", n.Tag)
	}
	seen := map[string]bool{}
	for i, kid := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if kid.Kind != yaml.ScalarNode {
				return p.at(kid).refuse("traces.sigma.key_not_text")
			}
			if seen[kid.Value] {
				return p.at(kid).refuse("traces.sigma.key_twice", "key", kid.Value)
			}
			seen[kid.Value] = true
		}
		if err := checkNode(p, kid, depth+1, budget); err != nil {
			return err
		}
	}
	return nil
}

// entry finds the value of a key of a map, or nil.
func entry(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// text reads an optional scalar.
func (p place) text(n *yaml.Node, key string) (string, error) {
	v := entry(n, key)
	if v == nil || isNull(v) {
		return "", nil
	}
	if v.Kind != yaml.ScalarNode {
		return "", p.at(v).refuse("traces.sigma.want_text", "key", key)
	}
	return v.Value, nil
}

// texts reads an optional list of scalars, or one scalar alone.
func (p place) texts(n *yaml.Node, key string) ([]string, error) {
	v := entry(n, key)
	if v == nil || isNull(v) {
		return nil, nil
	}
	if v.Kind == yaml.ScalarNode {
		return []string{v.Value}, nil
	}
	if v.Kind != yaml.SequenceNode {
		return nil, p.at(v).refuse("traces.sigma.want_list", "key", key)
	}
	out := make([]string, 0, len(v.Content))
	for _, item := range v.Content {
		if item.Kind != yaml.ScalarNode {
			return nil, p.at(item).refuse("traces.sigma.want_list", "key", key)
		}
		out = append(out, item.Value)
	}
	return out, nil
}
