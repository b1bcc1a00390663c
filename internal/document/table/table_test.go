package table_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", table.Locales)
}

func open(t *testing.T, content string) *table.Source {
	t.Helper()
	s, err := table.Open(strings.NewReader(content), int64(len(content)), "agents.csv", table.DefaultLimits())
	if err != nil {
		t.Fatalf("Open(%.60q): %v", content, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// dump writes each row "line: a|b|c" with "!problem" when there is one.
func dump(t *testing.T, s *table.Source) string {
	t.Helper()
	var out []string
	for {
		row, err := s.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(out, "\n")
		}
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%d: %s", row.Line, strings.Join(row.Cells, "|"))
		if row.Problem != nil {
			text += " !" + strings.TrimPrefix(row.Problem.Key, "table.row.")
			if row.Raw == "" {
				t.Errorf("line %d has a problem but no raw text", row.Line)
			}
		}
		out = append(out, text)
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, content, header, want string }{
		{"semicolon", "Nom;Prénom\nDupont;Zoé\n", "Nom|Prénom", "2: Dupont|Zoé"},
		{"comma", "Nom,Prénom,Tél\nDupont,Zoé,06\nMartin,Léa,07\n", "Nom|Prénom|Tél", "2: Dupont|Zoé|06\n3: Martin|Léa|07"},
		{"tab", "Nom\tPrénom\nDu;pont\tZo,é\n", "Nom|Prénom", "2: Du;pont|Zo,é"},
		{"pipe", "Nom|Prénom\nDupont|Zoé", "Nom|Prénom", "2: Dupont|Zoé"},
		{"declared", "sep=,\nNom,Taux;x\nDupont,1;2\n", "Nom|Taux;x", "3: Dupont|1;2"},
		{"decimal comma", "Nom;Taux\nA;1,5\nB;2,5\nC;3,5\n", "Nom|Taux", "2: A|1,5\n3: B|2,5\n4: C|3,5"},
		{"BOM", "\xef\xbb\xbfNom;Prénom\nDupont;Zoé\n", "Nom|Prénom", "2: Dupont|Zoé"},
		{"BOM then quote", "\xef\xbb\xbf\"Nom\";\"Prénom\"\n\"Dupont\";\"Zoé\"\n", "Nom|Prénom", "2: Dupont|Zoé"},
		{"CRLF", "Nom;Prénom\r\nDupont;Zoé\r\nMartin;Léa\r\n", "Nom|Prénom", "2: Dupont|Zoé\n3: Martin|Léa"},
		{"CR", "Nom;Prénom\rDupont;Zoé\rMartin;Léa", "Nom|Prénom", "2: Dupont|Zoé\n3: Martin|Léa"},
		{"mixed ends", "Nom;Prénom\r\nA;B\nC;D\rE;F", "Nom|Prénom", "2: A|B\n3: C|D\n4: E|F"},
		{"blank lines", "\n\nNom;Prénom\n\n;;\nDupont;Zoé\n \n", "Nom|Prénom", "6: Dupont|Zoé"},
		{"quoted delimiter", "Nom;Note\n\"Du;pont\";\"dit \"\"le grand\"\"\"\n", "Nom|Note", `2: Du;pont|dit "le grand"`},
		{"quoted newline", "Nom;Note\nA;\"un\ndeux\r\ntrois\"\nB;x\n", "Nom|Note", "2: A|un\ndeux\ntrois\n5: B|x"},
		{"bare quotes", "Nom;Note\nJean \"Jo\" Martin;5\" de long\n\"Dr \"House\"\";x\n", "Nom|Note", "2: Jean \"Jo\" Martin|5\" de long\n3: Dr \"House\"|x"},
		{"spaces around quotes", "Nom;Note\n \"A\" ; \"B\" \n", "Nom|Note", "2: A|B"},
		{"short rows", "Nom;Prénom;Tél\nA\nB;C\nD;E;F\n", "Nom|Prénom|Tél", "2: A||\n3: B|C|\n4: D|E|F"},
		{"trailing delimiters", "Nom;Prénom;;\nA;B;;\n", "Nom|Prénom", "2: A|B"},
		{"stray delimiter", "Nom;Prénom\nA;B;C\nD;E\nF;G\n", "Nom|Prénom", "2: A|B|C !too_many_cells\n3: D|E\n4: F|G"},
		{"unclosed quote", "Nom;Prénom\n\"A;B\nC;D\nE;F\n", "Nom|Prénom", "2: \"A|B !unclosed_quote\n3: C|D\n4: E|F"},
		{"unclosed then quoted", "Nom;Prénom\nA;\"B\n\"C\";\"D\"\n", "Nom|Prénom", "2: A|\"B !unclosed_quote\n3: C|D"},
		{"excel text", "Nom;Tél\nA;=\"0612345678\"\n", "Nom|Tél", "2: A|0612345678"},
		{"NUL", "Nom;Pré\x00nom\nA\x00;B\n\x1a", "Nom|Prénom", "2: A|B"},
		{"no break space", "Nom;Tél\nA;\u00a006 12\u00a0\n", "Nom|Tél", "2: A|06 12"},
		{"titles", "CH de Valmont\nExtraction du 12/03/2026;;\n\nMatricule;Nom;Service\n001;A;X\n002;B;Y\n", "Matricule|Nom|Service", "5: 001|A|X\n6: 002|B|Y"},
		{"no header", "001;0612345678;a@b.fr\n002;0712345678;c@d.fr\n", "A|B|C", "1: 001|0612345678|a@b.fr\n2: 002|0712345678|c@d.fr"},
		{"one column", "Matricule\n001\n002\n", "Matricule", "2: 001\n3: 002"},
		{"ANSI", "Nom;Pr\xe9nom\nDupont;Zo\xe9 \x80\n", "Nom|Prénom", "2: Dupont|Zoé €"},
		{"late accent", "Nom;Service\n" + strings.Repeat("A;B\n", 40000) + "C;R\xe9a\n", "Nom|Service", strings.TrimSpace(numbered(2, 40000, "A|B")) + "\n40002: C|Réa"},
		{"pasted ANSI line", "Nom;Service\n" + strings.Repeat("é;à\n", 20) + "C;R\xe9a\n", "Nom|Service", strings.TrimSpace(numbered(2, 20, "é|à")) + "\n22: C|Réa !encoding"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, c.content)
			if got := strings.Join(s.Header(), "|"); got != c.header {
				t.Errorf("header %q, want %q", got, c.header)
			}
			if got := dump(t, s); got != c.want {
				t.Errorf("rows\n%.400s\nwant\n%.400s", got, c.want)
			}
		})
	}
}

