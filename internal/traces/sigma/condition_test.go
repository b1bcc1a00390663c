package sigma

import (
	"strings"
	"testing"
)

// holdsFor tells whether a condition over selections a, b, c, _d (each: field
// of that name is « x ») holds when those named are true.
func holdsFor(t *testing.T, condition, true_ string) bool {
	t.Helper()
	detection := ""
	e := Record{}
	for _, name := range []string{"a", "b", "c_1", "c_2", "_d"} {
		detection += name + ":\n  " + strings.ToUpper(name) + ": x\n"
	}
	for _, name := range strings.Fields(true_) {
		e[strings.ToUpper(name)] = []Value{Text("x")}
	}
	return hits(t, parseOne(t, ruleText(detection+"condition: "+condition+"\n")), e)
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		condition, true_ string
		want             bool
	}{
		{"a", "a", true},
		{"a and b", "a", false},
		{"a and b", "a b", true},
		{"a or b and c_1", "a", true}, // and binds more than or
		{"(a or b) and c_1", "a", false},
		{"not a and b", "b", true}, // not binds more than and
		{"not (a and b)", "a", true},
		{"not not a", "a", true},
		{"a AND NOT b", "a", true},
		{"1 of c*", "c_2", true},
		{"1 of c_*", "a b", false},
		{"all of c_*", "c_1", false},
		{"all of c_*", "c_1 c_2", true},
		{"any of c_*", "c_1", true},
		{"1 of *_2", "c_2", true},
		{"1 of c*1", "c_1", true},
		{"1 of them", "_d", false}, // an underscore keeps a selection out of them
		{"1 of them", "b", true},
		{"all of them", "a b c_1 c_2", true},
		{"all of them", "a b c_1", false},
		{"1 of _*", "_d", true},
		{"_d", "_d", true},
		{"a and not 1 of c_*", "a c_2", false},
		{"a and not 1 of c_*", "a", true},
		{"(((a)))", "a", true},
		{"\n    - a\n    - b and c_1", "a", true},
		{"\n    - a\n    - b and c_1", "b", false},
	} {
		if got := holdsFor(t, c.condition, c.true_); got != c.want {
			t.Errorf("%q with %q: %v", c.condition, c.true_, got)
		}
	}
}

func TestSelections(t *testing.T) {
	t.Parallel()
	maps := parseOne(t, ruleText("sel:\n  - A: x\n    B: y\n  - C: z\ncondition: sel\n"))
	if !hits(t, maps, Record{"C": {Text("z")}}) || hits(t, maps, Record{"A": {Text("x")}}) || !hits(t, maps, Record{"A": {Text("x")}, "B": {Text("y")}}) {
		t.Error("a list of maps is OR of AND")
	}
	mixed := parseOne(t, ruleText("sel:\n  - mot\n  - C: z\ncondition: sel\n"))
	if !hits(t, mixed, Record{"X": {Text("un mot")}}) || !hits(t, mixed, Record{"C": {Text("z")}}) {
		t.Error("a list may hold keywords and maps")
	}
	spaced := parseOne(t, ruleText("sel:\n  'Nom Complet': x\ncondition: sel\n"))
	if !hits(t, spaced, Record{"Nom Complet": {Text("x")}}) {
		t.Error("a field name may have spaces")
	}
	if hits(t, spaced, Record{"nom complet": {Text("x")}}) {
		t.Error("a field name is taken as written")
	}
}
