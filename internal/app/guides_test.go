package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"tocsin/internal/config"
	"tocsin/internal/hooks"
)

// The guides are for people whom no compiler warns: what they list is checked
// against what the program says of itself.

const docs = "../../docs"

// guide reads a page of the documentation.
func guide(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// part is the text under a heading, up to the next one of the same level.
func part(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n## "+heading)
	if !found {
		t.Fatalf("the guide has no part %q", heading)
	}
	before, _, _ := strings.Cut(rest, "\n## ")
	return before
}

// row is the line of a table that has a name between backquotes in a cell of its own.
func row(text, name string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "|") && strings.Contains(line, "| `"+name+"` |") {
			return line
		}
	}
	return ""
}

func TestEveryOptionIsInTheGuide(t *testing.T) {
	t.Parallel()
	table := part(t, guide(t, "guides/exploitation.md"), "Réglages")
	count := 0
	for field := range reflect.TypeFor[config.Server]().Fields() {
		if _, ok := field.Tag.Lookup("setting"); !ok {
			continue
		}
		count++
		name, value := field.Tag.Get("name"), field.Tag.Get("default")
		line := ""
		for l := range strings.SplitSeq(table, "\n") {
			if strings.HasPrefix(l, "| `"+name+"` |") {
				line = l
			}
		}
		if line == "" || value != "" && !strings.Contains(line, "| `"+value+"` |") {
			t.Errorf("%s (default %q) is not in the guide as it is: %s", name, value, line)
		}
	}
	if listed := strings.Count(table, "\n| `"); listed != count {
		t.Errorf("the guide lists %d options, the program has %d", listed, count)
	}
}

func TestEveryDirectDependencyIsExplained(t *testing.T) {
	t.Parallel()
	text := guide(t, "dependencies.md")
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	direct := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(module), -1)
	if len(direct) < 10 {
		t.Fatalf("only %d direct dependencies were read", len(direct))
	}
	for _, m := range direct {
		if !strings.Contains(text, m[1]) {
			t.Errorf("%s is not in dependencies.md", m[1])
		}
	}
	for _, file := range []string{"../../package.json", "../../test/peers/package.json"} {
		list, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"([a-z.-]+)": "\d[\d.]+"`).FindAllStringSubmatch(string(list), -1) {
			if !strings.Contains(text, m[1]) {
				t.Errorf("%s of %s is not in dependencies.md", m[1], file)
			}
		}
	}
}

// anchors are the headings of a page as links name them.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		title, found := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !found || !strings.HasPrefix(line, "#") {
			continue
		}
		out[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, title)] = true
	}
	return out
}

func TestLinksBetweenDocumentsLead(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)]*))?\)`)
	seen := 0
	err := filepath.WalkDir(docs, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			seen++
			there := path
			if m[1] != "" {
				there = filepath.Join(filepath.Dir(path), m[1])
			}
			target, err := os.Stat(there)
			if err != nil {
				t.Errorf("%s: %s leads nowhere", path, m[1])
				continue
			}
			if m[2] == "" || target.IsDir() {
				continue
			}
			page, err := os.ReadFile(there)
			if err != nil {
				return err
			}
			if !anchors(string(page))[m[2]] {
				t.Errorf("%s: %s has no heading %q", path, there, m[2])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("no link was found: the documents changed their form")
	}
}

// TestTheGuideOfTheAPIIsTrue: every operation it shows exists, every event and
// every outcome has its line.
func TestTheGuideOfTheAPIIsTrue(t *testing.T) {
	t.Parallel()
	text := guide(t, "guides/api.md")
	description := guide(t, "openapi.json")
	for _, m := range regexp.MustCompile(`/api/v1(/[a-z]+)`).FindAllStringSubmatch(text, -1) {
		if m[1] != "/openapi" && !strings.Contains(description, `"/api/v1`+m[1]) {
			t.Errorf("the guide calls %s, which does not exist", m[0])
		}
	}
	for _, k := range hooks.Kinds() {
		if row(text, string(k)) == "" {
			t.Errorf("the guide does not explain the event %s", k)
		}
	}
	for _, o := range []hooks.Outcome{hooks.Started, hooks.Proposed, hooks.Duplicate, hooks.Updated, hooks.HeldBack, hooks.Over, hooks.Ignored} {
		if row(text, string(o)) == "" {
			t.Errorf("the guide does not explain the outcome %s", o)
		}
	}
}
