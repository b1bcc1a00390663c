package exports

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

const columns = `id, kind, authority, reference, identity_check, reason, exception, selection_json, found, state, asked_id, asked_name, asked_us, expires_us,
	decided_id, decided_name, decided_us, decision, tries, events, bytes, sha256, ready_us, until_us, problem, taken, taken_us`

func read(ctx context.Context, tx *storage.Tx, scope access.Scope, where string, args ...any) (out []Request, err error) {
	err = tx.Query(ctx, `SELECT `+columns+` FROM traces_exports WHERE organisation_id = $1`+where, append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
		var r Request
		var selection string
		var decider uuid.NullUUID
		var asked, expires int64
		var decided, done, until, taken sql.NullInt64
		if err := row(&r.ID, &r.Kind, &r.Authority, &r.Reference, &r.Identity, &r.Reason, &r.Exception, &selection, &r.Found, &r.State, &r.Asker, &r.AskedBy, &asked, &expires,
			&decider, &r.By, &decided, &r.Decision, &r.tries, &r.Events, &r.Bytes, &r.SHA256, &done, &until, &r.Problem, &r.Taken, &taken); err != nil {
			return err
		}
		r.Decider, r.Asked, r.Expires = decider.UUID, storage.Time(asked), storage.Time(expires)
		r.Decided, r.Done, r.Until, r.TakenAt = storage.NullTime(decided), storage.NullTime(done), storage.NullTime(until), storage.NullTime(taken)
		err := json.Unmarshal([]byte(selection), &r.Selection)
		out = append(out, r)
		return err
	})
	return out, err
}

// one gives a request of the scope's establishment. Errors: NotFound.
func one(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Request, error) {
	list, err := read(ctx, tx, scope, ` AND id = $2`, id)
	if err != nil {
		return Request{}, err
	}
	if len(list) == 0 {
		return Request{}, fault.New(fault.NotFound, "traces.exports.unknown")
	}
	return list[0], nil
}

func (r Request) insert(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	selection, err := json.Marshal(r.Selection)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO traces_exports (organisation_id, id, kind, authority, reference, identity_check, reason, exception, selection_json, found, state, asked_id, asked_name, asked_us, expires_us,
		decided_name, decision, tries, events, bytes, sha256, problem, taken) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '', '', 0, 0, 0, '', '', 0)`,
		scope.Organisation(), r.ID, string(r.Kind), r.Authority, r.Reference, r.Identity, r.Reason, r.Exception, string(selection), r.Found, string(r.State), r.Asker, r.AskedBy, storage.Micros(r.Asked), storage.Micros(r.Expires))
	return err
}

// update writes all that changes after the asking.
func (r Request) update(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	_, err := tx.Exec(ctx, `UPDATE traces_exports SET state = $3, decided_id = $4, decided_name = $5, decided_us = $6, decision = $7, tries = $8, events = $9, bytes = $10, sha256 = $11, ready_us = $12,
		until_us = $13, problem = $14, taken = $15, taken_us = $16 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), r.ID, string(r.State), storage.NullID(r.Decider), r.By, storage.NullMicros(r.Decided), r.Decision, r.tries, r.Events, r.Bytes, r.SHA256, storage.NullMicros(r.Done),
		storage.NullMicros(r.Until), r.Problem, r.Taken, storage.NullMicros(r.TakenAt))
	return err
}
