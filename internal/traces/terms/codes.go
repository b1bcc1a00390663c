package terms

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/traces"
)

// Code is a field whose values are few and ours.
type Code struct {
	First, Last int64
	Key         func(int64) string
}

// Codes gives the values of a field of codes; false for another.
func Codes(f traces.Field) (Code, bool) {
	switch f {
	case traces.FieldAction:
		return Code{0, int64(len(traces.Actions()) - 1), func(n int64) string { return traces.Action(n).String() }}, true
	case traces.FieldOutcome:
		return Code{0, int64(len(traces.Outcomes()) - 1), func(n int64) string { return traces.Outcome(n).String() }}, true
	case traces.FieldClass:
		return Code{0, int64(len(traces.Classes()) - 1), func(n int64) string { return traces.Class(n).String() }}, true
	case traces.FieldSeverity:
		return Code{-1, 7, SeverityKey}, true
	}
	return Code{}, false
}

// SeverityKey is empty when none was said.
func SeverityKey(n int64) string {
	if n < 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// CodeColumn is the column of a field of codes, of the same name.
func CodeColumn(f traces.Field) string {
	switch f {
	case traces.FieldAction:
		return "action"
	case traces.FieldOutcome:
		return "outcome"
	case traces.FieldClass:
		return "class"
	}
	return "severity"
}

// Holds compares a key of ours as the base compares texts. What the source did
// not say is empty.
func Holds(w traces.Condition, key string) bool {
	empty := key == "" || key == traces.Unsaid.String() && (w.Field == traces.FieldAction || w.Field == traces.FieldOutcome)
	is := func(v string) bool { return strings.EqualFold(v, key) }
	switch w.Op {
	case traces.Empty:
		return empty
	case traces.NotEmpty:
		return !empty
	case traces.Is:
		return slices.ContainsFunc(w.Values, is)
	case traces.IsNot:
		return !slices.ContainsFunc(w.Values, is)
	case traces.Begins:
		return slices.ContainsFunc(w.Values, func(v string) bool { return strings.HasPrefix(strings.ToLower(key), strings.ToLower(v)) })
	}
	return slices.ContainsFunc(w.Values, func(v string) bool { return strings.Contains(strings.ToLower(key), strings.ToLower(v)) })
}

// Numbers is a condition on a column of numbers: those of a range that fit, as
// runs when they are few.
func Numbers(column string, first, last int64, fits func(int64) bool) string {
	var runs [][2]int64
	var fit []string
	for n := first; n <= last; n++ {
		if !fits(n) {
			continue
		}
		fit = append(fit, strconv.FormatInt(n, 10))
		if k := len(runs); k > 0 && runs[k-1][1] == n-1 {
			runs[k-1][1] = n
		} else {
			runs = append(runs, [2]int64{n, n})
		}
	}
	switch {
	case len(runs) == 0:
		return "(1 = 0)"
	case len(fit) == int(last-first)+1:
		return "(1 = 1)"
	case len(runs) > 16:
		return column + " IN (" + strings.Join(fit, ",") + ")"
	}
	var any []string
	for _, r := range runs {
		any = append(any, fmt.Sprintf("%s BETWEEN %d AND %d", column, r[0], r[1]))
	}
	return "(" + strings.Join(any, " OR ") + ")"
}
