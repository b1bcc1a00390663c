package proof

import (
	"time"
)

// Hours are when a message may leave, on the clock of the person's site:
// from From o'clock to To o'clock, never on a Sunday or a holiday.
type Hours struct {
	From, To  int
	Saturdays bool
}

// The earliest and the latest hours that can be chosen: nobody is woken to be
// asked whether he could be woken.
const (
	hourFirst = 8
	hourLast  = 20
)

func (h Hours) decent() bool { return h.From >= hourFirst && h.To <= hourLast && h.To > h.From }

// window is the opening that holds now on that clock; open is false when none does.
func (h Hours) window(now time.Time, zone *time.Location) (from, to time.Time, open bool) {
	local := now.In(zone)
	y, m, d := local.Date()
	from, to = time.Date(y, m, d, h.From, 0, 0, 0, zone), time.Date(y, m, d, h.To, 0, 0, 0, zone)
	switch {
	case local.Weekday() == time.Sunday, local.Weekday() == time.Saturday && !h.Saturdays, holiday(local):
		return from, to, false
	}
	return from, to, !now.Before(from) && now.Before(to)
}

// allowed is how many messages of a day's quota may have left by now: they are
// spread over the opening, all of them half an hour before its end.
func (h Hours) allowed(quota int, now, from, to time.Time) int {
	spread := to.Sub(from) - 30*time.Minute
	elapsed := now.Sub(from) + 5*time.Minute
	if elapsed >= spread {
		return quota
	}
	return max(1, int(int64(quota)*int64(elapsed)/int64(spread)))
}

// holiday tells the eleven public holidays of France (Code du travail, L3133-1).
func holiday(t time.Time) bool {
	y, m, d := t.Date()
	switch {
	case m == time.January && d == 1, m == time.May && (d == 1 || d == 8), m == time.July && d == 14,
		m == time.August && d == 15, m == time.November && (d == 1 || d == 11), m == time.December && d == 25:
		return true
	}
	switch day := t.YearDay() - easter(y); day {
	case 1, 39, 50: // Easter Monday, Ascension, Whit Monday
		return true
	}
	return false
}

// easter is the day of the year of Easter Sunday (Gregorian computus of Meeus, Jones and Butcher).
func easter(year int) int {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	month, day := (h+l-7*m+114)/31, (h+l-7*m+114)%31+1
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).YearDay()
}
