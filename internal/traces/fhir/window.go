package fhir

import (
	"strings"
	"time"

	"tocsin/internal/traces"
	"tocsin/internal/wire/stamp"
)

// window is what the dates of a search leave of time, UTC microseconds, to
// excluded. Each date narrows it.
type window struct {
	zone     *time.Location
	from, to int64
	said     bool
}

func always(zone *time.Location) window { return window{zone: zone, from: -1 << 62, to: 1 << 62} }

// within closes the period: an open beginning is as old as a question may reach,
// an open end is tomorrow, for clocks that are ahead.
func (p *window) within(now int64) (from, to int64) {
	const day = 24 * 3600 * 1000000
	from, to = p.from, p.to
	if to > now+day {
		to = max(now+day, from+1)
	}
	return max(from, to-traces.MaxSpan), to
}

// narrow reads "ge2026-11-30" and its like; false when it is none.
func (p *window) narrow(value string) bool {
	p.said = true
	prefix := "eq"
	if len(value) > 2 && value[0] >= 'a' && value[0] <= 'z' {
		prefix, value = value[:2], value[2:]
	}
	from, to, ok := span(value, p.zone)
	if !ok {
		return false
	}
	switch prefix {
	case "eq", "ap":
	case "ge":
		to = p.to
	case "gt", "sa":
		from, to = to, p.to
	case "le":
		from = p.from
	case "lt", "eb":
		from, to = p.from, from
	default:
		return false
	}
	p.from, p.to = max(p.from, from), min(p.to, to)
	return true
}

// span gives what a date of FHIR covers, the end excluded: a year, a month, a
// day, a minute, a second or what is finer.
func span(value string, zone *time.Location) (from, to int64, ok bool) {
	value = strings.ReplaceAll(value, " ", "+") // a "+" that nobody escaped
	for _, f := range []struct {
		layout string
		next   func(time.Time) time.Time
	}{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	} {
		if t, err := time.ParseInLocation(f.layout, value, zone); err == nil {
			return t.UnixMicro(), f.next(t).UnixMicro(), true
		}
	}
	at, n := stamp.ISO(value, zone)
	if n == 0 || n != len(value) {
		return 0, 0, false
	}
	width := int64(1000000)
	if len(value) < 19 || value[16] != ':' {
		width = 60 * 1000000
	} else if _, m := stamp.Fraction(value[19:]); m > 0 {
		width = max(1, 1000000/pow10(m-1))
	}
	return at, at + width, true
}

func pow10(n int) int64 {
	v := int64(1)
	for range min(n, 6) {
		v *= 10
	}
	return v
}
