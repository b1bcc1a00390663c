// Package oncalltest is « Le tirage des astreintes »: rosters drawn at random and
// a second way to tell who holds them, against which the first is measured.
//
// It promises that the second way shares no arithmetic with the first: it walks
// the minutes of a wall clock one by one.
//
// It never serves the product.
package oncalltest

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory/oncall"
)

// Clockwork is a wall clock walked minute by minute.
type Clockwork struct {
	zone  *time.Location
	from  int64   // minute of the world at reach[0]
	first int64   // minute of the wall at when[0]
	reach []int64 // wall minute reached at each minute of the world; it never goes back
	when  []int64 // first minute of the world at which a wall minute is reached
}

// NewClockwork walks a zone between two instants.
func NewClockwork(zone *time.Location, from, to time.Time) *Clockwork {
	c := &Clockwork{zone: zone, from: from.Unix() / 60}
	reached := int64(-1 << 62)
	for t := from; t.Before(to); t = t.Add(time.Minute) {
		w := t.In(zone)
		wall := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), 0, 0, time.UTC).Unix() / 60
		if len(c.reach) == 0 {
			c.first = wall
		}
		reached = max(reached, wall)
		c.reach = append(c.reach, reached)
		for int64(len(c.when)) <= reached-c.first {
			c.when = append(c.when, t.Unix()/60)
		}
	}
	return c
}

// at is the first instant at which a wall minute is reached.
func (c *Clockwork) at(wall int64) int64 {
	if wall < c.first {
		return -1 << 62
	}
	if wall-c.first >= int64(len(c.when)) {
		return 1 << 62
	}
	return c.when[wall-c.first]
}

// Case is one roster drawn at random, with its replacements.
type Case struct {
	Function     oncall.Function
	Second       oncall.Function
	Replacements []oncall.Replacement
	Left         map[uuid.UUID]time.Time
	clock        *Clockwork
}

// Zones are those whose rosters are drawn: two of them change their hour.
func Zones() []string {
	return []string{"Europe/Paris", "Europe/Paris", "America/Miquelon", "Indian/Reunion", "America/Guadeloupe"}
}

func id(r *rand.Rand) uuid.UUID {
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], r.Uint64())
	binary.BigEndian.PutUint64(u[8:], r.Uint64())
	return u
}

