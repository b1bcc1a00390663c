package oncall

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/teambition/rrule-go"

	"tocsin/internal/fault"
)

// The limits of a calendar that is read.
const (
	calendarBytes = 4 << 20
	eventsMost    = 20_000
	// repeatsMost bounds the times one event repeats; beyond calendarReach nothing is believed.
	repeatsMost   = 800
	calendarReach = 400 * 24 * time.Hour
	// repeatingMost events may repeat in one file.
	repeatingMost = 1_000
)

// claim is what a line of a file says: somebody holds a function for a time.
type claim struct {
	line             int
	function, person string
	from, to         time.Time
	// key and args are what is wrong with it; empty when it was understood.
	key  string
	args []any
}

// readCalendar reads the events of a calendar as claims; those that ended long
// ago are left out. Errors: Invalid when it is no calendar or too large.
func readCalendar(r io.Reader, zone *time.Location, now time.Time) (out []claim, err error) {
	text, err := io.ReadAll(io.LimitReader(r, calendarBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read calendar: %w", err)
	}
	if len(text) > calendarBytes {
		return nil, fault.New(fault.Invalid, "directory.oncall.import.large", "limit", calendarBytes>>20)
	}
	cal, err := parseCalendar(text)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "directory.oncall.import.no_calendar")
	}
	repeating := 0
	for i, e := range cal.Events() {
		if e.GetProperty(ics.ComponentPropertyRrule) != nil {
			repeating++
		}
		if repeating > repeatingMost {
			return nil, fault.New(fault.Invalid, "directory.oncall.import.many", "limit", repeatingMost)
		}
		if len(out) >= eventsMost {
			return nil, fault.New(fault.Invalid, "directory.oncall.import.many", "limit", eventsMost)
		}
		out = append(out, claimsOf(e, i+1, zone, now)...)
	}
	return out, nil
}

// parseCalendar turns a failure of the reader, whatever it is, into an error.
func parseCalendar(text []byte) (cal *ics.Calendar, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("calendar: %v", r)
		}
	}()
	cal, err = ics.ParseCalendar(bytes.NewReader(text))
	if err == nil && cal == nil {
		err = errors.New("no calendar")
	}
	return cal, err
}

// claimsOf reads one event, each time it repeats.
func claimsOf(e *ics.VEvent, number int, zone *time.Location, now time.Time) []claim {
	c := claim{line: number}
	if p := e.GetProperty(ics.ComponentPropertySummary); p != nil {
		c.function, c.person = parted(p.Value)
	}
	if p := e.GetProperty(ics.ComponentPropertyAttendee); p != nil {
		if names := p.ICalParameters[string(ics.ParameterCn)]; len(names) > 0 {
			c.person = strings.Trim(names[0], `"`)
		}
	}
	wrong := func(key string) []claim {
		c.key = key
		return []claim{c}
	}
	if p := e.GetProperty(ics.ComponentPropertyStatus); p != nil && strings.EqualFold(p.Value, string(ics.ObjectStatusCancelled)) {
		return nil
	}
	var err error
	if c.from, err = momentOf(e, ics.ComponentPropertyDtStart, zone); err != nil {
		return wrong("directory.oncall.import.no_start")
	}
	if c.to, err = momentOf(e, ics.ComponentPropertyDtEnd, zone); err != nil || !c.to.After(c.from) || c.to.Sub(c.from) > replacementMost {
		return wrong("directory.oncall.import.no_end")
	}
	rule := e.GetProperty(ics.ComponentPropertyRrule)
	if rule == nil {
		if c.to.Before(now.Add(-calendarBack)) {
			return nil
		}
		return []claim{c}
	}
	times, ok := repeats(rule.Value, c.from.In(zone), now)
	if !ok {
		return wrong("directory.oncall.import.rule")
	}
	gone := exceptions(e, zone)
	var out []claim
	for _, t := range times {
		if again := c; !gone[t.Unix()] {
			again.from, again.to = t.UTC(), t.Add(c.to.Sub(c.from)).UTC()
			out = append(out, again)
		}
	}
	return out
}

// parted cuts "Cadre de garde – ALBERT Alice"; a summary without a mark names somebody.
func parted(summary string) (function, person string) {
	for _, mark := range []string{summaryMark, " - ", " : "} {
		if before, after, found := strings.Cut(summary, mark); found {
			return strings.TrimSpace(before), strings.TrimSpace(after)
		}
	}
	return "", strings.TrimSpace(summary)
}

// momentOf reads a date and time: universal, of the zone it names, or of the zone given.
func momentOf(e *ics.VEvent, which ics.ComponentProperty, zone *time.Location) (time.Time, error) {
	p := e.GetProperty(which)
	if p == nil {
		return time.Time{}, errors.New("no such property")
	}
	return momentIn(p.Value, p.ICalParameters[string(ics.ParameterTzid)], zone)
}

func momentIn(value string, named []string, zone *time.Location) (time.Time, error) {
	if len(named) > 0 {
		if z, err := loadZone(strings.Trim(named[0], `"`)); err == nil {
			zone = z // a name of another system is that of the place
		}
	}
	var t time.Time
	var err error
	switch {
	case strings.HasSuffix(value, "Z"):
		t, err = time.Parse("20060102T150405Z", value)
	case strings.Contains(value, "T"):
		t, err = time.ParseInLocation("20060102T150405", value, zone)
	default:
		t, err = time.ParseInLocation("20060102", value, zone)
	}
	if err == nil && (t.Year() < 2000 || t.Year() > 2200) {
		err = errors.New("a year out of reach")
	}
	return t.UTC(), err
}

// exceptions are the times at which an event does not repeat.
func exceptions(e *ics.VEvent, zone *time.Location) map[int64]bool {
	out := map[int64]bool{}
	for _, p := range e.GetProperties(ics.ComponentPropertyExdate) {
		for value := range strings.SplitSeq(p.Value, ",") {
			if t, err := momentIn(value, p.ICalParameters[string(ics.ParameterTzid)], zone); err == nil && len(out) < repeatsMost {
				out[t.Unix()] = true
			}
		}
	}
	return out
}

// repeats lists when an event that repeats by day or by week begins, from a
// little before now to calendarReach after it. ok is false for another rule: one
// that repeats each second would never end.
func repeats(rule string, first, now time.Time) (out []time.Time, ok bool) {
	if len(rule) > 500 {
		return nil, false
	}
	o, err := rrule.StrToROption(rule)
	if err != nil || o.Freq != rrule.DAILY && o.Freq != rrule.WEEKLY || o.Interval < 0 || o.Interval > 366 ||
		len(o.Bysetpos)+len(o.Bymonth)+len(o.Bymonthday)+len(o.Byyearday)+len(o.Byweekno)+len(o.Byhour)+len(o.Byminute)+len(o.Bysecond)+len(o.Byeaster) > 0 {
		return nil, false
	}
	// A rule that never falls would be followed to the year 9999, and one that began long ago day by day.
	if o.Freq == rrule.DAILY && o.Interval > 1 && len(o.Byweekday) > 0 || now.Sub(first) > 5*calendarReach {
		return nil, false
	}
	o.Dtstart = first
	r, err := rrule.NewRRule(*o)
	if err != nil {
		return nil, false
	}
	next := r.Iterator()
	for t, more := next(); more && t.Before(now.Add(calendarReach)) && len(out) < repeatsMost; t, more = next() {
		if t.After(now.Add(-calendarBack)) {
			out = append(out, t)
		}
	}
	return out, true
}
