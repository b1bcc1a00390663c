package directory

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// recordBatch is how many addresses are looked up at once.
const recordBatch = 500

// Record notes what an alert learnt of some addresses, inside the transaction
// of the alert. Every person of the establishment who has the address is
// concerned. Events may come in any order, and twice.
func (d *Directory) Record(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, events []ContactEvent) error {
	if err := d.guard.Check(scope, access.AlertConduct); err != nil {
		return err
	}
	proven := false
	for len(events) > 0 {
		n := min(recordBatch, len(events))
		if err := recordSome(ctx, tx, scope, now, events[:n]); err != nil {
			return fmt.Errorf("record contact events: %w", err)
		}
		for _, e := range events[:n] {
			proven = proven || e.Kind != EventDelivered
		}
		events = events[n:]
	}
	if !proven {
		return nil
	}
	return markStale(ctx, tx, scope)
}

func recordSome(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, events []ContactEvent) error {
	byAddress := make(map[string][]ContactEvent, len(events))
	var list []string
	for _, e := range events {
		if e.At.IsZero() {
			e.At = now
		}
		if _, known := byAddress[e.Address]; !known {
			list = append(list, e.Address)
		}
		byAddress[e.Address] = append(byAddress[e.Address], e)
	}
	var rows, people [][]any
	// Every version, shown or not: an import under way, or its undoing, must not forget what was just learnt.
	err := tx.Query(ctx, `SELECT `+contactColumns+` FROM directory_contacts c WHERE c.organisation_id = $1 AND c.address IN (`+storage.In(len(list), 2)+`)`,
		storage.Args(list, scope.Organisation()), func(row func(...any) error) error {
			k, err := scanPoint(row)
			if err != nil {
				return err
			}
			before := k
			for _, e := range byAddress[k.Address] {
				k.learn(e)
			}
			if k != before {
				proven := sql.NullInt64{}
				if !k.Shared {
					proven = storage.NullMicros(k.Answered)
				}
				people = append(people, []any{scope.Organisation(), k.person, proven})
				rows = append(rows, []any{
					scope.Organisation(), k.person, k.ID, k.since, string(k.State), storage.NullMicros(k.StateAt),
					storage.NullMicros(k.Delivered), storage.NullMicros(k.Answered), k.Failures,
				})
			}
			return nil
		})
	if err != nil {
		return err
	}
	for _, p := range people {
		if _, err := tx.Exec(ctx, `UPDATE directory_people SET tried = TRUE, proven_us = {{greatest}}(COALESCE(proven_us, CAST($3 AS BIGINT)), COALESCE(CAST($3 AS BIGINT), proven_us))
			WHERE organisation_id = $1 AND id = $2 AND (NOT tried OR proven_us IS NULL AND CAST($3 AS BIGINT) IS NOT NULL OR proven_us < CAST($3 AS BIGINT))`, p...); err != nil {
			return err
		}
	}
	_, err = tx.UpdateRows(ctx, "directory_contacts", 4, []storage.Column{
		{Name: "organisation_id", Type: "uuid"},
		{Name: "person_id", Type: "uuid"},
		{Name: "id", Type: "uuid"},
		{Name: "since_gen", Type: "bigint"},
		{Name: "state", Type: "text"},
		{Name: "state_us", Type: "bigint"},
		{Name: "delivered_us", Type: "bigint"},
		{Name: "answered_us", Type: "bigint"},
		{Name: "failures", Type: "bigint"},
	}, rows)
	return err
}

// learn changes the state of a contact point by one event. What happened before
// the present state only fills the dates.
func (k *ContactPoint) learn(e ContactEvent) {
	late := e.At.Before(k.StateAt)
	switch e.Kind {
	case EventDelivered:
		k.Delivered = latest(k.Delivered, e.At)
	case EventAnswered:
		k.Answered = latest(k.Answered, e.At)
	}
	if late || k.State == Foreign || k.State == Stopped && e.Kind != EventStopped {
		return // only a person lifts a stop: the operator goes on blocking, the stranger goes on answering
	}
	switch e.Kind {
	case EventDelivered, EventAnswered:
		k.Failures = 0
		k.State = Delivered
		if !k.Answered.IsZero() {
			k.State = Answered
		}
	case EventFailed:
		if e.At.Equal(k.StateAt) && k.State == Failed {
			return // the same event told twice
		}
		k.Failures++
		if k.State != Bounced {
			k.State = Failed
		}
	case EventBounced:
		k.State = Bounced
	case EventStopped:
		k.State = Stopped
	default:
		return
	}
	k.StateAt = e.At
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Lift says that a person had the operator's stop, or a bounce, lifted: the
// contact point is as if never tried.
func (d *Directory) Lift(ctx context.Context, scope access.Scope, person, contact uuid.UUID) error {
	return d.changeContact(ctx, scope, person, contact, "directory.contact.lift",
		`state = 'never', state_us = NULL, failures = 0`)
}
