package sigma

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// selection is a search identifier, understood.
type selection struct {
	name string
	node *node
}

// detection reads the section of that name: its selections, spread by its
// condition.
func (ps Parser) detection(p place, n *yaml.Node) (*node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, p.refuse("traces.sigma.want_map", "key", "detection")
	}
	b := &builder{parser: ps, values: maxValues}
	var found []selection
	var condition *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch key.Value {
		case "condition":
			condition = value
			continue
		case "timeframe":
			return nil, p.at(key).refuse("traces.sigma.timeframe")
		}
		node, err := b.selection(p.at(value), value, true)
		if err != nil {
			return nil, err
		}
		found = append(found, selection{name: key.Value, node: node})
	}
	switch {
	case condition == nil:
		return nil, p.refuse("traces.sigma.no_condition")
	case len(found) == 0:
		return nil, p.refuse("traces.sigma.no_selection")
	case len(found) > maxSelections:
		return nil, p.refuse("traces.sigma.too_many_selections", "most", maxSelections)
	}
	return conditions(p, condition, found)
}

// conditions reads one condition, or a list of them linked with OR.
func conditions(p place, n *yaml.Node, found []selection) (*node, error) {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	var kids []*node
	for _, c := range list {
		if c.Kind != yaml.ScalarNode || strings.TrimSpace(c.Value) == "" {
			return nil, p.at(c).refuse("traces.sigma.no_condition")
		}
		kid, err := parseCondition(p.at(c), c.Value, found)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	if len(kids) == 0 {
		return nil, p.refuse("traces.sigma.no_condition")
	}
	root := join(opOr, kids)
	if root.size > maxTests {
		return nil, p.refuse("traces.sigma.too_many_tests", "most", maxTests)
	}
	return root, nil
}

// builder makes nodes of the selections of one rule.
type builder struct {
	parser Parser
	values int // forms of values still allowed
}

// selection reads a map (AND of its items), a list (OR of what it holds) or a
// keyword alone.
func (b *builder) selection(p place, n *yaml.Node, top bool) (*node, error) {
	switch n.Kind {
	case yaml.MappingNode:
		var kids []*node
		for i := 0; i+1 < len(n.Content); i += 2 {
			kid, err := b.item(p.at(n.Content[i]), n.Content[i].Value, n.Content[i+1])
			if err != nil {
				return nil, err
			}
			kids = append(kids, kid)
		}
		if len(kids) == 0 {
			return nil, p.refuse("traces.sigma.empty_selection")
		}
		return join(opAnd, kids), nil
	case yaml.SequenceNode:
		var kids []*node
		for _, item := range n.Content {
			kid, err := b.selection(p.at(item), item, false)
			if err != nil {
				return nil, err
			}
			kids = append(kids, kid)
		}
		if len(kids) == 0 {
			return nil, p.refuse("traces.sigma.empty_selection")
		}
		return join(opOr, kids), nil
	case yaml.ScalarNode:
		if isNull(n) {
			return nil, p.refuse("traces.sigma.empty_selection")
		}
		return b.item(p, "", n)
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return nil, p.refuse("traces.sigma.empty_selection")
}

// item reads « field|modifiers: values ».
func (b *builder) item(p place, key string, n *yaml.Node) (*node, error) {
	field, rest, piped := strings.Cut(key, "|")
	var modifiers []string
	if piped {
		modifiers = strings.Split(rest, "|")
	}
	values, err := scalars(p, key, n)
	if err != nil {
		return nil, err
	}
	if field == "" && !piped && key == "" && n.Kind != yaml.ScalarNode {
		return nil, p.refuse("traces.sigma.empty_selection")
	}
	c := &chain{builder: b, place: p, field: field}
	for _, v := range values {
		c.values = append(c.values, []operand{operandOf(v)})
	}
	for _, m := range modifiers {
		if err := c.apply(m); err != nil {
			return nil, err
		}
	}
	return c.node()
}

// scalars reads the value of an item: one scalar or a list of them, where null
// may not stand among others (specification, « Special Field Values »).
func scalars(p place, key string, n *yaml.Node) ([]*yaml.Node, error) {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	if len(list) == 0 {
		return nil, p.refuse("traces.sigma.no_value", "field", key)
	}
	for _, v := range list {
		switch {
		case v.Kind != yaml.ScalarNode:
			return nil, p.at(v).refuse("traces.sigma.value_not_scalar", "field", key)
		case isNull(v) && len(list) > 1:
			return nil, p.at(v).refuse("traces.sigma.null_in_list", "field", key)
		case len(v.Value) > maxText:
			return nil, p.at(v).refuse("traces.sigma.value_long", "field", key, "most", maxText)
		}
	}
	return list, nil
}
