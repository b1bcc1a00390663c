package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/alerting"
)

func TestTheAlertOfACaseFillsItsScenario(t *testing.T) {
	def := alerting.Definition{Variables: []alerting.Variable{
		{Name: "niveau", Kind: "choice"}, {Name: "fait", Kind: "text", MaxLength: 12}, {Name: "dossier", Kind: "text", MaxLength: 60}, {Name: "suite", Kind: "text"},
	}}
	got := caseValues(def, "Sauvegardes  supprimées", "https://t.example/traces/alertes/1")
	if len(got) != 2 || got["fait"] != "Sauvegardes " || got["dossier"] != "https://t.example/traces/alertes/1" {
		t.Errorf("%q", got)
	}
	if got := caseValues(def, "x", strings.Repeat("y", 61)); got["dossier"] != "" {
		t.Errorf("half a link leads nowhere: %q", got)
	}
}

func TestRulesAreTriedAtTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(want int, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		if got := Main(append([]string{"traces", "rules", "test"}, args...), strings.NewReader(""), &out, &errOut); got != want {
			t.Fatalf("%v: status %d, want %d\n%s%s", args, got, want, out.String(), errOut.String())
		}
		return out.String() + errOut.String()
	}
	good := put("bon.yml", "title: Bon\nlogsource: {product: tocsin}\ndetection: {s: {message|contains: abc}, condition: s}\n")
	put("bon.test.yml", "match:\n  - {message: xabcx}\nno_match:\n  - {message: x}\n")
	if out := run(0, dir); !strings.Contains(out, "Bon") || !strings.Contains(out, "2") {
		t.Error(out)
	}
	events := put("e.json", `{"message":"abc"}{"message":"d"}`)
	if out := run(0, good, events); !strings.Contains(out, "message = abc") {
		t.Error(out)
	}
	put("casse.yml", "title: Cassée\nlogsource: {product: tocsin}\ndetection: {s: {a: b}, condition: absent}\n")
	if out := run(1, dir); !strings.Contains(out, "casse.yml") || !strings.Contains(out, "Bon") {
		t.Error(out)
	}
	run(0, good)
	run(1, filepath.Join(dir, "absent"))
}
