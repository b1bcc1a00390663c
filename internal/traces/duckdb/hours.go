//go:build cgo

package duckdb

import (
	"fmt"
	"strings"

	"tocsin/internal/traces"
	"tocsin/internal/traces/terms"
)

// wall is the time on the wall, µs since the year 1.
func wall(parts []terms.Span) string {
	last := parts[len(parts)-1].Offset + terms.SinceYear1
	if len(parts) == 1 {
		return fmt.Sprintf("(happened + %d)", last)
	}
	var b strings.Builder
	b.WriteString("(happened + CASE")
	for _, p := range parts[:len(parts)-1] {
		fmt.Fprintf(&b, " WHEN happened < %d THEN %d", p.Until, p.Offset+terms.SinceYear1)
	}
	fmt.Fprintf(&b, " ELSE %d END)", last)
	return b.String()
}

// timeFields are the fields made of the time: how many units of a field one
// takes, and what it is called.
func timeExpression(field traces.Field, wall string) string {
	switch field {
	case traces.FieldHour:
		return fmt.Sprintf("(%s // %d)", wall, terms.Hour)
	case traces.FieldDay:
		return fmt.Sprintf("(%s // %d)", wall, day)
	case traces.FieldWeekday:
		return fmt.Sprintf("(%s // %d %% 7)", wall, day)
	}
	return fmt.Sprintf("(%s // %d %% 24)", wall, terms.Hour)
}
