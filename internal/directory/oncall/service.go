package oncall

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Calls is a Source: which scenarios of the establishment address a function, by
// title in a language. It is joined in app.
type Calls interface {
	Calls(ctx context.Context, scope access.Scope, function uuid.UUID, language string) ([]string, error)
}

// Options are what on-call functions rest on.
type Options struct {
	DB           *storage.DB
	Guard        *access.Guard
	Clock        clock.Clock
	Organisation *organisation.Service
	// Calls may be nil: no scenario addresses a function.
	Calls Calls
}

// Service is what can be done with on-call functions.
type Service struct{ Options }

// New returns the on-call functions of a house.
func New(o Options) *Service { return &Service{o} }

// Horizon is how far ahead gaps are looked for, and the calendars of functions
// are shown: four weeks.
const Horizon = 28 * 24 * time.Hour

// keptFor is how long replacements and swaps outlive their end: who held a
// function is not kept longer than questions are asked about it.
const keptFor = 400 * 24 * time.Hour

// Functions lists them by name.
func (s *Service) Functions(ctx context.Context, scope access.Scope) (out []Function, err error) {
	if err := s.Guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = functions(ctx, tx, scope)
		return err
	})
	return out, err
}

// Function gives one. Errors: NotFound.
func (s *Service) Function(ctx context.Context, scope access.Scope, id uuid.UUID) (f Function, err error) {
	if err := s.Guard.Check(scope, access.DirectoryRead); err != nil {
		return f, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		f, err = function(ctx, tx, scope, id)
		return err
	})
	return f, err
}

// Save creates a function (ID Nil) or changes one as a whole. Errors: Denied,
// Invalid with its field, NotFound, Conflict when its name is taken or somebody
// changed it since.
func (s *Service) Save(ctx context.Context, scope access.Scope, f Function) (Function, error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return f, err
	}
	now := s.Clock.Now()
	err := s.DB.Write(ctx, scope, func(tx *storage.Tx) (err error) {
		if f, err = s.settled(ctx, tx, scope, f, now); err != nil {
			return err
		}
		action, before := "directory.oncall.create", any(nil)
		if f.ID == uuid.Nil {
			f.ID = storage.NewID(now)
		} else {
			old, err := function(ctx, tx, scope, f.ID)
			if err != nil {
				return err
			}
			if old.Revision != f.Revision {
				return fault.New(fault.Conflict, "directory.changed_since")
			}
			action, before = "directory.oncall.update", old.Roster
		}
		f.Revision, f.Updated = f.Revision+1, now
		if err := write(ctx, tx, scope, f, now); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: action, ObjectKind: "oncall", ObjectID: f.ID.String(), ObjectName: f.Name, Before: before, After: f.Roster,
		})
	})
	if storage.IsDuplicate(err) {
		err = fault.Wrap(err, fault.Conflict, "directory.oncall.name_taken").At("name")
	}
	return f, err
}

// settled completes a function with what its place says, and checks that all it
// names is of this establishment.
func (s *Service) settled(ctx context.Context, tx *storage.Tx, scope access.Scope, f Function, now time.Time) (Function, error) {
	places, err := s.Organisation.Places(ctx, tx, scope, now)
	if err != nil {
		return f, err
	}
	zone := places.Zone
	if f.Site != uuid.Nil {
		place, ok := places.Get(f.Site)
		if !ok || place.Kind != organisation.Site {
			return f, fault.New(fault.Invalid, "directory.site_unknown").At("site")
		}
		zone = place.Zone
	}
	f.Zone = cmp.Or(f.Zone, zone)
	f.Calendar = cmp.Or(f.Calendar, CalendarOf(f.Zone))
	for i := range f.Rotations {
		if f.Rotations[i].ID == uuid.Nil {
			f.Rotations[i].ID = storage.NewID(now)
		}
	}
	if f, err = f.checked(); err != nil {
		return f, err
	}
	people, err := agents(ctx, tx, scope, f.people())
	if err != nil {
		return f, err
	}
	for _, id := range f.people() {
		if _, known := people[id]; !known {
			return f, fault.New(fault.Invalid, "directory.oncall.person_unknown").At("members")
		}
	}
	return f, s.checkSteps(ctx, tx, scope, f)
}

