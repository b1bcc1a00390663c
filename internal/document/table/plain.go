package table

import (
	"io"

	"tocsin/internal/fault"
)

// OpenPlain opens a sheet of a workbook, the first that is seen when sheet is
// empty, and gives every row that is not blank: no header is looked for.
func OpenPlain(r io.ReaderAt, size int64, sheet string, limits Limits) (*Source, error) {
	if size > limits.MaxBytes {
		return nil, fault.New(fault.Invalid, "table.too_big", "limit", limits.MaxBytes>>20)
	}
	kind, err := recognise(r, size, "")
	if err != nil {
		return nil, err
	}
	if kind != kindXLSX {
		return nil, fault.New(fault.Invalid, "table.not_workbook")
	}
	source, err := openXLSX(r, size, sheet, limits)
	if err != nil {
		return nil, err
	}
	source.plain()
	return source, nil
}

// plain gives the header and what stands above it back as rows.
func (s *Source) plain() {
	s.pending, s.header, s.format.Titles, s.format.HeaderLine, s.bare = s.sample, nil, nil, 0, true
}
