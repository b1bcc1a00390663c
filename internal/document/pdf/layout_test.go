package pdf_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"tocsin/internal/document/pdf"
)

type word struct {
	text                   string
	page                   int
	xMin, yMin, xMax, yMax float64
}

// words gives every word printed with its place, as poppler sees it.
func words(t *testing.T, path string) (list []word, width, height float64) {
	t.Helper()
	form := regexp.MustCompile(`<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*)</word>`)
	sheet := regexp.MustCompile(`<page width="([\d.]+)" height="([\d.]+)">`)
	page := 0
	for _, l := range strings.Split(tool(t, "pdftotext", "-bbox", path, "-"), "\n") {
		if m := sheet.FindStringSubmatch(l); m != nil {
			page++
			width, height = number(t, m[1]), number(t, m[2])
		}
		if m := form.FindStringSubmatch(l); m != nil {
			list = append(list, word{m[5], page, number(t, m[1]), number(t, m[2]), number(t, m[3]), number(t, m[4])})
		}
	}
	return list, width, height
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestNothingLeavesTheMargins prints what is hard to place: endless words, many
// columns, one enormous column.
func TestNothingLeavesTheMargins(t *testing.T) {
	t.Parallel()
	endless := strings.Repeat("anticonstitutionnellement", 20)
	many := pdf.Table{Caption: "Beaucoup de colonnes"}
	row := []string{}
	for i := range 16 {
		many.Columns = append(many.Columns, pdf.Column{Title: fmt.Sprintf("Colonne %d", i+1), Right: i%2 == 0})
		row = append(row, "valeur assez longue")
	}
	many.Rows = [][]string{row, row}
	uneven := pdf.Table{Columns: []pdf.Column{{Title: "N"}, {Title: "Texte"}, {Title: endless}}, Rows: [][]string{{"1", strings.Repeat("mot ", 300), "x"}}}
	for _, landscape := range []bool{false, true} {
		d := start(t, pdf.Options{Landscape: landscape, Header: strings.Repeat("En-tête très long ", 20), Footer: strings.Repeat("Pied très long ", 20)})
		d.Heading(1, endless)
		d.Text(endless)
		d.Paragraph(pdf.Span{Text: "Voir "}, pdf.Span{Text: endless, URL: "https://tocsin.example/"})
		d.List([]string{endless}, false)
		d.Table(many)
		d.Table(uneven)
		d.Chart(curves(), 5000)
		list, width, height := words(t, save(t, d))
		if landscape != (width > height) {
			t.Errorf("landscape %v gives %v × %v", landscape, width, height)
		}
		if len(list) < 100 {
			t.Fatalf("%d words printed", len(list))
		}
		for _, w := range list {
			if w.xMin < 47 || w.xMax > width-47 || w.yMin < 15 || w.yMax > height-15 {
				t.Errorf("landscape %v: %.30q on page %d at %v-%v × %v-%v", landscape, w.text, w.page, w.xMin, w.xMax, w.yMin, w.yMax)
			}
		}
	}
}

// TestRowsDoNotOverlap: each row of a table is below the one before.
func TestRowsDoNotOverlap(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{})
	tb := pdf.Table{Columns: []pdf.Column{{Title: "Rang", Width: 1}, {Title: "Texte", Width: 3}}}
	for i := range 120 {
		tb.Rows = append(tb.Rows, []string{fmt.Sprintf("r%d", i), strings.Repeat("quelques mots ", i%13)})
	}
	d.Table(tb)
	list, _, _ := words(t, save(t, d))
	rank, page, floor := 0, 0, 0.0
	for _, w := range list {
		if w.text == fmt.Sprintf("r%d", rank) {
			if w.page == page && w.yMin < floor-0.5 {
				t.Errorf("row %d at %v covers the one before, which ends at %v", rank, w.yMin, floor)
			}
			rank, page, floor = rank+1, w.page, 0
		}
		if w.page == page && rank > 0 && w.yMax < 800 { // the footer comes last
			floor = max(floor, w.yMax)
		}
	}
	if rank != 120 {
		t.Errorf("%d rows in order, want 120", rank)
	}
}

// TestNumbersAlignRight: the last digits of a column of numbers are under each other.
func TestNumbersAlignRight(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{})
	d.Table(pdf.Table{Columns: []pdf.Column{{Title: "Service"}, {Title: "Agents", Right: true}}, Rows: [][]string{{"A", "7"}, {"B", "123"}, {"C", "45678"}}})
	list, _, _ := words(t, save(t, d))
	edges := map[string]float64{}
	for _, w := range list {
		edges[w.text] = w.xMax
	}
	for _, n := range []string{"7", "123", "Agents"} {
		if diff := edges[n] - edges["45678"]; edges[n] == 0 || diff > 0.6 || diff < -0.6 {
			t.Errorf("%s ends at %v, 45678 at %v", n, edges[n], edges["45678"])
		}
	}
}

// TestWordsAreNotCut: a column gives room to the words of another, and a compound
// name is cut after a hyphen.
func TestWordsAreNotCut(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{})
	d.Table(pdf.Table{
		Columns: []pdf.Column{
			{Title: "Service", Width: 24},
			{Title: "Site", Width: 40},
			{Title: "Personnes", Right: true, Width: 5},
			{Title: "Non appelés", Right: true, Width: 5},
			{Title: "Notes", Width: 26},
		},
		Rows: [][]string{{"Hépato-gastro-entérologie", "Nord", "82", "38", "Hépato-gastro-entérologie et chirurgie"}},
	})
	printed := map[string]bool{}
	list, _, _ := words(t, save(t, d))
	for _, w := range list {
		printed[w.text] = true
	}
	for _, want := range []string{"Personnes", "Non", "appelés"} {
		if !printed[want] {
			t.Errorf("%q is cut: %v", want, printed)
		}
	}
	if !printed["Hépato-gastro-entérologie"] && !printed["entérologie"] {
		t.Errorf("the name is cut inside a word: %v", printed)
	}
}
