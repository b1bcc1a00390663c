package i18n

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Int writes a quantity: 4 300 (narrow no-break space) in French, 4,300 in English.
func (l *Localizer) Int(n int) string { return l.grouped(strconv.Itoa(n)) }

// Decimal writes v with that many digits after the decimal mark.
func (l *Localizer) Decimal(v float64, digits int) string {
	return l.grouped(strconv.FormatFloat(v, 'f', digits, 64))
}

// grouped writes a number as Go writes it (sign, digits, point, digits) the
// way of the language.
func (l *Localizer) grouped(number string) string {
	separator, mark := narrowNoBreak, ","
	if l.lang == English {
		separator, mark = ",", "."
	}
	whole, fraction, hasFraction := strings.Cut(number, ".")
	digits := strings.TrimPrefix(whole, "-")
	var b strings.Builder
	b.WriteString(whole[:len(whole)-len(digits)])
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(separator)
		}
		b.WriteRune(d)
	}
	if hasFraction {
		b.WriteString(mark + fraction)
	}
	return b.String()
}

// Percent writes a share (1 is the whole) in whole percents. It says 100 only
// of the whole and 0 only of nothing: 4,299 people of 4,300 are 99 %.
func (l *Localizer) Percent(share float64) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return "–"
	}
	p := int(math.Round(share * 100))
	switch {
	case share > 0 && p == 0:
		p = 1
	case share < 1 && p == 100:
		p = 99
	}
	if l.lang == English {
		return l.Int(p) + "%"
	}
	return l.Int(p) + noBreak + "%"
}

// Date writes the day of t in zone: 22 novembre 2026, 1er mai 2026.
func (l *Localizer) Date(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	day := strconv.Itoa(t.Day())
	if l.lang == French && t.Day() == 1 {
		day = "1er"
	}
	return fmt.Sprintf("%s%s%s %d", day, noBreak, l.Month(t.Month()), t.Year())
}

// ShortDate writes the day of t in zone for tables: 22/11/2026.
func (l *Localizer) ShortDate(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("02/01/2006")
}

// Clock writes the time of t in zone on 24 hours: 03:05.
func (l *Localizer) Clock(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("15:04")
}

// DateTime writes both: 22 novembre 2026 à 03:05.
func (l *Localizer) DateTime(t time.Time, zone *time.Location) string {
	at := " à "
	if l.lang == English {
		at = " at "
	}
	return l.Date(t, zone) + at + l.Clock(t, zone)
}

// Month names a month, in lower case in French.
func (l *Localizer) Month(m time.Month) string {
	if l.lang == English || m < time.January || m > time.December {
		return m.String()
	}
	return [...]string{
		"janvier", "février", "mars", "avril", "mai", "juin",
		"juillet", "août", "septembre", "octobre", "novembre", "décembre",
	}[m-1]
}

// Weekday names a day of the week, in lower case in French.
func (l *Localizer) Weekday(d time.Weekday) string {
	if l.lang == English || d < time.Sunday || d > time.Saturday {
		return d.String()
	}
	return [...]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}[d]
}

// Ago says how long before now t was: "il y a 3 min", "à l'instant"; and
// "dans 3 min" when t is to come.
func (l *Localizer) Ago(t, now time.Time) string {
	d := now.Sub(t)
	past := d >= 0
	if !past {
		d = -d
	}
	var length string
	switch {
	case d < 10*time.Second && past:
		if l.lang == English {
			return "just now"
		}
		return "à l’instant"
	case d < time.Minute:
		length = l.Duration(d)
	case d < time.Hour:
		length = l.Duration(d.Truncate(time.Minute))
	case d < 24*time.Hour:
		length = l.Duration(d)
	default:
		length = l.days(int(d / (24 * time.Hour)))
	}
	switch {
	case l.lang == English && past:
		return length + " ago"
	case l.lang == English:
		return "in " + length
	case past:
		return "il y a " + length
	default:
		return "dans " + length
	}
}

// days spells out a number of days, as "il y a 3 jours" is said.
func (l *Localizer) days(n int) string {
	word := "jour"
	if l.lang == English {
		word = "day"
	}
	if !l.singular(n) {
		word += "s"
	}
	return l.Int(n) + noBreak + word
}

// Duration says a length of time as one speaks, to two units at most: 350 ms,
// 45 s, 3 min 20 s, 12 min, 2 h 10, 3 j 4 h. Seconds are left out from ten
// minutes on, minutes from one day on.
func (l *Localizer) Duration(d time.Duration) string {
	if d < 0 {
		return "-" + l.Duration(-max(d, -math.MaxInt64))
	}
	hours, minutes, seconds := int(d/time.Hour), int(d/time.Minute)%60, int(d/time.Second)%60
	unit := func(n int, name string) string { return l.Int(n) + noBreak + name }
	switch {
	case d == 0:
		return unit(0, "s")
	case d < time.Second:
		return unit(int(d/time.Millisecond), "ms")
	case d < time.Minute:
		return unit(seconds, "s")
	case d < 10*time.Minute && seconds > 0:
		return unit(minutes, "min") + noBreak + unit(seconds, "s")
	case d < time.Hour:
		return unit(minutes, "min")
	case d < 24*time.Hour && minutes == 0:
		return unit(hours, "h")
	case d < 24*time.Hour && l.lang == French:
		return fmt.Sprintf("%d%sh%s%02d", hours, noBreak, noBreak, minutes)
	case d < 24*time.Hour:
		return unit(hours, "h") + noBreak + unit(minutes, "min")
	}
	day := "j"
	if l.lang == English {
		day = "d"
	}
	if hours%24 == 0 {
		return unit(hours/24, day)
	}
	return unit(hours/24, day) + noBreak + unit(hours%24, "h")
}

// Bytes writes a size in the units of the language, by thousands: 20 ko, 1,5 Go; 20 kB, 1.5 GB.
func (l *Localizer) Bytes(n int64) string {
	letter := "o"
	if l.lang == English {
		letter = "B"
	}
	size := float64(n)
	prefixes := []string{"", "k", "M", "G", "T", "P"}
	i := 0
	for ; math.Abs(size) >= 999.5 && i < len(prefixes)-1; i++ {
		size /= 1000
	}
	digits := 0
	if i > 0 && math.Abs(size) < 9.95 {
		digits = 1
	}
	return l.Decimal(size, digits) + noBreak + prefixes[i] + letter
}
