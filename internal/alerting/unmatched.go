package alerting

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// unmatchedListed bounds a list that anyone who knows our number can fill.
const unmatchedListed = 500

// Unmatched lists the replies of unknown senders since an instant that nobody
// attached yet, the newest first. Senders are masked unless the reader may see
// numbers. Needs access.AlertAnswers.
func (s *Service) Unmatched(ctx context.Context, scope access.Scope, since time.Time) ([]UnmatchedReply, error) {
	if err := s.guard.Check(scope, access.AlertAnswers); err != nil {
		return nil, err
	}
	whole := s.guard.May(scope, access.DirectoryNumbers)
	var out []UnmatchedReply
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT id, at_us, medium, sender, body, meaning, minutes FROM alerting_unmatched
			WHERE organisation_id = $1 AND at_us >= $2 AND recipient_id IS NULL ORDER BY at_us DESC, id DESC LIMIT $3`,
			[]any{scope.Organisation(), storage.Micros(since), unmatchedListed}, func(row func(...any) error) error {
				var r UnmatchedReply
				var at int64
				err := row(&r.ID, &at, &r.Medium, &r.From, &r.Text, &r.Meaning, &r.Minutes)
				r.At = storage.Time(at)
				if !whole {
					r.From = masked(r.Medium, r.From)
				}
				out = append(out, r)
				return err
			})
	})
	return out, err
}

// Attach gives a reply of an unknown sender to a recipient, as his answer at the
// time it came. Needs access.AlertConduct. Errors: NotFound, Conflict when
// somebody attached it before.
func (s *Service) Attach(ctx context.Context, scope access.Scope, now time.Time, launch, reply, recipient uuid.UUID) error {
	return s.during(ctx, scope, now, access.AlertConduct, launch, func(tx *storage.Tx, l Launch, pl *plan) (journal.Entry, error) {
		in := s.intake(tx, scope, now)
		p, err := in.person(ctx, recipient)
		if err != nil {
			return journal.Entry{}, err
		}
		if p == nil || p.Launch != l.ID {
			return journal.Entry{}, fault.New(fault.NotFound, "alerting.recipient.unknown")
		}
		var at int64
		r := dispatch.Reply{ID: reply}
		found, err := tx.Row(ctx, `UPDATE alerting_unmatched SET recipient_id = $3 WHERE organisation_id = $1 AND id = $2 AND recipient_id IS NULL
			RETURNING at_us, medium, sender, body`, []any{scope.Organisation(), reply, p.ID}, &at, &r.Medium, &r.From, &r.Text)
		if err != nil {
			return journal.Entry{}, err
		}
		if !found {
			return journal.Entry{}, fault.New(fault.Conflict, "alerting.unmatched.gone")
		}
		r.At = storage.Time(at)
		g := pl.read(r, now)
		g.By = scope.Actor().Name
		if err := in.take(ctx, p, g); err != nil {
			return journal.Entry{}, err
		}
		return journal.Entry{Action: "alert.attach", After: map[string]any{"recipient": recipient, "reply": reply}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventAttached, By: scope.Actor().Name, People: 1, Text: p.First + " " + p.Last})
	})
}
