package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Type is how the cells of a column are stored and shown.
type Type int

// The types of column.
const (
	Text     Type = iota // stored as text whatever it looks like: 0612345678 keeps its zero
	Number               // integers and decimals
	Date                 // time.Time, shown 31/12/2026
	DateTime             // time.Time, shown 31/12/2026 23:59:00
	Percent              // 0.5 is shown 50 %
)

// Column describes one column of a sheet.
type Column struct {
	Title string
	Type  Type
	// Width is in characters; zero gives 18.
	Width float64
}

// Meta goes to the properties of the file.
type Meta struct {
	Title    string
	Author   string
	Language string // "fr", "en"
	// At is the date of creation; the same Meta and rows give the same bytes.
	At time.Time
}

// Book is a workbook being written; Close frees it.
type Book struct {
	file   *excelize.File
	names  map[string]bool
	sheets []*Sheet
	header int
	styles map[Type]int
}

// New starts a workbook.
func New(meta Meta) (*Book, error) {
	b := &Book{file: excelize.NewFile(), names: map[string]bool{}, styles: map[Type]int{}}
	at := meta.At.UTC().Format(time.RFC3339)
	err := b.file.SetDocProps(&excelize.DocProperties{
		Title: meta.Title, Creator: meta.Author, LastModifiedBy: meta.Author, Language: meta.Language, Created: at, Modified: at,
	})
	if err == nil {
		err = b.style()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start workbook: %w", err), b.file.Close())
	}
	return b, nil
}

// style prepares the look of the header and of each type.
func (b *Book) style() error {
	header, err := b.file.NewStyle(&excelize.Style{
		Font:      &excelize.Font{Bold: true, Color: "FFFFFF"},
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"1F3A5F"}},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true},
	})
	if err != nil {
		return err
	}
	b.header = header
	for _, f := range []struct {
		kind   Type
		format string
	}{{Text, "@"}, {Number, "General"}, {Date, "dd/mm/yyyy"}, {DateTime, "dd/mm/yyyy hh:mm:ss"}, {Percent, "0.0%"}} {
		format := f.format
		id, err := b.file.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			return err
		}
		b.styles[f.kind] = id
	}
	return nil
}

// Sheet starts a sheet; the name is made acceptable and unique. Rows go to a
// sheet until the next one starts.
func (b *Book) Sheet(name string, columns []Column) (*Sheet, error) {
	name = b.acceptable(name)
	if len(b.sheets) == 0 {
		if err := b.file.SetSheetName("Sheet1", name); err != nil {
			return nil, fmt.Errorf("sheet %s: %w", name, err)
		}
	} else if _, err := b.file.NewSheet(name); err != nil {
		return nil, fmt.Errorf("sheet %s: %w", name, err)
	}
	w, err := b.file.NewStreamWriter(name)
	if err != nil {
		return nil, fmt.Errorf("sheet %s: %w", name, err)
	}
	s := &Sheet{book: b, name: name, columns: columns, out: w, rows: 1}
	if err := s.start(); err != nil {
		return nil, fmt.Errorf("sheet %s: %w", name, err)
	}
	b.sheets = append(b.sheets, s)
	return s, nil
}

// acceptable follows the rules of Excel: 31 characters, none of []:*?/\, unique.
func (b *Book) acceptable(name string) string {
	name = strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) || r < 0x20 {
			return ' '
		}
		return r
	}, name), " '")
	if name == "" {
		name = "1"
	}
	base := name
	for i := 2; ; i++ {
		name = cutTo(base, 31)
		if i > 2 {
			suffix := fmt.Sprintf(" (%d)", i-1)
			name = cutTo(base, 31-len(suffix)) + suffix
		}
		if key := strings.ToLower(name); !b.names[key] {
			b.names[key] = true
			return name
		}
	}
}

// cutTo counts twice what UTF-16 counts twice.
func cutTo(s string, units int) string {
	for i, r := range s {
		if units--; r > 0xFFFF {
			units--
		}
		if units < 0 {
			return strings.TrimRight(s[:i], " '")
		}
	}
	return s
}

// Write ends the sheets and writes the workbook.
func (b *Book) Write(w io.Writer) error {
	for _, s := range b.sheets {
		if err := s.end(); err != nil {
			return fmt.Errorf("sheet %s: %w", s.name, err)
		}
	}
	b.file.SetActiveSheet(0)
	packed, err := b.file.WriteToBuffer()
	if err == nil {
		err = inOrder(w, packed.Bytes())
	}
	if err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return nil
}

// inOrder copies a zip with its parts sorted, the list of contents first: the
// library writes them in the order of a map.
func inOrder(w io.Writer, packed []byte) error {
	in, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return err
	}
	slices.SortFunc(in.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	out := zip.NewWriter(w)
	for _, f := range in.File {
		if err := out.Copy(f); err != nil {
			return err
		}
	}
	return out.Close()
}

// Close frees the temporary files of a large workbook.
func (b *Book) Close() error { return b.file.Close() }

// Sheet receives rows.
type Sheet struct {
	book    *Book
	name    string
	columns []Column
	out     *excelize.StreamWriter
	rows    int
}

// start writes what a stream wants first: widths, frozen header, titles.
func (s *Sheet) start() error {
	for i, c := range s.columns {
		width := c.Width
		if width == 0 {
			width = max(18, float64(utf8.RuneCountInString(c.Title)+4))
		}
		if err := s.out.SetColWidth(i+1, i+1, min(width, 255)); err != nil {
			return err
		}
	}
	if err := s.out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	titles := make([]any, len(s.columns))
	for i, c := range s.columns {
		titles[i] = excelize.Cell{StyleID: s.book.header, Value: Escape(legal(c.Title))}
	}
	return s.out.SetRow("A1", titles, excelize.RowOpts{Height: 24})
}

// Row writes one row: string, int, int64, float64, bool, time.Time or nil, as
// many as there are columns. A zero time is an empty cell.
func (s *Sheet) Row(values ...any) error {
	if len(values) > len(s.columns) {
		return fmt.Errorf("sheet %s: %d values for %d columns", s.name, len(values), len(s.columns))
	}
	cells := make([]any, len(values))
	for i, v := range values {
		cells[i] = excelize.Cell{StyleID: s.book.styles[s.columns[i].Type], Value: cellValue(v)}
	}
	s.rows++
	cell, err := excelize.CoordinatesToCellName(1, s.rows)
	if err != nil {
		return err
	}
	return s.out.SetRow(cell, cells)
}

func cellValue(v any) any {
	switch x := v.(type) {
	case string:
		if x == "" {
			return nil
		}
		return Escape(legal(x))
	case time.Time:
		if x.IsZero() {
			return nil
		}
		return x
	case fmt.Stringer:
		return Escape(legal(x.String()))
	}
	return v
}

// end adds the filter, whose range must be known, and flushes.
func (s *Sheet) end() error {
	if len(s.columns) > 0 {
		last, err := excelize.CoordinatesToCellName(len(s.columns), s.rows)
		if err != nil {
			return err
		}
		if err := s.book.file.AutoFilter(s.name, "A1:"+last, nil); err != nil {
			return err
		}
	}
	return s.out.Flush()
}
