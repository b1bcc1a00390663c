package oncall

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Via is by what somebody holds a function.
type Via string

// The ways to hold a function, and the two of not holding it.
const (
	ByRotation    Via = "rotation"
	ByReplacement Via = "replacement"
	ByFallback    Via = "fallback"
	// Gap is an hour in which somebody is needed and nobody holds the function.
	Gap Via = "gap"
	// Idle is an hour in which nobody is needed.
	Idle Via = "idle"
)

// Holding is who holds a function at an instant; Person is Nil for Gap and Idle.
type Holding struct {
	Person uuid.UUID
	Via    Via
	// Rotation or Replacement that says so; Nil for the other ways.
	Source uuid.UUID
	// Through is the function that lends its holder as a fallback.
	Through uuid.UUID
	// Spare tells a fallback in an hour in which nobody is needed.
	Spare bool
}

// Held tells that somebody holds the function.
func (h Holding) Held() bool { return h.Person != uuid.Nil }

// Span is a stretch of time with one holding.
type Span struct {
	From, To time.Time
	Holding
}

// depthMost bounds fallbacks of fallbacks.
const depthMost = 4

// Book is the rosters of an establishment, ready to be read.
type Book struct {
	entries map[uuid.UUID]*entry
	// left is from when somebody no longer works here.
	left map[uuid.UUID]time.Time
}

type entry struct {
	Function
	zone         *time.Location
	holidays     *holidayBook
	replacements []Replacement // the latest first
}

func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("zone %q is none", name)
	}
	return time.LoadLocation(name)
}

// NewBook opens the rosters of an establishment. Replacements count in the
// reverse order of their ids: the last one decided wins. An error names a
// function whose zone is unknown.
func NewBook(functions []Function, replacements []Replacement, left map[uuid.UUID]time.Time) (*Book, error) {
	b := &Book{entries: make(map[uuid.UUID]*entry, len(functions)), left: left}
	for _, f := range functions {
		zone, err := loadZone(f.Zone)
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", f.ID, err)
		}
		b.entries[f.ID] = &entry{Function: f, zone: zone, holidays: newHolidayBook(f.Calendar)}
	}
	for _, r := range replacements {
		if e, ok := b.entries[r.Function]; ok {
			e.replacements = append(e.replacements, r)
		}
	}
	for _, e := range b.entries {
		slices.SortStableFunc(e.replacements, func(x, y Replacement) int { return bytes.Compare(y.ID[:], x.ID[:]) })
	}
	return b, nil
}

// At tells who holds a function at an instant; an unknown function is Idle.
func (b *Book) At(function uuid.UUID, t time.Time) Holding { return b.at(function, t, 0) }

func (b *Book) at(function uuid.UUID, t time.Time, depth int) Holding {
	e, ok := b.entries[function]
	if !ok || depth > depthMost {
		return Holding{Via: Idle}
	}
	for _, r := range e.replacements {
		if !t.Before(r.From) && t.Before(r.To) && b.here(r.Person, t) {
			return Holding{Person: r.Person, Via: ByReplacement, Source: r.ID}
		}
	}
	for i := range e.Rotations {
		r := &e.Rotations[i]
		if person, ok := r.holder(t, e.zone); ok && r.Hours.hold(t, e.holidays, e.zone) && b.here(person, t) {
			return Holding{Person: person, Via: ByRotation, Source: r.ID}
		}
	}
	switch e.Fallback.Kind {
	case ToPerson:
		if b.here(e.Fallback.ID, t) {
			return Holding{Person: e.Fallback.ID, Via: ByFallback, Spare: !e.needed(t)}
		}
	case ToFunction:
		if h := b.at(e.Fallback.ID, t, depth+1); h.Held() {
			return Holding{Person: h.Person, Via: ByFallback, Through: e.Fallback.ID, Spare: !e.needed(t)}
		}
	case ToGroup:
	}
	if e.needed(t) {
		return Holding{Via: Gap}
	}
	return Holding{Via: Idle}
}

