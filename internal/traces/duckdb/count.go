//go:build cgo

package duckdb

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"tocsin/internal/traces"
	"tocsin/internal/traces/terms"
)

// count answers a question that counts, in two steps. The first groups by values
// as they were written, which is quick on columns that keep each text once. The
// second groups what is left, some thousands of lines, by what counts as the
// same: texts without regard to case, identities by their patient.
func (e *Engine) count(ctx context.Context, c *compiler) (traces.Answer, error) {
	var a traces.Answer
	q, total := c.grouped()
	rows, err := e.db.QueryContext(ctx, q, c.args...)
	if err != nil {
		return a, fmt.Errorf("count events: %w", err)
	}
	for rows.Next() {
		g := traces.Group{Keys: make([]string, len(c.q.Group))}
		numbers := make([]int64, len(c.q.Group))
		into := []any{&a.Total, &g.Count, &g.First, &g.Last}
		for i, f := range c.q.Group {
			if terms.IsTime(f) {
				into = append(into, &numbers[i])
			} else {
				into = append(into, &g.Keys[i])
			}
		}
		if err := rows.Scan(into...); err != nil {
			return a, fmt.Errorf("count events: %w", closing(rows, err))
		}
		for i, f := range c.q.Group {
			if terms.IsTime(f) {
				g.Keys[i] = terms.TimeKey(f, numbers[i])
			}
		}
		a.Groups = append(a.Groups, g)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return a, fmt.Errorf("count events: %w", err)
	}
	if len(a.Groups) == 0 && c.q.Skip > 0 {
		if err := e.db.QueryRowContext(ctx, total, c.args...).Scan(&a.Total); err != nil {
			return a, fmt.Errorf("count events: %w", err)
		}
	}
	a.More = a.Total > int64(c.q.Skip+len(a.Groups))
	return a, nil
}

// grouped is the statement of a count, and the one that only tells how many
// groups there are.
func (c *compiler) grouped() (lines, total string) {
	fields := c.q.Group
	if c.q.Distinct != "" {
		fields = append(fields[:len(fields):len(fields)], c.q.Distinct)
	}
	inner, by := []string{"count(*) AS n", "min(happened) AS lo", "max(happened) AS hi"}, []string{}
	for i, f := range fields {
		name := "v" + strconv.Itoa(i)
		inner = append(inner, c.value(f)+" AS "+name)
		by = append(by, name)
	}
	written := "SELECT " + strings.Join(inner, ", ") + " FROM " + c.from() + " WHERE " + c.conditions
	if len(by) > 0 {
		written += " GROUP BY " + strings.Join(by, ", ")
	}
	from := "(" + written + ") w"
	var same, keys, order []string
	for i, f := range fields {
		name := "v" + strconv.Itoa(i)
		same = append(same, c.same(f, name))
		if f == traces.FieldPatient && c.people != "" {
			from += " LEFT JOIN " + c.people + ".patients p" + name + " ON p" + name + ".id = " + name
		}
	}
	for i, f := range c.q.Group {
		keys = append(keys, c.shown(f, "v"+strconv.Itoa(i))+" AS k"+strconv.Itoa(i))
		order = append(order, "k"+strconv.Itoa(i))
	}
	counted := "sum(n)::BIGINT"
	if c.q.Distinct != "" {
		last := len(fields) - 1
		counted = "count(DISTINCT " + same[last] + ") FILTER (" + said(c.q.Distinct, "v"+strconv.Itoa(last)) + ")"
		same = same[:last]
	}
	grouped := "SELECT " + counted + " AS c, min(lo) AS lo, max(hi) AS hi" + listed(keys) + " FROM " + from
	if len(same) > 0 {
		grouped += " GROUP BY " + strings.Join(same, ", ")
	} else {
		grouped += " HAVING count(*) > 0 AND min(lo) IS NOT NULL"
	}
	direction := " DESC"
	if c.q.Oldest {
		direction = ""
	}
	return "SELECT count(*) OVER (), c, lo, hi" + listed(order) + " FROM (" + grouped + ") ORDER BY c" + direction + listed(order) +
		fmt.Sprintf(" LIMIT %d OFFSET %d", c.q.Limit, c.q.Skip), "SELECT count(*) FROM (" + grouped + ")"
}

func listed(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", " + strings.Join(names, ", ")
}

// value is a field as it was written.
func (c *compiler) value(f traces.Field) string {
	if terms.IsTime(f) {
		return timeExpression(f, c.wall)
	}
	if f == traces.FieldPatient {
		return "patient"
	}
	if _, ok := terms.Codes(f); ok {
		return terms.CodeColumn(f)
	}
	return column(f)
}

// same is what makes two values one.
func (c *compiler) same(f traces.Field, name string) string {
	if _, ok := terms.Codes(f); ok || terms.IsTime(f) {
		return name
	}
	if f == traces.FieldPatient {
		if c.people == "" {
			return name
		}
		return "coalesce(p" + name + ".root, 0)"
	}
	return "lower(" + name + ")"
}

// said tells that a source said the field.
func said(f traces.Field, name string) string {
	switch {
	case terms.IsTime(f) || f == traces.FieldClass:
		return "true"
	case f == traces.FieldSeverity:
		return name + " >= 0"
	case f == traces.FieldPatient || f == traces.FieldAction || f == traces.FieldOutcome:
		return name + " <> 0"
	}
	return name + " <> ''"
}

// shown is the key of a group: the first form in order of the alphabet, and for a
// patient his first number, or his first national identity.
func (c *compiler) shown(f traces.Field, name string) string {
	switch {
	case terms.IsTime(f):
		return "any_value(" + name + ")"
	case f == traces.FieldPatient && c.people == "":
		return "''"
	case f == traces.FieldPatient:
		// Within a group all identities share their root, so the subquery is asked
		// once a group.
		first := func(column string) string {
			return "(SELECT min(" + column + ") FROM " + c.people + ".patients s WHERE s." + column + " <> '' AND s.root = any_value(p" + name + ".root))"
		}
		return "coalesce(" + first("ipp") + ", " + first("ins") + ", '')"
	}
	of, ok := terms.Codes(f)
	if !ok {
		return "min(" + name + ")"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "(CASE any_value(%s)", name)
	for n := of.First; n <= of.Last; n++ {
		fmt.Fprintf(&b, " WHEN %d THEN '%s'", n, of.Key(n))
	}
	return b.String() + " END)"
}
