package pdf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin/internal/document/chart"
	"tocsin/internal/document/pdf"
)

// tool runs a program of poppler or qpdf, which did not learn PDF from us.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is missing: run make test-deps", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func start(t testing.TB, o pdf.Options) *pdf.Document {
	t.Helper()
	d, err := pdf.New(pdf.Meta{
		Title: "Rapport d’alerte « plan blanc »", Author: "CH de Valmont", Subject: "Exercice", Language: "fr-FR",
		At: time.Date(2026, 11, 22, 3, 4, 5, 0, time.FixedZone("Paris", 3600)),
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func save(t *testing.T, d *pdf.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "r.pdf")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := tool(t, "qpdf", "--check", path); !strings.Contains(got, "No syntax or stream encoding errors") {
		t.Errorf("qpdf: %s", got)
	}
	return path
}

func curves() chart.Chart {
	return chart.Chart{
		Title: "Réponses dans le temps", Description: "La moitié des agents a répondu en 6 minutes.", XLabel: "minutes", YLabel: "agents",
		Series: []chart.Series{
			{Name: "Joints", Points: []chart.Point{{X: 0, Y: 0}, {X: 2, Y: 2600}, {X: 8, Y: 4000}, {X: 30, Y: 4210}}},
			{Name: "Réponses", Points: []chart.Point{{X: 0, Y: 0}, {X: 6, Y: 2150}, {X: 12, Y: 3000}, {X: 30, Y: 3500}}},
			{Name: "Viennent", Points: []chart.Point{{X: 0, Y: 0}, {X: 6, Y: 900}, {X: 30, Y: 1450}}},
		},
		Marks: []chart.Mark{{Name: "Quota : 1 200", Value: 1200}},
	}
}

// sample holds one of everything.
func sample(d *pdf.Document) {
	d.Heading(1, "Rapport d’alerte « plan blanc »")
	d.Paragraph(pdf.Span{Text: "Déclenchée à 3 h 04 par "}, pdf.Span{Text: "Zoé Lefèvre", Bold: true}, pdf.Span{Text: ", cœur d’îlot ; suivi complet sur "},
		pdf.Span{Text: "la page de l’alerte", URL: "https://tocsin.example/alertes/1"}, pdf.Span{Text: ". " + strings.Repeat("Été où l’œuf à 5 € mûrit. ", 12)})
	d.Heading(2, "Ce qui s’est passé")
	d.List([]string{"Première vague partie en 0,2 s", strings.Repeat("Une ligne assez longue pour passer à la suivante. ", 4)}, false)
	d.List([]string{"un", "deux"}, true)
	d.Heading(2, "Courbes")
	d.Chart(curves(), 210)
	bars := chart.Chart{
		Kind: chart.Bars, Title: "Par service", Description: "Voulus et arrivés.", Categories: []string{"Réanimation", "Urgences", "Bloc"},
		Series: []chart.Series{{Name: "Voulus", Points: []chart.Point{{X: 0, Y: 10}, {X: 1, Y: 8}, {X: 2, Y: 5}}}, {Name: "Arrivés", Points: []chart.Point{{X: 0, Y: 7}, {X: 1, Y: 8}, {X: 2, Y: 2}}}},
	}
	d.Chart(bars, 150)
	d.Heading(3, "Chiffres")
	d.Table(pdf.Table{
		Caption: "Par média", RowHeader: true,
		Columns: []pdf.Column{{Title: "Média"}, {Title: "Envoyés", Right: true}, {Title: "Remarque"}},
		Rows:    [][]string{{"SMS", "4\u202f300", ""}, {"Courriel", "3 900", strings.Repeat("boîte pleine, ", 20)}, {"Total"}},
	})
}

func TestTaggedStructure(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{Header: "CH de Valmont", Footer: "Exercice"})
	sample(d)
	path := save(t, d)
	info := tool(t, "pdfinfo", path)
	for _, want := range []string{`Title:\s+Rapport d’alerte « plan blanc »`, `Tagged:\s+yes`, `PDF version:\s+1.7`, `Author:\s+CH de Valmont`, `JavaScript:\s+no`} {
		if !regexp.MustCompile(want).MatchString(info) {
			t.Errorf("pdfinfo says no %q:\n%s", want, info)
		}
	}
	structure := regexp.MustCompile(`\s+`).ReplaceAllString(tool(t, "pdfinfo", "-struct", path), " ")
	for _, want := range []string{
		"Document H1 (block) P (block) Link (inline)", "H2 (block)", "L (block)", "LI (block) Lbl", "LBody", "Figure", "H3 (block) Table",
		"Caption", "TR TH: /Scope /Column TH", "TR TH: /Scope /Row TD TD",
	} {
		if !strings.Contains(structure, want) {
			t.Errorf("no %q in the structure:\n%s", want, structure)
		}
	}
	if strings.Contains(structure, "Syntax Error") {
		t.Errorf("structure: %s", structure)
	}
	plain := tool(t, "qpdf", "--qdf", "--object-streams=disable", path, "-")
	for _, want := range []string{"/Lang (fr-FR)", "/Marked true", "/DisplayDocTitle true", "<pdfuaid:part>1</pdfuaid:part>", "/Scope /Column", "/Scope /Row", "/Tabs /S", "/Type /OBJR", "/Alt <feff"} {
		if !strings.Contains(plain, want) {
			t.Errorf("no %s in the file", want)
		}
	}
}

