package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/traces"
	"tocsin/internal/traces/terms"
)

// count answers a question that counts, in two steps: by values as they were
// written, then, on what is left, by what counts as the same: texts without
// regard to case, numbers by their patient.
func (e *Engine) count(ctx context.Context, c *compiler, where string) (traces.Answer, error) {
	var a traces.Answer
	fields := c.q.Group
	if c.q.Distinct != "" {
		fields = append(fields[:len(fields):len(fields)], c.q.Distinct)
	}
	if slices.Contains(fields, traces.FieldPatient) {
		p, err := e.peopleOf(ctx, c.organisation)
		if err != nil {
			return a, err
		}
		c.tables = append(c.tables, table{"ties", "number String, first String", p.told()})
	}
	grouped := c.grouped(fields, where)
	order := []string{"c_ DESC"}
	if c.q.Oldest {
		order[0] = "c_"
	}
	keys := ""
	for i := range c.q.Group {
		keys += ", k" + strconv.Itoa(i)
		order = append(order, "k"+strconv.Itoa(i))
	}
	r, err := e.at.query(ctx, fmt.Sprintf("SELECT c_, first_, last_%s FROM (%s) ORDER BY %s LIMIT %d, %d", keys, grouped, listed(order), c.q.Skip, c.q.Limit), c.tables...)
	if err != nil {
		return a, fmt.Errorf("count traces: %w", err)
	}
	for r.more() {
		a.Groups = append(a.Groups, readGroup(r, c.q.Group))
	}
	if err := r.err(); err != nil {
		return a, err
	}
	a.Total = int64(c.q.Skip + len(a.Groups))
	if len(a.Groups) == c.q.Limit || len(a.Groups) == 0 && c.q.Skip > 0 {
		if r, err = e.at.query(ctx, "SELECT toInt64(count()) FROM ("+grouped+")", c.tables...); err != nil {
			return a, fmt.Errorf("count traces: %w", err)
		}
		a.Total = r.int64()
	}
	a.More = a.Total > int64(c.q.Skip+len(a.Groups))
	return a, r.err()
}

func readGroup(r *reader, fields []traces.Field) traces.Group {
	g := traces.Group{Count: r.int64(), First: r.int64(), Last: r.int64(), Keys: make([]string, len(fields))}
	for i, f := range fields {
		if terms.IsTime(f) {
			g.Keys[i] = terms.TimeKey(f, r.int64())
		} else {
			g.Keys[i] = r.text()
		}
	}
	return g
}

// grouped is the statement that counts, without order.
func (c *compiler) grouped(fields []traces.Field, where string) string {
	inner, by, patients := []string{"count() AS n_", "min(happened) AS lo_", "max(happened) AS hi_"}, []string{}, false
	for i, f := range fields {
		if f == traces.FieldPatient {
			patients = true
			continue
		}
		inner = append(inner, c.value(f)+" AS v"+strconv.Itoa(i))
		by = append(by, "v"+strconv.Itoa(i))
	}
	if patients {
		inner = append(inner, "multiIf(ipp <> '', concat('p', ipp), ins <> '', concat('n', ins), '') AS number")
		by = append(by, "number")
	}
	from := "SELECT " + listed(inner) + " FROM " + eventsTable + " WHERE " + where + " GROUP BY " + listed(by)
	if patients {
		names := append([]string{"n_", "lo_", "hi_", "if(first = '', number, first) AS who"}, by[:len(by)-1]...)
		from = "SELECT " + listed(names) + " FROM (" + from + ") ANY LEFT JOIN ties USING number"
	}
	var same, keys []string
	for i, f := range fields {
		same = append(same, sameAs(f, "v"+strconv.Itoa(i)))
	}
	for i, f := range c.q.Group {
		keys = append(keys, shown(f, "v"+strconv.Itoa(i))+" AS k"+strconv.Itoa(i))
	}
	counted := "toInt64(sum(n_))"
	if c.q.Distinct != "" {
		last := len(fields) - 1
		counted = "toInt64(uniqExactIf(" + same[last] + ", " + said(c.q.Distinct, "v"+strconv.Itoa(last)) + "))"
		same = same[:last]
	}
	out := "SELECT " + listed(append([]string{counted + " AS c_", "min(lo_) AS first_", "max(hi_) AS last_"}, keys...)) + " FROM (" + from + ")"
	if len(same) > 0 {
		return out + " GROUP BY " + listed(same)
	}
	return out + " HAVING count() > 0"
}

// value is a field as it was written.
func (c *compiler) value(f traces.Field) string {
	if terms.IsTime(f) {
		return c.time(f)
	}
	if _, ok := terms.Codes(f); ok {
		return "toInt64(" + terms.CodeColumn(f) + ")"
	}
	return column(f)
}

// sameAs is what makes two values one.
func sameAs(f traces.Field, name string) string {
	if f == traces.FieldPatient {
		return "who"
	}
	if _, ok := terms.Codes(f); ok || terms.IsTime(f) {
		return name
	}
	return "lowerUTF8(" + name + ")"
}

// said tells that a source said the field.
func said(f traces.Field, name string) string {
	switch {
	case terms.IsTime(f) || f == traces.FieldClass:
		return "1"
	case f == traces.FieldSeverity:
		return name + " >= 0"
	case f == traces.FieldAction || f == traces.FieldOutcome:
		return name + " <> 0"
	case f == traces.FieldPatient:
		return "who <> ''"
	}
	return name + " <> ''"
}

// shown is the key of a group.
func shown(f traces.Field, name string) string {
	switch {
	case terms.IsTime(f):
		return "any(" + name + ")"
	case f == traces.FieldPatient:
		return "substring(any(who), 2)"
	}
	of, ok := terms.Codes(f)
	if !ok {
		return "min(" + name + ")"
	}
	var from, to []string
	for n := of.First; n <= of.Last; n++ {
		from, to = append(from, strconv.FormatInt(n, 10)), append(to, "'"+of.Key(n)+"'")
	}
	return "transform(any(" + name + "), [" + strings.Join(from, ", ") + "], [" + strings.Join(to, ", ") + "], '')"
}
