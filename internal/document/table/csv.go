package table

import (
	"errors"
	"io"
	"strings"

	"tocsin/internal/fault"
)

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// csvRows is a CSV file as a reader of rows, blank ones left out.
type csvRows struct{ records *recordReader }

func (c csvRows) next() (Row, error) {
	for {
		row, err := c.records.next()
		if err != nil {
			if isEOF(err) {
				return Row{}, io.EOF
			}
			return Row{}, fault.Wrap(err, fault.Invalid, "table.broken")
		}
		if row.Problem != nil || !blank(row.Cells) {
			return row, nil
		}
	}
}

func (csvRows) close() error { return nil }

func openCSV(r io.ReaderAt, size int64, limits Limits) (*Source, error) {
	encoding, skip, err := guessEncoding(r, size)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "table.broken")
	}
	sample, err := firstLines(decoded(r, size, skip, encoding), encoding, limits.MaxRowBytes)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "table.broken")
	}
	delimiter, declared := guessDelimiter(sample, limits)
	lines := newLineReader(decoded(r, size, skip, encoding), encoding, limits.MaxRowBytes)
	if declared { // the "sep=;" line belongs to Excel, not to the table
		if _, err := lines.next(); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "table.broken")
		}
	}
	format := Format{Kind: "csv", Encoding: encoding, Delimiter: string(delimiter)}
	return newSource(csvRows{&recordReader{lines: lines, delimiter: delimiter, limits: limits}}, format, limits)
}

// firstLines gives enough of the file to guess its delimiter.
func firstLines(r io.Reader, encoding string, limit int) ([]string, error) {
	const count, size = 200, 128 << 10
	lines := newLineReader(r, encoding, limit)
	var out []string
	for total := 0; len(out) < count && total < size; {
		l, err := lines.next()
		if isEOF(err) {
			break
		}
		if err != nil {
			return nil, err
		}
		out = append(out, l.text)
		total += len(l.text)
	}
	return out, nil
}

// guessDelimiter tries each delimiter on the first records and keeps the one
// that gives the most regular table, then the widest. declared is true when the
// first line says it, the way Excel does.
func guessDelimiter(sample []string, limits Limits) (delimiter byte, declared bool) {
	if len(sample) > 0 {
		if rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(sample[0])), "sep="); ok && len(rest) == 1 {
			return rest[0], true
		}
		if strings.EqualFold(strings.Trim(sample[0], "\r\n "), "sep=\t") {
			return '\t', true
		}
	}
	text := strings.Join(sample, "\n")
	best, score := byte(';'), 0.0
	for _, candidate := range []byte{';', '\t', ',', '|'} {
		if s := regularity(text, candidate, limits); s > score {
			best, score = candidate, s
		}
	}
	return best, false
}

// regularity is the share of the records that have the most frequent number of
// cells, with a little more for wider tables; zero when there is one column.
func regularity(text string, delimiter byte, limits Limits) float64 {
	r := &recordReader{lines: newLineReader(strings.NewReader(text), utf8Name, limits.MaxRowBytes), delimiter: delimiter, limits: limits}
	widths := map[int]int{}
	records, cut := 0, 0
	for {
		row, err := r.next()
		if err != nil {
			break
		}
		if blank(row.Cells) {
			continue
		}
		records++
		if len(row.Cells) > 1 {
			cut++
		}
		widths[len(row.Cells)]++
	}
	best := 0.0
	if cut*3 < records { // a comma here and there in a list of names
		return 0
	}
	for width, count := range widths {
		if width > 1 {
			best = max(best, float64(count)/float64(records)+float64(min(width, 40))/100)
		}
	}
	return best
}
