package lab

import "time"

// clockwork is a time as the hospital reads it.
type clockwork struct {
	days, hour int  // days since the start
	rest       bool // Saturday, Sunday or a public holiday
	monday     int  // 0 on Mondays
}

func (h *Hospital) wall(at int64) clockwork { return h.clockOf(time.UnixMicro(at).In(h.zone)) }

func (h *Hospital) clockOf(t time.Time) clockwork {
	c := clockwork{hour: t.Hour(), monday: (int(t.Weekday()) + 6) % 7}
	// Counted at noon, so that a change of the hour moves no day.
	noon := time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, h.zone)
	c.days = int(noon.Unix()-h.opt.Start.Unix()) / (24 * 3600)
	c.rest = c.monday > 4 || holidays[t.Format("01-02")]
	return c
}

// holidays are those on a fixed date: the laboratory has no Easter.
var holidays = map[string]bool{"01-01": true, "05-01": true, "05-08": true, "07-14": true, "08-15": true, "11-01": true, "11-11": true, "12-25": true}

// works tells whether somebody is at work.
func (h *Hospital) works(i int, c clockwork) bool {
	p := &h.people[i]
	if p.left > 0 && h.hourAt.UnixMicro() >= p.left {
		return false
	}
	if !p.function.shifts {
		if p.function.doctor && p.service < h.wards && h.onCall(i, c) {
			return true
		}
		return !c.rest && c.hour >= 8 && c.hour < 17
	}
	days := c.days
	if c.hour < 7 {
		days-- // the night belongs to the evening before
	}
	if (days+p.offset)%7 >= 5 || (days+p.offset)%7 < 0 {
		return false
	}
	shift := p.shift
	if shift < 3 { // mornings and evenings by turns; one in four works at night
		shift = (shift + days/7) % 2
	}
	switch shift {
	case 0:
		return c.hour >= 7 && c.hour < 14
	case 1:
		return c.hour >= 14 && c.hour < 21
	}
	return c.hour >= 21 || c.hour < 7
}

// onCall tells whether a doctor is the one of the ward for the night or the day
// of rest.
func (h *Hospital) onCall(i int, c clockwork) bool {
	if !c.rest && c.hour >= 8 && c.hour < 18 {
		return false
	}
	days := c.days
	if c.hour < 8 {
		days--
	}
	doctors := h.services[h.people[i].service].doctors
	return len(doctors) > 0 && doctors[((days%len(doctors))+len(doctors))%len(doctors)] == i
}

// alsoFor is the ward that a doctor on call sees to besides his own.
func (h *Hospital) alsoFor(ward int) int { return (ward + 1) % h.wards }

// lentTo is the ward that a nurse without one works for that day.
func (h *Hospital) lentTo(i int, c clockwork) int {
	days := c.days
	if c.hour < 7 {
		days--
	}
	return (i*31 + max(days, 0)*7) % h.wards
}

// workload is about how many events a week brings.
func (h *Hospital) workload() float64 {
	sum := 0.0
	for n := range 7 * 24 {
		c := h.clockOf(h.opt.Start.Add(time.Duration(n) * time.Hour))
		for i := range h.people {
			if h.works(i, c) {
				sum += h.people[i].function.pace * load(c.hour)
			}
		}
	}
	return sum * eventsOfSession
}

// load is how busy an hour is.
func load(hour int) float64 {
	switch {
	case hour >= 8 && hour < 12:
		return 1.2
	case hour >= 14 && hour < 19:
		return 1
	case hour < 6 || hour >= 22:
		return 0.35
	}
	return 0.8
}
