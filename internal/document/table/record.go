package table

import (
	"strings"

	"tocsin/internal/fault"
)

// A quoted cell that runs over more lines or bytes than this was never closed:
// without the bound, one stray quote would swallow the rest of the file.
const (
	maxQuotedLines = 60
	maxQuotedBytes = 32 << 10
)

// recordReader assembles records from physical lines.
type recordReader struct {
	lines     *lineReader
	delimiter byte
	limits    Limits
}

// next reads one record; a record that cannot be read comes with its Problem,
// and the reading resumes on the line after it.
func (r *recordReader) next() (Row, error) {
	first, err := r.lines.next()
	if err != nil {
		return Row{}, err
	}
	row := Row{Line: first.number}
	doubtful := first.doubtful
	var s splitter
	s.delimiter = r.delimiter
	s.feed(first.text)
	raw := first.text
	if s.open {
		var more []line
		raw, more, err = r.follow(&s, raw)
		if err != nil {
			return Row{}, err
		}
		for _, l := range more {
			doubtful = doubtful || l.doubtful
		}
	}
	row.Cells = s.cells
	switch {
	case s.open: // never closed: this line is read without its quotes
		row.Cells = strings.Split(first.text, string(r.delimiter))
		row.Problem = fault.New(fault.Invalid, "table.row.unclosed_quote")
		raw = first.text
	case first.cut || len(raw) > r.limits.MaxRowBytes:
		row.Problem = fault.New(fault.Invalid, "table.row.too_long", "limit", r.limits.MaxRowBytes>>10)
	case len(row.Cells) > r.limits.MaxColumns:
		row.Problem = fault.New(fault.Invalid, "table.row.too_many_columns", "limit", r.limits.MaxColumns)
	case doubtful:
		row.Problem = fault.New(fault.Invalid, "table.row.encoding")
	}
	if len(row.Cells) > r.limits.MaxColumns {
		row.Cells = row.Cells[:r.limits.MaxColumns]
	}
	for i, c := range row.Cells {
		row.Cells[i] = tidy(c)
	}
	if row.Problem != nil {
		row.Raw = raw
	}
	return row, nil
}

// follow goes on reading lines while a quoted cell is open. When it does not
// close, the lines go back.
func (r *recordReader) follow(s *splitter, raw string) (string, []line, error) {
	var taken []line
	size := len(raw)
	for s.open {
		l, err := r.lines.next()
		if err != nil || len(taken) >= maxQuotedLines || size > maxQuotedBytes {
			if err == nil {
				taken = append(taken, l)
			}
			r.lines.unread(taken)
			if len(taken) > 0 || isEOF(err) {
				return raw, nil, nil
			}
			return raw, nil, err
		}
		taken = append(taken, l)
		size += len(l.text) + 1
		if !s.resume(l.text) {
			r.lines.unread(taken)
			s.open = true
			return raw, nil, nil
		}
	}
	var b strings.Builder
	b.WriteString(raw)
	for _, l := range taken {
		b.WriteByte('\n')
		b.WriteString(l.text)
	}
	return b.String(), taken, nil
}

// splitter cuts the text of a record into cells. A quote opens a quoted cell
// only at its beginning; inside, a quote that is neither doubled nor followed by
// a delimiter is taken as written ("Dr "House""), unless the cell already runs
// over several lines: then the quote that opened it was a stray one.
type splitter struct {
	delimiter byte
	cells     []string
	open      bool // inside a quoted cell at the end of the text
	quoted    strings.Builder
}

func (s *splitter) feed(text string) { s.scan(text, 0) }

// resume goes on with the next line of an open quoted cell; false when the
// quotes no longer make sense.
func (s *splitter) resume(text string) bool {
	s.quoted.WriteByte('\n')
	at, ok := s.quote(text, 0, true)
	if !ok {
		return false
	}
	if !s.open {
		s.scan(text, at)
	}
	return true
}

// scan reads cells from position at, which is the beginning of a cell, or the
// end of the text after a cell.
func (s *splitter) scan(text string, at int) {
	for at <= len(text) {
		start := at
		for start < len(text) && text[start] == ' ' && s.delimiter != ' ' {
			start++
		}
		if start < len(text) && text[start] == '"' {
			s.quoted.Reset()
			at, _ = s.quote(text, start+1, false)
			if s.open {
				return
			}
			continue
		}
		end := strings.IndexByte(text[at:], s.delimiter)
		if end < 0 {
			s.cells = append(s.cells, text[at:])
			return
		}
		s.cells = append(s.cells, text[at:at+end])
		at += end + 1
	}
}

// quote reads a quoted cell from at, after its opening quote. It returns the
// beginning of the next cell, or len(text)+1 after the last.
func (s *splitter) quote(text string, at int, strict bool) (int, bool) {
	s.open = true
	loose := false // a bare quote was met in this cell
	for {
		i := strings.IndexByte(text[at:], '"')
		if i < 0 {
			s.quoted.WriteString(text[at:])
			return len(text), true
		}
		s.quoted.WriteString(text[at : at+i])
		at += i + 1
		if at < len(text) && text[at] == '"' {
			s.quoted.WriteByte('"')
			at++
			if _, ends := s.cellEnds(text, at); !loose || !ends {
				continue
			}
			// "Dr "House"": after a bare quote, the second of the two closes the cell
		}
		if after, ends := s.cellEnds(text, at); ends {
			s.cells = append(s.cells, s.quoted.String())
			s.open = false
			return after + 1, true
		}
		if strict {
			return at, false
		}
		s.quoted.WriteByte('"')
		loose = true
	}
}

// cellEnds tells whether only spaces separate at from a delimiter or the end.
func (s *splitter) cellEnds(text string, at int) (after int, ends bool) {
	for at < len(text) && text[at] == ' ' {
		at++
	}
	return at, at == len(text) || text[at] == s.delimiter
}

// tidy trims a cell, takes off the apostrophe that makes a formula harmless
// (document/xlsx writes it), and undoes ="0612", the way Excel users keep zeros
// in CSV.
func tidy(cell string) string {
	cell = strings.TrimSpace(cell)
	if len(cell) >= 2 && cell[0] == '\'' && strings.IndexByte("=+-@\t\r\n", cell[1]) >= 0 {
		return strings.TrimSpace(cell[1:])
	}
	if len(cell) >= 3 && cell[0] == '=' && cell[1] == '"' && cell[len(cell)-1] == '"' {
		return strings.TrimSpace(cell[2 : len(cell)-1])
	}
	return cell
}
