package assist

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"tocsin/internal/document/table"
	"tocsin/internal/i18n"
)

// rawLimit is how much is kept of the text of a row that cannot be read.
const rawLimit = 4_000

// Problem is what a person should know of a row: an error keeps the row out, a
// warning does not.
type Problem struct {
	// Column is the name in the header; empty when the whole row is meant.
	Column string `json:"column,omitempty"`
	// Key and Args make the sentence: loc.T(Key, Args...).
	Key   string `json:"key"`
	Args  []any  `json:"args,omitempty"`
	Error bool   `json:"error,omitempty"`
}

// Sentence is what the problem says to a person.
func (p Problem) Sentence(loc *i18n.Localizer) string { return loc.T(p.Key, p.Args...) }

// Kept is a row of a table as the database keeps it until the import ends: all
// texts, so that any room keeps them in a table of its own.
type Kept struct {
	// Cells is a JSON list, Problem a Problem in JSON, empty for none, Raw the
	// text of a row that cannot be read.
	Cells, Problem, Raw string
}

// Keep makes a row ready to be kept.
func Keep(row table.Row) (Kept, error) {
	cells, err := json.Marshal(row.Cells)
	if err != nil {
		return Kept{}, err
	}
	out := Kept{Cells: Clean(string(cells)), Raw: Clean(row.Raw[:min(len(row.Raw), rawLimit)])}
	if row.Problem != nil {
		b, err := json.Marshal(Problem{Key: row.Problem.Key, Args: row.Problem.Args, Error: true})
		if err != nil {
			return Kept{}, err
		}
		out.Problem = string(b)
	}
	return out, nil
}

// Values gives the cells of a kept row.
func (k Kept) Values() (cells []string, err error) {
	err = json.Unmarshal([]byte(k.Cells), &cells)
	return cells, err
}

// Trouble gives the problem with which a row was kept; found is false when it could be read.
func (k Kept) Trouble() (p Problem, found bool) {
	if k.Problem == "" {
		return p, false
	}
	if err := json.Unmarshal([]byte(k.Problem), &p); err != nil {
		p = Problem{Key: "table.row.unreadable", Error: true}
	}
	return p, true
}

// Clean takes away what PostgreSQL refuses in a text: NUL and broken UTF-8.
func Clean(s string) string {
	out := make([]rune, 0, len(s))
	dirty := false
	for _, r := range s {
		if r == 0 || r == '\uFFFD' {
			dirty = true
			continue
		}
		out = append(out, r)
	}
	if !dirty {
		return s
	}
	return string(out)
}

// Harmless keeps a spreadsheet from running a cell as a formula (OWASP, CSV
// injection). A number written +33… is no formula.
func Harmless(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if cell[0] == '+' && strings.Trim(cell[1:], "0123456789 ().-") == "" {
		return cell
	}
	return "'" + cell
}

// Harmed takes the apostrophe of Harmless off again.
func Harmed(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && Harmless(cell[1:]) == cell {
		return cell[1:]
	}
	return cell
}

// Refused writes as CSV the rows that an import keeps out, as they were in the
// file, with the line and the reason first. Spreadsheets open it in French.
type Refused struct {
	out *csv.Writer
	loc *i18n.Localizer
}

// NewRefused starts the file; line and reason are the titles of the first two columns.
func NewRefused(w io.Writer, loc *i18n.Localizer, line, reason string, header []string) (*Refused, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil { // Excel reads UTF-8 only with this mark
		return nil, err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	return &Refused{out, loc}, out.Write(append([]string{line, reason}, header...))
}

// Row writes one row with the sentences of its errors.
func (r *Refused) Row(line int, kept Kept, problems []Problem) error {
	var reasons []string
	for _, p := range problems {
		if p.Error {
			reasons = append(reasons, p.Sentence(r.loc))
		}
	}
	record := []string{strconv.Itoa(line), strings.Join(reasons, " ")}
	if kept.Raw != "" {
		return r.out.Write(append(record, Harmless(kept.Raw)))
	}
	values, err := kept.Values()
	if err != nil {
		return err
	}
	for _, v := range values {
		record = append(record, Harmless(v))
	}
	return r.out.Write(record)
}

// Flush writes what is left and returns the first error met.
func (r *Refused) Flush() error {
	r.out.Flush()
	return r.out.Error()
}
