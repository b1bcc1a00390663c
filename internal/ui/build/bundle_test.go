package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packed are the files of a small dist.
func packed(t *testing.T) map[string][]byte {
	t.Helper()
	zipped, err := gzipped([]byte("body{}"))
	if err != nil {
		t.Fatal(err)
	}
	smaller, err := brotlied([]byte("body{}"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"app.1.css": []byte("body{}"), "app.1.css.gz": zipped, "app.1.css.br": smaller, "manifest.json": []byte("{}")}
}

func TestCompareSaysWhatIsStale(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(t *testing.T, dist string)
		want   string
	}{
		{"as built", func(*testing.T, string) {}, ""},
		{"edited", func(t *testing.T, dist string) { put(t, dist, "app.1.css", "body{color:red}") }, "app.1.css is stale"},
		{"compressed copy edited", func(t *testing.T, dist string) { put(t, dist, "app.1.css.br", "garbage") }, "app.1.css.br is stale"},
		{"left over", func(t *testing.T, dist string) { put(t, dist, "app.0.css", "old") }, "app.0.css has no source"},
		{"missing", func(t *testing.T, dist string) {
			if err := os.Remove(filepath.Join(dist, "app.1.css.gz")); err != nil {
				t.Fatal(err)
			}
		}, "app.1.css.gz is missing"},
		{"compressed by another version", func(t *testing.T, dist string) {
			var b bytes.Buffer
			w, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
			if err != nil {
				t.Fatal(err)
			}
			if err := fill(w, []byte("body{}")); err != nil {
				t.Fatal(err)
			}
			put(t, dist, "app.1.css.gz", b.String())
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dist := filepath.Join(t.TempDir(), "dist")
			if err := write(io.Discard, dist, packed(t)); err != nil {
				t.Fatal(err)
			}
			tt.change(t, dist)
			err := compare(dist, packed(t))
			if tt.want == "" && err != nil {
				t.Errorf("compare: %v", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("compare: %v, want %q", err, tt.want)
			}
		})
	}
}

func TestWriteRemovesWhatHasNoSource(t *testing.T) {
	t.Parallel()
	dist := t.TempDir()
	put(t, dist, "app.0.css", "old")
	var said bytes.Buffer
	if err := write(&said, dist, packed(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dist, "app.0.css")); !os.IsNotExist(err) {
		t.Errorf("the old bundle is still there: %v", err)
	}
	if !strings.Contains(said.String(), "app.1.css") || strings.Contains(said.String(), ".gz\n") {
		t.Errorf("said %q", said.String())
	}
}

func TestBundleIsWhatIsCommitted(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../../node_modules/htmx.org"); err != nil {
		t.Fatal("the npm packages of the pages are missing: run make test-deps")
	}
	files, err := bundle("..")
	if err != nil {
		t.Fatal(err)
	}
	if err := compare("../dist", files); err != nil {
		t.Error(err)
	}
}

func put(t *testing.T, dist, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dist, name), []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
}
