package pdf

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// face is one font of the document. Widths are in thousandths of the size.
type face struct {
	name   string // in the page resources: "F1"
	ttf    []byte
	font   *sfnt.Font
	buffer sfnt.Buffer
	known  map[rune]glyph
	used   map[uint16]rune
}

// glyph is one sign to draw.
type glyph struct {
	width float64
	sign  rune
	span  int32
	id    uint16
}

func newFaces() (regular, bold *face, err error) {
	if regular, err = newFace("F1", goregular.TTF); err != nil {
		return nil, nil, err
	}
	bold, err = newFace("F2", gobold.TTF)
	return regular, bold, err
}

func newFace(name string, ttf []byte) (*face, error) {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", name, err)
	}
	return &face{name: name, ttf: ttf, font: f, known: map[rune]glyph{}, used: map[uint16]rune{}}, nil
}

// glyph finds the sign of a rune. A sign the font lacks is replaced by a near
// one, or by a question mark: a missing glyph would be an empty box, and is
// forbidden by PDF/UA.
func (f *face) glyph(r rune) (glyph, error) {
	if g, ok := f.known[r]; ok {
		return g, nil
	}
	var g glyph
	for _, candidate := range []rune{r, near(r), '?'} {
		id, err := f.font.GlyphIndex(&f.buffer, candidate)
		if err != nil {
			return g, err
		}
		if id == 0 {
			continue
		}
		advance, err := f.font.GlyphAdvance(&f.buffer, id, f.unit(), font.HintingNone)
		if err != nil {
			return g, err
		}
		g = glyph{id: uint16(id), width: f.thousandths(advance), sign: candidate}
		break
	}
	f.known[r] = g
	if _, ok := f.used[g.id]; !ok {
		f.used[g.id] = g.sign
	}
	return g, nil
}

// near gives a sign that says the same.
func near(r rune) rune {
	switch r {
	case '\u202f', '\u2007', '\u2009', '\u2060', '\u200b', '\t':
		return '\u00a0'
	case '\u2011', '\u2010', '\u2212':
		return '-'
	case '\u02bc', '\u2032':
		return '\''
	case '✓', '✔':
		return '√'
	}
	return '?'
}

func (f *face) unit() fixed.Int26_6 { return fixed.I(int(f.font.UnitsPerEm())) }

func (f *face) thousandths(v fixed.Int26_6) float64 {
	return float64(v) / 64 * 1000 / float64(f.font.UnitsPerEm())
}

// glyphs turns a text into signs; span is kept with each.
func (f *face) glyphs(s string, span int) ([]glyph, error) {
	out := make([]glyph, 0, len(s))
	for _, r := range norm.NFC.String(s) {
		if r == '\r' {
			continue
		}
		if r == '\n' {
			out = append(out, glyph{sign: '\n', span: int32(span)})
			continue
		}
		if r < 0x20 && r != '\t' || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) && near(r) == '?' {
			continue // an accent left alone, a direction mark, half of an emoji
		}
		g, err := f.glyph(r)
		if err != nil {
			return nil, err
		}
		g.span = int32(span)
		out = append(out, g)
	}
	return out, nil
}

// longest is the length of the longest line of a text, in points, unwrapped.
func (f *face) longest(s string, size float64) (float64, error) {
	return f.longestBetween(s, size, func(r rune) bool { return r == '\n' }, false)
}

// longestWord is the width of the longest word of a text: where wrap does not cut.
func (f *face) longestWord(s string, size float64) (float64, error) {
	return f.longestBetween(s, size, func(r rune) bool { return r == '\n' || r == ' ' }, true)
}

