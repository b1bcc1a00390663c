package alerting

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// This file keeps people from being called twice in a night for nothing. It looks at
// the alerts of the last hours and at nothing older, adds nothing up, and keeps
// nothing: whoever was left alone tonight is asked like everybody tomorrow.

// AskedWithin is how long somebody who was asked for a need is not asked first for it again.
const AskedWithin = 12 * time.Hour

// asked is how somebody was asked for the same need tonight.
type asked int

const (
	askedAway  asked = iota + 1 // he was told that he was not needed: he is asked last
	askedFully                  // he said that he cannot: he is not asked again
)

// spares tells a plan that leaves alone those who were asked: never when lives are
// at stake, nor when the scenario says otherwise.
func (p *plan) spares() bool {
	return p.Definition.Profile == Rappel && !p.Definition.LifeSafety && !p.Definition.Limits.AskAgain && len(p.Definition.Quotas) > 0
}

// sameNeed tells whether two definitions look for the same people: a line of the
// quota for the same skill.
func sameNeed(a, b Definition) bool {
	return slices.ContainsFunc(a.Quotas, func(q Quota) bool {
		return slices.ContainsFunc(b.Quotas, func(o Quota) bool { return o.Skill == q.Skill })
	})
}

// askedTonight reads who was asked for the need of a plan in the last hours, in
// alerts as true as it is: an exercise spares nobody a true alert.
func (s *Service) askedTonight(ctx context.Context, tx *storage.Tx, scope access.Scope, p *plan, now time.Time) (map[uuid.UUID]asked, error) {
	if !p.spares() {
		return nil, nil
	}
	var recent []Launch
	err := tx.Query(ctx, `SELECT `+launchColumns+` FROM alerting_launches WHERE organisation_id = $1 AND mode = $2 AND launched_us > $3 AND launched_us <= $4`,
		[]any{scope.Organisation(), string(p.Mode), storage.Micros(now.Add(-AskedWithin)), storage.Micros(now)}, func(row func(...any) error) error {
			l, err := scanLaunch(row)
			recent = append(recent, l)
			return err
		})
	out := map[uuid.UUID]asked{}
	for _, l := range recent {
		if err != nil {
			break
		}
		var other *plan
		if other, err = s.planOf(ctx, tx, scope, l); err != nil || !sameNeed(p.Definition, other.Definition) {
			continue
		}
		err = tx.Query(ctx, `SELECT person_id, meaning FROM alerting_recipients WHERE organisation_id = $1 AND launch_id = $2
			AND (meaning = 'unavailable' OR (meaning = '' AND (marks & $3) <> 0))`, []any{scope.Organisation(), l.ID, markStoodDown}, func(row func(...any) error) error {
			var person uuid.UUID
			var meaning Meaning
			err := row(&person, &meaning)
			how := askedAway
			if meaning == Unavailable {
				how = askedFully
			}
			out[person] = max(out[person], how)
			return err
		})
	}
	return out, err
}

// spare leaves alone who was asked tonight. The reason it gives is one for all: it
// does not tell who refused.
func (p *plan) spare(m member, how asked) member {
	if m.Why != "" || p.forFunction(m.Wave) {
		return m
	}
	last := p.Definition.lastCall()
	switch {
	case how == askedFully:
		m.Why, m.Ladder = LeftAsked, nil
	case how == askedAway && last > m.Wave:
		if rungs := ladder(m.Target, p.Definition.Waves[last].Media); len(rungs) > 0 {
			m.Wave, m.Ladder = last, rungs
		}
	}
	return m
}
