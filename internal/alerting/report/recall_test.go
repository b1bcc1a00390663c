package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"tocsin/internal/alerting"
	"tocsin/internal/alerting/report"
	"tocsin/internal/i18n"
)

// TestTheOrderOnPaper is tagged, says what must be said, and its square is read
// by a program that did not draw it.
func TestTheOrderOnPaper(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	check := alerting.RecallCheck{Status: alerting.RecallValid, Zone: paris(t), Order: alerting.RecallOrder{
		Code: "0123456789ab", Mode: alerting.Real, Establishment: "CHU de Valbrume", Number: "20261122-0300-7F3A", Title: "Plan blanc", Name: "ÉLOI Zoé", Matricule: "…4512",
		OrderedBy: "Dr Ordre", IssuedAt: at, ETA: at.Add(30 * time.Minute), Until: at.Add(150 * time.Minute), Entrance: "Porte B", Key: "00aa11bb22cc33dd",
		Text: "ORDRE DE RAPPEL\nNom : ÉLOI Zoé\n", Signature: bytes.Repeat([]byte{7}, 64),
	}}
	const address = "https://tocsin.valbrume.example/ordre/0123456789ab"
	for _, lang := range i18n.Languages() {
		folder := t.TempDir()
		path := filepath.Join(folder, "ordre.pdf")
		var b bytes.Buffer
		must(t, report.RecallPDF(&b, check, address, at, voice(t, lang)))
		must(t, os.WriteFile(path, b.Bytes(), 0o600))
		if out := tool(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors") {
			t.Error(out)
		}
		structure := tool(t, "pdfinfo", "-struct-text", path)
		for _, want := range []string{"H1 (block)", "Figure", "Link"} {
			if !strings.Contains(structure, want) {
				t.Errorf("%s: no %s in the structure", lang, want)
			}
		}
		text := strings.Join(strings.Fields(tool(t, "pdftotext", "-layout", path, "-")), " ")
		wanted := []string{"ÉLOI Zoé", "0123-4567-89ab", "Dr Ordre", "Porte B", "BwcHBwcH", address}
		if lang == i18n.French {
			wanted = append(wanted, "RÉEL", "Ce n’est pas une réquisition du préfet")
		}
		for _, want := range wanted {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the order does not say %q", lang, want)
			}
		}
		if strings.Contains(text, "⟦") {
			t.Errorf("%s: an unknown sentence", lang)
		}
		tool(t, "pdftoppm", "-r", "150", "-png", "-singlefile", path, filepath.Join(folder, "page"))
		if read := strings.TrimSpace(tool(t, "zbarimg", "--quiet", "--raw", "--nodbus", filepath.Join(folder, "page.png"))); read != address {
			t.Errorf("%s: the square says %q", lang, read)
		}
	}
}

// TestPayrollFilesSayTheSame reads both files back.
func TestPayrollFilesSayTheSame(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	l := alerting.Launch{ID: uuid.MustParse("0198e0a0-0000-7000-8000-00000000abcd"), Mode: alerting.Real, LaunchedAt: at}
	lines := []alerting.PayLine{
		{
			Recipient: alerting.Recipient{LastName: "=cmd|' /C calc'!A0", FirstName: "Zoé"}, Matricule: "0012", Code: "0123456789ab", IssuedAt: at, Until: at.Add(time.Hour),
			Stay: alerting.Stay{ArrivedAt: at, LeftAt: at.Add(90 * time.Minute), ArrivedBy: "Porte", LeftBy: "Porte"},
		},
		{Recipient: alerting.Recipient{LastName: "Présent"}, Stay: alerting.Stay{ArrivedAt: at}},
	}
	loc := voice(t, i18n.French)
	var csv, book bytes.Buffer
	must(t, report.PayrollCSV(&csv, l, lines, at, loc, paris(t)))
	must(t, report.PayrollXLSX(&book, l, lines, at, loc, paris(t)))
	text := csv.String()
	for _, want := range []string{"0012;", "0123-4567-89ab", "20261122-0300-ABCD", "2026-11-22 03:00:00", "2026-11-22 04:30:00", "1,5"} {
		if !strings.Contains(text, want) {
			t.Errorf("the CSV does not say %q: %s", want, text)
		}
	}
	if strings.Contains(text, ";=cmd") || strings.Contains(text, "\n=cmd") {
		t.Error("a formula in the CSV")
	}
	file, err := excelize.OpenReader(&book)
	must(t, err)
	defer func() { must(t, file.Close()) }()
	rows, err := file.GetRows(file.GetSheetList()[0], excelize.Options{RawCellValue: true})
	must(t, err)
	if len(rows) != 3 || rows[1][0] != "0012" || rows[1][15] != "1.5" || len(rows[2]) > 15 && rows[2][15] != "" {
		t.Errorf("workbook: %v", rows)
	}
}
