package table

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"tocsin/internal/fault"
)

// scientific is how a sheet shows a phone number in a narrow column; the cell
// itself may still hold all the digits.
var scientific = regexp.MustCompile(`^-?\d(?:[.,]\d+)?[eE]\+?\d+$`)

// xlsxRows reads a sheet as a stream. Cells are what the author sees (a format
// that shows the leading zeros keeps them, dates are written 2026-01-31), but
// for numbers shown as 6.12E+08, which a second stream reads as stored.
type xlsxRows struct {
	book   *excelize.File
	sheet  string
	rows   *excelize.Rows
	line   int
	stored *excelize.Rows // opened at the first need
	at     int            // line of stored
	asKept []string       // the cells of that line as stored
	limits Limits
}

func openXLSX(r io.ReaderAt, size int64, sheet string, limits Limits) (source *Source, err error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "table.broken")
	}
	if err := checkZip(z, limits); err != nil {
		return nil, err
	}
	book, err := openBook(r, size, limits)
	if err != nil {
		return nil, err
	}
	format, err := chooseSheet(book, sheet, limits)
	if err == nil {
		source, err = openRows(book, format, limits)
	}
	if err != nil {
		return nil, errors.Join(err, book.Close())
	}
	return source, nil
}

// openBook guards against a library that panics on files it did not expect: a
// bad file is the person's problem, not the program's.
func openBook(r io.ReaderAt, size int64, limits Limits) (book *excelize.File, err error) {
	defer rescue(&err)
	book, err = excelize.OpenReader(io.NewSectionReader(r, 0, size), excelize.Options{
		UnzipSizeLimit:   limits.MaxUncompressed,
		ShortDatePattern: "yyyy-mm-dd",
		LongDatePattern:  "yyyy-mm-dd",
		LongTimePattern:  "hh:mm:ss",
	})
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "table.broken")
	}
	return book, nil
}

func rescue(err *error) {
	if trouble := recover(); trouble != nil {
		*err = fault.Wrap(fmt.Errorf("excelize: %v", trouble), fault.Invalid, "table.broken")
	}
}

// chooseSheet takes the sheet asked for, or the first visible one with a
// header, or the first visible one that is not empty.
func chooseSheet(book *excelize.File, wanted string, limits Limits) (Format, error) {
	format := Format{Kind: "xlsx"}
	for _, name := range book.GetSheetList() {
		visible, err := book.GetSheetVisible(name)
		if err != nil {
			return format, fault.Wrap(err, fault.Invalid, "table.broken")
		}
		if visible {
			format.Sheets = append(format.Sheets, name)
		} else {
			format.Hidden = append(format.Hidden, name)
		}
	}
	if wanted != "" {
		if !slices.Contains(format.Sheets, wanted) && !slices.Contains(format.Hidden, wanted) {
			return format, fault.New(fault.NotFound, "table.no_sheet", "sheet", wanted)
		}
		format.Sheet = wanted
		return format, nil
	}
	fallback := ""
	for _, name := range format.Sheets[:min(len(format.Sheets), 20)] {
		sample, err := peekSheet(book, name, limits)
		if err != nil || len(sample) == 0 {
			continue // openRows will say it if no better sheet turns up
		}
		if at, ok := findHeader(sample); ok && knownWords(sample[at].Cells) >= 2 {
			format.Sheet = name
			return format, nil
		}
		if fallback == "" {
			fallback = name
		}
	}
	if format.Sheet = fallback; fallback == "" {
		return format, fault.New(fault.Invalid, "table.empty")
	}
	return format, nil
}

func peekSheet(book *excelize.File, name string, limits Limits) (sample []Row, err error) {
	rows, err := book.Rows(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	x := &xlsxRows{book: book, sheet: name, rows: rows, limits: limits}
	for len(sample) < headerSample {
		row, err := x.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		sample = append(sample, row)
	}
	return sample, nil
}

func openRows(book *excelize.File, format Format, limits Limits) (*Source, error) {
	rows, err := book.Rows(format.Sheet)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "table.broken")
	}
	return newSource(&xlsxRows{book: book, sheet: format.Sheet, rows: rows, limits: limits}, format, limits)
}

func (x *xlsxRows) close() error {
	err := x.rows.Close()
	if x.stored != nil {
		err = errors.Join(err, x.stored.Close())
	}
	return errors.Join(err, x.book.Close())
}

// next gives the next row that holds something.
func (x *xlsxRows) next() (row Row, err error) {
	defer rescue(&err)
	for x.rows.Next() {
		x.line++
		cells, err := x.rows.Columns()
		if err != nil {
			return Row{Line: x.line, Raw: joined(cells), Problem: fault.Wrap(err, fault.Invalid, "table.row.unreadable")}, nil
		}
		row := x.row(cells)
		if row.Problem != nil || !blank(row.Cells) {
			return row, nil
		}
	}
	if err := x.rows.Error(); err != nil {
		return Row{}, fault.Wrap(err, fault.Invalid, "table.broken")
	}
	return Row{}, io.EOF
}

func (x *xlsxRows) row(cells []string) Row {
	row := Row{Line: x.line, Cells: cells}
	size := 0
	for i, c := range cells {
		size += len(c)
		if strings.ContainsAny(c, "eE") && scientific.MatchString(c) {
			c = x.asStored(i, c)
		}
		cells[i] = tidy(c)
		if row.Problem == nil && isFormulaError(cells[i]) {
			row.Problem = fault.New(fault.Invalid, "table.row.formula_error", "column", letter(i))
		}
	}
	switch {
	case size > x.limits.MaxRowBytes:
		row.Problem = fault.New(fault.Invalid, "table.row.too_long", "limit", x.limits.MaxRowBytes>>10)
	case filledWidth(cells) > x.limits.MaxColumns:
		row.Problem = fault.New(fault.Invalid, "table.row.too_many_columns", "limit", x.limits.MaxColumns)
	}
	if row.Problem != nil {
		row.Raw = joined(cells)
	}
	row.Cells = cells[:min(len(cells), x.limits.MaxColumns)]
	return row
}

// asStored reads the same cell in the second stream, which only moves forward.
func (x *xlsxRows) asStored(column int, shown string) string {
	if x.stored == nil {
		rows, err := x.book.Rows(x.sheet)
		if err != nil {
			return shown
		}
		x.stored = rows
	}
	if x.at < x.line {
		for x.at < x.line && x.stored.Next() {
			x.at++
		}
		cells, err := x.stored.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return shown
		}
		x.asKept = cells
	}
	if column >= len(x.asKept) {
		return shown
	}
	return x.asKept[column]
}

func filledWidth(cells []string) int {
	n := len(cells)
	for n > 0 && cells[n-1] == "" {
		n--
	}
	return n
}

func isFormulaError(cell string) bool {
	switch cell {
	case "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!":
		return true
	}
	return false
}
