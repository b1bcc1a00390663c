package columns

import (
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"tocsin/internal/fault"
)

// lineRows are the rows of a file of lines.
type lineRows struct {
	lines   *lines
	cut     Cut
	line    int      // the last physical line read
	after   Position // the boundary after the last row given
	pending []Row
}

// header reads past what stands above the rows, and gives the names of columns.
func (l *lineRows) header() ([]string, error) {
	for range l.cut.Skip {
		one, err := l.lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		l.line++
		l.after = Position{one.end, l.line}
	}
	if l.cut.Kind == Fixed {
		names := make([]string, len(l.cut.Fields))
		for i, f := range l.cut.Fields {
			names[i] = f.Name
		}
		if l.cut.Header {
			return names, unlessEOF(l.pass())
		}
		return names, nil
	}
	row, err := l.next()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !l.cut.Header {
		l.pending, l.after = []Row{row}, Position{}
		return letters(len(row.Cells)), nil
	}
	return names(row.Cells), nil
}

// pass reads one row for nothing.
func (l *lineRows) pass() error {
	_, err := l.next()
	return err
}

func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// next gives the next row that is not blank.
func (l *lineRows) next() (Row, error) {
	if len(l.pending) > 0 {
		row := l.pending[0]
		l.pending = l.pending[1:]
		l.after = row.After
		return row, nil
	}
	for {
		row, err := l.read()
		if err != nil {
			return row, err
		}
		l.after = row.After
		if row.Problem != nil || slices.ContainsFunc(row.Cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			return row, nil
		}
	}
}

// read gives the next row, blank or not.
func (l *lineRows) read() (Row, error) {
	first, err := l.lines.next()
	if err != nil {
		return Row{}, err
	}
	l.line++
	row := Row{Line: l.line, Raw: first.raw, Length: first.length, After: Position{first.end, l.line}, Whole: first.ended}
	if first.length > len(first.raw) {
		row.Problem = fault.New(fault.Invalid, "traces.columns.row.long", "most", maxLine>>20)
		return row, nil
	}
	text := decode(first.raw, l.cut.Encoding)
	if l.cut.Kind == Fixed {
		row.Cells = l.slice(text)
		return row, nil
	}
	if row.Cells, err = l.cells(&row, text); err != nil {
		return row, err
	}
	if len(row.Cells) > MaxColumns {
		row.Problem = fault.New(fault.Invalid, "traces.columns.row.wide", "count", len(row.Cells), "most", MaxColumns)
	}
	return row, nil
}

// slice cuts a line of fixed width; what it is too short for is empty.
func (l *lineRows) slice(text string) []string {
	out := make([]string, len(l.cut.Fields))
	ascii := isASCII([]byte(text))
	var runes []rune
	if !ascii {
		runes = []rune(text)
	}
	for i, f := range l.cut.Fields {
		switch {
		case ascii && f.From <= len(text):
			out[i] = strings.TrimSpace(text[f.From-1 : min(f.To, len(text))])
		case !ascii && f.From <= len(runes):
			out[i] = strings.TrimSpace(string(runes[f.From-1 : min(f.To, len(runes))]))
		}
	}
	return out
}

// Bounds of one row whose cells hold ends of lines.
const (
	joinedLines = 500
	joinedBytes = 256 << 10
)

// cells cuts a row of CSV, which goes on over the lines that a cell in quotes
// holds. Quotes that never close are a fault of the first line alone: the lines
// after it are read again.
func (l *lineRows) cells(row *Row, text string) ([]string, error) {
	cells, open := split(text, l.cut.Delimiter[0], !l.cut.NoQuote)
	if !open {
		return cells, nil
	}
	var taken []line
	raw, whole := slices.Clone(row.Raw), row.Whole
	all := text
	for open && len(taken) < joinedLines && len(raw) < joinedBytes && whole {
		more, err := l.lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		taken = append(taken, more)
		raw = append(append(raw, newline(l.cut.Encoding)...), more.raw...)
		whole = more.ended
		part := decode(more.raw, l.cut.Encoding)
		all += "\n" + part
		if strings.Contains(part, `"`) {
			cells, open = split(all, l.cut.Delimiter[0], true)
		}
	}
	if open {
		l.lines.unread(taken)
		row.Problem = fault.New(fault.Invalid, "traces.columns.row.quote")
		return cells[:0], nil
	}
	last := taken[len(taken)-1]
	l.line += len(taken)
	row.Raw, row.Length, row.Whole, row.After = raw, len(raw), whole, Position{last.end, l.line}
	return cells, nil
}

func newline(encoding string) []byte {
	switch encoding {
	case littleName:
		return []byte{'\n', 0}
	case bigName:
		return []byte{0, '\n'}
	}
	return []byte{'\n'}
}

// split cuts a text at a delimiter. A cell that begins by a quote ends at the
// quote that a delimiter or the end follows; two quotes inside are one. open
// tells that a quote was not closed.
func split(text string, delimiter byte, quotes bool) (cells []string, open bool) {
	for {
		if quotes && strings.HasPrefix(strings.TrimLeft(text, " "), `"`) {
			cell, rest, more, closed := quoted(strings.TrimLeft(text, " ")[1:], delimiter)
			cells = append(cells, cell)
			if !closed {
				return cells, true
			}
			if !more {
				return cells, false
			}
			text = rest
			continue
		}
		i := strings.IndexByte(text, delimiter)
		if i < 0 {
			return append(cells, strings.TrimSpace(text)), false
		}
		cells = append(cells, strings.TrimSpace(text[:i]))
		text = text[i+1:]
	}
}

// quoted reads a cell after its opening quote.
func quoted(text string, delimiter byte) (cell, rest string, more, closed bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			b.WriteString(text)
			return strings.TrimSpace(b.String()), "", false, false
		}
		b.WriteString(text[:i])
		after := text[i+1:]
		blank := strings.TrimLeft(after, " ")
		switch {
		case strings.HasPrefix(after, `"`):
			b.WriteByte('"')
			text = after[1:]
		case blank == "":
			return strings.TrimSpace(b.String()), "", false, true
		case blank[0] == delimiter:
			return strings.TrimSpace(b.String()), blank[1:], true, true
		default: // a quote in the middle of a cell, which some programs leave alone
			b.WriteByte('"')
			text = after
		}
	}
}

// names makes the names of columns from the cells of a header: single blanks,
// each one different, none empty.
func names(cells []string) []string {
	seen := map[string]int{}
	out := make([]string, len(cells))
	for i, c := range cells {
		name := strings.Join(strings.Fields(c), " ")
		if utf8.RuneCountInString(name) > maxName {
			name = string([]rune(name)[:maxName])
		}
		if name == "" {
			name = letter(i)
		}
		for seen[name]++; seen[name] > 1; seen[name]++ {
			name += " (2)"
		}
		out[i] = name
	}
	return out
}

// letters names columns as a spreadsheet does.
func letters(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = letter(i)
	}
	return out
}

func letter(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}
