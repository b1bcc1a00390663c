package sigma

import (
	"regexp"
	"strings"
)

// expand replaces each %name% by the values known for that name; \% is a
// percent sign. A value with an unknown name refuses the rule, as the
// specification asks.
func expand(c *chain, name string, o operand) ([]operand, error) {
	switch o.kind {
	case isText:
		forms, err := c.expandPattern(o.pattern)
		if err != nil {
			return nil, err
		}
		out := make([]operand, len(forms))
		for i, f := range forms {
			o.pattern = f
			out[i] = o
		}
		return out, nil
	case isRegex:
		return c.expandRegex(o)
	case isNumber, isBool:
		return []operand{o}, nil
	default:
		return nil, c.refuse("traces.sigma.modifier_value", "modifier", name)
	}
}

// expandRegex replaces the placeholders of a regular expression by their
// values, as texts with their wildcards and nothing else.
func (c *chain) expandRegex(o operand) ([]operand, error) {
	out := []string{""}
	for i, piece := range splitPlaceholders(o.raw) {
		forms := []string{piece}
		if i%2 == 1 {
			values, err := c.placeholder(piece)
			if err != nil {
				return nil, err
			}
			forms = forms[:0]
			for _, v := range values {
				forms = append(forms, v.regex())
			}
		}
		if len(out)*len(forms) > maxVariants {
			return nil, c.refuse("traces.sigma.too_many_variants", "most", maxVariants)
		}
		next := make([]string, 0, len(out)*len(forms))
		for _, head := range out {
			for _, f := range forms {
				next = append(next, head+f)
			}
		}
		out = next
	}
	ops := make([]operand, len(out))
	for i, text := range out {
		o.raw = text
		ops[i] = o
	}
	return ops, nil
}

// placeholder gives the values of a name.
func (c *chain) placeholder(name string) ([]pattern, error) {
	values := c.builder.parser.Placeholders[name]
	if len(values) == 0 {
		return nil, c.refuse("traces.sigma.placeholder", "name", name)
	}
	out := make([]pattern, len(values))
	for i, v := range values {
		out[i] = parsePattern(v)
	}
	return out, nil
}

// regex writes a pattern as a piece of a regular expression.
func (p pattern) regex() string {
	var b strings.Builder
	for _, x := range p {
		switch x.wild {
		case literal:
			b.WriteString(regexp.QuoteMeta(x.text))
		case anyRun:
			b.WriteString(".*")
		case anyOne:
			b.WriteByte('.')
		}
	}
	return "(?:" + b.String() + ")"
}

func (c *chain) expandPattern(p pattern) ([]pattern, error) {
	out := []pattern{nil}
	for _, x := range p {
		pieces := []string{x.text}
		if x.wild == literal {
			pieces = splitPlaceholders(x.text)
		}
		for i, piece := range pieces {
			forms := []pattern{{part{wild: x.wild, text: piece}}}
			switch {
			case x.wild == literal && i%2 == 1:
				var err error
				if forms, err = c.placeholder(piece); err != nil {
					return nil, err
				}
			case x.wild == literal && piece == "":
				continue
			}
			if len(out)*len(forms) > maxVariants {
				return nil, c.refuse("traces.sigma.too_many_variants", "most", maxVariants)
			}
			out = product(out, forms)
		}
	}
	return out, nil
}

// product joins each head with each tail, texts that meet being one.
func product(heads, tails []pattern) []pattern {
	out := make([]pattern, 0, len(heads)*len(tails))
	for _, h := range heads {
		for _, t := range tails {
			joined := append(pattern{}, h...)
			for _, x := range t {
				last := len(joined) - 1
				if last >= 0 && x.wild == literal && joined[last].wild == literal {
					joined[last].text += x.text
					continue
				}
				joined = append(joined, x)
			}
			out = append(out, joined)
		}
	}
	return out
}

// splitPlaceholders cuts a text at its placeholders: the odd pieces are names.
func splitPlaceholders(s string) []string {
	out := []string{""}
	add := func(t string) { out[len(out)-1] += t }
	for i := 0; i < len(s); {
		if strings.HasPrefix(s[i:], `\%`) {
			add("%")
			i += 2
			continue
		}
		if s[i] == '%' {
			if end := strings.IndexByte(s[i+1:], '%'); end > 0 && isName(s[i+1:i+1+end]) {
				out = append(out, s[i+1:i+1+end], "")
				i += end + 2
				continue
			}
		}
		add(s[i : i+1])
		i++
	}
	return out
}

func isName(s string) bool {
	for _, r := range s {
		if !isWord(r) {
			return false
		}
	}
	return true
}
