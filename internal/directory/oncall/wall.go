package oncall

import (
	"fmt"
	"time"
)

// Day is a day of the calendar, in days since 1 January 1970: it has neither an
// hour nor a zone. Its zero value stands for "no day".
type Day int32

// dayLayout is how days are written.
const dayLayout = "2006-01-02"

// minutesPerDay is those of the wall clock: every day shows 24 hours on it.
const minutesPerDay = 24 * 60

// ParseDay reads "2026-11-30".
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(dayLayout, text)
	if err != nil {
		return 0, fmt.Errorf("day %q: %w", text, err)
	}
	return Day(floorDiv(t.Unix(), 24*60*60)), nil
}

// DayOf is the day the wall clock of a zone shows at an instant.
func DayOf(t time.Time, zone *time.Location) Day {
	return Day(floorDiv(wallMinute(t, zone), minutesPerDay))
}

func (d Day) utc() time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

// String writes "2026-11-30"; the zero day is empty.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.utc().Format(dayLayout)
}

// Weekday is that of the day.
func (d Day) Weekday() time.Weekday { return d.utc().Weekday() }

// MarshalText writes "2026-11-30".
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads it; an empty text is no day.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d = 0
	if len(b) > 0 {
		*d, err = ParseDay(string(b))
	}
	return err
}

// At is the first instant of the day at which the wall clock of the zone shows
// that hour or, when it is skipped in spring, has passed it. An hour that the
// clock shows twice in autumn is the first of the two.
func (d Day) At(h Hour, zone *time.Location) time.Time {
	return instant(int64(d)*minutesPerDay+int64(h), zone)
}

// Hour is a time of the wall clock, in minutes since midnight, 0 to 1439.
type Hour int16

// ParseHour reads "08:30".
func ParseHour(text string) (Hour, error) {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("hour %q: %w", text, err)
	}
	return Hour(t.Hour()*60 + t.Minute()), nil
}

// String writes "08:30".
func (h Hour) String() string { return fmt.Sprintf("%02d:%02d", h/60, h%60) }

// MarshalText writes "08:30".
func (h Hour) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads it; an empty text is midnight.
func (h *Hour) UnmarshalText(b []byte) (err error) {
	*h = 0
	if len(b) > 0 {
		*h, err = ParseHour(string(b))
	}
	return err
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// wallMinute counts the minutes the wall clock of a zone shows, as if it had
// always run without a change.
func wallMinute(t time.Time, zone *time.Location) int64 {
	_, offset := t.In(zone).Zone()
	return floorDiv(t.Unix()+int64(offset), 60)
}

// instant is the first at which the wall clock shows that minute or has passed
// it. It never goes back when the minute goes forward.
func instant(minute int64, zone *time.Location) time.Time {
	w := time.Unix(minute*60, 0).UTC()
	t := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), 0, 0, zone)
	start, end := t.ZoneBounds()
	switch shown := wallMinute(t, zone); {
	case shown > minute: // the clock jumped over it: the jump is the instant
		return start.UTC()
	case shown < minute:
		return end.UTC()
	}
	if start.IsZero() {
		return t.UTC()
	}
	_, before := start.Add(-1).Zone()
	_, now := t.Zone()
	if twin := t.Add(time.Duration(now-before) * time.Second); twin.Before(start) {
		return twin.UTC()
	}
	return t.UTC()
}
