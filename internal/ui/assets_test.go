package ui_test

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// tooNew is what Chrome 109 does not know; the browsers of a hospital are old.
var tooNew = map[string]*regexp.Regexp{
	"color-mix()":               regexp.MustCompile(`color-mix\(`),
	"oklch() or oklab()":        regexp.MustCompile(`okl(ch|ab)\(`),
	"relative colour":           regexp.MustCompile(`\((from) `),
	":has()":                    regexp.MustCompile(`:has\(`),
	"nesting":                   regexp.MustCompile(`\{[^{}]*[;{]\s*&`),
	"light-dark()":              regexp.MustCompile(`light-dark\(`),
	"subgrid":                   regexp.MustCompile(`subgrid`),
	"@scope or @starting-style": regexp.MustCompile(`@(scope|starting-style)`),
	"text-wrap":                 regexp.MustCompile(`text-wrap\s*:`),
}

func TestBundlesWorkOnOldBrowsers(t *testing.T) {
	t.Parallel()
	bundles, err := ui.Bundles()
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range bundles {
		if !strings.HasSuffix(name, ".css") {
			continue
		}
		for what, pattern := range tooNew {
			if at := pattern.FindIndex(body); at != nil {
				t.Errorf("%s uses %s: …%s…", name, what, body[max(0, at[0]-30):min(len(body), at[1]+30)])
			}
		}
	}
}

func TestBundlesCallNobody(t *testing.T) {
	t.Parallel()
	bundles, err := ui.Bundles()
	if err != nil {
		t.Fatal(err)
	}
	outside := regexp.MustCompile(`(url\(|@import |fetch\(|src=)["']?(https?:)?//`)
	for name, body := range bundles {
		if at := outside.FindIndex(body); at != nil {
			t.Errorf("%s calls outside: …%s…", name, body[at[0]:min(len(body), at[1]+60)])
		}
	}
	if bytes.Contains(bundles["answer.css"], []byte("</")) {
		t.Error("the style of the answer page would end its element")
	}
	for _, name := range []string{"app.css", "app.js", "answer.css", "curves.js", "icon.svg"} {
		if len(bundles[name]) == 0 {
			t.Errorf("no bundle %s", name)
		}
	}
}

func TestTonesReadOnTheirGrounds(t *testing.T) {
	t.Parallel()
	bundles, err := ui.Bundles()
	if err != nil {
		t.Fatal(err)
	}
	for _, theme := range themes(t, string(bundles["app.css"])) {
		for _, pair := range [][2]string{
			{"--ink", "--paper"},
			{"--ink", "--surface"},
			{"--quiet", "--paper"},
			{"--quiet", "--surface"},
			{"--quiet", "--sunken"},
			{"--accent", "--surface"},
			{"--accent", "--paper"},
			{"--accent-ink", "--accent"},
			{"--accent-ink", "--accent-hover"},
			{"--danger-ink", "--danger"},
			{"--danger-ink", "--danger-hover"},
			{"--ink", "--accent-soft"},
			{"--ink", "--danger-soft"},
			{"--information", "--information-ground"},
			{"--attention", "--attention-ground"},
			{"--alerte", "--alerte-ground"},
			{"--critique", "--critique-ground"},
			{"--succes", "--succes-ground"},
			{"--neutre", "--neutre-ground"},
			{"--critique", "--surface"},
			{"--solid-critique-ink", "--solid-critique"},
			{"--solid-attention-ink", "--solid-attention"},
			{"--solid-alerte-ink", "--solid-alerte"},
			{"--solid-information-ink", "--solid-information"},
			{"--rail-ink", "--rail"},
		} {
			if ratio := contrast(t, theme[pair[0]], theme[pair[1]]); ratio < 4.5 {
				t.Errorf("%s on %s: %.2f (%s on %s), want 4.5", pair[0], pair[1], ratio, theme[pair[0]], theme[pair[1]])
			}
		}
		if ratio := contrast(t, theme["--line-strong"], theme["--surface"]); ratio < 3 {
			t.Errorf("the edge of a field: %.2f, want 3", ratio)
		}
	}
}

func TestAssetsAreKeptForEver(t *testing.T) {
	t.Parallel()
	r := uitest.House(t, ui.Visitor{}, func(o *ui.Options) { o.StyleGuide = true })
	page := uitest.Get(t, r, "/styleguide/porte").Want(200)
	href := uitest.Attribute(page.Find("link[rel=stylesheet]")[0], "href")
	for accept, coding := range map[string]string{"": "", "gzip": "gzip", "gzip, deflate, br": "br", "br;q=0, gzip": "gzip"} {
		p := uitest.Get(t, r, href, uitest.With("Accept-Encoding", accept)).Want(200)
		if got := p.Header.Get("Content-Encoding"); got != coding {
			t.Errorf("accepting %q: coding %q, want %q", accept, got, coding)
		}
		if got := p.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("Cache-Control %q", got)
		}
		if got := p.Header.Get("Content-Type"); got != "text/css; charset=utf-8" {
			t.Errorf("Content-Type %q", got)
		}
	}
	uitest.Get(t, r, "/assets/app.css").Want(http.StatusNotFound)
	uitest.Get(t, r, "/assets/../doc.go").Want(http.StatusTemporaryRedirect)
	uitest.Get(t, r, "/favicon.ico").Want(200)
}
