package sigma

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	sel := func(item string) string { return ruleText("sel:\n" + indent(item) + "condition: sel\n") }
	cond := func(c string) string { return ruleText("sel:\n  A: x\ncondition: " + c + "\n") }
	head := "title: T\nlogsource:\n  category: c\n"
	corr := func(body string) string { return "title: C\ncorrelation:\n" + indent(body) }
	const base = "type: event_count\nrules: [a]\ngroup-by: [U]\n"
	for _, c := range []struct {
		text, key string
		line      int
	}{
		{"", "traces.sigma.empty", 1},
		{"---\n---\n", "traces.sigma.empty", 1},
		{"title: [", "traces.sigma.not_yaml", 1},
		{"- a\n", "traces.sigma.not_map", 1},
		{"texte", "traces.sigma.not_map", 1},
		{"title: T\n", "traces.sigma.no_detection", 1},
		{head, "traces.sigma.no_detection", 1},
		{"logsource:\n  category: c\ndetection:\n  s:\n    A: 1\n  condition: s\n", "traces.sigma.no_title", 1},
		{"title: " + strings.Repeat("é", 257) + "\n", "traces.sigma.title_long", 1},
		{"title: [a]\n", "traces.sigma.want_text", 1},
		{"title: T\ntags: {a: b}\n", "traces.sigma.want_list", 2},
		{"title: T\ntags: [[a]]\n", "traces.sigma.want_list", 2},
		{"title: T\nstatus: neuf\n", "traces.sigma.status", 2},
		{"title: T\nlevel: énorme\n", "traces.sigma.level", 2},
		{"title: T\ntaxonomy: ecs\n", "traces.sigma.taxonomy", 2},
		{"title: T\nrelated: x\n", "traces.sigma.want_list", 2},
		{"title: T\nrelated: [x]\n", "traces.sigma.want_map", 2},
		{"title: T\ndetection:\n  s: {A: 1}\n  condition: s\n", "traces.sigma.no_logsource", 1},
		{"title: T\nlogsource: {definition: x}\ndetection:\n  s: {A: 1}\n  condition: s\n", "traces.sigma.no_logsource", 2},
		{"title: T\ntitle: U\n", "traces.sigma.key_twice", 2},
		{"? [a]\n: b\n", "traces.sigma.key_not_text", 1},
		{"title: &x T\nauthor: *x\n", "traces.sigma.alias", 1},
		{"title: !!binary aGk=\n", "traces.sigma.tag", 1},
		{"action: global\n" + head, "traces.sigma.action", 1},
		{"title: F\nfilter:\n  rules: [a]\n", "traces.sigma.filter", 3},
		{head + "detection: {}\ncorrelation: {}\n", "traces.sigma.both", 5},
		{head + "detection: x\n", "traces.sigma.want_map", 4},
		{ruleText("s:\n  A: 1\n"), "traces.sigma.no_condition", 5},
		{ruleText("s:\n  A: 1\ncondition: ''\n"), "traces.sigma.no_condition", 7},
		{ruleText("s:\n  A: 1\ncondition: []\n"), "traces.sigma.no_condition", 5},
		{ruleText("condition: s\n"), "traces.sigma.no_selection", 5},
		{ruleText("s: {}\ncondition: s\n"), "traces.sigma.empty_selection", 5},
		{ruleText("s: []\ncondition: s\n"), "traces.sigma.empty_selection", 5},
		{ruleText("s:\ncondition: s\n"), "traces.sigma.empty_selection", 5},
		{ruleText("s:\n  '|all': null\ncondition: s\n"), "traces.sigma.empty_selection", 6},
		{ruleText("s:\n  A: 1\ntimeframe: 5m\ncondition: s\n"), "traces.sigma.timeframe", 7},
		{sel("A: []"), "traces.sigma.no_value", 6},
		{sel("A: {B: c}"), "traces.sigma.value_not_scalar", 6},
		{sel("A:\n  - x\n  - null"), "traces.sigma.null_in_list", 8},
		{sel("A: " + strings.Repeat("x", maxText+1)), "traces.sigma.value_long", 6},
		{sel("A: '" + strings.Repeat("?a", maxWild) + "'"), "traces.sigma.wildcards", 6},
		{sel("A|contient: x"), "traces.sigma.modifier_unknown", 6},
		{sel("A|: x"), "traces.sigma.modifier_unknown", 6},
		{sel("A|contains: null"), "traces.sigma.modifier_value", 6},
		{sel("A|cidr|contains: 10.0.0.0/8"), "traces.sigma.modifier_value", 6},
		{sel("A|re|wide: x"), "traces.sigma.modifier_value", 6},
		{sel("A|base64|re: x"), "traces.sigma.modifier_first", 6},
		{sel("A|contains|cidr: 10.0.0.0/8"), "traces.sigma.modifier_first", 6},
		{sel("A|base64: 'x*'"), "traces.sigma.encode_wildcard", 6},
		{sel("A|base64offset: 'x?y'"), "traces.sigma.encode_wildcard", 6},
		{sel("A|i: x"), "traces.sigma.flag_without_re", 6},
		{sel("A|re: '(?=x)'"), "traces.sigma.regex_bad", 6},
		{sel(`A|re: '(a)\1'`), "traces.sigma.regex_bad", 6},
		{sel("A|re: 'a)(b'"), "traces.sigma.regex_bad", 6},
		{sel("A|re: '" + strings.Repeat("a", maxPattern+1) + "'"), "traces.sigma.regex_long", 6},
		{sel("A|re: '((a{100}){100}){10}'"), "traces.sigma.regex_bad", 6},
		{sel(`A|re: '(\pL{30}){30}'`), "traces.sigma.regex_long", 6},
		{sel("A|cidr: 10.0.0.1/8"), "traces.sigma.cidr", 6},
		{sel("A|cidr: 10.0.0"), "traces.sigma.cidr", 6},
		{sel("A|gte: '123'"), "traces.sigma.want_number", 6},
		{sel("A|hour: midi"), "traces.sigma.want_number", 6},
		{sel("A|hour: 1.5"), "traces.sigma.want_number", 6},
		{sel("A|hour|gte: 20"), "traces.sigma.want_number", 6},
		{sel("A|exists: oui"), "traces.sigma.exists", 6},
		{sel("A|exists: [true, false]"), "traces.sigma.exists", 6},
		{sel("'|exists': true"), "traces.sigma.exists", 6},
		{sel("A|base64|exists: true"), "traces.sigma.modifier_first", 6},
		{sel("A|fieldref: 'B*'"), "traces.sigma.fieldref", 6},
		{sel("A|fieldref: 1"), "traces.sigma.fieldref", 6},
		{sel("'|fieldref': B"), "traces.sigma.fieldref", 6},
		{sel("A|expand: '%x%'"), "traces.sigma.placeholder", 6},
		{cond("sel | count() > 5"), "traces.sigma.condition_pipe", 7},
		{cond("sel sel"), "traces.sigma.condition_word", 7},
		{cond("(sel"), "traces.sigma.condition_open", 7},
		{cond("sel)"), "traces.sigma.condition_word", 7},
		{cond("sel and"), "traces.sigma.condition_short", 7},
		{cond("not"), "traces.sigma.condition_short", 7},
		{cond("2 of sel*"), "traces.sigma.condition_count", 7},
		{cond("1 of x*"), "traces.sigma.selection_unknown", 7},
		{cond("autre"), "traces.sigma.selection_unknown", 7},
		{cond(strings.Repeat("sel or ", maxTokens) + "sel"), "traces.sigma.condition_long", 7},
		{cond(strings.Repeat("(", 200) + "sel" + strings.Repeat(")", 200)), "traces.sigma.too_deep", 7},
		{corr("type: near\nrules: [a]\n"), "traces.sigma.correlation_type", 3},
		{corr("type: event_count\n"), "traces.sigma.correlation_rules", 3},
		{corr("type: event_count\nrules: [a, a]\n"), "traces.sigma.correlation_rules", 3},
		{corr(base + "timespan: 1h30\n"), "traces.sigma.timespan", 3},
		{corr(base + "timespan: 91d\n"), "traces.sigma.timespan", 3},
		{corr(base + "timespan: 0s\n"), "traces.sigma.timespan", 3},
		{corr(base + "timespan: 1h\n"), "traces.sigma.correlation_condition", 3},
		{corr(base + "timespan: 1h\ncondition: {}\n"), "traces.sigma.correlation_condition", 7},
		{corr(base + "timespan: 1h\ncondition: {gte: dix}\n"), "traces.sigma.want_number", 7},
		{corr(base + "timespan: 1h\ncondition: {plus: 1}\n"), "traces.sigma.correlation_key", 7},
		{corr(base + "timespan: 1h\ncondition: {gte: 10001}\n"), "traces.sigma.count_high", 7},
		{corr(base + "timespan: 1h\ncondition: {gte: 1, field: X}\n"), "traces.sigma.correlation_field", 7},
		{corr("type: value_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1}\n"), "traces.sigma.correlation_field", 6},
		{corr("type: value_percentile\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1, field: X}\n"), "traces.sigma.percentile", 6},
		{corr("type: value_percentile\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1, field: X, percentile: 101}\n"), "traces.sigma.percentile", 6},
		{corr("type: temporal_ordered\nrules: [a, b]\ntimespan: 1h\ncondition: {gte: 1}\n"), "traces.sigma.ordered_condition", 6},
		{corr("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: {lt: 2}\n"), "traces.sigma.temporal_condition", 6},
		{corr(base + "timespan: 1h\naliases: x\ncondition: {gte: 1}\n"), "traces.sigma.want_map", 7},
		{corr(base + "timespan: 1h\naliases: {U: {z: F}}\ncondition: {gte: 1}\n"), "traces.sigma.alias_rule", 7},
	} {
		_, err := Parser{}.Parse("regle.yml", []byte(c.text))
		e := wantKey(t, err, c.key)
		if want := fmt.Sprintf("regle.yml:%d", c.line); e.Field != want {
			t.Errorf("%s: at %s, want %s\n%s", c.key, e.Field, want, c.text)
		}
	}
}

