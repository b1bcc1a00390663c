package oncall

import (
	"time"

	"github.com/google/uuid"
)

// Trouble is what goes wrong with a function. It ends the key of its sentence.
type Trouble string

// The troubles, the gravest first.
const (
	// Unheld: somebody is needed and nobody holds the function.
	Unheld Trouble = "gap"
	// Departed: his turn comes and he no longer works here.
	Departed Trouble = "departed"
	// OnLeave: he holds it while the directory says he is away.
	OnLeave Trouble = "absent"
	// NoMobile: he has no mobile that may be tried.
	NoMobile Trouble = "no_mobile"
	// Unproven: he never answered from his mobile.
	Unproven Trouble = "unproven"
	// StoodIn: only the fallback holds it.
	StoodIn Trouble = "fallback"
)

// Problem is a trouble of a function within a stretch of time.
type Problem struct {
	Kind     Trouble
	Function uuid.UUID
	// Name is the function's; Zone its wall clock.
	Name, Zone string
	From, To   time.Time
	Agent      Agent
}

// problemsMost bounds those of one function.
const problemsMost = 200

// problems looks for what goes wrong between two instants, in order of time.
func (r *Reading) problems(f Function, from, to time.Time) (out []Problem) {
	told := map[uuid.UUID]bool{}
	add := func(kind Trouble, s Span, a Agent) {
		if len(out) < problemsMost {
			out = append(out, Problem{Kind: kind, Function: f.ID, Name: f.Name, Zone: f.Zone, From: s.From, To: s.To, Agent: a})
		}
	}
	for _, s := range r.Book.Spans(f.ID, from, to) {
		if s.Via == Gap {
			add(Unheld, s, Agent{})
			continue
		}
		if !s.Held() {
			continue
		}
		a := r.People[s.Person]
		if s.Via == ByFallback && !s.Spare {
			add(StoodIn, s, a)
		}
		if a.Away(s.From, s.To) {
			add(OnLeave, s, a)
		}
		switch {
		case told[a.ID]:
		case !a.Mobile:
			add(NoMobile, s, a)
		case !a.Proven:
			add(Unproven, s, a)
		}
		told[a.ID] = true
	}
	return append(out, r.departures(f, from, to)...)
}

// departures tell the members of rotations who have left or will within the stretch.
func (r *Reading) departures(f Function, from, to time.Time) (out []Problem) {
	told := map[uuid.UUID]bool{}
	for _, id := range f.people() {
		a, known := r.People[id]
		if told[id] || id == uuid.Nil || known && (a.Left.IsZero() || a.Left.After(to)) {
			continue
		}
		told[id] = true
		begin := from
		if known && a.Left.After(from) {
			begin = a.Left
		}
		out = append(out, Problem{Kind: Departed, Function: f.ID, Name: f.Name, Zone: f.Zone, From: begin, To: to, Agent: a})
	}
	return out
}
