package columns

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"tocsin/internal/document/table"
)

// sampleBytes is how much of a file is looked at.
const sampleBytes = 256 << 10

// Sample is the beginning of a file, cut.
type Sample struct {
	Cut    Cut
	Header []string
	Rows   []Row
	// Sheets are those of a workbook.
	Sheets []string
}

// Recognise guesses how a file is cut. Errors: Invalid when it is no file of
// lines nor a workbook.
func Recognise(file io.ReaderAt, size int64) (Cut, error) {
	head := make([]byte, min(size, sampleBytes))
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Cut{}, fmt.Errorf("read the beginning of a file: %w", err)
	}
	head = head[:n]
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return Cut{Kind: XLSX, Header: true}, nil
	}
	c := Cut{Kind: CSV, Encoding: guessEncoding(head, int64(n) == size)}
	c.Delimiter, c.Skip, c.Header = guessDelimiter(file, size, c.Encoding)
	if c.Delimiter == "" {
		c.Delimiter = ";"
	}
	return c, nil
}

// guessDelimiter keeps the delimiter that gives the most regular table, then the
// widest, and finds the header: the first row as wide as the table.
func guessDelimiter(file io.ReaderAt, size int64, encoding string) (delimiter string, skip int, header bool) {
	best := 0.0
	for _, d := range []string{";", "\t", ",", "|"} {
		rows, _, err := read(file, size, Cut{Kind: CSV, Encoding: encoding, Delimiter: d}, 200)
		if err != nil || len(rows) == 0 {
			continue
		}
		width, share := usual(rows)
		if s := share + float64(min(width, 40))/100; width > 1 && share > 0.3 && s > best {
			best, delimiter = s, d
			skip, header = findHeader(rows, width)
		}
	}
	return delimiter, skip, header
}

// usual is the most frequent width of rows and its share.
func usual(rows []Row) (width int, share float64) {
	counts := map[int]int{}
	for _, r := range rows {
		counts[len(r.Cells)]++
	}
	for w, n := range counts {
		if s := float64(n) / float64(len(rows)); s > share || s == share && w > width {
			width, share = w, s
		}
	}
	return width, share
}

// findHeader tells how many lines stand above the first row as wide as the table,
// and whether it names the columns: words without digits, each different.
func findHeader(rows []Row, width int) (skip int, header bool) {
	for _, r := range rows {
		if len(r.Cells) != width {
			continue
		}
		seen, digits := map[string]bool{}, 0
		for _, c := range r.Cells {
			if strings.ContainsAny(c, "0123456789") {
				digits++
			}
			seen[plain(c)] = true
		}
		return r.Line - 1, digits*4 <= width && len(seen)*10 >= width*9
	}
	return 0, false
}

// read gives the first rows of a file.
func read(file io.ReaderAt, size int64, cut Cut, most int) (rows []Row, header []string, err error) {
	if cut.Kind != XLSX {
		size = min(size, 4*sampleBytes)
	}
	r, err := Open(file, size, cut, Position{})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for len(rows) < most {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
	return rows, r.Header(), nil
}

// Look cuts the beginning of a file, at most so many rows.
func Look(file io.ReaderAt, size int64, cut Cut, most int) (s Sample, err error) {
	s.Cut = cut
	if s.Rows, s.Header, err = read(file, size, cut, most); err != nil {
		return s, err
	}
	if cut.Kind == XLSX {
		book, err := table.OpenPlain(file, size, cut.Sheet, limits())
		if err != nil {
			return s, err
		}
		s.Sheets = book.Format().Sheets
		return s, book.Close()
	}
	return s, nil
}

// Cells gives the cells of the rows of a sample.
func (s Sample) Cells() [][]string {
	out := make([][]string, 0, len(s.Rows))
	for _, r := range s.Rows {
		if r.Problem == nil {
			out = append(out, r.Cells)
		}
	}
	return out
}
