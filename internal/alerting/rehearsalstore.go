package alerting

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/jobs"
	"tocsin/internal/storage"
)

func insertRehearsal(ctx context.Context, tx *storage.Tx, scope access.Scope, r Rehearsal) error {
	order, err := json.Marshal(r.Order)
	if err != nil {
		return fmt.Errorf("write a rehearsal: %w", err)
	}
	shown, err := json.Marshal(r.Shown)
	if err != nil {
		return fmt.Errorf("write a rehearsal: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO alerting_rehearsals (organisation_id, id, scenario_id, version, state, asked_us, asked_by, order_json, done, total, lease_us, finished_us, result_json)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12)`, scope.Organisation(), r.ID, r.Scenario, r.Version, string(r.State), storage.Micros(r.AskedAt),
		r.AskedBy, string(order), r.Done, r.Total, storage.NullMicros(r.FinishedAt), string(shown))
	return err
}

func readRehearsals(ctx context.Context, tx *storage.Tx, scope access.Scope, tail string, args ...any) ([]Rehearsal, error) {
	var out []Rehearsal
	err := tx.Query(ctx, `SELECT id, scenario_id, version, state, asked_us, asked_by, order_json, done, total, finished_us, result_json
		FROM alerting_rehearsals WHERE organisation_id = $1`+tail, append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
		var r Rehearsal
		var asked int64
		var finished sql.NullInt64
		var order, shown string
		if err := row(&r.ID, &r.Scenario, &r.Version, &r.State, &asked, &r.AskedBy, &order, &r.Done, &r.Total, &finished, &shown); err != nil {
			return err
		}
		r.AskedAt, r.FinishedAt = storage.Time(asked), storage.NullTime(finished)
		if err := errors.Join(json.Unmarshal([]byte(order), &r.Order), json.Unmarshal([]byte(shown), &r.Shown)); err != nil {
			return fmt.Errorf("read rehearsal %s: %w", r.ID, err)
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

// The pace of the worker of rehearsals.
const (
	rehearsalEvery = 5 * time.Second
	// rehearsalLease is after how long without a word a rehearsal is taken up by another node.
	rehearsalLease = time.Minute
	// rehearsalTell is the time between two words.
	rehearsalTell = 500 * time.Millisecond
	// rehearsalYields is how long after a true launch a rehearsal waits.
	rehearsalYields = 2 * time.Hour
)

// errYield tells that an alert needs the machine.
var errYield = errors.New("an alert has just left: the rehearsal waits")

// RehearsalTask plays the rehearsals that were asked for, one at a time. Alerts
// come first: a rehearsal stops within a second of a true launch, of any
// establishment, and waits while one is young.
func (s *Service) RehearsalTask(c clock.Clock) jobs.Task {
	return jobs.Task{Name: "alerting.rehearsals", Every: rehearsalEvery, Wake: s.rehearse, Run: func(ctx context.Context, now time.Time) (bool, error) {
		return s.playNext(ctx, now, c)
	}}
}

// claimed is a rehearsal this node plays.
type claimed struct {
	scope access.Scope
	r     Rehearsal
	clock clock.Clock
	told  time.Time
}

// playNext plays the oldest rehearsal that waits.
func (s *Service) playNext(ctx context.Context, now time.Time, c clock.Clock) (more bool, err error) {
	w, err := s.claimRehearsal(ctx, now)
	if err != nil || w == nil {
		return false, err
	}
	w.clock, w.told = c, now
	pr, err := s.rehearsed(ctx, w.scope, w.r.Scenario, w.r.Order.At)
	if err == nil {
		w.r.Version = pr.scenario.Version
		err = s.playRehearsal(ctx, w.scope, &w.r, pr, func(done int) error { return s.tellRehearsal(ctx, w, done) })
	}
	switch {
	case err == nil:
		w.r.State, w.r.Done = RehearsalDone, w.r.Total
	case errors.Is(err, errYield) || ctx.Err() != nil:
		// It is played again from its beginning: the draws are the same.
		return false, s.giveBack(context.WithoutCancel(ctx), w)
	default:
		s.log.Error("a rehearsal failed", "rehearsal", w.r.ID, "error", err)
		w.r.State, w.r.Shown = RehearsalFailed, Shown{}
	}
	return true, s.finishRehearsal(ctx, w, c.Now())
}

func (s *Service) claimRehearsal(ctx context.Context, now time.Time) (w *claimed, err error) {
	instance := access.Instance("alerting")
	var org, id uuid.UUID
	found := false
	err = s.db.Read(ctx, instance, func(tx *storage.Tx) error {
		found, err = tx.Row(ctx, `SELECT organisation_id, id FROM alerting_rehearsals WHERE finished_us IS NULL AND lease_us <= $1
			AND NOT EXISTS (SELECT 1 FROM alerting_launches WHERE state = 'running' AND mode = 'reel' AND launched_us > $2) ORDER BY asked_us LIMIT 1`,
			[]any{storage.Micros(now), storage.Micros(now.Add(-rehearsalYields))}, &org, &id)
		return err
	})
	if err != nil || !found {
		return nil, err
	}
	scope := instance.Within(org)
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE alerting_rehearsals SET state = 'playing', done = 0, lease_us = $3 WHERE organisation_id = $1 AND id = $2
			AND finished_us IS NULL AND lease_us <= $4`, org, id, storage.Micros(now.Add(rehearsalLease)), storage.Micros(now))
		if err != nil || n == 0 {
			return err
		}
		list, err := readRehearsals(ctx, tx, scope, ` AND id = $2`, id)
		if len(list) > 0 {
			w = &claimed{scope: scope, r: list[0]}
		}
		return err
	})
	return w, err
}

// tellRehearsal writes how far a rehearsal is, and ends it when an alert needs the machine.
func (s *Service) tellRehearsal(ctx context.Context, w *claimed, done int) error {
	now := w.clock.Now()
	if now.Sub(w.told) < rehearsalTell {
		return nil
	}
	w.told = now
	err := s.db.Read(ctx, access.Instance("alerting"), func(tx *storage.Tx) error {
		young, err := tx.Row(ctx, `SELECT 1 FROM alerting_launches WHERE state = 'running' AND mode = 'reel' AND launched_us > $1 LIMIT 1`,
			[]any{storage.Micros(now.Add(-rehearsalYields))}, new(int))
		if err == nil && young {
			err = errYield
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.db.Write(ctx, w.scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE alerting_rehearsals SET done = $3, total = $4, lease_us = $5 WHERE organisation_id = $1 AND id = $2`,
			w.scope.Organisation(), w.r.ID, done, w.r.Total, storage.Micros(now.Add(rehearsalLease)))
		return err
	})
}

func (s *Service) giveBack(ctx context.Context, w *claimed) error {
	return s.db.Write(ctx, w.scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE alerting_rehearsals SET state = 'asked', done = 0, lease_us = 0 WHERE organisation_id = $1 AND id = $2`, w.scope.Organisation(), w.r.ID)
		return err
	})
}

func (s *Service) finishRehearsal(ctx context.Context, w *claimed, now time.Time) error {
	shown, err := json.Marshal(w.r.Shown)
	if err != nil {
		return fmt.Errorf("write a rehearsal: %w", err)
	}
	return s.db.Write(ctx, w.scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE alerting_rehearsals SET state = $3, version = $4, done = $5, total = $6, finished_us = $7, result_json = $8
			WHERE organisation_id = $1 AND id = $2`, w.scope.Organisation(), w.r.ID, string(w.r.State), w.r.Version, w.r.Done, w.r.Total, storage.Micros(now), string(shown))
		return err
	})
}

// Expected is what the last rehearsal before an alert showed of its scenario.
type Expected struct {
	// At is when it was played; zero when the scenario was not rehearsed.
	At     time.Time   `json:"at"`
	People int         `json:"people"`
	Points []BandPoint `json:"points"`
}

func expectedOf(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch) (Expected, error) {
	r, found, err := rehearsalBefore(ctx, tx, scope, l.Scenario, l.LaunchedAt)
	if err != nil || !found {
		return Expected{}, err
	}
	return Expected{At: r.FinishedAt, People: r.Shown.Outcome.People, Points: r.Shown.Outcome.Points}, nil
}

func rehearsalBefore(ctx context.Context, tx *storage.Tx, scope access.Scope, scenario uuid.UUID, at time.Time) (r Rehearsal, found bool, err error) {
	list, err := readRehearsals(ctx, tx, scope, ` AND scenario_id = $2 AND state = 'done' AND finished_us <= $3 ORDER BY id DESC LIMIT 1`, scenario, storage.Micros(at))
	if len(list) > 0 {
		r, found = list[0], true
	}
	return r, found, err
}
