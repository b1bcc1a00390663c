package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"

	"tocsin/internal/channels"
)

// crawled bounds how many pages are looked for.
const crawled = 400

// visit is one page as one account sees it.
type visit struct {
	role   int
	path   string
	ttfb   samples
	status int
}

// walker is a signed-in browser without script.
type walker struct {
	base   *url.URL
	client *http.Client
}

// get asks for a page and returns the time to its first byte.
func (w *walker) get(ctx context.Context, path string) (page *html.Node, ttfb time.Duration, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base.String()+path, http.NoBody)
	if err != nil {
		return nil, 0, 0, err
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "fr")
	began := time.Now()
	answer, err := w.client.Do(r)
	ttfb = time.Since(began)
	if err != nil {
		return nil, ttfb, 0, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		return nil, ttfb, 0, nil // a file or a stream is no page
	}
	body := io.LimitReader(answer.Body, 8<<20)
	page, err = html.Parse(body)
	return page, ttfb, answer.StatusCode, err
}

// newWalker signs in by the path of a door.
func newWalker(ctx context.Context, base, door string) (*walker, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	cookies, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	w := &walker{u, &http.Client{Jar: cookies, Timeout: 2 * time.Minute}}
	_, _, status, err := w.get(ctx, door)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("sign in: status %d", status)
	}
	// From here on a redirection is another page, met by its own link.
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w, err
}

var (
	idInPath = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	numbered = regexp.MustCompile(`/\d+(/|$)`)
)

// kind is what pages of one handler share: the path without ids, and the names
// of the query.
func kind(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	names := make([]string, 0, 4)
	for name, values := range u.Query() {
		if len(values) > 0 && values[0] != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return numbered.ReplaceAllString(idInPath.ReplaceAllString(u.Path, "{id}"), "/{n}$1") + "?" + strings.Join(names, "&")
}

// links lists the addresses of this house a page leads to: its links, and its
// searches with a name typed in.
func pageLinks(page *html.Node) []string {
	var out []string
	for n := range page.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "a":
			out = append(out, attribute(n, "href"))
		case "form":
			if !strings.EqualFold(attribute(n, "method"), "post") {
				out = append(out, typed(n))
			}
		}
	}
	return slices.DeleteFunc(out, func(l string) bool { return !strings.HasPrefix(l, "/") || strings.HasPrefix(l, "//") })
}

// typed is a search form sent with a name in its text fields.
func typed(form *html.Node) string {
	q := url.Values{}
	for n := range form.Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" {
			switch attribute(n, "type") {
			case "search", "text", "":
				q.Set(attribute(n, "name"), "martin")
			case "hidden":
				q.Set(attribute(n, "name"), attribute(n, "value"))
			}
		}
	}
	return attribute(form, "action") + "?" + q.Encode()
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// crawl finds one page of each kind that an account may see.
func (w *walker) crawl(ctx context.Context, role int, known map[string]bool) ([]*visit, error) {
	queue, queued := []string{"/"}, map[string]bool{}
	var out []*visit
	for len(queue) > 0 && len(queued) < crawled {
		path := queue[0]
		queue = queue[1:]
		page, _, status, err := w.get(ctx, path)
		if err != nil {
			return out, fmt.Errorf("%s: %w", path, err)
		}
		if page == nil {
			continue
		}
		if status == http.StatusOK && !known[kind(path)] {
			known[kind(path)] = true
			out = append(out, &visit{role: role, path: path, status: status})
		}
		for _, link := range append(pageLinks(page), redirected(page)...) {
			if k := kind(link); !queued[k] {
				queued[k] = true
				queue = append(queue, link)
			}
		}
	}
	return out, nil
}

// redirected is where the short body of a redirection leads.
func redirected(page *html.Node) []string {
	for n := range page.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" {
			return pageLinks(n.Parent)
		}
	}
	return nil
}

func (b *bench) pages100k(ctx context.Context) (out []Result, err error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	base := "http://" + listen
	h, err := b.newHouse(ctx, "pages100k", b.Sizes.Pages, nil, channels.SMS, base)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	p, err := b.open(ctx, h, serveRequest{Listen: listen, URL: base, Doors: true})
	if err != nil {
		return nil, err
	}
	defer func() {
		mb, cerr := p.close(ctx)
		b.note("pages100k: the server's largest memory was %.0f MB", mb)
		err = errors.Join(err, cerr)
	}()
	return b.measurePages(ctx, base, p.Doors)
}

// measurePages signs every account in, finds the pages each may see, and asks for them.
func (b *bench) measurePages(ctx context.Context, base string, doors []string) ([]Result, error) {
	known := map[string]bool{}
	var visits []*visit
	var walkers []*walker
	for role, door := range doors {
		w, err := newWalker(ctx, base, door)
		if err != nil {
			return nil, err
		}
		walkers = append(walkers, w)
		found, err := w.crawl(ctx, role, known)
		if err != nil {
			return nil, err
		}
		visits = append(visits, found...)
	}
	if len(visits) == 0 {
		return nil, errors.New("no page was found")
	}
	b.note("pages100k: %d kinds of pages found", len(visits))
	raw, err := b.ask(ctx, walkers, visits)
	if err != nil {
		return nil, err
	}
	return []Result{b.slowest(visits, raw)}, nil
}

// ask asks for every page in turns, and each time for one that costs nothing.
func (b *bench) ask(ctx context.Context, walkers []*walker, visits []*visit) (raw samples, err error) {
	for range b.Sizes.Requests * b.Runs {
		_, took, _, err := walkers[0].get(ctx, "/healthz")
		if err != nil {
			return nil, err
		}
		raw = append(raw, float64(took.Microseconds())/1000)
		for _, v := range visits {
			_, took, status, err := walkers[v.role].get(ctx, v.path)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v.path, err)
			}
			if status != v.status {
				return nil, fmt.Errorf("%s: status %d, then %d", v.path, v.status, status)
			}
			v.ttfb = append(v.ttfb, float64(took.Microseconds())/1000)
		}
	}
	return raw, nil
}

// slowest is the figure of the page whose 95th percentile is the largest.
func (b *bench) slowest(visits []*visit, raw samples) Result {
	slices.SortFunc(visits, func(x, y *visit) int { return cmp.Compare(y.ttfb.percentile(95), x.ttfb.percentile(95)) })
	b.note("pages100k: %d requests of each; p95 of the slowest:", len(raw))
	for _, v := range visits[:min(12, len(visits))] {
		b.note("  %7.1f ms (median %.1f)  %s", v.ttfb.percentile(95), v.ttfb.median(), kind(v.path))
	}
	slowest := visits[0].ttfb
	r := slowest.result("pages100k.ttfb_p95_ms", "ms", samples{raw.percentile(95)}, "/healthz of the same server, p95, ms")
	r.Value = round(slowest.percentile(95))
	return r
}
