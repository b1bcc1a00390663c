package alerting

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Extend calls more people at once, by the first wave's media; those already in
// the alert are left as they are, and the rules of absence and rest hold. It
// returns how many were added. Needs access.AlertConduct.
func (s *Service) Extend(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, rule directory.Rule) (added int, err error) {
	if err := s.guard.Check(scope, access.AlertConduct); err != nil {
		return 0, err
	}
	list, err := s.newcomers(ctx, scope, now, launch, rule)
	if err != nil {
		return 0, err
	}
	err = s.during(ctx, scope, now, access.AlertConduct, launch, func(tx *storage.Tx, l Launch, p *plan) (journal.Entry, error) {
		if err := leaveKnown(ctx, tx, scope, l.ID, list); err != nil {
			return journal.Entry{}, err
		}
		added = list.people
		if added == 0 {
			return journal.Entry{}, fault.New(fault.Invalid, "alerting.extend.nobody").At("rule")
		}
		if err := s.addRoll(ctx, tx, scope, now, l, p, list); err != nil {
			return journal.Entry{}, err
		}
		return journal.Entry{Action: "alert.extend", After: map[string]any{"people": list.people, "left_out": list.left, "rule": rule}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventExtended, By: scope.Actor().Name, Wave: 1, People: list.people})
	})
	return added, err
}

// newcomers resolves the people of a rule, all in the first wave.
func (s *Service) newcomers(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID, rule directory.Rule) (*roll, error) {
	var p *plan
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		l, err := readLaunch(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		p, err = s.planOf(ctx, tx, scope, l)
		return err
	})
	if err != nil {
		return nil, err
	}
	list := newRoll()
	everyone := []matcher{{}}
	rule.Absent = true
	p = p.widenedBy(rule)
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return s.people.Resolve(ctx, tx, inside(scope), rule, p.Definition.Audience.Exclude, now, func(t directory.Target) error {
			list.add(p.place(t, everyone, now), p.Setting.Language)
			return nil
		})
	})
	return list, err
}

// widenedBy is the plan as it places those of another rule: whoever is called as
// the holder of an on-call function is called in his rest, and nobody else is.
func (p *plan) widenedBy(rule directory.Rule) *plan {
	out := *p
	out.Definition.Audience.Include.OnCall = rule.OnCall
	out.Definition.Waves = slices.Clone(p.Definition.Waves)
	out.Definition.Waves[0].Who = directory.Rule{}
	return &out
}

// leaveKnown drops those who are in the alert already, and numbers the others.
func leaveKnown(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, list *roll) error {
	known := map[uuid.UUID]bool{}
	err := tx.Query(ctx, `SELECT person_id FROM alerting_recipients WHERE organisation_id = $1 AND launch_id = $2`,
		[]any{scope.Organisation(), launch}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			known[id] = true
			return err
		})
	if err != nil {
		return err
	}
	kept := list.entries[:0]
	list.people, list.left, list.byWave = 0, 0, map[int]int{}
	for _, e := range list.entries {
		switch {
		case known[e.Person]:
			continue
		case e.Why == "":
			list.people++
			list.byWave[e.Wave]++
		default:
			list.left++
		}
		kept = append(kept, e)
	}
	list.entries = kept
	return nil
}

// addRoll writes newcomers into a running alert and calls them.
func (s *Service) addRoll(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, p *plan, list *roll) error {
	list.arrange(now)
	units, err := unitsOf(ctx, tx, scope, l.ID)
	if err != nil {
		return err
	}
	if err := insertUnits(ctx, tx, scope, l.ID, len(units), list.units); err != nil {
		return err
	}
	for i := range list.entries {
		list.entries[i].Unit += len(units)
	}
	texts, err := p.composeAll(list.sites)
	if err != nil {
		return err
	}
	if err := s.writeContents(ctx, tx, scope, now, l.ID, l.ID, texts); err != nil {
		return err
	}
	first := s.call(p, l.ID, list.entries, now)
	if err := insertRoll(ctx, tx, scope, l.ID, p, list, now); err != nil {
		return err
	}
	if p.Definition.Limits.Total == 0 {
		if err := s.dispatch.Allow(ctx, tx, scope, l.ID, messagesPerPerson*list.people); err != nil {
			return err
		}
	}
	if _, err := s.dispatch.Enqueue(ctx, tx, scope, now, slices.Collect(first.orders())); err != nil {
		return err
	}
	return enlarge(ctx, tx, scope, l.ID, list)
}

// enlarge moves the figures of an alert that got more people.
func enlarge(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, list *roll) error {
	if _, err := tx.Exec(ctx, `UPDATE alerting_launches SET people = people + $3, left_out = left_out + $4 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), launch, list.people, list.left); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE alerting_waves SET people = people + $3 WHERE organisation_id = $1 AND launch_id = $2 AND number = 0`,
		scope.Organisation(), launch, list.people); err != nil {
		return err
	}
	t := tally{}
	t.add("people", list.people)
	t.add("state."+string(Called), list.people)
	t.add("state."+string(LeftAside), list.left)
	return t.write(ctx, tx, scope, launch)
}
