package columns

import (
	"errors"
	"fmt"
	"io"

	"tocsin/internal/fault"
)

// Position is a boundary between two rows of a file: where reading may go on.
type Position struct {
	// Offset is in bytes, of a CSV or of a file of fixed width.
	Offset int64 `json:"offset"`
	// Line is that of the last row read, from 1: a physical line, or a row of a sheet.
	Line int `json:"line"`
}

// Row is one row of a file.
type Row struct {
	// Line is where it begins, from 1.
	Line int
	// Raw is the original, at most traces.MaxRaw bytes: the bytes of the file, or
	// the cells of a workbook as an array of JSON. Length is its whole length.
	Raw    []byte
	Length int
	Cells  []string
	// After is the boundary after it. Whole tells that its end of line was there:
	// the last row of a file that grows may still be in the making.
	After Position
	Whole bool
	// Problem says why the row cannot be trusted; Cells are then a best effort.
	Problem *fault.Error
}

// Reader gives the rows of a file after its header, blank ones left out.
type Reader struct {
	header []string
	next   func() (Row, error)
	close  func() error
}

// Header gives the names of the columns: those of the header, those of the
// fields, or A, B, C… as many as the first row has.
func (r *Reader) Header() []string { return r.header }

// Next gives the next row, io.EOF after the last. Any other error means that the
// file cannot be read further.
func (r *Reader) Next() (Row, error) { return r.next() }

// Close frees what reading held; the file stays the caller's.
func (r *Reader) Close() error { return r.close() }

// Open begins to read a file of some size at a boundary, the zero Position being
// its beginning. Errors: Invalid when the file is not what cut says.
func Open(file io.ReaderAt, size int64, cut Cut, from Position) (*Reader, error) {
	if err := cut.Check(); err != nil {
		return nil, err
	}
	switch cut.Kind {
	case XLSX:
		return openSheet(file, size, cut, from)
	case CSV, Fixed:
		return openLines(file, size, cut, from)
	}
	return nil, fault.New(fault.Invalid, "traces.columns.kind").At("kind")
}

func openLines(file io.ReaderAt, size int64, cut Cut, from Position) (*Reader, error) {
	start, err := afterMark(file, size, cut.Encoding)
	if err != nil {
		return nil, err
	}
	begin := func(at Position) *lineRows {
		return &lineRows{lines: newLines(io.NewSectionReader(file, at.Offset, size-at.Offset), cut.Encoding, at.Offset), cut: cut, line: at.Line, after: at}
	}
	rows := begin(Position{Offset: start})
	header, err := rows.header()
	if err != nil {
		return nil, err
	}
	if from.Offset > rows.after.Offset {
		rows = begin(from)
	}
	return &Reader{header: header, next: rows.next, close: func() error { return nil }}, nil
}

// afterMark is where the text begins.
func afterMark(file io.ReaderAt, size int64, encoding string) (int64, error) {
	head := make([]byte, min(size, 3))
	if _, err := file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read the beginning of a file: %w", err)
	}
	if e, n := markOf(head); e == encoding {
		return int64(n), nil
	}
	return 0, nil
}
