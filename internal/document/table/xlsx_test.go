package table_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"tocsin/internal/document/table"
	"tocsin/internal/fault"
)

// workbook builds an XLSX; fill receives a setter for cells of any sheet.
func workbook(t *testing.T, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func set(t *testing.T, f *excelize.File, sheet, cell string, value any, style int) {
	t.Helper()
	if err := f.SetCellValue(sheet, cell, value); err != nil {
		t.Fatal(err)
	}
	if style == 0 {
		return
	}
	if err := f.SetCellStyle(sheet, cell, cell, style); err != nil {
		t.Fatal(err)
	}
}

func style(t *testing.T, f *excelize.File, s excelize.Style) int {
	t.Helper()
	id, err := f.NewStyle(&s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func openBytes(t *testing.T, content []byte, sheet string) *table.Source {
	t.Helper()
	s, err := table.OpenSheet(bytes.NewReader(content), int64(len(content)), "agents.xlsx", sheet, table.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestXLSXKeepsWhatTheAuthorSees(t *testing.T) {
	t.Parallel()
	content := workbook(t, func(f *excelize.File) {
		for i, name := range []string{"Matricule", "Mobile", "Mobile 2", "Mobile 3", "Début", "Note"} {
			set(t, f, "Sheet1", fmt.Sprintf("%c3", 'A'+i), name, 0)
		}
		set(t, f, "Sheet1", "A1", "CH de Valmont", 0)
		zeros, phone, narrow := "000000", `0#" "##" "##" "##" "##`, 11
		set(t, f, "Sheet1", "A4", 1234, style(t, f, excelize.Style{CustomNumFmt: &zeros}))
		set(t, f, "Sheet1", "B4", 639981234, style(t, f, excelize.Style{CustomNumFmt: &phone}))
		set(t, f, "Sheet1", "C4", 639981234, style(t, f, excelize.Style{NumFmt: narrow}))
		set(t, f, "Sheet1", "D4", int64(33639981234), style(t, f, excelize.Style{NumFmt: narrow}))
		set(t, f, "Sheet1", "E4", time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), style(t, f, excelize.Style{NumFmt: 14}))
		set(t, f, "Sheet1", "F4", " été\n", 0)
		set(t, f, "Sheet1", "A6", "A12", 0)
		set(t, f, "Sheet1", "B6", 639981234, 0)
	})
	s := openBytes(t, content, "")
	if got := strings.Join(s.Header(), "|"); got != "Matricule|Mobile|Mobile 2|Mobile 3|Début|Note" {
		t.Errorf("header %q", got)
	}
	want := "4: 001234|06 39 98 12 34|639981234|33639981234|2026-03-31|été\n6: A12|639981234||||"
	if got := dump(t, s); got != want {
		t.Errorf("rows\n%s\nwant\n%s", got, want)
	}
	if f := s.Format(); f.Kind != "xlsx" || f.Sheet != "Sheet1" || f.HeaderLine != 3 || f.Titles[0] != "CH de Valmont" {
		t.Errorf("format %+v", f)
	}
}

func TestXLSXChoosesTheSheet(t *testing.T) {
	t.Parallel()
	content := workbook(t, func(f *excelize.File) {
		for _, name := range []string{"Agents", "Anciens", "Vide"} {
			if _, err := f.NewSheet(name); err != nil {
				t.Fatal(err)
			}
		}
		set(t, f, "Sheet1", "A1", "Lisez-moi avant de remplir", 0)
		for i, sheet := range []string{"Agents", "Anciens"} {
			set(t, f, sheet, "A1", "Nom", 0)
			set(t, f, sheet, "B1", "Mobile", 0)
			set(t, f, sheet, "A2", fmt.Sprintf("Dupont%d", i), 0)
			set(t, f, sheet, "B2", "0639981234", 0)
		}
		if err := f.SetSheetVisible("Anciens", false); err != nil {
			t.Fatal(err)
		}
	})
	s := openBytes(t, content, "")
	if f := s.Format(); f.Sheet != "Agents" || strings.Join(f.Sheets, "/") != "Sheet1/Agents/Vide" || strings.Join(f.Hidden, "/") != "Anciens" {
		t.Errorf("format %+v", f)
	}
	if got := dump(t, s); got != "2: Dupont0|0639981234" {
		t.Errorf("rows %q", got)
	}
	if got := dump(t, openBytes(t, content, "Anciens")); got != "2: Dupont1|0639981234" {
		t.Errorf("hidden sheet, asked for: %q", got)
	}
	_, err := table.OpenSheet(bytes.NewReader(content), int64(len(content)), "a.xlsx", "Rien", table.DefaultLimits())
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown sheet: %v", err)
	}
	_, err = table.OpenSheet(bytes.NewReader(content), int64(len(content)), "a.xlsx", "Vide", table.DefaultLimits())
	if f := fault.As(err); f == nil || f.Key != "table.empty" {
		t.Errorf("empty sheet: %v", err)
	}
}

func TestXLSXFormulaErrors(t *testing.T) {
	t.Parallel()
	content := workbook(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A1", "Nom", 0)
		set(t, f, "Sheet1", "B1", "Service", 0)
		set(t, f, "Sheet1", "A2", "Dupont", 0)
		set(t, f, "Sheet1", "B2", "#N/A", 0)
		set(t, f, "Sheet1", "A3", "Martin", 0)
		set(t, f, "Sheet1", "C3", "égaré", 0)
	})
	want := "2: Dupont|#N/A !formula_error\n3: Martin||égaré !too_many_cells"
	if got := dump(t, openBytes(t, content, "")); got != want {
		t.Errorf("rows\n%s\nwant\n%s", got, want)
	}
}

// parts builds a zip with the given parts, for what no library writes.
func parts(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestXLSXRefusesWithASentence(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("<row><c/></row>"), 1<<20)
	good := workbook(t, func(f *excelize.File) { set(t, f, "Sheet1", "A1", "Nom", 0) })
	for _, c := range []struct {
		name, key string
		content   []byte
	}{
		{"ods", "table.ods", parts(t, map[string][]byte{"mimetype": []byte("application/vnd.oasis.opendocument.spreadsheet"), "content.xml": []byte("<x/>")})},
		{"xlsb", "table.xlsb", parts(t, map[string][]byte{"xl/workbook.bin": {1}})},
		{"any zip", "table.not_a_table", parts(t, map[string][]byte{"a.txt": {1}})},
		{"bomb", "table.bomb", parts(t, map[string][]byte{"xl/workbook.xml": []byte("<x/>"), "xl/worksheets/sheet1.xml": big})},
		{"not a workbook", "table.broken", parts(t, map[string][]byte{"xl/workbook.xml": []byte("<<<")})},
		{"cut", "table.broken", good[:len(good)/2]},
	} {
		_, err := table.Open(bytes.NewReader(c.content), int64(len(c.content)), "a.xlsx", table.DefaultLimits())
		if f := fault.As(err); f == nil || f.Key != c.key {
			t.Errorf("%s: %v, want %s", c.name, err, c.key)
		}
	}
	limits := table.DefaultLimits()
	limits.MaxSharedStrings = 10
	strange := parts(t, map[string][]byte{"xl/workbook.xml": []byte("<x/>"), "xl/sharedStrings.xml": []byte("<sst>0123456789</sst>")})
	if _, err := table.Open(bytes.NewReader(strange), int64(len(strange)), "a.xlsx", limits); fault.As(err) == nil || fault.As(err).Key != "table.bomb" {
		t.Errorf("shared strings: %v", err)
	}
}

// rewritten copies a workbook, changing one part.
func rewritten(t *testing.T, content []byte, part string, change func([]byte) []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if files[part] == nil {
		t.Fatalf("no part %s", part)
	}
	files[part] = change(files[part])
	return parts(t, files)
}

// TestXLSXCutShort: a sheet that stops in the middle is refused, because the
// rows it lost would not be missed by anybody.
func TestXLSXCutShort(t *testing.T) {
	t.Parallel()
	good := workbook(t, func(f *excelize.File) {
		for i := range 50 {
			set(t, f, "Sheet1", fmt.Sprintf("A%d", i+1), fmt.Sprintf("nom %d", i), 0)
		}
	})
	const sheet = "xl/worksheets/sheet1.xml"
	whole := rewritten(t, good, sheet, func(b []byte) []byte { return b })
	if got := dump(t, openBytes(t, whole, "")); strings.Count(got, "nom") != 49 {
		t.Fatalf("whole: %d rows", strings.Count(got, "nom"))
	}
	for _, share := range []int{2, 3, 10} {
		cut := rewritten(t, good, sheet, func(b []byte) []byte { return b[:len(b)/share] })
		_, err := table.Open(bytes.NewReader(cut), int64(len(cut)), "a.xlsx", table.DefaultLimits())
		if f := fault.As(err); f == nil || f.Key != "table.broken" {
			t.Errorf("cut to 1/%d: %v", share, err)
		}
	}
	damaged := bytes.Clone(good)
	z, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if f.Name == sheet {
			at, err := f.DataOffset()
			if err != nil {
				t.Fatal(err)
			}
			damaged[at+int64(f.CompressedSize64)/2] ^= 0xff
		}
	}
	if _, err := table.Open(bytes.NewReader(damaged), int64(len(damaged)), "a.xlsx", table.DefaultLimits()); fault.As(err) == nil || fault.As(err).Key != "table.broken" {
		t.Errorf("damaged: %v", err)
	}
}

func TestXLSXManyRows(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	const count = 20_000
	for i := range count + 1 {
		row := []any{fmt.Sprintf("%06d", i), "Dupont", "0639981234"}
		if i == 0 {
			row = []any{"Matricule", "Nom", "Mobile"}
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	s := openBytes(t, b.Bytes(), "")
	rows := 0
	for {
		row, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || row.Problem != nil {
			t.Fatal(row, err)
		}
		if rows++; row.Cells[0] != fmt.Sprintf("%06d", rows) || row.Line != rows+1 {
			t.Fatalf("row %d: %+v", rows, row)
		}
	}
	if rows != count {
		t.Errorf("%d rows, want %d", rows, count)
	}
}
