package alerting

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

func insertDictation(ctx context.Context, tx *storage.Tx, scope access.Scope, d Dictation) error {
	return tx.InsertRows(ctx, "alerting_dictations",
		[]string{"organisation_id", "id", "scenario_id", "purpose", "language", "words", "address", "account_id", "asked_by", "asked_us", "state", "why", "changed_us"},
		[][]any{{
			scope.Organisation(), d.ID, d.Scenario, string(d.Use), d.Language, d.words, d.Number, d.account, d.By,
			storage.Micros(d.AskedAt), string(d.State), d.Why, storage.Micros(d.ChangedAt),
		}})
}

func readDictations(ctx context.Context, tx *storage.Tx, scope access.Scope, tail string, args ...any) (out []Dictation, err error) {
	err = tx.Query(ctx, `SELECT id, scenario_id, purpose, language, words, address, account_id, asked_by, asked_us, state, why, changed_us
		FROM alerting_dictations WHERE organisation_id = $1`+tail, append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
		var d Dictation
		var asked, changed int64
		err := row(&d.ID, &d.Scenario, &d.Use, &d.Language, &d.words, &d.Number, &d.account, &d.By, &asked, &d.State, &d.Why, &changed)
		d.AskedAt, d.ChangedAt = storage.Time(asked), storage.Time(changed)
		out = append(out, d)
		return err
	})
	return out, err
}

func readDictation(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Dictation, error) {
	list, err := readDictations(ctx, tx, scope, ` AND id = $2`, id)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "alerting.dictation.unknown")
	}
	if err != nil {
		return Dictation{}, err
	}
	return list[0], nil
}

// moveDictation changes the state of one that is under way. Errors: Conflict once it is over.
func moveDictation(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, to DictationState, why string) error {
	n, err := tx.Exec(ctx, `UPDATE alerting_dictations SET state = $3, why = $4, changed_us = $5 WHERE organisation_id = $1 AND id = $2 AND state IN `+underway,
		scope.Organisation(), id, string(to), why, storage.Micros(now))
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "alerting.dictation.over")
	}
	return err
}

// dictationFacts notes the calls that ended without anything kept. What ended before,
// by a key or by who asked, stays as it is.
func dictationFacts(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, facts []dispatch.Fact) error {
	for _, f := range facts {
		if f.Purpose != dispatch.PurposeDictation {
			continue
		}
		why := f.Reason
		switch f.Kind {
		case dispatch.FactFailed:
		case dispatch.FactExpired:
			why = channels.ReasonExpired
		case dispatch.FactWithdrawn, dispatch.FactGuarded:
			why = channels.ReasonInterrupted
		default:
			continue
		}
		if err := moveDictation(ctx, tx, scope, now, f.Delivery, DictationUnanswered, string(why)); err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}

// purgeDictations forgets the old ones, and the numbers that were called.
func (s *Service) purgeDictations(ctx context.Context, scope access.Scope, now time.Time) error {
	before := storage.Micros(now.Add(-dictationKept))
	var old []job
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, id FROM alerting_dictations WHERE asked_us <= $1`, []any{before}, func(row func(...any) error) error {
			var org, id uuid.UUID
			err := row(&org, &id)
			old = append(old, job{scope: scope.Within(org), launch: id})
			return err
		})
	})
	for _, one := range old {
		if err != nil {
			break
		}
		err = s.db.Write(ctx, one.scope, func(tx *storage.Tx) error {
			if _, err := s.dispatch.Forget(ctx, tx, one.scope, one.launch, portion); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `DELETE FROM alerting_dictations WHERE organisation_id = $1 AND id = $2`, one.scope.Organisation(), one.launch)
			return err
		})
	}
	return err
}
