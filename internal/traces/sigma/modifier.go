package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// operandKind is what a value has become on its way through the modifiers.
type operandKind uint8

const (
	isText operandKind = iota
	isNumber
	isBool
	isNothing // null
	isRegex
	isCIDR
	isCompare
	isExists
	isRef
	isTimePart
)

// operand is a value of a rule on its way through the modifiers.
type operand struct {
	kind        operandKind
	raw         string // as written, without escapes read: regular expressions
	pattern     pattern
	number      float64
	truth       bool
	cased       bool
	flags       string // of a regular expression
	left, right bool   // startswith opens right, endswith opens left
	bounded     bool   // startswith or endswith was said of a regex
	network     netip.Prefix
	word        string // comparison, or unit of time
}

func operandOf(n *yaml.Node) operand {
	o := operand{raw: n.Value, pattern: parsePattern(n.Value)}
	switch n.Tag {
	case "!!null":
		return operand{kind: isNothing}
	case "!!bool":
		o.kind, o.truth = isBool, strings.EqualFold(n.Value, "true")
	case "!!int":
		o.kind = isNumber
		if i, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 0, 64); err == nil {
			o.number = float64(i)
			if _, decimal := strings.CutPrefix(n.Value, "0"); decimal || strings.Contains(n.Value, "_") {
				o.raw = strconv.FormatInt(i, 10)
			}
		} else if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			o.number = f
		}
		o.pattern = literalPattern(strings.TrimPrefix(o.raw, "+"))
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return o // .inf and the like: a text
		}
		o.kind, o.number, o.pattern = isNumber, f, literalPattern(n.Value)
	}
	return o
}

// chain applies the modifiers of one item, in order, to all its values. Each
// value of the rule may come to several forms, any of which will do.
type chain struct {
	builder *builder
	place   place
	field   string
	values  [][]operand
	applied []string
	all     bool
	negated bool
}

func (c *chain) refuse(key string, args ...any) error {
	return c.place.refuse(key, append([]any{"field", c.field}, args...)...)
}

// apply applies one modifier.
func (c *chain) apply(m string) error {
	switch m {
	case "all":
		c.all = true
		return nil
	case "neq":
		c.negated = true
		return nil
	}
	change := modifierOf(m)
	if change == nil {
		return c.refuse("traces.sigma.modifier_unknown", "modifier", m)
	}
	for i, forms := range c.values {
		var next []operand
		for _, o := range forms {
			got, err := change(c, m, o)
			if err != nil {
				return err
			}
			next = append(next, got...)
		}
		c.values[i] = next
		if len(next) > maxVariants {
			return c.refuse("traces.sigma.too_many_variants", "most", maxVariants)
		}
	}
	c.applied = append(c.applied, m)
	return nil
}

type change func(c *chain, name string, o operand) ([]operand, error)

// modifierOf finds what a modifier does to one value; nil for an unknown one.
func modifierOf(name string) change {
	switch name {
	case "contains", "startswith", "endswith":
		return openEnds
	case "cased":
		return needText(func(o operand) []operand { o.cased = true; return []operand{o} })
	case "re":
		return toRegex
	case "i", "ignorecase", "m", "multiline", "s", "dotall":
		return regexFlag
	case "base64":
		return encoding(func(s string) []string { return []string{base64.StdEncoding.EncodeToString([]byte(s))} })
	case "base64offset":
		return encoding(base64Offsets)
	case "wide", "utf16le":
		return wide("", binary.LittleEndian)
	case "utf16be":
		return wide("", binary.BigEndian)
	case "utf16":
		return wide("\xff\xfe", binary.LittleEndian)
	case "windash":
		return toDashes
	case "cidr":
		return toCIDR
	case "lt", "lte", "gt", "gte":
		return toCompare
	case "minute", "hour", "day", "week", "month", "year":
		return toTimePart
	case "exists":
		return toExists
	case "fieldref":
		return toRef
	case "expand":
		return expand
	}
	return nil
}

// openEnds is contains, startswith and endswith.
func openEnds(c *chain, name string, o operand) ([]operand, error) {
	left, right := name != "startswith", name != "endswith"
	switch o.kind {
	case isText, isNumber, isBool:
		o.kind = isText
		o.pattern = o.pattern.open(left, right)
	case isRegex:
		o.bounded = name != "contains"
		o.left, o.right = o.left || left, o.right || right
	case isRef:
		o.left, o.right = o.left || left, o.right || right
	default:
		return nil, c.refuse("traces.sigma.modifier_value", "modifier", name)
	}
	return []operand{o}, nil
}

