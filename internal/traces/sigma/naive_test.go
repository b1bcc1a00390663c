package sigma

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// naive reads a condition as the specification says it, without index: it
// shares no matching code with the engine.
func naive(n *node, e Record) bool {
	switch n.op {
	case opTest:
		return naiveTest(n.test, e)
	case opAnd:
		for _, k := range n.kids {
			if !naive(k, e) {
				return false
			}
		}
		return true
	case opOr:
		return slices.ContainsFunc(n.kids, func(k *node) bool { return naive(k, e) })
	case opNot:
		return !naive(n.kids[0], e)
	}
	return false
}

func naiveTest(a *atom, e Record) bool {
	values, present := e[a.field]
	if a.field == "" {
		values = nil
		for _, vs := range e {
			values = append(values, vs...)
		}
	}
	switch a.kind {
	case askExists:
		return present == a.want
	case askNull:
		return len(values) == 0 || slices.ContainsFunc(values, Value.IsNull)
	case askField:
		for _, v := range values {
			for _, o := range e[a.other] {
				if !v.IsNull() && !o.IsNull() && naivePattern(literalPattern(o.text).open(a.left, a.right), false).MatchString(v.text) {
					return true
				}
			}
		}
		return false
	default:
	}
	return slices.ContainsFunc(values, func(v Value) bool { return !v.IsNull() && naiveValue(a, v) })
}

func naiveValue(a *atom, v Value) bool {
	switch a.kind {
	case askText:
		return naivePattern(a.pattern, a.cased).MatchString(v.text)
	case askRegex:
		return regexp.MustCompile(a.expr.String()).MatchString(v.text)
	case askCIDR:
		addr, err := netip.ParseAddr(strings.TrimSpace(v.text))
		return err == nil && a.network.Contains(addr.Unmap().WithZone(""))
	case askNumber:
		n, err := strconv.ParseFloat(strings.TrimSpace(v.text), 64)
		if err != nil || v.kind == boolValue {
			return false
		}
		switch a.compare {
		case "lt":
			return n < a.number
		case "lte":
			return n <= a.number
		case "gt":
			return n > a.number
		}
		return n >= a.number
	case askTime:
		n, ok := timePart(v.text, a.unit)
		return ok && float64(n) == a.number
	default:
	}
	return false
}

// naivePattern is a pattern as a regular expression over the whole value.
func naivePattern(p pattern, cased bool) *regexp.Regexp {
	flags := "(?is)"
	if cased {
		flags = "(?s)"
	}
	var b strings.Builder
	for _, x := range p {
		switch x.wild {
		case anyRun:
			b.WriteString(".*")
		case anyOne:
			b.WriteString(".")
		case literal:
			b.WriteString(regexp.QuoteMeta(x.text))
		}
	}
	return regexp.MustCompile(flags + `\A(?:` + b.String() + `)\z`)
}

// dice makes random rules and events of few letters, so that they often meet.
type dice struct{ *rand.Rand }

func (d dice) pick(list ...string) string { return list[d.IntN(len(list))] }