// checkSteps refuses functions and groups of another establishment.
func (s *Service) checkSteps(ctx context.Context, tx *storage.Tx, scope access.Scope, f Function) error {
	for _, step := range append([]Step{f.Fallback}, f.Chain...) {
		table := ""
		switch step.Kind {
		case ToFunction:
			table = "directory_oncall_functions"
		case ToGroup:
			table = "directory_groups"
		case ToPerson, "":
			continue
		default:
			return fault.New(fault.Invalid, "directory.oncall.step_unknown").At("chain")
		}
		var n int
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM `+table+` WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), step.ID}, &n); err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Invalid, "directory.oncall.step_unknown").At("chain")
		}
	}
	return nil
}

// CalledBy lists the scenarios that address a function: they call nobody through it
// once it is deleted. Errors: Denied.
func (s *Service) CalledBy(ctx context.Context, scope access.Scope, function uuid.UUID, language string) ([]string, error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil || s.Calls == nil {
		return nil, err
	}
	return s.Calls.Calls(ctx, scope, function, language)
}

// Delete forgets a function with its replacements, swaps and calendars. Errors:
// Denied, NotFound, Conflict when another function leads to it.
func (s *Service) Delete(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return err
	}
	return s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		f, err := function(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		all, err := functions(ctx, tx, scope)
		if err != nil {
			return err
		}
		for _, other := range all {
			if slices.Contains(append([]Step{other.Fallback}, other.Chain...), Step{ToFunction, id}) {
				return fault.New(fault.Conflict, "directory.oncall.used", "name", other.Name)
			}
		}
		for _, q := range []string{
			`DELETE FROM directory_oncall_replacements WHERE organisation_id = $1 AND function_id = $2`,
			`DELETE FROM directory_oncall_swaps WHERE organisation_id = $1 AND function_id = $2`,
			`DELETE FROM directory_oncall_calendars WHERE organisation_id = $1 AND subject_kind = 'function' AND subject_id = $2`,
			`DELETE FROM directory_oncall_functions WHERE organisation_id = $1 AND id = $2`,
		} {
			if _, err := tx.Exec(ctx, q, scope.Organisation(), id); err != nil {
				return err
			}
		}
		return journal.Append(ctx, tx, scope, s.Clock.Now(), journal.Entry{
			Action: "directory.oncall.delete", ObjectKind: "oncall", ObjectID: id.String(), ObjectName: f.Name, Before: f.Roster,
		})
	})
}

// Standing is who holds a function now.
type Standing struct {
	Function Function
	Holding
	// Agent is the holder; its zero value when there is none.
	Agent Agent
	// Lender is the name of the function whose holder stands in.
	Lender string
	// Until is when that changes; Endless tells that it does not within the horizon.
	Until   time.Time
	Endless bool
	// Next holds it after; its zero value when nobody does.
	Next Agent
}

// Now tells who holds each function at an instant, by name of function.
func (s *Service) Now(ctx context.Context, scope access.Scope, now time.Time) (out []Standing, err error) {
	if err := s.Guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		r, err := s.open(ctx, tx, scope, now)
		if err != nil {
			return err
		}
		for _, f := range r.Functions {
			out = append(out, r.standing(f, now))
		}
		return nil
	})
	return out, err
}

func (r *Reading) standing(f Function, now time.Time) Standing {
	spans := r.Book.Spans(f.ID, now, now.Add(Horizon))
	out := Standing{Function: f, Holding: spans[0].Holding, Agent: r.People[spans[0].Person], Until: spans[0].To, Endless: len(spans) == 1}
	if i := slices.IndexFunc(r.Functions, func(o Function) bool { return o.ID == spans[0].Through }); i >= 0 {
		out.Lender = r.Functions[i].Name
	}
	if i := slices.IndexFunc(spans[1:], func(s Span) bool { return s.Via != Idle && s.Person != out.Person }); i >= 0 {
		out.Next = r.People[spans[1+i].Person]
	}
	return out
}

