package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed dist
var dist embed.FS

// assetRoot is where the bundles are served. Their names carry a hash of what
// they hold, so that a browser may keep them for ever.
const assetRoot = "/assets/"

// assets are the bundles made by internal/ui/build, in memory.
type assets struct {
	paths map[string]string // "app.css" → "/assets/app.1a2b3c4d.css"
	files map[string]asset  // by path
	// answer is the style sheet of the answer page as an element, and
	// answerPolicy the policy that lets that one element through.
	answer, answerPolicy string
}

type asset struct {
	contentType string
	variants    map[string][]byte // by content coding; "" is the plain one
}

func loadAssets() (*assets, error) {
	var manifest map[string]string
	text, err := dist.ReadFile("dist/manifest.json")
	if err != nil {
		return nil, fmt.Errorf("ui assets: %w", err)
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("ui assets: %w", err)
	}
	a := &assets{paths: map[string]string{}, files: map[string]asset{}}
	for logical, name := range manifest {
		f := asset{contentType: contentTypeOf(name), variants: map[string][]byte{}}
		for coding, suffix := range map[string]string{"": "", "gzip": ".gz", "br": ".br"} {
			body, err := fs.ReadFile(dist, "dist/"+name+suffix)
			if err != nil && coding == "" {
				return nil, fmt.Errorf("ui assets: %w", err)
			}
			if err == nil {
				f.variants[coding] = body
			}
		}
		a.paths[logical] = assetRoot + name
		a.files[assetRoot+name] = f
	}
	style := a.files[a.path(answerSheet)].variants[""]
	if len(style) == 0 {
		return nil, errors.New("ui assets: the answer page has no style")
	}
	sum := sha256.Sum256(style)
	a.answer = "<style>" + string(style) + "</style>"
	a.answerPolicy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	return a, nil
}

// answerSheet is the only bundle that a page carries inside.
const answerSheet = "answer.css"

// answerStyle is the style of the answer page; the answer that carries it gets
// the policy that names its hash, and no other page does.
func (c *Context) answerStyle() string {
	c.styled = true
	return c.router.assets.answer
}

// contentTypeOf does not ask the machine: Windows answers from its registry.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	}
	return "application/octet-stream"
}

// path is the address of a bundle; the plain name when there is none, which
// the test of the frames would notice.
func (a *assets) path(logical string) string {
	if p, ok := a.paths[logical]; ok {
		return p
	}
	return assetRoot + logical
}

// before answers for the assets and hands the rest to next: a style sheet
// needs neither session nor language.
func (a *assets) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path
		if name == "/favicon.ico" {
			name = a.path("icon.svg")
		}
		f, ok := a.files[name]
		if !ok || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
			next.ServeHTTP(w, r)
			return
		}
		f.serve(w, r)
	})
}

func (f asset) serve(w http.ResponseWriter, r *http.Request) {
	body, coding := f.variants[""], ""
	for _, c := range []string{"br", "gzip"} {
		if v, ok := f.variants[c]; ok && accepts(r, c) {
			body, coding = v, c
			break
		}
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(body); err != nil {
		return // the browser went away; it will ask again
	}
}

// accepts tells whether the browser takes a content coding.
func accepts(r *http.Request, coding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q := strings.ReplaceAll(quality, " ", "")
			return q != "q=0" && q != "q=0.0"
		}
	}
	return false
}

// Asset is the address of a bundle for a page of its own ("curves.js").
func (c *Context) Asset(logical string) string { return c.router.assets.path(logical) }