func numbered(from, count int, row string) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "%d: %s\n", from+i, row)
	}
	return b.String()
}

func TestFormatSaysWhatWasFound(t *testing.T) {
	t.Parallel()
	s := open(t, "CH de Valmont\n\nNom;Pr\xe9nom\nA;B\n")
	f := s.Format()
	if f.Kind != "csv" || f.Encoding != "Windows-1252" || f.Delimiter != ";" || f.HeaderLine != 3 || strings.Join(f.Titles, "/") != "CH de Valmont" {
		t.Errorf("format %+v", f)
	}
	if f := open(t, "1;2\n3;4\n").Format(); f.HeaderLine != 0 || f.Encoding != "UTF-8" {
		t.Errorf("format %+v", f)
	}
}

func TestUTF16(t *testing.T) {
	t.Parallel()
	text := "Nom;Prénom\r\nDupont;Zoé 😀\r\n"
	for _, c := range []struct {
		name string
		big  bool
		bom  bool
	}{{"UTF-16LE", false, true}, {"UTF-16LE", false, false}, {"UTF-16BE", true, true}, {"UTF-16BE", true, false}} {
		s := open(t, utf16Text(text, c.big, c.bom))
		if got := s.Format().Encoding; got != c.name {
			t.Errorf("encoding %s, want %s (BOM %v)", got, c.name, c.bom)
		}
		if got := dump(t, s); got != "2: Dupont|Zoé 😀" {
			t.Errorf("%s BOM %v: rows %q", c.name, c.bom, got)
		}
	}
}

