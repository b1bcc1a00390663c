package columns

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// The kinds of file.
const (
	CSV   = "csv"
	XLSX  = "xlsx"
	Fixed = "fixed"
	// Table is no file: the rows of a database, which come already cut.
	Table = "table"
)

// Cut tells how a file is cut into rows and columns.
type Cut struct {
	Kind string `json:"kind"`
	// Delimiter is one character, "\t" for a tabulation; NoQuote tells that
	// quotes are letters like others.
	Delimiter string `json:"delimiter,omitempty"`
	NoQuote   bool   `json:"no_quote,omitempty"`
	Encoding  string `json:"encoding,omitempty"`
	// Sheet is the sheet of a workbook; empty: the first that is seen.
	Sheet string `json:"sheet,omitempty"`
	// Header tells that a row names the columns, after Skip lines.
	Header bool `json:"header,omitempty"`
	Skip   int  `json:"skip,omitempty"`
	// Fields are the columns of a file of fixed width.
	Fields []Field `json:"fields,omitempty"`
}

// Field is a column of fixed width: characters From to To, from 1, both in it.
type Field struct {
	Name string `json:"name"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// The parts of a cell that a rule may take.
const (
	Whole   = ""
	Before  = "before"  // what stands before the first Separator
	After   = "after"   // what stands after it
	Within  = "within"  // what stands in the last brackets
	Outside = "outside" // what stands before them
	Natural = "natural" // « NOM Prénom » as « Prénom NOM »
)

// Rule fills one place of the model: from a column, from several joined by a
// blank, or with a constant.
type Rule struct {
	Place    string   `json:"place"`
	Columns  []string `json:"columns,omitempty"`
	Constant string   `json:"constant,omitempty"`
	// Part takes a part of the cell, apart at Separator.
	Part      string `json:"part,omitempty"`
	Separator string `json:"separator,omitempty"`
	// Times are the ways of writing a time that are tried in their order, of the
	// place "at"; none: Auto.
	Times []string `json:"times,omitempty"`
	// Words are the values of an action, an outcome or a level, and what each is
	// in the model; a word that is not there is read as any format's.
	Words map[string]string `json:"words,omitempty"`
}

// Mapping tells how the files or the rows of one application become events. It is
// stored as JSON, with the version of its form.
type Mapping struct {
	Form  int    `json:"form"`
	Cut   Cut    `json:"cut"`
	Rules []Rule `json:"rules"`
	// Key are the columns that tell a row from all others; none: the whole row,
	// and how many times the file says it.
	Key []string `json:"key,omitempty"`
	// Columns are those of the sample that it was made from.
	Columns []string `json:"columns,omitempty"`
}

// form is the version of the form of a stored mapping.
const form = 1

// Bounds of a mapping.
const (
	MaxColumns = 1000 // columns of a row
	maxRules   = 100
	maxWords   = 500
	maxName    = 200 // characters of a column's name, of a constant
	maxSkip    = 1000
	maxPlace   = 5 // columns of one rule
)

// Encode writes a mapping to be kept.
func (m Mapping) Encode() ([]byte, error) {
	m.Form = form
	return json.Marshal(m)
}

// Decode reads a kept mapping. Errors: Invalid.
func Decode(b []byte) (Mapping, error) {
	var m Mapping
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fault.Wrap(err, fault.Invalid, "traces.columns.form")
	}
	if m.Form != form {
		return m, fault.New(fault.Invalid, "traces.columns.form")
	}
	return m, m.Check()
}

// Check refuses a mapping that could not be used. Errors: Invalid with its field.
func (m Mapping) Check() error {
	if err := m.Cut.Check(); err != nil {
		return err
	}
	if len(m.Rules) > maxRules || len(m.Key) > maxPlace || len(m.Columns) > MaxColumns {
		return fault.New(fault.Invalid, "traces.columns.rules", "most", maxRules).At("rules")
	}
	for _, r := range m.Rules {
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}

// Check refuses a way of cutting that is none. Errors: Invalid with its field.
func (c Cut) Check() error {
	switch {
	case !slices.Contains([]string{CSV, XLSX, Fixed, Table}, c.Kind):
		return fault.New(fault.Invalid, "traces.columns.kind").At("kind")
	case c.Skip < 0 || c.Skip > maxSkip:
		return fault.New(fault.Invalid, "traces.columns.skip", "most", maxSkip).At("skip")
	case c.Kind == CSV && (len(c.Delimiter) != 1 || strings.ContainsAny(c.Delimiter, "\"\r\n\x00") || c.Delimiter[0] >= utf8.RuneSelf):
		return fault.New(fault.Invalid, "traces.columns.delimiter").At("delimiter")
	case (c.Kind == CSV || c.Kind == Fixed) && !slices.Contains(Encodings(), c.Encoding):
		return fault.New(fault.Invalid, "traces.columns.encoding").At("encoding")
	case c.Kind == Fixed:
		return checkFields(c.Fields)
	}
	return nil
}

func checkFields(fields []Field) error {
	if len(fields) == 0 || len(fields) > MaxColumns {
		return fault.New(fault.Invalid, "traces.columns.fields").At("fields")
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if f.Name == "" || utf8.RuneCountInString(f.Name) > maxName || seen[f.Name] || f.From < 1 || f.To < f.From || f.To > traces.MaxRaw {
			return fault.New(fault.Invalid, "traces.columns.field", "name", f.Name).At("fields")
		}
		seen[f.Name] = true
	}
	return nil
}

func (r Rule) check() error {
	place, ok := traces.ParsePlace(r.Place)
	switch {
	case !ok:
		return fault.New(fault.Invalid, "traces.columns.place", "place", r.Place).At("rules")
	case len(r.Columns) == 0 && r.Constant == "" || len(r.Columns) > maxPlace || utf8.RuneCountInString(r.Constant) > maxName:
		return fault.New(fault.Invalid, "traces.columns.rule", "place", r.Place).At("rules")
	case !slices.Contains([]string{Whole, Before, After, Within, Outside, Natural}, r.Part), (r.Part == Before || r.Part == After) && r.Separator == "":
		return fault.New(fault.Invalid, "traces.columns.part", "place", r.Place).At("rules")
	case len(r.Words) > maxWords:
		return fault.New(fault.Invalid, "traces.columns.words", "most", maxWords).At("words")
	}
	for _, way := range r.Times {
		if !slices.Contains(Times(), way) {
			return fault.New(fault.Invalid, "traces.columns.time").At("times")
		}
	}
	return r.checkWords(place)
}

// checkWords refuses a value of the table that the model does not have.
func (r Rule) checkWords(place traces.Place) error {
	for _, to := range r.Words {
		known := true
		switch place {
		case traces.PlaceAction:
			_, known = traces.ParseAction(to)
		case traces.PlaceOutcome:
			_, known = traces.ParseOutcome(to)
		case traces.PlaceSeverity:
			known = traces.SeverityOf(to) >= 0
		default:
			known = utf8.RuneCountInString(to) <= maxName
		}
		if !known {
			return fault.New(fault.Invalid, "traces.columns.word", "word", to).At("words")
		}
	}
	return nil
}
