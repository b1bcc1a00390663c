package alerting

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// The draws of a rehearsal.
const (
	DrawsDefault = 200
	DrawsLeast   = 50
	DrawsMost    = 2000
)

// RehearsalOrder is what to rehearse.
type RehearsalOrder struct {
	// At is the instant of the imagined launch: who is on duty, on leave and on call
	// then, and how people behave at that hour. Zero is now.
	At time.Time `json:"at"`
	// Draws is 50 to 2,000; 0 means 200.
	Draws int `json:"draws"`
	// Seed makes the same draws again; 0 is a seed like any other.
	Seed uint64 `json:"seed"`
}

func (o RehearsalOrder) checked(now time.Time) (RehearsalOrder, error) {
	if o.At.IsZero() {
		o.At = now
	}
	if o.Draws == 0 {
		o.Draws = DrawsDefault
	}
	o.At = o.At.UTC().Truncate(time.Second)
	if o.Draws < DrawsLeast || o.Draws > DrawsMost {
		return o, fault.New(fault.Invalid, "alerting.rehearsal.draws", "least", DrawsLeast, "most", DrawsMost).At("draws")
	}
	if o.At.Before(now.AddDate(-1, 0, 0)) || o.At.After(now.AddDate(1, 0, 0)) {
		return o, fault.New(fault.Invalid, "alerting.rehearsal.when").At("at")
	}
	return o, nil
}

// RehearsalState is how far a rehearsal is.
type RehearsalState string

// The states of a rehearsal. The values are stored.
const (
	RehearsalAsked   RehearsalState = "asked"
	RehearsalPlaying RehearsalState = "playing"
	RehearsalDone    RehearsalState = "done"
	RehearsalFailed  RehearsalState = "failed"
)

// Rehearsal is an alert played on a simulated clock and network: nothing of it
// leaves, and no person is in what it keeps.
type Rehearsal struct {
	ID, Scenario uuid.UUID
	Version      int
	State        RehearsalState
	AskedAt      time.Time
	AskedBy      string
	FinishedAt   time.Time
	Order        RehearsalOrder
	// Done of Total draws were played.
	Done, Total int
	Shown       Shown
}

// Over tells a rehearsal that shows something.
func (r Rehearsal) Over() bool { return r.State == RehearsalDone }

// Shown is what a rehearsal found, and on what it rests.
type Shown struct {
	Outcome Outcome `json:"outcome"`
	Stage   Stage   `json:"stage"`
	// Alerts and Learnt are the past alerts and people it is calibrated on.
	Alerts int `json:"alerts"`
	Learnt int `json:"learnt"`
	// Breadth is, by medium, the widest kind of people from which a behaviour was taken.
	Breadth map[channels.Medium]Breadth `json:"breadth"`
	LeftOut map[LeftOut]int             `json:"left_out"`
}

// AskRehearsal asks for a rehearsal, which the worker plays: see RehearsalTask. One
// that waits for the same scenario already is given instead. Needs
// access.ScenarioWrite. Errors: NotFound, Invalid, Conflict when the scenario has faults.
func (s *Service) AskRehearsal(ctx context.Context, scope access.Scope, now time.Time, scenario uuid.UUID, o RehearsalOrder) (r Rehearsal, err error) {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return r, err
	}
	if o, err = o.checked(now); err != nil {
		return r, err
	}
	pr, err := s.rehearsed(ctx, scope, scenario, o.At)
	if err != nil {
		return r, err
	}
	r = Rehearsal{
		ID: storage.NewID(now), Scenario: scenario, Version: pr.scenario.Version, State: RehearsalAsked, AskedAt: now.UTC(),
		AskedBy: scope.Actor().Name, Order: o, Total: o.Draws,
	}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		waiting, err := readRehearsals(ctx, tx, scope, ` AND scenario_id = $2 AND finished_us IS NULL ORDER BY id LIMIT 1`, scenario)
		if err != nil {
			return err
		}
		if len(waiting) > 0 {
			r = waiting[0]
			return nil
		}
		if err := insertRehearsal(ctx, tx, scope, r); err != nil {
			return err
		}
		return rehearsalJournal(ctx, tx, scope, now, pr.scenario, r)
	})
	select {
	case s.rehearse <- struct{}{}:
	default: // it is told already
	}
	return r, err
}

func rehearsalJournal(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, sc Scenario, r Rehearsal) error {
	return journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "scenario.rehearse", ObjectKind: "scenario", ObjectID: sc.ID.String(), ObjectName: sc.Title.In("fr"),
		After: map[string]any{"version": r.Version, "at": r.Order.At, "draws": r.Order.Draws},
	})
}

