package alerting

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/jobs"
	"tocsin/internal/storage"
)

// portion is how many people one transaction moves: a few tens of
// milliseconds on SQLite, so that an answer or a second alert never waits long.
const portion = 500

// Task is the room's work by the clock, for a jobs.Runner.
func (s *Service) Task() jobs.Task {
	return jobs.Task{Name: "alerting", Every: time.Second, Wake: s.wake, Run: s.Tick}
}

// Tick does what is due now for every alert of the instance, at most one
// portion of each, and tells whether more is waiting. It may run on several
// nodes at once: what one has locked the others pass by.
func (s *Service) Tick(ctx context.Context, now time.Time) (more bool, err error) {
	work, err := s.busy(ctx, now)
	if err != nil {
		return false, err
	}
	for _, w := range work {
		again, werr := s.turn(ctx, w, now)
		more = more || again
		// One alert in trouble never holds the others.
		err = errors.Join(err, werr)
	}
	return more, err
}

// job is an alert with something to do, now or later.
type job struct {
	scope   access.Scope
	launch  uuid.UUID
	running bool
	mailing bool
}

func (s *Service) busy(ctx context.Context, now time.Time) ([]job, error) {
	instance := access.Instance("alerting")
	seen := map[uuid.UUID]int{}
	var out []job
	err := s.db.Read(ctx, instance, func(tx *storage.Tx) error {
		err := tx.Query(ctx, `SELECT organisation_id, id FROM alerting_launches WHERE state = 'running'`, nil, func(row func(...any) error) error {
			var org, id uuid.UUID
			err := row(&org, &id)
			seen[id] = len(out)
			out = append(out, job{scope: instance.Within(org), launch: id, running: true})
			return err
		})
		if err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT DISTINCT organisation_id, launch_id FROM alerting_mailings WHERE done_us IS NULL AND from_us <= $1`, []any{storage.Micros(now)}, func(row func(...any) error) error {
			var org, id uuid.UUID
			if err := row(&org, &id); err != nil {
				return err
			}
			if i, ok := seen[id]; ok {
				out[i].mailing = true
				return nil
			}
			out = append(out, job{scope: instance.Within(org), launch: id, mailing: true})
			return nil
		})
	})
	return out, err
}

// turn gives one alert its turn.
func (s *Service) turn(ctx context.Context, w job, now time.Time) (more bool, err error) {
	acted, people := false, false
	if w.running {
		if acted, people, err = s.look(ctx, w, now); err != nil {
			return false, err
		}
		if err = errors.Join(s.watchBudget(ctx, w, now), s.listen(ctx, w, now)); err != nil {
			return false, err
		}
	}
	if w.mailing || acted {
		if more, err = s.mail(ctx, w, now); err != nil {
			return false, err
		}
	}
	if people {
		again, err := s.escalate(ctx, w, now)
		if err != nil {
			return false, err
		}
		more = more || again
	}
	if acted || more || w.mailing || people {
		s.announced(Topic(w.launch))
		s.dispatch.Wake()
	}
	return more, nil
}

// look decides about the alert as a whole. It writes only when something is
// due; people tells that somebody's hour has come.
func (s *Service) look(ctx context.Context, w job, now time.Time) (acted, people bool, err error) {
	var steps []AlertStep
	err = s.db.Read(ctx, w.scope, func(tx *storage.Tx) error {
		l, err := readLaunch(ctx, tx, w.scope, w.launch)
		if err != nil {
			return err
		}
		if steps, err = s.decide(ctx, tx, w.scope, l, now); err != nil {
			return err
		}
		calling, err := s.calling(ctx, tx, w.scope, l)
		if err != nil || l.State != Running || len(calling) == 0 {
			return err
		}
		people, err = tx.Row(ctx, `SELECT 1 FROM alerting_recipients WHERE organisation_id = $1 AND launch_id = $2 AND due_us <= $3 AND wave IN (`+numbered(calling)+`) LIMIT 1`,
			[]any{w.scope.Organisation(), w.launch, storage.Micros(now)}, new(int))
		return err
	})
	if err != nil || len(steps) == 0 {
		return false, people, err
	}
	err = s.db.Write(ctx, w.scope, func(tx *storage.Tx) error {
		l, err := lockLaunch(ctx, tx, w.scope, w.launch)
		if err != nil {
			return err
		}
		if steps, err = s.decide(ctx, tx, w.scope, l, now); err != nil {
			return err
		}
		for _, step := range steps {
			if err := s.apply(ctx, tx, w.scope, now, l, step); err != nil {
				return err
			}
		}
		return nil
	})
	return true, people, err
}

// decide gathers the facts of an alert and asks the rules.
func (s *Service) decide(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch, now time.Time) ([]AlertStep, error) {
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil {
		return nil, err
	}
	f := alertFacts{State: l.State}
	if f.Quotas, err = s.quotaLines(ctx, tx, scope, l, p, now); err != nil {
		return nil, err
	}
	if f.Waves, err = readWaves(ctx, tx, scope, l.ID); err != nil {
		return nil, err
	}
	f.Met = p.met(l, f.Waves)
	var repeat int64
	found, err := tx.Row(ctx, `SELECT repeat_us FROM alerting_launches WHERE organisation_id = $1 AND id = $2 AND repeat_us IS NOT NULL`,
		[]any{scope.Organisation(), l.ID}, &repeat)
	if found {
		f.RepeatAt = storage.Time(repeat)
	}
	if err != nil {
		return nil, err
	}
	return DecideAlert(p, f, now), nil
}

func readWaves(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) ([]waveFacts, error) {
	var out []waveFacts
	err := tx.Query(ctx, `SELECT number, state, due_us, met_us IS NOT NULL FROM alerting_waves WHERE organisation_id = $1 AND launch_id = $2 ORDER BY number`,
		[]any{scope.Organisation(), launch}, func(row func(...any) error) error {
			var w waveFacts
			var due int64
			err := row(&w.Number, &w.State, &due, &w.Met)
			w.DueAt = storage.Time(due)
			out = append(out, w)
			return err
		})
	return out, err
}

// escalate moves one portion of the people whose hour has come.
func (s *Service) escalate(ctx context.Context, w job, now time.Time) (more bool, err error) {
	err = s.db.Write(ctx, w.scope, func(tx *storage.Tx) error {
		l, err := readLaunch(ctx, tx, w.scope, w.launch)
		if err != nil || l.State != Running {
			return err
		}
		calling, err := s.calling(ctx, tx, w.scope, l)
		if err != nil || len(calling) == 0 {
			return err
		}
		people, err := readPeople(ctx, tx, w.scope, w.launch, `due_us <= $3 AND wave IN (`+numbered(calling)+`) ORDER BY due_us LIMIT $4 {{skip_locked}}`, storage.Micros(now), portion)
		if err != nil {
			return err
		}
		more = len(people) == portion
		return s.step(ctx, tx, w.scope, now, l, people, false)
	})
	return more, err
}

// step asks the rules about each person and does what they say.
func (s *Service) step(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l Launch, people []person, reopened bool) error {
	p, err := s.planOf(ctx, tx, scope, l)
	if err != nil || len(people) == 0 {
		return err
	}
	known, err := currentAttempts(ctx, tx, scope, people)
	if err != nil {
		return err
	}
	fates := fatesOf(known)
	a, err := aggregateOf(ctx, tx, scope, l, p)
	if err != nil {
		return err
	}
	sites, err := sitesOf(ctx, tx, scope, l.ID)
	if err != nil {
		return err
	}
	b := batch{s: s, plan: p, launch: l, now: now, ids: newIDs(now), sites: sites, tally: tally{}, shelf: newShelf(p, l.ID)}
	for i := range people {
		f := factsOf(&people[i], known[people[i].Current])
		f.Reopened = reopened
		f.Left = fates[people[i].ID].left
		f.Pending = people[i].Sent - fates[people[i].ID].gone
		for _, st := range Decide(p, f, a, now) {
			b.do(&people[i], st)
		}
	}
	return b.write(ctx, tx, scope)
}

func aggregateOf(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch, p *plan) (aggregate, error) {
	a := aggregate{State: l.State, Stopped: map[int]bool{}}
	waves, err := readWaves(ctx, tx, scope, l.ID)
	a.Met = p.met(l, waves)
	for _, w := range waves {
		a.Stopped[w.Number] = w.State == WaveStopped
	}
	return a, err
}

// currentAttempts reads what is known of the message each person has now.
func currentAttempts(ctx context.Context, tx *storage.Tx, scope access.Scope, people []person) (map[uuid.UUID]*attempt, error) {
	list := make([]uuid.UUID, len(people))
	for i, p := range people {
		list[i] = p.ID
	}
	all, err := attemptsOf(ctx, tx, scope, list)
	out := make(map[uuid.UUID]*attempt, len(all))
	for _, a := range all {
		out[a.ID] = a
	}
	return out, err
}

// fate counts the calls to a person: gone are those that wait no more, left
// those of them that may have arrived.
type fate struct{ gone, left int }

// fatesOf leaves aside what calls nobody: an acknowledgement that arrived does
// not make a person reached by the alert.
func fatesOf(known map[uuid.UUID]*attempt) map[uuid.UUID]fate {
	out := make(map[uuid.UUID]fate, len(known))
	for _, a := range known {
		if a.State == AttemptQueued || !a.Purpose.calls() {
			continue
		}
		f := out[a.Recipient]
		f.gone++
		if a.State == AttemptSubmitted || a.State == AttemptDelivered {
			f.left++
		}
		out[a.Recipient] = f
	}
	return out
}

// calls tells the uses that call a person; the others only tell him something.
func (u Use) calls() bool { return slices.Contains(callPurposes(), string(u)) }

// callPurposes are the uses that call, as dispatch knows them.
func callPurposes() []string {
	return []string{string(UseAlert), string(UseReminder), string(UseStayAway), string(UseRelief)}
}

func factsOf(p *person, current *attempt) facts {
	f := facts{Rungs: p.Rungs, Rung: p.Rung, Tried: p.Tried, Sent: p.Sent, Wave: p.Wave, Answered: p.Meaning != "" || !p.Arrived.IsZero(), CalledAt: p.Called}
	if current == nil {
		return f
	}
	f.SubmittedAt, f.DeliveredAt = current.Submitted, current.Delivered
	f.Failed = current.lost()
	f.Withdrawn = current.State == AttemptWithdrawn
	f.Guarded = current.State == AttemptGuarded
	return f
}

// batch gathers what one portion changes.
type batch struct {
	s       *Service
	plan    *plan
	launch  Launch
	now     time.Time
	ids     *ids
	sites   map[int]uuid.UUID
	tally   tally
	shelf   *shelf
	changed []*person
	orders  []dispatch.Order
}

// do applies one step to one person.
func (b *batch) do(p *person, st Step) {
	switch st.Kind {
	case StepWait:
		p.Due = st.Until
	case StepSend:
		b.send(p, st.Rung, st.Use)
	case StepDoubt:
		b.endLadder(p, Unconfirmed)
	case StepExhaust:
		b.endLadder(p, Exhausted)
	case StepRest:
		p.Due = time.Time{}
	}
	b.changed = append(b.changed, p)
}

// endLadder leaves a person alone who was not reached; one who was stays so.
func (b *batch) endLadder(p *person, state State) {
	p.Due = time.Time{}
	if p.State == Called || p.State == Unconfirmed {
		b.tally.state(p.State, state)
		p.State = state
	}
}

// send queues a message of an alert to one address of a person.
func (b *batch) send(p *person, rung int, use Use) {
	a := addressee{ID: p.ID, Wave: p.Wave, Language: p.Language, Code: p.Code, Site: b.sites[p.Unit], Round: p.Sent}
	o, ok := b.s.order(b.shelf, b.ids.take(), a, p.Rungs[rung], use, b.now)
	if !ok {
		p.Due = time.Time{}
		return
	}
	b.orders = append(b.orders, o)
	p.Marks &^= markStoodDown
	p.Rung, p.Tried, p.Sent, p.Current, p.Called = rung, p.Tried|1<<rung, p.Sent+1, o.ID, b.now
	p.Due = time.Time{}
	if w := b.plan.wave(p.Wave); w.Escalate > 0 && b.plan.Definition.Profile != Diffusion {
		p.Due = b.now.Add(w.Escalate.Std())
	}
	if after := p.standing(); p.State == Waiting || p.State == Unconfirmed || p.State == Exhausted {
		b.tally.state(p.State, after)
		p.State = after
	}
}

func (b *batch) write(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	// People, then orders, then figures: everyone who writes several of them keeps
	// this order, so that two transactions never wait for each other.
	if err := savePeople(ctx, tx, scope, b.changed); err != nil {
		return err
	}
	if len(b.orders) > 0 {
		if _, err := b.s.dispatch.Enqueue(ctx, tx, scope, b.now, b.orders); err != nil {
			return err
		}
	}
	return b.tally.write(ctx, tx, scope, b.launch.ID)
}
