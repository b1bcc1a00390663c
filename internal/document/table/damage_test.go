package table_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/xuri/excelize/v2"

	"tocsin/internal/document/table"
	"tocsin/internal/fault"
)

// TestDamagedWorkbooks breaks a workbook in many ways: each is refused with a
// sentence, or read to its end; none stops the program.
func TestDamagedWorkbooks(t *testing.T) {
	t.Parallel()
	good := workbook(t, func(f *excelize.File) {
		for i := range 30 {
			set(t, f, "Sheet1", fmt.Sprintf("A%d", i+1), fmt.Sprintf("nom %d", i), 0)
			set(t, f, "Sheet1", fmt.Sprintf("B%d", i+1), 639981234+i, 0)
		}
	})
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 400 {
		bad := bytes.Clone(good)
		for range 1 + random.IntN(4) {
			bad[random.IntN(len(bad))] = byte(random.IntN(256))
		}
		if random.IntN(4) == 0 {
			bad = bad[:random.IntN(len(bad))]
		}
		if !readable(t, bad) {
			refused++
		}
	}
	if refused < 100 {
		t.Errorf("only %d of 400 damaged workbooks were refused", refused)
	}
}

// TestStrangeParts puts nonsense in the parts of a workbook, well packed.
func TestStrangeParts(t *testing.T) {
	t.Parallel()
	good := workbook(t, func(f *excelize.File) {
		set(t, f, "Sheet1", "A1", "Nom", 0)
		set(t, f, "Sheet1", "A2", "Dupont", 0)
	})
	for _, part := range []string{"xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"} {
		for _, content := range []string{
			"", "<", "<a/>", "<worksheet></worksheet>", "\x00\x01\x02</worksheet>", "<sst><si/></sst>",
			`<worksheet><sheetData><row r="999999999"><c r="A1" t="s"><v>77</v></c></row></sheetData></worksheet>`,
			`<worksheet><sheetData><row r="-1"><c r="??" t="s" s="9999"><v>-5</v></c></row></sheetData></worksheet>`,
			`<worksheet><sheetData><row r="2"/><row r="1"><c r="XFE1"><v>1</v></c></row></sheetData></worksheet>`,
		} {
			readable(t, rewritten(t, good, part, func([]byte) []byte { return []byte(content) }))
		}
	}
}

// readable opens and reads to the end; an error must be a fault with a sentence.
func readable(t *testing.T, content []byte) bool {
	t.Helper()
	limits := table.DefaultLimits()
	limits.MaxRows = 5000
	s, err := table.Open(bytes.NewReader(content), int64(len(content)), "a.xlsx", limits)
	if err == nil {
		for err == nil {
			_, err = s.Next()
		}
		if closed := s.Close(); closed != nil {
			t.Logf("close: %v", closed)
		}
		if errors.Is(err, io.EOF) {
			return true
		}
	}
	if f := fault.As(err); f == nil || f.Key == "" {
		t.Errorf("an error without a sentence: %v", err)
	}
	return false
}