// Rehearse plays a rehearsal now and keeps it. step, when not nil, hears how far it
// is. Needs access.ScenarioWrite. Errors are those of AskRehearsal.
func (s *Service) Rehearse(ctx context.Context, scope access.Scope, now time.Time, scenario uuid.UUID, o RehearsalOrder, step func(done, total int)) (r Rehearsal, err error) {
	if err := s.guard.Check(scope, access.ScenarioWrite); err != nil {
		return r, err
	}
	if o, err = o.checked(now); err != nil {
		return r, err
	}
	pr, err := s.rehearsed(ctx, scope, scenario, o.At)
	if err != nil {
		return r, err
	}
	r = Rehearsal{
		ID: storage.NewID(now), Scenario: scenario, Version: pr.scenario.Version, State: RehearsalDone, AskedAt: now.UTC(), FinishedAt: now.UTC(),
		AskedBy: scope.Actor().Name, Order: o,
	}
	err = s.playRehearsal(ctx, inside(scope), &r, pr, func(done int) error {
		if step != nil {
			step(done, r.Total)
		}
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("rehearse %s: %w", scenario, err)
	}
	r.Done = r.Total
	return r, s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := insertRehearsal(ctx, tx, scope, r); err != nil {
			return err
		}
		return rehearsalJournal(ctx, tx, scope, now, pr.scenario, r)
	})
}

// rehearsed is a scenario ready to be rehearsed: its last version, with values to
// look at.
func (s *Service) rehearsed(ctx context.Context, scope access.Scope, scenario uuid.UUID, at time.Time) (prepared, error) {
	pr := prepared{}
	house, err := s.houses.Get(ctx, inside(scope))
	if err != nil {
		return pr, err
	}
	var def Definition
	if err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		pr.scenario, def, pr.version, err = readScenario(ctx, tx, scope, scenario, 0)
		return err
	}); err != nil {
		return pr, err
	}
	if faults := def.Check(); len(faults) > 0 {
		return pr, fault.Wrap(faults[0], fault.Conflict, "alerting.rehearsal.faults", "n", len(faults))
	}
	pr.plan = &plan{
		Definition: def, Mode: Real, Values: sampleValues(def), LaunchedAt: at,
		Setting: setting{Establishment: house.Name, Word: house.Word, Zone: house.Zone, Language: house.Language},
	}
	pr.plan.zone = pr.plan.Setting.location()
	return pr, nil
}

// sampleValues fills the variables of a scenario as somebody might.
func sampleValues(def Definition) map[string]string {
	out := map[string]string{}
	for _, v := range def.Variables {
		text := v.Default.In("fr")
		switch {
		case text != "":
		case v.Kind == "choice":
			text = v.Choices[0].In("fr")
		case v.Kind == "number":
			text = "10"
		case v.Kind == "time":
			text = "12:00"
		default:
			limit := v.MaxLength
			if limit == 0 {
				limit = 60
			}
			text = strings.Repeat("x", min(limit, 15))
		}
		out[v.Name] = text
	}
	return out
}

// playRehearsal gathers the people, the network and what was learnt, and plays.
func (s *Service) playRehearsal(ctx context.Context, scope access.Scope, r *Rehearsal, pr prepared, step func(done int) error) error {
	var mem *memory
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		mem, err = s.recollect(ctx, tx, scope)
		return err
	})
	if err != nil {
		return err
	}
	c, left, err := s.assemble(ctx, scope, pr.plan, mem, r.Order.At)
	if err != nil {
		return err
	}
	if len(c.people) == 0 {
		return fault.New(fault.Invalid, "alerting.launch.nobody")
	}
	gateways, err := s.dispatch.Gateways(ctx, scope)
	if err != nil {
		return err
	}
	parts := 1
	if previews, err := s.previews(pr.plan, "", false); err == nil {
		parts = segments(previews)
	}
	c.stage = stageOf(gateways, pr.plan.Definition.media(), parts)
	r.Total = c.rehearsalDraws(r.Order.Draws)
	r.Shown = Shown{Stage: c.stage, Alerts: mem.Alerts, Learnt: mem.People, Breadth: map[channels.Medium]Breadth{}, LeftOut: left}
	metiers := c.metiers()
	if len(metiers) == 0 {
		metiers = []string{""}
	}
	for _, m := range pr.plan.Definition.media() {
		r.Shown.Breadth[m] = mem.breadth(metiers, m, r.Order.At.In(pr.plan.zone))
	}
	r.Shown.Outcome, err = c.rehearse(ctx, r.Order.Seed, r.Order.Draws, step)
	return err
}

// Rehearsals lists those of a scenario, the newest first. Needs access.ScenarioRead.
func (s *Service) Rehearsals(ctx context.Context, scope access.Scope, scenario uuid.UUID) (out []Rehearsal, err error) {
	if err := s.guard.Check(scope, access.ScenarioRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if _, _, _, err := readScenario(ctx, tx, scope, scenario, 0); err != nil {
			return err
		}
		out, err = readRehearsals(ctx, tx, scope, ` AND scenario_id = $2 ORDER BY id DESC LIMIT 20`, scenario)
		return err
	})
	return out, err
}

// RehearsalBefore gives the last rehearsal of a scenario that was over at an
// instant: what was expected of an alert. found is false when there is none. Needs
// access.AlertRead.
func (s *Service) RehearsalBefore(ctx context.Context, scope access.Scope, scenario uuid.UUID, at time.Time) (r Rehearsal, found bool, err error) {
	if err := s.guard.Check(scope, access.AlertRead); err != nil {
		return r, false, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		r, found, err = rehearsalBefore(ctx, tx, scope, scenario, at)
		return err
	})
	return r, found, err
}
