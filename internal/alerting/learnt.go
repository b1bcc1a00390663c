package alerting

import (
	"context"
	"math"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// This file holds what past alerts taught of kinds of people: IADE, on a weekday
// night. There is no line about a person, and none that could be read as one.

// Crowd is the fewest people of one alert that make a line of their own: of
// fewer, a line would be about somebody.
const Crowd = 5

// SampleLeast is the fewest people or messages from which a rate is taken; with
// fewer, a wider kind is asked.
const SampleLeast = 30

// Learnt is what is known of a kind of people in a kind of hour. With a medium, Tried to Coming
// count messages; without, people.
type Learnt struct {
	Alerts, Tried, Lost, Reached, Answered, Coming int
	// Awaited said they come in alerts whose door noted arrivals, and Arrived did.
	Awaited, Arrived int
}

func (l Learnt) plus(o Learnt) Learnt {
	return Learnt{
		l.Alerts + o.Alerts, l.Tried + o.Tried, l.Lost + o.Lost, l.Reached + o.Reached, l.Answered + o.Answered,
		l.Coming + o.Coming, l.Awaited + o.Awaited, l.Arrived + o.Arrived,
	}
}

// learntKey is a line of alerting_learnt.
type learntKey struct {
	skill     string
	day, hour int
	medium    channels.Medium
}

// memory is all that the alerts of an establishment taught.
type memory struct {
	cells map[learntKey]Learnt
	// delays count, by kind, what lasted how long.
	delays map[string]map[int]int
	// Alerts and People were counted.
	Alerts, People int
}

func newMemory() *memory {
	return &memory{cells: map[learntKey]Learnt{}, delays: map[string]map[int]int{}}
}

// The kinds of delays; that of a medium follows "reach." or "answer.".
const (
	delayReach  = "reach."
	delayAnswer = "answer."
	delayRoad   = "road" // what people announce
	delayLate   = "late" // how much later than that they come
)

func (s *Service) recollect(ctx context.Context, tx *storage.Tx, scope access.Scope) (*memory, error) {
	m := newMemory()
	err := tx.Query(ctx, `SELECT skill, day, hour, medium, alerts, tried, lost, reached, answered, coming, awaited, arrived FROM alerting_learnt WHERE organisation_id = $1`,
		[]any{scope.Organisation()}, func(row func(...any) error) error {
			var k learntKey
			var l Learnt
			err := row(&k.skill, &k.day, &k.hour, &k.medium, &l.Alerts, &l.Tried, &l.Lost, &l.Reached, &l.Answered, &l.Coming, &l.Awaited, &l.Arrived)
			m.cells[k] = l
			return err
		})
	if err != nil {
		return nil, err
	}
	err = tx.Query(ctx, `SELECT kind, slot, n FROM alerting_learnt_delays WHERE organisation_id = $1`, []any{scope.Organisation()}, func(row func(...any) error) error {
		var kind string
		var slot, n int
		err := row(&kind, &slot, &n)
		m.delay(kind, slot, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	_, err = tx.Row(ctx, `SELECT COUNT(*), COALESCE(SUM(people), 0) FROM alerting_learnt_launches WHERE organisation_id = $1 AND people > 0`,
		[]any{scope.Organisation()}, &m.Alerts, &m.People)
	return m, err
}

// count reads what a plan counts with: the shares of the lines of its quota, how many
// each relief keeps back, and their rest. Nothing is read without a quota.
func (s *Service) count(ctx context.Context, scope access.Scope, p *plan, at time.Time) error {
	def := p.Definition
	if len(def.Quotas) == 0 {
		return nil
	}
	return s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		m, err := s.recollect(ctx, tx, scope)
		if err != nil {
			return err
		}
		rules, err := readGovernance(ctx, tx, scope)
		p.shows, p.rest = def.shows(m, at), rules.Rest.span()
		p.keeps = def.keeps(m, p.shows, at)
		return err
	})
}

func (m *memory) delay(kind string, slot, n int) {
	if m.delays[kind] == nil {
		m.delays[kind] = map[int]int{}
	}
	m.delays[kind][slot] += n
}

// slotOf is the line of a delay; what lasts less than a second is in the first.
func slotOf(d time.Duration) int {
	if d < time.Second {
		return 0
	}
	return min(int(2*math.Log2(d.Seconds())), 2*17)
}

// Breadth is how wide a kind of people and hours had to be taken to have enough of them.
type Breadth string

// The breadths, the narrowest first.
const (
	OfSkillThen Breadth = "skill_then" // this skill, at such hours of such days
	OfSkill     Breadth = "skill"      // this skill, at any hour
	OfAllThen   Breadth = "all_then"   // everyone, at such hours of such days
	OfAll       Breadth = "all"        // everyone, at any hour
	OfNobody    Breadth = "none"       // nothing was learnt: values the program starts from
)

// hourBand is one of four parts of the day.
func hourBand(hour int) int { return hour / 6 }

// resting tells Saturday and Sunday.
func resting(day int) bool { return day == int(time.Saturday) || day == int(time.Sunday) }

// like gives what is known of a skill at an hour, from the narrowest kind that
// has enough: enough says so of a sum.
func (m *memory) like(skill string, medium channels.Medium, at time.Time, enough func(Learnt) bool) (Learnt, Breadth) {
	day, band := int(at.Weekday()), hourBand(at.Hour())
	then := func(k learntKey) bool { return resting(k.day) == resting(day) && hourBand(k.hour) == band }
	kinds := []struct {
		breadth Breadth
		in      func(learntKey) bool
	}{
		{OfSkillThen, func(k learntKey) bool { return k.skill == skill && then(k) }},
		{OfSkill, func(k learntKey) bool { return k.skill == skill }},
		{OfAllThen, func(k learntKey) bool { return k.skill == "" && then(k) }},
		{OfAll, func(k learntKey) bool { return k.skill == "" }},
	}
	if skill == "" {
		kinds = kinds[2:]
	}
	for _, kind := range kinds {
		var sum Learnt
		for k, l := range m.cells {
			if k.medium == medium && kind.in(k) {
				sum = sum.plus(l)
			}
		}
		if enough(sum) {
			return sum, kind.breadth
		}
	}
	return Learnt{}, OfNobody
}
