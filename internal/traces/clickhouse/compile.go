package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
	"tocsin/internal/traces/terms"
)

// compiler turns a question into a statement. Names come from terms.Columns;
// values are literal or travel as tables beside the statement; what is written
// besides are numbers and ids of ours.
type compiler struct {
	e            *Engine
	organisation uuid.UUID
	q            *traces.Question
	parts        []terms.Span
	tables       []table
	// inline writes lists into the statement: one that changes rows takes no tables
	// beside it.
	inline bool
}

func newCompiler(e *Engine, organisation uuid.UUID, q *traces.Question) (*compiler, error) {
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone of a question: %w", err)
	}
	return &compiler{e: e, organisation: organisation, q: q, parts: terms.Spans(q, zone)}, nil
}

// where is all that the question demands.
func (c *compiler) where(ctx context.Context) (string, error) {
	all := []string{"organisation = " + own(c.organisation), fmt.Sprintf("happened >= %d AND happened < %d", c.q.From, c.q.To)}
	for _, w := range c.q.Where {
		demand, err := c.condition(ctx, w)
		if err != nil {
			return "", err
		}
		all = append(all, demand)
	}
	for _, word := range c.q.Words() {
		all = append(all, anywhere(terms.Clean(word)))
	}
	return strings.Join(all, " AND "), nil
}

func (c *compiler) condition(ctx context.Context, w traces.Condition) (string, error) {
	switch {
	case terms.IsTime(w.Field):
		first, last := terms.TimeDomain(w.Field, c.q, c.parts)
		return terms.Numbers(c.time(w.Field), first, last, func(n int64) bool { return terms.Holds(w, terms.TimeKey(w.Field, n)) }), nil
	case w.Field == traces.FieldPatient:
		return c.patient(ctx, w)
	}
	if of, ok := terms.Codes(w.Field); ok {
		return terms.Numbers(terms.CodeColumn(w.Field), of.First, of.Last, func(n int64) bool { return terms.Holds(w, of.Key(n)) }), nil
	}
	return compare(column(w.Field), w), nil
}

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

func folded(v string) string { return "lowerUTF8(" + literal(terms.Clean(v)) + ")" }

// compare compares a column without regard to case.
func compare(column string, w traces.Condition) string {
	switch w.Op {
	case traces.Empty:
		return column + " = ''"
	case traces.NotEmpty:
		return column + " <> ''"
	}
	var values []string
	for _, v := range w.Values {
		values = append(values, folded(v))
	}
	lower := "lowerUTF8(" + column + ")"
	switch w.Op {
	case traces.Is:
		return lower + " IN (" + listed(values) + ")"
	case traces.IsNot:
		return lower + " NOT IN (" + listed(values) + ")"
	}
	for i, v := range w.Values {
		values[i] = inside(lower, v, w.Op == traces.Begins)
	}
	return "(" + strings.Join(values, " OR ") + ")"
}

// inside tells that a text holds another, or begins with it. The empty one is
// in every text.
func inside(lower, v string, begins bool) string {
	switch {
	case v == "":
		return "(1 = 1)"
	case begins:
		return "startsWith(" + lower + ", " + folded(v) + ")"
	}
	return "position(" + lower + ", " + folded(v) + ") > 0"
}

// anywhere is a word that must stand somewhere in the event.
func anywhere(word string) string {
	var any []string
	for _, c := range terms.Columns() {
		any = append(any, inside("lowerUTF8("+c.Name+")", word, false))
	}
	for _, name := range []string{"ipp", "ins", "extra"} {
		any = append(any, inside("lowerUTF8("+name+")", word, false))
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// beside sends a list of texts with the statement and gives its name.
func (c *compiler) beside(list []string) string {
	if c.inline {
		values := make([]string, len(list))
		for i, v := range list {
			values[i] = literal(v)
		}
		return "(" + listed(values) + ")"
	}
	t := table{"list" + strconv.Itoa(len(c.tables)), "v String", texts(list)}
	c.tables = append(c.tables, t)
	return t.name
}

// patient finds, by either number, the events of the patients that fit, under
// all their numbers.
func (c *compiler) patient(ctx context.Context, w traces.Condition) (string, error) {
	const nobody = "(ipp = '' AND ins = '')"
	switch {
	case w.Op == traces.Empty:
		return nobody, nil
	case w.Op == traces.NotEmpty:
		return "NOT " + nobody, nil
	}
	in, not := traces.Condition{Op: w.Op, Values: w.Values}, ""
	if w.Op == traces.IsNot {
		in.Op, not = traces.Is, "NOT "
	}
	found, err := c.e.numbers(ctx, c.organisation, in)
	if err != nil {
		return "", err
	}
	people, err := c.e.peopleOf(ctx, c.organisation)
	if err != nil {
		return "", err
	}
	ipps, inss := people.spread(found)
	any := []string{}
	if in.Op == traces.Is && slices.Contains(w.Values, "") {
		any = append(any, nobody)
	}
	if len(ipps) > 0 {
		any = append(any, "ipp IN "+c.beside(ipps))
	}
	if len(inss) > 0 {
		any = append(any, "ins IN "+c.beside(inss))
	}
	if len(any) == 0 {
		any = append(any, "(1 = 0)")
	}
	return not + "(" + strings.Join(any, " OR ") + ")", nil
}

// numbers finds the identities that fit a condition.
func (e *Engine) numbers(ctx context.Context, organisation uuid.UUID, w traces.Condition) (map[string]bool, error) {
	r, err := e.at.query(ctx, "SELECT DISTINCT ipp, ins FROM "+identitiesTable+" WHERE organisation = "+own(organisation)+
		" AND (ipp <> '' AND "+compare("ipp", w)+" OR ins <> '' AND "+compare("ins", w)+")")
	if err != nil {
		return nil, fmt.Errorf("patients of traces: %w", err)
	}
	out := map[string]bool{}
	for r.more() {
		if ipp := r.text(); ipp != "" {
			out["p"+ipp] = true
		}
		if ins := r.text(); ins != "" {
			out["n"+ins] = true
		}
	}
	return out, r.err()
}

// wall is the time on the wall, µs since the year 1.
func (c *compiler) wall() string {
	last := c.parts[len(c.parts)-1].Offset + terms.SinceYear1
	if len(c.parts) == 1 {
		return fmt.Sprintf("(happened + %d)", last)
	}
	var b strings.Builder
	b.WriteString("(happened + multiIf(")
	for _, p := range c.parts[:len(c.parts)-1] {
		fmt.Fprintf(&b, "happened < %d, %d, ", p.Until, p.Offset+terms.SinceYear1)
	}
	fmt.Fprintf(&b, "%d))", last)
	return b.String()
}

// time is a field made of the time, as a number.
func (c *compiler) time(field traces.Field) string {
	switch field {
	case traces.FieldHour:
		return fmt.Sprintf("toInt64(intDiv(%s, %d))", c.wall(), terms.Hour)
	case traces.FieldDay:
		return fmt.Sprintf("toInt64(intDiv(%s, %d))", c.wall(), terms.Day)
	case traces.FieldWeekday:
		return fmt.Sprintf("toInt64(intDiv(%s, %d) %% 7)", c.wall(), terms.Day)
	}
	return fmt.Sprintf("toInt64(intDiv(%s, %d) %% 24)", c.wall(), terms.Hour)
}
