package uitest

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
)

// Page is a page a test received.
type Page struct {
	t      testing.TB
	Status int
	Header http.Header
	Body   string
	root   *html.Node
}

// Parse reads a page.
func Parse(t testing.TB, status int, header http.Header, body io.Reader) *Page {
	t.Helper()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("read page: %v", err)
	}
	root, err := html.Parse(strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("parse page: %v", err)
	}
	return &Page{t: t, Status: status, Header: header, Body: string(text), root: root}
}

// RequestOption changes a request before it is sent.
type RequestOption func(*http.Request)

// With sets a header.
func With(name, value string) RequestOption {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// Cookie adds a cookie.
func Cookie(c *http.Cookie) RequestOption {
	return func(r *http.Request) { r.AddCookie(c) }
}

// Get asks the handler for a page.
func Get(t testing.TB, h http.Handler, path string, opts ...RequestOption) *Page {
	t.Helper()
	return do(t, h, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil), opts)
}

// Post sends a form, given as name, value pairs, as a browser of the same site.
func Post(t testing.TB, h http.Handler, path string, fields []string, opts ...RequestOption) *Page {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return do(t, h, r, opts)
}

func do(t testing.TB, h http.Handler, r *http.Request, opts []RequestOption) *Page {
	t.Helper()
	for _, o := range opts {
		o(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return Parse(t, w.Code, w.Header(), w.Body)
}

// Cookies are the cookies the page sets.
func (p *Page) Cookies() []*http.Cookie { return (&http.Response{Header: p.Header}).Cookies() }

// Find returns the elements a selector matches.
func (p *Page) Find(selector string) []*html.Node {
	p.t.Helper()
	s, err := cascadia.ParseGroup(selector)
	if err != nil {
		p.t.Fatalf("selector %q: %v", selector, err)
	}
	return cascadia.QueryAll(p.root, s)
}

// Want checks the status.
func (p *Page) Want(status int) *Page {
	p.t.Helper()
	if p.Status != status {
		p.t.Fatalf("status %d, want %d\n%s", p.Status, status, p.shown())
	}
	return p
}

// Has checks that the selector matches something.
func (p *Page) Has(selector string) *Page {
	p.t.Helper()
	if len(p.Find(selector)) == 0 {
		p.t.Errorf("nothing matches %q\n%s", selector, p.shown())
	}
	return p
}

// Lacks checks that the selector matches nothing.
func (p *Page) Lacks(selector string) *Page {
	p.t.Helper()
	if found := p.Find(selector); len(found) > 0 {
		p.t.Errorf("%q matches %d elements, want none: %q", selector, len(found), Text(found[0]))
	}
	return p
}

// Count checks how many elements the selector matches.
func (p *Page) Count(selector string, want int) *Page {
	p.t.Helper()
	if found := len(p.Find(selector)); found != want {
		p.t.Errorf("%q matches %d elements, want %d\n%s", selector, found, want, p.shown())
	}
	return p
}

// Says checks that one of the elements matched contains the text, spaces of
// any sort being equal.
func (p *Page) Says(selector, text string) *Page {
	p.t.Helper()
	var seen []string
	for _, n := range p.Find(selector) {
		got := Text(n)
		if strings.Contains(got, squeeze(text)) {
			return p
		}
		seen = append(seen, got)
	}
	p.t.Errorf("%q says %q, want %q", selector, seen, text)
	return p
}

// Value checks an attribute of the first element matched.
func (p *Page) Value(selector, attribute, want string) *Page {
	p.t.Helper()
	found := p.Find(selector)
	if len(found) == 0 {
		p.t.Errorf("nothing matches %q\n%s", selector, p.shown())
		return p
	}
	if got := Attribute(found[0], attribute); got != want {
		p.t.Errorf("%s of %q is %q, want %q", attribute, selector, got, want)
	}
	return p
}

// Leads checks that the answer is a redirection to the path.
func (p *Page) Leads(path string) *Page {
	p.t.Helper()
	if p.Status != http.StatusSeeOther || p.Header.Get("Location") != path {
		p.t.Errorf("status %d to %q, want 303 to %q\n%s", p.Status, p.Header.Get("Location"), path, p.shown())
	}
	return p
}

// Whole checks what every page owes: one h1, a title, a language, no untranslated
// key (⟦ ⟧), no inline script or handler, no style but one that the policy of
// the page names by its hash, a label for every field and no id twice.
func (p *Page) Whole() *Page {
	p.t.Helper()
	p.Count("h1", 1).Has("html[lang]").Lacks("[style]").Lacks("script:not([src])")
	p.styledAsItSays()
	if i := strings.Index(p.Body, "⟦"); i >= 0 {
		p.t.Errorf("untranslated: %.80s", p.Body[i:])
	}
	if title := p.Find("head > title"); len(title) != 1 || Text(title[0]) == "" {
		p.t.Errorf("the page has no title")
	}
	ids := map[string]bool{}
	for _, n := range p.Find("*") {
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") {
				p.t.Errorf("inline handler %s on <%s>", a.Key, n.Data)
			}
			if a.Key == "id" && ids[a.Val] {
				p.t.Errorf("two elements have the id %q", a.Val)
			}
			if a.Key == "id" {
				ids[a.Val] = true
			}
		}
	}
	p.labelled()
	return p
}

// styledAsItSays checks that a browser applies every style of the page.
func (p *Page) styledAsItSays() {
	p.t.Helper()
	for _, n := range p.Find("style") {
		var css strings.Builder
		for child := range n.ChildNodes() {
			css.WriteString(child.Data)
		}
		sum := sha256.Sum256([]byte(css.String()))
		if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(p.Header.Get("Content-Security-Policy"), want) {
			p.t.Errorf("the policy of the page does not name the hash of its style, %s", want)
		}
	}
}

func (p *Page) labelled() {
	p.t.Helper()
	for _, n := range p.Find("input:not([type=hidden]), select, textarea") {
		id := Attribute(n, "id")
		named := Attribute(n, "aria-label") != "" || Attribute(n, "aria-labelledby") != "" || inside(n, "label")
		if !named && (id == "" || len(p.Find(`label[for="`+id+`"]`)) == 0) {
			p.t.Errorf("field %q (id %q) has no label", Attribute(n, "name"), id)
		}
	}
}

func inside(n *html.Node, element string) bool {
	for at := n.Parent; at != nil; at = at.Parent {
		if at.Data == element {
			return true
		}
	}
	return false
}

// Text is what an element says, its spaces made one.
func Text(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
			b.WriteByte(' ')
		}
		for child := range n.ChildNodes() {
			walk(child)
		}
	}
	walk(n)
	return squeeze(b.String())
}

// Attribute is the value of an attribute, "" when absent.
func Attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// squeeze makes every run of spaces, no-break ones included, one space.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// shown is the text of the page for a failed assertion, cut to be readable.
func (p *Page) shown() string {
	text := Text(p.root)
	if len(text) > 1500 {
		text = text[:1500] + "…"
	}
	return text
}
