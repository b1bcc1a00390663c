package app_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"tocsin/internal/app"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/traces"
)

const formatsPage = "../../docs/guides/formats-des-traces.md"

// TestTheGuideTellsEveryFormat holds the page of the formats against what the
// formats say of themselves: go test ./internal/app -run EveryFormat -update
// writes it.
func TestTheGuideTellsEveryFormat(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`# Les formats des traces

> **English summary.** Which field of the common model each element of each format fills. The formats write this page themselves; the fields are those of the type Event in internal/traces/event.go. What the model has no place for goes to Extra and stays searchable; the original is kept byte for byte.

Chaque format dit ici ce qu’il lit et où il le range dans le modèle commun. Ce qui n’a pas de place dans le modèle va dans « Extra » et reste cherchable. L’original est toujours gardé, octet pour octet. Cette page est écrite par les formats eux-mêmes.
`)
	seen := map[string]bool{}
	for _, f := range app.TraceFormats(nil) {
		d := f.Describe()
		if d.Name == "" || d.Standard == "" || len(d.Maps) == 0 || seen[d.Name] {
			t.Errorf("%+v does not describe itself", d)
		}
		seen[d.Name] = true
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| Dans le format | Dans le modèle |\n|---|---|\n", d.Name, d.Standard)
		for _, m := range d.Maps {
			fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(m.From, "|", "¦"), strings.ReplaceAll(m.To, "|", "¦"))
		}
	}
	if *update {
		if err := os.WriteFile(formatsPage, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(formatsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != b.String() {
		t.Error("the page of the formats is not what the formats say: run this test with -update")
	}
}

// TestEveryFormatKeepsWhatItCannotRead gives every format the same rubbish: it
// stays whole, with an error of one sentence.
func TestEveryFormatKeepsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	const received = int64(1796047506000000)
	catalog, err := app.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range app.TraceFormats(nil) {
		name := f.Describe().Name
		for _, rubbish := range []string{"rien de lisible", "<a", "{\"a\":", "\x00\x01\xff\xfe", strings.Repeat("z", 2*traces.MaxRaw)} {
			events, err := f.Parse(nil, []byte(rubbish), received)
			if err == nil || len(events) == 0 {
				t.Errorf("%s: %.20q: %d events, %v", name, rubbish, len(events), err)
				continue
			}
			if e := events[0]; string(e.Raw) != rubbish[:min(len(rubbish), traces.MaxRaw)] || !e.AtGuessed || e.At != received || e.Collector == "" {
				t.Errorf("%s: %.20q: %.40q", name, rubbish, e.Raw)
			}
			for _, lang := range i18n.Languages() {
				if said := catalog.For(lang).Fault(err); said == catalog.For(lang).FaultKind(fault.Internal) || strings.Contains(said, "⟦") {
					t.Errorf("%s: %.20q: %s", name, rubbish, said)
				}
			}
		}
	}
}
