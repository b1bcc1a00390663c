package sigma

import (
	"strings"
	"testing"

	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
)

// ruleText makes a rule of a detection, written with two spaces of indent.
func ruleText(detection string) string {
	return "title: Essai\nlogsource:\n  category: essai\ndetection:\n" + indent(detection)
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}

func parseOne(t testing.TB, text string) *Rule {
	t.Helper()
	c, err := Parser{}.Parse("essai.yml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(c.Rules) != 1 {
		t.Fatalf("%d rules in\n%s", len(c.Rules), text)
	}
	return c.Rules[0]
}

// hits tells whether a rule hits an event of the log source « essai ».
func hits(t testing.TB, r *Rule, fields Record) bool {
	t.Helper()
	set, err := Compile([]*Rule{r}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := Record{FieldCategory: {Text("essai")}}
	for k, v := range fields {
		e[k] = v
	}
	got := len(set.NewMatcher().Match(e, nil)) == 1
	if want := naive(r.root, e); got != want {
		t.Fatalf("the index says %v, reading the rule says %v", got, want)
	}
	return got
}

// selection is a rule of one item: « field|modifiers: values ».
func item(t testing.TB, text string) *Rule {
	t.Helper()
	return parseOne(t, ruleText("sel:\n"+indent(text)+"condition: sel\n"))
}

func f(value any) Record { return field("F", value) }

func field(name string, value any) Record {
	r := Record{}
	switch v := value.(type) {
	case nil:
		r[name] = []Value{Null()}
	case string:
		r[name] = []Value{Text(v)}
	case int:
		r[name] = []Value{Integer(int64(v))}
	case float64:
		r[name] = []Value{Number(v)}
	case bool:
		r[name] = []Value{Bool(v)}
	case []Value:
		r[name] = v
	}
	return r
}

// wantKey fails unless err is the refusal of that key, with a sentence in both
// languages that holds no unknown argument.
func wantKey(t testing.TB, err error, key string) *fault.Error {
	t.Helper()
	e := fault.As(err)
	if e == nil || e.Key != key {
		t.Fatalf("got %v, want %s", err, key)
	}
	for _, lang := range i18n.Languages() {
		said := i18ntest.Localizer(t, lang, Locales).T(e.Key, e.Args...)
		if said == "" || strings.Contains(said, e.Key) || strings.ContainsAny(said, "{}") && !strings.HasPrefix(e.Key, "traces.sigma.regex") && e.Key != "traces.sigma.not_yaml" {
			t.Errorf("%s: %q", lang, said)
		}
	}
	return e
}