// needText is a modifier of texts; numbers and booleans are read as texts.
func needText(f func(operand) []operand) change {
	return func(c *chain, name string, o operand) ([]operand, error) {
		switch o.kind {
		case isText, isNumber, isBool:
			o.kind = isText
			return f(o), nil
		default:
			return nil, c.refuse("traces.sigma.modifier_value", "modifier", name)
		}
	}
}

// encoding is a modifier of texts without wildcards.
func encoding(f func(string) []string) change {
	return func(c *chain, name string, o operand) ([]operand, error) {
		text, plain := o.pattern.plain()
		if o.kind > isBool {
			return nil, c.refuse("traces.sigma.modifier_value", "modifier", name)
		}
		if !plain || text == "" {
			return nil, c.refuse("traces.sigma.encode_wildcard", "modifier", name)
		}
		var out []operand
		for _, s := range f(text) {
			n := o
			n.kind, n.pattern = isText, literalPattern(s)
			out = append(out, n)
		}
		return out, nil
	}
}

func wide(mark string, order binary.AppendByteOrder) change {
	return needText(func(o operand) []operand {
		o.pattern = o.pattern.mapText(func(s string) string { return utf16Text(s, order) })
		if mark != "" {
			o.pattern = joinText(mark, o.pattern)
		}
		return []operand{o}
	})
}

// joinText puts a text before a pattern.
func joinText(text string, p pattern) pattern {
	if len(p) > 0 && p[0].wild == literal {
		return append(pattern{{text: text + p[0].text}}, p[1:]...)
	}
	return append(pattern{{text: text}}, p...)
}

func toDashes(c *chain, name string, o operand) ([]operand, error) {
	if o.kind > isBool {
		return nil, c.refuse("traces.sigma.modifier_value", "modifier", name)
	}
	forms, ok := windash(o.pattern)
	if !ok {
		return nil, c.refuse("traces.sigma.too_many_variants", "most", maxVariants)
	}
	out := make([]operand, len(forms))
	for i, f := range forms {
		o.kind, o.pattern = isText, f
		out[i] = o
	}
	return out, nil
}

// first refuses a modifier that reads the value as it is written after another.
func (c *chain) first(name string) error {
	if len(c.applied) > 0 {
		return c.refuse("traces.sigma.modifier_first", "modifier", name)
	}
	return nil
}

func toRegex(c *chain, name string, o operand) ([]operand, error) {
	if err := c.first(name); err != nil {
		return nil, err
	}
	if o.kind > isBool {
		return nil, c.refuse("traces.sigma.modifier_value", "modifier", name)
	}
	o.kind = isRegex
	return []operand{o}, nil
}

func regexFlag(c *chain, name string, o operand) ([]operand, error) {
	if o.kind != isRegex {
		return nil, c.refuse("traces.sigma.flag_without_re", "modifier", name)
	}
	flag := name[:1]
	if name == "dotall" {
		flag = "s"
	}
	if !strings.Contains(o.flags, flag) {
		o.flags += flag
	}
	return []operand{o}, nil
}

func toCIDR(c *chain, name string, o operand) ([]operand, error) {
	// Networks may come from placeholders.
	if !slices.Equal(c.applied, []string{"expand"}) {
		if err := c.first(name); err != nil {
			return nil, err
		}
	}
	text, plain := o.pattern.plain()
	prefix, err := netip.ParsePrefix(text)
	if !plain || err != nil || prefix.Masked() != prefix {
		return nil, c.refuse("traces.sigma.cidr", "value", o.raw)
	}
	if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	o.kind, o.network = isCIDR, prefix
	return []operand{o}, nil
}

func toCompare(c *chain, name string, o operand) ([]operand, error) {
	if o.kind != isNumber {
		return nil, c.refuse("traces.sigma.want_number", "modifier", name, "value", o.raw)
	}
	o.kind, o.word = isCompare, name
	return []operand{o}, nil
}

func toTimePart(c *chain, name string, o operand) ([]operand, error) {
	if o.kind != isNumber || o.number != math.Trunc(o.number) {
		return nil, c.refuse("traces.sigma.want_number", "modifier", name, "value", o.raw)
	}
	o.kind, o.word = isTimePart, name
	return []operand{o}, nil
}

func toExists(c *chain, name string, o operand) ([]operand, error) {
	if err := c.first(name); err != nil {
		return nil, err
	}
	if c.field == "" || o.kind != isBool || len(c.values) != 1 {
		return nil, c.refuse("traces.sigma.exists")
	}
	o.kind = isExists
	return []operand{o}, nil
}

func toRef(c *chain, name string, o operand) ([]operand, error) {
	text, plain := o.pattern.plain()
	if o.kind != isText || !plain || text == "" || c.field == "" || o.cased {
		return nil, c.refuse("traces.sigma.fieldref")
	}
	o.kind, o.raw = isRef, text
	return []operand{o}, nil
}
