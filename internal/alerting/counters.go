package alerting

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// tally gathers the changes of figures of one transaction.
type tally map[figure]int

// figure is one running figure: a total (slot 0) or a minute since the launch.
type figure struct {
	name string
	slot int
}

func (t tally) add(name string, n int) { t[figure{name, 0}] += n }

// curve counts a person at the minute something happened to him.
func (t tally) curve(name string, launched, at time.Time, n int) {
	t[figure{"curve." + name, max(0, int(at.Sub(launched)/time.Minute))}] += n
}

// state moves a person from one state to another.
func (t tally) state(from, to State) {
	if from != to {
		t.add("state."+string(from), -1)
		t.add("state."+string(to), 1)
	}
}

// meaning moves a person from one answer to another; empty is none.
func (t tally) meaning(from, to Meaning) {
	if from != "" {
		t.add("meaning."+string(from), -1)
	}
	if to != "" {
		t.add("meaning."+string(to), 1)
	}
}

// write adds the changes, in one order for all so that two transactions never
// wait for each other.
func (t tally) write(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) error {
	keys := slices.SortedFunc(maps.Keys(t), func(a, b figure) int { return cmp.Or(strings.Compare(a.name, b.name), a.slot-b.slot) })
	for _, k := range keys {
		if t[k] == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO alerting_counters (organisation_id, launch_id, name, slot, n) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (organisation_id, launch_id, name, slot) DO UPDATE SET n = alerting_counters.n + excluded.n`,
			scope.Organisation(), launch, k.name, k.slot, t[k]); err != nil {
			return err
		}
	}
	return nil
}

// readTally reads every figure of an alert.
func readTally(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (tally, error) {
	out := tally{}
	err := tx.Query(ctx, `SELECT name, slot, n FROM alerting_counters WHERE organisation_id = $1 AND launch_id = $2`,
		[]any{scope.Organisation(), launch}, func(row func(...any) error) error {
			var f figure
			var n int
			err := row(&f.name, &f.slot, &n)
			out[f] = n
			return err
		})
	return out, err
}

// event adds a line to the timeline.
func (s *Service) event(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, launch uuid.UUID, e Event) error {
	_, err := tx.Exec(ctx, `INSERT INTO alerting_events (organisation_id, id, launch_id, at_us, kind, actor, wave, people, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, scope.Organisation(), storage.NewID(now), launch, storage.Micros(now), string(e.Kind), e.By, e.Wave, e.People, e.Text)
	if err != nil || s.herald == nil {
		return err
	}
	l, err := readLaunch(ctx, tx, scope, launch)
	if err != nil {
		return err
	}
	return s.herald.Herald(ctx, tx, scope, now, l, e)
}

// Timeline lists the events of an alert, the oldest first; without the names of
// agents for who may not see what each of them did.
func (s *Service) Timeline(ctx context.Context, scope access.Scope, launch uuid.UUID) (out []Event, err error) {
	if err := s.guard.Check(scope, access.AlertRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readEvents(ctx, tx, scope, launch)
		return err
	})
	if !s.guard.May(scope, access.AlertAnswers) {
		out = unnamed(out)
	}
	return out, err
}

func readEvents(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) ([]Event, error) {
	var out []Event
	err := tx.Query(ctx, `SELECT id, at_us, kind, actor, wave, people, body FROM alerting_events WHERE organisation_id = $1 AND launch_id = $2
		ORDER BY at_us, id`, []any{scope.Organisation(), launch}, func(row func(...any) error) error {
		var e Event
		var at int64
		err := row(&e.ID, &at, &e.Kind, &e.By, &e.Wave, &e.People, &e.Text)
		e.At = storage.Time(at)
		out = append(out, e)
		return err
	})
	return out, err
}

// moved tells the worker and the pages that an alert changed.
func (s *Service) moved(launch uuid.UUID, scope access.Scope) {
	s.announced(Topic(launch))
	s.announced(TopicActive(scope.Organisation()))
	s.nudge()
}

// nudge wakes the worker.
func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // it is told already
	}
}