// TestHostileRules are refused, or read, in bounded time and memory.
func TestHostileRules(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 9), ","))
	}
	many := ""
	for i := range 210 {
		many += fmt.Sprintf("s%d:\n  A: x\n", i)
	}
	dashes := "s:\n  A|windash: '" + strings.Repeat("-a ", 12) + "'\ncondition: s\n"
	spread := "s:\n  A:\n"
	for i := range 300 {
		spread += fmt.Sprintf("    - v%d\n", i)
	}
	var forms strings.Builder
	for i := range 60 {
		fmt.Fprintf(&forms, "    - '-a%d -b -c -d -e'\n", i)
	}
	for _, c := range []struct{ name, text, key string }{
		{"bomb", bomb, "traces.sigma.alias"},
		{"10 MB", "title: " + strings.Repeat("x", 10<<20), "traces.sigma.too_long"},
		{"flow", strings.Repeat("[", 500_000), "traces.sigma.too_deep"},
		{"flow lines", strings.Repeat("[\n", 100_000), ""},
		{"maps", strings.Repeat("{a: ", 5_000), ""},
		{"block", strings.Repeat("- ", 50_000), "traces.sigma.too_deep"},
		{"nested", "a: " + strings.Repeat("[", 100) + strings.Repeat("]", 100), "traces.sigma.too_deep"},
		{"scalars", "a: [" + strings.Repeat("x,", 200_000) + "]", "traces.sigma.too_many_values"},
		{"documents", strings.Repeat("---\n"+ruleText("s:\n  A: x\ncondition: s\n"), maxDocuments+1), "traces.sigma.too_many_rules"},
		{"selections", ruleText(many + "condition: s1\n"), "traces.sigma.too_many_selections"},
		{"windash", ruleText(dashes), "traces.sigma.too_many_variants"},
		{"windash list", ruleText("s:\n  A|windash:\n" + forms.String() + "condition: s\n"), "traces.sigma.too_many_variants"},
		{"spread", ruleText(spread + "condition: " + strings.Repeat("s or ", 480) + "s\n"), ""},
		{"spread lists", ruleText(spread + "condition:\n" + strings.Repeat("  - "+strings.Repeat("s or ", 400)+"s\n", 5)), "traces.sigma.too_many_tests"},
		{"quoted", "title: \"" + strings.Repeat(`\x41`, 200_000) + "\"\n", ""},
		{"keys", "title: T\n" + strings.Repeat("?", 5000), ""},
		{"anchors", "title: T\nx: " + strings.Repeat("!a ", 100_000), ""},
	} {
		start := time.Now()
		_, err := Parser{}.Parse("hostile.yml", []byte(c.text))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %v", c.name, took)
		}
		if c.key != "" {
			if err == nil {
				t.Errorf("%s is taken", c.name)
				continue
			}
			wantKey(t, err, c.key)
		}
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	r := parseOne(t, `title: Lecture d'un dossier
id: 929a690e-bef0-4204-a928-ef5e620d6fcc
name: lecture
related:
  - id: 08fbc97d-0a2f-491c-ae21-8ffcfd3174e9
    type: derived
status: test
description: |
  Deux lignes
  de texte.
license: CC0-1.0
author: Un auteur, une autre
references: https://exemple.invalid/
date: 2026-11-30
modified: '2026-12-01'
tags:
  - attack.t1234
logsource:
  product: Windows
  service: Security
  definition: tout journaliser
detection:
  sel:
    EventID: 4663
  condition: sel
fields: [SubjectUserName]
falsepositives:
  - Sauvegarde
level: high
scope: [server]
custom: {x: 1}
`)
	switch {
	case r.Name != "lecture", r.Level != High, r.Status != Test, r.Date != "2026-11-30", r.Modified != "2026-12-01":
		t.Errorf("%+v", r.Meta)
	case len(r.Related) != 1 || r.Related[0].Type != "derived", len(r.References) != 1, len(r.Tags) != 1, len(r.FalsePositives) != 1, len(r.Fields) != 1, len(r.Scope) != 1:
		t.Errorf("%+v", r.Meta)
	case r.Source != LogSource{Product: "windows", Service: "security"}:
		t.Errorf("%+v", r.Source)
	case r.Source.String() != "windows/security", r.Ref() != "Lecture d'un dossier", r.File != "essai.yml", r.Line != 1:
		t.Errorf("%q %q %q %d", r.Source, r.Ref(), r.File, r.Line)
	}
}
