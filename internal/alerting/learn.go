package alerting

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// LearnAfter is how long after its end an alert is counted: the last ones arrive late.
const LearnAfter = 2 * time.Hour

// LearnEvery is how often a program looks for alerts to count.
const LearnEvery = 10 * time.Minute

// learntAtOnce bounds the alerts of one call of Learn.
const learntAtOnce = 10

// Learn counts the alerts that ended, each once, before their names are erased:
// how many of a kind of people answered, came and arrived, and how long it took.
// It tells whether more waits. Only an Instance scope may.
func (s *Service) Learn(ctx context.Context, scope access.Scope, now time.Time) (more bool, err error) {
	if err := s.guard.Check(scope, access.AlertGovern); err != nil {
		return false, err
	}
	var due []duePurge
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT l.organisation_id, l.id FROM alerting_launches l WHERE l.ended_us IS NOT NULL AND l.ended_us <= $1
			AND NOT EXISTS (SELECT 1 FROM alerting_learnt_launches x WHERE x.organisation_id = l.organisation_id AND x.launch_id = l.id)
			ORDER BY l.ended_us LIMIT $2`, []any{storage.Micros(now.Add(-LearnAfter)), learntAtOnce}, func(row func(...any) error) error {
			var d duePurge
			err := row(&d.organisation, &d.launch)
			due = append(due, d)
			return err
		})
	})
	for _, d := range due {
		if err == nil {
			err = s.learnFrom(ctx, scope.Within(d.organisation), now, d.launch)
		}
		if err != nil {
			return false, fmt.Errorf("learn from alert %s: %w", d.launch, err)
		}
	}
	return len(due) == learntAtOnce, err
}

// learnFrom counts one alert. It is read by portions, and its figures are
// written in one transaction that no other node can write again.
func (s *Service) learnFrom(ctx context.Context, scope access.Scope, now time.Time, launch uuid.UUID) error {
	var lesson *lesson
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		l, err := readLaunch(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		p, err := s.planOf(ctx, tx, scope, l)
		if err != nil {
			return err
		}
		lesson = newLesson(l, p)
		gone, err := erased(ctx, tx, scope, launch)
		if err != nil || !lesson.teaches() || !gone.IsZero() {
			return err
		}
		return lesson.read(ctx, tx, scope)
	})
	if err != nil {
		return err
	}
	m := lesson.memory()
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO alerting_learnt_launches (organisation_id, launch_id, at_us, people) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			scope.Organisation(), launch, storage.Micros(now), m.People)
		if err != nil || n == 0 {
			return err
		}
		return m.add(ctx, tx, scope)
	})
}

// lesson is one alert being counted.
type lesson struct {
	launch Launch
	plan   *plan
	// crowd counts the people of each skill.
	crowd  map[string]int
	cells  map[learntKey]Learnt
	m      *memory
	called int
	// awaited said they come and arrived are there: of the whole alert.
	awaited, arrived int
}

func newLesson(l Launch, p *plan) *lesson {
	return &lesson{launch: l, plan: p, crowd: map[string]int{}, cells: map[learntKey]Learnt{}, m: newMemory()}
}

// teaches tells an alert from which something can be learnt: it asked people to
// come, and nobody stopped it at once. A test asks nobody to come.
func (l *lesson) teaches() bool {
	return l.launch.State == Ended && l.launch.Mode != Test && l.plan.proposes(Coming)
}

func (l *lesson) read(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	for last := uuid.Nil; ; {
		people, err := readPeople(ctx, tx, scope, l.launch.ID, `called_us IS NOT NULL AND id > $3 ORDER BY id LIMIT $4`, last, portion)
		if err != nil || len(people) == 0 {
			return err
		}
		list := make([]uuid.UUID, len(people))
		for i := range people {
			list[i] = people[i].ID
		}
		all, err := attemptsOf(ctx, tx, scope, list)
		if err != nil {
			return err
		}
		of := map[uuid.UUID][]*attempt{}
		for _, a := range all {
			if a.Purpose.calls() && a.Purpose != UseStayAway && a.State != AttemptWithdrawn && a.State != AttemptGuarded {
				of[a.Recipient] = append(of[a.Recipient], a)
			}
		}
		for i := range people {
			l.person(&people[i], of[people[i].ID])
		}
		last = people[len(people)-1].ID
	}
}

// person counts one person. Who was told that he is not needed before he said
// anything had no time to answer: he is not counted.
func (l *lesson) person(p *person, attempts []*attempt) {
	if p.Meaning == "" && p.Arrived.IsZero() && p.Marks&markStoodDown != 0 {
		return
	}
	l.called++
	c := Learnt{Tried: 1}
	if !p.Reached.IsZero() {
		c.Reached = 1
	}
	if p.Meaning != "" {
		c.Answered = 1
	}
	if p.Meaning == Coming {
		c.Coming, c.Awaited = 1, 1
		l.awaited++
		if p.Minutes >= 0 {
			l.m.delay(delayRoad, slotOf(time.Duration(p.Minutes)*time.Minute), 1)
		}
		if !p.Arrived.IsZero() {
			c.Arrived = 1
			l.arrived++
			if late := p.Arrived.Sub(p.ETA); late > 0 {
				l.m.delay(delayLate, slotOf(late), 1)
			}
		}
	}
	skills := append([]string{""}, strings.Fields(p.Skills)...)
	at := l.launch.LaunchedAt.In(l.plan.zone)
	for _, skill := range skills {
		l.crowd[skill]++
		l.count(skill, at, "", c)
	}
	for i, a := range attempts {
		l.message(p, a, i == len(attempts)-1, skills, at)
	}
}

// message counts one message. The answer belongs to the last one that left before it.
func (l *lesson) message(p *person, a *attempt, last bool, skills []string, at time.Time) {
	c := Learnt{Tried: 1}
	if a.lost() {
		c.Lost = 1
	}
	heard := a.Submitted
	if !a.Delivered.IsZero() {
		c.Reached, heard = 1, a.Delivered
		if !a.Submitted.IsZero() {
			l.m.delay(delayReach+string(a.Medium), slotOf(a.Delivered.Sub(a.Submitted)), 1)
		}
	}
	if last && p.Meaning != "" && !p.AnsweredAt.Before(heard) && !heard.IsZero() {
		c.Answered = 1
		if p.Meaning == Coming {
			c.Coming = 1
		}
		l.m.delay(delayAnswer+string(a.Medium), slotOf(p.AnsweredAt.Sub(heard)), 1)
	}
	for _, skill := range skills {
		l.count(skill, at, a.Medium, c)
	}
}

func (l *lesson) count(skill string, at time.Time, medium channels.Medium, c Learnt) {
	k := learntKey{skill, int(at.Weekday()), at.Hour(), medium}
	l.cells[k] = l.cells[k].plus(c)
}

// memory is what the alert adds to what is known: no line for fewer people than
// a crowd, and nothing of arrivals when the door noted fewer than half of them,
// since who was not ticked may well have come.
func (l *lesson) memory() *memory {
	m := l.m
	if l.called < Crowd {
		return newMemory()
	}
	m.Alerts, m.People = 1, l.called
	door := l.arrived > 0 && 2*l.arrived >= l.awaited
	for k, c := range l.cells {
		if l.crowd[k.skill] < Crowd {
			continue
		}
		c.Alerts = 1
		if !door {
			c.Awaited, c.Arrived = 0, 0
		}
		m.cells[k] = c
	}
	if !door {
		delete(m.delays, delayLate)
	}
	return m
}

// add writes a memory over what is known.
func (m *memory) add(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	keys := slices.SortedFunc(maps.Keys(m.cells), func(a, b learntKey) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	for _, k := range keys {
		l := m.cells[k]
		if _, err := tx.Exec(ctx, `INSERT INTO alerting_learnt AS t (organisation_id, skill, day, hour, medium, alerts, tried, lost, reached, answered, coming, awaited, arrived)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (organisation_id, skill, day, hour, medium) DO UPDATE SET
			alerts = t.alerts + excluded.alerts, tried = t.tried + excluded.tried, lost = t.lost + excluded.lost, reached = t.reached + excluded.reached,
			answered = t.answered + excluded.answered, coming = t.coming + excluded.coming, awaited = t.awaited + excluded.awaited, arrived = t.arrived + excluded.arrived`,
			scope.Organisation(), k.skill, k.day, k.hour, string(k.medium), l.Alerts, l.Tried, l.Lost, l.Reached, l.Answered, l.Coming, l.Awaited, l.Arrived); err != nil {
			return err
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(m.delays)) {
		for _, slot := range slices.Sorted(maps.Keys(m.delays[kind])) {
			if _, err := tx.Exec(ctx, `INSERT INTO alerting_learnt_delays AS t (organisation_id, kind, slot, n) VALUES ($1, $2, $3, $4)
				ON CONFLICT (organisation_id, kind, slot) DO UPDATE SET n = t.n + excluded.n`, scope.Organisation(), kind, slot, m.delays[kind][slot]); err != nil {
				return err
			}
		}
	}
	return nil
}
