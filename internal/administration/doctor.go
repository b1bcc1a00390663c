package administration

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
)

// State is how a thing that was checked is.
type State string

// The states, from well to ill.
const (
	Well    State = "well"   // it works
	Unused  State = "unused" // not set up, and nothing rests on it
	Weak    State = "weak"   // it works, and will not for long or not for all
	Broken  State = "broken" // it does not work
	unknown State = ""       // a check that said nothing
)

// gravity orders the states, the gravest last.
func (s State) gravity() int {
	switch s {
	case Well:
		return 1
	case Unused:
		return 0
	case Weak:
		return 2
	case Broken, unknown:
		return 3
	}
	return 3
}

// Sentence is a catalogue key with its arguments.
type Sentence struct {
	Key  string
	Args []any
}

// Say makes a sentence; args are pairs name, value. A value may be a list of
// sentences, spoken one after the other.
func Say(key string, args ...any) Sentence { return Sentence{key, args} }

// In speaks the sentence; nothing for the zero Sentence.
func (s Sentence) In(loc *i18n.Localizer) string {
	if s.Key == "" {
		return ""
	}
	args := slices.Clone(s.Args)
	for i, arg := range args {
		if list, ok := arg.([]Sentence); ok {
			said := make([]string, len(list))
			for n, one := range list {
				said[n] = one.In(loc)
			}
			args[i] = strings.Join(said, " ")
		}
	}
	return loc.T(s.Key, args...)
}

// Finding is what a check found: what is, and what to do about it.
type Finding struct {
	State      State
	What, ToDo Sentence
	// Err is for the log and for the command line's --verbose; never for a page.
	Err error
}

// Check is one thing the doctor looks at, for one establishment or, with an
// Instance scope, for the installation.
type Check struct {
	// ID is short and stable: "database", "sms". Title is a catalogue key.
	ID, Title string
	Run       func(ctx context.Context, scope access.Scope) Finding
}

// Report is what one check said.
type Report struct {
	Check Check
	Finding
	Took time.Duration
}

// How long a check may take, and how long its answer is good for a page: a
// nervous hand on the reload key must not dial every gateway each time.
const (
	checkLimit = 10 * time.Second
	goodFor    = 30 * time.Second
)

// Doctor examines the house.
type Doctor struct {
	guard  *access.Guard
	clock  clock.Clock
	checks []Check

	mu   sync.Mutex
	kept map[uuid.UUID]Examination
}

// Examination is everything the doctor said, and when.
type Examination struct {
	At      time.Time
	Reports []Report
}

// Worst is the gravest state found; Well when nothing was checked.
func (e Examination) Worst() State {
	worst := Well
	for _, r := range e.Reports {
		if r.State.gravity() > worst.gravity() {
			worst = r.State
		}
	}
	return worst
}

// NewDoctor returns a doctor that runs these checks, in this order.
func NewDoctor(guard *access.Guard, c clock.Clock, checks ...Check) *Doctor {
	return &Doctor{guard: guard, clock: c, checks: checks, kept: map[uuid.UUID]Examination{}}
}

// Examine runs every check at once, each for ten seconds at most; an answer
// less than thirty seconds old is given again. Errors: Denied.
func (d *Doctor) Examine(ctx context.Context, scope access.Scope) (Examination, error) {
	if err := d.guard.Check(scope, access.HealthRead); err != nil {
		return Examination{}, err
	}
	now, here := d.clock.Now(), scope.Organisation()
	d.mu.Lock()
	defer d.mu.Unlock() // whoever asks meanwhile gets the same answer
	if kept, ok := d.kept[here]; ok && now.Sub(kept.At) < goodFor {
		return kept, nil
	}
	out := Examination{At: now, Reports: make([]Report, len(d.checks))}
	var running sync.WaitGroup
	for i, check := range d.checks {
		running.Go(func() { out.Reports[i] = d.look(ctx, scope, check) })
	}
	running.Wait()
	if ctx.Err() == nil {
		d.kept[here] = out
	}
	return out, ctx.Err()
}

// look runs one check. One that does not come back in time is left behind: its
// answer has nowhere to go.
func (d *Doctor) look(ctx context.Context, scope access.Scope, check Check) Report {
	begun := d.clock.Now()
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	answer := make(chan Finding, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				answer <- Finding{State: Broken, What: Say("administration.check.failed"), Err: fmt.Errorf("check %s: %v\n%s", check.ID, v, debug.Stack())}
			}
		}()
		answer <- check.Run(ctx, scope)
	}()
	var f Finding
	select {
	case f = <-answer:
	case <-ctx.Done():
		f = Finding{State: Broken, What: Say("administration.check.silent", "limit", checkLimit), Err: ctx.Err()}
	}
	if f.State == unknown {
		f = Finding{State: Broken, What: Say("administration.check.failed"), Err: fmt.Errorf("check %s said nothing", check.ID)}
	}
	return Report{Check: check, Finding: f, Took: d.clock.Now().Sub(begun)}
}
