package table

import (
	"bytes"
	"io"

	"tocsin/internal/fault"
)

// Limits protect the program from a hostile or absurd file.
type Limits struct {
	MaxBytes         int64 // size of the file
	MaxUncompressed  int64 // size of an XLSX once unzipped, all parts together
	MaxSharedStrings int64 // size of the texts of an XLSX once unzipped
	MaxRatio         int64 // unzipped size over zipped size of one part
	MaxRows          int   // rows after the header
	MaxColumns       int   // columns of a row; beyond, the row has a problem
	MaxRowBytes      int   // bytes of a row; beyond, the row has a problem
}

// DefaultLimits suit a staff file of a hospital group.
func DefaultLimits() Limits {
	return Limits{
		MaxBytes:         64 << 20,
		MaxUncompressed:  512 << 20,
		MaxSharedStrings: 128 << 20,
		MaxRatio:         300,
		MaxRows:          500_000,
		MaxColumns:       256,
		MaxRowBytes:      256 << 10,
	}
}

// Row is one row of the file.
type Row struct {
	// Line is where the row starts: the physical line of a CSV, the row number of a sheet, from 1.
	Line int
	// Cells are trimmed, and at least as many as the header's columns.
	Cells []string
	// Problem says why the row cannot be trusted; Cells are then a best effort.
	Problem *fault.Error
	// Raw is the text of the row, given when there is a Problem.
	Raw string
}

// Format is what was found out about the file.
type Format struct {
	Kind      string // "csv" or "xlsx"
	Encoding  string // "UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252"; empty for xlsx
	Delimiter string // ";", ",", "\t", "|"; empty for xlsx
	Sheet     string // the sheet read
	Sheets    []string
	Hidden    []string // sheets the author hid: never read unless asked for by name
	// HeaderLine is the line of the header; zero when the file has none, and
	// Header then names the columns A, B, C…
	HeaderLine int
	// Titles are the texts found above the header.
	Titles []string
}

// reader gives the rows of one kind of file, from the first line on. It ends
// with io.EOF; any other error ends the file.
type reader interface {
	next() (Row, error)
	close() error
}

// Source is an open file. It is used by one goroutine and closed once.
type Source struct {
	rows    reader
	format  Format
	header  []string
	pending []Row // read while looking for the header
	sample  []Row // all that was read while looking for it
	bare    bool  // no header: rows are as wide as they are
	limits  Limits
	count   int
}

// Open recognises the file and finds its header. name only serves to say that
// its ending does not tell the truth. A sheet is chosen: the first visible one
// that has a header.
func Open(r io.ReaderAt, size int64, name string, limits Limits) (*Source, error) {
	return OpenSheet(r, size, name, "", limits)
}

// OpenSheet is Open for a given sheet of a workbook, hidden or not.
func OpenSheet(r io.ReaderAt, size int64, name, sheet string, limits Limits) (*Source, error) {
	if size > limits.MaxBytes {
		return nil, fault.New(fault.Invalid, "table.too_big", "limit", limits.MaxBytes>>20)
	}
	kind, err := recognise(r, size, name)
	if err != nil {
		return nil, err
	}
	if kind == kindXLSX {
		return openXLSX(r, size, sheet, limits)
	}
	return openCSV(r, size, limits)
}

// newSource reads the first rows, chooses the header and keeps the rest for Next.
func newSource(rows reader, format Format, limits Limits) (*Source, error) {
	s := &Source{rows: rows, format: format, limits: limits}
	var sample []Row
	for len(sample) < headerSample {
		row, err := rows.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		sample = append(sample, row)
	}
	if len(sample) == 0 {
		return nil, fault.New(fault.Invalid, "table.empty")
	}
	s.sample = sample
	at, found := findHeader(sample)
	if !found {
		s.header = letters(widest(sample))
		s.pending = sample
		return s, nil
	}
	s.header = tidyHeader(sample[at].Cells)
	s.format.HeaderLine = sample[at].Line
	for _, row := range sample[:at] {
		s.format.Titles = append(s.format.Titles, joined(row.Cells))
	}
	s.pending = sample[at+1:]
	return s, nil
}

// Header gives the names of the columns, as written; a column without a name has "".
func (s *Source) Header() []string { return s.header }

// Format tells what was found out.
func (s *Source) Format() Format { return s.format }

// Close frees what the file held; the io.ReaderAt stays the caller's.
func (s *Source) Close() error { return s.rows.close() }

// Next gives the next row that is not blank, and io.EOF after the last. Any
// other error means that the file cannot be read further.
func (s *Source) Next() (Row, error) {
	row, err := s.take()
	if err != nil {
		return Row{}, err
	}
	if s.count++; s.count > s.limits.MaxRows {
		return Row{}, fault.New(fault.Invalid, "table.too_many_rows", "limit", s.limits.MaxRows)
	}
	if !s.bare {
		s.fit(&row)
	}
	return row, nil
}

func (s *Source) take() (Row, error) {
	if len(s.pending) > 0 {
		row := s.pending[0]
		s.pending = s.pending[1:]
		return row, nil
	}
	return s.rows.next()
}

// fit brings a row to the width of the header; cells beyond it are a problem,
// because a stray delimiter has moved the columns.
func (s *Source) fit(row *Row) {
	for len(row.Cells) < len(s.header) {
		row.Cells = append(row.Cells, "")
	}
	extra := len(row.Cells)
	for extra > len(s.header) && row.Cells[extra-1] == "" {
		extra--
	}
	if extra > len(s.header) && row.Problem == nil {
		row.Problem = fault.New(fault.Invalid, "table.row.too_many_cells", "count", extra, "expected", len(s.header))
		if row.Raw == "" {
			row.Raw = joined(row.Cells)
		}
	}
	row.Cells = row.Cells[:extra]
}

// blank tells whether a row holds nothing at all.
func blank(cells []string) bool {
	for _, c := range cells {
		if c != "" {
			return false
		}
	}
	return true
}

// joined is a row as one readable text.
func joined(cells []string) string {
	var b bytes.Buffer
	for _, c := range cells {
		if c == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(" ; ")
		}
		b.WriteString(c)
	}
	return b.String()
}