// View is one function over a stretch of time.
type View struct {
	Function Function
	Spans    []Span
	// Replacements and Swaps that have not ended; Problems of the stretch.
	Replacements []Replacement
	Swaps        []Swap
	Problems     []Problem
	Standing     Standing
	// People and Names are whom and what all this names.
	People map[uuid.UUID]Agent
	Names  map[uuid.UUID]string
}

// View gives one function between two instants, 400 days at most. Errors: NotFound, Invalid.
func (s *Service) View(ctx context.Context, scope access.Scope, id uuid.UUID, from, to time.Time) (v View, err error) {
	if err := s.Guard.Check(scope, access.DirectoryRead); err != nil {
		return v, err
	}
	if !to.After(from) || to.Sub(from) > keptFor {
		return v, fault.New(fault.Invalid, "directory.oncall.stretch")
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		if v.Function, err = function(ctx, tx, scope, id); err != nil {
			return err
		}
		if v.Swaps, err = swaps(ctx, tx, scope, `function_id = $2 AND state = 'proposed'`, id); err != nil {
			return err
		}
		r, err := s.open(ctx, tx, scope, from, v.swapped()...)
		if err != nil {
			return err
		}
		v.Spans, v.People, v.Names = r.Book.Spans(id, from, to), r.People, r.Names
		v.Problems, v.Standing = r.problems(v.Function, from, to), r.standing(v.Function, from)
		for _, x := range r.Replacements {
			if x.Function == id {
				v.Replacements = append(v.Replacements, x)
			}
		}
		slices.SortStableFunc(v.Replacements, func(a, b Replacement) int { return a.From.Compare(b.From) })
		return nil
	})
	return v, err
}

func (v View) swapped() (out []uuid.UUID) {
	for _, x := range v.Swaps {
		out = append(out, x.Person, x.Other)
	}
	return out
}

// Problems lists what will go wrong within the horizon, by function.
func (s *Service) Problems(ctx context.Context, scope access.Scope, now time.Time) (out []Problem, err error) {
	if err := s.Guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		r, err := s.open(ctx, tx, scope, now)
		if err != nil {
			return err
		}
		for _, f := range r.Functions {
			out = append(out, r.problems(f, now, now.Add(Horizon))...)
		}
		return nil
	})
	return out, err
}

// Names implements directory.OnCallDesk.
func (s *Service) Names(ctx context.Context, scope access.Scope) ([]directory.OnCallName, error) {
	all, err := s.Functions(ctx, scope)
	var out []directory.OnCallName
	for _, f := range all {
		out = append(out, directory.OnCallName{ID: f.ID, Name: f.Name})
	}
	return out, err
}

// Called implements directory.OnCallDesk.
func (s *Service) Called(ctx context.Context, tx *storage.Tx, scope access.Scope, list []uuid.UUID, levels []int, now time.Time) (people, groups []uuid.UUID, err error) {
	r, err := s.open(ctx, tx, scope, now)
	if err != nil {
		return nil, nil, fmt.Errorf("on-call functions: %w", err)
	}
	if len(levels) == 0 {
		levels = []int{1}
	}
	for _, f := range r.Functions {
		if !slices.Contains(list, f.ID) {
			continue
		}
		for _, level := range levels {
			p, g := r.level(f, level, now)
			people, groups = append(people, p...), append(groups, g...)
		}
	}
	return people, groups, nil
}

// level is whom one level of a function's chain names at an instant.
func (r *Reading) level(f Function, level int, now time.Time) (people, groups []uuid.UUID) {
	step := Step{ToFunction, f.ID}
	if level > 1 {
		if level-2 >= len(f.Chain) {
			return nil, nil
		}
		step = f.Chain[level-2]
	}
	switch step.Kind {
	case ToPerson:
		return []uuid.UUID{step.ID}, nil
	case ToGroup:
		return nil, []uuid.UUID{step.ID}
	case ToFunction:
		if h := r.Book.At(step.ID, now); h.Held() {
			return []uuid.UUID{h.Person}, nil
		}
	}
	return nil, nil
}
