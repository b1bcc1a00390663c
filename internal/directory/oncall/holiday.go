package oncall

import (
	"slices"
	"time"
)

// Calendar names the public holidays of a place. The values are stored.
type Calendar string

// The calendars.
const (
	Metropole           Calendar = "metropole"
	AlsaceMoselle       Calendar = "alsace_moselle"
	Guadeloupe          Calendar = "guadeloupe"
	Martinique          Calendar = "martinique"
	Guyane              Calendar = "guyane"
	Reunion             Calendar = "reunion"
	Mayotte             Calendar = "mayotte"
	SaintBarthelemy     Calendar = "saint_barthelemy"
	SaintMartin         Calendar = "saint_martin"
	SaintPierreMiquelon Calendar = "saint_pierre_miquelon"
)

// Calendars lists them in the order they are shown.
func Calendars() []Calendar {
	return []Calendar{
		Metropole, AlsaceMoselle, Guadeloupe, Martinique, Guyane, Reunion, Mayotte, SaintBarthelemy, SaintMartin, SaintPierreMiquelon,
	}
}

// CalendarOf is the likely calendar of a zone: an establishment may choose another.
func CalendarOf(zone string) Calendar {
	switch zone {
	case "America/Guadeloupe":
		return Guadeloupe
	case "America/Martinique":
		return Martinique
	case "America/Cayenne":
		return Guyane
	case "Indian/Reunion":
		return Reunion
	case "Indian/Mayotte":
		return Mayotte
	case "America/St_Barthelemy":
		return SaintBarthelemy
	case "America/Marigot":
		return SaintMartin
	case "America/Miquelon":
		return SaintPierreMiquelon
	}
	return Metropole
}

// Holiday is a public holiday; Name ends the key of its word.
type Holiday struct {
	Day  Day
	Name string
}

// Holidays lists the public holidays of a year, in order. Customs that no law
// makes a holiday (Good Friday or Mi-Carême in the Antilles, Cyparis…) are not
// among them.
func Holidays(c Calendar, year int) []Holiday {
	on := func(month time.Month, day int) Day {
		return Day(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), 24*60*60))
	}
	easter := Easter(year)
	// Code du travail, article L. 3133-1: the eleven fêtes légales.
	out := []Holiday{
		{on(time.January, 1), "new_year"},
		{easter + 1, "easter_monday"},
		{on(time.May, 1), "labour_day"},
		{on(time.May, 8), "victory_1945"},
		{easter + 39, "ascension"},
		{easter + 50, "whit_monday"},
		{on(time.July, 14), "national_day"},
		{on(time.August, 15), "assumption"},
		{on(time.November, 1), "all_saints"},
		{on(time.November, 11), "armistice"},
		{on(time.December, 25), "christmas"},
	}
	abolition := func(month time.Month, day int) {
		// Loi n° 83-550 du 30 juin 1983, décret n° 83-1003 du 23 novembre 1983 and
		// code du travail, article L. 3422-2: the abolition of slavery, by territory.
		out = append(out, Holiday{on(month, day), "abolition"})
	}
	switch c {
	case AlsaceMoselle:
		// Code du travail, article L. 3134-13 (ordonnance du 16 août 1892). Good Friday
		// is a holiday in communes with a Protestant temple or a mixed church: a
		// roster that must be held one night too many beats one that is not held.
		out = append(out, Holiday{easter - 2, "good_friday"}, Holiday{on(time.December, 26), "saint_stephen"})
	case Mayotte:
		abolition(time.April, 27)
	case Martinique:
		abolition(time.May, 22)
	case Guadeloupe:
		abolition(time.May, 27)
	case SaintMartin:
		abolition(time.May, 28)
	case Guyane:
		abolition(time.June, 10)
	case SaintBarthelemy:
		abolition(time.October, 9)
	case Reunion:
		abolition(time.December, 20)
	case Metropole, SaintPierreMiquelon:
	}
	slices.SortFunc(out, func(a, b Holiday) int { return int(a.Day) - int(b.Day) })
	return out
}

// HolidayOn tells whether a day is a public holiday, and its name.
func HolidayOn(c Calendar, d Day) (name string, is bool) {
	for _, h := range Holidays(c, d.utc().Year()) {
		if h.Day == d {
			return h.Name, true
		}
	}
	return "", false
}

// Easter is Easter Sunday of the Gregorian calendar, by the anonymous algorithm
// of 1876 (Butcher, in Meeus, Astronomical Algorithms, chapter 8), valid from 1583.
func Easter(year int) Day {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return Day(floorDiv(time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC).Unix(), 24*60*60))
}
