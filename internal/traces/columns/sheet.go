package columns

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// SheetBytes bounds a workbook: its reader holds parts of it in memory. What is
// larger is exported as CSV.
const SheetBytes = 256 << 20

// limits are those of a workbook of traces: as many rows as a sheet has.
func limits() table.Limits {
	l := table.DefaultLimits()
	l.MaxBytes, l.MaxRows, l.MaxColumns, l.MaxRowBytes, l.MaxUncompressed = SheetBytes, 1<<20+1, MaxColumns, traces.MaxRaw, 2<<30
	return l
}

// openSheet reads a sheet of a workbook. Its original is its cells as JSON: the
// workbook itself is no text.
func openSheet(file io.ReaderAt, size int64, cut Cut, from Position) (*Reader, error) {
	source, err := table.OpenPlain(file, size, cut.Sheet, limits())
	if err != nil {
		return nil, err
	}
	s := &sheetRows{source: source}
	r := &Reader{next: s.next, close: source.Close}
	if err := s.pass(cut.Skip); err != nil {
		return nil, closing(source, err)
	}
	first, err := s.next()
	switch {
	case err == io.EOF:
		return r, nil
	case err != nil:
		return nil, closing(source, err)
	case cut.Header:
		r.header = names(first.Cells)
	default:
		r.header, s.pending = letters(len(first.Cells)), []Row{first}
	}
	return r, closingUnlessNil(source, s.pass(from.Line))
}

func closing(source *table.Source, err error) error {
	if closed := source.Close(); closed != nil {
		return fmt.Errorf("%w; close the workbook: %w", err, closed)
	}
	return err
}

func closingUnlessNil(source *table.Source, err error) error {
	if err == nil {
		return nil
	}
	return closing(source, err)
}

type sheetRows struct {
	source  *table.Source
	pending []Row
}

// pass reads past the rows up to a line.
func (s *sheetRows) pass(upTo int) error {
	s.pending = slices.DeleteFunc(s.pending, func(r Row) bool { return r.Line <= upTo })
	for upTo > 0 && len(s.pending) == 0 {
		row, err := s.next()
		if err != nil {
			return unlessEOF(err)
		}
		if row.Line > upTo {
			s.pending = []Row{row}
		}
	}
	return nil
}

func (s *sheetRows) next() (Row, error) {
	if len(s.pending) > 0 {
		row := s.pending[0]
		s.pending = s.pending[1:]
		return row, nil
	}
	from, err := s.source.Next()
	if err != nil {
		return Row{}, err
	}
	raw, err := json.Marshal(from.Cells)
	if err != nil {
		return Row{}, fmt.Errorf("write the cells of a row: %w", err)
	}
	row := Row{Line: from.Line, Raw: raw[:min(len(raw), traces.MaxRaw)], Length: len(raw), Cells: from.Cells, After: Position{Line: from.Line}, Whole: true, Problem: from.Problem}
	if len(raw) > traces.MaxRaw && row.Problem == nil {
		row.Problem = fault.New(fault.Invalid, "traces.columns.row.long", "most", maxLine>>20)
	}
	return row, nil
}
