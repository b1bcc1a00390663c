//go:build cgo

package duckdb

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/traces"
	"tocsin/internal/traces/terms"
)

// compiler turns a question into SQL. Values of the question are bound, never
// written; names come from terms.Columns; what is written into the text are
// numbers of ours.
type compiler struct {
	q      *traces.Question
	files  []*file
	people string // alias of the dictionary, empty when there is none
	parts  []terms.Span
	wall   string

	conditions string // what the question demands
	args       []any
	// lookUp gives the identities that a statement finds, false when they are
	// too many to be written.
	lookUp func(set string) ([]string, bool)
}

func newCompiler(q *traces.Question, files []*file, people string) (*compiler, error) {
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone of a question: %w", err)
	}
	c := &compiler{q: q, files: files, people: people, parts: terms.Spans(q, zone)}
	c.wall = wall(c.parts)
	return c, nil
}

// arg binds a value, by name: a statement may leave values of another unused.
func (c *compiler) arg(v string) string {
	name := "v" + strconv.Itoa(len(c.args))
	c.args = append(c.args, sql.Named(name, v))
	return "$" + name
}

// from is the events of the files, each with the place of its file in the list
// and its class.
func (c *compiler) from() string {
	var b strings.Builder
	for i, f := range c.files {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		fmt.Fprintf(&b, "SELECT %s, %d AS file, %d AS class FROM %s.events", eventColumns(), i, f.key.class, f.key.alias())
	}
	return "(" + b.String() + ")"
}

// where is all that the question demands.
func (c *compiler) where() string {
	all := []string{fmt.Sprintf("happened >= %d AND happened < %d", c.q.From, c.q.To)}
	for _, w := range c.q.Where {
		all = append(all, c.condition(w))
	}
	for _, word := range c.q.Words() {
		all = append(all, c.word(terms.Clean(word)))
	}
	return strings.Join(all, " AND ")
}

func (c *compiler) condition(w traces.Condition) string {
	switch {
	case terms.IsTime(w.Field):
		first, last := terms.TimeDomain(w.Field, c.q, c.parts)
		return terms.Numbers(timeExpression(w.Field, c.wall), first, last, func(n int64) bool { return terms.Holds(w, terms.TimeKey(w.Field, n)) })
	case w.Field == traces.FieldPatient:
		return c.patient(w)
	}
	if of, ok := terms.Codes(w.Field); ok {
		return terms.Numbers(terms.CodeColumn(w.Field), of.First, of.Last, func(n int64) bool { return terms.Holds(w, of.Key(n)) })
	}
	return c.text(column(w.Field), w)
}

// column is the column of a field of text.
func column(f traces.Field) string {
	if f == traces.FieldSource {
		return "source"
	}
	for _, c := range terms.Columns() {
		if c.Field == f {
			return c.Name
		}
	}
	panic("no column for " + string(f)) // Question.Check let an unknown field pass
}

// text compares a column without regard to case.
func (c *compiler) text(column string, w traces.Condition) string {
	switch w.Op {
	case traces.Empty:
		return column + " = ''"
	case traces.NotEmpty:
		return column + " <> ''"
	case traces.Is:
		return "lower(" + column + ") IN (" + c.folded(w.Values) + ")"
	case traces.IsNot:
		return "lower(" + column + ") NOT IN (" + c.folded(w.Values) + ")"
	}
	call := "contains"
	if w.Op == traces.Begins {
		call = "starts_with"
	}
	var any []string
	for _, v := range w.Values {
		any = append(any, call+"(lower("+column+"), lower("+c.arg(terms.Clean(v))+"))")
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

func (c *compiler) folded(values []string) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("lower(" + c.arg(terms.Clean(v)) + ")")
	}
	return b.String()
}

// patient finds by either number all identities of the patients that fit.
func (c *compiler) patient(w traces.Condition) string {
	switch {
	case w.Op == traces.Empty:
		return "patient = 0"
	case w.Op == traces.NotEmpty:
		return "patient <> 0"
	}
	op, not := w.Op, ""
	if op == traces.IsNot {
		op, not = traces.Is, "NOT "
	}
	nobody := "false"
	if op == traces.Is && slices.Contains(w.Values, "") {
		nobody = "patient = 0"
	}
	if c.people == "" {
		return not + "(" + nobody + ")"
	}
	in := traces.Condition{Op: op, Values: w.Values}
	return not + "(" + nobody + " OR " + c.identities("root IN (SELECT root FROM "+c.people+".patients WHERE ipp <> '' AND "+
		c.text("ipp", in)+" OR ins <> '' AND "+c.text("ins", in)+")") + ")"
}

// identities is a condition on the patient of an event: that his identity fits
// one on the dictionary. The identities are asked first and written as numbers:
// a join would make the base unfold columns that keep each text once. When they
// are too many the join is the lesser evil.
func (c *compiler) identities(fits string) string {
	set := "SELECT id FROM " + c.people + ".patients WHERE " + fits
	ids, ok := c.lookUp(set)
	switch {
	case !ok:
		return "patient IN (" + set + ")"
	case len(ids) == 0:
		return "false"
	}
	return "patient IN (" + strings.Join(ids, ",") + ")"
}

// word is one that must stand somewhere in the event.
func (c *compiler) word(word string) string {
	v := c.arg(word)
	inside := func(column string) string { return "contains(lower(" + column + "), lower(" + v + "))" }
	if strings.ToLower(word) == strings.ToUpper(word) {
		// Figures have no case, and folding a text costs more than reading it.
		inside = func(column string) string { return "contains(" + column + ", " + v + ")" }
	}
	var any []string
	if c.people != "" {
		any = append(any, c.identities(inside("ipp")+" OR "+inside("ins")))
	}
	for _, col := range terms.Columns() {
		any = append(any, inside(col.Name))
	}
	any = append(any, inside("extra"))
	return "(" + strings.Join(any, " OR ") + ")"
}