func TestFontsAreEmbedded(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{})
	sample(d)
	lines := strings.Split(strings.TrimSpace(tool(t, "pdffonts", save(t, d))), "\n")[2:]
	if len(lines) != 2 {
		t.Fatalf("fonts %q", lines)
	}
	for _, l := range lines {
		if !regexp.MustCompile(`CID TrueType\s+Identity-H\s+yes\s+no\s+yes`).MatchString(l) {
			t.Errorf("font %q, want embedded with its Unicode values", l)
		}
	}
}

func TestTextComesOutRight(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{Header: "En-tête", Footer: "Pied", PageLabel: func(page, total int) string { return fmt.Sprintf("page %d sur %d", page, total) }})
	sample(d)
	d.Text("Signes : ÀÉÈÊËÎÏÔÖÙÛÜŸÇŒÆ àéèêëîïôöùûüÿçœæ « » ’ – — … € → • 1\u202f234 😀\u0301")
	got := tool(t, "pdftotext", "-layout", save(t, d), "-")
	squeezed := regexp.MustCompile(`[ \x{00a0}]+`).ReplaceAllString(got, " ")
	for _, want := range []string{
		"Rapport d’alerte « plan blanc »", "Zoé Lefèvre, cœur d’îlot", "l’œuf à 5 € mûrit", "• Première vague", "2. deux", "En-tête", "Pied", "page 1 sur 2",
		"ÀÉÈÊËÎÏÔÖÙÛÜŸÇŒÆ àéèêëîïôöùûüÿçœæ « » ’ – — … € → • 1 234 ?\n", "Quota : 1 200",
	} {
		if !strings.Contains(squeezed, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func rows(n int) [][]string {
	out := make([][]string, n)
	for i := range out {
		out[i] = []string{fmt.Sprintf("%06d", i), "Lefèvre-Dubois Zoé", "Réanimation chirurgicale", "IADE", "Nord", "SMS", "03:04:05", "Je viens dans 30 min"}
	}
	return out
}

func table(n int) pdf.Table {
	t := pdf.Table{Caption: "Agents", Rows: rows(n)}
	for _, title := range []string{"Matricule", "Nom", "Service", "Métier", "Site", "Média", "Heure", "Réponse"} {
		t.Columns = append(t.Columns, pdf.Column{Title: title})
	}
	return t
}

func TestLongTableRepeatsItsHeader(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{Landscape: true})
	d.Table(table(300))
	path := save(t, d)
	pages := strings.Split(tool(t, "pdftotext", "-layout", path, "-"), "\f")
	pages = pages[:len(pages)-1]
	if len(pages) < 5 {
		t.Fatalf("%d pages", len(pages))
	}
	seen := 0
	for i, p := range pages {
		if strings.Count(p, "Matricule") != 1 {
			t.Errorf("page %d has %d headers", i+1, strings.Count(p, "Matricule"))
		}
		if !strings.Contains(p, fmt.Sprintf("%d / %d", i+1, len(pages))) {
			t.Errorf("page %d has no number", i+1)
		}
		seen += strings.Count(p, "Lefèvre-Dubois")
	}
	if seen != 300 {
		t.Errorf("%d rows printed, want 300", seen)
	}
	structure := tool(t, "pdfinfo", "-struct", path)
	if th, tr := strings.Count(structure, "TH:"), len(regexp.MustCompile(`(?m)^ +TR$`).FindAllString(structure, -1)); th != 8 || tr != 301 {
		t.Errorf("%d TH and %d TR, want 8 and 301: the repeated headers are decoration", th, tr)
	}
}

func TestARowTallerThanAPage(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{})
	d.Table(pdf.Table{Columns: []pdf.Column{{Title: "Heure", Width: 1}, {Title: "Récit", Width: 5}}, Rows: [][]string{
		{"3 h", "court"}, {"4 h", strings.Repeat("mot ", 6000) + "fin"}, {"5 h", strings.Repeat("x", 9000)},
	}})
	got := tool(t, "pdftotext", "-layout", save(t, d), "-")
	if n := strings.Count(got, "mot"); n != 6000 {
		t.Errorf("%d words printed, want 6000", n)
	}
	if n := strings.Count(got, "x"); n != 9000 {
		t.Errorf("%d letters printed, want 9000", n)
	}
}

