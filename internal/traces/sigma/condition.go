package sigma

import (
	"strings"
)

// parseCondition reads a condition over the selections found: or, and, not,
// parentheses, « 1 of », « any of », « all of », them.
func parseCondition(p place, text string, found []selection) (*node, error) {
	tokens, err := tokenize(p, text)
	if err != nil {
		return nil, err
	}
	c := &conditionReader{place: p, tokens: tokens, found: found}
	n, err := c.or(0)
	if err != nil {
		return nil, err
	}
	if c.at < len(c.tokens) {
		return nil, p.refuse("traces.sigma.condition_word", "word", c.tokens[c.at])
	}
	return n, nil
}

func tokenize(p place, text string) ([]string, error) {
	if strings.ContainsRune(text, '|') {
		return nil, p.refuse("traces.sigma.condition_pipe")
	}
	text = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text)
	tokens := strings.Fields(text)
	if len(tokens) > maxTokens {
		return nil, p.refuse("traces.sigma.condition_long", "most", maxTokens)
	}
	return tokens, nil
}

type conditionReader struct {
	place  place
	tokens []string
	at     int
	found  []selection
}

// word tells whether the next token is w, whatever its case, and passes it.
func (c *conditionReader) word(w string) bool {
	if c.at < len(c.tokens) && strings.EqualFold(c.tokens[c.at], w) {
		c.at++
		return true
	}
	return false
}

func (c *conditionReader) or(depth int) (*node, error) {
	return c.series("or", opOr, depth, c.and)
}

func (c *conditionReader) and(depth int) (*node, error) {
	return c.series("and", opAnd, depth, c.not)
}

func (c *conditionReader) series(word string, o op, depth int, next func(int) (*node, error)) (*node, error) {
	var kids []*node
	for {
		n, err := next(depth)
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
		if !c.word(word) {
			return join(o, kids), nil
		}
	}
}

func (c *conditionReader) not(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, c.place.refuse("traces.sigma.too_deep", "most", maxDepth)
	}
	if c.word("not") {
		n, err := c.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return not(n), nil
	}
	if c.word("(") {
		n, err := c.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !c.word(")") {
			return nil, c.place.refuse("traces.sigma.condition_open")
		}
		return n, nil
	}
	return c.operand()
}

func (c *conditionReader) operand() (*node, error) {
	if c.at == len(c.tokens) {
		return nil, c.place.refuse("traces.sigma.condition_short")
	}
	word := c.tokens[c.at]
	c.at++
	// A selection may bear any name, « all » and « 1 » included.
	if c.at+1 < len(c.tokens) && strings.EqualFold(c.tokens[c.at], "of") {
		c.at++
		target := c.tokens[c.at]
		c.at++
		return c.quantified(word, target)
	}
	for _, s := range c.found {
		if s.name == word {
			return s.node, nil
		}
	}
	return nil, c.place.refuse("traces.sigma.selection_unknown", "name", word)
}

// quantified is « 1 of x* »: selections whose name begins with an underscore
// count only when the pattern begins so.
func (c *conditionReader) quantified(count, target string) (*node, error) {
	var kids []*node
	for _, s := range c.found {
		hidden := strings.HasPrefix(s.name, "_") && !strings.HasPrefix(target, "_")
		if !hidden && (strings.EqualFold(target, "them") || nameMatches(target, s.name)) {
			kids = append(kids, s.node)
		}
	}
	switch {
	case len(kids) == 0:
		return nil, c.place.refuse("traces.sigma.selection_unknown", "name", target)
	case count == "1" || strings.EqualFold(count, "any"):
		return join(opOr, kids), nil
	case strings.EqualFold(count, "all"):
		return join(opAnd, kids), nil
	}
	return nil, c.place.refuse("traces.sigma.condition_count", "count", count)
}

// nameMatches reads * as any number of characters.
func nameMatches(pattern, name string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, first)
	if !ok {
		return false
	}
	for {
		piece, more, again := strings.Cut(rest, "*")
		if !again {
			return strings.HasSuffix(name, piece)
		}
		i := strings.Index(name, piece)
		if i < 0 {
			return false
		}
		name, rest = name[i+len(piece):], more
	}
}