func (d dice) word(max int) string {
	var b strings.Builder
	for range d.IntN(max) + 1 {
		b.WriteString(d.pick("a", "A", "b", "B", "c", "é", "É", "k", "K", "ſ", "s", "1", "2", `\`, "-", "/", ".", " ", "ß", "σ", "ς", "Σ"))
	}
	return b.String()
}

func (d dice) quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (d dice) value(modifiers string) string {
	switch {
	case strings.Contains(modifiers, "cidr"):
		return d.quoted(d.pick("10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32", "0.0.0.0/0"))
	case strings.Contains(modifiers, "re"):
		return d.quoted(d.pick("^a", "b+", "[ab]1", "a.*b", `\d`, "(a|é)", "c$", "aa?", "k", "(?i)AB", "ab{2,3}", "bc|cb"))
	case slices.Contains([]string{"|lt", "|lte", "|gt", "|gte"}, modifiers):
		return strconv.Itoa(d.IntN(20))
	}
	if modifiers == "|wide" {
		return d.quoted(d.pick("a", "bK", "c1"))
	}
	w := d.word(3)
	if strings.Contains(modifiers, "base64") || strings.Contains(modifiers, "fieldref") {
		return d.quoted(strings.NewReplacer(`\`, "", " ", "x").Replace(w) + "F")
	}
	if d.IntN(3) == 0 {
		w = d.pick("*", "?", "") + w + d.pick("*", "?", "*b", "?c", `\*`, "") + d.pick("", "a")
	}
	return d.quoted(w)
}

func (d dice) item() string {
	name := d.pick("F1", "F2", "F3", "F4")
	switch d.IntN(14) {
	case 0:
		return name + ": null\n"
	case 1:
		return name + "|exists: " + d.pick("true", "false") + "\n"
	case 2:
		return name + "|fieldref" + d.pick("", "|contains", "|startswith", "|endswith", "|neq") + ": " + d.pick("F1", "F2", "F3") + "\n"
	case 3:
		return name + ": " + strconv.Itoa(d.IntN(20)) + "\n"
	}
	modifiers := d.pick("", "", "|contains", "|contains", "|startswith", "|endswith", "|contains|all", "|cased", "|contains|cased", "|re", "|re|i", "|cidr", "|lt", "|gte", "|gt", "|lte", "|windash", "|contains|windash", "|neq", "|contains|neq", "|base64offset|contains", "|wide", "|re|startswith", "|re|endswith")
	if d.IntN(2) == 0 {
		return name + modifiers + ": " + d.value(modifiers) + "\n"
	}
	out := name + modifiers + ":\n"
	for range d.IntN(4) + 1 {
		out += "  - " + d.value(modifiers) + "\n"
	}
	return out
}

func (d dice) selection() string {
	switch d.IntN(6) {
	case 0:
		out := ""
		for range d.IntN(3) + 1 {
			out += "- " + d.quoted(d.word(3)) + "\n"
		}
		return out
	case 1:
		return "'|all':\n  - " + d.quoted(d.word(2)) + "\n  - " + d.quoted(d.word(2)) + "\n"
	case 2:
		out := ""
		for range d.IntN(3) + 1 {
			out += "- " + strings.TrimPrefix(indent(d.item()), "  ")
		}
		return out
	}
	out, used := "", map[string]bool{}
	for range d.IntN(3) + 1 {
		it := d.item()
		key, _, _ := strings.Cut(it, ":")
		if !used[key] {
			out += it
		}
		used[key] = true
	}
	return out
}

func (d dice) condition(depth int) string {
	switch d.IntN(9) {
	case 0, 1:
		if depth < 4 {
			return d.condition(depth+1) + " and " + d.condition(depth+1)
		}
	case 2:
		if depth < 4 {
			return "(" + d.condition(depth+1) + " or " + d.condition(depth+1) + ")"
		}
	case 3:
		return "not " + d.pick("s1", "s2", "s3", "(s1 or s2)", "1 of s*")
	case 4:
		return d.pick("1 of s*", "all of s*", "1 of them", "all of them", "any of s*")
	}
	return d.pick("s1", "s2", "s3")
}

func (d dice) rule() string {
	source := d.pick("category: essai", "category: essai", "category: essai\n  product: x", "product: y", "product: windows\n  category: process_creation", "product: windows")
	return "title: R\nlogsource:\n  " + source + "\ndetection:\n" +
		"  s1:\n" + indent(indent(d.selection())) + "  s2:\n" + indent(indent(d.selection())) + "  s3:\n" + indent(indent(d.selection())) +
		"  condition: " + d.condition(0) + "\n"
}

func (d dice) event() Record {
	e := Record{FieldCategory: {Text("essai")}}
	switch d.IntN(3) {
	case 0:
		e[FieldProduct] = []Value{Text(d.pick("x", "y"))}
	case 1:
		e["Channel"], e["EventID"] = []Value{Text("microsoft-windows-sysmon/OPERATIONAL")}, []Value{Integer(int64(d.IntN(2) + 1))}
	}
	for _, name := range []string{"F1", "F2", "F3", "F4"} {
		var vs []Value
		for range d.IntN(3) {
			switch d.IntN(10) {
			case 0:
				vs = append(vs, Null())
			case 1:
				vs = append(vs, Integer(int64(d.IntN(20))))
			case 2:
				vs = append(vs, Bool(true))
			case 3:
				vs = append(vs, Text(d.pick("10.1.2.3", "10.9.9.9", "2001:db8::1", "::ffff:10.1.2.3", "192.0.2.1")))
			case 4:
				vs = append(vs, Text(base64Offsets(d.word(3))[d.IntN(3)]))
			default:
				vs = append(vs, Text(d.word(5)))
			}
		}
		if len(vs) > 0 || d.IntN(4) == 0 {
			e[name] = vs
		}
	}
	return e
}

// reads is the naive reading of a log source.
func reads(l LogSource, e Record) bool {
	is := func(name, want string) bool {
		return slices.ContainsFunc(e[name], func(v Value) bool { return strings.EqualFold(v.text, want) })
	}
	own := (l.Category == "" || is(FieldCategory, l.Category)) && (l.Product == "" || is(FieldProduct, l.Product))
	windows := l.Product == "windows" && len(e["Channel"]) > 0 && (l.Category == "" || is("EventID", "1"))
	return own || windows
}

// TestIndexIsTheNaiveReading holds the index against the naive reading, on
// random rules and events: tens of thousands of pairs.
func TestIndexIsTheNaiveReading(t *testing.T) {
	t.Parallel()
	pairs, found, read := 0, 0, 0
	for seed := range uint64(60) {
		d := dice{rand.New(rand.NewPCG(seed, 7))} //nolint:gosec // a test
		var rules []*Rule
		var textsOf []string
		for len(rules) < 25 {
			text := d.rule()
			c, err := Parser{}.Parse("r.yml", []byte(text))
			if err != nil {
				continue // a random value that does not suit its modifier
			}
			rules, textsOf = append(rules, c.Rules[0]), append(textsOf, text)
		}
		set, err := Compile(rules, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := set.NewMatcher()
		var got []int32
		for range 20 {
			e := d.event()
			got = m.Match(e, got)
			for i, r := range rules {
				pairs++
				in := reads(r.Source, e)
				want := in && naive(r.root, e)
				if in {
					read++
				}
				if want {
					found++
				}
				if slices.Contains(got, int32(i)) != want {
					t.Fatalf("seed %d: the index says %v, the rule %v\n%s\n%v", seed, !want, want, textsOf[i], e)
				}
			}
			if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Fatalf("%v is not in order or says one twice", got)
			}
		}
	}
	t.Log(fmt.Sprint(pairs, " pairs, ", read, " read, ", found, " hits"))
	if found < pairs/20 || found > read*19/20 {
		t.Errorf("%d hits of %d: the dice try nothing", found, pairs)
	}
}