func one[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// Draw makes a roster; around is an instant near which it lives.
func Draw(r *rand.Rand, clocks map[string]*Clockwork, around time.Time) Case {
	zone := one(r, Zones()...)
	c := Case{Left: map[uuid.UUID]time.Time{}, clock: clocks[zone]}
	people := make([]uuid.UUID, 2+r.IntN(6))
	for i := range people {
		people[i] = id(r)
	}
	c.Function = oncall.Function{ID: id(r), Name: "Astreinte", Zone: zone}
	c.Function.Calendar = one(r, oncall.Calendars()...)
	c.Function.Needed = hours(r)
	for range r.IntN(4) {
		c.Function.Rotations = append(c.Function.Rotations, rotation(r, people, oncall.DayOf(around, c.clock.zone)))
	}
	c.Second = oncall.Function{ID: id(r), Name: "Secours", Zone: zone, Roster: oncall.Roster{
		Calendar: c.Function.Calendar, Rotations: []oncall.Rotation{rotation(r, people, oncall.DayOf(around, c.clock.zone))},
	}}
	switch r.IntN(3) {
	case 0:
		c.Function.Fallback = oncall.Step{Kind: oncall.ToPerson, ID: one(r, people...)}
	case 1:
		c.Function.Fallback = oncall.Step{Kind: oncall.ToFunction, ID: c.Second.ID}
	}
	for n := range r.IntN(5) {
		from := around.Add(time.Duration(r.IntN(20*24*60)-10*24*60) * time.Minute).Truncate(15 * time.Minute)
		var rid uuid.UUID
		binary.BigEndian.PutUint64(rid[:8], uint64(n+1))
		c.Replacements = append(c.Replacements, oncall.Replacement{
			ID: rid, Function: one(r, c.Function.ID, c.Second.ID), Person: one(r, people...), From: from, To: from.Add(time.Duration(1+r.IntN(96)) * 30 * time.Minute),
		})
	}
	if r.IntN(4) == 0 {
		c.Left[people[0]] = around.Add(time.Duration(r.IntN(10*24)-5*24) * time.Hour)
	}
	return c
}

func hours(r *rand.Rand) oncall.Hours {
	if r.IntN(2) == 0 {
		return oncall.Hours{}
	}
	return oncall.Hours{
		Nights: r.IntN(2) == 0, From: oncall.Hour(r.IntN(24 * 60)), To: oncall.Hour(r.IntN(24 * 60)), Weekends: r.IntN(2) == 0, Holidays: r.IntN(2) == 0,
	}
}

func rotation(r *rand.Rand, people []uuid.UUID, around oncall.Day) oncall.Rotation {
	out := oncall.Rotation{
		ID: id(r), Start: around - oncall.Day(r.IntN(40)) + 5, Handover: one(r, oncall.Hour(8*60), oncall.Hour(r.IntN(24*60)), oncall.Hour(2*60+30)),
		Every: 1 + r.IntN(3), Unit: one(r, oncall.Hourly, oncall.Daily, oncall.Weekly), Hours: hours(r),
	}
	if out.Unit == oncall.Hourly {
		out.Every = one(r, 1, 6, 8, 12, 24, 36)
	}
	if r.IntN(4) == 0 {
		out.Until = out.Start + oncall.Day(1+r.IntN(40))
	}
	for range 1 + r.IntN(len(people)) {
		out.Members = append(out.Members, one(r, people...))
	}
	return out
}

// Miscovered counts the hours between two instants that the spans of the roster
// do not cover exactly once, or give to another than the second way does.
func (c Case) Miscovered(from, to time.Time) (hours, wrong int, err error) {
	book, err := oncall.NewBook([]oncall.Function{c.Function, c.Second}, c.Replacements, c.Left)
	if err != nil {
		return 0, 0, err
	}
	spans := book.Spans(c.Function.ID, from, to)
	for t := from; t.Before(to); t = t.Add(time.Hour) {
		hours++
		covering, holder, agreed := 0, c.holder(c.Function, t, true), false
		for _, s := range spans {
			if !t.Before(s.From) && t.Before(s.To) {
				covering++
				agreed = s.Person == holder
			}
		}
		if covering != 1 || !agreed || book.At(c.Function.ID, t).Person != holder {
			wrong++
		}
	}
	return hours, wrong, nil
}

// holder is the second way.
func (c Case) holder(f oncall.Function, t time.Time, fallback bool) uuid.UUID {
	here := func(p uuid.UUID) bool { left, gone := c.Left[p]; return !gone || t.Before(left) }
	for _, r := range slices.Backward(c.Replacements) {
		if r.Function == f.ID && !t.Before(r.From) && t.Before(r.To) && here(r.Person) {
			return r.Person
		}
	}
	minute := t.Unix() / 60
	for _, r := range f.Rotations {
		if p := c.turn(r, minute); p != uuid.Nil && c.within(r.Hours, f.Calendar, minute) && here(p) {
			return p
		}
	}
	switch {
	case f.Fallback.Kind == oncall.ToPerson && here(f.Fallback.ID):
		return f.Fallback.ID
	case f.Fallback.Kind == oncall.ToFunction && fallback:
		return c.holder(c.Second, t, false)
	}
	return uuid.Nil
}

func (c Case) turn(r oncall.Rotation, minute int64) uuid.UUID {
	day := int64(24 * 60)
	length := map[oncall.Unit]int64{oncall.Hourly: 60, oncall.Daily: day, oncall.Weekly: 7 * day}[r.Unit] * int64(r.Every)
	start := int64(r.Start)*day + int64(r.Handover)
	if minute < c.clock.at(start) || r.Until != 0 && minute >= c.clock.at(int64(r.Until)*day+int64(r.Handover)) {
		return uuid.Nil
	}
	n := 0
	for wall := start + length; c.clock.at(wall) <= minute; wall += length {
		n++
	}
	return r.Members[n%len(r.Members)]
}

// within walks back from an instant to the days that may hold it.
func (c Case) within(h oncall.Hours, calendar oncall.Calendar, minute int64) bool {
	if !h.Nights && !h.Weekends && !h.Holidays {
		return true
	}
	day := int64(24 * 60)
	today := c.clock.reach[minute-c.clock.from] / day
	for d := today - 1; d <= today; d++ {
		end := d
		if h.To <= h.From {
			end++
		}
		if h.Nights && c.clock.at(d*day+int64(h.From)) <= minute && minute < c.clock.at(end*day+int64(h.To)) {
			return true
		}
		date := time.Unix(d*24*60*60, 0).UTC()
		_, holiday := oncall.HolidayOn(calendar, oncall.Day(d))
		weekend := date.Weekday() == time.Saturday || date.Weekday() == time.Sunday
		whole := c.clock.at(d*day) <= minute && minute < c.clock.at((d+1)*day)
		if whole && (h.Weekends && weekend || h.Holidays && holiday) {
			return true
		}
	}
	return false
}

// Measure draws rosters and counts, over ten days around each change of hour of
// 2026 in France, the hours that are not covered exactly once.
func Measure(ctx context.Context, rosters int, seed uint64) (hours, wrong int, err error) {
	clocks := map[string]*Clockwork{}
	from, to := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	for _, name := range Zones() {
		if clocks[name] == nil {
			zone, err := time.LoadLocation(name)
			if err != nil {
				return 0, 0, err
			}
			clocks[name] = NewClockwork(zone, from, to)
		}
	}
	r := rand.New(rand.NewPCG(seed, 1))
	changes := []time.Time{
		time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC),
	}
	for range rosters {
		if err := ctx.Err(); err != nil {
			return hours, wrong, err
		}
		for _, change := range changes {
			c := Draw(r, clocks, change)
			if c.Function.Zone == "America/Miquelon" { // it changes with North America
				change = map[time.Month]time.Time{
					time.March: time.Date(2026, 3, 8, 5, 0, 0, 0, time.UTC), time.October: time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC),
				}[change.Month()]
			}
			h, w, err := c.Miscovered(change.Add(-5*24*time.Hour), change.Add(5*24*time.Hour))
			if err != nil {
				return hours, wrong, err
			}
			hours, wrong = hours+h, wrong+w
		}
	}
	return hours, wrong, nil
}
