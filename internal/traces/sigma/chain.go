package sigma

// node makes the item of what its values have become: any of them, or all with
// « all »; the forms of one value are always any.
func (c *chain) node() (*node, error) {
	var kids []*node
	for _, forms := range c.values {
		var either []*node
		for _, o := range forms {
			if c.builder.values--; c.builder.values < 0 {
				return nil, c.refuse("traces.sigma.too_many_variants", "most", maxValues)
			}
			a, err := c.atom(o)
			if err != nil {
				return nil, err
			}
			either = append(either, leaf(a))
		}
		kids = append(kids, join(opOr, either))
	}
	how := opOr
	if c.all {
		how = opAnd
	}
	n := join(how, kids)
	if c.negated {
		n = not(n)
	}
	return n, nil
}

// atom makes the question that one form of a value asks.
func (c *chain) atom(o operand) (*atom, error) {
	a := &atom{field: c.field}
	switch o.kind {
	case isText, isNumber, isBool:
		p := o.pattern
		if len(p) > maxWild {
			return nil, c.refuse("traces.sigma.wildcards", "most", maxWild)
		}
		if c.field == "" {
			// A keyword is looked for inside every value.
			p = p.open(true, true)
		}
		a.cased = o.cased
		if !o.cased {
			p = p.fold()
		}
		a.pattern = p
	case isNothing:
		if c.field == "" {
			return nil, c.refuse("traces.sigma.empty_selection")
		}
		a.kind = askNull
	case isRegex:
		left, right := true, true
		if o.bounded {
			left, right = o.left, o.right
		}
		expr, key, cause := compileRegex(o.raw, o.flags, left, right)
		switch key {
		case "":
		case "traces.sigma.regex_bad":
			return nil, c.refuse(key, "cause", cause)
		default:
			return nil, c.refuse(key, "most", maxPattern)
		}
		a.kind, a.expr, a.needs = askRegex, expr, required(expr)
	case isCIDR:
		a.kind, a.network = askCIDR, o.network
	case isCompare:
		a.kind, a.compare, a.number = askNumber, o.word, o.number
	case isExists:
		a.kind, a.want = askExists, o.truth
	case isRef:
		a.kind, a.other, a.left, a.right = askField, o.raw, o.left, o.right
	case isTimePart:
		a.kind, a.unit, a.number = askTime, o.word, o.number
	}
	return a, nil
}
