//go:build cgo

package duckdb

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/traces"
)

// Hours and days are counted in Go's table of zones, the same on every machine:
// the offsets in force within the period are written into the statement as
// numbers. Hours count from 0001-01-01T00 by the clock on the wall, a Monday.
const (
	hour       = int64(3600 * 1000000)
	sinceYear1 = int64(62135596800) * 1000000 // to 1970, µs
)

// span is a part of the period under one offset.
type span struct{ until, offset int64 } // µs

func spans(q *traces.Question, zone *time.Location) []span {
	var out []span
	for at := q.From; at < q.To; {
		t := time.UnixMicro(at).In(zone)
		_, seconds := t.Zone()
		_, end := t.ZoneBounds()
		until := q.To
		if !end.IsZero() && end.UnixMicro() < q.To {
			until = end.UnixMicro()
		}
		out = append(out, span{until, int64(seconds) * 1000000})
		at = until
	}
	return out
}

// wall is the time on the wall, µs since the year 1.
func wall(parts []span) string {
	last := parts[len(parts)-1].offset + sinceYear1
	if len(parts) == 1 {
		return fmt.Sprintf("(happened + %d)", last)
	}
	var b strings.Builder
	b.WriteString("(happened + CASE")
	for _, p := range parts[:len(parts)-1] {
		fmt.Fprintf(&b, " WHEN happened < %d THEN %d", p.until, p.offset+sinceYear1)
	}
	fmt.Fprintf(&b, " ELSE %d END)", last)
	return b.String()
}

// timeFields are the fields made of the time: how many units of a field one
// takes, and what it is called.
func timeExpression(field traces.Field, wall string) string {
	switch field {
	case traces.FieldHour:
		return fmt.Sprintf("(%s // %d)", wall, hour)
	case traces.FieldDay:
		return fmt.Sprintf("(%s // %d)", wall, day)
	case traces.FieldWeekday:
		return fmt.Sprintf("(%s // %d %% 7)", wall, day)
	}
	return fmt.Sprintf("(%s // %d %% 24)", wall, hour)
}

// timeKey writes a value of timeExpression as questions do.
func timeKey(field traces.Field, n int64) string {
	switch field {
	case traces.FieldHour:
		return time.UnixMicro(n*hour - sinceYear1).UTC().Format("2006-01-02T15")
	case traces.FieldDay:
		return time.UnixMicro(n*day - sinceYear1).UTC().Format("2006-01-02")
	case traces.FieldWeekday:
		return strconv.FormatInt(n+1, 10)
	}
	return fmt.Sprintf("%02d", n)
}

func isTime(f traces.Field) bool {
	return f == traces.FieldHour || f == traces.FieldDay || f == traces.FieldWeekday || f == traces.FieldHourOfDay
}

// timeDomain is every value that a field of time can have within the period.
func timeDomain(field traces.Field, q *traces.Question, parts []span) (first, last int64) {
	switch field {
	case traces.FieldWeekday:
		return 0, 6
	case traces.FieldHourOfDay:
		return 0, 23
	}
	unit := hour
	if field == traces.FieldDay {
		unit = day
	}
	return (q.From + parts[0].offset + sinceYear1) / unit, (q.To - 1 + parts[len(parts)-1].offset + sinceYear1) / unit
}