func TestLongParagraphBreaks(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{})
	d.Text(strings.Repeat("Des mots qui suivent. ", 900))
	d.List([]string{strings.Repeat("élément ", 1500)}, false)
	d.PageBreak()
	d.PageBreak()
	d.Space(10)
	d.Text("Fin")
	path := save(t, d)
	got := tool(t, "pdftotext", path, "-")
	if strings.Count(got, "suivent") != 900 || strings.Count(got, "élément") != 1500 {
		t.Errorf("%d and %d words", strings.Count(got, "suivent"), strings.Count(got, "élément"))
	}
	pages := strings.Split(got, "\f")
	if last := pages[len(pages)-2]; !strings.HasPrefix(last, "Fin") {
		t.Errorf("the last page begins with %.40q", last)
	}
}

func TestSameContentSameBytes(t *testing.T) {
	t.Parallel()
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		d := start(t, pdf.Options{Header: "CH"})
		sample(d)
		d.Table(table(200))
		if err := d.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two writes of the same document differ")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestErrors(t *testing.T) {
	t.Parallel()
	if _, err := pdf.New(pdf.Meta{Language: "fr"}, pdf.Options{}); err == nil {
		t.Error("a document without a title was accepted")
	}
	if _, err := pdf.New(pdf.Meta{Title: "T"}, pdf.Options{}); err == nil {
		t.Error("a document without a language was accepted")
	}
	d := start(t, pdf.Options{})
	d.Table(pdf.Table{Columns: []pdf.Column{{Title: "a"}}, Rows: [][]string{{"1", "2"}}})
	if err := d.Write(io.Discard); err == nil || !strings.Contains(err.Error(), "2 cells") {
		t.Errorf("a row too wide: %v", err)
	}
	d = start(t, pdf.Options{})
	d.Text("x")
	if err := d.Write(full{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk: %v", err)
	}
}

func TestEmptyDocument(t *testing.T) {
	t.Parallel()
	d := start(t, pdf.Options{})
	d.Table(pdf.Table{})
	d.Table(pdf.Table{Columns: []pdf.Column{{Title: ""}, {Title: "b"}}})
	d.List(nil, false)
	d.Text("")
	d.Chart(chart.Chart{Title: "Vide"}, 100)
	save(t, d)
}

func BenchmarkTable4300(b *testing.B) {
	for b.Loop() {
		d := start(b, pdf.Options{Landscape: true})
		d.Table(table(4300))
		if err := d.Write(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
