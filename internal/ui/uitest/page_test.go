package uitest_test

import (
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/ui/uitest"
)

const good = `<!DOCTYPE html><html lang="fr"><head><title>Titre</title></head><body><h1>Un</h1>
<label for="a">Nom</label><input id="a" name="a"><label>Oui <input type="checkbox" name="b"></label><p class="x">Deux
  mots</p></body></html>`

// failures counts what an assertion would have reported.
type failures struct {
	testing.TB
	said []string
}

func (f *failures) Helper()                        {}
func (f *failures) Errorf(format string, _ ...any) { f.said = append(f.said, format) }
func (f *failures) Fatalf(format string, a ...any) { f.Errorf(format, a...) }

func TestAssertionsCanFail(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		body  string
		check func(p *uitest.Page)
		fails bool
	}{
		{"whole page", good, func(p *uitest.Page) { p.Whole() }, false},
		{"text over two lines", good, func(p *uitest.Page) { p.Says(".x", "Deux mots") }, false},
		{"other text", good, func(p *uitest.Page) { p.Says(".x", "Trois") }, true},
		{"absent", good, func(p *uitest.Page) { p.Has(".y") }, true},
		{"present", good, func(p *uitest.Page) { p.Lacks(".x") }, true},
		{"count", good, func(p *uitest.Page) { p.Count("input", 1) }, true},
		{"attribute", good, func(p *uitest.Page) { p.Value("input", "name", "z") }, true},
		{"status", good, func(p *uitest.Page) { p.Want(404) }, true},
		{"no redirection", good, func(p *uitest.Page) { p.Leads("/") }, true},
		{"two h1", strings.Replace(good, "</body>", "<h1>Deux</h1></body>", 1), func(p *uitest.Page) { p.Whole() }, true},
		{"inline style", strings.Replace(good, "<p ", `<p style="color:red" `, 1), func(p *uitest.Page) { p.Whole() }, true},
		{"inline handler", strings.Replace(good, "<p ", `<p onclick="x()" `, 1), func(p *uitest.Page) { p.Whole() }, true},
		{"htmx handler", strings.Replace(good, "<p ", `<p hx-on:click="x()" `, 1), func(p *uitest.Page) { p.Whole() }, true},
		{"inline script", strings.Replace(good, "</body>", "<script>x()</script></body>", 1), func(p *uitest.Page) { p.Whole() }, true},
		{"field without label", strings.Replace(good, `for="a"`, "", 1), func(p *uitest.Page) { p.Whole() }, true},
		{"id twice", strings.Replace(good, `class="x"`, `id="a"`, 1), func(p *uitest.Page) { p.Whole() }, true},
		{"untranslated", strings.Replace(good, "Deux", "⟦x.y⟧", 1), func(p *uitest.Page) { p.Whole() }, true},
		{"no title", strings.Replace(good, "Titre", "", 1), func(p *uitest.Page) { p.Whole() }, true},
		{"no language", strings.Replace(good, ` lang="fr"`, "", 1), func(p *uitest.Page) { p.Whole() }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seen := &failures{TB: t}
			tt.check(uitest.Parse(seen, http.StatusOK, http.Header{}, strings.NewReader(tt.body)))
			if failed := len(seen.said) > 0; failed != tt.fails {
				t.Errorf("failed %v, want %v: %q", failed, tt.fails, seen.said)
			}
		})
	}
}
