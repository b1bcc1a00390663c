package traces

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

const holdColumns = `id, authority, reference, reason, requested_by, patient, account, person, source_id, everything, from_us, to_us, state, found, counted_us,
	placed_id, placed_name, placed_us, lift_reason, lift_asked_id, lift_asked_name, lift_asked_us, lift_decided_id, lift_decided_name, lift_decided_us, lift_refusal`

func readHolds(ctx context.Context, tx *storage.Tx, scope access.Scope, where string, args ...any) (out []LegalHold, err error) {
	err = tx.Query(ctx, `SELECT `+holdColumns+` FROM traces_holds WHERE organisation_id = $1`+where, append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
		var h LegalHold
		var source, asked, decided uuid.NullUUID
		var from, to, placed int64
		var counted, askedAt, decidedAt sql.NullInt64
		if err := row(&h.ID, &h.Authority, &h.Reference, &h.Reason, &h.RequestedBy, &h.Patient, &h.Account, &h.Person, &source, &h.Everything, &from, &to, &h.State, &h.Found, &counted,
			&h.Placed.ID, &h.Placed.Name, &placed, &h.LiftReason, &asked, &h.LiftAsked.Name, &askedAt, &decided, &h.LiftDecided.Name, &decidedAt, &h.LiftRefusal); err != nil {
			return err
		}
		h.Source, h.LiftAsked.ID, h.LiftDecided.ID = source.UUID, asked.UUID, decided.UUID
		h.From, h.To, h.Placed.At, h.Counted = storage.Time(from), storage.Time(to), storage.Time(placed), storage.NullTime(counted)
		h.LiftAsked.At, h.LiftDecided.At = storage.NullTime(askedAt), storage.NullTime(decidedAt)
		out = append(out, h)
		return nil
	})
	return out, err
}

// readHold gives one of the scope's establishment, locked when it will be changed.
// Errors: NotFound.
func readHold(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, lock string) (LegalHold, error) {
	list, err := readHolds(ctx, tx, scope, ` AND id = $2 `+lock, id)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "traces.hold.unknown")
	}
	if err != nil {
		return LegalHold{}, err
	}
	return list[0], nil
}

// standing lists the holds of an establishment that are not lifted.
func standing(ctx context.Context, tx *storage.Tx, scope access.Scope) ([]LegalHold, error) {
	return readHolds(ctx, tx, scope, ` AND state <> $2 ORDER BY id`, string(HoldLifted))
}

func (h LegalHold) insert(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	_, err := tx.Exec(ctx, `INSERT INTO traces_holds (organisation_id, id, authority, reference, reason, requested_by, patient, account, person, source_id, everything, from_us, to_us, state, found, counted_us,
		placed_id, placed_name, placed_us, lift_reason, lift_asked_name, lift_decided_name, lift_refusal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, '', '', '', '')`,
		scope.Organisation(), h.ID, h.Authority, h.Reference, h.Reason, h.RequestedBy, h.Patient, h.Account, h.Person, storage.NullID(h.Source), h.Everything, storage.Micros(h.From), storage.Micros(h.To),
		string(h.State), h.Found, storage.NullMicros(h.Counted), h.Placed.ID, h.Placed.Name, storage.Micros(h.Placed.At))
	return err
}

// update writes all that changes after the placing.
func (h LegalHold) update(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	_, err := tx.Exec(ctx, `UPDATE traces_holds SET state = $3, lift_reason = $4, lift_asked_id = $5, lift_asked_name = $6, lift_asked_us = $7, lift_decided_id = $8, lift_decided_name = $9, lift_decided_us = $10, lift_refusal = $11
		WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), h.ID, string(h.State), h.LiftReason, storage.NullID(h.LiftAsked.ID), h.LiftAsked.Name, storage.NullMicros(h.LiftAsked.At),
		storage.NullID(h.LiftDecided.ID), h.LiftDecided.Name, storage.NullMicros(h.LiftDecided.At), h.LiftRefusal)
	return err
}
