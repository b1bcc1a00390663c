package oncall

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/fault"
)

// Function is what somebody holds at every instant: « Cadre de garde ».
type Function struct {
	ID   uuid.UUID
	Name string
	// Site is Nil for a function of the whole establishment.
	Site uuid.UUID
	// Zone is the wall clock the hours are those of: "Europe/Paris".
	Zone string
	Roster
	// Revision guards against two people editing at once.
	Revision int64
	Updated  time.Time
}

// Roster is how a function is held, and who comes after. It is stored as JSON.
type Roster struct {
	Calendar Calendar `json:"calendar"`
	// Needed are the hours in which somebody must hold the function: nobody
	// outside them is not a gap.
	Needed Hours `json:"needed"`
	// Rotations are tried in order: the first whose hours hold gives the holder.
	Rotations []Rotation `json:"rotations,omitempty"`
	// Fallback holds the function when nothing else does.
	Fallback Step `json:"fallback,omitzero"`
	// Chain are the levels from 2: whom to call when the holder does not answer.
	Chain []Step `json:"chain,omitempty"`
}

// StepKind is what a step of the chain names. The values are stored.
type StepKind string

// The kinds of steps.
const (
	ToPerson   StepKind = "person"
	ToFunction StepKind = "function"
	ToGroup    StepKind = "group"
)

// Step is a person, who holds a function, or a group.
type Step struct {
	Kind StepKind  `json:"kind,omitempty"`
	ID   uuid.UUID `json:"id,omitzero"`
}

// Unit is what the length of a turn is counted in. The values are stored.
type Unit string

// The units.
const (
	Hourly Unit = "hour"
	Daily  Unit = "day"
	Weekly Unit = "week"
)

// Rotation is people who take turns.
type Rotation struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name,omitempty"`
	// Start is the day of the first turn, which begins at Handover.
	Start Day `json:"start"`
	// Until is the day at whose Handover the rotation ends; no day when it goes on.
	Until    Day  `json:"until,omitempty"`
	Handover Hour `json:"handover"`
	// A turn lasts Every units of the wall clock: a turn of one day has 23 hours
	// on the last Sunday of March.
	Every int  `json:"every"`
	Unit  Unit `json:"unit"`
	// Members take turns in this order, each as often as he is named.
	Members []uuid.UUID `json:"members"`
	// Hours limit when the rotation holds the function; turns run on meanwhile.
	Hours Hours `json:"hours,omitzero"`
}

// The limits of a function.
const (
	nameMost      = 80
	rotationsMost = 12
	membersMost   = 60
	chainMost     = directory.OnCallLevelsMost - 1
	turnMost      = 366 * 24 * 60 // minutes
)

// turn is how long one lasts, in minutes of the wall clock.
func (r Rotation) turn() int64 {
	switch r.Unit {
	case Hourly:
		return int64(r.Every) * 60
	case Daily:
		return int64(r.Every) * minutesPerDay
	case Weekly:
		return int64(r.Every) * 7 * minutesPerDay
	}
	return 0
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// checked tidies a function and refuses what cannot be one, with its field.
func (f Function) checked() (Function, error) {
	f.Name = oneLine(f.Name)
	switch {
	case f.Name == "":
		return f, fault.New(fault.Invalid, "directory.oncall.name_required").At("name")
	case utf8.RuneCountInString(f.Name) > nameMost:
		return f, fault.New(fault.Invalid, "directory.oncall.name_long", "limit", nameMost).At("name")
	case !slices.Contains(Calendars(), f.Calendar):
		return f, fault.New(fault.Invalid, "directory.oncall.calendar").At("calendar")
	case len(f.Rotations) > rotationsMost:
		return f, fault.New(fault.Invalid, "directory.oncall.rotations_many", "limit", rotationsMost)
	case len(f.Chain) > chainMost:
		return f, fault.New(fault.Invalid, "directory.oncall.chain_long", "limit", chainMost).At("chain")
	case f.Fallback.Kind == ToGroup:
		return f, fault.New(fault.Invalid, "directory.oncall.fallback_group").At("fallback")
	}
	if _, err := loadZone(f.Zone); err != nil {
		return f, fault.Wrap(err, fault.Invalid, "directory.oncall.zone").At("zone")
	}
	for i, s := range append([]Step{f.Fallback}, f.Chain...) {
		if s.Kind == ToFunction && s.ID == f.ID {
			field := "fallback"
			if i > 0 {
				field = "chain." + strconv.Itoa(i+1)
			}
			return f, fault.New(fault.Invalid, "directory.oncall.itself").At(field)
		}
	}
	for i := range f.Rotations {
		var err error
		if f.Rotations[i], err = f.Rotations[i].checked(); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (r Rotation) checked() (Rotation, error) {
	r.Name = oneLine(r.Name)
	switch {
	case utf8.RuneCountInString(r.Name) > nameMost:
		return r, fault.New(fault.Invalid, "directory.oncall.name_long", "limit", nameMost).At("name")
	case r.Start <= 0:
		return r, fault.New(fault.Invalid, "directory.oncall.start").At("start")
	case r.Until != 0 && r.Until <= r.Start:
		return r, fault.New(fault.Invalid, "directory.oncall.until").At("until")
	case r.turn() <= 0 || r.turn() > turnMost:
		return r, fault.New(fault.Invalid, "directory.oncall.every").At("every")
	case len(r.Members) == 0:
		return r, fault.New(fault.Invalid, "directory.oncall.members_required").At("members")
	case len(r.Members) > membersMost:
		return r, fault.New(fault.Invalid, "directory.oncall.members_many", "limit", membersMost).At("members")
	}
	return r, nil
}

// people lists everyone the roster names.
func (r Roster) people() []uuid.UUID {
	var out []uuid.UUID
	for _, rotation := range r.Rotations {
		out = append(out, rotation.Members...)
	}
	for _, s := range append([]Step{r.Fallback}, r.Chain...) {
		if s.Kind == ToPerson {
			out = append(out, s.ID)
		}
	}
	return out
}

// Replacement puts somebody in the place of whoever would hold a function.
type Replacement struct {
	ID, Function, Person uuid.UUID
	From, To             time.Time
	// Import and Swap say where it came from; Nil when it was typed.
	Import, Swap uuid.UUID
	By           string
	Created      time.Time
}

// replacementMost bounds one replacement: beyond it, a rotation is the right tool.
const replacementMost = 62 * 24 * time.Hour

func (r Replacement) check() error {
	switch {
	case !r.To.After(r.From):
		return fault.New(fault.Invalid, "directory.oncall.replacement.order").At("to")
	case r.To.Sub(r.From) > replacementMost:
		return fault.New(fault.Invalid, "directory.oncall.replacement.long").At("to")
	}
	return nil
}
