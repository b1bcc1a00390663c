package detect

import "time"

// slot is an hour in the life of an establishment.
type slot struct {
	day  int // since 1 January 1970, by the clock on the wall
	hour int // 0 to 23
	week int // hour of the week, 0 to 167 from Monday at midnight; a public holiday is a Sunday
	kind int // hour of a working day (0 to 23) or of a day of rest (24 to 47)
	no   int64
}

// calendar turns times into slots. It keeps the last hour: events come in order.
type calendar struct {
	zone  *time.Location
	begin int64
	last  slot
	year  int
	off   map[int]bool
}

func (c *calendar) slot(at int64) slot {
	begin := at - mod(at, hour/4) // zones differ by quarters of an hour
	if begin == c.begin && c.last.no != 0 {
		return c.last
	}
	t := time.UnixMicro(begin).In(c.zone)
	days := dayNumber(t.Year(), t.Month(), t.Day())
	weekday := (int(t.Weekday()) + 6) % 7
	if c.holiday(days, t.Year()) {
		weekday = 6
	}
	s := slot{day: days, hour: t.Hour(), week: weekday*24 + t.Hour(), kind: t.Hour(), no: int64(days)*24 + int64(t.Hour())}
	if weekday > 4 {
		s.kind += 24
	}
	c.begin, c.last = begin, s
	return s
}

func mod(a, b int64) int64 { return (a%b + b) % b }

func dayNumber(year int, month time.Month, d int) int {
	return int(mod0(time.Date(year, month, d, 0, 0, 0, 0, time.UTC).Unix(), 24*60*60))
}

// mod0 divides towards minus infinity.
func mod0(a, b int64) int64 { return (a - mod(a, b)) / b }

// holiday tells whether a day is one of the eleven fêtes légales (code du
// travail, article L. 3133-1). The customs of territories are left to the weeks
// that are learnt: a day more or less changes what is usual by little. It is
// counted here because the room of the rosters, which knows them all, is not ours
// to enter.
func (c *calendar) holiday(days, year int) bool {
	if c.year != year || c.off == nil {
		c.year, c.off = year, map[int]bool{}
		for _, f := range [...]struct {
			month time.Month
			day   int
		}{{1, 1}, {5, 1}, {5, 8}, {7, 14}, {8, 15}, {11, 1}, {11, 11}, {12, 25}} {
			c.off[dayNumber(year, f.month, f.day)] = true
		}
		for _, after := range [...]int{1, 39, 50} { // Easter Monday, Ascension, Whit Monday
			c.off[easter(year)+after] = true
		}
	}
	return c.off[days]
}

// easter is the day of Easter Sunday of the Gregorian calendar (Meeus,
// Astronomical Algorithms, chapter 8).
func easter(year int) int {
	a, b, c := year%19, year/100, year%100
	g := (b - (b+8)/25 + 1) / 3
	h := (19*a + b - b/4 - g + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return dayNumber(year, time.Month(n/31), n%31+1)
}