func utf16Text(text string, big, bom bool) string {
	if bom {
		text = "\ufeff" + text
	}
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return string(out)
}

func TestOpenRefusesWithASentence(t *testing.T) {
	t.Parallel()
	compound := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 70000)
	for _, c := range []struct{ name, content, key string }{
		{"empty", "", "table.empty"},
		{"blank", "\n \n;;\n", "table.empty"},
		{"xls", compound, "table.xls"},
		{"password", compound + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", "table.password"},
		{"html", "\n<html><table>", "table.markup"},
		{"xml", "<?xml version=\"1.0\"?>", "table.markup"},
		{"pdf", "%PDF-1.7", "table.not_a_table"},
		{"png", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x01\x02\x03\x04\x05\x06", "table.not_a_table"},
		{"truncated zip", "PK\x03\x04 and then nothing", "table.broken"},
	} {
		_, err := table.Open(strings.NewReader(c.content), int64(len(c.content)), "agents.csv", table.DefaultLimits())
		if f := fault.As(err); f == nil || f.Key != c.key {
			t.Errorf("%s: %v, want %s", c.name, err, c.key)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	limits := table.DefaultLimits()
	limits.MaxBytes, limits.MaxRows, limits.MaxColumns, limits.MaxRowBytes = 4096, 3, 4, 200
	try := func(content string) (*table.Source, error) {
		return table.Open(strings.NewReader(content), int64(len(content)), "a.csv", limits)
	}
	if _, err := try(strings.Repeat("a;b\n", 2000)); fault.As(err) == nil || fault.As(err).Key != "table.too_big" {
		t.Errorf("too big: %v", err)
	}
	s, err := try("Nom;Tél\n1;2\n3;4\n5;6\n7;8\n")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Next(); fault.As(err) == nil || fault.As(err).Key != "table.too_many_rows" {
		t.Errorf("fourth row: %v", err)
	}
	s, err = try("Nom;Tél\nA;" + strings.Repeat("x", 3000) + "\nB;1;2;3;4;5;6;7\nC;9\n")
	if err != nil {
		t.Fatal(err)
	}
	got := dump(t, s)
	if !strings.Contains(got, "!too_long") || !strings.Contains(got, "3: B|1|2|3 !too_many_columns") || !strings.HasSuffix(got, "4: C|9") {
		t.Errorf("rows %s", got)
	}
}

// TestManyRows holds the promise on memory: 100,000 rows pass in a few seconds
// at most and leave the heap as it was.
func TestManyRows(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("Matricule;Nom;Prénom;Service;Site;Mobile;Fixe;Courriel;Métier;Statut\n")
	for i := range 100_000 {
		fmt.Fprintf(&b, "%06d;DUPONT;Zoé;\"Réanimation; unité 2\";Nord;06 39 98 %02d %02d;4512;zoe.dupont%d@ch.example;IADE;Titulaire\n", i, i/100%100, i%100, i)
	}
	content := b.Bytes()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, err := table.Open(bytes.NewReader(content), int64(len(content)), "agents.csv", table.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	count, peak := 0, uint64(0)
	for {
		row, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || row.Problem != nil || row.Cells[3] != "Réanimation; unité 2" {
			t.Fatalf("row %d: %v %v %v", count, row, row.Problem, err)
		}
		if count++; count%10_000 == 0 {
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
	if count != 100_000 {
		t.Errorf("%d rows, want 100000", count)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); grown > 100<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
}

func BenchmarkCSV(b *testing.B) {
	content := "Matricule;Nom;Prénom;Service;Mobile\n" + strings.Repeat("001234;DUPONT;Zoé;\"Réa; 2\";06 39 98 12 34\n", 100_000)
	for b.Loop() {
		s, err := table.Open(strings.NewReader(content), int64(len(content)), "a.csv", table.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = s.Next()
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}
