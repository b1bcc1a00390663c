package xlsx

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// CSVOptions say how a CSV file is written. The zero value suits a French
// spreadsheet program: semicolons, UTF-8 with its mark, decimal comma, formulas
// made harmless.
type CSVOptions struct {
	Delimiter    rune // ';' when zero
	NoBOM        bool
	DecimalPoint bool
	// Raw leaves the cells as they are: for programs, never for people.
	Raw bool
}

// CSV writes rows; Flush ends the file.
type CSV struct {
	out *csv.Writer
	opt CSVOptions
}

// NewCSV starts a CSV file on w.
func NewCSV(w io.Writer, opt CSVOptions) (*CSV, error) {
	if !opt.NoBOM {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return nil, fmt.Errorf("start csv: %w", err)
		}
	}
	if opt.Delimiter == 0 {
		opt.Delimiter = ';'
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = opt.Delimiter, true
	return &CSV{out: out, opt: opt}, nil
}

// Row writes one row of the same values as Sheet.Row. Dates are written
// 2026-12-31, instants 2026-12-31 23:59:00 in the zone of the value.
func (c *CSV) Row(values ...any) error {
	record := make([]string, len(values))
	for i, v := range values {
		record[i] = c.text(v)
	}
	return c.out.Write(record)
}

// Flush writes what is left and returns the first error met.
func (c *CSV) Flush() error {
	c.out.Flush()
	return c.out.Error()
}

func (c *CSV) text(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return c.safe(x)
	case int:
		return strconv.Itoa(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		s := strconv.FormatFloat(x, 'f', -1, 64)
		if !c.opt.DecimalPoint {
			s = strings.Replace(s, ".", ",", 1)
		}
		return s
	case time.Time:
		if x.IsZero() {
			return ""
		}
		if h, m, s := x.Clock(); h == 0 && m == 0 && s == 0 {
			return x.Format(time.DateOnly)
		}
		return x.Format(time.DateTime)
	}
	return c.safe(fmt.Sprint(v))
}

func (c *CSV) safe(s string) string {
	if c.opt.Raw {
		return s
	}
	return Escape(legal(s))
}
