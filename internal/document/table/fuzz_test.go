package table_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/document/table"
)

// FuzzCSV holds three promises on any input: no panic, an end, and every letter
// or digit of the file comes out somewhere.
func FuzzCSV(f *testing.F) {
	f.Add("Nom;Prénom\nDupont;Zoé\n")
	f.Add("a,\"b\nc\"\n\"d,e\n")
	f.Add("\"\"\";\"\r\r\n\x00\xff\xfe")
	f.Fuzz(func(t *testing.T, content string) {
		limits := table.DefaultLimits()
		limits.MaxRows, limits.MaxColumns = 1<<20, 1<<20
		s, err := table.Open(strings.NewReader(content), int64(len(content)), "f.csv", limits)
		if err != nil {
			return
		}
		got := signs(strings.Join(s.Header(), "")) + signs(strings.Join(s.Format().Titles, ""))
		last := 0
		for {
			row, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%q: %v", content, err)
			}
			if row.Line <= last {
				t.Fatalf("%q: line %d after line %d", content, row.Line, last)
			}
			last = row.Line
			if row.Problem != nil {
				got += signs(row.Raw)
				continue
			}
			got += signs(strings.Join(row.Cells, ""))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		declared := strings.Contains(strings.ToLower(content), "sep=")
		if want := signs(content); s.Format().Encoding == "UTF-8" && utf8.ValidString(content) && !declared && s.Format().HeaderLine > 0 && got != want {
			t.Fatalf("%q: %d signs out, want %d", content, got, want)
		}
	})
}

// signs counts the letters and digits, which no delimiter or quote removes.
func signs(text string) int {
	n := 0
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
