package terms

import (
	"fmt"
	"strconv"
	"time"

	"tocsin/internal/traces"
)

// Hours and days are counted in Go's table of zones, the same on every machine:
// the offsets in force within the period are given to the base as numbers. Hours
// count from 0001-01-01T00 by the clock on the wall, a Monday.
const (
	Hour       = int64(3600 * 1000000) // µs
	Day        = 24 * Hour
	SinceYear1 = int64(62135596800) * 1000000 // to 1970, µs
)

// Span is a part of a period under one offset, µs.
type Span struct{ Until, Offset int64 }

// Spans cuts the period of a question where the offset of its zone changes.
func Spans(q *traces.Question, zone *time.Location) []Span {
	var out []Span
	for at := q.From; at < q.To; {
		t := time.UnixMicro(at).In(zone)
		_, seconds := t.Zone()
		_, end := t.ZoneBounds()
		until := q.To
		if !end.IsZero() && end.UnixMicro() < q.To {
			until = end.UnixMicro()
		}
		out = append(out, Span{until, int64(seconds) * 1000000})
		at = until
	}
	return out
}

// TimeKey writes the number of an hour, a day, a day of the week or an hour of
// the day as questions do.
func TimeKey(field traces.Field, n int64) string {
	switch field {
	case traces.FieldHour:
		return time.UnixMicro(n*Hour - SinceYear1).UTC().Format("2006-01-02T15")
	case traces.FieldDay:
		return time.UnixMicro(n*Day - SinceYear1).UTC().Format("2006-01-02")
	case traces.FieldWeekday:
		return strconv.FormatInt(n+1, 10)
	}
	return fmt.Sprintf("%02d", n)
}

// IsTime tells the fields made of the time.
func IsTime(f traces.Field) bool {
	return f == traces.FieldHour || f == traces.FieldDay || f == traces.FieldWeekday || f == traces.FieldHourOfDay
}

// TimeDomain is every value that a field of time can have within the period.
func TimeDomain(field traces.Field, q *traces.Question, parts []Span) (first, last int64) {
	switch field {
	case traces.FieldWeekday:
		return 0, 6
	case traces.FieldHourOfDay:
		return 0, 23
	}
	unit := Hour
	if field == traces.FieldDay {
		unit = Day
	}
	return (q.From + parts[0].Offset + SinceYear1) / unit, (q.To - 1 + parts[len(parts)-1].Offset + SinceYear1) / unit
}

// MonthOf is the month in which an event is kept, counted from the year 0: that
// in which it happened, or in which it was received when its clock is wrong by
// years or ahead.
func MonthOf(e *traces.Event) int32 {
	at := e.At
	if at > e.Received+Day || at < e.Received-10*366*Day {
		at = e.Received
	}
	t := time.UnixMicro(at).UTC()
	return int32(t.Year())*12 + int32(t.Month()) - 1
}

// MonthText names a month that MonthOf gave: "2026-11".
func MonthText(month int32) string { return fmt.Sprintf("%04d-%02d", month/12, month%12+1) }

// ParseMonth is the inverse of MonthText.
func ParseMonth(text string) (month int32, ok bool) {
	t, err := time.Parse("2006-01", text)
	return int32(t.Year())*12 + int32(t.Month()) - 1, err == nil
}
