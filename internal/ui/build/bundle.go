package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/evanw/esbuild/pkg/api"
)

// engines are the oldest browsers that must work: an eight-year-old PC of a
// ward on its last Windows 7 Chrome, a five-year-old phone.
func engines() []api.Engine {
	return []api.Engine{
		{Name: api.EngineChrome, Version: "109"},
		{Name: api.EngineFirefox, Version: "102"},
		{Name: api.EngineSafari, Version: "15"},
	}
}

// entries are the bundles: the logical name a page asks for, its source.
func entries() map[string]string {
	return map[string]string{
		"app.css":        "assets/css/app.css",
		"answer.css":     "assets/css/answer.css",
		"app.js":         "assets/js/app.js",
		"curves.js":      "assets/js/curves.js",
		"pocket.js":      "assets/js/pocket.js",
		"worker.js":      "assets/js/worker.js",
		"sign.js":        "assets/js/sign.js",
		"wall-worker.js": "assets/js/wall-worker.js",
		"icon.svg":       "assets/icon.svg",
		"icon-192.png":   "assets/icon-192.png",
		"icon-512.png":   "assets/icon-512.png",
	}
}

// bundle returns every file of dist by name.
func bundle(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	manifest := map[string]string{}
	for logical, source := range entries() {
		body, err := build(filepath.Join(root, source))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", logical, err)
		}
		sum := sha256.Sum256(body)
		ext := filepath.Ext(logical)
		name := strings.TrimSuffix(logical, ext) + "." + hex.EncodeToString(sum[:5]) + ext
		manifest[logical] = name
		files[name] = body
		if files[name+".gz"], err = gzipped(body); err != nil {
			return nil, fmt.Errorf("%s: %w", logical, err)
		}
		if files[name+".br"], err = brotlied(body); err != nil {
			return nil, fmt.Errorf("%s: %w", logical, err)
		}
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	files["manifest.json"] = append(text, '\n')
	return files, nil
}

func build(source string) ([]byte, error) {
	if ext := filepath.Ext(source); ext == ".svg" || ext == ".png" {
		return os.ReadFile(source)
	}
	result := api.Build(api.BuildOptions{
		EntryPoints:       []string{source},
		Bundle:            true,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Format:            api.FormatIIFE,
		Engines:           engines(),
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsInline,
		Write:             false,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{}), "\n"))
	}
	if len(result.Warnings) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(result.Warnings, api.FormatMessagesOptions{}), "\n"))
	}
	return result.OutputFiles[0].Contents, nil
}

func gzipped(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	err = fill(w, body)
	return b.Bytes(), err
}

func brotlied(body []byte) ([]byte, error) {
	var b bytes.Buffer
	err := fill(brotli.NewWriterLevel(&b, brotli.BestCompression), body)
	return b.Bytes(), err
}

func fill(w io.WriteCloser, body []byte) error {
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	return nil
}

// write replaces what dist holds and says the sizes.
func write(said io.Writer, dist string, files map[string][]byte) error {
	old, err := os.ReadDir(dist)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list dist: %w", err)
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return fmt.Errorf("make dist: %w", err)
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dist, name), body, 0o644); err != nil {
			return fmt.Errorf("write bundle: %w", err)
		}
		if !strings.HasSuffix(name, ".gz") && !strings.HasSuffix(name, ".br") {
			if _, err := fmt.Fprintf(said, "%7d  %7d gz  %s\n", len(body), len(files[name+".gz"]), name); err != nil {
				return fmt.Errorf("report: %w", err)
			}
		}
	}
	for _, e := range old {
		if _, kept := files[e.Name()]; !kept {
			if err := os.Remove(filepath.Join(dist, e.Name())); err != nil {
				return fmt.Errorf("remove stale bundle: %w", err)
			}
		}
	}
	return nil
}

// compare says what differs between dist and its sources. The compressed
// copies are compared by what they hold: another Go version may compress
// otherwise.
func compare(dist string, files map[string][]byte) error {
	var wrong []string
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dist, name))
		switch {
		case err != nil:
			wrong = append(wrong, name+" is missing")
		case plain(name, got) != plain(name, want):
			wrong = append(wrong, name+" is stale")
		}
	}
	present, err := os.ReadDir(dist)
	if err != nil {
		return fmt.Errorf("list dist: %w", err)
	}
	for _, e := range present {
		if _, known := files[e.Name()]; !known {
			wrong = append(wrong, e.Name()+" has no source")
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("run go run ./internal/ui/build: %s", strings.Join(wrong, ", "))
	}
	return nil
}

// plain is the content of a possibly compressed file; what cannot be read
// compares as different from everything that can.
func plain(name string, body []byte) string {
	var r io.Reader = bytes.NewReader(body)
	switch filepath.Ext(name) {
	case ".gz":
		z, err := gzip.NewReader(r)
		if err != nil {
			return "unreadable: " + err.Error()
		}
		r = z
	case ".br":
		r = brotli.NewReader(r)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	return string(out)
}
