// Package qr is « Carrés à scanner »: an address as a QR code, for a page, a
// sheet of paper or a screen held up at night.
//
// It promises a drawing that needs neither style nor script, with the white
// border that a reader needs, dark on light whatever the theme of the page.
//
// It never decides what is said beside: a person without a camera needs the
// words too.
package qr

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// border is the quiet zone around a code, in modules (ISO/IEC 18004 asks for four).
const border = 4

// Code is a drawn QR code, its border included.
type Code struct{ dark [][]bool }

// New draws a text of at most a few hundred signs. A quarter of the drawing may
// be hidden or scratched (level M to Q): a phone in the rain still reads it.
func New(text string) (Code, error) {
	drawn, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return Code{}, fmt.Errorf("draw a QR code: %w", err)
	}
	n := drawn.Bounds().Dx()
	c := Code{dark: make([][]bool, n+2*border)}
	for y := range c.dark {
		c.dark[y] = make([]bool, n+2*border)
	}
	for y := range n {
		for x := range n {
			r, _, _, _ := drawn.At(x, y).RGBA()
			c.dark[y+border][x+border] = r == 0
		}
	}
	return c, nil
}

// Size is the number of modules of a side.
func (c Code) Size() int { return len(c.dark) }

// Dark tells whether a module is dark; outside the drawing none is.
func (c Code) Dark(x, y int) bool {
	return y >= 0 && y < len(c.dark) && x >= 0 && x < len(c.dark) && c.dark[y][x]
}

// Run is a row of dark modules.
type Run struct{ X, Y, Length int }

// Runs gives the dark modules row by row, those that touch together.
func (c Code) Runs() []Run {
	var out []Run
	for y, row := range c.dark {
		for x := 0; x < len(row); x++ {
			start := x
			for x < len(row) && row[x] {
				x++
			}
			if x > start {
				out = append(out, Run{start, y, x - start})
			}
		}
	}
	return out
}

// SVG writes the code as a figure named by title, dark on light by attributes only.
func (c Code) SVG(w io.Writer, title string) error {
	n := strconv.Itoa(c.Size())
	var b strings.Builder
	b.WriteString(`<svg class="qr" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ` + n + " " + n + `" shape-rendering="crispEdges" aria-label="` + escape(title) +
		`"><path fill="#fff" d="M0 0h` + n + "v" + n + "H0z\"/><path fill=\"#000\" d=\"")
	for _, r := range c.Runs() {
		fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", r.X, r.Y, r.Length, r.Length)
	}
	b.WriteString(`"/></svg>`)
	_, err := io.WriteString(w, b.String())
	return err
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(s)
}
