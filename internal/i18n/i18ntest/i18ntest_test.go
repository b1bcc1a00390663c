package i18ntest_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"tocsin/internal/channels"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
)

// verdict records what a helper reports instead of failing.
type verdict struct {
	testing.TB
	said []string
}

func (v *verdict) Helper()                      {}
func (v *verdict) Error(args ...any)            { v.said = append(v.said, fmt.Sprint(args...)) }
func (v *verdict) Errorf(f string, args ...any) { v.said = append(v.said, fmt.Sprintf(f, args...)) }

func locales() fs.FS {
	text := "a.one: x\na.two: {one: x, other: x}\na.three: x\na.four: x\na.kind.sms: x\na.kind.email: x\na.label: x\na.templ: x\na.count: {one: x, other: x}\n"
	return fstest.MapFS{"locales/fr.yaml": {Data: []byte(text)}, "locales/en.yaml": {Data: []byte(text)}}
}

const good = `package a

import "tocsin/internal/fault"

var labels = map[string]string{"x": "a.label"}

func f(l L, kind string) []any {
	return []any{
		l.T("a.one"), l.N("a.two", 3), fault.New(fault.Invalid, "a.three", "p", 1),
		fault.Wrap(err, fault.Invalid, "a.four"), l.T("a.kind." + kind), i18n.Key("a.one"),
	}
}
`

const page = `package a

templ Page(c *ui.Context) {
	<h1>{ c.Loc.T("a.templ") }</h1><p>{ c.Loc.N("a.count", 2) } { c.Loc.T("a.kind." + c.Kind) }</p>
}
`

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestHonestCodePasses(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"a.go": good, "pages/page.templ": page,
		"a_test.go":           "package a\nvar _ = l.T(\"a.invented\")\n",
		"page_templ.go":       "this is generated and not even Go",
		"node_modules/x/x.go": "not ours",
	})
	v := &verdict{TB: t}
	i18ntest.Room(v, dir, locales())
	i18ntest.Tree(v, dir, i18ntest.Catalog(t, locales()), "common.", "fault.")
	if len(v.said) > 0 {
		t.Errorf("complains of honest code: %v", v.said)
	}
}

func TestUnknownKeysAreNamedWithTheirPlace(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, file, text, want string }{
		{"T", "a.go", "package a\nvar _ = l.T(\"a.gone\")\n", `a.go:2:13: no sentence for "a.gone"`},
		{"N", "a.go", "package a\nvar _ = l.N(\"a.gone\", 2)\n", `no sentence for "a.gone"`},
		{"fault.New", "a.go", "package a\nvar _ = fault.New(fault.Invalid, \"a.gone\")\n", `no sentence for "a.gone"`},
		{"fault.Wrap", "a.go", "package a\nvar _ = fault.Wrap(err, fault.Invalid, `a.gone`)\n", `no sentence for "a.gone"`},
		{"Key", "a.go", "package a\nvar _ = i18n.Key(\"a.gone\")\n", `no sentence for "a.gone"`},
		{"prefix", "a.go", "package a\nvar _ = l.T(\"a.gone.\" + x + \".help\")\n", `no sentence begins with "a.gone."`},
		{"templ", "p.templ", "package a\n\n<p>{ c.Loc.T(\"a.gone\") }</p>", `p.templ:3: no sentence for "a.gone"`},
		{"templ prefix", "p.templ", "<p>{ c.Loc.T(\"a.gone.\" + x) }</p>", `no sentence begins with "a.gone."`},
		{"no code", "p.txt", "", "no key found"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &verdict{TB: t}
			i18ntest.Room(v, tree(t, map[string]string{c.file: c.text}), locales())
			if len(v.said) != 1 || !strings.Contains(v.said[0], c.want) {
				t.Errorf("said %q, want %q", v.said, c.want)
			}
		})
	}
}

func TestUnsaidSentencesAreFound(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a.go": good})
	v := &verdict{TB: t}
	i18ntest.Tree(v, dir, i18ntest.Catalog(t, locales()), "common.", "fault.")
	got := strings.Join(v.said, "\n")
	if want := "a.count: no code says this sentence\na.templ: no code says this sentence"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestHouseFindsItsLocales(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"a/locales/fr.yaml": "a.one: x\na.spared: x", "a/locales/en.yaml": "a.one: x\na.spared: x",
		"b/locales/fr.yaml": "b.one: x", "b/locales/en.yaml": "b.one: x",
		"b/b.go":                       "package b\nvar _ = l.T(\"a.one\") + l.T(\"b.two\")\n",
		"node_modules/locales/fr.yaml": "not ours",
		"c/locales/fr.yaml":            "c.one: x",
	})
	v := &verdict{TB: t}
	i18ntest.House(v, dir, "a.spared")
	got := strings.Join(v.said, "\n")
	if len(v.said) != 3 || !strings.Contains(got, "c/locales/en.yaml") || !strings.Contains(got, `no sentence for "b.two"`) || !strings.Contains(got, "b.one: no code says") {
		t.Errorf("said %q", got)
	}
}

func TestLocalizer(t *testing.T) {
	t.Parallel()
	if got := i18ntest.Localizer(t, i18n.French).T("common.yes"); got != "Oui" {
		t.Errorf("got %q", got)
	}
}

func TestChannels(t *testing.T) {
	t.Parallel()
	v := &verdict{TB: t}
	i18ntest.Room(v, "../../channels", channels.Locales)
	for _, s := range v.said {
		// The kinds' own folders are checked by their own tests.
		if rest, ok := strings.CutPrefix(s, "../../channels/"); ok && !strings.Contains(strings.SplitN(rest, ":", 2)[0], "/") {
			t.Error(s)
		}
	}
}
