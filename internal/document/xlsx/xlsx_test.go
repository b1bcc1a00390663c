package xlsx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"tocsin/internal/document/table"
	"tocsin/internal/document/xlsx"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                         "",
		"Dupont":                   "Dupont",
		"0612345678":               "0612345678",
		"=1+1":                     "'=1+1",
		"=cmd|' /C calc'!A0":       "'=cmd|' /C calc'!A0",
		"+33639981234":             "+33639981234",
		"+33 6 39 98 12 34":        "+33 6 39 98 12 34",
		"-5":                       "-5",
		"-5.5":                     "-5.5",
		"+":                        "'+",
		"-":                        "'-",
		"-1+cmd|'x'!A1":            "'-1+cmd|'x'!A1",
		"+A1":                      "'+A1",
		"@SUM(A1)":                 "'@SUM(A1)",
		"\t=1":                     "'\t=1",
		"\r=1":                     "'\r=1",
		"\n=1":                     "'\n=1",
		"zoe@ch.example":           "zoe@ch.example",
		"'déjà":                    "'déjà",
		"- note":                   "'- note",
		"+33(0)6":                  "'+33(0)6",
		"-2+3":                     "'-2+3",
		"+33639981234;=HYPERLINK(": "'+33639981234;=HYPERLINK(",
	} {
		if got := xlsx.Escape(text); got != want {
			t.Errorf("Escape(%q) = %q, want %q", text, got, want)
		}
	}
}

func at() time.Time { return time.Date(2026, 11, 22, 8, 30, 15, 0, time.UTC) }

// write builds a workbook of two sheets, the second named like the first.
func write(t *testing.T) []byte {
	t.Helper()
	b, err := xlsx.New(xlsx.Meta{Title: "Rapport", Author: "CH de Valmont", Language: "fr", At: at()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Sheet("Agents: nord/sud", []xlsx.Column{
		{Title: "Nom"},
		{Title: "Mobile"},
		{Title: "Note"},
		{Title: "Nombre", Type: xlsx.Number},
		{Title: "Le", Type: xlsx.Date},
		{Title: "À", Type: xlsx.DateTime},
		{Title: "Part", Type: xlsx.Percent, Width: 9},
	})
	if err != nil {
		t.Fatal(err)
	}
	day := at().Truncate(24 * time.Hour)
	for _, row := range [][]any{
		{"Dupont", "0639981234", "=1+1", 12, day, at(), 0.5},
		{"Léa\x00", "+33639981234", "-", 1.5, time.Time{}, nil, nil},
		{"Zoé"},
	} {
		if err := s.Row(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Row(1, 2, 3, 4, 5, 6, 7, 8); err == nil {
		t.Error("a row wider than the sheet was accepted")
	}
	if _, err := b.Sheet("AGENTS: nord/sud", []xlsx.Column{{Title: "Nom"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Sheet(strings.Repeat("très ", 20), nil); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBook(t *testing.T) {
	t.Parallel()
	f, err := excelize.OpenReader(bytes.NewReader(write(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names := f.GetSheetList()
	if len(names) != 3 || names[0] != "Agents  nord sud" || names[1] != "AGENTS  nord sud (2)" || len([]rune(names[2])) > 31 {
		t.Fatalf("sheets %q", names)
	}
	for cell, want := range map[string]string{
		"A1": "Nom", "A2": "Dupont", "B2": "0639981234", "C2": "'=1+1", "D2": "12", "E2": "22/11/2026", "F2": "22/11/2026 08:30:15", "G2": "50.0%",
		"A3": "Léa", "B3": "+33639981234", "C3": "'-", "D3": "1.5", "E3": "", "F3": "", "A4": "Zoé",
	} {
		if got, err := f.GetCellValue(names[0], cell); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", cell, got, err, want)
		}
	}
	if formula, err := f.GetCellFormula(names[0], "C2"); err != nil || formula != "" {
		t.Errorf("C2 holds the formula %q, %v", formula, err)
	}
	panes, err := f.GetPanes(names[0])
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes %+v, %v", panes, err)
	}
	filtered := false
	for _, n := range f.GetDefinedName() {
		filtered = filtered || n.Name == "_xlnm._FilterDatabase" && strings.HasSuffix(n.RefersTo, "$A$1:$G$4")
	}
	if !filtered {
		t.Errorf("no filter on the rows: %+v", f.GetDefinedName())
	}
	props, err := f.GetDocProps()
	if err != nil || props.Title != "Rapport" || props.Created != "2026-11-22T08:30:15Z" {
		t.Errorf("properties %+v, %v", props, err)
	}
}

func TestSameContentSameBytes(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(write(t), write(t)) {
		t.Error("two writes of the same workbook differ")
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c, err := xlsx.NewCSV(&out, xlsx.CSVOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]any{
		{"Nom", "Note"},
		{"Du;pont", "dit \"le\ngrand\""},
		{"=1+1", "+33639981234"},
		{1.5, at()},
		{int64(3), at().Truncate(24 * time.Hour)},
		{nil, true},
		{time.Time{}, 4},
	}
	for _, row := range rows {
		if err := c.Row(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffNom;Note\r\n\"Du;pont\";\"dit \"\"le\r\ngrand\"\"\"\r\n'=1+1;+33639981234\r\n1,5;2026-11-22 08:30:15\r\n3;2026-11-22\r\n;true\r\n;4\r\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestCSVRaw(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c, err := xlsx.NewCSV(&out, xlsx.CSVOptions{Delimiter: ',', NoBOM: true, DecimalPoint: true, Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Row("=1+1", 1.5, "a,b"); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "=1+1,1.5,\"a,b\"\r\n" {
		t.Errorf("got %q", got)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestAWriterThatFails(t *testing.T) {
	t.Parallel()
	if _, err := xlsx.NewCSV(full{}, xlsx.CSVOptions{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("NewCSV on a full disk: %v", err)
	}
	c, err := xlsx.NewCSV(full{}, xlsx.CSVOptions{NoBOM: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Row("a"), c.Flush()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("Flush on a full disk: %v", err)
	}
}

// TestReadsBack holds the promise made to the import: what is exported comes
// back as it was, formulas and zeros included.
func TestReadsBack(t *testing.T) {
	t.Parallel()
	want := [][]string{{"001", "=1+1", "+33639981234"}, {"002", "- à voir", "poste 4512"}, {"003", "\"Jo\"; né", "0639981234"}}
	var csv, book bytes.Buffer
	c, err := xlsx.NewCSV(&csv, xlsx.CSVOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := xlsx.New(xlsx.Meta{At: at()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Sheet("Agents", []xlsx.Column{{Title: "Matricule"}, {Title: "Note"}, {Title: "Mobile"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Row("Matricule", "Note", "Mobile"); err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if err := errors.Join(c.Row(w[0], w[1], w[2]), s.Row(w[0], w[1], w[2])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(c.Flush(), b.Write(&book), b.Close()); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"csv": csv.Bytes(), "xlsx": book.Bytes()} {
		source, err := table.Open(bytes.NewReader(content), int64(len(content)), name, table.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			row, err := source.Next()
			if err != nil || row.Problem != nil || fmt.Sprint(row.Cells) != fmt.Sprint(w) {
				t.Errorf("%s row %d: %v %v %v, want %v", name, i, row.Cells, row.Problem, err, w)
			}
		}
		if _, err := source.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v after the last row", name, err)
		}
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	}
}