// needed tells whether somebody must hold the function at an instant.
func (e *entry) needed(t time.Time) bool { return e.Needed.hold(t, e.holidays, e.zone) }

// here tells that somebody still works here at an instant.
func (b *Book) here(person uuid.UUID, t time.Time) bool {
	left, leaves := b.left[person]
	return person != uuid.Nil && (!leaves || t.Before(left))
}

// handover is when the turn of that number begins.
func (r *Rotation) handover(turn int64, zone *time.Location) time.Time {
	return instant(int64(r.Start)*minutesPerDay+int64(r.Handover)+turn*r.turn(), zone)
}

// number is that of the turn under way; it may be before the first.
func (r *Rotation) number(t time.Time, zone *time.Location) int64 {
	n := floorDiv(wallMinute(t, zone)-int64(r.Start)*minutesPerDay-int64(r.Handover), r.turn())
	for r.handover(n, zone).After(t) {
		n--
	}
	for !r.handover(n+1, zone).After(t) {
		n++
	}
	return n
}

// holder is whose turn it is, whatever the hours.
func (r *Rotation) holder(t time.Time, zone *time.Location) (uuid.UUID, bool) {
	if len(r.Members) == 0 || r.turn() <= 0 || t.Before(r.handover(0, zone)) {
		return uuid.Nil, false
	}
	if r.Until != 0 && !t.Before(r.Until.At(r.Handover, zone)) {
		return uuid.Nil, false
	}
	return r.Members[r.number(t, zone)%int64(len(r.Members))], true
}

// Spans cuts the time between two instants by who holds the function: without a
// hole, without an overlap, in order. Neighbours differ. It is empty when to is
// not after from.
func (b *Book) Spans(function uuid.UUID, from, to time.Time) []Span {
	from, to = from.UTC(), to.UTC()
	if !to.After(from) {
		return nil
	}
	cuts := append(b.cuts(function, from, to, 0), from)
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = append(slices.CompactFunc(cuts, time.Time.Equal), to)
	var out []Span
	for i, cut := range cuts[:len(cuts)-1] {
		h := b.At(function, cut)
		if last := len(out) - 1; last >= 0 && out[last].Holding == h {
			out[last].To = cuts[i+1]
			continue
		}
		out = append(out, Span{From: cut, To: cuts[i+1], Holding: h})
	}
	return out
}

// cuts are the instants strictly between two others at which a holding may change.
func (b *Book) cuts(function uuid.UUID, from, to time.Time, depth int) []time.Time {
	e, ok := b.entries[function]
	if !ok || depth > depthMost {
		return nil
	}
	var out []time.Time
	add := func(instants ...time.Time) {
		for _, t := range instants {
			if t.After(from) && t.Before(to) {
				out = append(out, t)
			}
		}
	}
	people := []uuid.UUID{e.Fallback.ID}
	for _, r := range e.replacements {
		add(r.From, r.To)
		people = append(people, r.Person)
	}
	first, last := DayOf(from, e.zone)-1, DayOf(to, e.zone)+1
	hours := []Hours{e.Needed}
	for i := range e.Rotations {
		r := &e.Rotations[i]
		people = append(people, r.Members...)
		hours = append(hours, r.Hours)
		if r.turn() <= 0 {
			continue
		}
		for n := max(0, r.number(from, e.zone)); ; n++ {
			at := r.handover(n, e.zone)
			if !at.Before(to) {
				break
			}
			add(at)
		}
		if r.Until != 0 {
			add(r.Until.At(r.Handover, e.zone))
		}
	}
	for _, h := range hours {
		for d := first; d <= last && !h.Always(); d++ {
			for _, s := range h.of(d, e.holidays, e.zone) {
				add(s.from, s.to)
			}
		}
	}
	for _, p := range people {
		if left, leaves := b.left[p]; leaves {
			add(left)
		}
	}
	if e.Fallback.Kind == ToFunction {
		out = append(out, b.cuts(e.Fallback.ID, from, to, depth+1)...)
	}
	return out
}
