package qr_test

import (
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/document/qr"
)

// TestAReaderWeDidNotWriteReadsIt draws an address and has zbar read it.
func TestAReaderWeDidNotWriteReadsIt(t *testing.T) {
	t.Parallel()
	reader, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Fatal("zbarimg is missing: run make test-deps")
	}
	const address = "https://tocsin.hopital-valbrume.example/ordre/0123456789ab"
	code, err := qr.New(address)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "code.png")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(file, enlarged(code, 6)), file.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), reader, "--quiet", "--raw", "--nodbus", path).Output()
	if err != nil || strings.TrimSpace(string(out)) != address {
		t.Fatalf("read %q, %v", out, err)
	}
}

func enlarged(c qr.Code, k int) image.Image {
	img := image.NewGray(image.Rect(0, 0, c.Size()*k, c.Size()*k))
	for y := range c.Size() * k {
		for x := range c.Size() * k {
			img.SetGray(x, y, color.Gray{Y: 255})
			if c.Dark(x/k, y/k) {
				img.SetGray(x, y, color.Gray{})
			}
		}
	}
	return img
}

// TestSVGIsPlain: a page under our content policy may carry it as it is.
func TestSVGIsPlain(t *testing.T) {
	t.Parallel()
	code, err := qr.New("https://t.example/ordre/0123456789ab")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := code.SVG(&b, `Ordre de "Zoé" <b> & Cie`); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "style") || strings.Contains(b.String(), "<b>") {
		t.Errorf("not plain: %.200s", b.String())
	}
	d := xml.NewDecoder(strings.NewReader(b.String()))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n := b.Len(); n > 9_000 {
		t.Errorf("%d bytes for one code: the page that carries it must stay small", n)
	}
	dark := 0
	for _, r := range code.Runs() {
		dark += r.Length
		for x := range r.Length {
			if !code.Dark(r.X+x, r.Y) {
				t.Fatalf("the module %d,%d of a run is light", r.X+x, r.Y)
			}
		}
	}
	for y := range code.Size() {
		for x := range code.Size() {
			if code.Dark(x, y) {
				dark--
			}
		}
	}
	if dark != 0 || code.Dark(0, 0) || code.Dark(-1, 3) || !code.Dark(4, 4) {
		t.Errorf("%d dark modules apart between runs and drawing", dark)
	}
}

// TestTooMuchIsRefused: a text no code can hold is an error, never a wrong drawing.
func TestTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := qr.New(strings.Repeat("é", 5_000)); err == nil {
		t.Error("no error")
	}
}
