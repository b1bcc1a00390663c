package sigma

import (
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
			// An expression that follows reads the expanded text.
			o.raw = rawOf(f)
			out[i] = o
		}
		return out, nil
	case isNumber, isBool:
		return []operand{o}, nil
	default:
		return nil, c.refuse("traces.sigma.modifier_value", "modifier", name)
	}
}

// rawOf writes a pattern for a regular expression that is expanded first.
func rawOf(p pattern) string {
	var b strings.Builder
	for _, x := range p {
		switch x.wild {
		case literal:
			b.WriteString(x.text)
		case anyRun:
			b.WriteByte('*')
		case anyOne:
			b.WriteByte('?')
		}
	}
	return b.String()
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
				values, known := c.builder.parser.Placeholders[piece]
				if !known || len(values) == 0 {
					return nil, c.refuse("traces.sigma.placeholder", "name", piece)
				}
				forms = nil
				for _, v := range values {
					forms = append(forms, parsePattern(v))
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