// longestBetween is the width of the longest part of a text between signs that
// cut it; a hyphen cuts too, and stays at the end of what it cuts.
func (f *face) longestBetween(s string, size float64, cuts func(rune) bool, hyphens bool) (float64, error) {
	best, line := 0.0, 0.0
	for _, r := range norm.NFC.String(s) {
		if cuts(r) {
			line = 0
			continue
		}
		g, err := f.glyph(r)
		if err != nil {
			return 0, err
		}
		line += g.width
		best = max(best, line)
		if hyphens && r == '-' {
			line = 0
		}
	}
	return best * size / 1000, nil
}

// embed adds the font to the file: complete, with the Unicode value of every
// sign used.
func (f *face) embed(o *objects) (ref, error) {
	name, err := f.font.Name(&f.buffer, sfnt.NameIDPostScript)
	if err != nil {
		return 0, err
	}
	metrics, err := f.font.Metrics(&f.buffer, f.unit(), font.HintingNone)
	if err != nil {
		return 0, err
	}
	box, err := f.font.Bounds(&f.buffer, f.unit(), font.HintingNone)
	if err != nil {
		return 0, err
	}
	file, err := o.stream(fmt.Sprintf("/Length1 %d", len(f.ttf)), f.ttf)
	if err != nil {
		return 0, err
	}
	unicode, err := o.stream("", []byte(f.toUnicode()))
	if err != nil {
		return 0, err
	}
	t := f.thousandths
	descriptor := o.add(fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags 32/FontBBox[%s %s %s %s]/ItalicAngle 0/Ascent %s/Descent %s/CapHeight %s/StemV 80/FontFile2 %s>>",
		name, num(t(box.Min.X)), num(-t(box.Max.Y)), num(t(box.Max.X)), num(-t(box.Min.Y)),
		num(t(metrics.Ascent)), num(-t(metrics.Descent)), num(t(metrics.CapHeight)), file))
	cid := o.add(fmt.Sprintf("<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor %s/CIDToGIDMap/Identity/DW 500/W[%s]>>",
		name, descriptor, f.widths()))
	return o.add(fmt.Sprintf("<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%s]/ToUnicode %s>>", name, cid, unicode)), nil
}

func (f *face) widths() string {
	byID := map[uint16]float64{}
	for _, g := range f.known {
		byID[g.id] = g.width
	}
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		fmt.Fprintf(&b, "%d[%s]", id, num(byID[id]))
	}
	return b.String()
}

// toUnicode is the table that makes copied and read text right.
func (f *face) toUnicode() string {
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(f.used)), 100) {
		fmt.Fprintf(&b, "%d beginbfchar\n", len(ids))
		for _, id := range ids {
			code := strings.TrimSuffix(strings.TrimPrefix(text(string(f.used[id])), "<FEFF"), ">")
			fmt.Fprintf(&b, "<%04X> <%s>\n", id, code)
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.String()
}

// widthOf is the length of signs at a size, in points.
func widthOf(gs []glyph, size float64) float64 {
	total := 0.0
	for _, g := range gs {
		total += g.width
	}
	return total * size / 1000
}

// wrap cuts signs into lines no longer than width: at the last space, after the
// last hyphen, at a newline, or inside a word that is alone too long.
func wrap(gs []glyph, size, width float64) [][]glyph {
	var lines [][]glyph
	start, end, next, length := 0, -1, -1, 0.0 // a line may end before end; the one after begins at next
	limit := width * 1000 / size
	for i := 0; i < len(gs); i++ {
		if gs[i].sign == '\n' {
			lines = append(lines, gs[start:i])
			start, end, length = i+1, -1, 0
			continue
		}
		if gs[i].sign == ' ' {
			end, next = i, i+1
		}
		length += gs[i].width
		if length <= limit || i == start || gs[i].sign == ' ' {
			if gs[i].sign == '-' {
				end, next = i+1, i+1
			}
			continue
		}
		if end <= start {
			end, next = i, i
		}
		lines = append(lines, gs[start:end])
		i = next - 1
		start, end, length = next, -1, 0
	}
	if start < len(gs) || len(lines) == 0 {
		lines = append(lines, gs[start:])
	}
	return lines
}
