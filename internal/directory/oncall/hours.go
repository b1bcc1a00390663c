package oncall

import (
	"time"
)

// Hours are those in which something holds: any of nights, week-ends and public
// holidays. Its zero value is always.
type Hours struct {
	// Nights go from From to To, of the next day when To is not after From.
	Nights bool `json:"nights,omitempty"`
	From   Hour `json:"from,omitempty"`
	To     Hour `json:"to,omitempty"`
	// Weekends are Saturdays and Sundays, whole.
	Weekends bool `json:"weekends,omitempty"`
	// Holidays are public holidays, whole.
	Holidays bool `json:"holidays,omitempty"`
}

// Always tells hours without a limit.
func (h Hours) Always() bool { return !h.Nights && !h.Weekends && !h.Holidays }

// stretch is a piece of time, its end excluded.
type stretch struct{ from, to time.Time }

func (s stretch) holds(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }

// of lists the stretches that begin on a day; they may overlap.
func (h Hours) of(d Day, holidays *holidayBook, zone *time.Location) []stretch {
	var out []stretch
	if h.Nights {
		until := d
		if h.To <= h.From {
			until++
		}
		out = append(out, stretch{d.At(h.From, zone), until.At(h.To, zone)})
	}
	rest := h.Weekends && (d.Weekday() == time.Saturday || d.Weekday() == time.Sunday)
	if rest || h.Holidays && holidays.on(d) {
		out = append(out, stretch{d.At(0, zone), (d + 1).At(0, zone)})
	}
	return out
}

// hold tells whether an instant is within the hours.
func (h Hours) hold(t time.Time, holidays *holidayBook, zone *time.Location) bool {
	if h.Always() {
		return true
	}
	today := DayOf(t, zone)
	for d := today - 1; d <= today+1; d++ {
		for _, s := range h.of(d, holidays, zone) {
			if s.holds(t) {
				return true
			}
		}
	}
	return false
}

// holidayBook remembers the holidays of the years it was asked of.
type holidayBook struct {
	calendar Calendar
	years    map[int]map[Day]bool
}

func newHolidayBook(c Calendar) *holidayBook {
	return &holidayBook{calendar: c, years: map[int]map[Day]bool{}}
}

func (b *holidayBook) on(d Day) bool {
	year := d.utc().Year()
	known, ok := b.years[year]
	if !ok {
		known = map[Day]bool{}
		for _, h := range Holidays(b.calendar, year) {
			known[h.Day] = true
		}
		b.years[year] = known
	}
	return known[d]
}
